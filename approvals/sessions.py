"""Sessions in the database, found by keys that are keys: a cookie is text from anybody."""

import re

from django.contrib.sessions.backends import db

#: What Django itself gives out (``django.contrib.sessions.backends.base.VALID_KEY_CHARS``).
_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """Never asks the database about anything else: PostgreSQL refuses to be asked about a NUL."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and _KEY.fullmatch(key))

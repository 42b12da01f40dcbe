"""Which server sends e-mail (``EMAIL_URL``)."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from config.environment import ConfigurationError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Django's settings about the server; without a host nothing can be sent."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    #: TLS from the first byte, or after a plain beginning (STARTTLS).
    ssl: bool = False
    starttls: bool = False


def mail_server_from_url(url: str) -> MailServer:
    """Return the server that a URL names; none when it is empty.

    ``smtp`` begins plain and goes on under TLS (STARTTLS), except on this machine; ``smtps`` is
    TLS from the first byte. Raises ``ConfigurationError`` when the URL is unusable.
    """
    if not url:
        return MailServer()
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise _unusable() from None
    if not parts.hostname:
        raise _unusable()
    return MailServer(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ssl=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and parts.hostname not in _LOOPBACK,
    )


def _unusable() -> ConfigurationError:
    # Without the URL, which holds a password.
    return ConfigurationError(
        "EMAIL_URL cannot be understood. Set it to smtp://user:password@host:587, or to "
        "smtps://user:password@host:465."
    )

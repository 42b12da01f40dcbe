"""E-mail to auditors: the newest checkpoint, now and then, which covers all that came before."""

from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from audit.errors import AnchorError

_TEXT = """\
The record of Countersign as it was sealed, in one checkpoint. Keep this e-mail: nothing that was
in the record when it was sent can be changed, removed or put in afterwards without this checkpoint
showing it (`manage.py verify_record --since FILE`, with the attached file).

{note}"""


class MailTarget:
    """Sends the newest checkpoint to people, at most once in ``pace``."""

    def __init__(self, addresses: Sequence[str], *, pace: timedelta) -> None:
        self._addresses = list(addresses)
        self.pace = pace
        self.name = f"mailto:{','.join(addresses)}"

    def check(self) -> None:
        """See ``Target.check``; Django's own backends for tests need no server."""
        is_smtp = settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
        if is_smtp and not settings.EMAIL_HOST:
            raise AnchorError(
                "names e-mail addresses, and EMAIL_URL is not set. Set EMAIL_URL to "
                "smtp://user:password@host:587."
            )

    def copy(self, note: str) -> None:
        """See ``Target.copy``."""
        origin, size, _ = note.split("\n", 2)
        message = EmailMessage(
            subject=f"Checkpoint of {origin}: {size} leaves",
            body=_TEXT.format(note=note),
            to=self._addresses,
        )
        message.attach(f"checkpoint-{size}.txt", note.encode(), "application/octet-stream")
        try:
            message.send()
        except (OSError, SMTPException, ValueError) as error:
            raise AnchorError(
                f"The e-mail to {', '.join(self._addresses)} was not sent: {type(error).__name__}."
            ) from error

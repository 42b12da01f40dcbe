"""E-mail to auditors with the newest checkpoint."""

import pytest

from audit.anchoring.targets import parse
from audit.errors import AnchorError

NOTE = "urn:test\n12\nroot\n\n— urn:test c2ln\n"


def target():
    return parse("mailto:one@example.com,two@example.com", production=True)


def test_it_says_what_it_is_for_and_has_the_checkpoint_as_text_and_file(mailoutbox):
    target().copy(NOTE)

    [mail] = mailoutbox
    assert mail.to == ["one@example.com", "two@example.com"]
    assert mail.subject == "Checkpoint of urn:test: 12 leaves"
    assert NOTE in mail.body and "verify_record --since" in mail.body
    assert [(name, bytes(data)) for name, data, _ in mail.attachments] == [
        ("checkpoint-12.txt", NOTE.encode())
    ]


def test_a_server_that_is_away_is_a_sentence(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with pytest.raises(AnchorError, match=r"was not sent: ConnectionRefusedError\.$"):
        target().copy(NOTE)


def test_without_a_server_it_does_not_start(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    settings.EMAIL_HOST = ""
    with pytest.raises(AnchorError, match=r"EMAIL_URL is not set\. Set EMAIL_URL to smtp://"):
        target().check()
    settings.EMAIL_HOST = "mail.example"
    target().check()

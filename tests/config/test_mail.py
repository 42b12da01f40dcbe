"""``EMAIL_URL``: which server sends e-mail."""

import pytest

from config.environment import ConfigurationError
from config.mail import MailServer, mail_server_from_url


def test_without_one_there_is_no_server():
    assert mail_server_from_url("") == MailServer()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp://me:p%40ss@mail.example",
            MailServer(host="mail.example", port=587, user="me", password="p@ss", starttls=True),
        ),
        ("smtps://mail.example:4650", MailServer(host="mail.example", port=4650, ssl=True)),
        ("smtp://127.0.0.1:1025", MailServer(host="127.0.0.1", port=1025)),
    ],
)
def test_smtp_goes_on_under_tls_except_on_this_machine(url, server):
    assert mail_server_from_url(url) == server


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://h:x"])
def test_another_is_refused_without_saying_the_password(url):
    with pytest.raises(ConfigurationError, match=r"^EMAIL_URL cannot be understood\. Set it to"):
        mail_server_from_url(url)

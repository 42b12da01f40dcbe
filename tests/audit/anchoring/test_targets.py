"""``COUNTERSIGN_ANCHOR``: which places it may name, and what is stored of their names."""

import sys
from datetime import timedelta

import pytest

from audit.anchoring.targets import parse
from audit.errors import AnchorError

PROGRAM = sys.executable


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("file:/srv/anchor/notes.txt", "file:/srv/anchor/notes.txt"),
        (f"command:{PROGRAM} --token s3cret", f"command:{PROGRAM}"),
        ("https://me:s3cret@store.example:8443/log?key=s3cret", "https://store.example:8443/log"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/"),
        ("mailto:one@example.com,two@example.com", "mailto:one@example.com,two@example.com"),
        ("mailto:one@example.com?every=day", "mailto:one@example.com"),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x"),
    ],
)
def test_its_stored_name_says_which_place_it_is_without_what_is_secret(text, name):
    assert parse(text, production=False).name == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("notes.txt", "names no place that is known"),
        ("s3://bucket", "names no place that is known"),
        ("file:", "names no place that is known"),
        ("file:notes.txt", "is not absolute"),
        ("command:cat", "no program by an absolute path"),
        ("command:/no/such/program", "no program by an absolute path"),
        ('command:/bin/sh "', "open quotation mark"),
        ("https://", "is no address"),
        ("https://host:port/", "is no address"),
        ("http://store.example/log", "without TLS"),
        ("mailto:nobody", "names no e-mail addresses"),
        ("mailto:a@example.com?every=minute", "names no e-mail addresses"),
        ("mailto:a@example.com?cc=b@example.com", "names no e-mail addresses"),
        ("mailto:" + ",".join(["somebody@example.com"] * 30), "longer than 500 characters"),
    ],
)
def test_what_names_no_place_is_refused_with_the_remedy(text, why):
    with pytest.raises(AnchorError, match=why) as caught:
        parse(text, production=False)
    assert "Set it to" in str(caught.value) or "name" in str(caught.value).lower()


def test_in_production_nothing_goes_without_tls_to_this_machine_either():
    with pytest.raises(AnchorError, match="without TLS"):
        parse("http://127.0.0.1/x", production=True)


def test_e_mail_is_at_most_hourly_or_daily_and_the_rest_is_at_once():
    paces = {
        text: parse(text, production=False).pace
        for text in ("mailto:a@example.com", "mailto:a@example.com?every=day", "file:/a/b")
    }
    assert list(paces.values()) == [timedelta(hours=1), timedelta(days=1), timedelta(0)]

"""The second verifier, in another language: it comes to the same, on the same files."""

import re
import subprocess
from pathlib import Path

import pytest

from audit import verifier
from audit.canonical import canonical_bytes
from audit.signing import tokens
from tests.audit.evidence import conftest
from tests.audit.evidence.forging import (
    DECISIONS,
    GOLDEN,
    LOG,
    STRANGER,
    Forger,
    claims_of,
    jws,
    named,
    thumbprint,
)
from tests.support import node

PROGRAM = Path(__file__).parent / "verify.mjs"
HEADER = {"alg": "EdDSA", "kid": thumbprint(DECISIONS), "typ": tokens.TYPE}


@pytest.fixture(scope="session")
def program():
    """Node; without it this fails and says what to install, for nothing is skipped in silence."""
    try:
        return node.find_or_install()
    except node.NoNodeError as error:
        pytest.fail(str(error))


@pytest.fixture
def check(program, tmp_path):
    """Check a file; returns the exit code and what it said."""

    def _check(data, keys):
        path = tmp_path / "evidence.zip"
        path.write_bytes(data)
        command = [str(program), str(PROGRAM), str(path), *keys]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    return _check


@pytest.mark.embedded
@pytest.mark.parametrize("name", ["changed", "rejected"])
def test_the_golden_files_are_proven(check, name):
    assert check((GOLDEN / f"{name}.zip").read_bytes(), named()) == (0, "proven")


@pytest.mark.embedded
@pytest.mark.parametrize("missing", [DECISIONS, LOG])
def test_without_each_key_they_are_not_confirmed(check, missing):
    keys = [kid for kid in named() if kid != thumbprint(missing)]

    said = f"not confirmed: {thumbprint(missing)}"
    assert check((GOLDEN / "changed.zip").read_bytes(), keys) == (3, said)


@pytest.mark.django_db
def test_a_file_of_the_running_system_is_proven(check, bundle):
    assert check(bundle, conftest.own_keys()) == (0, "proven")


def token():
    return Forger().members["decision.jwt"].decode()


def with_row(change):
    forger = Forger()
    rows = forger.json("rows.json")
    change(rows)
    return forger.put("rows.json", rows).signed()


def with_token(text):
    return Forger().put("decision.jwt", text).signed()


def with_checkpoint(old, new):
    note = Forger().members["checkpoint"].decode()
    assert re.search(old, note)
    return Forger().put("checkpoint", re.sub(old, new, note, count=1)).signed()


FORGED = {
    "a row": lambda: with_row(
        lambda rows: rows[1].update(bytes=rows[1]["bytes"].replace("APPROVE", "REJECT"))
    ),
    "a row less": lambda: with_row(lambda rows: rows.pop(2)),
    "another order": lambda: with_row(lambda rows: rows.reverse()),
    "another leaf": lambda: with_row(lambda rows: rows[0].update(leaf=rows[1]["leaf"])),
    "a leaf that is not there": lambda: with_row(lambda rows: rows[0].update(leaf=10**6)),
    "another salt": lambda: with_row(lambda rows: rows[0].update(salt="00" * 32)),
    "a proof too short": lambda: with_row(lambda rows: rows[0]["proof"].pop()),
    "a proof too long": lambda: with_row(lambda rows: rows[0]["proof"].append("00" * 32)),
    "another proof": lambda: with_row(lambda rows: rows[0]["proof"].reverse()),
    "another key": lambda: with_token(jws(HEADER, canonical_bytes(claims_of(token())), STRANGER)),
    "none": lambda: with_token(jws(HEADER | {"alg": "none"}, canonical_bytes(claims_of(token())))),
    "jwk": lambda: with_token(jws(HEADER | {"jwk": {}}, canonical_bytes(claims_of(token())))),
    "another payload": lambda: with_token(
        jws(HEADER, canonical_bytes(claims_of(token()) | {"payload": {"amount": 1}}))
    ),
    "unused bits": lambda: with_token(token()[:-1] + chr(ord(token()[-1]) + 1)),
    "cut": lambda: with_token(token()[:-1]),
    "another size": lambda: with_checkpoint(r"\n(\d+)\n", r"\n1\1\n"),
    "another root": lambda: with_checkpoint(r"\n(\d+)\n.", r"\n\1\n+"),
    "another line": lambda: with_checkpoint(r"\n\n", "\nmore\n\n"),
    "no manifest of it": lambda: Forger().put("checkpoint", "x").pack(),
    "a manifest by a stranger": lambda: Forger().put("index.html", "x").signed(STRANGER),
}


@pytest.mark.embedded
@pytest.mark.parametrize("what", FORGED)
def test_both_find_it_wrong(check, what):
    data = FORGED[what]()

    code, said = check(data, named())

    assert (code, verifier.verify(data, named()).code) == (1, verifier.WRONG), said


@pytest.mark.embedded
def test_it_rests_on_node_alone():
    imports = re.findall(r'from "([^"]+)"', PROGRAM.read_text())

    assert imports
    assert all(name.startswith("node:") for name in imports)


@pytest.mark.embedded
def test_without_node_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setenv("NODE_BINARY", "no-such-program")
    monkeypatch.setattr(node.os, "geteuid", lambda: 1000)

    with pytest.raises(node.NoNodeError, match="apt-get install nodejs"):
        node.find_or_install()


@pytest.mark.embedded
def test_a_node_that_is_too_old_is_none(monkeypatch, tmp_path):
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v14.21.3\n")
    old.chmod(0o755)
    monkeypatch.setenv("NODE_BINARY", str(old))

    assert node.find() is None

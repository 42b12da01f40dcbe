"""Files that were given out once, checked by today's verifier; and what it may rest on."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from audit import verifier
from tests.audit.evidence.forging import (
    DECISIONS,
    GOLDEN,
    LOG,
    STRANGER,
    Forger,
    golden,
    named,
    thumbprint,
)

pytestmark = pytest.mark.embedded

FILES = ["changed", "rejected"]
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "audit" / "verifier.py"


@pytest.mark.parametrize("name", FILES)
def test_it_is_proven_under_its_keys(name):
    report = verifier.verify(golden(name), named())

    assert (report.findings, report.code) == ([], verifier.PROVEN)
    assert report.issuer == "urn:countersign:golden"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keys", [[], [DECISIONS], [LOG], [DECISIONS, STRANGER]])
def test_without_each_of_its_keys_it_is_not_confirmed(name, keys):
    report = verifier.verify(golden(name), [thumbprint(key) for key in keys])

    assert (report.findings, report.code) == ([], verifier.NOT_CONFIRMED)
    assert set(report.unconfirmed) == set(named()) - {thumbprint(key) for key in keys}


def test_a_file_that_a_stranger_signed_is_not_confirmed():
    forger = Forger()
    keys = forger.json("keys.json")
    keys["keys"].append(keys["keys"][0] | jwk(STRANGER) | {"signs": "decision"})
    keys["keys"].sort(key=lambda key: key["kid"])
    report = verifier.verify(forger.put("keys.json", keys).signed(STRANGER), named())

    assert (report.findings, report.code) == ([], verifier.NOT_CONFIRMED)
    assert report.unconfirmed == [thumbprint(STRANGER)]


def test_a_key_that_was_revoked_confirms_nothing():
    forger = Forger()
    keys = forger.json("keys.json")
    for key in keys["keys"]:
        key["revoked_at"] = "2026-12-01T00:00:00.000000Z"
    report = verifier.verify(forger.put("keys.json", keys).signed(), named())

    assert (report.findings, report.code) == ([], verifier.NOT_CONFIRMED)
    assert report.unconfirmed == sorted(named())


def jwk(name):
    from joserfc.jwk import OKPKey

    from tests.audit.evidence.forging import private_key

    x = OKPKey.import_key(private_key(name)).as_dict(private=False)["x"]
    return {"kid": thumbprint(name), "x": x}


def run(*arguments, cwd="/"):
    """Run the verifier as whoever received the file does: elsewhere, and with nothing of ours."""
    command = [sys.executable, "-I", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def keys(*names):
    return [f"--key={thumbprint(name)}" for name in names]


def test_the_program_says_that_it_is_proven():
    done = run(GOLDEN / "changed.zip", *keys(DECISIONS, LOG))

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Proven under the keys that you named."


def test_the_program_says_which_key_was_not_named():
    done = run(GOLDEN / "changed.zip", *keys(LOG))

    assert done.returncode == 3
    assert f"(decision) by {thumbprint(DECISIONS)}: NOT named by you." in done.stdout
    assert f"(log) by {thumbprint(LOG)}: named by you." in done.stdout


def test_the_program_says_what_is_wrong_and_where(tmp_path):
    forger = Forger()
    page = forger.members["index.html"].decode()
    (tmp_path / "e.zip").write_bytes(forger.put("index.html", page.replace("60", "61")).signed())

    done = run(tmp_path / "e.zip", *keys(DECISIONS, LOG))

    assert done.returncode == 1
    assert "WRONG  index.html: " in done.stdout
    assert "Proven" not in done.stdout


def test_the_program_prints_json(tmp_path):
    import json

    done = run(GOLDEN / "rejected.zip", "--json", *keys(DECISIONS))

    printed = json.loads(done.stdout)
    assert printed["code"] == done.returncode == 3
    assert printed["unconfirmed"] == [thumbprint(LOG)]
    assert printed["findings"] == []


def test_a_file_that_is_not_there_is_code_2(tmp_path):
    done = run(tmp_path / "none.zip")

    assert done.returncode == 2
    assert "cannot be read: No such file or directory." in done.stderr


def test_nothing_out_of_a_file_steers_a_terminal(tmp_path):
    (tmp_path / "e.zip").write_bytes(b"PK\x03\x04\x1b[2J" + bytes(300))

    done = run(tmp_path / "e.zip")

    assert done.returncode == 1
    assert "\x1b" not in done.stdout


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield str(node.module).split(".")[0]


def test_the_verifier_rests_on_the_standard_library_and_one_package():
    assert set(imported(PROGRAM)) <= sys.stdlib_module_names | {"cryptography"}


def test_nothing_of_the_server_rests_on_the_verifier():
    """What both used would be wrong in both."""
    for floor in ("config", "approvals", "executors", "audit"):
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    assert all(name.name != "audit.verifier" for name in node.names), path
                if isinstance(node, ast.ImportFrom):
                    names = {f"{node.module}.{name.name}" for name in node.names}
                    assert "audit.verifier" not in names | {str(node.module)}, path


def test_the_copy_in_a_new_file_is_the_verifier_of_the_tree():
    from audit.evidence import package

    assert package.VERIFIER == PROGRAM


def test_a_thumbprint_that_begins_with_a_dash_is_taken_for_one() -> None:
    joined = verifier._joined(["a.zip", "--key", "-kid", "--key=other", "--json"])

    assert joined == ["a.zip", "--key=-kid", "--key=other", "--json"]

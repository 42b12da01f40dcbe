"""``manage.py evidence``: the file, what it prints, and with which code it ends."""

import pytest
from django.core.management import CommandError, call_command, load_command_class

from audit import verifier
from audit.evidence import package
from tests.audit.evidence.conftest import decided, log_key, own_keys, unseal  # noqa: F401

pytestmark = pytest.mark.django_db


def code_of(*arguments):
    with pytest.raises(CommandError) as error:
        call_command("evidence", *arguments)
    return error.value.returncode, str(error.value)


def test_it_writes_a_file_that_proves_itself(decided, tmp_path, capsys):  # noqa: F811
    path = tmp_path / "evidence.zip"

    call_command("evidence", decided.pk, "-o", str(path))

    assert verifier.main([str(path), *(f"--key={kid}" for kid in own_keys())]) == verifier.PROVEN
    assert capsys.readouterr().out.startswith(f"{path}: {path.stat().st_size} bytes. Check it")


def test_an_earlier_file_is_replaced(decided, tmp_path):  # noqa: F811
    path = tmp_path / "evidence.zip"
    path.write_text("old")

    call_command("evidence", decided.pk, "-o", str(path))

    assert path.read_bytes() == package.make(decided.pk)
    assert list(tmp_path.glob(".evidence*")) == []


def test_what_is_not_sealed_yet_is_code_3_and_no_file(decided, tmp_path):  # noqa: F811
    unseal()

    code, sentence = code_of(decided.pk, "-o", str(tmp_path / "evidence.zip"))

    assert code == 3
    assert "not sealed yet" in sentence
    assert list(tmp_path.glob("*.zip")) == []


def test_an_unknown_id_is_code_2(log_key, tmp_path):  # noqa: F811
    code, sentence = code_of("req_1", "-o", str(tmp_path / "evidence.zip"))

    assert (code, sentence) == (2, "The record tells nothing about 'req_1'.")


def test_a_key_that_cannot_be_read_is_code_1(decided, settings, tmp_path):  # noqa: F811
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "none.pem"

    code, sentence = code_of(decided.pk, "-o", str(tmp_path / "evidence.zip"))

    assert code == 1
    assert "none.pem" in sentence


def test_a_place_that_cannot_be_written_is_code_1(decided, tmp_path):  # noqa: F811
    code, sentence = code_of(decided.pk, "-o", str(tmp_path / "none" / "evidence.zip"))

    assert code == 1
    assert "cannot be written: No such file or directory." in sentence


def test_half_a_file_is_never_left(decided, tmp_path):  # noqa: F811
    (tmp_path / "evidence.zip").mkdir()

    code, _ = code_of(decided.pk, "-o", str(tmp_path / "evidence.zip"))

    assert code == 1
    assert list(tmp_path.glob(".evidence*")) == []


def test_the_help_says_every_code():
    assert load_command_class("audit", "evidence").help.count(";") >= 3

"""The local Stripe as a process: starting, refusing to start, stopping."""

import contextlib
import json
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from executors.stripe.sandbox import command, process, schema
from executors.stripe.sandbox.process import SandboxStartError, running_sandbox
from executors.stripe.sandbox.server import SandboxServer
from executors.stripe.sandbox.store import Store, StoreError

pytestmark = pytest.mark.process


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "stripe.sqlite3"


def test_it_starts_in_less_than_a_second_with_chosen_keys(database: Path) -> None:
    began = time.monotonic()
    with running_sandbox(
        database,
        secret_key="sk_local_chosen123",
        worker_key="rk_local_worker123",
        read_key="rk_local_reader123",
        is_seeded=True,
    ) as sandbox:
        # Two cores shared with other work: the promise is for a quiet machine.
        assert time.monotonic() - began < 5
        assert sandbox.secret_key == "sk_local_chosen123"
        assert sandbox.worker_key == "rk_local_worker123"
        assert sandbox.read_key == "rk_local_reader123"
        with urllib.request.urlopen(f"{sandbox.base_url}/_local/payments") as answer:
            listed = json.load(answer)

    assert listed["account"] == sandbox.account
    assert len(listed["payments"]) == 8


def test_a_second_start_keeps_account_keys_and_payments(database: Path) -> None:
    with running_sandbox(database, is_seeded=True) as first:
        pass
    with (
        running_sandbox(database, is_seeded=True) as second,
        urllib.request.urlopen(f"{second.base_url}/_local/payments") as answer,
    ):
        assert len(json.load(answer)["payments"]) == 8

    assert (second.account, second.secret_key) == (first.account, first.secret_key)
    assert (second.worker_key, second.read_key) == (first.worker_key, first.read_key)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(database: Path, number: signal.Signals) -> None:
    with running_sandbox(database) as sandbox:
        sandbox.process.send_signal(number)

        assert sandbox.process.wait(10) == 0


def test_it_ends_when_whoever_started_it_is_gone(database: Path) -> None:
    with running_sandbox(database) as sandbox:
        assert sandbox.process.stdin
        # A killed process loses its end of the pipe in the same way.
        sandbox.process.stdin.close()

        assert sandbox.process.wait(10) == 0


def test_a_process_that_does_not_listen_is_killed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS", 0.1)
    with running_sandbox(database) as sandbox:
        sandbox.process.send_signal(signal.SIGSTOP)

        assert sandbox.stop() == -signal.SIGKILL


def test_requests_are_logged_without_keys(database: Path) -> None:
    with tempfile.TemporaryFile() as log:
        with running_sandbox(database, log=log) as sandbox:
            urllib.request.urlopen(sandbox.base_url).close()
        log.seek(0)
        text = log.read().decode()

    assert '"GET / HTTP/1.1" 200' in text
    assert sandbox.secret_key not in text


def test_only_its_owner_reads_the_database(database: Path) -> None:
    with running_sandbox(database):
        assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_a_port_in_use_is_a_sentence(database: Path, tmp_path: Path) -> None:
    with running_sandbox(database) as sandbox:
        port = urlsplit(sandbox.base_url).port
        assert port
        with (
            pytest.raises(SandboxStartError, match=rf"127\.0\.0\.1:{port} cannot be used"),
            running_sandbox(tmp_path / "other.sqlite3", port=port),
        ):
            pass


def test_a_database_in_use_is_a_sentence(database: Path) -> None:
    with (
        running_sandbox(database),
        pytest.raises(SandboxStartError, match="in use by another local Stripe"),
        running_sandbox(database),
    ):
        pass


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "executors.stripe.sandbox", *arguments],
        cwd=Path(command.__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_database_that_is_none_is_a_sentence(database: Path) -> None:
    database.write_text("This is a shopping list and no database at all.\n" * 100)

    ended = run("--port", "0", "--database", str(database))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("local Stripe: The file ")
    assert len(ended.stderr.splitlines()) == 1


def test_the_help_names_every_option() -> None:
    ended = run("--help")

    assert ended.returncode == 0
    for option in ("--port", "--database", "--seed-demo", "--secret-key", "--read-key"):
        assert option in ended.stdout


def test_it_imports_nothing_else_of_this_project(database: Path) -> None:
    program = (
        "import sys, executors.stripe.sandbox.command\n"
        "print([n for n in sys.modules if n.split('.')[0] not in sys.stdlib_module_names])"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=Path(command.__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    loaded = set(ended.stdout.strip(" []\n").replace("'", "").split(", "))
    ours = {"__main__", "executors", "executors.stripe"}
    assert {name for name in loaded if not name.startswith("executors.stripe.sandbox")} == ours


def test_a_wrong_key_is_a_sentence(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = command.main(["--port", "0", "--database", str(database), "--secret-key", "sk_live_1"])

    assert code == 2
    assert capsys.readouterr().err == (
        "local Stripe: The secret key must be sk_local_ and at least 8 letters or digits.\n"
    )


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_a_wrong_port_is_refused(
    database: Path, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main([f"--port={port}", "--database", str(database)])

    assert caught.value.code == 2
    assert "--port" in capsys.readouterr().err


def test_a_directory_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: No such file or directory"):
        Store(tmp_path / "nowhere" / "stripe.sqlite3")


def test_another_programs_database_is_left_alone(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE diary (entry TEXT)")
    connection.close()

    with pytest.raises(StoreError, match="belongs to another program"):
        Store(database)


def test_a_database_of_another_version_is_refused(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError, match=r"another version \(99\)"):
        Store(database)


def test_a_refused_database_is_not_held(database: Path) -> None:
    database.write_bytes(b"no database" * 500)
    with pytest.raises(StoreError, match="cannot be used as a database"):
        Store(database)
    database.unlink()

    Store(database).close()


def test_a_transaction_is_alone_from_its_beginning_and_reaches_the_disk(database: Path) -> None:
    store = Store(database)
    with store.writing() as tx, contextlib.closing(sqlite3.connect(database, timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert tx.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    store.close()


def test_a_stop_waits_for_the_answers_under_way(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(command, "_stop_on_signals", stop_while_answering(order))

    assert command.main(["--port", "0", "--database", str(database)]) == 0

    assert order == ["stopped", "answered"]


def stop_while_answering(order: list[str]) -> Callable[[SandboxServer], None]:
    """Stop the server while an answer is under way, which ends only after that."""

    def arrange(server: SandboxServer) -> None:
        def stop() -> None:
            server.shutdown()
            order.append("stopped")
            stopped.set()

        def answer() -> None:
            stopped.wait()
            order.append("answered")
            server.end()

        stopped = threading.Event()
        server.begin()
        for target in (stop, answer):
            threading.Thread(target=target).start()

    return arrange


def test_a_process_that_says_nothing_did_not_start(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START_SECONDS", 0.0)

    with pytest.raises(SandboxStartError, match="did not start"), running_sandbox(database):
        pass

"""The command line of the local Stripe."""

import argparse
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from executors.stripe.sandbox import keys, seed
from executors.stripe.sandbox.application import Application
from executors.stripe.sandbox.clock import MovableClock, wall_clock
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.keys import KeyShapeError
from executors.stripe.sandbox.server import HOST, SandboxServer
from executors.stripe.sandbox.store import Store, StoreError

_DESCRIPTION = """\
A stand-in for Stripe's API on 127.0.0.1, for demonstrations and tests. No money moves.
When it is ready it prints one line of JSON: base_url, account, secret_key, worker_key, read_key,
webhook_secret."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return 0, or 2 with a sentence when it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        store = Store(options.database)
    except StoreError as error:
        return _fail(str(error))
    try:
        return _serve(options, store)
    except KeyShapeError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"The address {HOST}:{options.port} cannot be used: {error.strerror}.")
    finally:
        store.close()


def _serve(options: argparse.Namespace, store: Store) -> int:
    chosen = {role: getattr(options, f"{role}_key") for role in keys.ROLES}
    with store.writing() as tx:
        account = _setting(tx, "account", new_id("acct_local_"))
        made = _setting(tx, "webhook_secret", new_id("whsec_local_"))
        secrets = keys.install(tx, chosen)
        if options.seed_demo:
            seed.seed_once(tx, account=account, now=wall_clock())
    application = Application(store=store, account=account, clock=MovableClock())
    webhook_secret = options.webhook_secret or made
    try:
        application.webhooks.configure(url=options.webhook_url, secret=webhook_secret)
    except ValueError as error:
        return _fail(str(error))
    with SandboxServer(options.port, application, is_verbose=options.verbose) as server:
        _stop_on_signals(server)
        if options.stop_with_parent:
            _stop_with_parent(server)
        facts = {
            "base_url": f"http://{HOST}:{server.server_port}",
            "account": account,
            **{f"{role}_key": secret for role, secret in secrets.items()},
            "webhook_secret": webhook_secret,
        }
        print(json.dumps(facts), flush=True)
        server.serve_forever(poll_interval=0.1)
        server.drain()
    return 0


def _setting(tx: sqlite3.Connection, name: str, made: str) -> str:
    """Return a setting as it was made at the first start: the account's id, for instance."""
    tx.execute("INSERT OR IGNORE INTO settings (name, value) VALUES (?, ?)", (name, made))
    row = tx.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return str(row["value"])


def _stop_on_signals(server: SandboxServer) -> None:
    def stop(_number: int, _frame: object) -> None:
        # ``shutdown`` waits for ``serve_forever``, which runs in the thread that got the signal.
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _stop_with_parent(server: SandboxServer) -> None:
    """Stop when standard input ends, as it does when whoever started this process is killed."""

    def wait() -> None:
        # Unbuffered: at exit the interpreter aborts over a buffer that a thread still holds.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        server.shutdown()

    threading.Thread(target=wait, daemon=True).start()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m executors.stripe.sandbox",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, default=12111, help="0 takes a free one")
    parser.add_argument("--database", type=Path, required=True, help="an SQLite file, made if new")
    parser.add_argument("--seed-demo", action="store_true", help="make demo payments, once")
    for role, prefix in keys.PREFIXES.items():
        text = f"the {role} key, {prefix}…; without it the stored one, or a new one"
        parser.add_argument(f"--{role}-key", metavar="KEY", help=text)
    parser.add_argument(
        "--webhook-url", metavar="URL", help="deliver events there, on this machine"
    )
    parser.add_argument(
        "--webhook-secret", metavar="WHSEC", help="sign them with it; else with a stored one"
    )
    parser.add_argument(
        "--stop-with-parent", action="store_true", help="stop when standard input ends"
    )
    parser.add_argument("--verbose", action="store_true", help="log each request")
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError(text)
    return number


def _fail(sentence: str) -> int:
    print(f"local Stripe: {sentence}", file=sys.stderr)
    return 2

"""``make run`` from nothing, to its end, and again: the real processes."""

import itertools
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.config.test_processes import eventually

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.process,
    pytest.mark.timeout(240),
]


def get(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.status


def pid_of(demonstration, part):
    """The one process of the demonstration's own whose command has this part."""
    [pid] = [
        pid
        for pid, command in demonstration.children().items()
        if part in command and parent_of(pid) == demonstration.process.pid
    ]
    return pid


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def environment_of(pid):
    text = Path(f"/proc/{pid}/environ").read_text()
    return dict(item.split("=", 1) for item in text.split("\0") if "=" in item)


def test_the_admin_is_served(demonstration):
    assert get(f"{demonstration.facts['base_url']}/admin/login/") == 200


def test_its_facts_are_complete_and_private(demonstration):
    facts = demonstration.facts

    assert set(facts) == {"base_url", "agent_key", "users", "stripe", "payment_intents"}
    assert facts["base_url"] == f"http://localhost:{demonstration.port}"
    assert set(facts["users"]) == {"admin", "reviewer", "second_reviewer", "auditor"}
    assert all(set(user) == {"username", "password"} for user in facts["users"].values())
    assert facts["stripe"]["api_key"].startswith("sk_local_")
    assert all(set(item) == {"id", "amount", "currency"} for item in facts["payment_intents"])
    assert stat.S_IMODE((demonstration.var / "demo.json").stat().st_mode) == 0o600


def test_nobody_else_can_look_into_its_directory(demonstration):
    assert stat.S_IMODE(demonstration.var.stat().st_mode) == 0o700
    for file in demonstration.var.rglob("*"):
        assert stat.S_IMODE(file.lstat().st_mode) & 0o077 == 0, file


def test_the_screen_says_what_to_do_next(demonstration):
    said = demonstration.said

    assert f"{demonstration.facts['base_url']}/admin/" in said
    for user in demonstration.facts["users"].values():
        assert re.search(rf"{user['username']} +{re.escape(user['password'])}", said)
    assert demonstration.facts["agent_key"] in said
    assert str(demonstration.var / "logs") in said


def test_the_curl_of_the_screen_submits_a_refund(demonstration):
    said = demonstration.said
    command = said[said.index("curl") : said.index("Then sign in")].replace("\\\n", " ")

    # The same request without curl, which need not be installed here.
    words = shlex.split(command)
    headers = dict(
        word.split(": ", 1) for before, word in itertools.pairwise(words) if before == "-H"
    )
    body = words[words.index("-d") + 1].encode()
    request = urllib.request.Request(words[2], data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
        assert b'"status":"PENDING"' in answer.read().replace(b": ", b":")


@pytest.mark.parametrize(
    ("part", "role", "has", "lacks"),
    [
        ("gunicorn", "web", "STRIPE_READ_KEY", "STRIPE_API_KEY"),
        ("--queues money", "money", "STRIPE_API_KEY", "STRIPE_READ_KEY"),
        ("manage.py work", "money", "STRIPE_API_KEY", "STRIPE_READ_KEY"),
        ("--queues default", "default", "STRIPE_READ_KEY", "STRIPE_API_KEY"),
    ],
)
def test_each_process_holds_its_own_provider_key_only(demonstration, part, role, has, lacks):
    environment = environment_of(pid_of(demonstration, part))

    assert environment["COUNTERSIGN_ROLE"] == role
    assert environment[has].startswith("rk_local_")
    assert lacks not in environment


@pytest.mark.parametrize(
    "part", ["beat", "manage.py seal", "executors.stripe.sandbox", "valkey.sock"]
)
def test_the_others_hold_none(demonstration, part):
    pids = [pid for pid, command in demonstration.children().items() if part in command]

    assert pids
    for pid in pids:
        assert not [
            name for name in environment_of(pid) if name.startswith("STRIPE_") and "KEY" in name
        ]


def test_the_local_stripe_announces_to_the_web_process(demonstration):
    stripe = demonstration.facts["stripe"]
    refundable = min(demonstration.facts["payment_intents"], key=lambda item: item["amount"])
    form = f"payment_intent={refundable['id']}&amount=100".encode()
    headers = {"Authorization": f"Bearer {stripe['api_key']}"}
    request = urllib.request.Request(f"{stripe['base_url']}/v1/refunds", form, headers)
    urllib.request.urlopen(request, timeout=20).close()

    def delivered():
        with urllib.request.urlopen(f"{stripe['base_url']}/_local/webhooks", timeout=20) as told:
            return {d["type"]: d["answer"] for d in json.load(told)["deliveries"]}

    eventually(lambda: delivered() == {"refund.created": 200, "charge.refunded": 200})


def test_manage_works_beside_it(demonstration):
    script = (
        "from django.conf import settings as s; from approvals.models import User;"
        "print(s.COUNTERSIGN_ENV, s.PORT, User.objects.count(), bool(s.STRIPE_API_KEY))"
    )

    result = demonstration.manage("shell", "-v", "0", "-c", script, PORT="")

    assert result.stdout.split() == ["demo", str(demonstration.port), "4", "False"]


def test_a_second_one_says_that_the_first_runs(demonstration):
    result = demonstration.run_demo()

    assert result.returncode == 1
    assert "is already running" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_a_sentence_with_another(demonstration, tmp_path):
    result = demonstration.run_demo(COUNTERSIGN_VAR_DIR=str(tmp_path / "var"))

    assert result.returncode == 1
    assert f"Port {demonstration.port} cannot be used" in result.stderr
    assert f"make run PORT={demonstration.port + 1}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "part"), [("worker-default", "--queues default"), ("loop-money", "manage.py work")]
)
def test_a_killed_worker_comes_back(demonstration, name, part):
    first = pid_of(demonstration, part)

    os.kill(first, signal.SIGKILL)

    eventually(lambda: f"'{name}' ended (code -9)" in demonstration.said)
    eventually(
        lambda: [
            1
            for pid, command in demonstration.children().items()
            if part in command and pid != first
        ]
    )


def test_ctrl_c_leaves_no_process_and_the_next_run_keeps_the_data(demonstration):
    before = demonstration.facts
    demonstration.end(signal.SIGINT)

    assert demonstration.process.returncode == 0
    assert demonstration.children() == {}
    assert demonstration.said.endswith("Stopped. The data is kept; `make run` goes on with it.\n")
    assert not (demonstration.var / "demo.running.env").exists()

    demonstration.start()
    after = demonstration.facts
    assert (after["users"], after["agent_key"]) == (before["users"], before["agent_key"])
    assert after["payment_intents"] == before["payment_intents"]


def test_being_killed_leaves_no_process_and_the_next_run_tidies_up(demonstration):
    left = Path(demonstration.socket).parent
    demonstration.end(signal.SIGKILL)

    eventually(lambda: demonstration.children() == {}, 60)
    demonstration.start()

    assert not left.exists()
    assert Path(demonstration.socket).exists()


def test_make_without_a_python_says_what_to_install():
    result = subprocess.run(["make", "run", "PYTHON="], capture_output=True, text=True, check=False)

    assert result.returncode != 0
    assert "Python 3.11 is needed" in result.stdout

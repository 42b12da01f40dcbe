"""A verification whose result is kept: daily, with an alarm when there is a reason for one."""

import hashlib
import logging
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.urls import reverse

from approvals.models import Agent
from audit import clock, tasks
from audit.log.verification import run, services
from audit.log.verification.findings import Tally
from audit.models import VerificationRun
from tests.audit.log.verification.conftest import sql

pytestmark = pytest.mark.django_db

TABLE = "approvals_historicalagent"


@pytest.fixture
def alarms(caplog):
    """The lines of the alarms that were raised."""
    return lambda: [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]


def tamper() -> str:
    row = Agent.history.order_by("pk")[1]
    sql(f"UPDATE {TABLE} SET actor = 'user:9 mallory' WHERE history_id = %s", row.pk)
    return f"columns {TABLE}:{row.pk} Its columns and its bytes differ: actor."


def verify() -> VerificationRun:
    list(services.verify_and_keep(Tally()))
    return VerificationRun.objects.latest("started_at")


def test_a_good_record_is_kept_as_good_without_an_alarm(sealed, alarms):
    kept = verify()

    assert (kept.result, kept.findings, kept.problem, kept.lines) == ("No findings", 0, "", "")
    assert kept.findings_sha256 == hashlib.sha256(b"").hexdigest()
    assert kept.leaves == kept.size == kept.counts["rows"] > 3
    assert kept.started_at <= kept.ended_at
    assert services.last_run() == kept
    assert alarms() == []


def test_findings_are_kept_and_are_an_alarm(sealed, alarms, monkeypatch):
    monkeypatch.setattr(services, "MOST_LINES", 1)
    line = tamper()
    sql("UPDATE audit_leaf SET entry = 'x' WHERE number = 0")

    kept = verify()

    assert (kept.result, kept.findings) == ("Findings", kept.counts["findings"])
    assert kept.findings > 2
    told = [finding.text for finding in run.verify(Tally())]
    assert kept.lines == told[0] and line in told
    everything = "".join(f"{one}\n" for one in told).encode()
    assert kept.findings_sha256 == hashlib.sha256(everything).hexdigest()
    assert alarms() == [
        f"alarm=record_findings subject=record The record has {kept.findings} findings, "
        f"the first of which is: {told[0]}"
    ]


def test_one_that_does_not_come_to_its_end_is_kept_as_such(sealed, alarms, monkeypatch):
    tamper()

    def fail(*_):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(run.tree, "check_tree", fail)

    with pytest.raises(ZeroDivisionError):
        verify()

    kept = services.last_run()
    assert (kept.result, kept.problem) == ("Not verified", "ZeroDivisionError: a fault of ours")
    assert kept.findings == 1, "what was found until then"
    assert [line.split()[0] for line in alarms()] == [
        "alarm=record_not_verified",
        "alarm=record_findings",
    ]


def test_the_task_verifies_once_a_day(sealed, later):
    def runs() -> int:
        tasks.verify_record()
        return VerificationRun.objects.count()

    assert runs() == runs() == 1
    later(hours=23, minutes=59)
    assert runs() == 1
    later(minutes=2)
    assert runs() == 2


def test_one_under_way_is_not_doubled_and_a_dead_one_is_not_waited_for(sealed, later):
    VerificationRun.objects.create(started_at=clock.now())

    assert not services.verify_if_due()
    assert services.last_run() is None
    later(hours=6)
    assert services.verify_if_due()
    assert [one.result for one in VerificationRun.objects.order_by("pk")] == [
        "Not ended",
        "No findings",
    ]


def test_beat_looks_often_enough_for_once_a_day():
    looks = [
        entry
        for entry in django_settings.CELERY_BEAT_SCHEDULE.values()
        if entry["task"] == tasks.verify_record.name
    ]

    assert len(looks) == 1
    assert timedelta(seconds=looks[0]["schedule"]) <= services.EVERY / 24


def test_the_command_keeps_the_result_when_it_is_told_to(sealed, capsys):
    call_command("verify_record")
    assert not VerificationRun.objects.exists()

    line = tamper()
    with pytest.raises(SystemExit):
        call_command("verify_record", "--keep")

    assert line in capsys.readouterr().out
    assert services.last_run().findings == 1


def test_nothing_that_is_kept_steers_a_terminal(sealed):
    sql('UPDATE audit_leaf SET "table" = %s WHERE number = 0', "\x1b[2J")

    assert "U+001B[2J" in verify().lines


def test_the_overview_says_what_the_last_one_found(sealed, client, auditor, outsider):
    client.force_login(auditor)

    def counts() -> list[tuple[str, int]]:
        page = client.get("/admin/")
        for count in page.context["counts"]:
            assert client.get(count["link"]).status_code == 200
        return [
            (count["text"], count["number"])
            for count in page.context["counts"]
            if "in the record" in count["text"] or "the record was" in count["text"]
        ]

    assert counts() == [("findings in the record: it was not verified yet", 0)]

    tamper()
    verify()
    [(text, number)] = counts()
    assert text.startswith("findings in the record, verified ") and number == 1
    assert "Findings" in client.get(reverse("admin:audit_verificationrun_changelist")).text

    VerificationRun.objects.update(problem="x")
    [(text, _)] = counts()
    assert "not verified to the end" in text

    client.force_login(outsider)
    assert not client.get("/admin/").context["counts"]

"""Each current row is what its newest history row says."""

import pytest
from django.contrib.auth.models import Group

from approvals.models import Agent
from approvals.models.people import REVIEWERS
from audit import clock
from audit.log import services
from audit.log.verification import current, pages
from audit.log.verification.findings import Tally
from tests.audit.log.verification.conftest import found, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_row(log_key, pending_request, approve):
    """A decided request: everything was written by the services."""
    approve(pending_request)
    services.seal()
    pending_request.refresh_from_db()
    return pending_request


def line(row, what: str) -> str:
    return f"current {row._meta.db_table}:{row.pk} {what}"


def differs(row, *names: str) -> str:
    return line(row, f"It is not what its newest history row says: {', '.join(names)}.")


def test_what_the_services_write_has_no_findings(request_row, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)

    assert found() == []


def test_a_changed_status_is_named(request_row):
    sql(f"UPDATE {request_row._meta.db_table} SET reason = 'x' WHERE id = %s", request_row.pk)

    assert found() == [differs(request_row, "reason")]


def test_a_row_without_history_is_named(sealed, agent):
    agent.pk, agent.name = "agt_x", "x"
    Agent.objects.bulk_create([agent])

    assert line(Agent(pk="agt_x"), "It has no history.") in found()


def test_a_row_that_is_gone_is_named(sealed, agent):
    sql("DELETE FROM approvals_agent WHERE id = %s", agent.pk)

    assert found() == [line(agent, "It is gone, and its history does not say so.")]


def test_a_row_that_was_deleted_as_its_history_says_is_no_finding(sealed):
    Group.objects.create(name="temps").delete()
    services.seal()

    assert found() == []


def test_a_row_that_came_back_is_named(sealed):
    group = Group.objects.create(name="temps")
    key = group.pk
    group.delete()
    services.seal()
    Group.objects.bulk_create([Group(pk=key, name="temps")])

    assert found() == [line(Group(pk=key), "Its history says that it was deleted.")]


def test_who_was_put_into_a_group_past_everything_is_named(sealed, outsider):
    services.seal()
    group = Group.objects.get(name=REVIEWERS)
    table = outsider.groups.through._meta.db_table
    sql(f"INSERT INTO {table} (user_id, group_id) VALUES (%s, %s)", outsider.pk, group.pk)

    assert found() == [differs(outsider, "groups")]


def test_a_group_that_was_given_a_permission_past_everything_is_named(sealed):
    group = Group.objects.get(name="Auditors")
    table = group.permissions.through._meta.db_table
    sql(
        f"INSERT INTO {table} (group_id, permission_id) SELECT %s, id FROM auth_permission "
        "WHERE codename = 'decide_approvalrequest'",
        group.pk,
    )

    assert found() == [differs(group, "permissions")]


def test_bytes_that_cannot_be_read_are_no_membership(sealed, reviewer):
    services.seal()
    newest = reviewer.history.latest("pk")
    table = newest._meta.db_table
    sql(f"UPDATE {table} SET canonical = 'x' WHERE history_id = %s", newest.pk)

    assert differs(reviewer, "groups", "user_permissions") in found()


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("column", "value"), [("created_at", "2026-13-45 00:00:00"), ("name", b"\xff")]
)
def test_a_value_that_only_sqlite_takes_is_named(sealed, agent, column, value):
    sql(f"UPDATE approvals_agent SET {column} = %s WHERE id = %s", value, agent.pk)

    assert [one.split(" ")[:2] for one in found()] == [["current", f"approvals_agent:{agent.pk}"]]


def test_a_change_between_the_two_readings_is_no_finding(sealed, agent, monkeypatch):
    """A service changes the row between two queries, at each place where that can be."""
    read, moments = current._newest_of, iter(["before", "after", "before"])

    def read_beside(model, keys):
        moment = next(moments, None)
        if moment == "before":
            rename(agent)
        newest = read(model, keys)
        if moment == "after":
            rename(agent)
        return newest

    monkeypatch.setattr(current, "_newest_of", read_beside)

    assert list(current.check_current(Agent.history.model, Tally())) == []
    assert next(moments, None) is None


def test_a_row_that_never_stands_still_is_left_to_the_next_run(sealed, agent, monkeypatch):
    read = current._newest_of

    def read_early(model, keys):
        newest = read(model, keys)
        rename(agent)
        return newest

    monkeypatch.setattr(current, "_newest_of", read_early)
    written = agent.history.count()

    assert list(current.check_one(agent.history.model, agent.pk)) == []
    assert agent.history.count() == written + 1 + current._LOOKS


def test_a_row_that_is_deleted_meanwhile_is_no_finding(sealed, monkeypatch):
    group = Group.objects.create(name="temps")
    model = group.history.model
    monkeypatch.setattr(current, "_newest_of", lambda model, keys: {})
    group.delete()

    assert list(current.check_one(model, group.pk)) == []


def rename(agent) -> None:
    from audit import actors, history
    from audit.history import Fact

    agent.description += "x"
    history.record(agent, Fact(actor=actors.system("t"), event="agent:update", at=clock.now()))

"""History: every change says who, what and why, in its own transaction, in bytes that stay."""

import json

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction

from approvals.models import Agent, User
from approvals.models.people import AUDITORS, REVIEWERS, acting_as
from audit import actors, clock, history
from audit.canonical import canonical_text
from audit.errors import ConflictError, UnattributedChangeError
from audit.history import Fact
from audit.models import Subject
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def fact(event: str = "agent:update") -> Fact:
    return Fact(actor=actors.system("test"), event=event, at=clock.now(), reason="because")


def test_a_row_keeps_its_own_bytes_salt_and_authentication(agent):
    row = agent.history.get()
    content = json.loads(row.canonical)

    assert row.canonical == canonical_text(history.canonical_form(row))
    assert row.hmac == history.authenticate(row.canonical, row.salt)
    assert content["fields"]["name"] == agent.name
    assert (content["actor"], content["event"]) == (row.actor, row.event)
    assert "history_user" not in row.canonical


def test_a_row_read_back_has_the_same_bytes(agent):
    row = Agent.history.get(pk=agent.history.get().pk)

    assert row.canonical == canonical_text(history.canonical_form(row))


def test_two_rows_of_equal_content_have_two_salts(agent):
    with transaction.atomic():
        history.record(agent, fact())
        history.record(agent, fact())

    assert len(set(agent.history.values_list("salt", flat=True))) == 3


def test_facts_of_one_subject_are_numbered_without_gaps_over_tables(agent, agent_key):
    numbers = [agent.history.get().number, agent_key.key.history.get().number]

    assert numbers == [1, 2]
    assert Subject.objects.get(pk=agent.pk).last_number == 2


def test_a_save_that_says_not_who_is_refused(agent):
    agent.description = "changed behind the record's back"

    with pytest.raises(UnattributedChangeError), transaction.atomic():
        agent.save()

    agent.refresh_from_db()
    assert agent.description == ""


def test_a_new_row_and_a_saved_one_are_told_apart(agent):
    with transaction.atomic():
        history.record(agent, fact())

    assert list(agent.history.order_by("number").values_list("history_type", flat=True)) == [
        "+",
        "~",
    ]


def test_a_row_whose_memberships_only_its_own_save_records_is_refused(outsider):
    with pytest.raises(TypeError, match="many-to-many"), transaction.atomic():
        history.record(outsider, fact())


@pytest.mark.django_db(transaction=True)
def test_a_change_and_its_history_need_one_transaction(agent):
    with pytest.raises(UnattributedChangeError):
        history.record(agent, fact())
    with pytest.raises(UnattributedChangeError):
        history.record_many([agent], fact())


def test_a_failing_change_leaves_no_history(agent):
    with pytest.raises(IntegrityError), transaction.atomic():
        history.transition(
            agent, fact(), guard={"status": "ACTIVE"}, changes={"status": "SUSPENDED"}
        )

    assert agent.history.count() == 1
    assert Subject.objects.get(pk=agent.pk).last_number == 1


def test_a_guard_that_no_longer_holds_changes_nothing(agent):
    with pytest.raises(ConflictError), transaction.atomic():
        history.transition(
            agent, fact(), guard={"status": "SUSPENDED"}, changes={"description": "x"}
        )

    agent.refresh_from_db()
    assert (agent.description, agent.history.count()) == ("", 1)


@pytest.mark.parametrize("column", ["actor", "event", "subject"])
def test_the_database_itself_refuses_an_empty_author_event_or_subject(agent, column):
    row = agent.history.get()
    setattr(row, column, "")
    row.pk, row.number = None, 99

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_itself_refuses_a_number_twice(agent):
    row = agent.history.get()
    row.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_an_actor_has_a_kind_and_a_name():
    with pytest.raises(ValueError, match="needs"):
        actors.Actor(kind="person", name="")


def test_a_new_account_and_its_groups_are_in_the_record():
    user = make_person("somebody", REVIEWERS)

    rows = list(user.history.order_by("number"))
    assert [row.event for row in rows] == ["user:create", "user:groups"]
    assert {row.actor for row in rows} == {"system:seed"}
    assert json.loads(rows[1].canonical)["fields"]["groups"] == [REVIEWERS]


@pytest.mark.parametrize(
    ("change", "event"),
    [
        (lambda user: user.set_password("another long password"), "user:password"),
        (lambda user: setattr(user, "is_active", False), "user:deactivate"),
        (lambda user: setattr(user, "first_name", "Ann"), "user:update"),
    ],
)
def test_each_change_of_an_account_has_its_event(outsider, change, event):
    with acting_as(actors.system("test")):
        change(outsider)
        outsider.save()

    row = outsider.history.first()
    assert (row.event, row.actor) == (event, "system:test")


def test_no_password_hash_reaches_the_record(outsider):
    outsider.set_password("another long password")
    outsider.save()

    assert outsider.password not in json.dumps(list(User.history.values()), default=str)


def test_a_hash_renewed_at_login_is_no_change_of_the_password(outsider, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    assert outsider.check_password("correct horse battery staple")

    assert outsider.password.startswith("pbkdf2")
    assert outsider.history.first().event == "user:rehash"


def test_a_login_is_stamped_without_a_row(client, outsider):
    client.force_login(outsider)

    outsider.refresh_from_db()
    assert outsider.last_login is not None
    assert outsider.history.count() == 1


def test_the_groups_exist_after_migration_with_their_own_history():
    for name in (REVIEWERS, AUDITORS):
        group = Group.objects.get(name=name)
        events = list(group.history.order_by("number").values_list("event", flat=True))
        assert events == ["group:create", "group:update"]


def test_auditors_may_view_everything_and_nothing_else():
    codenames = Group.objects.get(name=AUDITORS).permissions.values_list("codename", flat=True)

    assert codenames
    assert all(codename.startswith("view_") for codename in codenames)


def test_the_history_of_a_group_tells_its_permissions():
    group = Group.objects.get(name=REVIEWERS)

    content = json.loads(group.history.first().canonical)

    assert "decide_approvalrequest" in content["fields"]["permissions"]


def test_a_deleted_group_stays_in_the_record():
    group = Group.objects.create(name="Short-lived")
    number = group.pk
    group.delete()

    last = Group.history.filter(subject=f"group:{number}").first()
    assert (last.event, last.history_type) == ("group:delete", "-")


def test_the_clock_is_the_databases_and_moves_within_a_transaction():
    first = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert first.tzinfo is not None
    assert clock.now() >= first

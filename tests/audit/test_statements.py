"""SQL that is written once does what Django's own, written each time, does."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from approvals.models import Agent, AgentKey, ApprovalRequest, PayloadVersion
from audit import statements
from audit.statements import Query, insert

pytestmark = pytest.mark.django_db

FLOORS = ("approvals", "executors", "audit")
OURS = sorted(
    (model for app in FLOORS for model in apps.get_app_config(app).get_models()),
    key=lambda model: model.__name__,
)


def key_query() -> Query[AgentKey]:
    return Query(lambda key: AgentKey.objects.select_related("agent", "use").filter(pk=key))


def version(request: ApprovalRequest, **others: Any) -> PayloadVersion:
    content = {
        "request": request,
        "number": 2,
        "payload": {"amount": 1, "words": ["“%s”", None]},
        "sha256": "0" * 64,
        "made_by": "person:reviewer",
        "made_at": request.submitted_at,
    }
    return PayloadVersion(**(content | others))


def columns(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_an_insert_names_every_column_but_the_one_that_the_database_fills(model):
    sql, fields = statements._insertion(model)

    missing = {*model._meta.concrete_fields} - {*fields}
    assert missing <= {model._meta.auto_field}
    assert all(connection.ops.quote_name(field.column) in sql for field in fields)


def test_an_inserted_row_is_the_row_that_django_would_have_saved(pending_request):
    saved, inserted = version(pending_request), version(pending_request, number=3)
    saved.save()
    insert(inserted)

    one, other = (
        PayloadVersion.objects.get(request=pending_request, number=number) for number in (2, 3)
    )
    differing = {name for name, value in columns(one).items() if value != columns(other)[name]}
    assert differing == {"id", "number"}
    assert (inserted._state.adding, inserted._state.db) == (False, "default")


def test_a_constraint_refuses_an_inserted_row_too(pending_request):
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(version(pending_request, number=1))


def test_a_query_reads_what_django_reads(agent_key, django_assert_num_queries):
    expected = AgentKey.objects.get(pk=agent_key.key.pk)
    agent = expected.agent

    with django_assert_num_queries(1):
        found = key_query().get(key=expected.pk)
        assert found is not None
        assert columns(found) == columns(expected)
        assert columns(found.agent) == columns(agent)
        assert not hasattr(found, "use")


def test_a_query_may_leave_out_columns_and_add_others(agent_key):
    keys = AgentKey.objects.filter(revoked_at=None).defer("owner_id")
    found = Query(lambda key: keys.filter(pk=key).annotate(named=F("agent__name"))).get(
        key=agent_key.key.pk
    )

    assert found is not None
    assert found.get_deferred_fields() == {"owner_id"}
    assert (found.named, found.owner_id) == ("billing-agent", agent_key.key.owner_id)


def test_a_query_finds_nothing_where_there_is_nothing(agent_key):
    assert key_query().get(key="key_none") is None


def test_a_query_is_written_once_and_asked_for_other_texts(agent, agent_key):
    written = []
    query = Query(lambda key: written.append(key) or Agent.objects.filter(pk=key))

    assert query.get(key=agent.pk) == agent
    assert query.get(key="agt_none") is None
    assert len(written) == 1


def test_texts_are_values_and_never_sql(agent):
    query = Query(lambda key: Agent.objects.filter(pk=key))

    assert query.get(key="' OR ''='") is None


@pytest.mark.parametrize(
    "build",
    [
        lambda key: Agent.objects.all(),
        lambda key: Agent.objects.filter(pk=f"{key}"),
        lambda key: Agent.objects.filter(pk__startswith=key),
    ],
)
def test_a_text_that_is_lost_or_altered_on_the_way_is_refused(agent, build):
    with pytest.raises(TypeError, match="as it is"):
        Query(build).get(key=agent.pk)


@pytest.mark.django_db(transaction=True)
def test_a_query_that_locks_needs_a_transaction_each_time(agent):
    query = Query(lambda key: Agent.objects.filter(pk=key).select_for_update())
    with transaction.atomic():
        assert query.get(key=agent.pk) == agent

    with pytest.raises(TransactionManagementError):
        query.get(key=agent.pk)

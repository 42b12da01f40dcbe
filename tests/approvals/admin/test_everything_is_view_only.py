"""The whole admin, model by model: it shows, and changes nothing."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin

from approvals import services
from approvals.models import User
from audit import actors
from audit.history import Fact, HistoryRow, record
from audit.log.verification import services as verification
from audit.log.verification.findings import Tally
from audit.models import Erasure, VerificationRun
from executors import findings
from executors import services as executions
from executors.enums import FindingKind, HoldScope
from executors.models import Execution, ProviderEvent

pytestmark = pytest.mark.django_db

EDITED = {User, Group}


def shown() -> list[type]:
    return list(admin.site._registry)


def page(model: type, name: str, *args: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{name}", args=args)


@pytest.fixture
def everything(pending_request, approve, agent):
    """At least one row of every model."""
    approve(pending_request)
    execution = Execution.objects.get()
    executions.run(execution_id=execution.pk, worker="test")
    executions.reconcile(execution_id=execution.pk, worker="test")
    findings.report(
        FindingKind.OUTSIDE_THE_GATE,
        reference="re_1",
        message="<b>",
        execution=None,
        at=agent.created_at,
    )
    executions.scan()
    ProviderEvent.objects.create(
        id="evt_1", type="refund.updated", execution=execution, received_at=agent.created_at
    )
    executions.set_hold(
        scope=HoldScope.ACTION,
        value="stripe.refund",
        reason="Test.",
        actor=actors.system("test"),
        at=agent.created_at,
    )
    services.record_refusal(
        key_id=pending_request.agent_key_id, code="x", message="<b>", body_sha256=""
    )
    write_an_erasure(agent.created_at)
    list(verification.verify_and_keep(Tally()))


def write_an_erasure(at):
    """Write down an erasure, with its history row, that took nothing."""
    erasure = Erasure(
        subject="x", target="x", reason="y", erased_by="z", erased_at=at, rows={}, others={}
    )
    fact = Fact(actor=actors.system("test"), event="record:erase", at=at)
    with transaction.atomic():
        record(erasure, fact)


def test_every_model_with_rows_that_matter_is_shown():
    ours = {
        model
        for app in ("approvals", "executors")
        for model in apps.get_app_config(app).get_models()
        if not issubclass(model, HistoryRow)
        and model.__name__ not in ("AgentKeyUse", "SavedFilter")
        and not model._meta.model_name.startswith("historical")
    }

    assert set(shown()) == ours | {Group, VerificationRun, Erasure}


@pytest.mark.parametrize("who", ["admin_user", "reviewer", "auditor"])
def test_everybody_who_may_look_sees_every_list_and_row(request, signed_in, everything, who):
    client = signed_in(request.getfixturevalue(who))
    for model in shown():
        row = model._default_manager.first()
        assert row is not None, model
        assert client.get(page(model, "changelist")).status_code == 200, model
        assert client.get(page(model, "change", row.pk)).status_code == 200, model


def test_an_outsider_sees_nothing(signed_in, outsider, everything):
    client = signed_in(outsider)
    for model in shown():
        row = model._default_manager.first()
        assert client.get(page(model, "changelist")).status_code == 403, model
        assert client.get(page(model, "change", row.pk)).status_code == 403, model


@pytest.mark.parametrize("who", ["admin_user", "reviewer", "auditor"])
def test_nobody_adds_changes_or_deletes(request, signed_in, everything, who):
    client = signed_in(request.getfixturevalue(who))
    for model in set(shown()) - EDITED:
        row = model._default_manager.first()
        before = list(model._default_manager.order_by("pk").values())
        answers = [
            client.get(page(model, "add")),
            client.post(page(model, "add"), {"status": "APPROVED"}),
            client.post(page(model, "change", row.pk), {"status": "APPROVED", "_save": "1"}),
            client.get(page(model, "delete", row.pk)),
            client.post(page(model, "delete", row.pk), {"post": "yes"}),
            client.post(
                page(model, "changelist"),
                {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
            ),
        ]

        assert {answer.status_code for answer in answers} <= {403, 405}, model
        assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.parametrize("who", ["admin_user", "reviewer", "auditor"])
def test_what_is_written_once_has_no_history_page(request, signed_in, everything, who):
    client = signed_in(request.getfixturevalue(who))
    for model, shown_by in admin.site._registry.items():
        if not isinstance(shown_by, SimpleHistoryAdmin):
            address = page(model, "history", model._default_manager.first().pk)
            assert client.get(address).status_code == 404, model
            assert client.post(address, {}).status_code == 404, model


def test_no_list_has_bulk_actions_or_editable_columns(signed_in, admin_user, everything):
    client = signed_in(admin_user)
    for model in shown():
        listing = client.get(page(model, "changelist"))
        assert not listing.context["action_form"], model
        assert not admin.site._registry[model].list_editable, model


def test_secrets_are_on_no_page(signed_in, admin_user, everything, agent_key):
    row = agent_key.key

    detail = signed_in(admin_user).get(page(type(row), "change", row.pk)).content.decode()

    assert row.secret_hash not in detail
    assert agent_key.secret not in detail


@pytest.mark.parametrize("who", ["reviewer", "auditor"])
def test_only_an_administrator_changes_accounts(request, signed_in, reviewer, who):
    client = signed_in(request.getfixturevalue(who))

    answer = client.post(page(User, "change", reviewer.pk), {"is_superuser": "on", "_save": "1"})

    reviewer.refresh_from_db()
    assert answer.status_code == 403
    assert not reviewer.is_superuser

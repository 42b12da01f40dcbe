"""An erasure takes personal data and nothing else, and the record stays whole."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from approvals.models import (
    ApprovalRequest,
    Decision,
    FactsSnapshot,
    PayloadVersion,
    Refusal,
    Review,
    SavedFilter,
    User,
)
from approvals.services import refusals
from audit import actors, clock
from audit.erasure import services
from audit.erasure.services import ErasureError
from audit.guards import triggers
from audit.log import services as sealer
from audit.models import Checkpoint, Erasure, Leaf
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Intent
from tests.audit.erasure.conftest import PERSONAL, verified

pytestmark = pytest.mark.django_db


def everything_stored() -> str:
    """Return every value of every table as one text."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def test_no_table_holds_the_personal_data_afterwards(settled, erase):
    token = Decision.objects.get().token
    before = everything_stored()
    assert all(text in before for text in (*PERSONAL, token))

    erase(settled.pk)

    after = everything_stored()
    assert [text for text in (*PERSONAL, token) if text in after] == []


def test_the_listed_columns_are_null_and_the_digests_are_kept(erased):
    version, decision = PayloadVersion.objects.get(), Decision.objects.get()
    review, execution = Review.objects.get(), Execution.objects.get()

    assert (version.payload, len(version.sha256)) == (None, 64)
    assert (decision.token, decision.reason, len(decision.token_sha256)) == (None, None, 64)
    assert (review.view, review.reason, len(review.viewed_sha256)) == (None, None, 64)
    assert (execution.token, execution.status) == (None, S.SUCCEEDED)
    assert execution.receipt["amount"] == 9500
    assert Intent.objects.get().body is None
    assert FactsSnapshot.objects.get().material is None
    request = ApprovalRequest.objects.get()
    assert (request.reason, request.context, request.metadata, request.trace_id) == (None,) * 4


def test_history_rows_keep_who_what_and_when_without_bytes_salt_and_reason(erased):
    rows = list(ApprovalRequest.history.all())

    assert len(rows) == 2
    for row in rows:
        assert (row.canonical, row.salt, row.history_change_reason) == (None, None, None)
        assert row.actor and row.event and row.history_date and len(row.hmac) == 64


def test_the_record_has_no_findings_and_its_signed_checkpoints_still_hold(settled, erase):
    entries = dict(Leaf.objects.values_list("number", "entry"))
    notes = set(Checkpoint.objects.values_list("note", flat=True))

    erasure = erase(settled.pk)

    found, tally = verified()
    assert found == []
    assert entries.items() <= dict(Leaf.objects.values_list("number", "entry")).items()
    assert notes <= set(Checkpoint.objects.values_list("note", flat=True))
    rows = sum(map(len, erasure.rows.values()))
    assert tally.erased == rows > 5
    [(sentence, count)] = tally.erasures.values()
    assert count == rows
    assert sentence.startswith("Erased by person:admin on 20")
    assert sentence.endswith(": Asked for by the customer.")


def test_the_erasure_is_a_fact_about_the_request_and_a_leaf(settled, erase):
    erasure = erase(settled.pk)

    fact = Erasure.history.get()
    assert (fact.subject, fact.actor, fact.event) == (settled.pk, "person:admin", "record:erase")
    assert Leaf.objects.filter(table="audit_historicalerasure", row=fact.pk).exists()
    assert str(erasure) == f"{settled.pk} by person:admin"


def test_the_guards_are_in_place_again(erased):
    assert triggers.missing(connection) == []
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_historicalreview SET actor = 'x'")


def test_other_requests_are_left_alone(settled, submit, refund_payload, erase):
    other = submit(refund_payload | {"amount": 100}, reason="Something else.")

    erase(settled.pk)

    assert PayloadVersion.objects.get(request=other).payload["amount"] == 100
    assert ApprovalRequest.history.get(id=other.pk).canonical is not None


def test_a_second_erasure_has_nothing_to_do(erased, erase):
    with pytest.raises(ErasureError, match=r"nothing to erase about .*or it was erased already"):
        erase(erased.pk)


def test_what_came_later_is_erased_by_a_second_one(erased, erase, admin_user):
    refusals.record_refused_person(
        request_id=erased.pk, actor=actors.person(admin_user), code="late", message="Jane again."
    )
    sealer.seal()

    erasure = erase(erased.pk)

    assert set(erasure.rows) == {"approvals_historicalrefusal"}
    assert Refusal.objects.get().message is None
    assert verified()[0] == []


def test_one_refused_attempt_is_erased_by_its_number(settled, agent_key, erase):
    kept = refusals.record_refusal(
        key_id=agent_key.key.pk, code="invalid", message="About Jane.", body_sha256=""
    )
    sealer.seal()

    erasure = erase(f"refusal:{kept.pk}")

    assert (erasure.subject, Refusal.objects.get().message) == (agent_key.key.agent_id, None)
    assert ApprovalRequest.objects.get().reason == "Parcel never arrived."
    assert verified()[0] == []


def test_a_deactivated_person_is_erased_but_for_the_name_of_the_account(settled, outsider, erase):
    outsider.email, outsider.last_name = "jane@example.com", "Doe"
    SavedFilter.objects.create(
        owner=outsider, name="Jane", query="customer=jane@example.com", saved_at=clock.now()
    )
    outsider.save()
    sealer.seal()
    with pytest.raises(ErasureError, match="The account is active"):
        erase(f"user:{outsider.pk}")
    outsider.is_active = False
    outsider.save()
    sealer.seal()

    erase(f"user:{outsider.pk}")

    person = User.objects.get(pk=outsider.pk)
    assert (person.email, person.last_name, person.username) == ("", "", "outsider")
    assert SavedFilter.objects.values_list("name", "query").get() == (None, None)
    assert "jane@example.com" not in everything_stored()
    assert verified()[0] == []


@pytest.mark.parametrize("target", ["req_nobody", "refusal:x", "user:", "user:1e3", "", "' OR 1"])
def test_an_unknown_target_is_refused(settled, erase, target):
    with pytest.raises(ErasureError, match="nothing to erase"):
        erase(target)


def test_a_reason_is_needed(settled, admin_user):
    with pytest.raises(ErasureError, match="needs a reason"):
        services.erase(settled.pk, actor=actors.person(admin_user), reason="  ")

"""Approvals that each fit into a payment, and together do not: no more of them win than fit."""

from collections.abc import Callable

import pytest

from approvals.enums import RequestStatus as S
from approvals.errors import InvalidPatchError
from approvals.models import ApprovalRequest, Decision
from tests.races import naive
from tests.races.harness import PATIENCE, ROUNDS, race, strange, winners
from tests.races.ring import REFUSALS, Ring

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_approvals_together_do_not_exceed_a_payment(new_rings: Callable[[], list[Ring]]) -> None:
    for _ in range(ROUNDS):
        rings = new_rings()
        results = race([lambda r=ring, p=n: r.approve(p) for ring in rings for n in (0, 1)])

        assert strange(results, *REFUSALS) == []
        assert len(winners(results)) == 2
        assert any(isinstance(result, InvalidPatchError) for result in results)
        ids = [ring.request.pk for ring in rings]
        assert Decision.objects.filter(request__in=ids).count() == 2
        assert ApprovalRequest.objects.filter(pk__in=ids, status=S.APPROVED).count() == 2


def test_the_naive_approval_exceeds_the_payment(new_rings: Callable[[], list[Ring]]) -> None:
    ids = [ring.request.pk for ring in new_rings()]

    def is_lost() -> bool:
        ApprovalRequest.objects.filter(pk__in=ids).update(status=S.PENDING, decided_at=None)
        approve = naive.approve_what_fits
        return len(winners(race([lambda pk=pk: approve(pk, ids, 12000) for pk in ids * 2]))) > 2

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"

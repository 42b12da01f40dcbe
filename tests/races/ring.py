"""A request in the ring: what its contestants do to it, and what must be true afterwards."""

from typing import Any

from approvals import services, viewing
from approvals.enums import RequestStatus as S
from approvals.errors import ApprovalError
from approvals.models import ApprovalRequest, Decision
from approvals.services import IssuedKey
from audit.errors import ConflictError
from executors.models import Execution
from tests.races.harness import strange, winners

#: How a verb says that somebody else was faster; anything else is a fault.
REFUSALS = (ApprovalError, ConflictError)


class Ring:
    """A pending refund, and what can be done to it."""

    def __init__(self, request: ApprovalRequest, people: list[Any], key: IssuedKey) -> None:
        self.request = request
        self.key = key
        self.digest = viewing.current_view(request).digest
        self.payload = request.payload_versions.get(number=1).payload
        self._people = people

    def approve(self, person: int = 0, patch: dict[str, Any] | None = None) -> S:
        decision = services.approve(patch=patch, **self._vote(person, "Checked."))
        return S(decision.outcome)

    def approve_less(self) -> S:
        return self.approve(1, self.payload | {"amount": 1})

    def reject(self) -> S:
        return S(services.reject(**self._vote(1, "Not ours.")).outcome)

    def withdraw(self) -> S:
        key_id = self.key.key.pk
        return S(services.withdraw(key_id=key_id, request_id=self.request.pk).status)

    def expire(self) -> S:
        if services.expire_due() != 1:
            raise ConflictError("Nothing to expire.")
        return S.EXPIRED

    def _vote(self, person: int, reason: str) -> dict[str, Any]:
        return {
            "request_id": self.request.pk,
            "reviewer_id": self._people[person].pk,
            "reason": reason,
            "digest": self.digest,
        }

    def check(self, results: list[Any]) -> S:
        """Check that one contestant won, that the record says so, and return how."""
        assert strange(results, *REFUSALS) == []
        assert len(winners(results)) == 1
        [won] = winners(results)
        self.request.refresh_from_db()
        assert self.request.status == won
        assert [row.history_type for row in self.request.history.order_by("number")] == ["+", "~"]
        decided = won in (S.APPROVED, S.APPROVED_WITH_MODIFICATIONS, S.REJECTED)
        approved = decided and won != S.REJECTED
        assert Decision.objects.filter(request=self.request).count() == decided
        assert Execution.objects.filter(subject=self.request.pk).count() == approved
        return S(won)

"""An action whose provider is a script: what it answers, and what was sent to it."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from executors.base import Description, Executor, FactLine, Facts, Prepared, Provider, Receipt
from executors.enums import AttemptClass, Reversibility
from executors.errors import ProviderError
from executors.money import Money

HERE = Provider(kind="scripted", account="acct_1", livemode=False)


class ScriptedExecutor(Executor):
    """``test.transfer``: sends to a list, answers from another."""

    name = "test.transfer"
    version = 1
    schema: Mapping[str, Any] = {"type": "object"}
    editable = ("amount",)
    reversibility = Reversibility.REVERSIBLE
    unsettled = ("pending", "requires_action")
    summary = "Move money between two lines of a test."

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.sent: list[tuple[Prepared, str]] = []
        self.found: Any = None
        self.shown: Any = done()
        self.currency: Any = "usd"
        self.account: Any = HERE
        self.not_after = inf
        self.builder_release = "1"
        self.before_sending: Callable[[], None] = lambda: None

    def check(self, payload: Mapping[str, Any]) -> None: ...

    def check_patch(self, original: Mapping[str, Any], patched: Mapping[str, Any]) -> None: ...

    def money(self, payload: Mapping[str, Any]) -> Money | None:
        if "amount" not in payload:
            return None
        return Money(amount_minor=payload["amount"], currency=payload["currency"])

    def describe(self, payload: Mapping[str, Any], facts: Facts | None) -> Description:
        return Description(title=f"Move {self.money(payload)}")

    def facts(self, payload: Mapping[str, Any]) -> Facts:
        currency = _given(self.currency)
        return Facts(provider=HERE, material={"currency": currency})

    def check_facts(self, payload: Mapping[str, Any], facts: Facts) -> None: ...

    def fact_lines(self, facts: Facts) -> Sequence[FactLine]:
        return []

    def share(self, payload: Mapping[str, Any], facts: Facts) -> None:
        return None

    def provider(self) -> Provider:
        account: Provider = _given(self.account)
        return account

    def prepare(self, claims: Mapping[str, Any], token_sha256: str) -> Prepared:
        body = f"amount={claims['payload'].get('amount')}&release={self.builder_release}"
        return Prepared(method="POST", path="/v1/transfers", body=body, api_version="1")

    def covers(self, claims: Mapping[str, Any], token_sha256: str, prepared: Prepared) -> bool:
        return prepared.body.startswith(f"amount={claims['payload'].get('amount')}&")

    def execute(
        self, prepared: Prepared, idempotency_key: str, *, not_after: float = inf
    ) -> Receipt:
        self.before_sending()
        self.not_after = not_after
        self.sent.append((prepared, idempotency_key))
        receipt: Receipt = _given(self.answers.pop(0) if self.answers else done())
        return receipt

    def look_up(self, claims: Mapping[str, Any], token_sha256: str) -> Receipt | None:
        found: Receipt | None = _given(self.found)
        return found

    def read_back(self, reference: str) -> Receipt:
        shown: Receipt = _given(self.shown)
        return shown


def done(**changes: Any) -> Receipt:
    defaults: dict[str, Any] = {
        "reference": "tr_1",
        "provider_status": "succeeded",
        "amount_minor": 9500,
        "currency": "usd",
        "request_id": "req_1",
        "http_status": 200,
    }
    return Receipt(**(defaults | changes))


def failed(attempt_class: AttemptClass, code: str = "some_code", **details: Any) -> ProviderError:
    return ProviderError(
        f"The script says {code}.", attempt_class=attempt_class, code=code, **details
    )


def _given(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer

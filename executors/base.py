"""The contract that every action fulfils.

An executor knows one action of one provider: what its payload looks like, how to say it in words,
which facts a reviewer needs, what exactly is sent, and how to find out afterwards whether it
happened. It knows nothing of requests, reviewers or the database.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Any

from executors.enums import Reversibility
from executors.money import Money


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where an action runs: kind (``stripe``, ``stripe-local``), account and mode."""

    kind: str
    account: str
    livemode: bool

    def as_claim(self) -> dict[str, Any]:
        """Return the ``provider`` claim of the decision token."""
        return {"kind": self.kind, "account": self.account, "livemode": self.livemode}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the provider said about the object of an action, at one moment.

    ``material`` facts go into the decision token and are compared before running; ``display``
    facts only inform the reviewer. Both are JSON without floats.
    """

    provider: Provider
    material: Mapping[str, Any]
    display: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Description:
    """An action in words: a headline with formatted money, a second line, and warnings."""

    title: str
    detail: str = ""
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class FactLine:
    """One line of the facts card: a label and a value as a person reads them."""

    label: str
    value: str
    alarming: bool = False


@dataclass(frozen=True, kw_only=True)
class Share:
    """How much of a payment is gone, asked for and left, in minor units.

    ``of`` is the provider's id of what it is a part of, the same however a payload names it.
    """

    of: str
    total: int
    gone: int
    asked: int
    currency: str

    @property
    def left(self) -> int:
        """What would be left, in minor units; negative when too much is asked for."""
        return self.total - self.gone - self.asked


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What will be sent: a pure function of the token. ``body`` is the encoded form, as text."""

    method: str
    path: str
    body: str
    api_version: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof that the provider acted. ``settled`` is False while its status may still change."""

    reference: str
    provider_status: str
    amount_minor: int
    currency: str
    request_id: str
    http_status: int
    failed: bool = False
    failure_code: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as it is stored and shown to the agent."""
        return {
            "reference": self.reference,
            "provider_status": self.provider_status,
            "amount": self.amount_minor,
            "currency": self.currency,
            "request_id": self.request_id,
        }


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One object of a complete listing: what it is, when it was made, and whose it says it is.

    ``decision`` is what its metadata name; ``whole`` is the object in the provider's own words.
    """

    receipt: Receipt
    created_at: datetime
    decision: str
    whole: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """An event of the provider, reduced to what may be used of it: where to look.

    ``reference`` is the provider's id of the object, ``decision`` what its metadata name; either
    may be empty. What the event says about the object is not kept: the worker reads that itself.
    """

    id: str
    type: str
    reference: str
    decision: str


class Executor(ABC):
    """One action, one version. Registered once at start; holds no state."""

    #: Catalogue name, ``provider.thing``.
    name: str
    #: Other names under which agents may submit it.
    aliases: Sequence[str] = ()
    #: Fixes the map from payload to what is sent. A new map is a new version.
    version: int
    #: JSON Schema 2020-12, closed.
    schema: Mapping[str, Any]
    #: Payload fields that a reviewer may change.
    editable: Sequence[str]
    reversibility: Reversibility
    #: One sentence for the catalogue.
    summary: str
    #: The provider's own statuses of a success that is still on its way.
    unsettled: Sequence[str] = ()
    #: Whether the provider can list everything of this kind, so that what we did not do is found.
    is_listable: bool = False
    #: Limits in seconds, for an action that needs narrower ones than this installation's: how long
    #: a request may wait for its decision (least, most, and when it does not say), and how long
    #: after it the action may be carried out. ``bounds.bounds_of`` says what is in force.
    expires_in_least: int | None = None
    expires_in_most: int | None = None
    expires_in_default: int | None = None
    execute_within: int | None = None

    @abstractmethod
    def check(self, payload: Mapping[str, Any]) -> None:
        """Check what the schema cannot say (currency and amount). Raises ``PayloadError``."""

    @abstractmethod
    def check_patch(self, original: Mapping[str, Any], patched: Mapping[str, Any]) -> None:
        """Check a reviewer's change beyond the editable fields. Raises ``PayloadError``."""

    @abstractmethod
    def money(self, payload: Mapping[str, Any]) -> Money | None:
        """Return what it costs, or None when no money moves."""

    @abstractmethod
    def describe(self, payload: Mapping[str, Any], facts: Facts | None) -> Description:
        """Say in words and formatted money what will happen."""

    @abstractmethod
    def facts(self, payload: Mapping[str, Any]) -> Facts:
        """Read the provider, with the read-only key, for at most three seconds.

        Raises:
            FactsUnavailableError: the provider did not answer; try again later.
            PayloadError: the provider does not know the object that the payload names.
        """

    @abstractmethod
    def check_facts(self, payload: Mapping[str, Any], facts: Facts) -> None:
        """Compare payload and facts (currency, remainder). Raises ``PayloadError``."""

    @abstractmethod
    def fact_lines(self, facts: Facts) -> Sequence[FactLine]:
        """Return the facts as lines for the reviewer, in reading order."""

    @abstractmethod
    def share(self, payload: Mapping[str, Any], facts: Facts) -> Share | None:
        """Return the share of the payment, when the action takes part of something."""

    @abstractmethod
    def provider(self) -> Provider:
        """Return where this process's worker key belongs to. May ask the provider once."""

    @abstractmethod
    def prepare(self, claims: Mapping[str, Any], token_sha256: str) -> Prepared:
        """Return what will be sent for these claims. Pure: no clock, no settings, no network."""

    @abstractmethod
    def covers(self, claims: Mapping[str, Any], token_sha256: str, prepared: Prepared) -> bool:
        """Tell whether these claims authorise what was written down to be sent for them.

        It may come from an earlier release of ``prepare``, so it need not be the same bytes; but
        whatever moves money in it must be what was decided. Pure, like ``prepare``.
        """

    @abstractmethod
    def execute(
        self, prepared: Prepared, idempotency_key: str, *, not_after: float = inf
    ) -> Receipt:
        """Send it once, with the worker key; no retries in here.

        ``not_after`` is a moment of this machine's monotonic clock, in seconds: from then on
        nothing may leave any more, however long this process has stood still meanwhile.

        Raises:
            ProviderError: with the class of what this attempt proved.
        """

    @abstractmethod
    def look_up(self, claims: Mapping[str, Any], token_sha256: str) -> Receipt | None:
        """Read whether it happened: the one object that matches in every respect, or None.

        Raises:
            ProviderError: unreadable, or more than one matches, or one matches only in part.
        """

    @abstractmethod
    def read_back(self, reference: str) -> Receipt:
        """Read again the object that a receipt is about, by the provider's reference.

        Raises:
            ProviderError: unreadable, or not there.
        """

    def listed(self, since: datetime, until: datetime) -> Iterator[Listed]:
        """Yield everything of this kind that was made at the provider then, by whomever.

        From ``since``, and before ``until``. Only called when ``is_listable``.

        Raises:
            ProviderError: a page is unreadable; what came before is no complete listing.
        """
        raise NotImplementedError

    def is_of(self, claims: Mapping[str, Any], token_sha256: str, found: Listed) -> bool:
        """Tell whether an object is in every respect what these claims have carried out."""
        raise NotImplementedError

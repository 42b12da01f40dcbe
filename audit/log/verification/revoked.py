"""What counts of a key that was revoked as compromised: what had left before it was.

Whoever has the key can sign what they like, with any time in it. But nobody could foresee, when a
checkpoint was copied outside, what would be forged later: what lies below such a copy was there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Min

from audit.errors import NoteError, SignatureError
from audit.history import stamp
from audit.log.checkpoints import TreeHead
from audit.log.keys import note_key
from audit.log.verification import heads
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.heads import Trust
from audit.log.verification.pages import Unreadable, pages
from audit.models import Anchored, Checkpoint, Leaf
from audit.signing import keys, tokens
from audit.signing.keys import TrustedKey

_models: list[Any] = []


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How much of what a revoked key signed counts: the first ``size`` leaves."""

    key: TrustedKey
    size: int
    #: In words: which copy says so.
    because: str

    @property
    def revoked_at(self) -> datetime:
        """Return as of when it was revoked."""
        assert self.key.revoked_at is not None
        return self.key.revoked_at

    @property
    def sentence(self) -> str:
        """Return for a person what counts."""
        what = f"The key {self.key.kid} ({self.key.use}) is revoked as of {stamp(self.revoked_at)}"
        return f"{what}; of what it signed the first {self.size} leaves count: {self.because}."


def register(model: Any) -> None:
    """Let the tokens in the history of a model be looked at (column ``token``)."""
    if model not in _models:
        _models.append(model)


def check_revoked(
    trust: Trust, copies: Sequence[TreeHead] | None, tally: Tally
) -> Iterator[Finding]:
    """Check what keys signed that are revoked now; ``tally`` says of each how much counts.

    ``copies`` are checkpoints that were kept outside, and are those that the log begins with. None
    were given: then the database's own word counts about what was copied, and when.
    """
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    revoked = [key for key in trusted.values() if key.revoked_at is not None]
    counted = {key.kid: _count(key, copies) for key in revoked}
    tally.revoked = {kid: one.size for kid, one in counted.items()}
    tally.notes += [one.sentence for one in counted.values()]
    yield from _check_checkpoints(
        trust, [one for one in counted.values() if one.key.use == keys.LOG]
    )
    of_decisions = {kid: one for kid, one in counted.items() if one.key.use == keys.DECISION}
    for model in _models if of_decisions else ():
        yield from _check_tokens(model, of_decisions)


def _count(key: TrustedKey, copies: Sequence[TreeHead] | None) -> Counted:
    """Return what the newest copy covers that was outside before the key was compromised."""
    before = key.revoked_at
    rows = Anchored.objects.filter(copied_at__lt=before, size__in=Checkpoint.objects.values("size"))
    if copies is None:
        last = rows.order_by("-size").first()
        if last is None:
            return Counted(key=key, size=0, because="nothing was copied outside before")
        because = (
            f"the database says that they were at {last.anchor} on {stamp(last.copied_at)}; give "
            "that copy with --since to see it proven"
        )
        return Counted(key=key, size=last.size, because=because)
    sizes = {copy.size for copy in copies}
    size = max((size for size in sizes if _left_before(size, before)), default=0)
    because = "the copy of them was outside before" if size else "no copy was outside before"
    return Counted(key=key, size=size, because=because)


def _left_before(size: int, at: Any) -> bool:
    """Tell whether a copy was outside by then, as its row says; or else signed by then."""
    copied = Anchored.objects.filter(size=size).aggregate(first=Min("copied_at"))["first"]
    if copied is None:
        return Checkpoint.objects.filter(size=size, signed_at__lt=at).exists()
    return bool(copied < at)


def _check_checkpoints(trust: Trust, counted: Sequence[Counted]) -> Iterator[Finding]:
    """Find the checkpoints that only a revoked key signed, and that no copy covers."""
    for one in counted:
        alone = Trust(origin=trust.origin, keys=[note_key(one.key)])
        first, later = 0, 0
        for page in pages(Checkpoint.objects.filter(size__gt=one.size)):
            for checkpoint in page:
                if not _is_by(checkpoint, alone):
                    continue
                first, later = (first, later + 1) if first else (checkpoint.size, 0)
        if first:
            rest = f" So were {later} later ones." if later else ""
            yield heads.finding(
                "revoked",
                first,
                f"It was signed with the key {one.key.kid}, which is revoked, and no copy that was "
                f"outside before covers it.{rest}",
            )


def _is_by(checkpoint: Any, alone: Trust) -> bool:
    try:
        alone.verify(checkpoint.note)
    except (NoteError, TypeError, AttributeError):
        return False
    return True


def _check_tokens(model: Any, counted: dict[str, Counted]) -> Iterator[Finding]:
    """Find the tokens that no copy covers: their row in the history was sealed too late, or not."""
    history = model.history.model
    for page in pages(history._default_manager.all()):
        rows = [row for row in page if not isinstance(row, Unreadable)]
        for row in rows:
            one = counted.get(_kid(row.token))
            if one is not None and not _is_covered(history, row, one.size):
                yield Finding(
                    kind="revoked",
                    table=history._meta.db_table,
                    row=str(row.pk),
                    sentence=f"Its token was signed with the key {one.key.kid}, which is revoked, "
                    "and no copy that was outside before covers it.",
                )


def _is_covered(history: Any, row: Any, size: int) -> bool:
    """Tell whether this token of this subject is in a row whose leaf is below ``size``."""
    key = history.instance_type._meta.pk.attname
    same = history._default_manager.filter(
        **{key: getattr(row, key)}, token=row.token, pk__lte=row.pk
    )
    leaves = Leaf.objects.filter(table=history._meta.db_table, row__in=same.values("pk"))
    return bool(leaves.filter(number__lt=size).exists())


def _kid(token: Any) -> str:
    try:
        return tokens.key_id_of(token)
    # What is no token is found where tokens are verified.
    except (SignatureError, TypeError, AttributeError):
        return ""

"""The sealed rows of one subject, each with the proof that it is in the log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit import timeline
from audit.erasure import told as told_by
from audit.errors import EvidenceError, LogError, NoSuchSubjectError
from audit.evidence.heads import SignedHead, first_head_over
from audit.log import merkle, seals
from audit.log.proving import Prover
from audit.models import Subject

#: How often the rows are read again when new ones are written meanwhile.
_TRIES = 3
_FEW = 5


@dataclass(frozen=True, kw_only=True)
class SaidRow:
    """A history row by what its bytes say, sealed or not."""

    number: int
    said: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SealedRow(SaidRow):
    """A history row as it was sealed: its bytes, what they say, its leaf, and the leaf's proof."""

    text: str
    salt: str
    leaf: int
    proof: Sequence[bytes]


@dataclass(frozen=True, kw_only=True)
class SealedRecord:
    """Every row about a subject, oldest first, and the checkpoint that they are proven against."""

    subject: str
    rows: Sequence[SealedRow]
    head: SignedHead

    def of(self, table: str) -> list[SealedRow]:
        """Return the rows of one history table, oldest first."""
        return [row for row in self.rows if row.said["table"] == table]


def collect(subject: str) -> SealedRecord:
    """Return the sealed record of a subject.

    The checkpoint is the oldest one that covers every row, so that the same record gives the same
    file for as long as nothing new is written about it.

    Raises:
        NoSuchSubjectError: the record tells nothing about it.
        EvidenceError: a row is not sealed yet, or not what was sealed.
        KeyFileError: the file of trusted keys cannot be read.
    """
    rows = _settled(subject)
    leaves = _leaves(rows)
    head = first_head_over(max(leaves) + 1)
    prover = Prover(size=head.size, root=head.root)
    try:
        sealed = [_proven(*pair, prover) for pair in zip(rows, leaves, strict=True)]
    except LogError as error:
        raise EvidenceError(
            f"The record about {subject} is not what was sealed; `manage.py verify_record` names "
            f"what was changed. {error}"
        ) from error
    return SealedRecord(subject=subject, rows=sealed, head=head)


def _settled(subject: str) -> list[Any]:
    """Return the rows, read from many tables while nobody wrote between."""
    for _ in range(_TRIES):
        told = _last_number(subject)
        rows = timeline.facts_about(subject)
        if _last_number(subject) == told:
            return _whole(subject, rows, told)
    raise EvidenceError(f"Much is being written about {subject} right now. Try again in a moment.")


def _last_number(subject: str) -> int:
    told = Subject.objects.filter(pk=subject).first()
    if told is None:
        raise NoSuchSubjectError(f"The record tells nothing about {subject!r}.")
    return told.last_number


def _whole(subject: str, rows: list[Any], told: int) -> list[Any]:
    if [row.number for row in rows] != list(range(1, told + 1)):
        raise EvidenceError(
            f"Of the {told} facts about {subject} some are missing, or are there twice; "
            "`manage.py verify_record` names them."
        )
    empty = [str(row.number) for row in rows if row.canonical is None or row.salt is None]
    erasures = told_by.erasures_of([subject]).get(subject, [])
    if empty and erasures:
        raise EvidenceError(
            f"Personal data about {subject} was erased, and with it what an evidence file proves. "
            f"{erasures[-1].sentence} (The rows are still in the log: `manage.py verify_record`.)"
        )
    if empty:
        raise EvidenceError(
            f"Of the record about {subject} the bytes of row {', '.join(empty[:_FEW])} are gone, "
            "so that what it said can no longer be proven."
        )
    return rows


def _leaves(rows: Sequence[Any]) -> list[int]:
    """Return the number of each row's leaf."""
    found = seals.leaves_of(rows)
    waiting = [str(row.number) for row in rows if (row._meta.db_table, row.pk) not in found]
    if waiting:
        more = " …" if len(waiting) > _FEW else ""
        raise EvidenceError(
            f"{len(waiting)} of {len(rows)} rows are not sealed yet (row "
            f"{', '.join(waiting[:_FEW])}{more}). The sealer takes about a second: try again in a "
            "moment. If that does not help, `manage.py seal` is not running or refuses them, and "
            "an alarm says why."
        )
    return [found[row._meta.db_table, row.pk] for row in rows]


def _proven(row: Any, leaf: int, prover: Prover) -> SealedRow:
    try:
        entry = merkle.entry_of(bytes.fromhex(row.salt), row.canonical.encode())
    except ValueError as error:
        raise EvidenceError(f"The salt of row {row.number} is malformed.") from error
    proof = prover.prove(leaf, entry)
    said = json.loads(row.canonical)
    return SealedRow(
        number=row.number, text=row.canonical, salt=row.salt, said=said, leaf=leaf, proof=proof
    )

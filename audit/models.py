"""The record's own tables. History tables live beside the models that they follow."""

from django.db import models

from audit.history import track
from audit.identifiers import new_id


def new_erasure_id() -> str:
    """Return ``ers_…``."""
    return new_id("ers")


class Subject(models.Model):
    """Something that the record tells about, and how many facts it has told so far.

    The counter gives every fact of a subject, over all tables, a number without gaps: a row that
    disappears later leaves a hole that an auditor finds.
    """

    id = models.CharField(primary_key=True, max_length=80)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.id} ({self.last_number})"


class Leaf(models.Model):
    """A row of the record as it was sealed: its place in the log, and the digest of its bytes.

    Written once by the sealer. ``entry`` stays when the row's bytes and salt are erased, so that
    the tree can always be made again from here.
    """

    number = models.BigIntegerField(primary_key=True)
    table = models.CharField(max_length=80)
    row = models.BigIntegerField()
    entry = models.CharField(max_length=64)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["table", "row"], name="leaf_once_per_row"),
            models.CheckConstraint(condition=models.Q(number__gte=0), name="leaf_number_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.table} {self.row}"


class LogTile(models.Model):
    """256 hashes of the tree, written once when there are as many (``audit.log.tiles``).

    What is not full yet is not kept: it follows from the leaves, or from the roots below.
    """

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField()
    root = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["level", "index"], name="log_tile_once"),
        ]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(models.Model):
    """What the sealer signed about the log: one for a size, so that no size has two roots."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.size} leaves"


class Anchored(models.Model):
    """A checkpoint that was copied outside: to which place, and when it was there.

    It is what this installation says; the copy itself is the evidence.
    """

    anchor = models.CharField(max_length=500)
    size = models.BigIntegerField()
    copied_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["anchor", "size"], name="anchored_once"),
        ]

    def __str__(self) -> str:
        return f"{self.size} leaves: {self.anchor}"


class Erasure(models.Model):
    """Personal data of ``target`` that was erased: what, when, by whom, why.

    Its history row is filed under ``subject``, as the rows are that it took from, and becomes a
    leaf. ``rows`` has, by table and key, the digest of what was left of each history row, so that
    what was left cannot be changed later; ``others`` has the keys of the other rows by table.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_erasure_id)
    subject = models.CharField(max_length=80, db_index=True)
    target = models.CharField(max_length=80)
    reason = models.TextField()
    erased_by = models.CharField(max_length=200)
    erased_at = models.DateTimeField()
    rows = models.JSONField()
    others = models.JSONField()

    history = track()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=~(models.Q(reason="") | models.Q(erased_by="")),
                name="erasure_says_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} by {self.erased_by}"

    @property
    def history_subject(self) -> str:
        """File under what was erased."""
        return self.subject


class VerificationRun(models.Model):
    """What a verification of the whole record said, from when until when.

    Written when it begins and once more when it ends: one that has no end was stopped on its way.
    It is no evidence: whoever can change the record can write that it is good. ``lines`` are the
    first findings, ``findings_sha256`` is the digest of all of them, each with its line end.
    """

    started_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")
    findings = models.PositiveIntegerField(default=0)
    lines = models.TextField(blank=True, default="")
    findings_sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(default=0)
    leaves = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"Verification {self.pk}"

    @property
    def result(self) -> str:
        """Return in words what came of it."""
        if self.ended_at is None:
            return "Not ended"
        if self.problem:
            return "Not verified"
        return "Findings" if self.findings else "No findings"

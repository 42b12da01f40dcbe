"""The words of this floor."""

from django.db.models import TextChoices


class ExecutionStatus(TextChoices):
    """Where the one carrying-out of a decision stands. Only ``executors.services`` sets it."""

    QUEUED = "QUEUED", "Queued"  # waiting for a worker; nothing can have left the house
    HELD = "HELD", "Held"  # stopped by a person, a check or a configuration; nothing has left
    RUNNING = "RUNNING", "Running"  # claimed by a worker; a request may have left
    UNKNOWN = "UNKNOWN", "Unknown"  # the provider may or may not have acted
    SUCCEEDED = "SUCCEEDED", "Succeeded"  # the provider acted; there is a receipt
    FAILED = "FAILED", "Failed"  # the provider refused, for good
    REFUSED = "REFUSED", "Refused"  # we refused to send it, for good
    REVERSED = "REVERSED", "Reversed"  # it succeeded, and the provider took it back later


class Reversibility(TextChoices):
    """Fixed by the code of an action, never by the agent (OWASP AISVS 9.2.3)."""

    REVERSIBLE = "REVERSIBLE", "Can be undone"
    COMPENSABLE = "COMPENSABLE", "Can be made good by another action"
    IRREVERSIBLE = "IRREVERSIBLE", "Cannot be undone"


class AttemptClass(TextChoices):
    """What one try at the provider proved (see the error table in the executors' README)."""

    DONE = "DONE", "Done"
    AMBIGUOUS = "AMBIGUOUS", "Ambiguous"
    NOT_EXECUTED = "NOT_EXECUTED", "Not executed"
    FINAL = "FINAL", "Refused by the provider"
    OUR_BUG = "OUR_BUG", "Our bug"
    CONFIGURATION = "CONFIGURATION", "Configuration"


class HoldScope(TextChoices):
    """What a hold stops."""

    EVERYTHING = "EVERYTHING", "Everything"
    AGENT = "AGENT", "Agent"
    KEY = "KEY", "Agent key"
    ACTION = "ACTION", "Action"
    EXECUTION = "EXECUTION", "One execution"


class ReadingResult(TextChoices):
    """What a reading of the provider showed, after the request had left."""

    FOUND = "FOUND", "Found"  # the one object that matches in every respect
    ABSENT = "ABSENT", "Not there"  # a complete listing without it
    MISMATCH = "MISMATCH", "Does not match"  # something of ours that differs, or two of it
    UNREADABLE = "UNREADABLE", "Could not be read"


class FindingKind(TextChoices):
    """What the provider shows and our record does not explain."""

    OUTSIDE_THE_GATE = "OUTSIDE_THE_GATE", "No decision of ours"
    DUPLICATE = "DUPLICATE", "A second one of the same decision"
    CONTRADICTION = "CONTRADICTION", "Our record says that it did not happen"


class EventType(TextChoices):
    """Events that this floor writes to the record. Retired names are never used again."""

    EXECUTION_QUEUE = "execution:queue", "queued the execution"
    EXECUTION_CLAIM = "execution:claim", "claimed the execution"
    EXECUTION_RECLAIM = "execution:reclaim", "took over the execution"
    EXECUTION_INTENT = "execution:intent", "wrote down what will be sent"
    EXECUTION_RETRY = "execution:retry", "will try again"
    EXECUTION_SUCCEED = "execution:succeed", "carried out the decision"
    EXECUTION_FAIL = "execution:fail", "was refused by the provider"
    EXECUTION_REFUSE = "execution:refuse", "refused to carry out the decision"
    EXECUTION_REVOKE = "execution:revoke", "revoked the approval before it ran"
    EXECUTION_HOLD = "execution:hold", "held the execution"
    EXECUTION_RELEASE = "execution:release", "released the execution"
    EXECUTION_LOSE_TRACK = "execution:lose-track", "does not know whether the provider acted"
    EXECUTION_RESOLVE = "execution:resolve", "settled an unknown outcome"
    EXECUTION_REVERSE = "execution:reverse", "learned that the provider took it back"
    EXECUTION_FOLLOW = "execution:follow", "learned a new provider status"
    EXECUTION_DEAL_WITH = "execution:deal-with", "has dealt with what the provider took back"
    FINDING_REPORT = "finding:report", "found what the record does not explain"
    FINDING_DEAL_WITH = "finding:deal-with", "has dealt with a finding"
    HOLD_SET = "hold:set", "set a hold"
    HOLD_LIFT = "hold:lift", "lifted a hold"

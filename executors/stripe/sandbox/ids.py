"""Object ids that look like Stripe's: a prefix and opaque letters and digits."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
#: Characters after the prefix. The leading digit is Stripe's too: 3 for money, 1 for the rest.
_BODIES = {
    "acct_local_": ("", 12),
    "ch_": ("3", 23),
    "cus_": ("", 14),
    "evt_": ("3", 23),
    "pi_": ("3", 23),
    "pm_": ("1", 23),
    "re_": ("3", 23),
    "req_": ("", 14),
    "rk_local_": ("", 32),
    "sk_local_": ("", 32),
    "txn_": ("3", 23),
    "whsec_local_": ("", 32),
}


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``re_3…``; the prefix is one of the known ones."""
    lead, length = _BODIES[prefix]
    return prefix + lead + random_text(length)


def random_text(length: int) -> str:
    """Return that many random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))

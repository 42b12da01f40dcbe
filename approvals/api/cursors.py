"""Opaque cursors of lists: the id after which the next page begins."""

import base64
import binascii

from approvals.api import text
from approvals.api.errors import ParameterError


def encode(request_id: str) -> str:
    """Return the cursor that continues after this request."""
    return base64.urlsafe_b64encode(request_id.encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """Return the request id in a cursor.

    Raises:
        ParameterError: it is none of ours.
    """
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        request_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        request_id = ""
    if not text.matches(text.REQUEST_ID, request_id):
        raise ParameterError("This cursor is none of ours.", parameter="cursor")
    return request_id

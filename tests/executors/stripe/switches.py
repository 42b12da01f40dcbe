"""The switches of a running local Stripe, as a test presses them."""

import json
import urllib.request
from typing import Any

from executors.stripe.sandbox.process import RunningSandbox


def press(sandbox: RunningSandbox, path: str, body: Any = None, method: str = "POST") -> Any:
    """Press one and return what it says. Raises ``HTTPError`` when it does not understand."""
    data = None if method == "GET" else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{sandbox.base_url}/_local/{path}",
        data,
        {"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)


def webhooks(sandbox: RunningSandbox, **changes: Any) -> Any:
    """Change how events travel, or with no argument look where they are."""
    if not changes:
        return press(sandbox, "webhooks", method="GET")
    return press(sandbox, "webhooks", changes)

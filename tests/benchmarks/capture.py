"""``python -m tests.benchmarks.capture``: the SQL of one real call, with its parameters filled in.

Reads a JSON object ``{"key": …, "body": …}`` from standard input, submits it twice through the
whole of Django, and prints as JSON what the second submission, and then reading it, sent to the
database: transaction control included, as Django's own log has it.
"""

import json
import sys
from typing import Any

import django


def main() -> None:
    """Submit, read, print."""
    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    asked = json.load(sys.stdin)
    client = Client(headers={"Authorization": f"Bearer {asked['key']}", "Host": "localhost"})

    def submit(number: int) -> Any:
        return client.post(
            "/api/v1/requests",
            data=json.dumps(asked["body"]),
            content_type="application/json",
            headers={"Idempotency-Key": f"capture-{number}"},
        )

    assert submit(1).status_code == 201
    with CaptureQueriesContext(connection) as submitting:
        answer = submit(2)
    assert answer.status_code == 201, answer.content
    with CaptureQueriesContext(connection) as reading:
        assert client.get(f"/api/v1/requests/{answer.json()['id']}").status_code == 200
    captured = {
        "request_id": answer.json()["id"],
        "idempotency_key": "capture-2",
        "submit": [query["sql"] for query in submitting.captured_queries],
        "read": [query["sql"] for query in reading.captured_queries],
    }
    print(json.dumps(captured))


if __name__ == "__main__":
    main()

"""``python -m tests.flows.seed``: what a new installation needs, made in the web's environment.

Tables, the signing key, the people and one agent. Prints as JSON what a test has to know.
"""

import io
import json

import django
from django.core.management import call_command


def main() -> None:
    """Migrate, make the key, seed, print."""
    django.setup()
    from approvals import demo

    call_command("migrate", interactive=False, verbosity=0)
    call_command("rotate_signing_key", stdout=io.StringIO())
    seeded = demo.seed()
    assert seeded is not None, "this database is not new"
    print(json.dumps({"passwords": seeded.passwords, "agent_key": seeded.agent_key}))


if __name__ == "__main__":
    main()

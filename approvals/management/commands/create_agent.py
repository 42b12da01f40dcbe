"""``manage.py create_agent``: make an agent with its first key."""

import argparse
import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from approvals import services
from approvals.errors import AgentError
from approvals.models import User
from audit import actors, clock

#: Ten years: a key that lives longer has no expiry.
_MOST_DAYS = 3650


class Command(BaseCommand):
    """Parses, calls the services, translates."""

    help = "Makes an agent with its first key, and prints the key. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="lower-case letters, digits, dots, hyphens, underscores")
        parser.add_argument(
            "--owner", required=True, help="username of the person who answers for the agent"
        )
        parser.add_argument("--description", default="", help="what the agent does")
        _add_scope(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make agent and key together, or neither."""
        try:
            with transaction.atomic():
                issued = self._create(options)
        except AgentError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            agent = issued.key.agent
            made = {"agent": agent.pk, "name": agent.name, "agent_key": issued.secret}
            self.stdout.write(json.dumps(made))
        else:
            self.stdout.write(f"Agent key (shown this once): {issued.secret}")

    def _create(self, options: dict[str, Any]) -> services.IssuedKey:
        owner = User.objects.filter(username=options["owner"]).first()
        if owner is None:
            raise AgentError(f"There is no account {options['owner']!r}.")
        by, days = actors.system("command"), options["expires_in_days"]
        agent = services.create_agent(
            name=options["name"], owner_id=owner.pk, description=options["description"], by=by
        )
        return services.issue_key(
            agent_id=agent.pk,
            actions=options["actions"],
            owner_id=owner.pk,
            currencies=options["currencies"],
            ceiling_minor=options["ceiling"],
            expires_at=None if days is None else clock.now() + timedelta(days=days),
            by=by,
        )


def _add_scope(parser: CommandParser) -> None:
    """Declare what the key will allow."""
    parser.add_argument(
        "--action",
        action="append",
        required=True,
        dest="actions",
        metavar="ACTION",
        help="an action that the key may propose, such as stripe.refund; may be repeated",
    )
    parser.add_argument(
        "--currency",
        action="append",
        default=[],
        dest="currencies",
        metavar="CURRENCY",
        help="a currency that the key may propose; may be repeated; default: any",
    )
    parser.add_argument(
        "--ceiling", type=int, metavar="AMOUNT", help="the largest amount, in minor units"
    )
    parser.add_argument(
        "--expires-in-days",
        type=_days,
        metavar="DAYS",
        help="until the key expires; default: never",
    )


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to {_MOST_DAYS}")
    return int(text)

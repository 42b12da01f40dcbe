"""``python -m tests.benchmarks.seed N``: N agents, one for each connection; prints them as JSON."""

import json
import sys

import django


def main(number: int) -> None:
    """Make the agents with their keys and print both."""
    django.setup()
    from approvals import services
    from approvals.models import User
    from audit import actors

    by, owner = actors.system("benchmark"), User.objects.get(username="admin")
    made = []
    for index in range(number):
        agent = services.create_agent(
            name=f"bench-{index}", owner_id=owner.pk, description="", by=by
        )
        issued = services.issue_key(
            agent_id=agent.pk,
            actions=["stripe.refund"],
            owner_id=owner.pk,
            currencies=[],
            ceiling_minor=None,
            expires_at=None,
            by=by,
        )
        # Its use is noted once a minute: that write belongs to no submission in particular.
        made.append(
            {
                "agent": agent.pk,
                "name": agent.name,
                "key": issued.key.pk,
                "prefix": issued.key.prefix,
                "secret": issued.secret,
            }
        )
    print(json.dumps(made))


if __name__ == "__main__":
    main(int(sys.argv[1]))

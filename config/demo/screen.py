"""The last screen of ``make run``: what a newcomer does next."""

import json
import secrets
import shlex
from pathlib import Path
from typing import Any

from config.demo import facts


def ready(
    known: dict[str, Any], payments: list[dict[str, Any]], var_dir: Path, *, seconds: float
) -> str:
    """The whole screen; ``seconds`` is how long the start took."""
    local = known["payment_intents"]
    stripe = (
        f"local Stripe   {known['stripe']['base_url']}/ (no real money)"
        if local
        else ("Stripe         the sandbox whose keys you gave (no real money)")
    )
    return f"""
Countersign runs. Ready after {seconds:.0f} s.

  admin          {known["base_url"]}/admin/
  API            {known["base_url"]}/api/docs
  {stripe}

{_people(known)}

  agent key      {known["agent_key"]}

Submit the first refund as the agent, in another terminal:

{_first_refund(known, payments)}

Then sign in as "reviewer" and decide it. All of this is also in {facts.path(var_dir)}.
Logs are in {var_dir / "logs"}. Ctrl-C stops everything; the data stays for the next `make run`.
"""


def _people(known: dict[str, Any]) -> str:
    rows = [(user["username"], user["password"]) for user in known["users"].values()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {password}" for name, password in rows)


def _first_refund(known: dict[str, Any], payments: list[dict[str, Any]]) -> str:
    payment = _good_example(payments)
    body = {
        "service": "support",
        "action": "stripe.refund",
        "payload": {
            "payment_intent": payment["id"],
            "amount": payment["amount"] // 2,
            "currency": payment["currency"],
            "reason": "requested_by_customer",
        },
        "reason": "The parcel never arrived.",
    }
    return " \\\n".join(
        [
            f"  curl -sS {known['base_url']}/api/v1/requests",
            f"    -H 'Authorization: Bearer {known['agent_key']}'",
            # Another one each time, so that a second start does not find the first one's refund.
            f"    -H 'Idempotency-Key: first-refund-{secrets.token_hex(4)}'",
            "    -H 'Content-Type: application/json'",
            f"    -d {shlex.quote(json.dumps(body))}",
        ]
    )


def _good_example(payments: list[dict[str, Any]]) -> dict[str, Any]:
    """The smallest payment in dollars of which half can be given back."""
    fitting = [
        item
        for item in payments
        if item["currency"] == "usd"
        and not item["disputed"]
        and item["amount_refunded"] <= item["amount"] // 2
    ]
    unknown = {"id": "pi_of_a_payment_in_your_sandbox", "amount": 1000, "currency": "usd"}
    return min(fitting, key=lambda item: int(item["amount"]), default=unknown)

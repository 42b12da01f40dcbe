"""``python -m tests.flows.stubborn``: a money loop whose request outlives its soft time limit.

It swallows the error of the soft limit and never comes back, as a broken library might.
"""

import ctypes
from typing import Any

import django
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the loop with an executor that hangs on whatever happens to its request."""
    django.setup()
    from executors.stripe.refunds import StripeRefund

    execute = StripeRefund.execute

    def execute_and_hang(*args: Any, **limits: Any) -> Any:
        try:
            return execute(*args, **limits)
        finally:
            print("The soft limit was not enough.", flush=True)
            ctypes.PyDLL(None).sleep(600)

    StripeRefund.execute = execute_and_hang  # type: ignore[method-assign]
    execute_from_command_line(["manage.py", "work", "--every", "1"])


if __name__ == "__main__":
    main()

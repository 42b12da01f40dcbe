"""``python -m executors.stripe.sandbox``: run the local Stripe until it is told to stop."""

import sys

from executors.stripe.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main())

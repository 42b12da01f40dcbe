"""The local Stripe: a stand-in for Stripe's API on loopback, for demonstrations and tests.

A process of its own (``python -m executors.stripe.sandbox``) with its own SQLite file, so that it
outlives a crash of everything else. It imports nothing of this project outside this package.
"""

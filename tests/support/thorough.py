"""A pytest plugin for ``make test-long``: many more generated inputs for every property."""

from hypothesis import settings

#: Ten times as many as usual, and none is dropped for being slow.
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("thorough")

"""Loaded by pytest before Django's settings: the environment of a test run.

Every run has a directory of its own, so that runs do not meet in one database file.
"""

import atexit
import os
import shutil
import tempfile

os.environ["COUNTERSIGN_ENV"] = "test"
if "PYTEST_XDIST_WORKER" not in os.environ:
    _directory = tempfile.mkdtemp(prefix="countersign-test-")
    os.environ["COUNTERSIGN_VAR_DIR"] = _directory
    atexit.register(shutil.rmtree, _directory, ignore_errors=True)

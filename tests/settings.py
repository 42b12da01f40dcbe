"""The settings of a test run: the real ones, in an environment of the run's own.

Every run, and every process of a parallel run, has a directory of its own, so that none meets
another in a database or key file.
"""

import atexit
import os
import shutil
import tempfile

os.environ["COUNTERSIGN_ENV"] = "test"
_directory = tempfile.mkdtemp(prefix="countersign-test-")
os.environ["COUNTERSIGN_VAR_DIR"] = _directory
atexit.register(shutil.rmtree, _directory, ignore_errors=True)

from config.settings import *  # noqa: E402, F403 - the settings read the environment above

# The file server looks into this directory at its start, and warns when there is none.
STATIC_ROOT.mkdir()  # noqa: F405

"""``make run`` itself, as it is typed: from the command to Ctrl-C."""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.config.conftest import ROOT, Demonstration
from tests.config.test_processes import eventually

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.process,
    pytest.mark.timeout(240),
]


class Made(Demonstration):
    """``make run`` in a process group of its own, as a shell starts it."""

    def launch(self):
        # Any Python 3.11 will do to find that nothing has to be installed.
        command = ["make", "run", f"PORT={self.port}", f"PYTHON={sys.executable}"]
        environment = self.environment()
        del environment["PORT"]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, number=signal.SIGINT):
        """Ctrl-C reaches every process of the group at once."""
        os.killpg(self.process.pid, number)
        self.process.wait(60)


@pytest.fixture
def made(tmp_path, free_port):
    demonstration = Made(tmp_path / "var", free_port)
    yield demonstration
    if demonstration.is_running:
        demonstration.end()


def test_make_run_starts_everything_and_ctrl_c_leaves_nothing_behind(made):
    made.start()

    assert "Installing" not in made.said
    assert made.facts["base_url"] == f"http://localhost:{made.port}"
    [seconds] = re.findall(r"^Countersign runs\. Ready after (\d+) s\.$", made.said, re.MULTILINE)
    assert 0 < int(seconds) <= 151, "start() waits no longer"
    running = made.children().values()
    assert any("make run" in command for command in running)
    assert any("gunicorn" in command for command in running)

    made.end()

    eventually(lambda: made.children() == {})
    assert "Stopped. The data is kept; `make run` goes on with it.\n" in made.said
    assert "Traceback" not in made.said

"""Processes are started in order, kept running, and stopped in reverse order."""

import os
import signal
import sys
import threading

import pytest

from config.processes import ProcessFailedError
from config.supervisor import service as service_module
from config.supervisor.service import Plan, Service
from config.supervisor.supervisor import StoppedError, Supervisor
from tests.config.test_processes import eventually, is_alive

pytestmark = [pytest.mark.embedded, pytest.mark.process]

READY = "import os; print('ready', os.getpid(), flush=True); "
WAIT = READY + "import time; time.sleep(600)"


@pytest.fixture
def plan(tmp_path):
    def make(name="one", program=WAIT, **options):
        defaults = {
            "environment": dict(os.environ),
            "directory": tmp_path,
            "log": tmp_path / f"{name}.log",
            "is_ready": lambda said: "ready" in said,
        }
        return Plan(name=name, command=[sys.executable, "-c", program], **(defaults | options))

    return make


@pytest.fixture(autouse=True)
def signals_as_they_were():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def pid_of(service):
    return int(service.said().split()[1])


class TestStarting:
    def test_it_waits_until_all_are_ready(self, plan):
        with Supervisor(print) as supervisor:
            services = supervisor.start(plan("one"), plan("two"))
            supervisor.wait_ready(*services)

            assert all(is_alive(pid_of(service)) for service in services)

    def test_one_that_ends_is_a_sentence_with_its_log_and_last_words(self, plan, tmp_path):
        failing = plan(program="import sys; sys.exit('the port is taken')")

        with pytest.raises(ProcessFailedError) as caught, Supervisor(print) as supervisor:
            supervisor.wait_ready(*supervisor.start(failing))

        assert "'one' ended while it was starting (code 1)" in str(caught.value)
        assert f"{tmp_path / 'one.log'} ends with: the port is taken" in str(caught.value)

    def test_one_that_says_nothing_is_told_too(self, plan):
        with (
            pytest.raises(ProcessFailedError, match=r"\(nothing\)"),
            Supervisor(print) as supervisor,
        ):
            supervisor.wait_ready(*supervisor.start(plan(program="")))

    def test_one_that_takes_too_long_is_named(self, plan):
        slow = plan(is_ready=lambda _said: False, ready_within=0.2)

        with (
            pytest.raises(ProcessFailedError, match=r"'one' was not ready"),
            Supervisor(print) as s,
        ):
            s.wait_ready(*s.start(slow))

    def test_what_an_earlier_run_said_does_not_count(self, plan):
        earlier = plan(program=READY)
        earlier.log.write_text("ready 1\n")
        service = Service(earlier)

        service.start()

        assert "ready 1\n" not in service.said()
        service.finish()

    def test_a_signal_interrupts_it(self, plan):
        with pytest.raises(StoppedError), Supervisor(print) as supervisor:
            [service] = supervisor.start(plan(is_ready=lambda _said: False))
            os.kill(os.getpid(), signal.SIGTERM)
            supervisor.wait_ready(service)


class TestStopping:
    def test_nothing_is_left_behind_when_the_block_fails(self, plan):
        with pytest.raises(ZeroDivisionError), Supervisor(print) as supervisor:
            services = supervisor.start(plan("one"), plan("two"))
            supervisor.wait_ready(*services)
            raise ZeroDivisionError

        assert not any(is_alive(pid_of(service)) for service in services)

    def test_what_was_started_last_stops_first(self, plan, tmp_path):
        order = tmp_path / "order"
        say = (
            "import signal, sys, time; "
            f"signal.signal(signal.SIGTERM, lambda *_: (open({str(order)!r}, 'a')"
            ".write(sys.argv[1]), sys.exit())); " + WAIT
        )
        plans = [plan(name, say) for name in ("a", "b", "c")]
        with Supervisor(print) as supervisor:
            for each in plans:
                each.command.append(each.name)
                supervisor.wait_ready(*supervisor.start(each))

        assert order.read_text() == "cba"

    def test_one_that_does_not_stop_is_told(self, plan):
        told = []
        deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT
        with Supervisor(told.append) as supervisor:
            [service] = supervisor.start(plan(program=deaf, stop_within=0.2))
            supervisor.wait_ready(service)

        assert told == ["The process 'one' did not stop in time and was killed."]
        assert not is_alive(pid_of(service))

    def test_one_that_never_started_is_no_problem(self, plan):
        service = Service(plan())

        service.ask_to_stop()

        assert service.finish()


class TestWatching:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_it_ends_with_a_signal(self, plan, number):
        with Supervisor(print) as supervisor:
            supervisor.wait_ready(*supervisor.start(plan()))
            threading.Timer(0.1, os.kill, (os.getpid(), number)).start()

            supervisor.watch()

    def test_one_that_is_killed_is_started_again(self, plan):
        told = []
        with Supervisor(told.append) as supervisor:
            [service] = supervisor.start(plan())
            supervisor.wait_ready(service)
            first = pid_of(service)
            os.kill(first, signal.SIGKILL)
            stop_when = threading.Thread(target=stop_after_restart, args=(service, first))
            stop_when.start()

            supervisor.watch()
            stop_when.join()

        assert told == [
            "The process 'one' ended (code -9); it is started again in 0.5 s. "
            f"Its log is {service.plan.log}."
        ]


def stop_after_restart(service, first):
    def is_another():
        said = service.said().split()
        return len(said) == 2 and int(said[1]) != first

    try:
        eventually(is_another)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


class TestBackoff:
    @pytest.fixture
    def clock(self, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr(service_module.time, "monotonic", lambda: now[0])
        return now

    @pytest.fixture
    def ending(self, plan, monkeypatch):
        """A service whose process has always just ended."""

        class Ended:
            def poll(self):
                return 1

        monkeypatch.setattr(service_module, "spawn", lambda *_a, **_k: Ended())
        service = Service(plan())
        service.start()
        return service

    def pauses(self, service, clock, times, running=0.0):
        told = []
        for _ in range(times):
            clock[0] += running
            sentence = service.keep_running()
            told.append(float(sentence.split(" again in ")[1].split(" s")[0]))
            clock[0] += told[-1]
            assert service.keep_running() is None
        return told

    def test_each_pause_is_longer_up_to_half_a_minute(self, clock, ending):
        assert self.pauses(ending, clock, 9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]

    def test_a_healthy_minute_forgives(self, clock, ending):
        assert self.pauses(ending, clock, 3, running=61) == [0.5, 0.5, 0.5]

    def test_it_is_not_started_before_its_time(self, clock, ending):
        ending.keep_running()
        started = ending._process
        clock[0] += 0.4

        assert ending.keep_running() is None
        assert ending._process is started

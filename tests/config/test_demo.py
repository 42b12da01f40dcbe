"""What the demonstration prepares and says, without starting it."""

import json
import socket

import pytest

from approvals.models import User
from config.demo import facts, plans, prepare, provider, run, screen
from config.demo.provider import Provider
from config.environment import ConfigurationError

PAYMENTS = [
    {"id": "pi_yen", "amount": 500, "currency": "jpy", "amount_refunded": 0, "disputed": False},
    {"id": "pi_disputed", "amount": 10, "currency": "usd", "amount_refunded": 0, "disputed": True},
    {"id": "pi_spent", "amount": 20, "currency": "usd", "amount_refunded": 11, "disputed": False},
    {"id": "pi_large", "amount": 900, "currency": "usd", "amount_refunded": 0, "disputed": False},
    {"id": "pi_good", "amount": 300, "currency": "usd", "amount_refunded": 150, "disputed": False},
]
LOCAL = Provider(
    base_url="http://127.0.0.1:9",
    merchant_key="sk_local_merchant",
    worker_key="rk_local_worker",
    read_key="rk_local_read",
    webhook_secret="whsec_local_events",
    is_local=True,
    payments=PAYMENTS,
)


@pytest.fixture
def var(settings, tmp_path):
    settings.COUNTERSIGN_VAR_DIR = tmp_path
    settings.COUNTERSIGN_BASE_URL = "http://localhost:8000"
    return tmp_path


class TestProvider:
    @pytest.fixture(autouse=True)
    def no_keys(self, monkeypatch):
        monkeypatch.delenv("STRIPE_API_KEY", raising=False)
        monkeypatch.delenv("STRIPE_READ_KEY", raising=False)

    def test_without_keys_it_is_the_local_one(self):
        assert provider.given() is None

    @pytest.mark.parametrize(
        ("has", "lacks"),
        [("STRIPE_API_KEY", "STRIPE_READ_KEY"), ("STRIPE_READ_KEY", "STRIPE_API_KEY")],
    )
    def test_half_a_sandbox_is_refused(self, monkeypatch, has, lacks):
        monkeypatch.setenv(has, "rk_test_1")

        with pytest.raises(ConfigurationError, match=f"^{lacks} is not set. Set both"):
            provider.given()

    def test_a_sandbox_is_reached_at_stripes_own_address(self, monkeypatch):
        monkeypatch.setenv("STRIPE_API_KEY", "rk_test_write")
        monkeypatch.setenv("STRIPE_READ_KEY", "rk_test_read")
        monkeypatch.delenv("STRIPE_WEBHOOK_SECRET", raising=False)

        sandbox = provider.given()

        assert (sandbox.worker_key, sandbox.read_key) == ("rk_test_write", "rk_test_read")
        assert (sandbox.api_base, sandbox.base_url) == ("", "https://api.stripe.com")

    def test_the_port_of_the_last_run_is_used_again(self, tmp_path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            last = probe.getsockname()[1]
        facts.write(tmp_path, {"stripe": {"base_url": f"http://127.0.0.1:{last}"}})

        assert provider.choose_port(tmp_path) == last

    def test_another_one_when_it_is_taken(self, tmp_path):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            last = taken.getsockname()[1]
            facts.write(tmp_path, {"stripe": {"base_url": f"http://127.0.0.1:{last}"}})

            assert provider.choose_port(tmp_path) not in {0, last}

    def test_no_port_at_all_is_a_sentence(self, tmp_path, monkeypatch):
        class NoSocket(socket.socket):
            def bind(self, address):
                raise OSError

        monkeypatch.setattr(provider.socket, "socket", NoSocket)

        with pytest.raises(ConfigurationError, match="No port is free"):
            provider.choose_port(tmp_path)


@pytest.mark.django_db
class TestPeople:
    def test_their_passwords_are_kept_in_one_place_and_work(self, var):
        known = prepare.people_and_facts(LOCAL)

        assert known == json.loads((var / "demo.json").read_text())
        for name, user in known["users"].items():
            assert User.objects.get(username=name).check_password(user["password"])

    def test_they_are_made_once(self, var):
        first = prepare.people_and_facts(LOCAL)

        assert prepare.people_and_facts(LOCAL) == first

    def test_lost_passwords_are_a_sentence(self, var):
        prepare.people_and_facts(LOCAL)
        (var / "demo.json").unlink()

        with pytest.raises(ConfigurationError, match="with it the passwords"):
            prepare.people_and_facts(LOCAL)


class TestKeys:
    def test_those_of_the_local_stripe_are_kept_by_role(self, var):
        prepare.environment("redis+socket:///s", LOCAL)

        assert (var / "demo.money.env").read_text() == "STRIPE_API_KEY=rk_local_worker\n"
        assert (var / "demo.default.env").read_text() == "STRIPE_READ_KEY=rk_local_read\n"
        assert (var / "demo.web.env").read_text() == (
            "STRIPE_READ_KEY=rk_local_read\nSTRIPE_WEBHOOK_SECRET=whsec_local_events\n"
        )
        assert "_local_" not in (var / "demo.running.env").read_text()

    def test_those_of_a_sandbox_are_never_written_down(self, var, monkeypatch):
        monkeypatch.setenv("STRIPE_API_KEY", "rk_test_write")
        monkeypatch.setenv("STRIPE_READ_KEY", "rk_test_read")

        prepare.environment("redis+socket:///s", provider.given())

        assert not [file for file in var.iterdir() if "rk_test" in file.read_text()]


class TestPlans:
    """With the keys of somebody's sandbox in the environment, each process gets its own only."""

    @pytest.fixture
    def sandbox(self, monkeypatch):
        monkeypatch.setenv("STRIPE_API_KEY", "rk_test_write")
        monkeypatch.setenv("STRIPE_READ_KEY", "rk_test_read")
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_of_the_sandbox")
        return provider.given()

    def keys(self, plan):
        return {name: value for name, value in plan.environment.items() if "STRIPE" in name}

    def test_only_the_money_worker_can_move_money(self, sandbox):
        assert self.keys(plans.money_worker({}, sandbox)) == {"STRIPE_API_KEY": "rk_test_write"}

    def test_the_default_worker_can_read(self, sandbox):
        assert self.keys(plans.default_worker({}, sandbox)) == {"STRIPE_READ_KEY": "rk_test_read"}

    def test_web_can_read_and_knows_how_events_are_signed(self, sandbox):
        assert self.keys(plans.web({}, sandbox)) == {
            "STRIPE_READ_KEY": "rk_test_read",
            "STRIPE_WEBHOOK_SECRET": "whsec_of_the_sandbox",
        }

    def test_beat_the_sealer_and_the_local_stripe_have_none(self, sandbox):
        assert self.keys(plans.beat({})) == {}
        assert self.keys(plans.sealer({})) == {}
        assert self.keys(plans.local_stripe(9)) == {}


class TestScreen:
    def known(self, payments):
        return {
            "base_url": "http://localhost:8000",
            "agent_key": "cs_key",
            "users": {"admin": {"username": "admin", "password": "secret"}},
            "stripe": {"base_url": "http://127.0.0.1:9", "api_key": ""},
            "payment_intents": payments,
        }

    def test_the_example_is_the_smallest_that_works(self, tmp_path):
        said = screen.ready(self.known(PAYMENTS), PAYMENTS, tmp_path, seconds=6.4)

        assert '"payment_intent": "pi_good", "amount": 150, "currency": "usd"' in said
        assert "local Stripe   http://127.0.0.1:9/ (no real money)" in said
        assert "Countersign runs. Ready after 6 s." in said

    def test_with_a_sandbox_it_says_what_to_replace(self, tmp_path):
        said = screen.ready(self.known([]), [], tmp_path, seconds=6.4)

        assert "pi_of_a_payment_in_your_sandbox" in said
        assert "the sandbox whose keys you gave" in said


class TestPort:
    @pytest.mark.parametrize(("port", "other"), [(80, 8000), (8000, 8001), (65535, 8000)])
    def test_another_is_proposed(self, monkeypatch, port, other):
        class Taken(socket.socket):
            def bind(self, address):
                raise OSError(98, "Address already in use")

        monkeypatch.setattr(run.socket, "socket", Taken)

        with pytest.raises(
            ConfigurationError, match=f"Port {port} .*already in use.*PORT={other}$"
        ):
            run.check_port_is_free(port)

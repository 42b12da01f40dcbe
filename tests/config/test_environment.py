"""What is missing or wrong in the environment is a sentence that names the variable."""

import os
from pathlib import Path

import pytest

from config import demo_secrets
from config.environment import (
    ConfigurationError,
    env_flag,
    env_int,
    env_path,
    env_text,
    load,
)

pytestmark = pytest.mark.embedded


@pytest.fixture
def environ(monkeypatch, tmp_path):
    """An environment of this test alone, with an empty directory for the demonstration."""
    kept = {"COUNTERSIGN_VAR_DIR": str(tmp_path)}
    monkeypatch.setattr(os, "environ", kept)
    return kept


class TestText:
    def test_it_is_read(self, environ):
        environ["NAME"] = "value"

        assert env_text("NAME", remedy="anything") == "value"

    @pytest.mark.parametrize("given", [{}, {"NAME": ""}])
    def test_without_a_value_the_default_counts(self, environ, given):
        environ.update(given)

        assert env_text("NAME", "default", remedy="anything") == "default"

    def test_without_a_default_the_name_and_the_remedy_are_told(self, environ):
        with pytest.raises(ConfigurationError, match=r"^NAME is not set. Set it to a good value.$"):
            env_text("NAME", remedy="a good value")

    def test_a_secret_may_be_in_a_file(self, environ, tmp_path):
        (tmp_path / "secret").write_text("from the file\n")
        environ["NAME_FILE"] = str(tmp_path / "secret")

        assert env_text("NAME", remedy="anything", secret=True) == "from the file"

    def test_only_a_secret_may_be_in_a_file(self, environ, tmp_path):
        environ["NAME_FILE"] = str(tmp_path / "secret")

        assert env_text("NAME", "default", remedy="anything") == "default"

    def test_a_secret_in_both_places_is_refused(self, environ, tmp_path):
        environ.update({"NAME": "value", "NAME_FILE": str(tmp_path / "secret")})

        with pytest.raises(ConfigurationError, match=r"NAME and NAME_FILE are both set"):
            env_text("NAME", remedy="anything", secret=True)

    def test_an_unreadable_file_is_named(self, environ, tmp_path):
        environ["NAME_FILE"] = str(tmp_path / "missing")

        with pytest.raises(ConfigurationError, match=r"NAME_FILE names .*missing.*No such file"):
            env_text("NAME", remedy="anything", secret=True)


class TestNumbersFlagsAndPaths:
    def test_a_number_is_read(self, environ):
        environ["NAME"] = "12"

        assert env_int("NAME", 3) == 12
        assert env_int("OTHER", 3) == 3

    @pytest.mark.parametrize("text", ["twelve", "1.5", "1e3"])
    def test_a_number_must_be_one(self, environ, text):
        environ["NAME"] = text

        with pytest.raises(ConfigurationError, match=f"NAME is '{text}'. Set it to a whole number"):
            env_int("NAME", 3)

    @pytest.mark.parametrize(
        ("text", "limits"), [("0", "from 1 to 10"), ("11", "from 1 to 10"), ("-1", "from 1 to 10")]
    )
    def test_a_number_has_limits(self, environ, text, limits):
        environ["NAME"] = text

        with pytest.raises(ConfigurationError, match=limits):
            env_int("NAME", 3, most=10)

    def test_a_number_may_have_no_upper_limit(self, environ):
        environ["NAME"] = "0"

        with pytest.raises(ConfigurationError, match="at least 1"):
            env_int("NAME", 3)

    @pytest.mark.parametrize(
        ("text", "meant"),
        [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("off", False), ("", True)],
    )
    def test_a_flag_is_read(self, environ, text, meant):
        environ["NAME"] = text

        assert env_flag("NAME", True) is meant

    def test_a_flag_is_never_guessed(self, environ):
        environ["NAME"] = "perhaps"

        with pytest.raises(ConfigurationError, match=r"NAME is 'perhaps'. Set it to true or false"):
            env_flag("NAME")

    def test_a_path_is_absolute(self, environ):
        environ["NAME"] = "here"

        assert env_path("NAME", remedy="a path") == Path.cwd() / "here"
        assert env_path("OTHER", Path("/there"), remedy="a path") == Path("/there")


class TestLoading:
    def test_an_unknown_environment_is_refused(self, environ, tmp_path):
        environ["COUNTERSIGN_ENV"] = "prod"

        with pytest.raises(ConfigurationError, match=r"'prod'. Set it to production, demo or test"):
            load(tmp_path)

    @pytest.mark.parametrize("env", [{}, {"COUNTERSIGN_ENV": "production"}])
    def test_production_gets_nothing(self, environ, tmp_path, env):
        environ.update(env)
        before = dict(environ)

        load(tmp_path)

        assert environ == before

    def test_production_ignores_a_demonstration(self, environ, tmp_path):
        demo_secrets.ensure(tmp_path)
        environ["COUNTERSIGN_ENV"] = "production"

        load(tmp_path)

        assert "SECRET_KEY" not in environ

    def test_the_demonstration_makes_its_secrets_once(self, environ, tmp_path):
        environ["COUNTERSIGN_ENV"] = "demo"
        load(tmp_path)
        first = environ.pop("SECRET_KEY")

        load(tmp_path)

        assert environ["SECRET_KEY"] == first
        assert len(first) >= 50
        assert demo_secrets.path(tmp_path).stat().st_mode & 0o777 == 0o600

    def test_a_clone_with_a_demonstration_is_one(self, environ, tmp_path):
        demo_secrets.ensure(tmp_path)

        load(tmp_path)

        assert environ["COUNTERSIGN_ENV"] == "demo"
        assert environ["COUNTERSIGN_ISSUER"].startswith("urn:countersign:demo:")

    def test_what_is_set_wins(self, environ, tmp_path):
        environ.update({"COUNTERSIGN_ENV": "demo", "SECRET_KEY": "mine"})

        load(tmp_path)

        assert environ["SECRET_KEY"] == "mine"

    def test_a_role_reads_its_own_keys_only(self, environ, tmp_path):
        demo_secrets.write(tmp_path, {"STRIPE_API_KEY": "moves money"}, "money")
        demo_secrets.write(tmp_path, {"STRIPE_READ_KEY": "reads"}, "web")
        environ.update({"COUNTERSIGN_ENV": "demo", "COUNTERSIGN_ROLE": "web"})

        load(tmp_path)

        assert environ["STRIPE_READ_KEY"] == "reads"
        assert "STRIPE_API_KEY" not in environ

    def test_the_supervisor_reads_nothing_of_the_last_run(self, environ, tmp_path):
        demo_secrets.write(tmp_path, {"REDIS_URL": "gone"}, demo_secrets.RUNNING)
        environ.update({"COUNTERSIGN_ENV": "demo", "COUNTERSIGN_ROLE": "supervisor"})

        load(tmp_path)

        assert "REDIS_URL" not in environ

    def test_a_test_run_uses_its_own_servers(self, environ, tmp_path):
        environ.update(
            {
                "COUNTERSIGN_ENV": "test",
                "DATABASE_URL": "postgres://mine",
                "TEST_DATABASE_URL": "postgres://theirs",
            }
        )

        load(tmp_path)

        assert environ["DATABASE_URL"] == "postgres://theirs"
        assert environ["SECRET_KEY"].startswith("test-only")
        assert "REDIS_URL" not in environ

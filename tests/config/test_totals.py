"""A run that hides something is not passed."""

from pathlib import Path

import pytest

from tests.support import chromium, measured, totals

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="broken"><error message="no"/></testcase>
<testcase classname="a" name="quiet"><skipped message="not today"/></testcase>
<testcase classname="a" name="sandbox"><skipped message="needs STRIPE_TEST_KEY"/></testcase>
</testsuite></testsuites>"""


def test_everything_is_counted_and_silent_skips_are_named(tmp_path):
    (tmp_path / "report.xml").write_text(REPORT)

    counted = totals.read(tmp_path / "report.xml")

    assert (counted.passed, counted.failed, counted.skipped) == (1, 2, 2)
    assert counted.silent_skips == ["a::quiet (not today)"]
    assert str(counted) == "1 passed, 2 failed, 2 skipped without STRIPE_TEST_KEY"


def test_a_run_without_a_report_passed_nothing(tmp_path):
    assert str(totals.read(tmp_path / "missing.xml")) == "0 passed, 0 failed"


class TestMeasured:
    @pytest.fixture
    def environment(self, tmp_path, monkeypatch):
        monkeypatch.setattr(measured, "_coverage", lambda _arguments, _environment: 0)
        monkeypatch.setattr(measured, "limits", lambda: (95.0, ["approvals/services/*.py"]))
        return {"COVERAGE_FILE": str(tmp_path / "coverage")}

    def missed(self, environment, total, complete):
        files = f'{{"approvals/services/a.py": {{"summary": {{"percent_covered": {complete}}}}}}}'
        report = f'{{"totals": {{"percent_branches_covered": {total}}}, "files": {files}}}'
        Path(environment["COVERAGE_FILE"] + "-report.json").write_text(report)
        return measured.failures(environment, tell=lambda _sentence: None)

    def test_enough_is_enough(self, environment):
        assert self.missed(environment, 95, 100) == []
        assert measured.summary(environment) == "Branch coverage 95.0 %."

    def test_too_little_is_named(self, environment):
        assert self.missed(environment, 94.9, 100) == ["branch coverage is 94.9 %, below 95.0 %"]

    def test_what_moves_money_must_be_complete(self, environment):
        assert self.missed(environment, 99, 99.5) == [
            "approvals/services/a.py must be completely covered, and is to 99.5 %"
        ]

    def test_a_module_that_is_gone_is_noticed(self, environment, monkeypatch):
        monkeypatch.setattr(measured, "limits", lambda: (95.0, ["audit/gone.py"]))

        assert "no measured file is called so" in self.missed(environment, 99, 100)[0]

    def test_a_failing_tool_is_a_failure(self, environment, monkeypatch):
        monkeypatch.setattr(measured, "_coverage", lambda _arguments, _environment: 1)

        assert measured.failures(environment, tell=print) == ["coverage combine ended with code 1"]
        assert measured.summary(environment) == "Coverage was not measured."


def test_without_a_browser_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)

    with pytest.raises(chromium.NoBrowserError, match="apt-get install chromium"):
        chromium.find_or_install()

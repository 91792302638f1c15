"""The alert rules that readers take home: promtool's verdict, and that all parts fit together."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "chapters" / "monitoring" / "take-home"
RULES = FOLDER / "alert-rules.yml"
HOURS = {"m": 1 / 60, "h": 1, "d": 24}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed"
)


def promtool(*arguments, cwd=FOLDER):
    return subprocess.run(
        ["promtool", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120
    )


def rules(key):
    """Rules with a key (alert or record), by its value."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule[key]: rule for group in groups for rule in group["rules"] if key in rule}


@needs_promtool
def test_promtool_accepts_the_rules():
    done = promtool("check", "rules", RULES.name)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.test.yml")), ids=lambda path: path.name)
def test_the_rules_ring_when_they_should(path):
    done = promtool("test", "rules", path.name)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("and score:error_ratio:rate5m > 14.4 * 0.001", ""),  # nothing ends the page in time
        ("rate1h > 14.4 * 0.001", "rate1h > 144 * 0.001"),
        ("rate6h > 6 * 0.001", "rate6h > 60 * 0.001"),
        ("or absent(score_requests_total)", ""),
    ],
)
def test_a_wrong_rule_fails_its_tests(good, bad, tmp_path):
    text = RULES.read_text(encoding="utf-8")
    assert good in text
    (tmp_path / RULES.name).write_text(text.replace(good, bad), encoding="utf-8")
    shutil.copy(FOLDER / "alert-rules.test.yml", tmp_path)
    assert promtool("test", "rules", "alert-rules.test.yml", cwd=tmp_path).returncode != 0


def test_each_factor_follows_from_its_share_of_the_budget():
    shares = {"ScoreErrorsFastBurn": 0.02, "ScoreErrorsSlowBurn": 0.05}
    shares["ScoreErrorsBudgetAtRisk"] = 0.10
    for name, share in shares.items():
        found = re.findall(r"rate(\d+)([mhd]) > ([\d.]+) \* 0\.001", rules("alert")[name]["expr"])
        (long, short), factors = zip(*[(w[:2], float(w[2])) for w in found], strict=True)
        hours = [int(number) * HOURS[unit] for number, unit in (long, short)]
        assert factors == (pytest.approx(share * 720 / hours[0]),) * 2
        assert hours[0] / hours[1] == pytest.approx(12)


def test_each_recorded_ratio_has_the_window_of_its_name():
    for name, rule in rules("record").items():
        window = name.rpartition("rate")[2]
        assert set(re.findall(r"\[(\w+)\]", rule["expr"])) == {window}


def test_each_alert_leads_to_a_section_of_the_runbook():
    text = (FOLDER / "runbook.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.M)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    for name, rule in rules("alert").items():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "runbook.md"
        assert anchor in anchors, anchor
        section = text.lower().split(f"## {anchor.replace('-', ' ')}\n")[1].split("\n## ")[0]
        assert name.lower() in section

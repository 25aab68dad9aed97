"""`pointsman simulate`: figures, comparisons, pictures, and mistakes in words."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.delivery.settings import DeliverySettings
from pointsman.simulation.run import Scenario, simulate, simulate_trace
from pointsman.simulation.virtual_time import EPOCH
from pointsman.simulation.workload import WorkloadNumbers
from tests.support.change_factory import change, topic, wants

SHORT = ["simulate", "--learners", "20", "--minutes", "0.5"]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*SHORT, *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def reports(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--json"))
    return found


def test_one_call_compares_numbers_of_learners_and_settings() -> None:
    found = reports("--learners", "10,30", "--what-if", "economy=thrifty")
    assert [(one["name"], one["learners"]) for one in found] == [
        ("as it is, 10 learners", 10),
        ("as it is, 30 learners", 30),
        ("economy=thrifty, 10 learners", 10),
        ("economy=thrifty, 30 learners", 30),
    ]
    assert found[3]["requests_per_second"] < found[1]["requests_per_second"] * 0.7
    assert found[1]["progress"]["p50"] < 1 < found[3]["progress"]["p50"]


def test_who_asks_for_less_fresh_progress_is_sent_less() -> None:
    counts = []
    for seconds in (30, 90):
        delivery = DeliverySettings(economy="thrifty", fresh_within_seconds=seconds)
        scenario = Scenario(WorkloadNumbers(learners=10), delivery=delivery, duration=300)
        counts.append(simulate(scenario).platform.counts.requests)
    assert counts[1] < counts[0] * 0.7


def test_the_table_says_how_fresh_progress_is() -> None:
    printed = run("--wide", "--what-if", "fresh_within_seconds=0.1")
    assert "yes" in printed
    assert "not within 0.1 s" in printed


def test_an_outage_shows_in_the_figures() -> None:
    calm, bad = reports(), reports("--outage", "5:10")
    assert calm[0]["progress"]["longest"] < 10 < bad[0]["progress"]["longest"] + 5
    assert bad[0]["by_class"]["nothing"] > 0


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_it_is_drawn(ending: str, tmp_path: Path) -> None:
    picture = tmp_path / f"it.{ending}"
    run("--picture", str(picture))
    head = picture.read_bytes()[:500]
    assert head.startswith(b"\x89PNG") if ending == "png" else b"<svg" in head


def test_without_matplotlib_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = CliRunner().invoke(app, [*SHORT, "--picture", str(tmp_path / "it.svg")])
    assert "pip install 'pointsman[simulate]'" in str(result.exception) + result.output
    assert result.exit_code != 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--heartbeat", "30-10"], "two with a dash, such as 10-30"),
        (["--latency", "fast"], "such as 0.1-2"),
        (["--latency", "1-"], "such as 0.1-2"),
        (["--competitor", "2"], "a number from 0 to 1"),
        (["--outage", "5"], "is not AT:SECONDS, in seconds, such as 600:60"),
        (["--outage", "5:-3"], "such as 600:60"),
        (["--outage", "nan:5"], "such as 600:60"),
        (["--refusals", "5:0"], "such as 600:60"),
        (["--burst", "5:10"], "is not AT:SECONDS:FACTOR, such as 600:300:5"),
        (["--burst", "5:10:0"], "such as 600:300:5"),
        (["--learners", "2.5"], "such as 2000,5000,10000"),
        (["--learners", ",5"], "such as 2000,5000,10000"),
        (["--what-if", "share"], "SETTING=VALUE, such as share=0.5"),
        (["--what-if", "share=x"], "share=x: Input should be a valid number"),
        (["--what-if", "speed=9"], "SETTING is one of"),
        (["--what-if", "share=2"], "share=2"),
        (["--picture", "it.gif"], "must end in .svg or .png"),
        (["--trace", "2h"], "needs --config"),
    ],
)
def test_a_mistake_names_the_option(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, [*SHORT, *arguments])
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())
    assert arguments[0] in result.output


def test_recorded_input_is_played_at_the_pace_of_then() -> None:
    start = round(EPOCH * 1e6) - 86_400_000_000
    submissions = [
        wants(change(f"l{number % 3}", topic(f"t{number}"), 100), at=start + number * 2_000_000)
        for number in range(10)
    ]
    outcome = simulate_trace(Scenario(), submissions)
    assert outcome.learners == 3
    assert outcome.duration == 18
    assert list(outcome.recorder.completions.seconds) == pytest.approx([0.15] * 10, abs=0.01)
    assert outcome.naive_requests == 10

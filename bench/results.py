"""Keeps what was measured in bench/results.json, and its tables in docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
RESULTS, PAGE = _ROOT / "bench" / "results.json", _ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, the least and the most, and how many rounds."""

    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, measured: Sequence[float]) -> Spread:
        rounded = [round(value, 2) for value in measured]
        median = round(statistics.median(measured), 2)
        return cls(median, min(rounded), max(rounded), len(rounded))


def record(
    title: str, reference: str, taken: Mapping[str, Spread], *, command: str, unit: str = "µs"
) -> None:
    """Print a table, keep it under its title, and write the page anew."""
    kept: dict[str, Any] = (
        json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    )
    kept[title] = {
        "reference": reference,
        "command": command,
        "at": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "load": round(os.getloadavg()[1], 1),
        "unit": unit,
        "values": {name: asdict(spread) for name, spread in taken.items()},
    }
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join(table(title, kept[title])), flush=True)
    if PAGE.exists():
        PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


def page_with(page: str, kept: Mapping[str, Any]) -> str:
    """The page, with these tables in place of those between the two marks."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    tables = "\n\n".join("\n".join(table(title, result)) for title, result in kept.items())
    return f"{before}{_BEGIN}\n\n{tables}\n\n{_END}{after}"


def table(title: str, result: Mapping[str, Any]) -> list[str]:
    """As Markdown: how often the reference fits into each, and what was measured."""
    rows: Mapping[str, Mapping[str, float]] = result["values"]
    reference = rows[result["reference"]]["median"]
    rounds = {int(row["rounds"]) for row in rows.values()}
    lines = [
        f"### {title}",
        "",
        _how(result, min(rounds)),
        "",
        f"| | ratio | {result['unit']} | least and most |",
        "| --- | --- | --- | --- |",
    ]
    for name, row in rows.items():
        shown = f"{row['median']:,.4g} | {row['least']:,.4g} to {row['most']:,.4g}"
        lines.append(f"| {name} | {row['median'] / reference:.2f} | {shown} |")
    return lines


def _how(result: Mapping[str, Any], rounds: int) -> str:
    """With what, when and where it was measured."""
    command, machine_then = result["command"], result["machine"]
    load = f", a load of {result['load']:g}" if "load" in result else ""
    return f"`{command}`, {result['at']}, {machine_then}{load}, medians of {rounds} rounds."


def machine() -> str:
    """What it was measured on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.system()}, {python}"

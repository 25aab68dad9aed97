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
    """Print a table, keep it under its title, and write the page anew.

    `title` is a subject and what of it was measured, as in "HTTP intake: CPU of a statement".
    """
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
    subject, _, what = title.partition(": ")
    print("\n".join(table(subject, {what: kept[title]})), flush=True)
    if PAGE.exists():
        PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


def page_with(page: str, kept: Mapping[str, Any]) -> str:
    """The page, with these tables in place of those between the two marks.

    Results of one bench that have the same rows become one table: CPU beside time.
    """
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    grouped: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for title, result in kept.items():
        subject, _, what = title.partition(": ")
        grouped.setdefault((subject, tuple(result["values"])), {})[what] = result
    tables = "\n\n".join(
        "\n".join(table(subject, results)) for (subject, _), results in grouped.items()
    )
    return f"{before}{_BEGIN}\n\n{tables}\n\n{_END}{after}"


def table(subject: str, results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """As Markdown, with two columns for each result: what was measured, and its ratio.

    All results, by what they are of, have the same rows.
    """
    first = next(iter(results.values()))
    rounds = min(int(row["rounds"]) for row in first["values"].values())
    heads = [f"{what}, {result['unit']} | ratio" for what, result in results.items()]
    lines = [
        f"### {subject}",
        "",
        _how(first, rounds),
        "",
        f"| | {' | '.join(heads)} |",
        f"| --- |{' --- |' * 2 * len(heads)}",
    ]
    for name in first["values"]:
        cells = [_cells(result, name) for result in results.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _cells(result: Mapping[str, Any], name: str) -> str:
    rows: Mapping[str, Mapping[str, float]] = result["values"]
    row, reference = rows[name], rows[result["reference"]]["median"]
    spread = f"{row['least']:,.4g} to {row['most']:,.4g}"
    return f"{row['median']:,.4g} ({spread}) | {row['median'] / reference:.2f}"


def _how(result: Mapping[str, Any], rounds: int) -> str:
    """With what, when and where it was measured."""
    command, machine_then = result["command"], result["machine"]
    load = f", a load of {result['load']:g}" if "load" in result else ""
    return (
        f"`{command}`, {result['at']}, {machine_then}{load}; medians of {rounds} rounds, with the "
        "least and the most."
    )


def machine() -> str:
    """What it was measured on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.system()}, {python}"

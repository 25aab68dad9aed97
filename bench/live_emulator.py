"""The emulator in a process of its own, at a quota that nobody uses up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import free_port, pointsman
from demo.readback import log_in
from demo.scenario import API_KEY, PASSWORD

#: points and requests a minute
PLENTY = 1_000_000_000
_COURSES, _TOPICS = 7, 5


@contextmanager
def emulator_with(folder: Path, learners: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Its port, and a token of each learner: `known0@example.com` and on.

    Course `c0` has the topics `topic_t0` to `topic_t4`.
    """
    port = free_port()
    emails = [f"known{number}@example.com" for number in range(learners)]
    catalogue = folder / "catalogue.toml"
    _write_catalogue(catalogue, emails)
    address = f"http://127.0.0.1:{port}"
    arguments = ["emulate", "--port", str(port), "--api-key", API_KEY, "--catalogue"]
    arguments += [str(catalogue), "--points-per-minute", str(PLENTY)]
    arguments += ["--requests-per-minute", str(PLENTY)]
    with pointsman(arguments, folder / "emulator.log", f"{address}/emulator/state"):
        yield port, asyncio.run(log_in(f"{address}/helium", emails))


def _write_catalogue(path: Path, emails: list[str]) -> None:
    lines = []
    for email in emails:
        lines += ["[[learners]]", f'id = "{email}"', f'email = "{email}"']
        lines += [f'password = "{PASSWORD}"']
    for number in range(_COURSES):
        lines += ["[[courses]]", f'id = "i{number}"', f'slug = "c{number}"', f'title = "{number}"']
        lines += ["[[courses.lessons]]", f'id = "l{number}"', f'title = "{number}"', "topics = ["]
        names = [f"topic_t{topic}" for topic in range(_TOPICS)]
        topics = names if number == 0 else [f"none{number}"]
        lines += [
            f'  {{ id = "{name}", title = "{name}", type = "xApiObject" }},' for name in topics
        ]
        lines += ["]"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

"""Judges what answers at our own addresses: the public one, and that of operators. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pointsman.doctor.findings import Finding, fail, ok, warn

_PUBLIC, _OPERATOR = "public URL", "operator listener"


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What answered at `url`, which `setting` has. `installation` is what it says it is of.

    `problem` is why there is no answer, "" with one; `metrics` whether it shows them there.
    """

    url: str
    setting: str
    problem: str = ""
    status: int = 0
    installation: str = ""
    shows_metrics: bool = False


def judge_public(facts: PublicFacts, ours: str) -> Iterator[Finding]:
    """`ours` is the name of this store's installation."""
    if facts.problem:
        yield fail(
            _PUBLIC,
            f"nothing answers at {facts.url}: {facts.problem}",
            f"see the proxy and the DNS name in front, or correct {facts.setting}",
        )
    elif not facts.installation:
        yield fail(
            _PUBLIC,
            f"what answers at {facts.url} (HTTP {facts.status}) is not pointsman",
            f"let the proxy in front pass that path on to http.port, or correct {facts.setting}",
        )
    elif facts.installation != ours:
        yield fail(
            _PUBLIC,
            f"{facts.url} leads to another installation of pointsman than that of store.url",
            f"correct {facts.setting} or the proxy, or use the configuration of the daemon there",
        )
    else:
        yield ok(_PUBLIC, f"{facts.url} leads to this installation")
        if facts.shows_metrics:
            yield warn(
                _PUBLIC,
                f"{facts.url}/metrics is open to whoever reaches that address",
                "give metrics, probes and launches a port of their own: [http.operator]",
            )


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """What /readyz answered at `url`; `reason` is why it is not ready, "" when it is."""

    url: str
    problem: str = ""
    is_pointsman: bool = False
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def judge_operator(facts: OperatorFacts) -> Iterator[Finding]:
    if facts.problem:
        yield fail(
            _OPERATOR,
            f"nothing answers at {facts.url}: {facts.problem}",
            "see that `pointsman run` runs on this machine with this configuration; its log's last "
            "line says why not",
        )
    elif not facts.is_pointsman:
        yield fail(
            _OPERATOR,
            f"what answers at {facts.url} is not pointsman",
            "give http.port, or http.operator.port, a port that nothing else has",
        )
    elif facts.reason:
        yield fail(
            _OPERATOR,
            f"the daemon at {facts.url} takes no statements: {facts.reason}",
            "as the reason says; it asks again each second, and goes on by itself",
        )
    else:
        yield ok(_OPERATOR, f"the daemon at {facts.url} takes statements")
    for part, words in facts.details.items():
        yield warn(
            _OPERATOR,
            f"{part}: {words}",
            "see docs/runbook.md, or `pointsman help runbook`; /readyz shows when it is over",
        )

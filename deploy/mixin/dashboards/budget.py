"""The platform's quota: what is left, what is spent, and what the platform says to it."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.mixin.panels import CHOSEN, WINDOW, Panel, Query, dashboard, graph, number
from deploy.mixin.queries import increase, least, quantile, rate, shared

_CHOSEN = f"{{{CHOSEN}}}"


def budget() -> Dashboard:
    return dashboard(
        "budget",
        "The platform's quota of requests and points: ours, and what others eat of it.",
        [
            ("This window", _window()),
            ("Spending", _spending()),
            ("The platform", _platform()),
            ("Reading back", _audit()),
        ],
    )


def _left(what: str) -> str:
    return least(f"pointsman_{what}_left{_CHOSEN}")


def _limit(what: str) -> str:
    return shared(f"pointsman_{what}_limit{_CHOSEN}")


def _window() -> list[Panel]:
    return [
        number(
            "Requests left",
            "Of our share of this window; 0 while the platform wants to be left alone.",
            "short",
            _left("requests"),
        ),
        number(
            "Points left",
            "Of our share of this window, or what the platform's headers say is left, if less.",
            "short",
            _left("points"),
        ),
        number(
            "Requests a window",
            "What platform.limits allows us in a whole window.",
            "short",
            _limit("requests"),
        ),
        number(
            "Points a window",
            "What platform.limits allows us in a whole window.",
            "short",
            _limit("points"),
        ),
        number(
            "429 in the last hour",
            "The platform turned requests away: another client spends the same quota.",
            "short",
            increase(f'pointsman_deliveries_total{{{CHOSEN},answer="throttled"}}', "1h"),
            steps=[(1, "red")],
        ),
        number(
            "Waiting for",
            "Age of the oldest change that waits: with nothing left of the quota, it is why.",
            "s",
            shared(f"pointsman_oldest_dirty_seconds{_CHOSEN}"),
            steps=[(300, "orange"), (900, "red")],
        ),
        *(
            graph(
                f"{what.capitalize()} left of a window",
                "At 0 the quota is the limit: raise platform.limits.share, or wait.",
                "short",
                Query(_left(what), "left"),
                Query(_limit(what), "a whole window"),
            )
            for what in ("requests", "points")
        ),
    ]


def _spending() -> list[Panel]:
    return [
        *(
            graph(
                f"{what.capitalize()} a minute",
                "Spent on delivery. The platform counts them in fixed windows of a minute.",
                "short",
                Query(f"60 * {rate(f'pointsman_{what}_spent_total{_CHOSEN}', WINDOW)}", "spent"),
                width=8,
            )
            for what in ("requests", "points")
        ),
        graph(
            "Mutations a request",
            "The more of them share a request, the further the quota goes.",
            "short",
            Query(
                f"{rate(f'pointsman_mutations_total{_CHOSEN}', WINDOW)}"
                f" / {rate(f'pointsman_requests_spent_total{_CHOSEN}', WINDOW)}",
                "mutations",
            ),
            width=8,
        ),
    ]


def _platform() -> list[Panel]:
    troubles = 'answer=~"throttled|token_refused|key_refused|unreachable"'
    return [
        graph(
            "Time of a request to the platform",
            "Without the wait for the quota.",
            "s",
            *(
                Query(
                    quantile(part, "pointsman_platform_seconds", WINDOW, selector=_CHOSEN),
                    f"{part:.0%}",
                )
                for part in (0.5, 0.95, 0.99)
            ),
        ),
        graph(
            "Answers that are no good",
            "Learners' turns that the platform turned away, or left without an answer.",
            "cps",
            Query(
                rate(f"pointsman_deliveries_total{{{CHOSEN},{troubles}}}", WINDOW, "answer"),
                "{{answer}}",
            ),
            stacked=True,
        ),
    ]


def _audit() -> list[Panel]:
    findings = f"pointsman_audit_findings_total{_CHOSEN}"
    return [
        graph(
            "What the platform shows of what was delivered",
            "Read back with what delivery leaves of the quota. drift was sent twice.",
            "cps",
            Query(rate(findings, WINDOW, "result"), "{{result}}"),
            stacked=True,
            width=24,
        )
    ]

"""From what comes in to what the platform has, and how long it takes."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.mixin.objective import BURNS, PERIOD, TARGET, late
from deploy.mixin.panels import CHOSEN, OF_SOURCE, WINDOW, Panel, Query, dashboard, graph, number
from deploy.mixin.queries import quantile, rate, shared

#: of the recording rules, which have no instance
_RULES = '{namespace=~"$namespace"}'
_RED = "red"
_ORANGE = "orange"


def flow() -> Dashboard:
    return dashboard(
        "flow",
        "Learning progress on its way to the platform: what comes in, what waits, what arrives.",
        [
            ("Is all well?", _is_all_well()),
            ("What comes in", _inputs()),
            ("What waits", _waiting()),
            ("What arrives", _arriving()),
            ("Completions on the platform within 60 s, 99.9 % over 30 days", _objective()),
        ],
    )


def _desired(state: str) -> str:
    return shared(f'pointsman_desired{{{CHOSEN},state="{state}"}}', "kind")


def _is_all_well() -> list[Panel]:
    return [
        number(
            "Oldest undelivered",
            "Age of the oldest change that is dirty and not parked.",
            "s",
            shared(f"pointsman_oldest_dirty_seconds{{{CHOSEN}}}"),
            steps=[(300, _ORANGE), (900, _RED)],
        ),
        number(
            "Dirty",
            "Desired states that wait to be sent.",
            "short",
            f"sum({_desired('dirty')})",
        ),
        number(
            "Parked",
            "Desired states that need a cure outside, such as a token. `pointsman parked list`.",
            "short",
            f"sum({_desired('parked')})",
            steps=[(1, _ORANGE)],
        ),
        number(
            "Dead letters",
            "Inputs that could not be understood. `pointsman dead-letters list`.",
            "short",
            shared(f"pointsman_dead_letters{{{CHOSEN}}}"),
            steps=[(1, _ORANGE)],
        ),
        number(
            "Unmatched",
            "Statements that no rule takes. `pointsman unmatched`.",
            "short",
            shared(f"pointsman_unmatched{{{CHOSEN}}}"),
        ),
        number(
            "Platform",
            "1 while the platform is taken to be out.",
            "short",
            shared(f"pointsman_platform_out{{{CHOSEN}}}"),
            steps=[(1, _RED)],
        ),
    ]


def _inputs() -> list[Panel]:
    series = f"pointsman_inputs_total{{{OF_SOURCE}}}"
    return [
        graph(
            "Inputs by what became of them",
            "applied moved desired state; refused, duplicate and conflict are not in the books.",
            "cps",
            Query(rate(series, WINDOW, "result"), "{{result}}"),
            stacked=True,
        ),
        graph(
            "Inputs by source",
            "All that a source sent, whatever became of it.",
            "cps",
            Query(rate(series, WINDOW, "source"), "{{source}}"),
            stacked=True,
        ),
    ]


def _waiting() -> list[Panel]:
    return [
        graph(
            "Dirty by kind",
            "Desired states that wait to be sent. Bounded by learners and topics, not by traffic.",
            "short",
            Query(_desired("dirty"), "{{kind}}"),
            stacked=True,
        ),
        graph(
            "Parked by kind",
            "Desired states that only a cure outside frees.",
            "short",
            Query(_desired("parked"), "{{kind}}"),
            stacked=True,
        ),
    ]


def _arriving() -> list[Panel]:
    deliveries = f"pointsman_deliveries_total{{{CHOSEN}}}"
    mutations = f"pointsman_mutations_total{{{CHOSEN}}}"
    latency = "pointsman_arrival_to_platform_seconds"
    return [
        graph(
            "Learners' turns by the platform's answer",
            "answered is good; throttled means that others spend the quota too.",
            "cps",
            Query(rate(deliveries, WINDOW, "answer"), "{{answer}}"),
            stacked=True,
            width=8,
        ),
        graph(
            "Mutations by verdict",
            "refused parks the state; unknown is sent again.",
            "cps",
            Query(rate(mutations, WINDOW, "verdict"), "{{verdict}}"),
            stacked=True,
            width=8,
        ),
        graph(
            "From arrival to the platform's yes",
            "Of each state, from its first undelivered change. The points are statements.",
            "s",
            *(
                Query(
                    quantile(part, latency, WINDOW, selector=f"{{{CHOSEN}}}"),
                    f"{part:.0%}",
                    exemplars=True,
                )
                for part in (0.5, 0.95, 0.99)
            ),
            width=8,
        ),
    ]


def _objective() -> list[Panel]:
    completions = "pointsman_completion_delivery_seconds"
    return [
        number(
            "Error budget left",
            "Of the completions of 30 days, one in a thousand may take longer than 60 s.",
            "percentunit",
            f"1 - {late(PERIOD)}{_RULES} / {1 - TARGET:.3g}",
            width=6,
        ),
        graph(
            "Burn rate",
            "1 uses the budget up in 30 days; 14.4 over an hour pages.",
            "short",
            *(Query(f"{late(burn.long)}{_RULES} / {1 - TARGET:.3g}", burn.long) for burn in BURNS),
            width=9,
        ),
        graph(
            "Completions, from arrival to the platform's yes",
            "Waiting for a token counts too. The points are statements.",
            "s",
            *(
                Query(
                    quantile(part, completions, WINDOW, selector=f"{{{CHOSEN}}}"),
                    f"{part:.1%}",
                    exemplars=True,
                )
                for part in (0.5, 0.99, 0.999)
            ),
            width=9,
        ),
    ]

"""Who sends, what they are answered, and which rules they break."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.mixin.panels import CHOSEN, OF_SOURCE, WINDOW, Panel, Query, dashboard, graph
from deploy.mixin.queries import quantile, rate

_REQUESTS = f"pointsman_http_requests_total{{{OF_SOURCE}}}"
_CALLBACKS = 'route=~"/webhooks/.*|/scorm-cloud/.*"'


def _inputs(result: str) -> str:
    series = f'pointsman_inputs_total{{{OF_SOURCE},result=~"{result}"}}'
    return rate(series, WINDOW, "source", "result")


def players() -> Dashboard:
    return dashboard(
        "players",
        "The senders: how much they send, what they are answered, what they do wrong.",
        [
            ("What they send", _sent()),
            ("What is wrong with it", _wrong()),
            ("Who is not let in", _refused()),
        ],
    )


def _sent() -> list[Panel]:
    return [
        graph(
            "HTTP requests by source",
            "Requests of which the sender is known.",
            "reqps",
            Query(rate(_REQUESTS, WINDOW, "source"), "{{source}}"),
            stacked=True,
            width=8,
        ),
        graph(
            "Answers by status",
            "2xx means stored; 4xx is the sender's to mend, 5xx ours.",
            "reqps",
            Query(rate(_REQUESTS, WINDOW, "status"), "{{status}}"),
            stacked=True,
            width=8,
        ),
        graph(
            "Time to answer, 95 of 100 requests",
            "A statement is answered after its commit.",
            "s",
            Query(
                quantile(0.95, "pointsman_http_seconds", WINDOW, "route", selector=f"{{{CHOSEN}}}"),
                "{{route}}",
            ),
            width=8,
        ),
    ]


def _wrong() -> list[Panel]:
    return [
        graph(
            "Statements turned away",
            "Invalid, or not the launch's to say. The answer names the field.",
            "cps",
            Query(_inputs("refused"), "{{source}}"),
            width=8,
        ),
        graph(
            "Taken, and of no use",
            "Dead letters and unmatched statements are kept; conflicts are not.",
            "cps",
            Query(_inputs("dead|unmatched|conflict"), "{{source}} {{result}}"),
            width=8,
        ),
        graph(
            "Rules of cmi5 that players broke",
            "What they said was taken all the same.",
            "cps",
            Query(rate(f"pointsman_cmi5_oddities_total{{{CHOSEN}}}", WINDOW, "kind"), "{{kind}}"),
            width=8,
        ),
    ]


def _refused() -> list[Panel]:
    requests = f"pointsman_http_requests_total{{{CHOSEN}"
    return [
        graph(
            "401 and 403 by route",
            "A wrong or expired credential, or something that the launch does not cover.",
            "reqps",
            Query(rate(f'{requests},status=~"401|403"}}', WINDOW, "route"), "{{route}}"),
        ),
        graph(
            "Callbacks by status",
            "Webhooks and postbacks: after a 401 mend the secret; the sender repeats for hours.",
            "reqps",
            Query(
                rate(f"{requests},{_CALLBACKS}}}", WINDOW, "route", "status"),
                "{{route}} {{status}}",
            ),
        ),
    ]

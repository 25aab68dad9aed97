"""What a configuration means, in plain words for whoever has to answer for it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pointsman.cli.config_summary_adapters import postbacks, webhook
from pointsman.config import Credential, HttpSource, KafkaSource, Rule, Settings
from pointsman.config.launches import Launches
from pointsman.config.server import Store
from pointsman.domain.records import Falls
from pointsman.domain.target_kinds import TARGET_KINDS

_COMPLETES = {
    "completed": "when it is completed",
    "passed": "when it is passed",
    "completed_or_passed": "when it is completed or passed",
    "completed_and_passed": "when it is completed and passed, in any order",
}
_SATISFIED = {
    "Passed": "it is passed",
    "Completed": "it is completed",
    "CompletedAndPassed": "it is completed and passed, in any order",
    "CompletedOrPassed": "it is completed or passed",
    "NotApplicable": "anything is said of it",
}
_FALLS = {
    Falls.NEVER: "progress never falls",
    Falls.NEW_ATTEMPT: "progress starts anew with a new registration",
    Falls.ALWAYS: "progress may fall: the newest statement wins",
}


def explain(settings: Settings) -> Iterator[tuple[str, list[str]]]:
    """Headings with their lines. No secret is in them."""
    yield "What comes in", [*_listening(settings), *_senders(settings)]
    yield "What becomes of it", [_rule(rule) for rule in settings.rules] or ["There are no rules."]
    yield "Who is who", list(_learners(settings))
    yield "Where it goes, and at what pace", list(_delivery(settings))
    yield "What is kept", [_kept(settings.store)]


def _kept(store: Store) -> str:
    if store.is_shared:
        return (
            f"Everything accepted, in {store.url}, which any number of replicas may share; each "
            f"opens up to {store.connections} connections."
        )
    return f"Everything accepted, in {store.path}, by this one daemon."


def _listening(settings: Settings) -> Iterator[str]:
    http = settings.http
    yield (
        f"HTTP on {http.host}:{http.port}: xAPI at /xapi/statements, up to "
        f"{http.max_statements:,} statements and {http.max_body_bytes:,} bytes a request."
    )
    if http.kafka is not None:
        yield (
            f"What comes over HTTP is written to the Kafka topic {http.kafka.topic}, and answered "
            "when every replica of it has it; whoever reads that topic stores it."
        )
    if http.cors_origins:
        yield f"Web pages may send from {_and(http.cors_origins)}."


def _senders(settings: Settings) -> Iterator[str]:
    sources = settings.sources
    if settings.launches is not None:
        yield from _launches(settings.launches)
    elif not (sources.http or sources.scorm_cloud or sources.webhooks):
        yield "Nobody may send over HTTP; it serves probes and metrics."
    yield from map(_http_source, sources.http)
    yield from map(postbacks, sources.scorm_cloud)
    yield from map(webhook, sources.webhooks)
    yield from map(_kafka_source, sources.kafka)


def _launches(launches: Launches) -> Iterator[str]:
    yield (
        f"Players are launched by POST {launches.public_url.rstrip('/')}/launches with "
        f"{_and(map(_credential, launches.operators))}; a launch is good for "
        f"{launches.lifetime_hours:g} hours unless it says otherwise, and "
        f"{launches.max_lifetime_hours:g} at most."
    )


def _http_source(source: HttpSource) -> str:
    return f"{source.name} sends over HTTP with {_and(map(_credential, source.credentials))}."


def _credential(credential: Credential) -> str:
    return "a bearer token" if credential.key is None else f'the key "{credential.key}"'


def _kafka_source(source: KafkaSource) -> str:
    security = source.security
    how = "unencrypted" if security.protocol.endswith("PLAINTEXT") else "over TLS"
    who = f" as {security.username} ({security.sasl_mechanism})" if security.username else ""
    return (
        f"{source.name} is read from Kafka at {_and(source.bootstrap_servers)}: topics "
        f"{_and(source.topics)}, group {source.group_id}, {how}{who}."
    )


def _rule(rule: Rule) -> str:
    verbs = f"with the verb {_or(rule.verbs)} " if rule.verbs else ""
    types = f"of the type {_or(rule.activity_types)} " if rule.activity_types else ""
    acts: list[str] = []
    if rule.topic_id is not None:
        acts.append(f"sets the progress of topic {rule.topic_id}{_how_far(rule)}")
    if rule.course is not None:
        by, template = rule.course
        course = f"the course with {by} {template}"
        if rule.course_started:
            acts.append(f"starts {course}")
            course = "it"
        if rule.course_completed != "never":
            acts.append(f"completes {course} {_completes(rule)}")
        if by == "id":
            course = f"the course with id {template}"
            acts.append(f"archives or reinstates {course} when the verb says so")
    acts += [
        kind.summary.format(name)
        for kind in TARGET_KINDS.values()
        if kind.summary and (name := getattr(rule, kind.settings[0])) is not None
    ]
    falls = f"; {_FALLS[rule.falls]}" if rule.topic_id is not None else ""
    does = _and(acts) or "changes nothing"
    return f"{rule.name}: a statement {verbs}about {rule.activity} {types}{does}{falls}."


def _how_far(rule: Rule) -> str:
    how = ", from the score if need be" if rule.score_is_progress else ""
    if rule.slides is not None:
        listed = f", as {rule.tincan_xml} lists them," if rule.tincan_xml else ""
        how += f" to the share of its {rule.slides:,} slides{listed} that were experienced"
    if rule.move_on is not None:
        how += f", to 100 only once {_SATISFIED[rule.move_on]} (moveOn {rule.move_on})"
    return how


def _completes(rule: Rule) -> str:
    if rule.course_parts == 1:
        return _COMPLETES[rule.course_completed]
    words = _COMPLETES[rule.course_completed].removeprefix("when it is ")
    return f"when {rule.course_parts:,} different activities are {words}"


def _learners(settings: Settings) -> Iterator[str]:
    yield "A mailbox is the learner with that address, in lower case."
    for account in settings.learners.accounts:
        yield f"An account of {account.home_page} is the learner {account.learner}."
    tokens = settings.learners.tokens
    if tokens.inline is not None:
        yield f"authTokens of {len(tokens.inline):,} learners stand in the configuration."
    elif tokens.file is not None:
        yield f"authTokens are read from {tokens.file}, and again when it changes."
    elif tokens.service is not None:
        yield f"authTokens are fetched from {tokens.service.url}."
    elif tokens.login is not None:
        yield f"Learners are logged in with the passwords in {tokens.login.passwords_file}."
    if settings.launches is not None:
        first = "come with launches alone" if tokens.launches else "that launches bring go first"
        yield f"authTokens {first}, kept in the store, encrypted."
    if tokens.kind in {"service", "login"}:
        kept = "kept in the store, encrypted" if tokens.encryption_keys else "kept in memory only"
        yield f"Fetched authTokens are {kept}."
    yield "State of a learner without a token is parked until there is one."


def _delivery(settings: Settings) -> Iterator[str]:
    limits, delivery = settings.platform.limits, settings.delivery
    points, requests = limits.usable_points, limits.usable_requests
    yield f"To {settings.platform.url}, up to {delivery.concurrency} requests at once."
    yield (
        f"At most {requests:,} of {limits.requests_per_minute:,} requests and {points:,} of "
        f"{limits.points_per_minute:,} points a minute; {limits.requests_per_minute - requests:,} "
        f"requests and {limits.points_per_minute - points:,} points stay for the site."
    )
    pace = delivery.progress_interval_seconds
    partial = f"at most every {pace:g} s" if pace else "at once"
    yield f"A learner's partial progress goes {partial}, completions at once."
    yield f"After {delivery.max_failures} failures a piece of state is parked."


def _and(words: Iterable[str]) -> str:
    return _join(list(words), "and")


def _or(words: Sequence[str]) -> str:
    return _join(list(words), "or")


def _join(words: list[str], last: str) -> str:
    *first, final = words or [""]
    return f"{', '.join(first)} {last} {final}" if first else final

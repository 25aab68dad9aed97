"""The meaning of a configuration in plain words, as `pointsman check` prints it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pointsman.config import Settings
from pointsman.config.confirmations import ConfirmationSettings
from pointsman.config.rules import RuleSettings
from pointsman.config.scorm_cloud import ScormCloudSettings
from pointsman.config.webhooks import WebhookSettings
from pointsman.domain.records import Falls
from pointsman.domain.target_kinds import TARGET_KINDS
from pointsman.setting_types import listed
from pointsman.sources.http.settings import HttpSettings, HttpSourceSettings
from pointsman.sources.settings import CredentialSettings, LaunchSettings
from pointsman.store.settings import StoreSettings

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
    Falls.NEW_ATTEMPT: "progress starts again with a new registration",
    Falls.ALWAYS: "progress may fall: the newest statement wins",
}


def explain(settings: Settings) -> Iterator[tuple[str, list[str]]]:
    """Headings with their lines. No secret is in them."""
    yield "What comes in", [*_listening(settings), *_senders(settings)]
    yield "What becomes of it", [_rule(rule) for rule in settings.rules] or ["There are no rules."]
    yield "Who is who", list(_learners(settings))
    yield "Where it goes, and at what pace", list(_delivery(settings))
    yield "What is kept", [_storage(settings.store)]


def _storage(store: StoreSettings) -> str:
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
    if http.reuse_port:
        yield "Other processes on the same database may listen on that port too."
    if http.operator is not None:
        yield (
            f"HTTP for operators on {http.operator.host}:{http.operator.port}: metrics, probes and "
            "launches, which the port above does not answer."
        )
        if http.operator.keys:
            who = listed(f"{key.name} ({key.role})" for key in http.operator.keys)
            yield f"The operator's page is at /ui there, for {who}."
    if http.kafka is not None:
        yield (
            f"What comes over HTTP is written to the Kafka topic {http.kafka.topic}, and answered "
            "when every replica of it has it; what reads that topic stores it."
        )
    if http.cors_origins:
        yield f"Web pages may send from {listed(http.cors_origins)}."


def _senders(settings: Settings) -> Iterator[str]:
    sources = settings.sources
    if settings.launches is not None:
        yield from _launches(settings.launches, settings.http)
    elif not (sources.http or sources.scorm_cloud or sources.webhooks):
        yield "Nobody may send over HTTP; it serves probes and metrics."
    yield from map(_http_source, sources.http)
    yield from map(_scorm_cloud_source, sources.scorm_cloud)
    yield from map(_webhook_source, sources.webhooks)
    yield from map(_confirmation, settings.confirmations)
    for reader in sources.readers:
        yield reader.summary


def _confirmation(entry: ConfirmationSettings) -> str:
    ways = []
    if entry.secrets:
        ways.append(f"posts signed events to /confirmations/{entry.name}")
    if entry.feed is not None:
        ways.append(
            f"is asked for course actions at {entry.feed.path}, with at most "
            f"{entry.feed.requests_per_minute} requests a minute of their own"
        )
    return f"{entry.name}: the platform {listed(ways)}; what it says confirms completions."


def _launches(launches: LaunchSettings, http: HttpSettings) -> Iterator[str]:
    address = launches.public_url.rstrip("/")
    if http.operator is not None:
        address = f"http://{http.operator.host}:{http.operator.port}"
    yield (
        f"Players are launched by POST {address}/launches with "
        f"{listed(map(_credential, launches.operators))}; a launch is good for "
        f"{launches.lifetime_hours:g} hours unless it says otherwise, and "
        f"{launches.max_lifetime_hours:g} at most."
    )
    if launches.any_actor:
        yield (
            "The actor of a launch may be anybody (launches.any_actor): its caller chooses "
            "whose statements the player reads and writes."
        )


def _http_source(source: HttpSourceSettings) -> str:
    how = (
        "lenient = true lets it"
        if source.lenient
        else "it has to send as xAPI has it; for a client that can't, set lenient = true to let it"
    )
    return (
        f"{source.name} sends over HTTP with {listed(map(_credential, source.credentials))}; {how} "
        "put profiles without If-None-Match, add parameters, leave out the type of a form, and "
        "send faults beside the point, such as a score of null, which are left out."
    )


def _credential(credential: CredentialSettings) -> str:
    return "a bearer token" if credential.key is None else f'the key "{credential.key}"'


def _scorm_cloud_source(source: ScormCloudSettings) -> str:
    learner = (
        "the learner is the e-mail address where there is one, else the id"
        if source.learner == "email"
        else "the learner is the id"
    )
    return (
        f"{source.name} posts registrations of SCORM Cloud to /scorm-cloud/postback as the user "
        f'"{source.username}": a course is the activity {source.course_activity}, a SCO '
        f"{source.sco_activity}; {learner}; what is no address is an account of "
        f"{source.home_page}."
    )


def _webhook_source(source: WebhookSettings) -> str:
    return (
        f"{source.name} posts JSON to /webhooks/{source.name}, {_how_signed(source)}: "
        f"{_fields_read(source)}; "
        f"a learner who is no address is an account of {source.account_home_page}."
    )


def _how_signed(source: WebhookSettings) -> str:
    secrets = len(source.secrets)
    known = "" if secrets == 1 else f" with any of {secrets} secrets"
    within = f", within {source.tolerance_seconds:g} s of this clock"
    if source.signature is None:
        return f"signed as Standard Webhooks say{known}{within}"
    timed = "{timestamp}" in source.signature.signed
    window = within if timed else ", whenever it was sent"
    return f"signed in {source.signature.header}{known}{window}"


def _fields_read(source: WebhookSettings) -> str:
    each = "" if source.items is None else f"for each of {source.items}, "
    parts = [f"{each}the learner is {source.learner}", f"the activity {source.activity}"]
    if source.event is not None:
        parts.insert(0, f"only{_when_it_is(source.event_values, source.event)} it is a report")
    if source.progress is not None:
        parts.append(f"progress {source.progress} of {source.progress_scale}")
    if source.completed is not None:
        parts.append(f"completed {source.completed}{_when_it_is(source.completed_values)}")
    if source.passed is not None:
        parts.append(f"passed {source.passed}{_when_it_is(source.passed_values)}")
    if source.score is not None:
        parts.append(f"the score {source.score} of {source.score_scale}")
    parts.append("the time that of arrival" if source.time is None else f"the time {source.time}")
    if source.registration is not None:
        parts.append(f"the attempt {source.registration}")
    if source.id is not None:
        parts.append(f"the same again when {source.id} is")
    return ", ".join(parts)


def _when_it_is(values: tuple[str, ...], what: str = "it") -> str:
    return f" when {what} is {' or '.join(values)}" if values else ""


def _rule(rule: RuleSettings) -> str:
    verbs = f"with the verb {listed(rule.verbs, 'or')} " if rule.verbs else ""
    types = f"of the type {listed(rule.activity_types, 'or')} " if rule.activity_types else ""
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
    does = listed(acts) or "changes nothing"
    return f"{rule.name}: a statement {verbs}about {rule.activity} {types}{does}{falls}."


def _how_far(rule: RuleSettings) -> str:
    how = ", from the score if need be" if rule.score_is_progress else ""
    if rule.slides is not None:
        listed = f", as {rule.tincan_xml} lists them," if rule.tincan_xml else ""
        how += f" to the share of its {rule.slides:,} slides{listed} that were experienced"
    if rule.move_on is not None:
        how += f", to 100 only once {_SATISFIED[rule.move_on]} (moveOn {rule.move_on})"
    return how


def _completes(rule: RuleSettings) -> str:
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
        yield f"authTokens of {len(tokens.inline):,} learners are in the configuration."
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
        where_kept = (
            "kept in the store, encrypted" if tokens.encryption_keys else "kept in memory only"
        )
        yield f"Fetched authTokens are {where_kept}."
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
    if delivery.economy == "thrifty":
        yield f"Progress waits until it has to be {delivery.fresh_within_seconds:g} s fresh."
    yield f"After {delivery.max_failures} failures a piece of state is parked."

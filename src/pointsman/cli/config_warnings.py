"""Warnings about settings that are allowed but rarely meant, for `pointsman check`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from pointsman.cli.secret_warnings import reached_by_others
from pointsman.config import Settings
from pointsman.config.learners import LearnerSettings
from pointsman.config.rules import RuleSettings
from pointsman.domain.iri import same_iri
from pointsman.platforms.settings import PlatformSettings
from pointsman.sources.http.settings import HttpSettings
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.store.settings import StoreSettings

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def config_warnings(settings: Settings) -> Iterator[str]:
    """A line for each thing to look at again, its key in front."""
    if settings.allow_weak_secrets and reached_by_others(settings):
        yield (
            "allow_weak_secrets: credentials may be placeholders or easy to guess; leave it out "
            "where others than you can reach the port."
        )
    yield from _about_rules(settings.rules, audited=settings.audit.enabled)
    yield from _about_http(settings.http)
    yield from _about_platform(settings.platform)
    yield from _about_learners(settings.learners)
    for source in settings.sources.kafka:
        yield from _about_kafka(source)
    yield from _about_store(settings.store)


def _about_rules(rules: Sequence[RuleSettings], *, audited: bool) -> Iterator[str]:
    if not rules:
        yield "rules: there are none, so every statement is kept as unmatched and nothing is sent."
    for place, rule in enumerate(rules):
        first = next((other for other in rules[:place] if _takes_all_of(other, rule)), None)
        if first is not None:
            yield f'rules: "{rule.name}" is never reached; "{first.name}" takes all of its.'
        by_id = rule.course_id is not None
        if (
            rule.course
            and not by_id
            and not rule.course_started
            and rule.course_completed == "never"
        ):
            yield f'rules: "{rule.name}" names a course, but neither starts nor completes it.'
        if audited and rule.unread_because:
            yield f'rules: what "{rule.name}" sets is not read back: {rule.unread_because}.'


def _takes_all_of(first: RuleSettings, second: RuleSettings) -> bool:
    return (
        same_iri(first.activity, second.activity)
        and _covers(first.verbs, second.verbs)
        and _covers(first.activity_types, second.activity_types)
    )


def _covers(first: Sequence[str] | None, second: Sequence[str] | None) -> bool:
    return first is None or (second is not None and set(second) <= set(first))


def _about_http(http: HttpSettings) -> Iterator[str]:
    if http.operator is None and http.host not in _LOCAL:
        yield (
            "http.operator: it is not set, so metrics, probes and POST /launches are on http.port "
            "with everything else; set it before players outside reach that port."
        )
    if "*" in http.cors_origins:
        yield "http.cors_origins: with * the pages of every web site may send, given a credential."


def _about_platform(platform: PlatformSettings) -> Iterator[str]:
    url = urlsplit(platform.url)
    if url.scheme == "http" and url.hostname not in _LOCAL:
        yield "platform.url: with http:// the key and the learners' tokens travel unencrypted."
    if url.path != "/helium":
        yield f"platform.url: the platform's endpoint is /helium, this one is {url.path}."
    if platform.limits.share == 1:
        yield "platform.limits.share: with 1 nothing stays for your own site, which may get 429s."


def _about_learners(learners: LearnerSettings) -> Iterator[str]:
    if learners.tokens.inline == {}:
        yield "learners.tokens.inline: it is empty, so every learner's state will be parked."
    if learners.tokens.file is not None and not learners.tokens.file.exists():
        yield (
            "learners.tokens.file: it is not there yet; until it comes, every learner's state is "
            "parked."
        )
    if learners.tokens.kind in {"service", "login"} and not learners.tokens.encryption_keys:
        yield (
            "learners.tokens.encryption_key: without it fetched authTokens are not kept, and all "
            "are fetched again after a restart."
        )
    if learners.tokens.login is not None:
        yield "learners.tokens.login: passwords of learners belong on a sandbox only."


def _about_kafka(source: KafkaSourceSettings) -> Iterator[str]:
    if source.security.protocol == "SASL_PLAINTEXT":
        yield f'source "{source.name}": with SASL_PLAINTEXT the password travels unencrypted.'
    if source.auto_offset_reset == "latest":
        yield (
            f'source "{source.name}": with auto_offset_reset = "latest", what is in a partition '
            "before its first reading stays out."
        )


def _about_store(store: StoreSettings) -> Iterator[str]:
    if not store.is_shared and not store.path.parent.is_dir():
        yield (
            f"store.url: there is no folder {store.path.parent} here, and none is made: "
            "make it, or mend the address."
        )

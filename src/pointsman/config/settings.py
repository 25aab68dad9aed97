"""The schema of the whole file, and the rules between its sections."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pointsman.config.confirmations import ConfirmationSettings
from pointsman.config.learners import LearnerSettings
from pointsman.config.rules import RuleSettings
from pointsman.config.sources import SourceSettings
from pointsman.delivery.settings import AuditSettings, DeliverySettings
from pointsman.domain.launch import LAUNCH_RULE
from pointsman.platforms.settings import PlatformSettings
from pointsman.setting_types import RESERVED_NAMES, Section, repeated, valid_so_far
from pointsman.sources.http.settings import HttpSettings
from pointsman.sources.kafka.settings import DeliveryEventsSettings
from pointsman.sources.settings import LaunchSettings
from pointsman.store.settings import StoreSettings
from pointsman.telemetry.settings import LoggingSettings, TracesSettings


class Settings(Section):
    """Everything that can be set. `pointsman.config.load` makes one from file and environment."""

    #: whether credentials may be placeholders or easy to guess: for tests and demos
    allow_weak_secrets: bool = False
    #: where the daemon listens, and what a request may be
    http: HttpSettings = Field(default_factory=HttpSettings)
    #: where everything that was accepted is kept
    store: StoreSettings = Field(default_factory=StoreSettings)
    #: the Thought Industries instance that progress is sent to
    platform: PlatformSettings
    #: none: no topic is told of deliveries
    delivery_events: DeliveryEventsSettings | None = None
    #: reading back what was delivered
    audit: AuditSettings = Field(default_factory=AuditSettings)
    #: who an actor is on the platform, and where authTokens come from
    learners: LearnerSettings
    #: none: no player is launched
    launches: LaunchSettings | None = None
    #: who may send statements, and which topics are read
    sources: SourceSettings
    #: events that the platform posts, and the feed that is read; none: only the audit says what the
    #: platform made of what was delivered
    confirmations: tuple[ConfirmationSettings, ...] = ()
    #: what an activity is on the platform; the first rule that matches decides
    rules: tuple[RuleSettings, ...] = ()
    #: after all that its weights name
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    #: how much is logged, and in what format
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    #: OpenTelemetry; none: no traces
    traces: TracesSettings = Field(default_factory=TracesSettings)

    @model_validator(mode="before")
    @classmethod
    def _say_what_sections_lack(cls, data: Any) -> Any:
        # a section that is absent is checked like an empty one: each key it needs is named
        if not isinstance(data, dict):
            return data
        return {"store": {}, "platform": {}, "sources": {}, "learners": {}, **data}

    @field_validator("store")
    @classmethod
    def _processes_share_it(cls, store: StoreSettings, info: ValidationInfo) -> StoreSettings:
        if valid_so_far(info, "http") and info.data["http"].reuse_port and not store.is_shared:
            raise ValueError(
                "must have the url of a PostgreSQL database with http.reuse_port = true; one "
                "SQLite file is for one process"
            )
        return store

    @field_validator("delivery")
    @classmethod
    def _lease_outlives_a_request(
        cls, delivery: DeliverySettings, info: ValidationInfo
    ) -> DeliverySettings:
        if valid_so_far(info, "platform"):
            timeout = info.data["platform"].timeout_seconds
            if delivery.lease_seconds <= timeout:
                raise ValueError(
                    f"has lease_seconds = {delivery.lease_seconds:g}; it must be more than "
                    f"platform.timeout_seconds, which is {timeout:g}, or a learner's request could "
                    "be sent twice at once"
                )
        return delivery

    @field_validator("delivery")
    @classmethod
    def _weights_name_what_there_is(
        cls, delivery: DeliverySettings, info: ValidationInfo
    ) -> DeliverySettings:
        problems: list[str] = []
        if valid_so_far(info, "sources"):
            known = {*info.data["sources"].names, *RESERVED_NAMES}
            problems += _unknown_names("source", delivery.source_weights, known)
        if valid_so_far(info, "rules"):
            known = {*(rule.name for rule in info.data["rules"]), LAUNCH_RULE}
            problems += _unknown_names("rule", delivery.rule_weights, known)
        if problems:
            raise ValueError("; ".join(problems))
        return delivery

    @field_validator("launches")
    @classmethod
    def _tokens_are_encrypted(
        cls, launches: LaunchSettings | None, info: ValidationInfo
    ) -> LaunchSettings | None:
        if not valid_so_far(info, "learners"):
            return launches
        tokens = info.data["learners"].tokens
        if launches is not None and tokens.encryption_key is None:
            raise ValueError(
                "needs learners.tokens.encryption_key or encryption_key_file (pointsman tokens "
                "new-key makes one): the authTokens that launches bring are kept encrypted"
            )
        if launches is None and tokens.launches:
            raise ValueError("is missing, but learners.tokens.launches = true relies on it")
        return launches

    @field_validator("sources")
    @classmethod
    def _somebody_sends(cls, sources: SourceSettings, info: ValidationInfo) -> SourceSettings:
        nobody = not any(getattr(sources, kind) for kind in SourceSettings.model_fields)
        if nobody and valid_so_far(info, "launches") and info.data["launches"] is None:
            kinds = ", ".join(f"[[sources.{kind}]]" for kind in SourceSettings.model_fields)
            raise ValueError(f"is empty; give at least one of {kinds}, or [launches]")
        return sources

    @field_validator("confirmations")
    @classmethod
    def _confirmations_differ(
        cls, confirmations: tuple[ConfirmationSettings, ...], info: ValidationInfo
    ) -> tuple[ConfirmationSettings, ...]:
        names = [entry.name for entry in confirmations]
        if valid_so_far(info, "sources"):
            names += info.data["sources"].names
        twice = repeated(names)
        if twice is not None:
            raise ValueError(
                f"has the name {twice!r} twice, or a source has it; each needs its own"
            )
        return confirmations

    @field_validator("rules", mode="before")
    @classmethod
    def _number(cls, rules: Any) -> Any:
        if not isinstance(rules, list):
            return rules
        return [
            {**rule, "name": rule.get("name") or f"rule {number}"}
            if isinstance(rule, dict)
            else rule
            for number, rule in enumerate(rules, start=1)
        ]

    @field_validator("rules")
    @classmethod
    def _names_differ(cls, rules: tuple[RuleSettings, ...]) -> tuple[RuleSettings, ...]:
        twice = repeated(rule.name for rule in rules)
        if twice is not None:
            raise ValueError(f"has the name {twice!r} twice; it says in the books what decided")
        return rules


def _unknown_names(what: str, named: Iterable[str], known: Collection[str]) -> Iterator[str]:
    for name in named:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {_list(known)}"
            yield f"has {what}_weights for {name!r}, which is no {what}; {hint}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)))

"""`explain` names the cause and the cure of each trouble, and the cure works.

One daemon and one platform for all of them, each with a learner of its own.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from demo.processes import PATIENCE
from pointsman import commands, wiring
from pointsman.cli import app
from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.domain.log_positions import Position
from pointsman.domain.targets import Target, TargetKind
from pointsman.emulator import Catalogue, Emulator
from pointsman.emulator.faults.parsing import read_fault
from pointsman.platforms.tokens.vault import new_key
from pointsman.sources.batch import LogMessage
from pointsman.store.base import AuditFinding, Store
from pointsman.story import Cause, Question, Standing, Story
from tests.support.launch_client import Launching
from tests.support.running_daemon import ADL, API_KEY, Running, running

SITE = "https://content.example.com"
LAUNCHES = """
[launches]
public_url = "http://127.0.0.1:1"
operators = [{ key = "operator", secret = "operator-secret" }]
signing_key = "a-key-of-tests-that-is-long-enough"
"""
RULES = """
[[rules]]
name = "topics"
activity = "https://content.example.com/{topic}"
verbs = ["progressed", "completed"]
topic_id = "{topic}"

[[rules]]
name = "falls"
activity = "https://falls.example.com/{topic}"
topic_id = "{topic}"
falls = "always"

[[rules]]
name = "course"
activity = "https://course.example.com/{topic}"
topic_id = "{topic}"
course_slug = "c"
course_completed = "completed"
"""
#: what an operator adds
MENDED = """
[[rules]]
name = "all verbs"
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"

[[rules]]
name = "elsewhere"
activity = "https://elsewhere.example.com/{topic}"
topic_id = "{topic}"
"""


@dataclass
class World:
    """A daemon, a platform, and what an operator does at a terminal."""

    run: Running
    folder: Path
    problems: list[str] = field(default_factory=list)

    async def story(self, who: str, **asked: str) -> Story:
        question = Question(learner=who, **asked)
        return await commands.explain(self.run.settings, question, limit=40)

    async def end(self, who: str, cause: Cause, **asked: str) -> Standing:
        """The end of the story, once it is this cause."""
        story = await self.story(who, **asked)
        for _ in range(round(PATIENCE / 0.05)):
            if story.end.cause is cause:
                return story.end
            await asyncio.sleep(0.05)
            story = await self.story(who, **asked)
        raise AssertionError(f"{who}: {story.end}")

    async def delivered(self, who: str, topic: str = "t0") -> None:
        await self.end(who, Cause.DELIVERED, topic=topic)

    async def say(self, who: str, progress: int, activity: str = f"{SITE}/t0", **more: Any) -> None:
        verb = more.pop("verb", "progressed")
        extensions = {"https://w3id.org/xapi/cmi5/result/extensions/progress": progress}
        await self.run.say(verb, activity, who, result={"extensions": extensions}, **more)

    async def do(self, command: str, *, config: str = "pointsman.toml", stdin: str = "") -> str:
        """A command of a cure, as it stands there."""
        program, *words = shlex.split(command)
        assert program == "pointsman", command
        words += ["--config", str(self.folder / config)]
        if words[:2] == ["platform", "login"]:
            words += ["--password-file", "-"]
        with ThreadPoolExecutor(1) as other:
            call = other.submit(CliRunner().invoke, app, words, input=stdin)
            result = await asyncio.wrap_future(call)
        assert result.exit_code == 0, result.output
        self.run.daemon.parts.dispatcher.wake()  # a command is noticed every few seconds
        return result.output

    async def with_store(self, use: Callable[[Store], Awaitable[Any]]) -> Any:
        result = await commands.with_store(self.run.settings, use)
        self.run.daemon.parts.dispatcher.wake()
        return result


async def no_rule(world: World, who: str) -> None:
    await world.say(who, 40, "https://elsewhere.example.com/t0")
    end = await world.end(who, Cause.NO_RULE)
    assert "no rule's activity matches https://elsewhere.example.com/t0" in end.sentence
    assert 'activity = "https://elsewhere.example.com/{topic}"' in end.cure[0]
    await world.do(end.cure[1], config="mended.toml")
    await world.delivered(who)


async def rule_without_the_verb(world: World, who: str) -> None:
    await world.say(who, 40, verb="experienced")
    end = await world.end(who, Cause.NO_VERB)
    assert f"{ADL}experienced" in end.sentence
    assert "topics" in end.sentence
    await world.do(end.cure[1], config="mended.toml")
    await world.delivered(who)


async def a_rule_came_meanwhile(world: World, who: str) -> None:
    await world.say(who, 40, "https://elsewhere.example.com/t0")
    await world.end(who, Cause.NO_RULE)
    mended = load(world.folder / "mended.toml")
    end = (await commands.explain(mended, Question(who), limit=9)).end
    assert end.cause is Cause.RULE_CHANGED
    assert "'elsewhere'" in end.sentence
    await world.do(end.cure[0], config="mended.toml")
    await world.delivered(who)


async def no_token(world: World, who: str) -> None:
    await world.say(who, 40)
    end = await world.end(who, Cause.NO_TOKEN)
    assert who in end.sentence
    await world.do(end.cure[0], stdin="demo\n")
    await world.delivered(who)


async def token_refused(world: World, who: str) -> None:
    world.run.emulator.expire_tokens(who)
    await world.say(who, 40)
    end = await world.end(who, Cause.TOKEN_REFUSED)
    assert "refused by the platform" in end.sentence
    await world.do(end.cure[0], stdin="demo\n")
    await world.delivered(who)


async def unknown_topic(world: World, who: str) -> None:
    await world.say(who, 40, f"{SITE}/late")
    end = await world.end(who, Cause.REFUSED_BY_PLATFORM)
    assert "NOT_FOUND" in end.sentence
    topics = world.run.emulator.catalogue.topic_by_id
    course, topic = topics["t0"]
    topics["late"] = (course, topic.model_copy(update={"id": "late"}))
    assert "topic_id" in end.cure[0]
    await world.do(end.cure[1])
    await world.delivered(who, "late")


async def waits_for_a_parked_topic(world: World, who: str) -> None:
    await world.say(who, 100, "https://course.example.com/later", verb="completed")
    await world.end(who, Cause.REFUSED_BY_PLATFORM)
    end = await world.end(who, Cause.WAITS_FOR, course="c")
    assert "later" in end.sentence
    assert end.cure == (f"pointsman explain --learner {who} --topic later",)
    assert "(next: " not in await world.do(end.cure[0])
    assert "follows by itself" in end.next
    topics = world.run.emulator.catalogue.topic_by_id
    course, topic = topics["t0"]
    topics["later"] = (course, topic.model_copy(update={"id": "later"}))
    await world.do((await world.story(who, topic="later")).end.cure[-1])
    await world.end(who, Cause.DELIVERED, course="c")


async def not_a_student(world: World, who: str) -> None:
    await world.say(who, 40)
    end = await world.end(who, Cause.REFUSED_BY_PLATFORM)
    assert "FORBIDDEN" in end.sentence
    learners = world.run.emulator.catalogue.learner_by_email
    learners[who].__dict__["role"] = "STUDENT"  # whoever runs the platform changes it
    assert "STUDENT" in end.cure[0]
    await world.do(end.cure[-1])
    await world.delivered(who)


async def platform_away(world: World, who: str) -> None:
    world.run.emulator.faults.add(read_fault({"kind": "server_error", "status": 503}, "f"))
    await world.say(who, 40)
    end = await world.end(who, Cause.PLATFORM_AWAY)
    assert "unreachable" in end.sentence
    assert "by itself" in end.next or "within seconds" in end.next
    world.run.emulator.faults.clear()
    await world.delivered(who)


async def quota_spent(world: World, who: str) -> None:
    throttle = {"kind": "throttle", "retry_after": 1}
    world.run.emulator.faults.add(read_fault(throttle, "f"))
    await world.say(who, 40)
    end = await world.end(who, Cause.QUOTA_SPENT)
    assert "throttled" in end.sentence or "quota" in end.sentence
    world.run.emulator.faults.clear()
    await world.delivered(who)


async def older_than_what_is_there(world: World, who: str) -> None:
    activity = "https://falls.example.com/t0"
    await world.say(who, 80, activity, timestamp="2026-03-02T10:00:00Z")
    await world.delivered(who)
    await world.say(who, 30, activity, timestamp="2026-03-01T10:00:00Z")
    end = await world.end(who, Cause.OLDER)
    assert "happened at 2026-03-01T10:00:00Z" in end.sentence
    assert "stays 80 %" in end.sentence
    await world.say(who, 30, activity, timestamp="2026-03-03T10:00:00Z")
    await world.delivered(who)


async def less_than_what_is_there(world: World, who: str) -> None:
    await world.say(who, 80)
    await world.delivered(who)
    await world.say(who, 30)
    end = await world.end(who, Cause.LOWER)
    assert "lets nothing fall" in end.sentence
    assert end.is_delivered


async def duplicate(world: World, who: str) -> None:
    same = {"id": "3b1d5c68-9d8e-4f57-8f4c-0f7d3a6f0a55", "timestamp": "2026-03-02T10:00:00Z"}
    await world.say(who, 40, **same)
    await world.delivered(who)
    await world.say(who, 40, **same)
    end = await world.end(who, Cause.DUPLICATE)
    assert "came again" in end.sentence
    assert end.is_delivered


async def other_case_of_a_mailbox(world: World, who: str) -> None:
    await world.say(who.upper().replace("EXAMPLE.COM", "Example.com"), 40)
    await world.delivered(who.title())
    story = await world.story(who.upper())
    assert story.learner == who


async def browse_mode(world: World, who: str) -> None:
    launching = Launching(world.run)
    activity = f"{SITE}/t0"
    for mode, cause in (("Browse", Cause.LAUNCH_MODE), ("Normal", Cause.DELIVERED)):
        launch = await launching.launch(
            learner=who, activity=activity, mode=mode, topicId="t0", authToken=None
        )
        status, words = await launching.say(launch, "completed", activity)
        assert status == 200, words
        end = await world.end(who, cause)
        if cause is Cause.LAUNCH_MODE:
            assert "launched to browse" in end.sentence
            assert end.cure == ("launch it in the mode Normal",)


async def a_dead_letter(world: World, who: str) -> None:
    statements = [
        {
            "actor": {"mbox": f"mailto:{who}"},
            "verb": {"id": f"{ADL}progressed"},
            "object": {"id": f"{SITE}/{topic}"},
            "result": {"extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": 40}},
        }
        for topic in ("t1", "t0")
    ]

    async def read(store: Store) -> None:
        pipeline = wiring.pipeline(world.run.settings, store, SystemClock())
        nowhere = Position("", "", 0, 0)
        message = LogMessage(
            "bus", json.dumps(statements).encode(), "topic x", nowhere, max_statements=1
        )
        await pipeline.ingest([replace(pipeline.read_message(message), position=None)])

    await world.with_store(read)
    end = await world.end(who, Cause.DEAD_LETTER)
    assert "max_statements" in end.sentence
    await world.do(end.cure[0])
    await world.do(end.cure[1])
    await world.delivered(who)


async def drift(world: World, who: str) -> None:
    topic = Target(TargetKind.TOPIC_PROGRESS, "t0")
    await world.say(who, 40)
    await world.delivered(who)
    for cause in (Cause.DELIVERED, Cause.DRIFT):
        reason = f"drift: wanted 40, the platform shows 0 (next: retry --learner {who})"
        finding = AuditFinding(topic, 1, "differs", reason)
        await world.with_store(lambda store, it=finding: store.audit(who, [it], now=1))  # type: ignore[misc]
        end = await world.end(who, cause, topic="t0")
    assert "the platform shows 0" in end.sentence
    await world.do(end.cure[-1])
    await world.delivered(who)


async def pauses(world: World, command: str) -> None:
    """It reaches the loop within a second."""
    await world.do(command)
    await world.run.until(lambda: bool(world.run.daemon.parts.dispatcher.pauses.pauses))


async def paused(world: World, who: str) -> None:
    await pauses(world, "pointsman pause --reason 'the platform is moved'")
    await world.say(who, 40)
    end = await world.end(who, Cause.PAUSED)
    assert "the platform is moved" in end.sentence
    await world.do(end.cure[0])
    await world.delivered(who)


async def its_kind_is_paused(world: World, who: str) -> None:
    await pauses(world, "pointsman pause --kind topic_progress --reason 'as asked'")
    await world.say(who, 40)
    end = await world.end(who, Cause.PAUSED)
    assert "as asked" in end.sentence
    assert end.cure == ("pointsman resume --kind topic_progress",)
    await world.do(end.cure[0])
    await world.delivered(who)


async def forgotten(world: World, who: str) -> None:
    await world.say(who, 40)
    await world.delivered(who)
    await world.do(f"pointsman forget {who} --refuse-for 30d")
    end = await world.end(who, Cause.FORGOTTEN)
    assert end.next_at is not None


async def nothing_known(world: World, who: str) -> None:
    end = await world.end(who, Cause.NO_INPUT)
    assert who in end.sentence


CASES = [
    no_rule,
    rule_without_the_verb,
    a_rule_came_meanwhile,
    no_token,
    token_refused,
    unknown_topic,
    waits_for_a_parked_topic,
    not_a_student,
    platform_away,
    quota_spent,
    older_than_what_is_there,
    less_than_what_is_there,
    duplicate,
    other_case_of_a_mailbox,
    browse_mode,
    a_dead_letter,
    drift,
    paused,
    its_kind_is_paused,
    forgotten,
    nothing_known,
]


def catalogue(cases: Sequence[Callable[[World, str], Awaitable[None]]]) -> Catalogue:
    return Catalogue.model_validate(
        {
            "learners": [
                {
                    "id": f"u-{case.__name__}",
                    "email": f"{case.__name__}@example.com",
                    "password": "demo",
                    "role": "MANAGER" if case is not_a_student else "STUDENT",
                }
                for case in cases
            ],
            "courses": [
                {
                    "id": "course-c",
                    "slug": "c",
                    "title": "C",
                    "lessons": [
                        {
                            "id": "lesson",
                            "title": "Lesson",
                            "topics": [
                                {"id": name, "title": name, "type": "text"} for name in ("t0", "t1")
                            ],
                        }
                    ],
                }
            ],
        }
    )


async def test_the_cause_and_the_cure_of_each_trouble_are_named_and_the_cure_works(
    tmp_path: Path,
) -> None:
    tokens = f'file = "tokens.json"\nencryption_key = "{new_key()}"'
    platform = Emulator(catalogue(CASES), api_key=API_KEY, clock=SystemClock())
    with_token = catalogue([case for case in CASES if case is not no_token])
    async with running(
        tmp_path, LAUNCHES + RULES, catalogue=with_token, tokens=tokens, emulator=platform
    ) as run:
        whole = (tmp_path / "pointsman.toml").read_text()
        (tmp_path / "mended.toml").write_text(whole + MENDED)
        world = World(run, tmp_path)
        failed = {}
        for case in CASES:
            try:
                async with asyncio.timeout(PATIENCE):
                    await case(world, f"{case.__name__}@example.com")
            except (AssertionError, TimeoutError) as error:
                failed[case.__name__] = str(error) or type(error).__name__
        if failed:
            pytest.fail("\n".join(f"{name}: {why}" for name, why in failed.items()))
        books = await commands.books(run.settings)
        assert books.balanced, books

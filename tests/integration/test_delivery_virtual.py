"""The delivery loop against the emulator in virtual time: pace, outcomes, order, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.park_codes import CURED_BY_TOKEN
from pointsman.domain.targets import CourseStatus, Recipient
from pointsman.emulator import Emulator
from pointsman.emulator.faults import read_fault
from pointsman.platforms.base import RequestOutcome
from pointsman.platforms.helium import HttpAnswer
from tests.support.change_factory import change, course, each, topic, wants
from tests.support.virtual_delivery import KEY, VirtualDelivery, catalogue
from tests.support.virtual_time import EmulatorTransport, run_virtually


def test_an_hour_of_a_burst_at_100_requests_a_minute_gets_no_429_and_uses_98_percent(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(7_000, 1), requests=100) as sim:
            await sim.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 40) for n in range(7_000)])
            )
            await sim.clock.sleep(3600)
            assert sim.rejected == 0
            assert sim.requests >= 0.98 * 100 * 60
            assert (await sim.store.backlog()).dirty[topic("").kind] > 0  # there was work left

    run_virtually(main())


def test_a_refused_topic_in_the_middle_is_parked_and_the_others_arrive_in_two_requests(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 5)) as sim:
            names = ["t0", "t1", "unknown", "t2", "t3"]
            changes = [change("l0@example.com", topic(name), 10) for name in names]
            for place, one in enumerate(each(changes)):
                await sim.store.ingest([one])
                assert place >= 0
            sim.dispatcher.wake()
            await sim.settle()
            assert sim.topics("l0@example.com") == {"t0": 10, "t1": 10, "t2": 10, "t3": 10}
            assert sim.requests == 2
            books = await sim.store.books()
            assert (books.delivered, books.dirty, books.parked) == (4, 0, 1)
            assert books.balanced
            (parked,) = [
                one
                for record in sim.records
                for one in record.outcome.settlements
                if one.result == "parked"
            ]
            assert parked.target == topic("unknown")
            assert "NOT_FOUND" in parked.reason
            assert "unknown" in parked.reason

    run_virtually(main())


def test_started_goes_before_topics_and_completed_after_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(2, 2)) as sim:
            who = "l0@example.com"
            await sim.ingest(
                wants(
                    change(who, topic("t0"), 100),
                    change(who, course("c"), CourseStatus.COMPLETED.value, after=(topic("t0"),)),
                ),
                wants(change("l1@example.com", topic("t0"), 5)),
                wants(change("l1@example.com", course("c"), CourseStatus.STARTED.value)),
            )
            await sim.settle()
            ran = [(one.learner, one.name) for one in sim.emulator.history]
            assert [name for learner, name in ran if learner == who] == [
                "UpdateTopicAndCourseProgress",
                "UpdateCourseStatus",
            ]
            assert [name for learner, name in ran if learner == "l1@example.com"] == [
                "UpdateCourseStatus",
                "UpdateTopicAndCourseProgress",
            ]

    run_virtually(main())


def test_a_completed_course_waits_for_its_parked_topic_and_goes_when_that_is_cured(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            who = "l0@example.com"
            await sim.ingest(
                wants(
                    change(who, topic("later"), 100),
                    change(who, course("c"), CourseStatus.COMPLETED.value, after=(topic("later"),)),
                )
            )
            await sim.settle()
            assert [one.name for one in sim.emulator.history] == []
            assert (await sim.store.books()).parked == 2
            course_row = sim.emulator.catalogue.courses[0]
            added = course_row.lessons[0].topics[0].model_copy(update={"id": "later"})
            sim.emulator.catalogue.topic_by_id["later"] = (course_row, added)
            assert await sim.store.unpark([Recipient.learner(who)]) == 2
            sim.dispatcher.wake()
            await sim.settle()
            assert [one.name for one in sim.emulator.history] == [
                "UpdateTopicAndCourseProgress",
                "UpdateCourseStatus",
            ]
            assert (await sim.store.books()).delivered == 2

    run_virtually(main())


def test_completions_overtake_progress_that_came_before_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(300, 1), requests=100) as sim:
            await sim.ingest(
                *each(
                    [change(f"l{n}@example.com", topic("t0"), 40) for n in range(299)], at=sim.now
                )
            )
            await sim.clock.sleep(10)
            await sim.ingest(wants(change("l299@example.com", topic("t0"), 100), at=sim.now))
            await sim.clock.sleep(3)
            assert sim.topics("l299@example.com") == {"t0": 100}
            assert (await sim.store.backlog()).dirty[topic("").kind] > 200

    run_virtually(main())


def test_a_thousand_heartbeats_of_one_learner_cost_few_mutations(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1), progress_interval=5) as sim:
            for beat in range(1_000):
                await sim.ingest(
                    wants(change("l0@example.com", topic("t0"), beat // 10, at=beat), at=sim.now)
                )
                await sim.clock.sleep(0.01)
            await sim.settle()
            assert sim.topics("l0@example.com") == {"t0": 99}
            assert sim.requests <= 4

    run_virtually(main())


def test_an_answer_that_is_lost_is_asked_for_again_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            sim.emulator.faults.add(read_fault({"kind": "drop_after", "times": 1}, "a fault"))
            await sim.ingest(wants(change("l0@example.com", topic("t0"), 30)))
            await sim.settle()
            assert sim.topics("l0@example.com") == {"t0": 30}
            assert sim.requests == 2
            assert (await sim.store.books()).delivered == 1

    run_virtually(main())


def test_a_token_that_is_refused_is_renewed_once_and_the_delivery_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            sim.tokens.stale["l0@example.com"] = "expired"
            await sim.ingest(wants(change("l0@example.com", topic("t0"), 30)))
            await sim.settle()
            assert sim.topics("l0@example.com") == {"t0": 30}
            assert sim.requests == 2

    run_virtually(main())


def test_a_token_that_expires_in_the_middle_costs_one_more_request_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 5)) as sim:
            sim.tokens.kept = True
            sim.emulator.faults.add(
                read_fault({"kind": "expire_tokens", "place": 2, "times": 1}, "a fault")
            )
            await sim.ingest(
                *each([change("l0@example.com", topic(f"t{place}"), 10) for place in range(5)])
            )
            await sim.settle()
            assert sim.topics("l0@example.com") == {f"t{place}": 10 for place in range(5)}
            assert sim.requests == 2
            assert [(one.arguments["topicId"], one.request) for one in sim.emulator.history] == [
                *(("t0", 1), ("t1", 1)),
                *(("t2", 2), ("t3", 2), ("t4", 2)),
            ]
            assert (await sim.store.books()).delivered == 5

    run_virtually(main())


def test_no_other_token_after_a_refusal_parks_or_waits_and_leaves_no_lease_behind(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(1, 1)) as sim:
            sim.tokens.stale["l0@example.com"] = "expired"
            sim.tokens.delayed_once_renewed = 3
            await sim.ingest(wants(change("l0@example.com", topic("t0"), 30)))
            await sim.settle()
            assert sim.topics("l0@example.com") == {"t0": 30}
            assert sim.requests == 2
            assert [one.outcome.settlements[0].result for one in sim.records] == [
                *("retry", "retry", "retry", "delivered")
            ]

    run_virtually(main())


def test_a_learner_without_a_good_token_is_parked_and_freed_by_the_next_one(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(2, 1)) as sim:
            sim.tokens.without.add("l0@example.com")
            sim.tokens.renewable = False
            sim.tokens.stale["l1@example.com"] = "expired"
            await sim.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 30) for n in range(2)])
            )
            await sim.settle()
            assert (await sim.store.books()).parked == 2
            assert sim.requests == 1  # the one with a bad token; nothing was retried
            sim.tokens.without.clear()
            sim.tokens.stale.clear()
            assert await sim.store.unpark(codes=CURED_BY_TOKEN) == 2
            sim.dispatcher.wake()
            await sim.settle()
            assert (await sim.store.books()).delivered == 2

    run_virtually(main())


def test_a_learner_who_is_no_student_is_parked_with_the_platforms_words(tmp_path: Path) -> None:
    async def main() -> None:
        goods = catalogue(1, 1, strangers=["boss@example.com"])
        async with VirtualDelivery(tmp_path, goods) as sim:
            await sim.ingest(wants(change("boss@example.com", topic("t0"), 30)))
            await sim.settle()
            (record,) = sim.records
            assert "FORBIDDEN" in record.outcome.settlements[0].reason

    run_virtually(main())


def test_a_refused_key_pauses_everything_loses_nothing_and_asks_seldom(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(50, 1)) as sim:
            sim.transport._api_key = "wrong"
            await sim.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 30) for n in range(50)])
            )
            await sim.clock.sleep(600)
            asked = len(sim.transport.statuses)
            assert asked < 80
            assert sim.dispatcher.breaker.tripped
            assert {record.outcome.answer for record in sim.records} == {RequestOutcome.KEY_REFUSED}
            assert (await sim.store.books()).dirty == 50
            sim.transport._api_key = KEY
            await sim.settle()
            assert (await sim.store.books()).delivered == 50

    run_virtually(main())


def test_a_429_is_obeyed_when_another_client_eats_the_quota(tmp_path: Path) -> None:
    async def main() -> None:
        async with VirtualDelivery(tmp_path, catalogue(50, 1), requests=100) as sim:
            for _ in range(95):
                await sim.emulator.handle(
                    query={"apiKey": KEY}, headers={}, body=b'{"query": "{ __typename }"}'
                )
            await sim.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 30) for n in range(50)])
            )
            await sim.settle(300)
            assert (await sim.store.books()).delivered == 50
            # Requests are in no header, so the first refusal can't be foreseen; those that were
            # under way with it may be refused too, and no more.
            assert 1 <= sim.rejected <= 2

    run_virtually(main())


def test_a_restart_within_a_window_does_not_spend_it_twice(tmp_path: Path) -> None:
    async def main() -> None:
        goods = catalogue(400, 1)
        first = VirtualDelivery(tmp_path, goods, requests=100)
        async with first:
            await first.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 30) for n in range(400)])
            )
            await first.clock.sleep(45)
        emulator: Emulator = first.emulator
        async with VirtualDelivery(tmp_path, goods, requests=100, emulator=emulator) as second:
            await second.clock.sleep(60)
            assert second.rejected == 0
            await second.settle()
            assert second.rejected == 0
            assert (await second.store.books()).delivered == 400

    run_virtually(main())


class _Outage(EmulatorTransport):
    """From some time on no request gets an answer."""

    began = False
    lost = 0
    under_way = most_under_way = 0

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        if not self.began:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            try:
                return await super().post(headers, body)
            finally:
                self.under_way -= 1
        self.lost += 1
        await asyncio.sleep(0.005)
        raise PlatformUnreachable("no answer")


def test_who_waits_in_line_is_not_sent_for_once_the_platform_is_out(tmp_path: Path) -> None:
    async def main() -> None:
        made: list[_Outage] = []

        def transport(emulator: Emulator) -> EmulatorTransport:
            made.append(_Outage(emulator, KEY, 0.005))
            return made[0]

        async with VirtualDelivery(
            tmp_path, catalogue(1_000, 1), requests=10**6, points=10**7, transport=transport
        ) as sim:
            await sim.ingest(
                *each([change(f"l{n}@example.com", topic("t0"), 40) for n in range(1_000)])
            )
            await sim.clock.sleep(0.05)
            (outage,) = made
            assert sim.requests > 100
            outage.began = True
            await sim.clock.sleep(0.3)
            # those under way, and a try or two
            assert 0 < outage.lost <= outage.most_under_way + 4

    run_virtually(main())

"""Several hosts in one address: which is used, and which hold nothing up."""

from __future__ import annotations

import asyncio

import pytest

from pointsman.store.database_hosts import each_host, first_to_succeed

ALL = ["a", "b", "c"]


class Hosts:
    """Hosts that answer, refuse or say nothing."""

    def __init__(self, **behaviour: str) -> None:
        self._behaviour = behaviour
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.discarded: list[str] = []

    async def attempt(self, host: str) -> str:
        self.asked.append(host)
        match self._behaviour[host]:
            case "refuses":
                raise ConnectionRefusedError(host)
            case "hangs":
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.cancelled.append(host)
                    raise
            case "answers late":
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:  # it was made just before
                    return host
        return host

    async def first(self) -> str:
        address, result = await first_to_succeed(ALL, self.attempt, 0, self.discarded.append)
        assert address == result
        return result


async def test_the_first_that_answers_is_used_and_no_other_is_asked() -> None:
    hosts = Hosts(a="answers", b="answers", c="answers")
    assert await first_to_succeed(ALL, hosts.attempt, 60, hosts.discarded.append) == ("a", "a")
    assert hosts.asked == ["a"]


async def test_a_refusal_leads_to_the_next_at_once() -> None:
    hosts = Hosts(a="refuses", b="answers", c="answers")
    assert await first_to_succeed(ALL, hosts.attempt, 60, hosts.discarded.append) == ("b", "b")
    assert hosts.asked == ["a", "b"]


async def test_a_host_that_says_nothing_does_not_keep_the_next_from_being_asked() -> None:
    hosts = Hosts(a="hangs", b="hangs", c="answers")
    assert await hosts.first() == "c"
    assert hosts.cancelled == ["a", "b"]


async def test_a_session_that_came_too_late_is_closed() -> None:
    hosts = Hosts(a="answers late", b="answers", c="answers")
    assert await hosts.first() == "b"
    assert hosts.discarded == ["a"]


async def test_where_all_fail_each_error_is_told_in_order() -> None:
    hosts = Hosts(a="refuses", b="refuses", c="refuses")
    with pytest.raises(ExceptionGroup) as refusal:
        await hosts.first()
    assert [str(error) for error in refusal.value.exceptions] == ALL


async def test_giving_up_cancels_what_is_under_way() -> None:
    hosts = Hosts(a="hangs", b="hangs", c="hangs")
    task = asyncio.create_task(hosts.first())
    while len(hosts.asked) < len(ALL):  # noqa: ASYNC110 - one step of the loop each
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hosts.cancelled == ALL


@pytest.mark.parametrize(
    ("url", "each"),
    [
        ("postgresql://u@h/d", ["postgresql://u@h/d"]),
        ("postgresql://u@h:1,i:2/d?x=y", ["postgresql://u@h:1/d?x=y", "postgresql://u@i:2/d?x=y"]),
        ("postgresql://u@[::1]:1,h/d", ["postgresql://u@[::1]:1/d", "postgresql://u@h/d"]),
        ("postgresql://u@%2Frun%2Fpg/d", ["postgresql://u@%2Frun%2Fpg/d"]),
    ],
)
def test_an_address_of_several_hosts_is_one_address_each(url: str, each: list[str]) -> None:
    assert each_host(url) == each

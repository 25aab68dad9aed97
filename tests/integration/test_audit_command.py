"""`pointsman audit`: how far the platform agrees, from the store alone."""

from __future__ import annotations

import json

from pointsman.domain.targets import ReadBackPlace
from pointsman.store.base import AuditFinding, Settlement
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, topic, wants
from tests.support.cli_terminal import ANA, Terminal


async def fill(terminal: Terminal) -> None:
    """One topic agrees, one can't be read, one was not looked at, and one has drifted."""
    store = SqliteStore(terminal.folder / "books.db")
    await store.open()
    places = {"t0": "course:a", "t1": "course:a", "t2": "course:b", "t3": "course:b"}
    for name, place in places.items():
        await store.ingest(
            [wants(change(ANA, topic(name), 100, read_back=ReadBackPlace.from_text(place)))]
        )
    for round_ in range(2):
        for lease in await store.lease(now=round_ + 1, ttl=10, limit=9):
            settled = [Settlement(row.target, row.version, "delivered") for row in lease.desired]
            await store.settle(lease, settled, now=2, ready_at=2)
        differs = AuditFinding(
            topic("t3"), 1, "differs", "drift: wanted 100, shown less at course:b, x"
        )
        await store.audit(ANA, [differs], now=9)
    looked = [AuditFinding(topic("t0"), 1, "agrees"), AuditFinding(topic("t1"), 1, "unreadable")]
    await store.audit(ANA, looked, now=10)
    await store.close()


async def test_agreement_is_shown_by_course_and_drift_with_both_values(terminal: Terminal) -> None:
    await fill(terminal)
    shown = terminal.run("audit", code=1).output
    assert "course:a" in shown
    assert "ana@example.com: topic_progress t3: drift: wanted 100, shown less" in shown
    found = json.loads(terminal.run("audit", "--json", code=1).stdout)
    assert found["places"] == [
        {
            "place": "course:b",
            "agrees": 0,
            "resent": 0,
            "drift": 1,
            "unreadable": 0,
            "waiting": 1,
            "contradicted": 0,
        },
        {
            "place": "course:a",
            "agrees": 1,
            "resent": 0,
            "drift": 0,
            "unreadable": 1,
            "waiting": 0,
            "contradicted": 0,
        },
    ]
    assert [one["key"] for one in found["drift"]] == ["t3"]


async def test_a_rule_whose_work_is_not_read_back_is_named_with_what_would_let_it(
    terminal: Terminal,
) -> None:
    """The audit, `check` and the doctor say it; of what can be read back they say nothing."""
    await fill(terminal)
    config = terminal.folder / "pointsman.toml"
    config.write_text(
        config.read_text()
        + """
[[rules]]
name = "blind"
activity = "https://content.example.com/{course}/{topic}"
topic_id = "{topic}"
course_slug = "{course}"
[[rules]]
name = "sighted"
activity = "https://other.example.com/{course}/{topic}"
topic_id = "{topic}"
course_slug = "{course}"
audit_course_id = "id-of-{course}"
"""
    )
    shown = terminal.run("audit", code=1).output
    assert "What the rule 'blind' sets is not read back: it names its course by" in shown
    assert "next: give the rule audit_course_id, a template of the course's id" in shown
    assert list(json.loads(terminal.run("audit", "--json", code=1).stdout)["notReadBack"]) == [
        "blind"
    ]
    for command, code in (("check", 0), ("doctor", 1)):  # the platform has no courses a and b
        said = terminal.run(command, code=code).output
        assert 'what "blind" sets is not read back' in said
        assert 'what "sighted"' not in said


async def test_without_drift_the_answer_is_yes(terminal: Terminal) -> None:
    await fill(terminal)
    terminal.run("audit", "--place", "course:a")
    assert "Nothing is delivered" in terminal.run("audit", "--place", "course:none").output

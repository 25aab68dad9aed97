"""The demo's player: its page in a browser, from the address that is printed to the platform."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from demo.processes import PATIENCE
from tests.support.browser import open_tab
from tests.support.clients import node

COURSE = 'document.getElementById("course")?.contentDocument'
NEXT = f'{COURSE}?.getElementById("sco")?.contentDocument?.getElementById("next")'

#: the lists beside the course, and what is in each at the end
SHOWN = {
    "received": "completed",
    "sent": "UpdateTopicAndCourseProgress: topicId topic_demo_3, progress 100",
    "shown": "topic_demo_3: 100 %",
}


async def test_whoever_turns_the_pages_sees_the_platform_follow(tmp_path: Path) -> None:
    await node()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "demo.player", "--until-complete"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not said or not said[-1].startswith("http"):
                said.append((await process.stdout.readline()).decode().strip())
            async with open_tab(tmp_path / "profile", said[-1]) as tab:
                for _ in range(3):
                    await tab.until(f"{NEXT} && !{NEXT}.disabled")
                    await tab.run(f"{NEXT}.click()")
                for id_, words in SHOWN.items():
                    await tab.until(
                        f"document.getElementById('{id_}').textContent.includes('{words}')"
                    )
                rest = (await process.stdout.read()).decode().splitlines()
                # the page goes on asking when the demo has ended
                assert [one for one in tab.errors if "live.json" not in one] == []
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert rest[-1] == "the platform shows topic_demo_3 of ana@example.com at 100 %"

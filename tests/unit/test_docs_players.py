"""The pages about players: what they tell people to paste can be pasted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pointsman.config import load

PAGES = sorted((Path(__file__).parents[2] / "docs" / "players").glob("*.md"))
BASE = """
[platform]
url = "https://learn.example.com"
api_key = "key"
[[sources.http]]
name = "player"
credentials = [{ key = "web", secret = "secret" }]
[learners.tokens]
inline = { "ana@example.com" = "token" }
"""


def snippets(page: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_settings_on_a_page_can_be_pasted(page: Path, tmp_path: Path) -> None:
    text = BASE + "\n".join(snippets(page))
    (tmp_path / "secrets").mkdir()
    for name in re.findall(r"\bsecrets/[a-z_.]+", text):
        (tmp_path / name).write_text("whsec_d2hhdCBpcyBhcyBzZWNyZXQgYXMgaXQgaXMgbG9uZw==")
    pasted = tmp_path / "pointsman.toml"
    pasted.write_text(text)
    load(pasted)


@pytest.mark.parametrize("name", ["video", "h5p", "rise", "storyline", "xapi-cmi5"])
def test_a_page_has_a_rule_to_paste(name: str) -> None:
    (page,) = (page for page in PAGES if page.stem == name)
    assert any("[[rules]]" in snippet for snippet in snippets(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_leads_to_files_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "client",
    ["adl-wrappers", "tincanjs", "xapi-xapi", "rise", "storyline", "video", "h5p"],
)
def test_each_client_that_sends_xapi_has_what_its_source_needs(client: str) -> None:
    page = PAGES[0].with_name(f"{client}.md").read_text(encoding="utf-8")
    assert "lenient" in page
    assert f"(players/{client}.md)" in (PAGES[0].parents[1] / "http.md").read_text(encoding="utf-8")

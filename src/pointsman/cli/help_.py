"""`pointsman help` shows the pages of the docs, which come with the package, without a network."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from pointsman.cli.exit_codes import ExitCode
from pointsman.package_files import pages

#: the page that is searched before all others
_FIRST = "runbook"
#: from 0 to 1: how alike a topic is to what may be meant (difflib)
_ALIKE = 0.75
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$")
_NO_WORD = re.compile(r"[^\w\s-]")


def help_(
    context: typer.Context,
    topic: Annotated[
        str, typer.Argument(help="A page, such as runbook; or a heading, such as an alert's name.")
    ] = "",
) -> None:
    """Show a page of the docs, or a section of one: the runbook by alert, offline.

    A topic is a page (`runbook`, `kafka`, `players/cmi5`) or a heading in one, as it is written or
    as it is linked: `PointsmanBehind`, `exit-codes`. Without a topic the pages are listed. At a
    terminal it is set for reading; piped, it is Markdown. Exit code 1 where there is no such topic.

    **Example:** `pointsman help PointsmanKafkaLag`
    """
    known = pages()
    if not topic:
        for name, text in known.items():
            typer.echo(f"{name:22} {_title(text)}")
        return
    shown = find(known, topic)
    if shown is None:
        near = nearest(known, topic)
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        typer.echo(f"there is no page and no heading {topic!r}{meant}", err=True)
        if topic in getattr(context.find_root().command, "commands", {}):
            typer.echo(f"next: `pointsman {topic} --help` describes that command", err=True)
        else:
            typer.echo("next: `pointsman help` lists pages, `pointsman --help` commands", err=True)
        raise typer.Exit(ExitCode.NO)
    if not sys.stdout.isatty():
        typer.echo(shown)
        return
    # not before it is needed: to list pages takes no parser
    from rich.console import Console  # noqa: PLC0415 - not before it is needed
    from rich.markdown import Markdown  # noqa: PLC0415 - not before it is needed

    console = Console()
    with console.pager(styles=True):
        console.print(Markdown(shown))


def find(known: Mapping[str, str], topic: str) -> str | None:
    """A page by its name, or the section under a heading, the runbook's before all others.

    A section may be named with its page too, as links do: `docs/runbook.md#pointsmanbehind`.
    """
    page_name, hash_, heading_name = topic.partition("#")
    name = page_name.strip().lower().removeprefix("./").removeprefix("docs/").removesuffix(".md")
    if hash_ and name in known:
        return _section(known, [name], slug(heading_name))
    if name in known:
        return known[name]
    return _section(known, sorted(known, key=lambda page: page != _FIRST), slug(topic))


def nearest(known: Mapping[str, str], topic: str) -> list[str]:
    """Up to three topics that may be meant: spelt alike, or with the topic as a part of them."""
    wanted = slug(topic)
    names = list(dict.fromkeys([*known, *_slugs(known)]))
    alike = get_close_matches(wanted, names, n=3, cutoff=_ALIKE)
    holding = [name for name in names if wanted and wanted in name]
    return list(dict.fromkeys([*alike, *sorted(holding, key=len)]))[:3]


def _section(known: Mapping[str, str], searched: Sequence[str], wanted: str) -> str | None:
    for page in searched:
        for heading, section in sections(known[page]):
            if slug(heading) == wanted:
                return section
    return None


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Each heading with its section, up to the next heading that is no lower."""
    lines = text.splitlines()
    headings = list(_headings(lines))
    for place, (number, level, heading) in enumerate(headings):
        later = (end for end, other, _ in headings[place + 1 :] if other <= level)
        yield heading, "\n".join(lines[number : next(later, len(lines))]).rstrip()


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Line, level and words of each; in a block of code a # begins a remark."""
    in_code = False
    for number, line in enumerate(lines):
        in_code ^= line.startswith("```")
        if not in_code and (match := _HEADING.match(line)):
            yield number, len(match[1]), match[2]


def slug(heading: str) -> str:
    """How a heading is linked on the web: lower case, hyphens for spaces."""
    return _NO_WORD.sub("", " ".join(heading.lower().split())).replace(" ", "-")


def _slugs(known: Mapping[str, str]) -> list[str]:
    return [slug(heading) for text in known.values() for heading, _ in sections(text)]


def _title(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ")

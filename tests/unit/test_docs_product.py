"""The docs against the product: what a page names exists.

Commands, options, settings, variables, metrics, routes, files and headings.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from pointsman.cli import COMMANDS
from pointsman.config.environment import variables
from pointsman.config.settings import Settings
from pointsman.setting_types import Section
from tests.support.doc_code import ROOT, code, command_lines, pages
from tests.unit.test_docs_metrics import exposed

LOADED = {command.name: command.load() for command in COMMANDS}
#: options of the command itself
OF_ALL = {"--version", "--help", "--install-completion", "--show-completion"}
#: options of programs that are not ours
FOREIGN_OPTIONS = {
    *("--build-arg", "--rm", "--from-literal", "--from-file"),
    *("--enable-feature", "--until-complete"),
}
_CALL = re.compile(
    r"(?:^|[|;&(]\s*|\$ |-- |=\S+ |\s{2,})(?:\.venv/bin/)?pointsman(?= |$)((?: [^|;&#`)]+)?)"
)


def calls() -> list[tuple[str, list[str]]]:
    """(page, words after `pointsman`) of every call that a page shows."""
    return [
        (page, match[1].replace("…", "").replace("'", " ").replace('"', " ").split())
        for page, line in command_lines()
        for match in _CALL.finditer(line.strip())
    ]


def complaint(words: list[str]) -> str | None:
    """What is wrong with a call."""
    command: Any = None
    known = {*OF_ALL, "-h"}
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("-") and len(name) > 1 and name != "--":
            if name not in known:
                return f"there is no {name}"
            continue
        group = LOADED if command is None else getattr(command, "commands", None)
        if not group or not re.fullmatch(r"[a-z][a-z0-9-]*", word):
            continue
        if word not in group:
            return f"there is no command {word}"
        command = group[word]
        known |= {option for param in command.params for option in param.opts}
    return None


def test_every_call_of_the_command_line_would_be_understood() -> None:
    shown = calls()
    wrong = [(page, words, said) for page, words in shown if (said := complaint(words))]

    assert len(shown) > 60
    assert wrong == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("explian --learner a@b.org", "there is no command explian"),
        ("parked lst", "there is no command lst"),
        ("parked list --lerner a@b.org", "there is no --lerner"),
        ("platform course progress ID --learner a@b.org --json", None),
    ],
)
def test_a_call_that_would_not_be_understood_is_found(words: str, said: str | None) -> None:
    assert complaint(words.split()) == said


#: a list of spans in a sentence
_LIST = re.compile(r"`[^`\n]+`(?:(?:,|,? and|,? or)\s`[^`\n]+`)+")


#: these speak of modules, which have the names of commands
ABOUT_CODE = {"docs/design.md", "CONTRIBUTING.md"}


def test_a_word_in_a_list_of_commands_is_one() -> None:
    groups = [getattr(command, "commands", {}) for command in LOADED.values()]
    known = {*LOADED, *(name for group in groups for name in group)}
    for page, text in pages().items():
        for match in _LIST.finditer(text):
            words = re.findall(r"`([^`]+)`", match[0])
            is_about_commands = any(
                word.startswith("pointsman ") or word in {"replay", "verify"} for word in words
            )
            if is_about_commands and page not in ABOUT_CODE:
                bare = {word for word in words if re.fullmatch(r"[a-z][a-z-]+", word)}
                assert bare <= known, (page, match[0])


def all_options(commands: dict[str, Any]) -> Iterator[str]:
    for command in commands.values():
        yield from (option for param in command.params for option in param.opts)
        yield from all_options(getattr(command, "commands", {}))


def test_every_option_that_is_named_by_itself_is_one_of_a_command() -> None:
    known = {*all_options(LOADED), *FOREIGN_OPTIONS, *OF_ALL}
    named = {
        (one.page, match[0])
        for one in code()
        if one.language is None
        for match in [re.match(r"--[a-z][a-z-]+", one.text)]
        if match
    }

    assert {(page, option) for page, option in named if option not in known} == set()


def sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from sections_in(argument)


def is_setting(path: list[str], models: list[type[Section]]) -> bool:
    if not path or not models:  # what is below is not a section: a table of names, a list
        return True
    fields = [model.model_fields[path[0]] for model in models if path[0] in model.model_fields]
    below = [section for field in fields for section in sections_in(field.annotation)]
    # what is below a table of names is under one of its names
    rest = 2 if any("dict[" in str(field.annotation) for field in fields) else 1
    return bool(fields) and is_setting(path[rest:], below)


@pytest.mark.parametrize(
    ("path", "exists"),
    [
        ("http.port", True),
        ("http.prot", False),
        ("learners.tokens.service.url", True),
        ("learners.tokens.inline.ana", True),
        ("sources.http.lenient", True),
        ("sources.http.lenint", False),
    ],
)
def test_a_setting_that_does_not_exist_is_found(path: str, *, exists: bool) -> None:
    assert is_setting(path.split("."), [Settings]) is exists


def named_settings() -> Iterator[tuple[str, str]]:
    top = "|".join(Settings.model_fields)
    for one in code():
        if one.language is None:
            for pattern in (rf"((?:{top})(?:\.[a-z_]+)+)(?: = .*)?", r"\[\[?([a-z_.]{3,})\]?\]"):
                if match := re.fullmatch(pattern, one.text):
                    yield one.page, match[1]
    for block in [one for one in code() if one.language == "toml"]:
        tree = tomllib.loads(block.text)
        if tree.keys() <= Settings.model_fields.keys():
            yield from ((block.page, path) for path in paths_of(tree, ""))


def paths_of(tree: Any, prefix: str) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield f"{prefix}{key}"
            yield from paths_of(value, f"{prefix}{key}.")
    if isinstance(tree, list):
        for value in tree:
            yield from paths_of(value, prefix)


#: of files that are no configuration: the emulator's catalogue and faults, a learning path
OTHER_FILES = {
    *("faults", "learners", "courses", "learning_paths", "milestones", "file"),
    *("award_types", "clients", "tool"),
}


def test_every_setting_exists() -> None:
    named = set(named_settings())
    wrong = {
        (page, path)
        for page, path in named
        if path.split(".")[0] not in OTHER_FILES - Settings.model_fields.keys()
        and not is_setting([re.sub(r"\W.*", "", part) for part in path.split(".")], [Settings])
    }

    assert len(named) > 60
    assert wrong == set()


def test_every_variable_is_read_somewhere() -> None:
    sources = "".join(
        path.read_text()
        for folder in ("src", "demo", "tests", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ""} and "cache" not in str(path)
        if path.name != Path(__file__).name
    )
    known = set(variables().values())
    for page, text in pages().items():
        for name in re.findall(r"\bPOINTSMAN_[A-Z0-9_]+\b", text):
            assert name in known or name in sources, (page, name)


def test_every_metric_exists() -> None:
    histograms = {name for name, one in exposed().items() if one.kind == "histogram"}
    series = {f"{name}_{end}" for name in histograms for end in ("bucket", "sum", "count")}
    known = exposed().keys() | series
    for page, text in pages().items():
        for name in re.findall(r"\bpointsman_[a-z0-9_]+", text):
            assert name in known or any(one.startswith(name) for one in known), (page, name)


#: what is no route: places in a container or on a machine, and pages of the platform
FILES = ("/data", "/etc/", "/backups/", "/var/", "/tmp/", "/secrets", "/run/")  # noqa: S108


def routes() -> set[str]:
    """Every text in the code of both servers that begins as a path does."""
    found = set()
    for folder in ("sources", "emulator", "wiring"):
        for path in (ROOT / "src" / "pointsman" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return {re.sub(r"\{.*?\}", "*", route) for route in found if re.match(r"/\w", route)} | {"/"}


def named_routes() -> Iterator[tuple[str, str]]:
    for one in code():
        if one.language is None:
            match = re.fullmatch(r"(?:(?:GET|POST|PUT|DELETE|HEAD) )?(/[\w/.{}*-]*).*", one.text)
            if match and not match[1].startswith(FILES) and "/" not in one.text[-1:]:
                yield one.page, match[1]


def test_every_route_is_served() -> None:
    served = routes()
    named = set(named_routes())
    wrong = set()
    for page, route in named:
        wanted = re.sub(r"\{.*?\}|\b[A-Z]+\b|\bf\d+\b", "*", route).rstrip("/") or "/"
        if not any(f"{one}/".startswith(f"{wanted}/") or matches(wanted, one) for one in served):
            wrong.add((page, route))

    assert len(named) > 20
    assert wrong == set()


def matches(wanted: str, route: str) -> bool:
    """`*` in a route stands for any one segment."""
    pattern = re.escape(route).replace(r"\*", "[^/]+")
    return re.fullmatch(pattern, wanted) is not None


def slugs(text: str) -> set[str]:
    """The anchors that headings have, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in plain}


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", pages()[page]):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), (page, target)
        assert not anchor or anchor in slugs(path.read_text(encoding="utf-8")), (page, target)


def test_every_file_of_the_repository_that_is_named_is_there() -> None:
    named = {
        (one.page, one.text)
        for one in code()
        if re.fullmatch(r"(src|tests|docs|deploy|demo|bench|\.ci)/[\w./*-]*", one.text)
    }

    gone = {(page, name) for page, name in named if not list(ROOT.glob(name))}
    # what was removed is named once more, to say so
    assert {(page, name) for page, name in gone if page != "CHANGELOG.md"} == set()


def test_every_make_target_and_module_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page, line in command_lines():
        for target in re.findall(r"(?:^|\s)make ([a-z]+)$", line):
            assert target in targets, (page, line)
        for module in re.findall(r"python3? -m ((?:demo|bench|tests)[\w.]*)", line):
            path = ROOT / module.replace(".", "/")
            assert path.is_dir() or path.with_suffix(".py").exists(), (page, module)

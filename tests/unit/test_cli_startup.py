"""What a command loads before it does anything, and what it needs to be installed."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from pointsman import commands, wiring
from pointsman.cli import COMMANDS, app
from pointsman.cli.lazy_commands import LazyCommand

ROOT = Path(__file__).parents[2]
LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded_by(code: str) -> set[str]:
    """The modules that a new interpreter has after `code`, and those they are in."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def within(modules: Iterable[str], *packages: str) -> list[str]:
    return [name for name in modules if any(f"{name}.".startswith(f"{p}.") for p in packages)]


HELP = """
import sys
from pointsman.cli import main
sys.argv = ["pointsman", "--help"]
try:
    main()
except SystemExit as exit:
    assert not exit.code
"""


def test_the_help_loads_no_command_and_nothing_that_a_command_needs() -> None:
    loaded = loaded_by(HELP)

    assert "typer.rich_utils" in loaded, "the help was shown"
    ours = within(loaded, "pointsman")
    helping = {"pointsman.cli.lazy_commands", "pointsman.cli.exit_codes"}
    assert set(ours) == {"pointsman", "pointsman.cli"} | helping
    assert not within(loaded, "aiokafka", "graphql", "asyncpg", "sqlite3", "aiohttp", "pydantic")


def test_the_daemon_loads_no_emulator_no_graphql_and_no_other_command() -> None:
    loaded = loaded_by(
        "import pointsman.cli.run, pointsman.process\n"
        "from pointsman import wiring\n"
        "[getattr(wiring, name) for name in wiring.__all__]"
    )

    assert "pointsman.sources.kafka.source" in loaded, "the whole daemon was loaded"
    assert not within(loaded, "pointsman.emulator", "graphql", "rich.progress", "rich.filesize")
    assert not within(loaded, "pointsman.traces", "opentelemetry"), "traces are off"
    shared = ("lazy_commands", "exit_codes", "options")
    commands = {"pointsman.cli", *(f"pointsman.cli.{name}" for name in shared)}
    assert set(within(loaded, "pointsman.cli")) == commands | {"pointsman.cli.run"}


def test_the_daemon_starts_where_graphql_is_not_installed() -> None:
    loaded = loaded_by("import sys; sys.modules['graphql'] = None; import pointsman.process")

    assert "pointsman.app" in loaded


def test_graphql_comes_with_the_extra_emulator_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    assert not [name for name in project["dependencies"] if name.startswith("graphql")]
    assert [re.split(r"[<>=]", name)[0] for name in extras["emulator"]] == ["graphql-core"]
    assert "pointsman[emulator]" in extras["dev"]


def test_emulate_says_what_to_install_where_the_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in within(list(sys.modules), "pointsman.emulator", "graphql"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "graphql", None)

    result = CliRunner().invoke(app, ["emulate", "--api-key", "k"])

    assert result.exit_code == 2
    assert result.stderr == "the emulator is an extra: pip install 'pointsman[emulator]'\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_help_lists_each_command_as_the_command_describes_itself(command: LazyCommand) -> None:
    loaded = command.load()

    assert loaded.name == command.name
    assert loaded.help.partition("\n")[0] == command.summary


def test_no_command_module_is_left_out_of_the_help() -> None:
    modules = {command.module for command in COMMANDS}
    defining = {
        f"pointsman.cli.{path.stem}"
        for path in (ROOT / "src" / "pointsman" / "cli").glob("*.py")
        if "**Example:**" in path.read_text() and path.stem != "__init__"
    }

    # a command of `pointsman platform`, which lists it
    assert modules == defining - {"pointsman.cli.platform_login"}


def test_a_mistyped_command_is_told_the_nearest() -> None:
    result = CliRunner().invoke(app, ["chek"])

    assert result.exit_code == 2
    assert "Did you mean 'check'" in result.stderr


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])

    version = importlib.metadata.version("pointsman")
    assert re.fullmatch(rf"pointsman {re.escape(version)}( \(commit [0-9a-f]+\))?\n", result.stdout)


def test_a_loaded_command_knows_the_short_option_for_help() -> None:
    result = CliRunner().invoke(app, ["parked", "list", "-h"])

    assert result.exit_code == 0
    assert "--learner" in result.stdout


@pytest.mark.parametrize("package", [wiring, commands], ids=["wiring", "commands"])
def test_a_name_of_a_package_is_loaded_when_it_is_used(package: ModuleType) -> None:
    assert package.__file__ is not None
    modules = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    assert modules & set(package.__all__) == set(), "a module takes the place of the name"
    for name in package.__all__:
        assert getattr(package, name).__name__
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018 - it is the use that fails


def test_explain_loads_no_server_no_kafka_and_no_metrics() -> None:
    loaded = loaded_by(
        "from pointsman import commands, wiring\ncommands.explain, wiring.store, wiring.teller"
    )
    assert "pointsman.story.tell" in loaded
    ours = ("pointsman.app", "pointsman.sources.http.app", "pointsman.sources.kafka.source")
    assert not within(loaded, *ours, "aiokafka", "prometheus_client", "pointsman.platforms.helium")

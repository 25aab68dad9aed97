"""What `deploy/emulator` starts is a command that there is, with options that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from pointsman.cli import app
from pointsman.emulator.faults import fault_from_text

ROOT = Path(__file__).parents[2]
POD = (ROOT / "deploy" / "emulator" / "statefulset.yaml").read_text()


def test_the_image_runs_the_command_that_the_pod_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'ENTRYPOINT ["pointsman"]' in (ROOT / "Dockerfile").read_text()
    (listed,) = re.findall(r"^ +args: \[(.*)\]$", POD, re.MULTILINE)
    command, *arguments = [one.strip('"') for one in listed.split(", ")]
    variables = re.findall(r"- name: (POINTSMAN_\w+)\n +valueFrom:\n +secretKeyRef:", POD)
    for name in variables:
        monkeypatch.setenv(name, "from-the-secret")

    group = typer.main.get_group(app)
    with group.make_context("pointsman", [command]) as parent:
        _, found, _ = group.resolve_command(parent, [command])
    assert found is not None
    with found.make_context(command, arguments) as context:
        options = context.params

    assert options["api_key"] == "from-the-secret"
    assert options["host"] == "0.0.0.0"  # noqa: S104 - in a container of its own
    assert f"containerPort: {options['port']}\n" in POD
    assert f"mountPath: {options['data']}\n" in POD


def test_the_pod_reads_the_key_that_the_example_of_a_secret_has() -> None:
    secret = (ROOT / "deploy" / "emulator" / "secret.example.yaml").read_text()
    (name, key) = re.findall(r"secretKeyRef:\n +name: (.*)\n +key: (.*)\n", POD)[0]
    assert f"\n  name: {name}\n" in secret
    assert f"\n  {key}: " in secret


def test_the_fault_that_the_manifest_suggests_is_one() -> None:
    (text,) = re.findall(r"--fault (\S+)", POD)
    assert fault_from_text(text).kind == "drop_after"

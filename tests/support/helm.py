"""The Helm chart, rendered by Helm itself, and the other programs of `.ci/tools`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.manifests import CHART, tool

SCHEMAS = Path(__file__).parents[1] / "data" / "kubernetes"
#: the three newest minor versions of Kubernetes that there are schemas of
KUBERNETES = tuple(sorted(path.name.removeprefix("v") for path in SCHEMAS.glob("v1.*")))
SCALED_OUT = str(CHART / "values-replicas.yaml")


@cache
def program(name: str) -> str:
    """helm, kubectl, kubeconform or compose-spec; the test is skipped where they can't be had."""
    try:
        return tool(name)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no {name}: .ci/tools ended with code {error.returncode}")


def run(name: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program(name), *arguments], input=text, capture_output=True, text=True, check=False
    )


@cache
def _objects(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What `helm template` printed; `refused` is why it printed nothing."""

    text: str
    refused: str

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.all() if one["kind"] == kind]

    def all(self) -> list[dict[str, Any]]:
        return _objects(self.text)

    def only(self, kind: str) -> dict[str, Any]:
        [found] = self.objects(kind)
        return found

    def pod(self) -> dict[str, Any]:
        """The template of the workload's pods."""
        [workload] = self.objects("StatefulSet") + self.objects("Deployment")
        template: dict[str, Any] = workload["spec"]["template"]
        return template

    def config(self) -> str:
        text: str = self.only("ConfigMap")["data"]["pointsman.toml"]
        return text


@cache
def _chart() -> str:
    """Changes with any file of the chart."""
    known = hashlib.sha256(program("helm").encode())
    for path in sorted(path for path in CHART.rglob("*") if path.is_file()):
        known.update(str(path).encode() + path.read_bytes())
    return known.hexdigest()


def render(
    values: dict[str, Any] | None = None, *, scaled_out: bool = False, release: str = "pointsman"
) -> Rendered:
    """`values` win over the chart's, or over those of values-replicas.yaml.

    What was rendered is kept for the other processes of a run of the tests.
    """
    files = ["-f", SCALED_OUT] if scaled_out else []
    text = yaml.dump(values or {})
    key = hashlib.sha256(f"{_chart()} {files} {release} {text}".encode()).hexdigest()
    kept = Path(tempfile.gettempdir(), f"pointsman-chart-{os.geteuid()}", key)
    if not kept.exists():
        done = run("helm", "template", release, str(CHART), *files, "-f", "-", text=text)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        half = kept.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps([done.stdout, done.stderr]))
        half.rename(kept)
    return Rendered(*json.loads(kept.read_text()))


def conforms(version: str, text: str) -> str:
    """What kubeconform says against it as manifests of this Kubernetes; "" for nothing."""
    places = [f"{SCHEMAS}/v{version}", f"{SCHEMAS}/custom"]
    locations = [
        part
        for place in places
        for part in ("-schema-location", place + "/{{.ResourceKind}}{{.KindSuffix}}.json")
    ]
    done = run("kubeconform", "-strict", "-kubernetes-version", version, *locations, text=text)
    return done.stdout + done.stderr

"""The Helm chart, rendered by Helm itself, and the other programs of `.ci/tools`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Rendered:
    """What `helm template` printed; `refused` is why it printed nothing."""

    text: str
    refused: str

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.all() if one["kind"] == kind]

    def all(self) -> list[dict[str, Any]]:
        return [one for one in yaml.load_all(self.text, yaml.CSafeLoader) if one]

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


def render(
    values: dict[str, Any] | None = None,
    *,
    scaled_out: bool = False,
    release: str = "pointsman",
    flags: Sequence[str] = (),
) -> Rendered:
    """`values` win over the chart's, or over those of values-replicas.yaml."""
    files = ["-f", SCALED_OUT] if scaled_out else []
    done = run(
        "helm", "template", release, str(CHART), *files, "-f", "-", *flags,
        text=yaml.dump(values or {}),
    )  # fmt: skip
    return Rendered(done.stdout, done.stderr)


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

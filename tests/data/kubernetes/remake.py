"""Remakes the JSON Schemas of this folder, of the kinds that deploy/ has: strict, without words.

Run it with three versions of Kubernetes, oldest first, in an empty folder:

    pip download --no-deps kubernetes-validate==1.37.0
    go mod download -json github.com/prometheus-operator/prometheus-operator@v0.85.0
    python tests/data/kubernetes/remake.py WHEEL FOLDER-OF-THE-GO-MODULE v1.35.0 v1.36.0 v1.37.0
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
#: as kubernetes-validate and kubeconform call them
KINDS = (
    "configmap-v1",
    "deployment-apps-v1",
    "horizontalpodautoscaler-autoscaling-v2",
    "ingress-networking-v1",
    "networkpolicy-networking-v1",
    "pod-v1",
    "poddisruptionbudget-policy-v1",
    "secret-v1",
    "service-v1",
    "serviceaccount-v1",
    "statefulset-apps-v1",
)
CUSTOM = {"servicemonitors": "servicemonitor", "prometheusrules": "prometheusrule"}
_WORDS = {"description", "$id", "title"}


def strict(schema: Any, *, is_a_schema: bool = True) -> Any:
    """Without words; with properties, no others; references lead to definitions.json."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if is_a_schema and (key in _WORDS or key.startswith("x-")):
            continue
        made[key] = strict(value, is_a_schema=not is_a_schema or key not in {"properties", "$defs"})
    if not is_a_schema:
        return made
    if "$ref" in made:
        made = {"$ref": re.sub(r"^.*#/\$defs/", "definitions.json#/$defs/", made["$ref"])}
    if "properties" in made and "x-kubernetes-preserve-unknown-fields" not in schema:
        made.setdefault("additionalProperties", False)
    return made


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from references(part)


def write(path: Path, schema: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")


def kubernetes(wheel: zipfile.ZipFile, version: str) -> None:
    folder = f"kubernetes_validate/kubernetes-json-schema/{version}-local"
    definitions = json.loads(wheel.read(f"{folder}/_definitions.json"))["$defs"]
    wanted: set[str] = set()
    for kind in KINDS:
        schema = strict(json.loads(wheel.read(f"{folder}/{kind}.json")))
        write(HERE / version / f"{kind}.json", schema)
        wanted.update(references(schema))
    made: dict[str, Any] = {}
    while missing := wanted - made.keys():
        for name in missing:
            made[name] = strict(definitions[name])
            wanted.update(references(made[name]))
    write(HERE / version / "definitions.json", {"$defs": made})


def main() -> None:
    wheel, operator, *versions = sys.argv[1:]
    for old in HERE.glob("v*"):
        shutil.rmtree(old)
    with zipfile.ZipFile(wheel) as packed:
        for version in versions:
            kubernetes(packed, version)
        [licence] = [name for name in packed.namelist() if name.endswith("/LICENSE")]
        (HERE / "LICENSE").write_bytes(packed.read(licence))
    for theirs, ours in CUSTOM.items():
        source = Path(operator, "example", "prometheus-operator-crd")
        text = (source / f"monitoring.coreos.com_{theirs}.yaml").read_text()
        [version] = yaml.safe_load(text)["spec"]["versions"]
        schema = strict(version["schema"]["openAPIV3Schema"])
        write(HERE / "custom" / f"{ours}-monitoring-{version['name']}.json", schema)


main()

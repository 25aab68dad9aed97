"""The chart and the manifests of deploy/, checked by Helm, kubeconform, kustomize and promtool."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.manifests import CHART, DEPLOY, FOLDERS, plain_manifests
from pointsman.cli import app
from pointsman.config import load
from pointsman.process import CLOSING
from pointsman.sources.http.readiness import ANSWERS_WITHIN
from tests.support import promtool
from tests.support.helm import KUBERNETES, SCALED_OUT, Rendered, conforms, render, run

LONG = "p" + "x" * 51 + "-" + "y" * 10
SINGLE = yaml.safe_load((CHART / "values.yaml").read_text())["config"]
SHARED = yaml.safe_load(Path(SCALED_OUT).read_text())["config"]
EVERYTHING: dict[str, Any] = {
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "10m"},
        "hosts": [{"host": "lrs.example.com", "paths": [{"path": "/"}]}],
        "tls": [{"secretName": "lrs-tls", "hosts": ["lrs.example.com"]}],
    },
    "networkPolicy": {
        "enabled": True,
        "from": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}],
        "egress": {"enabled": True, "rules": [{"ports": [{"port": 443}]}]},
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "runbookUrl": "https://wiki.example.com/pointsman"},
    "serviceAccount": {
        "create": True,
        "annotations": {"example.com/role": "arn:aws:iam::1:role/x"},
    },
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "high",
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "podAnnotations": {"prometheus.io/scrape": "false", "pointsman/restart": "by hand"},
    "commonLabels": {
        "team": "learning",
        "app.kubernetes.io/name": "other",
        "app.kubernetes.io/component": "lrs",
    },
    "podLabels": {"app.kubernetes.io/instance": "other", "sidecar": "no"},
    "extraEnv": [
        {"name": "POINTSMAN_LOGGING__LEVEL", "value": "debug"},
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
    ],
    "extraEnvFrom": [{"configMapRef": {"name": "proxies"}}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
}
IPV6 = SINGLE.replace('"0.0.0.0"', '"::"').replace("[http]\n", '[http]\nhost = "::"\n')
UNDER_A_PATH = SINGLE.replace("[http]\n", '[http]\npublic_url = "https://e.example.com/lrs"\n')
#: values, whether they are over those of values-replicas.yaml, and the release's name
CASES: dict[str, tuple[dict[str, Any], bool, str]] = {
    "one pod": ({}, False, "pointsman"),
    "replicas": ({}, True, "pointsman"),
    "one pod with everything": (EVERYTHING, False, "learning"),
    "replicas with everything": (
        {
            **EVERYTHING,
            "strategy": {"rollingUpdate": {"maxUnavailable": 0}},
            "autoscaling": {
                "enabled": True,
                "kafkaLag": {"enabled": True, "selector": {"namespace": "learning"}},
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "memory",
                            "target": {"type": "Utilization", "averageUtilization": 80},
                        },
                    }
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
            },
            "podDisruptionBudget": {"maxUnavailable": "34%"},
        },
        True,
        "learning",
    ),
    "names of 63 characters": ({**EVERYTHING, "fullnameOverride": LONG}, True, "r" * 53),
    "a release of another name": ({"nameOverride": "lrs"}, False, "r" * 53),
    "no volume": ({"persistence": {"enabled": False}}, False, "pointsman"),
    "a claim that is there": ({"persistence": {"existingClaim": "old"}}, False, "pointsman"),
    "a storage class": (
        {
            "persistence": {
                "storageClass": "fast.ssd",
                "size": "100Gi",
                "accessModes": ["ReadWriteOnce"],
                "annotations": {"example.com/backup": "yes"},
            }
        },
        False,
        "pointsman",
    ),
    "IPv6 alone": (
        {"config": IPV6, "service": {"ipFamilies": ["IPv6"], "ipFamilyPolicy": "SingleStack"}},
        False,
        "pointsman",
    ),
    "an ingress under a path": (
        {
            "config": UNDER_A_PATH,
            "ingress": {
                "enabled": True,
                "hosts": [
                    {
                        "host": "e.example.com",
                        "paths": [{"path": "/lrs/(.*)", "pathType": "ImplementationSpecific"}],
                    }
                ],
            },
        },
        False,
        "pointsman",
    ),
    "a Secret of the chart's, an image by digest": (
        {
            "secrets": {"api_key": "12:34", "number": "0123"},
            "image": {"digest": "sha256:" + "0a" * 32, "repository": "registry:5000/pointsman"},
            "service": {"type": "LoadBalancer", "port": 8443},
            "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
        },
        False,
        "pointsman",
    ),
    "other ports and times": (
        {
            "config": SINGLE.replace("port = 8081", "port = 9_000")
            .replace("drain_seconds = 20", "drain_seconds = 90.5\nport = 9001")
            .replace("drain_delay_seconds = 5 ", "drain_delay_seconds = 15 "),
        },
        False,
        "pointsman",
    ),
    "no replica for now": ({"replicas": 0, "topologySpreadConstraints": []}, True, "pointsman"),
}


@cache
def rendered(name: str) -> Rendered:
    values, scaled_out, release = CASES[name]
    result = render(values, scaled_out=scaled_out, release=release)
    assert result.text, f"{name}: {result.refused}"
    return result


@pytest.mark.parametrize("values", ["values.yaml", "values-replicas.yaml"])
def test_helm_finds_nothing_to_say_against_the_chart(values: str) -> None:
    done = run("helm", "lint", "--strict", str(CHART), "-f", str(CHART / values))
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_chart_makes_of_any_values_is_what_each_kubernetes_takes() -> None:
    everything = "\n---\n".join(rendered(name).text for name in CASES)
    for version in KUBERNETES:
        assert conforms(version, everything) == ""
    assert "is invalid" in conforms(KUBERNETES[-1], everything.replace("httpGet:", "httpGett:"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_plain_manifests_are_the_chart_s(folder: str) -> None:
    committed = {
        path.name: path.read_text()
        for path in (DEPLOY / folder).glob("*.yaml")
        if path.name not in {"kustomization.yaml", "secret.example.yaml"}
    }
    assert committed == plain_manifests(folder), "run: python -m deploy.manifests"


def test_kustomize_builds_the_plain_manifests() -> None:
    built = []
    for folder in (*FOLDERS, "emulator"):
        done = run("kubectl", "kustomize", str(DEPLOY / folder))
        assert done.returncode == 0, done.stderr
        built += [done.stdout, (DEPLOY / folder / "secret.example.yaml").read_text()]
    for version in KUBERNETES:
        assert conforms(version, "\n---\n".join(built)) == ""


def test_pointsman_takes_each_configuration_and_the_pod_fits_it(tmp_path: Path) -> None:
    for name in ("api_key", "player_secret", "store_password", "kafka_password"):
        (tmp_path / name).write_text("b7Zk-2qLw9_xR4tV")
    for name in ("kafka_ca.pem", "store_ca.pem"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "tokens.json").write_text("{}")
    path = tmp_path / "pointsman.toml"
    for case in CASES:
        result, template = rendered(case), rendered(case).pod()
        path.write_text(result.config().replace("/etc/pointsman-secrets", str(tmp_path)))
        checked = CliRunner().invoke(app, ["check", "--config", str(path)])
        assert checked.exit_code == 0, f"{case}: {checked.output}"

        http, spec = load(path).http, template["spec"]
        operator, container = http.operator, spec["containers"][0]
        assert operator is not None
        assert spec["terminationGracePeriodSeconds"] > (
            http.drain_delay_seconds + http.drain_seconds + CLOSING
        )
        assert "lifecycle" not in container, "a preStop delays SIGTERM, and /readyz with it"
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == {"http": http.port, "operator": operator.port}, case
        probe = container["readinessProbe"]
        assert probe["timeoutSeconds"] > ANSWERS_WITHIN, "a store that hangs is not told as such"
        assert probe["periodSeconds"] <= http.drain_delay_seconds, "it never sees the 503"
        [operators] = [
            one
            for one in result.objects("Service")
            if one["metadata"]["name"].endswith("-operator")
        ]
        assert operator.hosts == (operators["metadata"]["name"],), case


def test_names_and_labels_fit_and_services_select_the_pods_and_nothing_else() -> None:
    for case in CASES:
        result = rendered(case)
        labels = result.pod()["metadata"]["labels"]
        [workload] = result.objects("StatefulSet") + result.objects("Deployment")
        selectors = [workload["spec"]["selector"]["matchLabels"]]
        selectors += [one["spec"]["selector"] for one in result.objects("Service")]
        for one in result.objects("PodDisruptionBudget"):
            selectors.append(one["spec"]["selector"]["matchLabels"])
        for selector in selectors:
            assert selector.items() <= labels.items(), case
            assert not selector.items() <= result.only("Pod")["metadata"]["labels"].items(), case
        for one in result.all():
            # a StatefulSet's pods are labelled with its name and ten characters more
            limit = 52 if one["kind"] == "StatefulSet" else 63
            assert len(one["metadata"]["name"]) <= limit, case
            assert all(len(value) <= 63 for value in one["metadata"]["labels"].values()), case


def test_pods_may_write_only_where_they_have_to_and_are_nobody() -> None:
    for case in CASES:
        template = rendered(case).pod()
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        pods = [spec, rendered(case).only("Pod")["spec"]]
        for container in [
            c for pod in pods for c in (*pod["containers"], *pod.get("initContainers", ()))
        ]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
            assert writable <= {"/data", "/tmp"}, case  # noqa: S108 - a mount of the pod


def test_the_volume_is_the_one_that_is_asked_for() -> None:
    def data(case: str) -> tuple[list[dict[str, Any]], list[Any]]:
        volumes = rendered(case).pod()["spec"]["volumes"]
        templates = rendered(case).only("StatefulSet")["spec"].get("volumeClaimTemplates", [])
        return [one for one in volumes if one["name"] == "data"], templates

    assert data("no volume") == ([{"name": "data", "emptyDir": {}}], [])
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "old"}}
    assert data("a claim that is there") == ([claim], [])
    volumes, [template] = data("a storage class")
    assert volumes == []
    assert template["spec"]["storageClassName"] == "fast.ssd"


def test_the_number_of_replicas_is_the_autoscaler_s_where_there_is_one() -> None:
    assert rendered("replicas").only("Deployment")["spec"]["replicas"] == 3
    assert rendered("no replica for now").only("Deployment")["spec"]["replicas"] == 0
    scaled = rendered("replicas with everything")
    assert "replicas" not in scaled.only("Deployment")["spec"]
    metrics = scaled.only("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert [one["type"] for one in metrics] == ["ContainerResource", "External", "Resource"]
    assert metrics[1]["external"] == {
        "metric": {
            "name": "pointsman_kafka_lag",
            "selector": {"matchLabels": {"namespace": "learning"}},
        },
        "target": {"type": "AverageValue", "averageValue": "5000"},
    }


def test_prometheus_takes_the_rules_and_finds_the_runbook_and_the_job(tmp_path: Path) -> None:
    result = rendered("one pod with everything")
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(result.only("PrometheusRule")["spec"]))
    checked = promtool.run("check", "rules", str(path))
    assert checked.returncode == 0, checked.stderr.decode()
    assert "docs/runbook.md" not in path.read_text()
    assert "https://wiki.example.com/pointsman#pointsmanbehind" in path.read_text()
    [endpoint] = rendered("names of 63 characters").only("ServiceMonitor")["spec"]["endpoints"]
    assert "pointsman" in endpoint["relabelings"][0]["replacement"]


def test_the_values_that_the_page_shows_are_values_of_the_chart(tmp_path: Path) -> None:
    page = (DEPLOY.parent / "docs" / "kubernetes.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = [yaml.safe_load(block) for block in blocks if "externalRules" not in block]
    assert len(shown) == 5
    for values in shown:
        result = render(values)
        assert result.text, result.refused
        if "config" in values:
            text = result.config().replace("/etc/pointsman-secrets", str(tmp_path))
            for name in re.findall(rf"{tmp_path}/([\w.]+)", text):
                (tmp_path / name).write_text("{}")
            (tmp_path / "pointsman.toml").write_text(text)
            load(tmp_path / "pointsman.toml")


def restart_mark(config: str) -> str:
    mark: str = render({"config": config}).pod()["metadata"]["annotations"]["pointsman/restart"]
    return mark


def test_pods_are_restarted_only_for_a_setting_that_needs_it() -> None:
    assert SINGLE.count("never") == 1
    live = SINGLE.replace('"never"', '"passed"').replace("[platform]", "# more\n[platform]")
    live += '[platform.limits]\nshare = 0.5\n[logging]\nlevel = "debug"\n'
    assert restart_mark(live) == restart_mark(SINGLE)
    assert restart_mark(SINGLE.replace("drain_seconds = 20", "drain_seconds = 30")) != restart_mark(
        SINGLE
    )


def test_values_of_a_wrong_form_are_refused_all_at_once_with_their_names() -> None:
    refused = render(
        {
            "replicas": "3",
            "replica": 1,
            "mode": "cluster",
            "config": "",
            "service": {"port": "80"},
            "operatorService": {"port": 80000},
            "persistence": {"enabled": "false", "size": 10, "accessModes": ["ReadWriteMany"]},
            "podDisruptionBudget": {"maxUnavailable": 0},
            "image": {"tag": 1.0, "digest": "latest"},
            "secrets": {"b": 12, "a/b": "c"},
            "extraEnv": [{"name": "A", "value": 1}],
            "extraVolumes": {"a": "b"},
            "ingress": {"enabled": True},
            "fullnameOverride": "Pointsman",
            "commonLabels": {"team": "a b", "the team": "a"},
            "podLabels": {"-team": "a"},
            "podAnnotations": {"a/b/c": "a"},
            "prometheusRule": {"enabled": "yes"},
            "topologySpreadConstraints": [{"maxSkew": 1}],
        }
    ).refused
    for words in (
        "at '/replicas': got string, want integer",
        "additional properties 'replica' not allowed",
        "at '/mode': value must be one of 'embedded', 'replicas'",
        "at '/config': minLength",
        "at '/service/port': got string, want integer",
        "at '/operatorService/port': maximum",
        "at '/persistence/enabled': got string, want boolean",
        "at '/persistence/size': got number, want string",
        "at '/persistence/accessModes/0': value must be one of 'ReadWriteOncePod'",
        "at '/podDisruptionBudget/maxUnavailable'",
        "at '/image/tag': got number, want string",
        "at '/image/digest': 'latest' does not match",
        "at '/secrets/b': got number, want string",
        "at '/extraEnv/0/value': got number, want string",
        "at '/extraVolumes': got object, want array",
        "at '/ingress/hosts': minItems",
        "at '/fullnameOverride': 'Pointsman' does not match",
        "at '/commonLabels/team': 'a b' does not match",
        "at '/secrets': additional properties 'a/b' not allowed",
        "at '/commonLabels': additional properties 'the team' not allowed",
        "at '/podLabels': additional properties '-team' not allowed",
        "at '/podAnnotations': additional properties 'a/b/c' not allowed",
        "at '/prometheusRule/enabled': got string, want boolean",
        "at '/topologySpreadConstraints/0': missing properties 'topologyKey', 'whenUnsatisfiable'",
    ):
        assert words in refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"replicas": 3}, ["mode is embedded", "replicas is 3", "set mode: replicas"]),
        ({"mode": "replicas"}, ["mode is replicas", "sqlite:////data/pointsman.db"]),
        ({"config": SHARED}, ["mode is embedded", "postgresql://", "set mode: replicas"]),
        ({"config": "[http\n"}, ["config is not TOML", "line 2"]),
        ({"config": "{{ .Values.nothing.here }}"}, ["nothing"]),
        ({"config": SINGLE.replace("[http.operator]", "[other]")}, ["no [http.operator]"]),
        ({"config": SINGLE.replace('"0.0.0.0"', '"localhost"')}, ["localhost", "probes can't"]),
        ({"config": SINGLE.replace("8081", "8080")}, ["both 8080"]),
        ({"config": SINGLE.replace("8081", "0")}, ["http.operator.port of config is 0"]),
        ({"config": SINGLE.replace("8081", '"http"')}, ["operator.port of config is http"]),
        (
            {"config": SINGLE.replace("[http]", "[http]\nport = -1")},
            ["http.port of config is -1", "from 1 to 65535"],
        ),
        *(
            (
                {"extraEnv": [{"name": f"POINTSMAN_HTTP{name}", "value": "9000"}]},
                [f"extraEnv has POINTSMAN_HTTP{name}", "set it in config"],
            )
            for name in ("", "__Port", "__OPERATOR__PORT")
        ),
        ({"service": {"ipFamilies": ["IPv6"]}}, ["IPv6 alone", '"::"']),
        ({"autoscaling": {"enabled": True}}, ["autoscaling is on", "set mode: replicas"]),
        ({"autoscaling": {"minReplicas": 9}}, ["minReplicas is 9, and maxReplicas 6"]),
        ({"existingSecret": "a", "secrets": {"b": "c"}}, ["existingSecret and secrets"]),
        (
            {"ingress": {"enabled": True, "hosts": [{"host": "e", "paths": [{"path": "/lrs"}]}]}},
            ["the path /lrs", "http.public_url"],
        ),
    ],
)
def test_values_that_contradict_one_another_are_refused_with_the_cure(
    values: dict[str, Any], words: list[str]
) -> None:
    result = render(values)
    assert result.text == ""
    for word in words:
        assert word in result.refused


def test_a_release_whose_name_no_service_can_have_is_refused_with_the_cure() -> None:
    for release in ("1st", "a.b"):
        assert "set fullnameOverride" in render(release=release).refused
        assert render({"fullnameOverride": "lrs"}, release=release).only("StatefulSet")


def test_the_store_may_come_from_the_environment() -> None:
    url = {
        "name": "POINTSMAN_STORE__URL",
        "valueFrom": {"secretKeyRef": {"name": "s", "key": "url"}},
    }
    assert render({"mode": "replicas", "extraEnv": [url]}).only("Deployment")

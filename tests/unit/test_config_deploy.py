"""What `deploy/` asks of the daemon is what the daemon has: settings and deadlines."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from deploy.manifests import CHART, chart_files
from pointsman import __version__
from pointsman.config import load
from pointsman.process import CLOSING
from pointsman.sources.http.readiness import ANSWERS_WITHIN

VERIFIED = (
    "postgresql://pointsman@postgres:5432/pointsman?sslmode=verify-full"
    "&sslrootcert={secrets}/store_ca.pem"
)
KAFKA = ("kafka_password", "kafka_ca.pem")
DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize(
    ("folder", "pod", "secrets", "store"),
    [
        (
            "kubernetes",
            "statefulset",
            ("api_key", "player_secret", *KAFKA),
            "sqlite:////data/pointsman.db",
        ),
        (
            "replicas",
            "deployment",
            ("api_key", "player_secret", "store_password", "store_ca.pem", *KAFKA),
            VERIFIED,
        ),
    ],
)
def test_the_configuration_for_kubernetes_is_right(
    tmp_path: Path, folder: str, pod: str, secrets: tuple[str, ...], store: str
) -> None:
    manifests = DEPLOY / folder
    (tmp_path / "tokens.json").write_text("{}")
    for name in secrets:
        assert f"  {name}: replace-me" in (manifests / "secret.example.yaml").read_text()
        (tmp_path / name).write_text("secret")
    _, _, text = (manifests / "configmap.yaml").read_text().partition("pointsman.toml: |\n")
    path = tmp_path / "pointsman.toml"
    path.write_text(dedent(text).replace("/etc/pointsman-secrets", str(tmp_path)))

    settings = load(path)

    assert settings.store.url == store.format(secrets=tmp_path)
    (kafka,) = settings.sources.kafka
    assert (kafka.security.protocol, kafka.security.username) == ("SASL_SSL", "pointsman")
    template = yaml.safe_load((manifests / f"{pod}.yaml").read_text())["spec"]["template"]
    spec = template["spec"]
    http = settings.http
    assert spec["terminationGracePeriodSeconds"] > (
        http.drain_delay_seconds + http.drain_seconds + CLOSING
    )
    (container,) = spec["containers"]
    assert "lifecycle" not in container, "a preStop delays SIGTERM, and /readyz with it"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    operator = settings.http.operator
    assert operator is not None, "what operators ask is on players' port"
    assert ports == {"http": settings.http.port, "operator": operator.port}
    probes = [container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")]
    assert {probe["httpGet"]["port"] for probe in probes} == {"operator"}
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(operator.port)
    services = {
        service["metadata"]["name"]: [port["targetPort"] for port in service["spec"]["ports"]]
        for service in yaml.safe_load_all((manifests / "service.yaml").read_text())
    }
    assert services == {"pointsman": ["http"], "pointsman-operator": ["operator"]}
    probe = container["readinessProbe"]
    assert probe["httpGet"]["path"] == "/readyz"
    assert probe["periodSeconds"] <= http.drain_delay_seconds, "it never sees the 503"
    assert probe["timeoutSeconds"] > ANSWERS_WITHIN, "a store that hangs is not told as such"


def test_the_chart_repeats_what_the_rest_of_the_repository_says() -> None:
    committed = {f"files/{path.name}": path.read_text() for path in (CHART / "files").iterdir()}
    assert committed == chart_files(), "run: python -m deploy.manifests"
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (about["version"], about["appVersion"]) == (__version__, __version__)

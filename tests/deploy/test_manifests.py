"""What runs in a cluster is what the product has: commands, options, settings, ports, probes, files of secrets."""

import re
import tomllib
import urllib.request
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
import yaml

from orchestrator.cli.main import app
from orchestrator.cli.settings import Settings
from orchestrator.cli.sources import load_settings
from orchestrator.gateway.unsubscribe_page import PATH as UNSUBSCRIBE
from orchestrator.stream.lane_settings import WatchdogSettings
from orchestrator.telemetry import Health, MetricsServer, Recorder

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SECRETS = "/etc/orchestrator/secrets/"
Document = dict[str, Any]
SECRET_VALUES = {"links-key": "ab" * 32, "kafka-ca.pem": (ROOT / "tests/e2e/tls/ca.pem").read_text()}


@cache
def documents() -> list[Document]:
    return [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text("utf-8"))]


def of_kind(*kinds: str) -> dict[str, Document]:
    return {each["metadata"]["name"]: each for each in documents() if each["kind"] in kinds}


NIGHTLY = {name: each["spec"]["jobTemplate"] for name, each in of_kind("CronJob").items()}
PODS = of_kind("Deployment", "Job") | NIGHTLY
DEPLOYMENTS = of_kind("Deployment")


def container(name: str) -> Document:
    (only,) = PODS[name]["spec"]["template"]["spec"]["containers"]
    found: Document = only
    return found


def environment(name: str) -> dict[str, str]:
    """The variables of a pod's container, as the cluster would set them."""
    (settings,) = of_kind("ConfigMap").values()
    given = dict(settings["data"])
    for each in container(name).get("env", []):
        given[each["name"]] = each.get("value", "10.0.0.7")  # a field of the pod: its address
    return given


@pytest.fixture
def settings_of(tmp_path: Path) -> Any:
    """The settings that a pod's process would run on, its secrets mounted."""

    def load(name: str) -> Settings:
        given = environment(name)
        for variable, value in given.items():
            if value.startswith(SECRETS):
                key = value.removeprefix(SECRETS)
                (tmp_path / key).write_text(SECRET_VALUES.get(key, "a-secret-of-this-cluster-0123456789"))
                given[variable] = str(tmp_path / key)
        return load_settings(environment=given, overrides=options(name))

    return load


def options(name: str) -> dict[str, Any]:
    """What the options of a container's command say, as settings."""
    section = {"worker": "worker", "deliver": "delivery", "gateway": "gateway"}.get(container(name)["args"][0], "")
    words = container(name)["args"]
    pairs = [(word, after) for word, after in pairwise(words) if word.startswith("--")]
    return {f"{section}.{word.removeprefix('--').replace('-', '_')}": value for word, value in pairs}


def test_a_kustomization_lists_every_manifest() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == sorted(path.name for path in MANIFESTS if path.stem != "kustomization")


@pytest.mark.parametrize("name", PODS)
def test_the_command_and_its_options_exist(name: str) -> None:
    command: Any = typer.main.get_command(app)
    words = list(container(name)["args"])
    while words and isinstance(command, click.Group | typer.core.TyperGroup):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", PODS)
def test_every_variable_is_a_setting_and_all_of_them_go_together(name: str, settings_of: Any) -> None:
    settings = settings_of(name)
    assert settings.kafka.connection()["security_protocol"] == "SASL_SSL"
    assert settings.links.keys()


@pytest.mark.parametrize("name", PODS)
def test_every_secret_is_a_file_that_is_mounted_and_made_by_the_words_of_the_readme(name: str) -> None:
    files = {value.removeprefix(SECRETS) for value in environment(name).values() if value.startswith(SECRETS)}
    made = set(re.findall(r"--from-(?:file|literal)=([\w.-]+)=", (DEPLOY / "README.md").read_text("utf-8")))
    assert files <= made, f"the README makes no {sorted(files - made)}"
    (mount,) = [each for each in container(name)["volumeMounts"] if each["mountPath"] == SECRETS.rstrip("/")]
    volumes = {each["name"]: each for each in PODS[name]["spec"]["template"]["spec"]["volumes"]}
    assert volumes[mount["name"]]["secret"]["secretName"] == "orchestrator"
    assert mount["readOnly"]


def test_ports_are_where_the_processes_listen(settings_of: Any) -> None:
    def ports(name: str) -> dict[str, int]:
        return {each["name"]: each["containerPort"] for each in container(name)["ports"]}

    worker, delivery = settings_of("orchestrator-worker"), settings_of("orchestrator-delivery")
    gateway = settings_of("orchestrator-gateway")
    assert ports("orchestrator-worker") == {"ask": worker.worker.port, "metrics": worker.worker.metrics_port}
    assert ports("orchestrator-delivery") == {"metrics": delivery.delivery.metrics_port}
    assert ports("orchestrator-gateway") == {"http": gateway.gateway.port}
    assert worker.worker.bind == gateway.gateway.host == "0.0.0.0"  # noqa: S104
    assert worker.worker.host == "10.0.0.7"
    assert worker.worker.ask_keys() == gateway.worker.ask_keys() != ()
    exposed = re.findall(r"^EXPOSE (.+)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)[0].split()
    assert set(exposed) == {str(port) for name in DEPLOYMENTS for port in ports(name).values()}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_prometheus_and_probes_look_where_something_answers(name: str) -> None:
    one = container(name)
    ports = {each["name"]: each["containerPort"] for each in one["ports"]}
    notes = PODS[name]["spec"]["template"]["metadata"]["annotations"]
    assert notes["prometheus.io/scrape"] == "true"
    assert int(notes["prometheus.io/port"]) in ports.values()
    probes = [one[probe]["httpGet"] for probe in ("readinessProbe", "livenessProbe")]
    assert {probe["port"] for probe in probes} <= ports.keys()
    paths = [notes["prometheus.io/path"], *(probe["path"] for probe in probes)]
    assert paths == ["/metrics", "/readyz", "/healthz"]


def test_what_probes_ask_for_is_served() -> None:
    health = Health()
    health.watch(lambda: {"group": True})
    server = MetricsServer(Recorder(), 0, "127.0.0.1", health)
    try:
        for path in ("/metrics", "/readyz", "/healthz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
                assert answer.status == 200, path
    finally:
        server.close()
    gateway = (ROOT / "orchestrator/gateway/app.py").read_text()
    assert all(f'"{path}"' in gateway for path in ("/metrics", "/readyz", "/healthz"))
    assert UNSUBSCRIBE in (DEPLOY / "kubernetes/gateway.yaml").read_text()


def test_a_process_may_take_longer_to_stop_than_its_own_watchdog_lets_it() -> None:
    for name in ("orchestrator-worker", "orchestrator-delivery"):
        grace = PODS[name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert grace * 1000 > WatchdogSettings().stop_within, name


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "NetworkPolicy", "Service"])
def test_selectors_find_the_pods_that_they_mean(kind: str) -> None:
    labels = {name: each["spec"]["template"]["metadata"]["labels"] for name, each in DEPLOYMENTS.items()}
    for name, each in of_kind(kind).items():
        spec = each["spec"]
        wanted = spec.get("podSelector", spec.get("selector"))
        wanted = wanted.get("matchLabels", wanted)
        assert wanted.items() <= labels[name].items(), f"{kind} {name}"
    for each in of_kind("NetworkPolicy").values():
        for rule in each["spec"]["ingress"]:
            named = {port["name"] for port in container(each["metadata"]["name"])["ports"]}
            assert {port["port"] for port in rule["ports"]} <= named


@pytest.mark.parametrize("name", PODS)
def test_pods_have_no_rights_that_they_do_not_need(name: str) -> None:
    pod, one = PODS[name]["spec"]["template"]["spec"], container(name)
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {"cpu", "memory"} == one["resources"]["requests"].keys()
    assert f"USER {pod['securityContext']['runAsUser']}:" in (DEPLOY / "Containerfile").read_text()


def test_the_image_is_made_of_what_is_here_and_runs_the_products_command() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    (entry,) = re.findall(r'^ENTRYPOINT \["(\w+)"\]$', text, re.MULTILINE)
    assert entry in scripts
    variables = dict(re.findall(r"(ORCHESTRATOR_\w+)=(\S+)", text))
    assert load_settings(environment=variables).log.style == "json"


def test_images_have_plain_names() -> None:
    used = {container(name)["image"] for name in PODS}
    used |= set(re.findall(r"^FROM (\S+)", (DEPLOY / "Containerfile").read_text(), re.MULTILINE))
    assert {"orchestrator"} <= used
    assert not [image for image in used if "/" in image], "whose registry an image comes from is the cluster's to say"

"""What the files for containers name exists: settings, programs, folders. No container engine runs here."""

import importlib.util
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.association.settings import AssociationServiceSettings
from kensoku.catalog.settings import CatalogSettings
from kensoku.location.settings import LocationServiceSettings
from kensoku.settings import ServiceSettings, load_settings, variable
from kensoku.triggering.settings import TriggeringSettings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
CLUSTER = ROOT / "deploy_k8s"
BASE = {path.name: path.read_text() for path in sorted((CLUSTER / "base").glob("*.yaml"))}
KINDS: list[type[ServiceSettings]] = [
    AcquisitionSettings,
    TriggeringSettings,
    AssociationServiceSettings,
    LocationServiceSettings,
    CatalogSettings,
]
SERVICES = {"acquisition", "triggering", "backfill", "association", "location", "catalog"}

# `NAME: value` of the composition, `NAME=value` of the cluster's settings, `{name: NAME, value: value}` of one service
SETTING = re.compile(r"(KENSOKU_[A-Z_]+)(?:: |=|, value: )\"?([^\s\"}]+)")


def settings_in(text: str) -> dict[str, str]:
    plain = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return {name.removeprefix("KENSOKU_").lower(): value for name, value in SETTING.findall(plain)}


@pytest.mark.parametrize("text", [COMPOSE, *BASE.values()], ids=["compose", *BASE])
def test_every_variable_is_a_setting_and_every_value_is_accepted(text: str) -> None:
    given = settings_in(text)
    assert {variable(name) for name in given} <= {variable(name) for kind in KINDS for name in kind.model_fields}
    for kind in KINDS:
        source = {"acquisition_source": "archive"} if kind is AcquisitionSettings else {}
        load_settings(kind, source | {name: value for name, value in given.items() if name in kind.model_fields})


def test_composition_and_cluster_reach_the_same_parts_by_the_same_names() -> None:
    cluster, composition = settings_in(BASE["kustomization.yaml"]), settings_in(COMPOSE)
    for name in ("bus", "models", "database"):
        assert cluster[name] == composition[name]
        host = re.split(r"://(?:\w+@)?|[:/]", cluster[name])[1]
        assert f"\n  {host}:\n" in COMPOSE
        assert f"{host}.yaml" in BASE


def test_services_of_ours_have_no_more_rights_than_they_need_in_both() -> None:
    common = COMPOSE.partition("x-service:")[0]
    assert "cap_drop: [ALL]" in common
    assert '"no-new-privileges:true"' in common
    assert "allowPrivilegeEscalation: false" in BASE["service.yaml"]
    assert "capabilities: {drop: [ALL]}" in BASE["service.yaml"]


def test_every_service_is_a_container_in_both() -> None:
    for name in SERVICES:
        program = "triggering" if name == "backfill" else name
        assert importlib.util.find_spec(f"kensoku.{program}.__main__")
        assert re.search(
            rf"^  {name}:\n    <<: \*service\n    command: python -m kensoku\.{program}$", COMPOSE, re.MULTILINE
        )
        assert f"command: [python, -m, kensoku.{program}]" in BASE[f"{name}.yaml"]


def test_services_have_the_same_time_to_end_in_both() -> None:
    """More than the ten seconds that are usual: association compiles its loops for half a minute at its first start."""
    shared = COMPOSE[: COMPOSE.index("\nservices:")]
    assert re.findall(r"stop_grace_period: (\d+)s", shared) == ["60"]
    assert re.findall(r"terminationGracePeriodSeconds: (\d+)", BASE["service.yaml"]) == ["60"]


def test_no_port_is_open_to_other_machines() -> None:
    published = re.findall(r'"([\d.]+):(\d+):\d+"', COMPOSE)
    assert len(published) == COMPOSE.count("127.0.0.1:") - COMPOSE.count("http://127.0.0.1:")
    assert {address for address, _ in published} == {"127.0.0.1"}
    assert len({port for _, port in published}) == len(published)
    assert "NodePort" not in "".join(BASE.values())
    assert "LoadBalancer" not in "".join(BASE.values())


def test_what_asks_for_no_password_answers_its_own_namespace_alone() -> None:
    (guarded,) = re.findall(r"operator: In, values: \[(.+?)\]", BASE["network.yaml"])
    assert set(guarded.split(", ")) == {
        name for text in BASE.values() for name in re.findall(r"kind: Service\nmetadata: {name: (\w+)}", text)
    }
    assert "enableServiceLinks: false" in BASE["service.yaml"], "a Service named kensoku would set KENSOKU_PORT"


@pytest.mark.parametrize("text", [COMPOSE, *BASE.values()], ids=["compose", *BASE])
def test_no_password_is_written_down_and_none_has_a_default(text: str) -> None:
    for name, value in re.findall(r"(\w*PASSWORD\w*)[:,] (.+)", text):
        if name not in ("POSTGRES_PASSWORD", "PGPASSWORD"):
            continue
        is_asked_for = value.startswith(("${POSTGRES_PASSWORD:?", "valueFrom: {secretKeyRef:", "... KENSOKU_ARCHIVE"))
        assert is_asked_for, f"{name}: {value}"
    assert not re.search(r"://\w+:[^/\s]*@", text)
    assert "kind: Secret" not in text


@pytest.mark.parametrize("text", [COMPOSE, *BASE.values()], ids=["compose", *BASE])
def test_images_of_others_have_a_version(text: str) -> None:
    images = [image for image in re.findall(r"image: (\S+)", text) if image != "kensoku"]
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []


def test_the_cluster_has_every_file_and_no_other() -> None:
    listed = re.findall(r"^  - (\S+\.yaml)$", BASE["kustomization.yaml"], re.MULTILINE)
    assert {*listed, "kustomization.yaml", "service.yaml"} == set(BASE)
    overlay = (CLUSTER / "overlays/gpu/kustomization.yaml").read_text()
    models = {f"models/{path.name}" for path in (CLUSTER / "overlays/gpu/models").glob("*.pbtxt")}
    assert set(re.findall(r"models/\S+\.pbtxt", overlay)) == models | {"models/*.pbtxt"}


def test_every_pod_has_limits_and_probes_and_no_rights_that_it_does_not_need() -> None:
    shared = BASE["service.yaml"]
    assert all(part in shared for part in ("/livez", "/readyz", "runAsNonRoot: true", "readOnlyRootFilesystem: true"))
    for name, text in BASE.items():
        for document in text.split("\n---\n"):
            if (kind := re.search(r"^kind: (Deployment|StatefulSet|Job)$", document, re.MULTILINE)) and text != shared:
                assert document.count("limits: {cpu:") == document.count("requests: {cpu:") > 0, name
                is_ours = "component: service" in document
                assert is_ours or kind[1] == "Job" or "livenessProbe:" in document, name
                assert is_ours or "runAsNonRoot: true" in document, name


def test_models_are_copied_into_a_volume_whose_folder_belongs_to_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a cluster makes it: our user may write there, and neither set its mode nor its times."""
    volume = tmp_path / "volume"
    volume.mkdir()

    def copy_state(_: object, target: str, **__: object) -> None:
        if Path(target) == volume:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(shutil, "copystat", copy_state)
    overlay = (CLUSTER / "overlays/gpu/triton.yaml").read_text()
    for text, program in (
        (BASE["triton.yaml"], r"(?m)^ +- (import shutil;.+)$"),
        (overlay, r"(?ms)^ +- \|\n(.+?)(?= +volumeMounts)"),
    ):
        (copy,) = re.findall(program, text)
        copy = copy.replace('"/models', f'"{volume}').replace("/tensorrt", f"{CLUSTER}/overlays/gpu/models")
        (served,) = re.findall(r"--model-repository=/models([^,]*),", text)
        for _ in ("a start", "a start after that"):
            exec(textwrap.dedent(copy), {})
        assert (volume / served.strip("/") / "picker_live" / "config.pbtxt").is_file()
    assert (volume / served.strip("/") / "picker_live" / "configs" / "tensorrt.pbtxt").is_file()


def test_what_has_several_replicas_is_not_evicted_at_once() -> None:
    several = [text for text in BASE.values() if re.search(r"^  replicas: ([2-9]|\d\d)", text, re.MULTILINE)]
    assert several
    for text in several:
        deployment, budget = text.split("kind: PodDisruptionBudget")
        (selector,) = re.findall(r"selector: (.+)", budget)
        assert f"selector: {selector}" in deployment


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, which renders the cluster's files")
@pytest.mark.parametrize("folder", ["base", "overlays/gpu"])
def test_the_cluster_s_files_are_rendered(folder: str) -> None:
    command = ["kubectl", "kustomize", str(CLUSTER / folder)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    pods = [
        document for document in answer.stdout.split("\n---\n") if "app.kubernetes.io/component: service" in document
    ]
    assert len(pods) == len(SERVICES)
    for pod in pods:
        assert pod.count("livenessProbe:") == pod.count("readinessProbe:") == pod.count("limits:") == 1
        assert "configMapRef:" in pod
        assert pod.count("name: home") == 2, "mounted, and there to be mounted"


def test_the_image_has_the_database_s_client_with_its_hashes() -> None:
    (script,) = re.findall(r"sed -n '(.+)' constraints.txt > postgresql.txt", DOCKERFILE)
    command = ["sed", "-n", script, str(ROOT / "constraints.txt")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("==")[0] for line in lines if not line.startswith(" ")] == ["psycopg", "psycopg-binary"]
    assert not lines[-1].endswith("\\")


def test_the_image_takes_what_the_wheel_needs() -> None:
    copied = {name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "shared", "services", "training"} <= copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied <= allowed

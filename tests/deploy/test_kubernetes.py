"""k8s/: every overlay builds, every document is one that Kubernetes takes, and what they say of the code is so."""

import asyncio
import os
import secrets
import subprocess
import time
from collections.abc import Callable

import jsonschema
import kubernetes_validate
import pytest
import redis
import yaml

from shared import contracts, keys
from shared.contracts import Dialect, Kind
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.conftest import SHARED, need
from tests.support.drift import cluster, code
from tests.support.drift.common import PROBE, READINESS_PROBE
from tests.support.drift.pods import containers, named, of_kind
from tests.support.manifests import OVERLAYS, Document, built
from tests.support.waiting import until_in_loop

# From the oldest release that is still looked after, in which every field that is used here is on by default.
VERSIONS = ("1.34", kubernetes_validate.latest_version())
RULES = (*code.RULES, *cluster.RULES)


@pytest.fixture(params=OVERLAYS)
def documents(request) -> list[Document]:
    return built(request.param)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_one_that_kubernetes_takes(documents, version):
    for document in documents:
        if ".sh/" in document["apiVersion"] or "coreos.com/" in document["apiVersion"]:
            continue
        kubernetes_validate.validate(document, version, strict=True)


def _strict(schema: Document) -> Document:
    """No property but those that are listed, as a server prunes them: a name that is misspelt is an error here."""
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
        for one in schema["properties"].values():
            _strict(one)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            _strict(schema[name])
    if schema.get("pattern", "").startswith("^(?i)"):
        # Go takes a flag anywhere, Python at the front alone.
        schema["pattern"] = "(?i)^" + schema["pattern"].removeprefix("^(?i)")
    return schema


@pytest.fixture(scope="module")
def custom() -> dict[tuple[str, str], Document]:
    """The schemas of custom resources, by version and kind."""
    found: dict[tuple[str, str], Document] = {}
    for path in need(SHARED / "schemas").glob("*.yaml"):
        spec = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def test_every_custom_resource_is_one_that_its_operator_takes(documents, custom):
    ours = [document for document in documents if document["kind"] in {kind for _, kind in custom}]
    assert {"ScaledObject", "TriggerAuthentication"} <= {document["kind"] for document in ours}
    for document in ours:
        jsonschema.validate(document, custom[document["apiVersion"], document["kind"]])


def test_a_misspelt_field_of_a_custom_resource_is_found(custom):
    scaled = of_kind(built("production"), "ScaledObject")[0]
    scaled["spec"]["minReplicas"] = scaled["spec"].pop("minReplicaCount")
    with pytest.raises(jsonschema.ValidationError, match="minReplicas"):
        jsonschema.validate(scaled, custom[scaled["apiVersion"], scaled["kind"]])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_manifests_and_code_say_the_same(documents, rule):
    assert list(rule(documents)) == []


# --- the test above fails when a name is changed on one side


def _worker(documents: list[Document], kind: str = "face") -> Document:
    return named(documents, "Deployment", f"fidox-{kind}")["spec"]["template"]


def _gateway(documents: list[Document]) -> Document:
    return named(documents, "Deployment", "fidox-gateway")["spec"]["template"]


def _scaled(documents: list[Document], kind: str = "face") -> Document:
    return named(documents, "ScaledObject", f"fidox-{kind}")["spec"]


def _setting(documents: list[Document]) -> dict[str, str]:
    return next(one for one in of_kind(documents, "ConfigMap") if one["metadata"]["name"].startswith("fidox-settings"))[
        "data"
    ]


def _renamed(found: dict, old: str, new: str) -> None:
    found[new] = found.pop(old)


Change = Callable[[list[Document]], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "a setting's name": (
        lambda d: _renamed(_setting(d), "FIDOX_DEADLINE_S", "FIDOX_DEADLINE"),
        "no setting is called FIDOX_DEADLINE",
    ),
    "a setting's value": (lambda d: _setting(d).update(PORT="eight thousand"), "PORT"),
    "the gateway's port": (lambda d: _setting(d).update(PORT="8080"), "PORT is 8080"),
    "the metrics' port": (
        lambda d: _worker(d)["spec"]["containers"][0]["ports"][0].update(containerPort=9465),
        "port metrics is 9465",
    ),
    "the name of a port": (
        lambda d: _gateway(d)["spec"]["containers"][0]["ports"][0].update(name="web"),
        "no container has a port http",
    ),
    "a probe's path": (
        lambda d: _gateway(d)["spec"]["containers"][0]["livenessProbe"]["httpGet"].update(path="/healthz"),
        "/healthz, which the gateway does not have",
    ),
    "a worker's module": (
        lambda d: _worker(d)["spec"]["containers"][0].update(command=["python", "-m", "workers.faces"]),
        "there is no module workers.faces",
    ),
    "a worker's kind": (
        lambda d: _worker(d)["spec"]["containers"][0].update(command=["python", "-m", "workers.ocr"]),
        "does not run workers.face",
    ),
    "a command": (
        lambda d: _gateway(d)["spec"]["initContainers"][0].update(command=["fidox", "migrations"]),
        "no command migrations",
    ),
    "an option": (
        lambda d: _gateway(d)["spec"]["initContainers"][0].update(
            command=["sh", "-c", "until fidox migrate --dry; do sleep 3; done"]
        ),
        "no option --dry",
    ),
    "a queue": (
        lambda d: _scaled(d)["triggers"][0]["metadata"].update(listName="fidox:wake:face"),
        "counts fidox:wake:face, the queue is arq:queue:face",
    ),
    "the queue of another kind": (
        lambda d: _scaled(d, "ocr")["triggers"][1]["metadata"].update(query='max(x{kind="face"})'),
        "asks Prometheus for another kind",
    ),
    "a scaler": (lambda d: d.remove(named(d, "ScaledObject", "fidox-liveness")), "fidox-liveness: there is none"),
    "no pod at all": (lambda d: _scaled(d).update(minReplicaCount=0), "minReplicaCount is 0"),
    "deeper than the queue": (
        lambda d: _scaled(d)["triggers"][0]["metadata"].update(listLength="200"),
        "the queue refuses at 256",
    ),
    "a queue that refuses sooner": (lambda d: _setting(d).update(FIDOX_QUEUE_MAX_JOBS="64"), "the queue refuses at 64"),
    "fewer jobs than a GPU takes": (
        lambda d: _scaled(d)["triggers"][0]["metadata"].update(listLength="8"),
        "one GPU takes 16 at once",
    ),
    "a stop cut short": (
        lambda d: _worker(d)["spec"].update(terminationGracePeriodSeconds=20),
        "is killed after 20 s",
    ),
    "a deadline longer than the drain": (lambda d: _setting(d).update(FIDOX_DEADLINE_S="30"), "a job may take 30.0 s"),
    "no word to the proxies": (
        lambda d: _gateway(d)["spec"]["containers"][0].pop("lifecycle"),
        "takes no time for the proxies",
    ),
    "a worker asked by HTTP": (
        lambda d: _worker(d)["spec"]["containers"][0].update(readinessProbe={"httpGet": {"path": "/", "port": 1}}),
        "does not look at the file",
    ),
    "a file that cannot be written": (
        lambda d: _setting(d).update(FIDOX_READY_FILE="/run/ready"),
        "/run/ready lies in no folder that it may write to",
    ),
    "an account": (lambda d: d.remove(named(d, "ServiceAccount", "fidox-worker")), "no ServiceAccount fidox-worker"),
    "a priority": (lambda d: _worker(d)["spec"].update(priorityClassName="high"), "no PriorityClass high"),
    "the settings": (
        lambda d: next(c for c in of_kind(d, "ConfigMap"))["metadata"].update(name="settings"),
        "there is no ConfigMap fidox-settings",
    ),
    "the weights": (lambda d: d.remove(named(d, "PersistentVolumeClaim", "fidox-weights")), "fidox-weights"),
    "a secret's key": (
        lambda d: _worker(d)["spec"]["containers"][0]["env"].append(
            {"name": "REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "fidox-redis", "key": "URL"}}}
        ),
        "does not tell of URL in the secret fidox-redis",
    ),
    "what KEDA shows Redis": (
        lambda d: d.remove(named(d, "TriggerAuthentication", "fidox-redis")),
        "there is no TriggerAuthentication fidox-redis",
    ),
    "a pod's label": (
        lambda d: _worker(d)["metadata"]["labels"].update({"app.kubernetes.io/component": "faces"}),
        "Deployment fidox-face: does not select its own pods alone",
    ),
    "a policy's label": (
        lambda d: named(d, "NetworkPolicy", "gateway")["spec"]["podSelector"]["matchLabels"].update(x="y"),
        "NetworkPolicy gateway: selects nothing",
    ),
    "a policy's port": (
        lambda d: named(d, "NetworkPolicy", "gateway")["spec"]["ingress"][0]["ports"][0].update(port=80),
        "NetworkPolicy gateway lets {80} in",
    ),
    "a budget": (lambda d: d.remove(named(d, "PodDisruptionBudget", "fidox-ocr")), "fidox-ocr: has 0 disruption"),
    "root": (lambda d: _worker(d)["spec"]["securityContext"].update(runAsUser=0), "runs as root"),
    "a writable root": (
        lambda d: _worker(d)["spec"]["containers"][0]["securityContext"].pop("readOnlyRootFilesystem"),
        "writes to its root",
    ),
    "no toleration": (lambda d: _worker(d)["spec"].pop("tolerations"), "asks for a GPU without"),
    "the image of the other pool": (
        lambda d: _worker(d, "ocr")["spec"]["containers"][0].update(image="fidox-worker-gpu"),
        "fidox-ocr: has no GPU",
    ),
    "a smaller body": (
        lambda d: named(d, "Ingress", "fidox")["metadata"]["annotations"].update(
            {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}
        ),
        "Ingress: takes 8m",
    ),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES)
def test_a_change_on_one_side_is_told(change, told):
    documents = built("production")
    change(documents)
    assert told in "\n".join(line for rule in RULES for line in rule(documents))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_change_that_it_tells(rule):
    def tells(change: Change) -> bool:
        documents = built("production")
        change(documents)
        return bool(list(rule(documents)))

    assert any(tells(change) for change, _ in CHANGES.values())


# --- on the real parts


def test_what_keda_counts_is_the_sorted_set_in_which_a_job_waits(stack):
    """KEDA asks for the type of the key, and counts a sorted set with ZCARD."""
    url = stack.redis_url.replace("db=0", "db=13")
    counted = {kind: _scaled(built("cpu"), kind)["triggers"][0]["metadata"]["listName"] for kind in Kind}

    async def submit() -> list[tuple[bytes, int, int]]:
        async with open_queue(QueueSettings(url=url, deadline_s=100)) as queue:
            waiting = [
                asyncio.create_task(
                    queue.submit(
                        contracts.Ping(),
                        tx_id=f"tx_{secrets.token_hex(6)}",
                        tenant_id=1,
                        dialect=Dialect.FIDOX,
                        kind=kind,
                    )
                )
                for kind in Kind
            ]
            await until_in_loop(lambda: all(map(client.exists, counted.values())), "all three wait")
            found = [(client.type(key), client.zcard(key)) for key in counted.values()]
            for call in waiting:
                call.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return found

    with redis.Redis.from_url(url) as client:
        client.flushdb()
        for kind in Kind:
            # A worker that lives and does nothing.
            client.zadd(keys.workers(kind), {"somebody": (time.time() + 3600) * 1000})
        try:
            assert asyncio.run(submit()) == [(b"zset", 1)] * len(Kind)
        finally:
            client.flushdb()


def test_a_worker_is_alive_while_its_file_is_fresh_and_ready_while_it_is_empty_too(tmp_path):
    """The probes' own lines, run as they do."""
    commands = {
        (probe, *container.spec[probe]["exec"]["command"])
        for container in containers(built("gpu"))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
        if container.spec["name"] == "worker"
    }
    assert commands == {
        ("startupProbe", "sh", "-c", PROBE),
        ("livenessProbe", "sh", "-c", PROBE),
        ("readinessProbe", "sh", "-c", READINESS_PROBE),
    }
    file = tmp_path / "ready"

    def passed() -> tuple[bool, ...]:
        environment = os.environ | {"FIDOX_READY_FILE": str(file)}
        return tuple(
            subprocess.run(["sh", "-c", probe], env=environment, check=False, capture_output=True).returncode == 0
            for probe in (PROBE, READINESS_PROBE)
        )

    assert passed() == (False, False)
    file.touch()
    assert passed() == (True, True)
    file.write_text("Redis does not answer\n")
    assert passed() == (True, False)
    file.write_text("")
    os.utime(file, (time.time() - 30,) * 2)
    assert passed() == (False, False)

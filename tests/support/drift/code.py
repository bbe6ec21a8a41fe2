"""Manifests against the code: names, commands, ports, queues, and how long a stop takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import keys
from shared.contracts import Kind
from tests.support.drift.common import HTTP_PATHS, PROBE, READINESS_PROBE, STOP_S, unknown_commands, unknown_names
from tests.support.drift.pods import containers, gpus_of, named, of_kind, selected, settings
from workers.face.__main__ import GPU_SLOTS
from workers.runtime import supervisor, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.manifests import Document


PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
VARIABLE_OF_PORT = {"http": "PORT", "metrics": "FIDOX_METRICS_PORT"}


def environment(documents: list[Document]) -> Iterator[str]:
    for container in containers(documents):
        yield from unknown_names(container.where, container.env)


def commands(documents: list[Document]) -> Iterator[str]:
    for container in containers(documents):
        command = container.spec.get("command", [])
        if not command:
            yield f"{container.where}: no command"
        yield from unknown_commands(container.where, command)


def ports(documents: list[Document]) -> Iterator[str]:
    """A container's port is the one that its settings say."""
    for container in containers(documents):
        declared = {port["name"]: port["containerPort"] for port in container.spec.get("ports", ())}
        for name, variable in VARIABLE_OF_PORT.items():
            if name in declared and str(declared[name]) != container.env.get(variable):
                yield f"{container.where}: port {name} is {declared[name]}, {variable} is {container.env.get(variable)}"
        for probe in PROBES:
            get = container.spec.get(probe, {}).get("httpGet")
            if get and get["port"] not in declared:
                yield f"{container.where}: {probe} asks port {get['port']}, which is none"
            if get and get["path"] not in HTTP_PATHS:
                yield f"{container.where}: {probe} asks {get['path']}, which the gateway does not have"


def ways_to_ports(documents: list[Document]) -> Iterator[str]:
    """What points at a port, points at one that is there."""
    for service in of_kind(documents, "Service"):
        targets = {name for pod in selected(documents, service["spec"]["selector"]) for name in _ports(pod)}
        for port in service["spec"]["ports"]:
            if port.get("targetPort", port["name"]) not in targets:
                yield f"Service {service['metadata']['name']}: no container has a port {port.get('targetPort')}"
    for monitor in of_kind(documents, "PodMonitor"):
        for pod in selected(documents, monitor["spec"]["selector"]["matchLabels"]):
            for end in monitor["spec"]["podMetricsEndpoints"]:
                if end["port"] not in _ports(pod):
                    yield f"PodMonitor {monitor['metadata']['name']}: a pod has no port {end['port']}"
    gateway = settings(documents).http
    wanted = {"gateway": {gateway.port}, "metrics": {_ports(pod)["metrics"] for pod in _scraped(documents)}}
    for name, numbers in wanted.items():
        policy = named(documents, "NetworkPolicy", name) or {"spec": {"ingress": []}}
        allowed = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        if allowed != numbers:
            yield f"NetworkPolicy {name} lets {allowed} in, the port is {numbers}"


def _ports(pod: Document) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
    }


def _scraped(documents: list[Document]) -> list[Document]:
    return [one["spec"]["template"] for one in of_kind(documents, "Deployment")]


def queues(documents: list[Document]) -> Iterator[str]:
    """Each kind of worker is scaled on its own sorted set, never to zero, and below what the queue admits."""
    scaled = {one["metadata"]["name"]: one["spec"] for one in of_kind(documents, "ScaledObject")}
    for kind in Kind:
        where = f"ScaledObject fidox-{kind}"
        spec = scaled.pop(f"fidox-{kind}", None)
        if spec is None:
            yield f"{where}: there is none"
            continue
        target = named(documents, "Deployment", spec["scaleTargetRef"]["name"])
        if target is None or _command(target)[-1:] != [f"workers.{kind}"]:
            yield f"{where}: scales {spec['scaleTargetRef']['name']}, which does not run workers.{kind}"
            continue
        if spec["minReplicaCount"] < 1:
            yield f"{where}: minReplicaCount is {spec['minReplicaCount']}; nothing would ever scale up from 0"
        if spec["triggers"][0]["type"] != "redis":
            yield f"{where}: is not scaled on its queue"
        for trigger in spec["triggers"]:
            if trigger["type"] == "redis":
                yield from _depth(where, trigger["metadata"], kind, spec, target, settings(documents).queue.max_jobs)
            elif f'kind="{kind}"' not in trigger["metadata"]["query"]:
                yield f"{where}: asks Prometheus for another kind: {trigger['metadata']['query']}"
    yield from (f"ScaledObject {name}: no kind of worker is called so" for name in scaled)


def _depth(
    where: str, metadata: dict[str, str], kind: Kind, spec: Document, target: Document, admitted: int
) -> Iterator[str]:
    if metadata["listName"] != keys.queue(kind):
        yield f"{where}: counts {metadata['listName']}, the queue is {keys.queue(kind)}"
    depth = int(metadata["listLength"])
    deepest = depth * spec["maxReplicaCount"]
    if deepest >= admitted:
        yield f"{where}: its last pod would come at {deepest} jobs; the queue refuses at {admitted}"
    if gpus_of(target) and depth <= GPU_SLOTS:
        yield f"{where}: scales at {depth} jobs a pod, and one GPU takes {GPU_SLOTS} at once"


def _command(deployment: Document) -> list[str]:
    return deployment["spec"]["template"]["spec"]["containers"][0]["command"]


def stops(documents: list[Document]) -> Iterator[str]:
    """A pod gets longer to go than its process takes, and that longer than the longest job."""
    job_s, process_s, supervisor_s = settings(documents).queue.deadline_s, worker.DRAIN_S, supervisor.STOP_S
    if not job_s < process_s < supervisor_s:
        yield f"a job may take {job_s} s, a process waits for it {process_s} s, its supervisor {supervisor_s} s"
    for one in of_kind(documents, "Deployment"):
        pod = one["spec"]["template"]["spec"]
        sleep_s = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needs_s = sleep_s + STOP_S.get(_command(one)[-1], 0)
        grace_s = pod.get("terminationGracePeriodSeconds", 30)
        if grace_s <= needs_s:
            yield f"Deployment {one['metadata']['name']}: is killed after {grace_s} s, its stop takes {needs_s}"
        if _command(one)[-1] == "gateway" and not sleep_s:
            yield "Deployment fidox-gateway: takes no time for the proxies to hear that it goes"


def probes(documents: list[Document]) -> Iterator[str]:
    """The gateway is asked by HTTP, a worker by the file that its supervisor touches."""
    for container in containers(documents):
        if container.spec["name"] not in {"gateway", "worker"}:
            continue
        for probe in PROBES:
            spec = container.spec.get(probe, {})
            if container.spec["name"] == "gateway" and "httpGet" not in spec:
                yield f"{container.where}: {probe} is no HTTP"
            wanted = READINESS_PROBE if probe == "readinessProbe" else PROBE
            if container.spec["name"] == "worker" and spec.get("exec", {}).get("command") != ["sh", "-c", wanted]:
                yield f"{container.where}: {probe} does not look at the file of the supervisor"
        ready = container.env.get("FIDOX_READY_FILE", "")
        mounts = [m["mountPath"] for m in container.spec["volumeMounts"] if not m.get("readOnly")]
        if container.spec["name"] == "worker" and not any(ready.startswith(f"{mount}/") for mount in mounts):
            yield f"{container.where}: {ready} lies in no folder that it may write to"


def bodies(documents: list[Document]) -> Iterator[str]:
    """The proxy takes a body as large as the gateway does."""
    largest = settings(documents).http.max_body_bytes
    for one in of_kind(documents, "Ingress"):
        said = one["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
        if int(said.removesuffix("m")) << 20 != largest:
            yield f"Ingress: takes {said}, the gateway {largest} bytes"


RULES = (environment, commands, ports, ways_to_ports, queues, stops, probes, bodies)

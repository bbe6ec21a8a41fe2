"""Manifests against themselves: what is named is there, what selects selects, what is forbidden is not asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.drift.pods import containers, gpus_of, named, of_kind, selected, workloads
from tests.support.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.manifests import Document


def missing(documents: list[Document], where: str, kind: str, name: str | None) -> Iterator[str]:
    """A line, where `name` is said and is not there."""
    if name is not None and named(documents, kind, name) is None:
        yield f"{where}: there is no {kind} {name}"


def pods_name(documents: list[Document]) -> Iterator[str]:
    """What a pod names is there."""
    for whose, template in workloads(documents):
        pod = template["spec"]
        yield from missing(documents, whose, "ServiceAccount", pod.get("serviceAccountName"))
        yield from missing(documents, whose, "PriorityClass", pod.get("priorityClassName"))
        for volume in pod.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            yield from missing(documents, whose, "PersistentVolumeClaim", claim)
    for container in containers(documents):
        for source in container.spec.get("envFrom", ()):
            yield from missing(documents, container.where, "ConfigMap", source["configMapRef"]["name"])
        volumes = {volume["name"] for volume in container.pod.get("volumes", ())}
        mounted = {mount["name"] for mount in container.spec.get("volumeMounts", ())}
        yield from (f"{container.where}: mounts {name}, which is no volume" for name in sorted(mounted - volumes))


def others_name(documents: list[Document]) -> Iterator[str]:
    """What a scaler or the ingress names is there."""
    for one in of_kind(documents, "ScaledObject", "HorizontalPodAutoscaler"):
        where, target = f"{one['kind']} {one['metadata']['name']}", one["spec"]["scaleTargetRef"]
        yield from missing(documents, where, target["kind"], target["name"])
        for trigger in one["spec"].get("triggers", ()):
            name = trigger.get("authenticationRef", {}).get("name")
            yield from missing(documents, where, "TriggerAuthentication", name)
    for ingress in of_kind(documents, "Ingress"):
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            yield from missing(documents, "Ingress", "Service", path["backend"]["service"]["name"])


def secrets(documents: list[Document]) -> Iterator[str]:
    """A secret is no part of an overlay, so docs/kubernetes.md says which there have to be, with which keys."""
    page = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
    asked = {
        (ref["name"], ref["key"])
        for container in containers(documents, ours=False)
        for one in container.spec.get("env", ())
        if (ref := one.get("valueFrom", {}).get("secretKeyRef"))
    }
    for one in of_kind(documents, "TriggerAuthentication"):
        asked |= {(ref["name"], ref["key"]) for ref in one["spec"]["secretTargetRef"]}
    for name, key in sorted(asked):
        if re.search(rf"^\| `{re.escape(name)}` \| .*`{re.escape(key)}`", page, re.MULTILINE) is None:
            yield f"docs/kubernetes.md does not tell of {key} in the secret {name}"


def selectors(documents: list[Document]) -> Iterator[str]:
    """What selects pods selects some; a workload selects its own and no other's."""
    for one in of_kind(documents, "Deployment", "StatefulSet"):
        template = one["spec"]["template"]
        if selected(documents, one["spec"]["selector"]["matchLabels"]) != [template]:
            yield f"{one['kind']} {one['metadata']['name']}: does not select its own pods alone"
        for spread in template["spec"].get("topologySpreadConstraints", ()):
            if not spread["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items():
                yield f"{one['kind']} {one['metadata']['name']}: spreads pods that are not its own"
    for one in of_kind(documents, "Service"):
        if len(selected(documents, one["spec"]["selector"])) != 1:
            yield f"Service {one['metadata']['name']}: does not select one workload"
    for one in of_kind(documents, "NetworkPolicy", "PodMonitor"):
        labels = (one["spec"].get("podSelector") or one["spec"].get("selector") or {}).get("matchLabels", {})
        if not selected(documents, labels):
            yield f"{one['kind']} {one['metadata']['name']}: selects nothing"


def budgets(documents: list[Document]) -> Iterator[str]:
    """Each Deployment has one disruption budget."""
    counts = {one["metadata"]["name"]: 0 for one in of_kind(documents, "Deployment")}
    for budget in of_kind(documents, "PodDisruptionBudget"):
        pods = selected(documents, budget["spec"]["selector"]["matchLabels"])
        for one in of_kind(documents, "Deployment"):
            counts[one["metadata"]["name"]] += one["spec"]["template"] in pods
    yield from (f"Deployment {name}: has {count} disruption budgets" for name, count in counts.items() if count != 1)


def restricted(documents: list[Document]) -> Iterator[str]:
    """What the namespace enforces, and two things more: a read-only root, and no token of the cluster's."""
    labels = of_kind(documents, "Namespace")[0]["metadata"]["labels"]
    if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "the namespace does not enforce restricted pods"
    for container in containers(documents, ours=False):
        pod, own = container.pod.get("securityContext", {}), container.spec.get("securityContext", {})
        wanted = {
            "runs as root": pod.get("runAsNonRoot") is True and pod.get("runAsUser", 0) > 0,
            "has every system call": pod.get("seccompProfile", {}).get("type") == "RuntimeDefault",
            "may become root": own.get("allowPrivilegeEscalation") is False,
            "keeps capabilities": own.get("capabilities") == {"drop": ["ALL"]},
            "writes to its root": own.get("readOnlyRootFilesystem") is True,
            "has the cluster's token": container.pod.get("automountServiceAccountToken") is False,
            "may take all memory": "memory" in container.spec.get("resources", {}).get("limits", {}),
            "asks for nothing": {"cpu", "memory"} <= container.spec.get("resources", {}).get("requests", {}).keys(),
        }
        yield from (f"{container.where}: {what}" for what, fine in wanted.items() if not fine)


def gpus(documents: list[Document]) -> Iterator[str]:
    """Who asks for a GPU goes where they are, is let in there, and has the image for it; nobody else does."""
    for one in of_kind(documents, "Deployment"):
        name, pod = one["metadata"]["name"], one["spec"]["template"]["spec"]
        images = [container["image"] for container in [*pod.get("initContainers", ()), *pod["containers"]]]
        is_built_for_it = ["worker-gpu" in image for image in images]
        tolerated = {toleration["key"] for toleration in pod.get("tolerations", ())}
        if gpus_of(one):
            if not all(is_built_for_it) or "nvidia.com/gpu" not in tolerated or not pod.get("nodeSelector"):
                yield f"Deployment {name}: asks for a GPU without the image, the toleration or the nodes for it"
        elif any(is_built_for_it) or tolerated or pod.get("nodeSelector"):
            yield f"Deployment {name}: has no GPU, and an image, a toleration or nodes for one"


RULES = (pods_name, others_name, secrets, selectors, budgets, restricted, gpus)

"""The documents of an overlay, read: which pods there are, and what each container is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.settings import Settings
from tests.support.drift.common import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.manifests import Document


class Container(NamedTuple):
    """A container, and what of its pod concerns it. `env` holds what is known; a secret's value is a stand-in."""

    where: str
    spec: Document
    pod: Document
    env: dict[str, str]


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: list[Document], kind: str, name: str) -> Document | None:
    return next((one for one in of_kind(documents, kind) if one["metadata"]["name"] == name), None)


def workloads(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """The pod templates, and whose they are."""
    for one in of_kind(documents, "Deployment", "StatefulSet", "Job"):
        yield f"{one['kind']} {one['metadata']['name']}", one["spec"]["template"]


def containers(documents: list[Document], *, ours: bool = True) -> Iterator[Container]:
    """Every container, those of init too; `ours` leaves out the servers that others wrote."""
    for whose, template in workloads(documents):
        if ours and whose.startswith("StatefulSet"):
            continue
        pod = template["spec"]
        for spec in [*pod.get("initContainers", ()), *pod["containers"]]:
            yield Container(f"{whose}, {spec['name']}", spec, pod, _env(documents, spec))


def _env(documents: list[Document], spec: Document) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in spec.get("envFrom", ()):
        found = named(documents, "ConfigMap", source["configMapRef"]["name"])
        env |= found["data"] if found else {}
    for one in spec.get("env", ()):
        value_from = one.get("valueFrom", {})
        if "resourceFieldRef" in value_from:
            env[one["name"]] = "2"
        elif "secretKeyRef" in value_from:
            env[one["name"]] = ""
        else:
            env[one["name"]] = one.get("value", "")
    return env


def settings(documents: list[Document]) -> Settings:
    """The gateway's; what cannot be read is told elsewhere, and the defaults stand here."""
    gateway = next(one for one in containers(documents) if one.where == "Deployment fidox-gateway, gateway")
    read = settings_of(gateway.env)
    return read if isinstance(read, Settings) else Settings()


def selected(documents: list[Document], labels: dict[str, str]) -> list[Document]:
    """The pod templates that carry these labels."""
    return [pod for _, pod in workloads(documents) if labels.items() <= pod["metadata"]["labels"].items()]


def gpus_of(deployment: Document) -> int:
    every = deployment["spec"]["template"]["spec"]["containers"]
    return sum(int(one.get("resources", {}).get("limits", {}).get("nvidia.com/gpu", 0)) for one in every)

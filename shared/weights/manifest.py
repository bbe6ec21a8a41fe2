"""The manifest: which model files there are, what each is for, and what identifies it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import msgspec

from shared.weights.errors import UnknownWeightError

FILE = Path(__file__).with_name("manifest.toml")


class Weight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model file. The fields are described at the head of `manifest.toml`."""

    name: str
    file: str
    role: str
    sha256: str
    licence: str
    commercial_use: bool
    urls: tuple[str, ...] = ()
    bytes: int | None = None
    package: str | None = None
    system: str | None = None

    def __post_init__(self) -> None:
        # ValueError becomes msgspec's ValidationError, with the entry's place in the file.
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"{self.name}: sha256 is 64 small hexadecimal digits")
        path = PurePosixPath(self.file)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{self.name}: file stays inside its folder")
        if any(not url.startswith("https://") for url in self.urls):
            raise ValueError(f"{self.name}: weights come over https only")
        if self.package is not None and ":" not in self.package:
            raise ValueError(f"{self.name}: package is name:path")
        if self.system is not None and not self.system.partition(":")[2].startswith("/"):
            raise ValueError(f"{self.name}: system is name:/path")


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, in the order of the file."""

    weight: tuple[Weight, ...]

    def __post_init__(self) -> None:
        names = [weight.name for weight in self.weight]
        if len(set(names)) != len(names):
            raise ValueError("two weights have the same name")

    def named(self, name: str) -> Weight:
        """The weight of this name. Raises UnknownWeightError."""
        for weight in self.weight:
            if weight.name == name:
                return weight
        known = ", ".join(weight.name for weight in self.weight)
        raise UnknownWeightError(f"there is no weight {name}; there are {known}")

    def of_role(self, role: str) -> tuple[Weight, ...]:
        """Those that can do the same work."""
        return tuple(weight for weight in self.weight if weight.role == role)


def load(path: Path = FILE) -> Manifest:
    """Read a manifest. Raises msgspec.ValidationError: a wrong manifest is a bug of the product, not of its user."""
    return msgspec.toml.decode(path.read_bytes(), type=Manifest)

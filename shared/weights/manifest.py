"""The manifest: which model files there are, what each is for, and what identifies it.

The product's own is `manifest.toml` beside this file. An operator's own file, FIDOX_WEIGHTS_MANIFEST, adds to it and
replaces nothing in it (see `with_own`).

It is read once, when this module is imported: an import runs in one thread alone, whichever threads ask for it. The
first decoding of a type by msgspec 0.22 is not safe in several threads at once, and ended processes with SIGSEGV.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from shared.settings import SettingsError
from shared.weights.addresses import Address
from shared.weights.errors import UnknownWeightError
from shared.weights.forms import OF_ROLE, Form, Recogniser
from shared.weights.probe import Probe

FILE = Path(__file__).with_name("manifest.toml")
SETTING = "FIDOX_WEIGHTS_MANIFEST"
# Hexadecimal digits of each algorithm.
_DIGITS = {"sha256": 64, "sha384": 96}


class Digest(NamedTuple):
    """The hash of a whole file: `algorithm` as hashlib names it, `value` in lower-case hexadecimal digits."""

    algorithm: str
    value: str

    @property
    def short(self) -> str:
        """Enough of it for a message."""
        return f"{self.value[:16]}…"


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: what it is called here, where it is published, and what identifies it."""

    file: str
    urls: tuple[str, ...] = ()
    bytes: int | None = None
    sha256: str | None = None
    sha384: str | None = None

    def __post_init__(self) -> None:
        # ValueError becomes msgspec's ValidationError, with the entry's place in the file.
        if (self.sha256 is None) == (self.sha384 is None):
            raise ValueError(f"{self.label}: expected either sha256 or sha384")
        algorithm, value = self.digest
        if len(value) != _DIGITS[algorithm] or set(value) - set("0123456789abcdef"):
            raise ValueError(f"{self.label}: {algorithm} is {_DIGITS[algorithm]} lower-case hexadecimal digits")
        path = PurePosixPath(self.file)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{self.label}: file stays inside its folder")
        for url in self.urls:
            try:
                Address.parse(url)
            except ValueError as error:
                raise ValueError(f"{self.label}: {error}") from error

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.file

    @property
    def digest(self) -> Digest:
        """The one hash that it has."""
        return Digest("sha256", self.sha256) if self.sha256 is not None else Digest("sha384", self.sha384 or "")


class Weight(Source, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network or dictionary, of one file or several. The fields are described at the head of `manifest.toml`."""

    name: str
    role: str
    licence: str
    commercial_use: bool
    package: str | None = None
    system: str | None = None
    companions: tuple[Source, ...] = ()
    probe: Probe | None = None
    form: Form | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.package is not None and ":" not in self.package:
            raise ValueError(f"{self.name}: package is name:path")
        if self.system is not None and not self.system.partition(":")[2].startswith("/"):
            raise ValueError(f"{self.name}: system is name:/path")
        if self.companions and (self.package or self.system):
            raise ValueError(f"{self.name}: a weight of several files comes from urls alone")
        if self.form is not None and not isinstance(self.form, OF_ROLE.get(self.role, ())):
            raise ValueError(f"{self.name}: a form of this kind does not fit the role {self.role}")

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.name

    @property
    def sources(self) -> tuple[Source, ...]:
        """Its files, the one that is loaded first."""
        return (self, *self.companions)

    @property
    def is_published(self) -> bool:
        """Does each of its files have an address?"""
        return all(source.urls for source in self.sources)


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


def _read(path: Path) -> Manifest:
    return msgspec.toml.decode(path.read_bytes(), type=Manifest)


SHIPPED = _read(FILE)


def load(path: Path = FILE) -> Manifest:
    """Return the manifest of `path`; the product's own is read once and shared. Safe in any thread.

    Raises msgspec.ValidationError: a wrong manifest is a bug of the product, not of its user.
    """
    return SHIPPED if path == FILE else _read(path)


def with_own(file: str) -> Manifest:
    """Return the product's manifest and, behind it, the entries of the operator's `file`; empty for no file.

    Raises SettingsError, which names the file and what to change in it: where it cannot be read, has an unknown or a
    wrong field, a name or path that is taken, a role that only the product's own networks have, or no form.
    """
    if not file:
        return SHIPPED
    path = Path(file).expanduser()
    try:
        own = _read(path)
    except OSError as error:
        raise SettingsError(f"{SETTING}: {path} cannot be read ({error.strerror})") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SETTING}: {path}: {error}") from None
    for weight in own.weight:
        if wrong := _wrong_in(weight):
            raise SettingsError(f"{SETTING}: {path}: {weight.name}: {wrong}")
    return Manifest((*SHIPPED.weight, *(_placed(weight, path.parent) for weight in own.weight)))


def _placed(weight: Weight, folder: Path) -> Weight:
    """Return the entry with the path of its calibration, which is beside the manifest, made whole."""
    if not isinstance(weight.form, Recogniser) or weight.form.calibration is None:
        return weight
    file = str(folder / Path(weight.form.calibration).expanduser())
    return msgspec.structs.replace(weight, form=msgspec.structs.replace(weight.form, calibration=file))


def _wrong_in(weight: Weight) -> str:
    """Say what is wrong with an entry of an operator's manifest; empty where nothing is."""
    if any(weight.name == shipped.name for shipped in SHIPPED.weight):
        return "the product has a weight of this name; choose another"
    taken = {source.file for shipped in SHIPPED.weight for source in shipped.sources}
    if clash := [source.file for source in weight.sources if source.file in taken]:
        return f"the product has a file {clash[0]}; choose another path"
    if "+" in weight.name or not weight.name.strip():
        return "a name has at least one character, and no +, which joins names"
    if weight.role not in OF_ROLE:
        return f"role is one of {', '.join(OF_ROLE)}; got {weight.role}"
    if weight.form is None:
        kind = OF_ROLE[weight.role].__struct_config__.tag
        return f'[weight.form] with kind = "{kind}" is missing: it says what the network is given'
    return ""

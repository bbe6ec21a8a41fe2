"""Which weights in use do not allow commercial use, and the line that says so.

Workers, `/health`, the console and the command line say it in the same words, so that an operator can search for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.weights import manifest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.weights.manifest import Manifest

NOTICE = "non-commercial weights are in use: {names}; FIDOX_WEIGHTS_LICENCE=commercial leaves them out"


def names_in(models: Iterable[str | None]) -> list[str]:
    """Return the weights' names in model ids as workers report them, `NAME` or `NAME+NAME`, each once and in order."""
    return list(dict.fromkeys(name for model in models if model for name in model.split("+")))


def non_commercial(models: Iterable[str | None], known: Manifest = manifest.SHIPPED) -> list[str]:
    """Return the names of the weights in `models` whose licence does not allow commercial use.

    A name that the manifest does not have is ignored: it is a method without weights, such as `dlib_hog`.
    """
    restricted = {weight.name for weight in known.weight if not weight.commercial_use}
    return [name for name in names_in(models) if name in restricted]


def notice(models: Iterable[str | None], known: Manifest = manifest.SHIPPED) -> str | None:
    """Return the line for `models`, or None where all of them may be used commercially."""
    return line(non_commercial(models, known))


def line(names: Iterable[str]) -> str | None:
    """Return the line for names of such weights, or None without any."""
    listed = ", ".join(names)
    return NOTICE.format(names=listed) if listed else None

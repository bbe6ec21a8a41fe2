"""Weight files of this machine, laid into a folder of a test's own, where it may break them or take them away."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from shared.settings import Weights
from shared.weights import WeightStore
from tests.conftest import SHARED, need

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def copied(names: Iterable[str], folder: Path) -> dict[str, Path]:
    """Copy the files of these weights to where a store looks for them in `folder`; the first file of each, by name.

    Skips the test where the weights are missing.
    """
    need(SHARED / "models")
    store = WeightStore(Weights(cache=str(folder / "cache")))
    paths: dict[str, Path] = {}
    for name in names:
        located = store.locate(name)
        for source, path in zip(located.weight.sources, (located.path, *located.companions), strict=True):
            target = folder / source.file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            paths.setdefault(name, target)
    return paths

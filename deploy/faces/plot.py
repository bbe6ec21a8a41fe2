"""The plot of `fidox calibrate`: how the two kinds of pairs lie, and where the thresholds cut them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType] — its stub leaves PathLike open
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.faces.calibrate import Report
    from workers.face.fit import Pairs

BINS = 60  # from the lowest cosine to 1: dlib's cosines all lie above 0.7, ArcFace's from -0.2 on


def draw(path: Path, found: Report, pairs: Pairs) -> None:
    """Write an SVG. Each kind is drawn as a share of its own pairs: there are many more impostors."""
    low = min(float(pairs.impostor[0]), float(pairs.genuine[0]))
    bins = np.linspace(low, 1, BINS + 1)
    # Text stays text (smaller, and it can be searched); a fixed salt makes the same plot the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "fidox", "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for cosines, colour, label in (
            (pairs.impostor, "#c0392b", "impostor"),
            (pairs.genuine, "#2471a3", "genuine"),
        ):
            weights = np.full(cosines.size, 100 / cosines.size)
            axes.hist(cosines, bins.tolist(), weights=weights, color=colour, alpha=0.6, label=f"{cosines.size} {label}")
        # Each group has the same maps.
        maps = ((found.groups[0].current, "-", "now"), (found.groups[0].fitted, "--", "fitted"))
        for rows, style, label in maps:
            for row in rows:
                text = f"{row.threshold:g} {label}: cosine {row.cosine:.3f}"
                shade = "black" if row.threshold == rows[0].threshold else "grey"
                axes.axvline(row.cosine, linestyle=style, color=shade, linewidth=1, label=text)
        axes.set_xlabel("cosine")
        axes.set_ylabel("% of the pairs of a kind")
        axes.set_title(f"{found.engine}, {found.model_id}: {found.pictures} pictures of {found.persons} persons")
        axes.legend(fontsize="small")
        figure.savefig(path, format="svg", metadata={"Date": None})

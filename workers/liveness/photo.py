"""Print and screen: a face that was photographed from paper or from a display.

Two MiniFASNets (Silent-Face-Anti-Spoofing, minivision 2020): V2 sees the face closely, V1SE more of what is around it,
the frame of a screen, the edge of a sheet. Where the picture ends before its crop does, V2 is asked twice: with the
edge repeated it takes hardly any tight picture for an attack, living or not; moved into the picture it finds the
attacks, and doubts some of the living. V1SE with a repeated edge tells nothing, and is asked moved alone.
docs/liveness.md has what each way finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.liveness.classifiers import PLAIN, Classifier, ClassifierCheck, Logistic

if TYPE_CHECKING:
    from shared.settings import Inference
    from shared.weights import Located

# Fitted for these networks by tests/bench/attacks.py; how is in docs/liveness.md. Any others have the plain mean.
FITTED = {"minifasnet_v2_2.7+minifasnet_v1se_4.0": Logistic(slope=0.85, middle=-0.9)}


def photo_check(settings: Inference, *located: Located) -> ClassifierCheck:
    """Return the check on these networks. Raises WeightsError where one is not what its entry says."""
    names = "+".join(one.weight.name for one in located)
    return ClassifierCheck([Classifier(settings, one) for one in located], FITTED.get(names, PLAIN))

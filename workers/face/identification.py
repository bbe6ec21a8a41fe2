"""When the best of many is a match: what a search of N users asks for beyond what one comparison does.

A stranger who is compared with N users has N chances of being taken for one. So the cosine that a match needs rises
with N until the false positive identification rate, the share of searches of strangers that name somebody (ISO/IEC
19795-1), stays at a stated one, `fpir`:

    1 - (1 - FMR)^(N · ALIKE) <= fpir     FMR(cosine) from the calibration's tail, for the worst group of people

And the best user must be ahead of the second by a margin. A picture that is nobody's well (blurred, masked) is a little
like many, and the best of them is chance; so is which of two look-alikes comes first. Where the two users' own
templates match, one person has two user codes, and the margin is not asked for: either is right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.db.templates import Nearest
    from workers.face.calibration import Calibration

# The share of a gallery that a stranger may be mistaken for: people of their own region, sex and age. Measured: at
# cosines that 0.3 to 6 % of pairs within the Chinese and the Korean group reach, pairs of one of each do 2 to 4 times
# less often, and those of one of them and a student in Georgia 10 to 80 times. Where all users are alike, the rate is
# up to five times `fpir`.
ALIKE = 0.2
# Of the way in cosine from score 0.5 to 0.7: 0.043 with w600k, 0.060 with retail-0095. Measured on the recognition
# photos: no member is lost to it that the cosine lets pass, and at retail-0095's older, lower threshold two of three
# members who were named as another were not any more.
MARGIN = 0.25


def needed_score(calibration: Calibration, best: Nearest, *, threshold: float, fpir: float) -> float:
    """Return the score, 0..1, that `best` needs; never less than `threshold`, the score of one comparison."""
    needed = max(calibration.cosine(threshold), calibration.cosine_at(false_match_rate(fpir, best.among * ALIKE)))
    if best.between < calibration.cosine(threshold):
        margin = MARGIN * (calibration.cosine(0.7) - calibration.cosine(0.5))
        needed = max(needed, best.second + margin)
    return max(threshold, calibration.score(min(needed, 1.0)))


def false_match_rate(fpir: float, among: float) -> float:
    """Return the false match rate of one comparison that keeps `among` of them at the rate `fpir`, both in 0..0.5."""
    return -math.expm1(math.log1p(-fpir) / max(among, 1.0))

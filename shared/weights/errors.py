"""What can be wrong with a model file.

WeightsError
├── UnknownWeightError      the manifest has no such name
├── LicenceError            FIDOX_WEIGHTS_LICENCE does not allow to load it
├── MissingWeightError      it lies nowhere in the look-up order
├── WrongHashError          a file of that name lies there, and is another one: never loaded
└── FetchError              it could not be downloaded; the message says what to do instead
    └── OfflineError        its server cannot be reached at all

Every message is meant for the operator and names the weight, the places and the next step.
"""

from __future__ import annotations


class WeightsError(Exception):
    """The root: catch this where one engine or check is to be left out."""


class UnknownWeightError(WeightsError):
    """The manifest has no such name."""


class LicenceError(WeightsError):
    """The operator allows only weights whose licence permits commercial use, and this one's does not."""


class MissingWeightError(WeightsError):
    """It lies nowhere in the look-up order."""


class WrongHashError(WeightsError):
    """What lies there, or what came, is not the file that the manifest names."""


class FetchError(WeightsError):
    """It could not be downloaded."""


class OfflineError(FetchError):
    """Its server cannot be reached: no network, no name service, or a firewall."""

"""What can be wrong with a model file.

WeightsError
├── UnknownWeightError      the manifest has no such name
├── LicenceError            FIDOX_WEIGHTS_LICENCE does not allow to load it
├── MissingWeightError      it lies nowhere in the look-up order
├── UnreadableWeightError   nothing on this machine reads its container
├── WrongHashError          a file of that name lies there, or came, and is another one: never loaded
├── FetchError              it could not be downloaded; the message says what to do instead
│   └── OfflineError        no server that has it can be reached
└── BundleError             an archive of weights that cannot be written or taken in

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


class UnreadableWeightError(WeightsError):
    """Its file is in a container that nothing on this machine reads."""


class WrongHashError(WeightsError):
    """What lies there, or what came, is not the file that the manifest names."""


class FetchError(WeightsError):
    """It could not be downloaded. `reason` is the message without what to do about it, for a list of several."""

    def __init__(self, reason: str, todo: str = "") -> None:
        super().__init__(f"{reason}; {todo}" if todo else reason)
        self.reason = reason


class OfflineError(FetchError):
    """No server that has it can be reached: no network, no name service, or a firewall."""


class BundleError(WeightsError):
    """An archive that cannot be written, that is broken, or that holds what it may not."""

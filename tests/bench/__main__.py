"""`make bench [ONLY=queue]`: start a stack of its own, measure, write docs/benchmarks.md."""

import os
import sys
import tempfile
from pathlib import Path

import onnxruntime

from deploy.local.stack import LocalStack
from tests.bench import (
    accuracy,
    attacks,
    detectors,
    faces,
    ground,
    identify,
    liveness,
    masking,
    networks,
    ocr,
    sight,
    strangers,
    telemetry,
)
from tests.bench.report import Section, write

SECTIONS = {
    "queue": ground.queue,
    "rest": ground.rest,
    "compare": faces.compare,
    "count": faces.count,
    "detect": masking.detect,
    "mask": masking.mask,
    "keys": masking.keys,
    "identify": identify.identify,
    "accuracy": accuracy.accuracy,
    "strangers": strangers.strangers,
    "liveness": liveness.accuracy,
    "attacks": attacks.attacks_found,
    "liveness-speed": liveness.speed,
    "ocr": ocr.accuracy,
    "ocr-speed": ocr.speed,
    "telemetry": telemetry.telemetry,
    "networks": networks.networks,
    "detectors": detectors.detectors,
    "sight": sight.sight,
}
# What is measured in this process, beside nothing: a stack would take its share of the cores.
WITHOUT_STACK = {"networks", "detectors", "accuracy", "strangers", "sight", "attacks"}


def main() -> None:
    only = set(sys.argv[1:]) or set(SECTIONS)
    if unknown := only - set(SECTIONS):
        sys.exit(f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    # The demo tenant's limit stays as it is, 6,000 calls a minute; an API key's are far below what is measured.
    # Storage is off, as it is by default; what it costs is `storage_ms` in every answer where it is on.
    environment = {
        "FACE_API_DETECT_RATE": "1000000",
        "FACE_API_MASK_RATE": "1000000",
        "FACE_API_STORAGE_ENABLED": "false",
    }
    done: list[Section] = []
    if only - WITHOUT_STACK:
        with (
            tempfile.TemporaryDirectory() as folder,
            LocalStack(Path(folder), port=0, environment=environment) as stack,
        ):
            done += run(only - WITHOUT_STACK, stack)
    done += run(only & WITHOUT_STACK)
    if only == set(SECTIONS):
        settings = {
            "onnxruntime": f"{onnxruntime.__version__}, {', '.join(onnxruntime.get_available_providers())}",
            "settings": " ".join(f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith("FIDOX_"))
            or "defaults",
        }
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            settings["GPU"] = "none was at hand: nothing here was run on CUDA, and nothing is claimed of it"
        write(done, settings)


def run(only: set[str], stack: LocalStack | None = None) -> list[Section]:
    """Measure these sections, in the table's order."""
    done: list[Section] = []
    for name, measure in SECTIONS.items():
        if name in only:
            print(f"\n{name}")
            done.append(measure(stack))
    return done


if __name__ == "__main__":
    main()

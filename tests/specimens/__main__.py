"""`make specimens [ARGS=…]`: write pictures and their truth into a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from deploy.cli.common import progress
from shared.contracts import IdType
from tests.specimens import KINDS, held_out, specimen, tuning
from tests.specimens.fonts import FontsMissingError


def main() -> None:
    """Each specimen is TYPE-KIND-SEED.jpg with TYPE-KIND-SEED.json beside it."""
    parser = argparse.ArgumentParser(prog="make specimens ARGS=", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(".local/specimens"), help="the folder to write into")
    parser.add_argument("--count", type=int, default=10, help="specimens of each type and kind")
    parser.add_argument("--types", default=",".join(IdType), help="types of documents, by commas")
    parser.add_argument("--kinds", default=",".join(KINDS), help="flat, photo or both, by commas")
    parser.add_argument("--held-out", action="store_true", help="the odd seeds, which nothing is tuned on")
    asked = parser.parse_args()
    seeds = held_out(asked.count) if asked.held_out else tuning(asked.count)
    types = [IdType(one) for one in asked.types.split(",")]
    kinds = [one for one in KINDS if one in asked.kinds.split(",")]
    asked.out.mkdir(parents=True, exist_ok=True)
    try:
        with progress() as bar:
            for id_type in types:
                for kind in kinds:
                    for seed in bar.track(seeds, description=f"{id_type} {kind}"):
                        made = specimen(seed, id_type, kind)
                        path = asked.out / f"{id_type.lower()}-{kind}-{seed:04d}.jpg"
                        path.write_bytes(made.jpeg)
                        truth = msgspec.json.format(msgspec.json.encode(made.truth), indent=2)
                        path.with_suffix(".json").write_bytes(truth)
    except FontsMissingError as error:
        sys.exit(str(error))
    print(f"{len(types) * len(kinds) * len(seeds)} pictures with their truth in {asked.out}")


if __name__ == "__main__":
    main()

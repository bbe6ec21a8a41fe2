"""Archives of weights: the same weights make the same bytes, and only what the manifest knows comes out of one."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import msgspec
import pytest

from shared.settings import Weights
from shared.weights import BundleError, Manifest, Source, Weight, WeightStore
from shared.weights.bundle import CONTENTS, import_bundle, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

BODIES = {"one.onnx": b"one" * 5000, "ir/two.xml": b"<two/>" * 100, "ir/two.bin": b"\0\1" * 40_000, "three.pb": b"3"}


def hashed(file: str, algorithm: str = "sha256") -> dict[str, object]:
    return {"file": file, algorithm: hashlib.new(algorithm, BODIES[file]).hexdigest(), "bytes": len(BODIES[file])}


def weights() -> tuple[Weight, ...]:
    common = {"role": "face.detector", "licence": "MIT", "commercial_use": True}
    numbers = Source(**hashed("ir/two.bin", "sha384"))
    return (
        Weight(name="one", **hashed("one.onnx"), **common),
        Weight(name="two", **hashed("ir/two.xml", "sha384"), companions=(numbers,), **common),
        Weight(name="three", **hashed("three.pb"), **{**common, "licence": "closed", "commercial_use": False}),
    )


def store_at(folder: Path, *files: str, known: tuple[Weight, ...] | None = None, **settings: str) -> WeightStore:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(BODIES[file])
    return WeightStore(Weights(cache=str(folder), **settings), known=Manifest(known or weights()), mirror=None)


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    """An archive with everything."""
    archive = tmp_path / "weights.tar"
    write_bundle(store_at(tmp_path / "here", *BODIES), archive)
    return archive


def in_cache(store: WeightStore) -> list[str]:
    files = [path for path in store.cache.rglob("*") if path.is_file() and path.name != "verified.json"]
    return sorted(str(path.relative_to(store.cache)) for path in files)


def test_what_was_bundled_on_one_machine_is_taken_in_on_another(bundled, tmp_path) -> None:
    store = store_at(tmp_path / "there")
    done = import_bundle(store, bundled)
    assert done == (["one", "two", "three"], [], {}, {})
    assert in_cache(store) == sorted(BODIES)
    for weight in store.manifest.weight:
        assert store.locate(weight.name, fresh=True)


def test_a_second_import_changes_nothing(bundled, tmp_path) -> None:
    store = store_at(tmp_path / "there")
    import_bundle(store, bundled)
    before = {file: (store.cache / file).stat().st_ino for file in BODIES}
    assert import_bundle(store, bundled) == ([], ["one", "two", "three"], {}, {})
    assert {file: (store.cache / file).stat().st_ino for file in BODIES} == before


def test_the_same_weights_make_the_same_archive(bundled, tmp_path) -> None:
    write_bundle(store_at(tmp_path / "another", *BODIES), tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == bundled.read_bytes()


def test_an_archive_lists_its_files_with_their_hashes_and_is_a_plain_tar(bundled) -> None:
    with tarfile.open(bundled, "r:") as tar:
        listed = msgspec.json.decode(tar.extractfile(CONTENTS).read())
        assert tar.getnames() == [CONTENTS, "one/one.onnx", "two/two.xml", "two/two.bin", "three/three.pb"]
        assert all((entry.mtime, entry.uid, entry.mode) == (0, 0, 0o644) for entry in tar)
        assert tar.extractfile("two/two.bin").read() == BODIES["ir/two.bin"]
    assert listed["format"] == 1
    assert listed["files"][0] == {"weight": "one", **hashed("one.onnx"), "file": "one/one.onnx"}


def test_only_weights_that_are_complete_and_right_are_bundled(tmp_path) -> None:
    store = store_at(tmp_path / "here", "one.onnx", "ir/two.xml", "three.pb")
    (store.cache / "three.pb").write_bytes(b"4")
    assert write_bundle(store, tmp_path / "some.tar") == ["one"]
    assert import_bundle(store_at(tmp_path / "there"), tmp_path / "some.tar").taken == ["one"]


def test_a_machine_without_weights_makes_no_archive(tmp_path) -> None:
    with pytest.raises(BundleError, match="no weight is on this machine"):
        write_bundle(store_at(tmp_path / "here"), tmp_path / "none.tar")
    assert not (tmp_path / "none.tar").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(BundleError, match="nowhere cannot be written"):
        write_bundle(store_at(tmp_path / "here", *BODIES), tmp_path / "nowhere" / "weights.tar")


def test_what_the_licence_forbids_is_neither_bundled_nor_taken_in(bundled, tmp_path) -> None:
    commercial = store_at(tmp_path / "there", licence="commercial")
    done = import_bundle(commercial, bundled)
    assert done.taken == ["one", "two"]
    assert done.skipped == {"three": "FIDOX_WEIGHTS_LICENCE=commercial, and its licence is closed"}
    assert not (commercial.cache / "three.pb").exists()
    assert write_bundle(store_at(tmp_path / "here", licence="commercial"), tmp_path / "free.tar") == ["one", "two"]


def test_an_archive_of_another_version_gives_what_both_know(bundled, tmp_path) -> None:
    one, two, _ = weights()
    changed = msgspec.structs.replace(one, sha256="0" * 64, bytes=None)
    store = store_at(tmp_path / "there", known=(changed, two))
    done = import_bundle(store, bundled)
    assert done.taken == ["two"]
    assert done.skipped == {
        "one": "it is another file than the one that this version uses",
        "three": "this version does not know it",
    }
    assert in_cache(store) == ["ir/two.bin", "ir/two.xml"]


def test_a_damaged_file_is_refused_and_the_others_are_taken_in(bundled, tmp_path) -> None:
    data = bytearray(bundled.read_bytes())
    data[data.index(BODIES["one.onnx"]) + 7000] ^= 1
    bundled.write_bytes(data)
    store = store_at(tmp_path / "there")
    done = import_bundle(store, bundled)
    assert done.taken == ["two", "three"]
    assert done.refused["one"].startswith("one/one.onnx is damaged: its sha256 is not ")
    assert in_cache(store) == ["ir/two.bin", "ir/two.xml", "three.pb"]


def test_an_archive_that_ends_too_early_gives_what_came_before_and_says_so(bundled, tmp_path) -> None:
    data = bundled.read_bytes()
    bundled.write_bytes(data[: data.index(BODIES["ir/two.bin"]) + 100])
    store = store_at(tmp_path / "there")
    with pytest.raises(BundleError, match=r"ends in the middle of two/two\.bin; copy it again"):
        import_bundle(store, bundled)
    assert in_cache(store) == ["ir/two.xml", "one.onnx"]


def test_anything_that_was_not_written_by_a_bundle_is_refused(tmp_path) -> None:
    store, archive = store_at(tmp_path / "there"), tmp_path / "other.tar"
    for data in (b"", b"no tar", bytes(512), tar_of(("one/one.onnx", BODIES["one.onnx"]))):
        archive.write_bytes(data)
        with pytest.raises(BundleError):
            import_bundle(store, archive)
    assert in_cache(store) == []


def tar_of(*files: tuple[str, bytes], link: str = "") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo("one/one.onnx")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            tar.addfile(entry)
    return written.getvalue()


EMPTY = (CONTENTS, b'{"format":1,"files":[]}')


def test_no_name_in_an_archive_reaches_a_path_of_its_own(tmp_path) -> None:
    """The paths are this product's: what is called anything else is skipped, whatever it holds."""
    store, archive = store_at(tmp_path / "there"), tmp_path / "evil.tar"
    names = ("../one.onnx", "/etc/one.onnx", "one/../../one.onnx", "one", "one/one.onnx/x", "two/one.onnx")
    archive.write_bytes(tar_of(EMPTY, *((name, BODIES["one.onnx"]) for name in names)))
    done = import_bundle(store, archive)
    assert done.taken == []
    assert len(done.skipped) == len({name.partition("/")[0] for name in names})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar"]


def test_a_link_in_an_archive_is_refused(tmp_path) -> None:
    (tmp_path / "evil.tar").write_bytes(tar_of(EMPTY, link="/etc/passwd"))
    with pytest.raises(BundleError, match=r"one/one\.onnx is not a plain file"):
        import_bundle(store_at(tmp_path / "there"), tmp_path / "evil.tar")


def test_a_file_that_is_larger_than_the_manifest_says_is_not_read(tmp_path) -> None:
    (tmp_path / "evil.tar").write_bytes(tar_of(EMPTY, ("one/one.onnx", BODIES["one.onnx"] * 2)))
    done = import_bundle(store_at(tmp_path / "there"), tmp_path / "evil.tar")
    assert done.refused == {"one": "one/one.onnx has 30000 bytes, expected 15000 at most"}


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [(b'{"format":2,"files":[]}', "format 2; this version reads 1"), (b"{", "manifest.json cannot be read")],
)
def test_contents_that_this_version_cannot_read_are_named(tmp_path, contents, complaint) -> None:
    (tmp_path / "new.tar").write_bytes(tar_of((CONTENTS, contents)))
    with pytest.raises(BundleError, match=complaint):
        import_bundle(store_at(tmp_path / "there"), tmp_path / "new.tar")

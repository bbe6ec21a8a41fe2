"""The operations `detect` and `mask`: what they answer, with which engine, and where their time went."""

import asyncio
import io
import secrets
import time

import cv2
import msgspec
import numpy as np
import PIL.Image
import pytest

from shared import contracts, envelopes
from shared.contracts import DetectFaces, Dialect, Failure, ImageFormat, Kind, MaskFaces, MaskMethod
from shared.settings import Settings
from shared.weights import MissingWeightError
from workers.face.anonymous import AnonymousTasks, detect_once, mask_once
from workers.face.engines import Engines
from workers.face.load import loaders
from workers.runtime.slots import Slots
from workers.runtime.tasks import Call, Taken
from workers.runtime.threads import Threads
from workers.vision.decode import decode

MAX = 50_000_000
GROUP = "_groups/obama_and_biden.jpg"
STEPS = ("decode_ms", "preprocess_ms", "blob_ms", "inference_ms", "postprocess_ms", "nms_ms")


@pytest.fixture(scope="module")
def detect(engine):
    return lambda data, **more: detect_once(engine, data, DetectFaces(**more), max_pixels=MAX)


@pytest.fixture(scope="module")
def mask(engine):
    return lambda data, **more: mask_once(engine, data, MaskFaces(**more), max_pixels=MAX)


def enlarged(data: bytes, longer: int) -> np.ndarray:
    pixels = decode(data, max_pixels=MAX).pixels
    scale = longer / max(pixels.shape)
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def corners(face: contracts.Face) -> np.ndarray:
    return np.array([face.x, face.y, face.x + face.width, face.y + face.height])


# --- what is answered


def test_every_face_is_listed_largest_first_with_its_landmarks(detect, photo):
    outcome = detect(photo(GROUP))
    assert type(outcome) is contracts.FacesDetected
    areas = [face.width * face.height for face in outcome.faces]
    assert len(areas) == 3
    assert areas == sorted(areas, reverse=True)
    assert all(len(face.landmarks) == 5 and 0.5 <= face.confidence <= 1 for face in outcome.faces)
    assert (outcome.channels, outcome.engine) == (3, "ezway")


def test_the_options_reach_the_detector(detect, mask, photo):
    assert detect(photo(GROUP), confidence=0.999).faces == ()
    assert len(detect(photo(GROUP), max_faces=1).faces) == 1
    assert len(detect(photo(GROUP), nms_threshold=1.0).faces) > 3
    assert mask(photo(GROUP), confidence=0.999).faces == ()


def test_with_a_limit_of_faces_only_the_largest_are_masked(detect, mask, photo):
    all_faces = detect(photo(GROUP)).faces
    outcome = mask(photo(GROUP), max_faces=1, method=MaskMethod.SOLID, format=ImageFormat.PNG)
    pixels = decode(outcome.image, max_pixels=MAX).pixels
    black = [
        bool((pixels[int(face.y + face.height / 2), int(face.x + face.width / 2)] == 0).all()) for face in all_faces
    ]
    assert black == [True, False, False]


@pytest.mark.parametrize("method", MaskMethod)
def test_what_lies_outside_the_padded_boxes_is_as_it_was(mask, photo, method):
    data = photo(GROUP)
    outcome = mask(data, method=method, padding=0.2, format=ImageFormat.PNG)
    before, after = (decode(file, max_pixels=MAX).pixels for file in (data, outcome.image))
    outside = np.ones(before.shape[:2], bool)
    for face in outcome.faces:
        left, top = np.floor(corners(face)[:2] - 0.2 * np.array([face.width, face.height])).astype(int)
        right, bottom = np.ceil(corners(face)[2:] + 0.2 * np.array([face.width, face.height])).astype(int)
        outside[max(top, 0) : bottom, max(left, 0) : right] = False
    changed = (before != after).any(axis=2)
    assert not changed[outside].any()
    assert changed[~outside].mean() > (0.7 if method is MaskMethod.ELLIPTICAL else 0.95)


def test_no_face_is_an_answer(detect, mask, grey_jpeg):
    assert detect(grey_jpeg).faces == ()
    outcome = mask(grey_jpeg)
    assert (outcome.faces, outcome.format) == ((), ImageFormat.JPEG)
    assert decode(outcome.image, max_pixels=MAX).pixels.shape == (240, 320, 3)


@pytest.mark.parametrize("name", ["obama/obama.jpg", "biden/biden.jpg", GROUP])
def test_both_operations_see_the_same_faces(detect, mask, photo, name):
    assert detect(photo(name)).faces == mask(photo(name)).faces


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_both_see_the_same_faces_of_a_picture_that_is_reduced(detect, mask, photo, suffix):
    pixels = enlarged(photo("obama/obama2.jpg"), 3300)
    data = cv2.imencode(suffix, pixels)[1].tobytes()
    seen, painted = detect(data), mask(data, method=MaskMethod.SOLID)
    (face,), (same) = seen.faces, painted.faces[0]
    assert seen.profile.det_scale == painted.profile.det_scale == pytest.approx(640 / 3300, rel=0.01)
    # libjpeg reduces in its own way; of everything else both look at the same pixels.
    assert np.abs(corners(face) - corners(same)).max() <= (0.005 * face.height if suffix == ".jpg" else 0)
    result = decode(painted.image, max_pixels=MAX, keep_side=10_000)
    assert result.pixels.shape == pixels.shape
    left, top, right, bottom = corners(face).astype(int)
    assert result.pixels[top:bottom, left:right].max() < 40


# --- the profile


def told_shares(work, steps: tuple[str, ...]) -> list[float]:
    """What the steps make up of all the time that `work` takes, each of several times."""
    shares = []
    for _ in range(10):
        began = time.perf_counter()
        profile = work().profile
        total_ms = (time.perf_counter() - began) * 1000
        shares.append(sum(getattr(profile, step) for step in steps) / total_ms)
    return shares


def test_the_profile_of_a_detection_is_measured(detect, photo):
    data = photo(GROUP)
    shares = told_shares(lambda: detect(data), STEPS)
    # The most: on a busy machine others work in between, too.
    assert 0.85 < max(shares) <= 1
    profile = detect(data).profile
    assert all(getattr(profile, step) > 0 for step in STEPS)
    assert (profile.mask_ms, profile.encode_ms, profile.output_bytes) == (None, None, None)
    assert (profile.image_size, profile.input_size, profile.det_scale) == ((2000, 1428), (640, 480), 0.32)
    assert (profile.detector, profile.input_bytes) == ("scrfd_500m", len(data))
    assert profile.candidates_before_nms > profile.candidates_after_nms == 3


def test_the_profile_of_a_masking_is_measured(mask, photo):
    data = photo(GROUP)
    assert 0.85 < max(told_shares(lambda: mask(data), (*STEPS, "mask_ms", "encode_ms"))) <= 1
    outcome = mask(data)
    profile = outcome.profile
    assert profile.mask_ms > 0
    assert profile.encode_ms > 1
    assert (profile.input_bytes, profile.output_bytes) == (len(data), len(outcome.image))


# --- as a worker does them


@pytest.fixture(scope="module")
def threads():
    pool = Threads(1)
    yield pool
    pool.close()


def do(operation: contracts.Operation, image: bytes, threads: Threads, load) -> contracts.AnyOutcome:
    """What the handlers answer where `load` gives the engines."""
    job = envelopes.Job(
        job_id=f"{secrets.token_hex(8)}:{Kind.FACE}",
        tx_id="tx",
        tenant_id=contracts.NO_TENANT,
        dialect=Dialect.XYLOLABS,
        within_ms=60_000,
        reply_to="nobody",
        blobs=1,
        bytes_held=0,
        operation=msgspec.Raw(b""),
    )
    now_ms = int(time.time() * 1000)
    taken = Taken(job.job_id, b"", now_ms, now_ms, 1, [image])
    call = Call(job, [image], operation="any", taken=taken, threads=threads, slot=Slots(1).take())

    async def run() -> contracts.AnyOutcome:
        engines = Engines(load, limit_s=20.0, retry_s=10.0)
        await engines.load()
        try:
            return await AnonymousTasks(engines, max_pixels=MAX).handlers()[type(operation)](operation, call)
        finally:
            for slot in engines.all():
                getattr(slot.part, "close", lambda: None)()

    return asyncio.run(run())


def absent():
    raise MissingWeightError("no weights")


class Breaking:
    """An engine that loads, and breaks at each picture: no picture does that to a real one at will."""

    name = model_id = detector = "breaking"

    def warm_up(self) -> None:
        pass

    def detect(self, *_):
        raise RuntimeError("CUDNN_STATUS_EXECUTION_FAILED")


def test_the_engine_that_is_there_answers(engine, threads, photo):
    outcome = do(DetectFaces(), photo(GROUP), threads, {"ezway": lambda: engine})
    assert (len(outcome.faces), outcome.profile.detector) == (3, "scrfd_500m")
    # And what came of it crosses the queue.
    reply = envelopes.encode(envelopes.Reply(job_id="1", outcome=outcome))
    assert envelopes.decode_reply(reply).outcome == outcome


@pytest.mark.parametrize("load", [absent, Breaking])
def test_the_second_engine_serves_where_the_first_one_does_not(threads, photo, load):
    both = {"ezway": load, "applemango": loaders(Settings())["applemango"]}
    outcome = do(MaskFaces(format=ImageFormat.PNG), photo(GROUP), threads, both)
    assert (outcome.engine, outcome.profile.detector, len(outcome.faces)) == ("applemango", "yunet_2023mar", 3)
    assert outcome.profile.input_size > (0, 0)
    before, after = (decode(data, max_pixels=MAX).pixels for data in (photo(GROUP), outcome.image))
    for face in outcome.faces:
        left, top, right, bottom = corners(face).astype(int)
        assert (before != after)[top:bottom, left:right].any(axis=2).mean() > 0.95


@pytest.mark.parametrize("operation", [DetectFaces(), MaskFaces()])
def test_without_an_engine_it_is_unavailable(threads, grey_jpeg, operation):
    outcome = do(operation, grey_jpeg, threads, {"ezway": absent})
    assert (outcome.failure, outcome.retry_after_s) == (Failure.ENGINE_UNAVAILABLE, 1)


@pytest.mark.parametrize("operation", [DetectFaces(), MaskFaces()])
def test_a_bad_picture_is_a_failure_that_names_it(threads, operation):
    outcome = do(operation, b"no picture", threads, {"breaking": Breaking})
    assert (outcome.failure, outcome.image) == (Failure.BAD_IMAGE, 0)


def test_a_picture_that_no_webp_holds_is_a_failure_that_says_what_to_change(threads):
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (20_000, 2)).save(buffer, "PNG")
    outcome = do(MaskFaces(format=ImageFormat.WEBP), buffer.getvalue(), threads, {"breaking": Breaking})
    assert outcome.failure is Failure.IMAGE_TOO_LARGE
    assert "choose another format" in outcome.detail


def test_a_picture_that_takes_long_to_write_is_no_engine_failure(engine, threads, photo, monkeypatch):
    """Two of them in a row would otherwise turn the engine off for everybody."""
    monkeypatch.setattr("workers.face.anonymous.encode", lambda *_: time.sleep(2.1) or b"file")

    async def run():
        engines = Engines({"ezway": lambda: engine}, limit_s=2.0, retry_s=10.0)
        await engines.load()
        tasks = AnonymousTasks(engines, max_pixels=MAX)

        class Plain:
            images = (photo("obama/obama.jpg"),)
            compute = staticmethod(threads.run)

        return [await tasks.do(MaskFaces(), Plain()) for _ in range(3)]

    assert [type(outcome) for outcome in asyncio.run(run())] == [contracts.FacesMasked] * 3

"""A compare whose two pictures are analysed at the same time: an engine that hangs leaves the next one its threads."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from shared import contracts
from shared.settings import Faces
from workers.face.calibration import calibration_of
from workers.face.engines import Engines
from workers.face.examined import Examined
from workers.face.tasks import FaceTasks
from workers.vision.detection import Detection, Detections, DetectionTimes

JPEG = cv2.imencode(".jpg", np.full((64, 64, 3), 128, np.uint8))[1].tobytes()


class Engine:
    """Sees the same face everywhere; `detect` begins when `opened` is set. That hang cannot be caused in a real one."""

    model_id = "dlib_resnet_v1"
    detector = "everywhere"
    networks = ()
    dimension = 2
    calibration = calibration_of("dlib_resnet_v1")

    def __init__(self, name: str, opened: threading.Event) -> None:
        self.name = name
        self._opened = opened

    def detect(self, image, _options) -> Detections:
        self._opened.wait()
        face = Detection(np.array([8, 8, 56, 56], np.float32), 0.9, None)
        return Detections((face,), self.detector, 1, 1, (64, 64), image.scale, DetectionTimes())

    def examine(self, _image, _face):
        return Examined(np.array([1, 0], np.float32))

    def warm_up(self) -> None:
        pass


class Call:
    has_room = True
    images = (JPEG, JPEG)

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def compute(self, work, *args):
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def test_the_next_engine_compares_while_the_first_one_hangs_over_both_pictures():
    closed, opened = threading.Event(), threading.Event()
    opened.set()
    engines = Engines(
        {"ezway": lambda: Engine("ezway", closed), "applemango": lambda: Engine("applemango", opened)},
        limit_s=2,
        retry_s=60,
    )

    async def compare() -> contracts.AnyOutcome:
        await engines.load()
        tasks = FaceTasks(engines, None, None, Faces())
        with ThreadPoolExecutor(4) as threads:
            try:
                return await tasks.compare(contracts.CompareFaces(), Call(threads))
            finally:
                closed.set()

    outcome = asyncio.run(compare())
    assert isinstance(outcome, contracts.Compared), outcome
    assert outcome.engine == "applemango"

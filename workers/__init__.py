"""Inference workers: everything that touches a pixel, a vector or a model. No HTTP here.

    face | liveness | ocr     what a call asks for; none of them imports another
    vision                    pixels: decode, encode, detectors, which face is meant
    inference                 networks: sessions, batching, circuits, a process for what must be kept apart
    runtime                   the queue: jobs, leases, processes

OpenCV reads two variables when it is loaded and never again, so they are set here, where every import of a worker
passes: a limit on decoded pixels behind the one of `vision.decode`, for a header that lies, and one thread. A worker
process has a core of its own; OpenCV's pool would only compete with the processes beside it.
"""

import os

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

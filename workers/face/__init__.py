"""Faces: from the bytes of a picture to a detection, an embedding and a score. No queue, no database but in `tasks`.

    images -> scrfd -> choice -> align -> engines.* -> calibration        (analysis walks this line for one picture)
                          └-> quality <- judges (register only)

OpenCV reads two things from the environment when it is loaded, and never again, so they are set here, where every
import of the domain passes: a wall on decoded pixels behind the one of `images`, for a header that lies, and one
thread. A worker process has a core of its own; OpenCV's pool would only compete with the processes beside it.
"""

import os

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

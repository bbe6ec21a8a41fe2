"""Pixels: from the bytes of a file to faces in it, and back to a file. What face, liveness and OCR share.

    decode ─> detectors (scrfd, dlib_hog) ─> primary_face       profile: what a detection reports of itself
    encode <─ pixels that were painted on

Everything here is blocking and free of state between calls, and raises ImageError for what is wrong with a picture.
"""

"""Faces: from the pixels of a picture to an embedding and a score. No queue and no database but in `tasks`.

    vision.decode -> vision.detectors -> vision.primary_face -> align -> engines.* -> calibration
                                              └-> quality <- judges (register only)

`analysis` walks this line for one picture.
"""

"""Liveness: is the face of a picture a living, unmasked, unforged person's? No queue and no database but in `tasks`.

    images, detector, choice (of workers.face) ─ one face ─┬─ photo
                                                           ├─ deepfake     at the same time, each in a thread
                                                           └─ mask

A check is one file and one or two networks behind the Protocol in `checks`. What each can tell, how that was measured,
and what it cannot: docs/liveness.md.
"""

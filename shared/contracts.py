"""The vocabulary of the product: operations, results and failures.

An operation goes from the gateway to a worker, a result or a failure comes back. Nothing else crosses the queue,
and nothing raises across it. A dialect translates these to its own fields and codes and adds no meaning of its own.

    Job ─ operation ─┬─ RegisterFace | VerifyFace | IdentifyFace | CompareFaces | CountFaces | DeleteUser  (face)
                     ├─ DetectFaces | MaskFaces                                                            (face)
                     ├─ CheckLiveness                                                                    (liveness)
                     ├─ ReadCard                                                                              (ocr)
                     └─ Ping                                                                             (every kind)

    Reply ─ outcome ─┬─ Registered | Verified | Identified | Compared | FacesCounted | UserDeleted
                     ├─ FacesDetected | FacesMasked | LivenessChecked | CardRead | Pong
                     └─ Failed(failure, detail)

Pixels are never part of a job: `Job.blobs` only counts the images that lie beside it (see `shared.queue`).

How they travel, and what two versions make of one another's, is in `shared/envelopes.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

# The tenant of a job that is nobody's: an API key of the xylolabs dialect belongs to no tenant. Real ids start at 1.
NO_TENANT = 0


class Kind(StrEnum):
    """A kind of worker, and the queue that feeds it."""

    FACE = "face"
    LIVENESS = "liveness"
    OCR = "ocr"


class Dialect(StrEnum):
    """The API a call came in by."""

    FIDOX = "fidox"
    V1 = "v1"
    XYLOLABS = "xylolabs"


class Context(StrEnum):
    """What a verification is for; each has a threshold of its own."""

    LOGIN = "login"
    MONITORING = "monitoring"
    GENERAL = "general"


class Check(StrEnum):
    """One liveness check, by the attack that it looks for."""

    PHOTO = "photo"  # a print or a screen
    DEEPFAKE = "deepfake"
    MASK = "mask"  # a face that is covered


class IdType(StrEnum):
    """A Korean identity document."""

    RESIDENT = "RESIDENT"  # 주민등록증
    DRIVER = "DRIVER"  # 운전면허증
    PASSPORT = "PASSPORT"  # 여권
    FOREIGN = "FOREIGN"  # 외국인등록증


class MaskMethod(StrEnum):
    """How a face is made unrecognisable."""

    GAUSSIAN = "gaussian"  # its box blurred
    PIXELATE = "pixelate"  # its box in large squares
    SOLID = "solid"  # its box painted over
    ELLIPTICAL = "elliptical"  # the ellipse in its box blurred


class ImageFormat(StrEnum):
    """A file format that pictures go out in."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


class JobType(StrEnum):
    """What was done with a picture that is kept."""

    DETECT = "detect"
    MASK = "mask"


class CardField(StrEnum):
    """What is read off a document. Which of them there are depends on its type."""

    NAME = "name"
    ID_NUMBER = "id_number"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"
    ISSUE_DATE = "issue_date"
    ISSUER = "issuer"
    EXPIRY_DATE = "expiry_date"
    LICENCE_NO = "licence_no"
    LICENCE_TYPE = "licence_type"
    PASSPORT_NO = "passport_no"
    SURNAME = "surname"
    GIVEN_NAMES = "given_names"
    NATIONALITY = "nationality"
    SEX = "sex"
    VISA_TYPE = "visa_type"
    MRZ = "mrz"


class Failure(StrEnum):
    """Everything that can go wrong, for a caller. Each dialect maps every member to a status, a code and a message."""

    # the picture
    NO_FACE = "no_face"
    MULTIPLE_FACES = "multiple_faces"
    LOW_QUALITY = "low_quality"
    NO_DOCUMENT = "no_document"
    WRONG_DOCUMENT = "wrong_document"  # a document of another type than the caller says; the detail names it
    BAD_IMAGE = "bad_image"  # neither decodable nor whole
    UNSUPPORTED_IMAGE = "unsupported_image"  # a format that this dialect does not take
    IMAGE_TOO_LARGE = "image_too_large"  # bytes or megapixels
    # the person
    NOT_ENROLLED = "not_enrolled"
    ALREADY_ENROLLED = "already_enrolled"
    FACE_MISMATCH = "face_mismatch"  # a known user code, another person's face
    # the request
    BAD_REQUEST = "bad_request"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_BODY = "unsupported_body"  # compressed, or text in another encoding than UTF-8
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"  # something of that name is there already
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ENABLED = "not_enabled"  # what the operator has switched off: storage, the database
    UNAUTHENTICATED = "unauthenticated"
    WRONG_ACCESS_KEY = "wrong_access_key"  # unknown, revoked, or of a disabled tenant
    WRONG_SECRET_KEY = "wrong_secret_key"  # noqa: S105 — a name, no secret
    EXPIRED_TOKEN = "expired_token"  # noqa: S105
    EXPIRED_TENANT_TOKEN = "expired_tenant_token"  # noqa: S105 — the longer-lived kind that an operator gives out
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    # the service
    OCR_FAILED = "ocr_failed"  # the reader broke on a picture
    ENGINE_UNAVAILABLE = "engine_unavailable"  # no live worker of the kind, or no engine that works
    OVERLOADED = "overloaded"  # the queue holds more than can be answered in time
    DEADLINE = "deadline"  # admitted, and not answered in time
    STORE_UNAVAILABLE = "store_unavailable"  # PostgreSQL or Redis does not answer
    UNKNOWN_OPERATION = "unknown_operation"  # gateway and worker are of two versions: an upgrade is under way
    INTERNAL = "internal"


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the time of one job went, in milliseconds, measured where it happens; summed over the job's images.

    `det_scale` is the detector's input size over the image's size; sizes are [width, height] in pixels.
    `smallest_face_px` is the height of a face, in pixels of the image, from which nine of ten are found; 0 where nobody
    knows.
    """

    queue_wait_ms: float = 0.0
    decode_ms: float = 0.0
    preprocess_ms: float = 0.0
    blob_ms: float = 0.0
    inference_ms: float = 0.0
    postprocess_ms: float = 0.0
    nms_ms: float = 0.0
    quality_ms: float = 0.0
    embed_ms: float = 0.0
    search_ms: float = 0.0
    mask_ms: float | None = None
    encode_ms: float | None = None
    storage_ms: float | None = None
    total_ms: float = 0.0
    detector: str = ""
    candidates_before_nms: int = 0
    candidates_after_nms: int = 0
    det_scale: float = 0.0
    smallest_face_px: float = 0.0
    image_size: tuple[int, int] = (0, 0)
    input_size: tuple[int, int] = (0, 0)
    input_bytes: int = 0
    output_bytes: int | None = None


# --- operations -------------------------------------------------------------------------------------------------


class Operation(msgspec.Struct, frozen=True, kw_only=True, tag_field="op", omit_defaults=True):
    """What a caller wants done. Images are addressed by their position beside the job."""


class Detecting(Operation, frozen=True, kw_only=True, omit_defaults=True):
    """An operation that begins with a detection: confidence and IoU in 0..1, `max_faces` 0 for no limit."""

    confidence: float = 0.5
    nms_threshold: float = 0.4
    max_faces: int = 0


class RegisterFace(Detecting, frozen=True, kw_only=True, omit_defaults=True, tag="register"):
    """Enrol the one face of image 0 under `user_code`; `engine` names the engine to ask first.

    A known user code is ALREADY_ENROLLED. With `renew` it is the new photo of the same person, whose templates are
    replaced (and name, if one is given), or FACE_MISMATCH. Where all their templates are of models of the past nobody
    can tell, and it stays ALREADY_ENROLLED.
    """

    user_code: str
    name: str | None = None
    renew: bool = False
    engine: str | None = None


class VerifyFace(Detecting, frozen=True, kw_only=True, omit_defaults=True, tag="verify"):
    """Is the face of image 0 the one enrolled under `user_code`?"""

    user_code: str
    context: Context = Context.GENERAL
    engine: str | None = None


class IdentifyFace(Detecting, frozen=True, kw_only=True, omit_defaults=True, tag="identify"):
    """Who of the tenant's users is the face of image 0?"""

    engine: str | None = None


class CompareFaces(Detecting, frozen=True, kw_only=True, omit_defaults=True, tag="compare"):
    """Do images 0 and 1 show the same person?"""

    engine: str | None = None


class CountFaces(Detecting, frozen=True, kw_only=True, omit_defaults=True, tag="count"):
    """Where are the faces of image 0?"""


class Keep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Keep the picture and what is made of it, as the job of this id (a UUID), for this API key's caller."""

    job_id: str
    api_key_id: str | None = None


class Keepable(Detecting, frozen=True, kw_only=True, omit_defaults=True):
    """An operation whose picture and result may be kept: None keeps nothing."""

    keep: Keep | None = None


class DetectFaces(Keepable, frozen=True, kw_only=True, omit_defaults=True, tag="detect"):
    """Where are the faces of image 0, with all that is known of each and of the time it took?"""


class MaskFaces(Keepable, frozen=True, kw_only=True, omit_defaults=True, tag="mask"):
    """Image 0 with its faces made unrecognisable, as a new file.

    `strength` is the blur's kernel, or a square's side, in pixels of a face of ordinary size (workers/face/mask.py);
    `padding` is the share of its width and height by which a face's box grows on each side; `quality` is 1..100.
    """

    method: MaskMethod = MaskMethod.GAUSSIAN
    strength: int = 199
    padding: float = 0.15
    format: ImageFormat = ImageFormat.JPEG
    quality: int = 95


class DeleteUser(Operation, frozen=True, kw_only=True, omit_defaults=True, tag="delete"):
    """Forget `user_code` and every template of theirs, in every engine."""

    user_code: str


class CheckLiveness(Detecting, frozen=True, kw_only=True, omit_defaults=True, tag="liveness"):
    """Is the face of image 0 a living person's, for each of `checks`? None of them: every check that the worker has."""

    checks: tuple[Check, ...] = ()


class ReadCard(Operation, frozen=True, kw_only=True, omit_defaults=True, tag="ocr"):
    """Read the identity document of image 0. `id_type` is what the caller takes it for; None: say what it is.

    Numbers and the machine-readable zone leave the worker masked, unless `reveal`. `redact` asks for a copy of the
    picture with number, MRZ and address painted over.
    """

    id_type: IdType | None = None
    redact: bool = False
    reveal: bool = False


class Ping(Operation, frozen=True, kw_only=True, omit_defaults=True, tag="ping"):
    """Nothing but the way through the queue and back; for benchmarks and probes."""


AnyOperation: TypeAlias = (
    RegisterFace
    | VerifyFace
    | IdentifyFace
    | CompareFaces
    | CountFaces
    | DetectFaces
    | MaskFaces
    | DeleteUser
    | CheckLiveness
    | ReadCard
    | Ping
)


# --- results ----------------------------------------------------------------------------------------------------


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", omit_defaults=True):
    """What came of an operation. `engine` and `model` name what gave the answer, where an engine took part."""

    engine: str | None = None
    model: str | None = None
    profile: Profile = Profile()


class Registered(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="registered"):
    """Enrolled, in at least one engine."""


class Scored(Outcome, frozen=True, kw_only=True, omit_defaults=True):
    """A similarity: `score` and `threshold` in 0..1 on the calibrated scale; `matched` is score >= threshold."""

    score: float
    matched: bool
    threshold: float


class Verified(Scored, frozen=True, kw_only=True, omit_defaults=True, tag="verified"):
    """One against one enrolled user."""


class Compared(Scored, frozen=True, kw_only=True, omit_defaults=True, tag="compared"):
    """One picture against another."""


class Identified(Scored, frozen=True, kw_only=True, omit_defaults=True, tag="identified"):
    """One against all of the tenant's users; `user_code` and `name` only where it matched."""

    user_code: str | None = None
    name: str | None = None


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """One detection in pixels of the upright image: the box's top left corner and size, five landmarks as x, y."""

    x: float
    y: float
    width: float
    height: float
    confidence: float
    landmarks: tuple[tuple[float, float], ...] = ()


class FacesCounted(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="counted"):
    """Every face of the image, the largest first."""

    faces: tuple[Face, ...]


class FacesDetected(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="detected"):
    """Every face of the image, the largest first; `channels` are the file's: 1 grey, 2 with alpha, 3 colour, 4.

    `image_id` and `job_id` are those of the rows, and None where there are none: it was not asked for, or could not be.
    """

    faces: tuple[Face, ...]
    channels: int
    image_id: str | None = None
    job_id: str | None = None


class FacesMasked(FacesDetected, frozen=True, kw_only=True, omit_defaults=True, tag="masked"):
    """The faces that there were, and the picture without them: a file of `format`, upright, without metadata."""

    image: bytes
    format: ImageFormat


class UserDeleted(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="deleted"):
    """Forgotten; `templates` is how many were removed."""

    templates: int


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check: `score` is the probability of being genuine, in 0..1; `attack` is score < threshold."""

    check: Check
    score: float
    threshold: float
    attack: bool
    model: str


class LivenessChecked(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="liveness"):
    """`is_live`: no check found an attack. `score` is the lowest of the checks', `threshold` the one of that check."""

    is_live: bool
    score: float
    threshold: float
    checks: tuple[CheckResult, ...] = ()


class FieldValue(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its value as printed (dates ISO 8601), `confidence` in 0..1, and where it stands.

    `polygon` is x, y of its corners in pixels of the upright picture, clockwise from the top left of the text.
    """

    value: str
    confidence: float
    polygon: tuple[tuple[float, float], ...]


class CardRead(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="card"):
    """A document's fields, those that were found. `confidence` is the least of theirs.

    `portrait` is the face printed on it, `mrz_valid` whether every check digit of its MRZ holds (None without one),
    `redacted` a JPEG.
    """

    id_type: IdType
    confidence: float
    fields: dict[CardField, FieldValue]
    portrait: Face | None = None
    is_greyscale: bool = False
    mrz_valid: bool | None = None
    redacted: bytes | None = None


class Pong(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="pong"):
    """The answer to a Ping."""


class Failed(Outcome, frozen=True, kw_only=True, omit_defaults=True, tag="failed"):
    """The operation was not done. `detail` says in English what the caller can change, and quotes nothing they sent.

    `image` is the position of the image at fault; `retry_after_s` is set where trying again later helps.
    """

    failure: Failure
    detail: str = ""
    image: int | None = None
    retry_after_s: int | None = None


AnyOutcome: TypeAlias = (
    Registered
    | Verified
    | Identified
    | Compared
    | FacesCounted
    | FacesDetected
    | FacesMasked
    | UserDeleted
    | LivenessChecked
    | CardRead
    | Pong
    | Failed
)


# --- what a worker says of itself --------------------------------------------------------------------------------


class PartState(StrEnum):
    """Of an engine or a check, in one worker process."""

    READY = "ready"
    FAILED = "failed"  # it broke, and is tried again in a while
    ABSENT = "absent"  # never loaded: no weights for it


class LoadedNetwork(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One network of a worker process: its weight's name, what runs it, where, and how exactly it computes.

    `runtime` is a name with its version, `device` is "CPU" or "CUDA", `precision` "f32" or "bf16".
    """

    name: str
    runtime: str
    device: str = "CPU"
    precision: str = "f32"

    def __str__(self) -> str:
        return f"{self.name} ({self.runtime}, {self.device}, {self.precision})"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One engine or check of a worker process; `model` is the id of what is loaded, `detector` what finds its faces.

    Where it is off, `because` says why and `get` what turns it on, for anybody to read. One that `helps` answers no
    call by itself: calls are answered without it, too.
    """

    name: str
    state: PartState
    model: str | None = None
    detector: str | None = None
    networks: tuple[LoadedNetwork, ...] = ()
    because: str = ""
    get: str = ""
    helps: bool = False


def failed(failure: Failure, detail: str = "", *, image: int | None = None, retry_after_s: int | None = None) -> Failed:
    """Short for `Failed(…)`, the commonest thing a task builds."""
    return Failed(failure=failure, detail=detail, image=image, retry_after_s=retry_after_s)

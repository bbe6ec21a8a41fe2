"""Every setting of the product: one typed tree, read from the environment once.

Each field names its variable, its default and what it is for; the settings table in the README is checked against
this file by a test. Only `Settings.from_env()` reads the environment: everything else is handed the part it needs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_type_hints

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MIB = 1024 * 1024


class SettingsError(ValueError):
    """A variable that is missing or that cannot be read; the message names it and says what it takes."""


def env(name: str, help_text: str, **limits: Any) -> Meta:
    """Ties a field to its environment variable. `limits` are msgspec constraints (ge, le, min_length, …)."""
    return Meta(extra={"env": name}, description=help_text, **limits)


class Database(msgspec.Struct, frozen=True):
    """Where the rows are."""

    url: Annotated[str, env("DATABASE_URL", "PostgreSQL with pgvector; unset, `make run` starts one")] = ""
    direct_url: Annotated[
        str,
        env("FIDOX_DB_DIRECT_URL", "the same database past a pooler, for migrations and backups; unset: DATABASE_URL"),
    ] = ""
    pool_size: Annotated[int, env("FIDOX_DB_POOL", "connections a process may hold", ge=1)] = 4
    connect_timeout_s: Annotated[float, env("FIDOX_DB_TIMEOUT_S", "wait for a connection, seconds", gt=0)] = 2.0
    statement_timeout_s: Annotated[
        float, env("FIDOX_DB_STATEMENT_TIMEOUT_S", "a statement that takes longer is given up, seconds", gt=0)
    ] = 5.0
    prepares: Annotated[
        bool, env("FIDOX_DB_PREPARE", "prepare statements; `false` for PgBouncer in transaction mode before 1.21")
    ] = True
    retention_days: Annotated[
        int, env("FIDOX_TRANSACTIONS_RETENTION_DAYS", "drop months of transactions older than this; 0 keeps all", ge=0)
    ] = 0


class Queue(msgspec.Struct, frozen=True):
    """Between gateway and workers: what is admitted, and for how long."""

    url: Annotated[str, env("REDIS_URL", "Redis 6.2 or newer; unset, `make run` starts one")] = ""
    sentinels: Annotated[
        tuple[str, ...],
        env(
            "FIDOX_REDIS_SENTINELS",
            "`host:port` of each Redis Sentinel, by commas; they say where the primary is, the rest is as in REDIS_URL",
        ),
    ] = ()
    sentinel_master: Annotated[str, env("FIDOX_REDIS_SENTINEL_MASTER", "the primary's name with them")] = "mymaster"
    sentinel_username: Annotated[str, env("FIDOX_REDIS_SENTINEL_USERNAME", "the account at the sentinels")] = ""
    sentinel_password: Annotated[
        str, env("FIDOX_REDIS_SENTINEL_PASSWORD", "its password; unset: they ask for none")
    ] = ""
    deadline_s: Annotated[float, env("FIDOX_DEADLINE_S", "a call is answered or refused within this", gt=0)] = 10.0
    max_jobs: Annotated[int, env("FIDOX_QUEUE_MAX_JOBS", "jobs a queue holds before it refuses", ge=1)] = 256
    max_bytes: Annotated[int, env("FIDOX_QUEUE_MAX_BYTES", "bytes of images a queue holds before it refuses", ge=1)] = (
        256 * MIB
    )
    lease_s: Annotated[float, env("FIDOX_LEASE_S", "a dead worker's jobs are taken over after this", gt=0)] = 3.0
    max_tries: Annotated[int, env("FIDOX_JOB_TRIES", "workers a job may take down before it is given up", ge=1)] = 3


class Http(msgspec.Struct, frozen=True):
    """The gateway's edge."""

    port: Annotated[int, env("PORT", "where the gateway listens", ge=1, le=65535)] = 8000
    host: Annotated[str, env("FIDOX_HOST", "the address the gateway binds")] = "127.0.0.1"
    processes: Annotated[int, env("FIDOX_GATEWAY_PROCESSES", "gateway processes", ge=1)] = 1
    cors_origins: Annotated[
        tuple[str, ...],
        env("FIDOX_CORS_ORIGINS", "origins whose pages may call the API, by commas; `*` for all"),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        env("FIDOX_TRUSTED_PROXIES", "addresses or networks whose forwarded client address and scheme are believed"),
    ] = ()
    max_image_bytes: Annotated[int, env("FIDOX_MAX_IMAGE_BYTES", "the largest image file", ge=1)] = 10 * MIB
    # Two images of 10 MiB are 26.7 MiB in base64, 27.7 MiB with escaped line breaks; the rest is room for the JSON.
    max_body_bytes: Annotated[int, env("FIDOX_MAX_BODY_BYTES", "the largest request body", ge=1)] = 32 * MIB
    # Idle connections end after it, too; a proxy in front keeps its own for less, or tries again.
    header_timeout_s: Annotated[
        float,
        env("FIDOX_HEADER_TIMEOUT_S", "a request's header arrives within this; idle connections end after it", gt=0),
    ] = 5.0
    # Two images of 10 MB in base64 over an uplink of 4 Mbit/s.
    body_timeout_s: Annotated[float, env("FIDOX_BODY_TIMEOUT_S", "a request body arrives within this", gt=0)] = 60.0


class Auth(msgspec.Struct, frozen=True):
    """Tokens, and how fast they may be asked for."""

    jwt_secrets: Annotated[
        tuple[str, ...],
        env("FIDOX_JWT_SECRETS", "`kid:secret`, at most a few, by commas; the first signs, all of them verify"),
    ] = ()
    token_ttl_s: Annotated[int, env("FIDOX_TOKEN_TTL_S", "how long an access token is valid", ge=1)] = 3600
    key_cache_s: Annotated[
        float, env("FIDOX_KEY_CACHE_S", "a revoked key or disabled tenant stops within this", ge=0, le=30)
    ] = 10.0
    token_rate: Annotated[int, env("FIDOX_TOKEN_RATE", "tokens a minute an access key may ask for", ge=1)] = 60
    wrong_key_rate: Annotated[int, env("FIDOX_WRONG_KEY_RATE", "wrong secrets a minute for one access key", ge=1)] = 10
    # An office shares one address, so it gets more.
    wrong_address_rate: Annotated[
        int, env("FIDOX_WRONG_ADDRESS_RATE", "wrong credentials a minute from one address", ge=1)
    ] = 30


class FaceApi(msgspec.Struct, frozen=True):
    """The xylolabs dialect: who may call it, how often, and the accounts of those who look after it."""

    key_enabled: Annotated[
        bool, env("FACE_API_API_KEY_ENABLED", "detect and mask ask for an API key; `false` lets anybody in")
    ] = True
    detect_rate: Annotated[int, env("FACE_API_DETECT_RATE", "detect calls a minute for one API key", ge=1)] = 300
    mask_rate: Annotated[int, env("FACE_API_MASK_RATE", "mask calls a minute for one API key", ge=1)] = 150
    key_cache_s: Annotated[
        float, env("FACE_API_KEY_CACHE_S", "an API key that is turned off stops within this", ge=0, le=5)
    ] = 3.0
    admin_username: Annotated[
        str, env("FACE_API_ADMIN_USERNAME", "an admin account, made at the start if it is not there", max_length=128)
    ] = ""
    admin_password: Annotated[
        str, env("FACE_API_ADMIN_PASSWORD", "its first password; later ones are set by the admin API or `fidox admins`")
    ] = ""
    session_ttl_s: Annotated[
        int, env("FACE_API_ADMIN_SESSION_TTL", "an admin session ends after this, seconds", ge=1)
    ] = 43_200
    login_rate: Annotated[int, env("FACE_API_ADMIN_LOGIN_RATE", "admin logins a minute from one address", ge=1)] = 10


class Storage(msgspec.Struct, frozen=True):
    """Whether pictures that come by the xylolabs dialect are kept, where, and for how long."""

    enabled: Annotated[
        bool, env("FACE_API_STORAGE_ENABLED", "keep pictures and jobs; off, what needs them answers 501")
    ] = False
    folder: Annotated[
        str, env("FACE_API_STORAGE_DIR", "keep them in this folder, which gateway and face workers share")
    ] = ""
    bucket: Annotated[str, env("FACE_API_S3_BUCKET", "keep them in this bucket of S3; it goes before the folder")] = ""
    endpoint: Annotated[
        str, env("FACE_API_S3_ENDPOINT", "the S3 server's address, which admins' browsers reach, too; unset: AWS")
    ] = ""
    region: Annotated[str, env("FACE_API_S3_REGION", "the bucket's region")] = "us-east-1"
    access_key: Annotated[
        str, env("FACE_API_S3_ACCESS_KEY", "who writes and reads there; unset: the machine's own role")
    ] = ""
    secret_key: Annotated[str, env("FACE_API_S3_SECRET_KEY", "its secret")] = ""
    public_endpoint: Annotated[
        str,
        env(
            "FACE_API_S3_PUBLIC_ENDPOINT",
            "where masked pictures lie open, such as https://cdn.example/faces; unset: links are signed and expire",
        ),
    ] = ""
    # As long as S3 lets a signed link live: seven days.
    link_ttl_s: Annotated[
        int, env("FACE_API_STORAGE_LINK_TTL", "a link to a picture expires after this, seconds", ge=1, le=604_800)
    ] = 900
    retention_days: Annotated[
        int,
        env("FACE_API_IMAGES_RETENTION_DAYS", "delete pictures that were last sent longer ago; 0 keeps all", ge=0),
    ] = 0

    def require_place(self) -> None:
        """Raises SettingsError where storage is on and nothing says where."""
        if self.enabled and not (self.bucket or self.folder):
            raise SettingsError(
                "FACE_API_STORAGE_ENABLED is true: set FACE_API_STORAGE_DIR, or FACE_API_S3_BUCKET, too"
            )
        if bool(self.access_key) != bool(self.secret_key):
            raise SettingsError("FACE_API_S3_ACCESS_KEY and FACE_API_S3_SECRET_KEY: set both, or neither")


class Faces(msgspec.Struct, frozen=True):
    """The face worker: how it spreads over the machine, which models it takes, and what counts as the same person."""

    processes: Annotated[int, env("FIDOX_FACE_PROCESSES", "face processes; 0: one a core, or one a GPU", ge=0)] = 0
    engines: Annotated[tuple[str, ...], env("FIDOX_ENGINES", "engines in the order they are asked")] = (
        "ezway",
        "applemango",
    )
    engine_timeout_s: Annotated[
        float, env("FIDOX_ENGINE_TIMEOUT_S", "an engine that takes longer has failed, and the next one is asked", gt=0)
    ] = 3.0
    engine_retry_s: Annotated[float, env("FIDOX_ENGINE_RETRY_S", "a broken engine is tried again after this", gt=0)] = (
        10.0
    )
    detector: Annotated[
        str,
        env(
            "FIDOX_DETECTOR",
            "scrfd_10g | scrfd_2.5g | scrfd_500m | yunet_2023mar"
            " | auto: 10g on a GPU, 2.5g on an AMX CPU, else 500m; YuNet without them",
        ),
    ] = "auto"
    recogniser: Annotated[
        str,
        env(
            "FIDOX_RECOGNISER",
            "w600k_r50 | w600k_mbf | w600k_mbf_dequantised | arcface_lresnet100e_ir | face_reidentification_retail_0095"
            " | auto: r50 on a GPU, mbf on a CPU, the latter two without them",
        ),
    ] = "auto"
    index_mb: Annotated[
        int, env("FIDOX_FACE_INDEX_MB", "memory a face process may take for searching large tenants; 0: none", ge=0)
    ] = 256
    max_pixels: Annotated[int, env("FIDOX_MAX_PIXELS", "the largest picture, width times height", ge=1)] = 50_000_000
    threshold_login: Annotated[float, env("FIDOX_THRESHOLD_LOGIN", "score that a login needs", ge=0, le=1)] = 0.7
    threshold_general: Annotated[
        float,
        env(
            "FIDOX_THRESHOLD_GENERAL",
            "score that verify and compare need, and identify at least",
            ge=0,
            le=1,
        ),
    ] = 0.7
    identify_fpir: Annotated[
        float,
        env(
            "FIDOX_IDENTIFY_FPIR",
            "share of searches for strangers in which identify may name somebody; the more users, the higher the score"
            " that it asks for",
            gt=0,
            le=0.5,
        ),
    ] = 0.01
    threshold_monitoring: Annotated[
        float, env("FIDOX_THRESHOLD_MONITORING", "score that monitoring needs", ge=0, le=1)
    ] = 0.6


class Liveness(msgspec.Struct, frozen=True):
    """The liveness worker: its checks, and the score below which each has found an attack (docs/liveness.md)."""

    processes: Annotated[
        int, env("FIDOX_LIVENESS_PROCESSES", "liveness processes; 0: one for two cores, or one a GPU", ge=0)
    ] = 0
    checks: Annotated[
        tuple[str, ...], env("FIDOX_LIVENESS_CHECKS", "checks that there are: photo, deepfake, mask, or some of them")
    ] = ("photo", "deepfake", "mask")
    photo_networks: Annotated[
        tuple[str, ...],
        env("FIDOX_PHOTO_NETWORKS", "weights of the photo check, whose answers are averaged | auto: both MiniFASNets"),
    ] = ("auto",)
    deepfake_networks: Annotated[
        tuple[str, ...],
        env("FIDOX_DEEPFAKE_NETWORKS", "weights of the deepfake check, whose answers are averaged | auto: MesoNet's"),
    ] = ("auto",)
    threshold_photo: Annotated[
        float, env("FIDOX_THRESHOLD_PHOTO", "score under which a face is a print or a screen", ge=0, le=1)
    ] = 0.5
    # Far below the middle: MesoNet gives many real faces little, see docs/liveness.md.
    threshold_deepfake: Annotated[
        float,
        env(
            "FIDOX_THRESHOLD_DEEPFAKE",
            "score under which a face is forged; with other networks than MesoNet's begin with 0.5",
            ge=0,
            le=1,
        ),
    ] = 0.07
    threshold_mask: Annotated[float, env("FIDOX_THRESHOLD_MASK", "score under which a face is covered", ge=0, le=1)] = (
        0.5
    )


class Ocr(msgspec.Struct, frozen=True):
    """The OCR worker: how it spreads over the machine, and which models it reads with (shared/weights/ocr.py)."""

    processes: Annotated[int, env("FIDOX_OCR_PROCESSES", "OCR processes; 0: one for two cores, or one a GPU", ge=0)] = 0
    models: Annotated[str, env("FIDOX_OCR_MODELS", "v5 | small | auto: v5 where its files are, small where not")] = (
        "auto"
    )


class Inference(msgspec.Struct, frozen=True):
    """What networks run on, and how exactly they compute (workers/inference/sessions.py)."""

    runtime: Annotated[
        str,
        env(
            "FIDOX_RUNTIME",
            "onnxruntime | auto: on a CPU OpenVINO, or ONNX Runtime where that has no package; on a GPU CUDA",
            pattern="^(auto|onnxruntime)$",
        ),
    ] = "auto"
    precision: Annotated[
        str,
        env(
            "FIDOX_PRECISION",
            "f32 | bf16 | auto: bf16 where the CPU multiplies it in hardware (AMX, AVX512-BF16), else f32;"
            " head pose and face quality are f32",
            pattern="^(auto|f32|bf16)$",
        ),
    ] = "auto"
    gpu: Annotated[
        str,
        env(
            "FIDOX_GPU",
            "auto: where there is a GPU, CUDA has to start | required: there has to be one | optional: go on with the"
            " CPU where CUDA does not start | off",
            pattern="^(auto|required|optional|off)$",
        ),
    ] = "auto"


class Weights(msgspec.Struct, frozen=True):
    """Where model files lie, where they come from, and under which licences they are used."""

    folder: Annotated[str, env("FIDOX_WEIGHTS_DIR", "a folder of weight files, looked into first")] = ""
    cache: Annotated[str, env("FIDOX_CACHE_DIR", "where fetched weights are kept")] = str(
        Path.home() / ".cache" / "fidox"
    )
    manifest: Annotated[
        str,
        env("FIDOX_WEIGHTS_MANIFEST", "a TOML file of your own that adds weights to the product's (docs/weights.md)"),
    ] = ""
    mirror: Annotated[
        str,
        env(
            "FIDOX_WEIGHTS_MIRROR",
            "a folder or an http(s) address that stands before every host: `https://HOST/PATH` is MIRROR/HOST/PATH",
        ),
    ] = ""
    licence: Annotated[
        str,
        env(
            "FIDOX_WEIGHTS_LICENCE",
            "any | commercial: load only weights whose licence allows commercial use",
            pattern="^(any|commercial)$",
        ),
    ] = "any"


class Log(msgspec.Struct, frozen=True):
    """What is logged, and in which form."""

    level: Annotated[
        str, env("FIDOX_LOG_LEVEL", "debug | info | warning | error", pattern="^(debug|info|warning|error)$")
    ] = "info"
    format: Annotated[str, env("FIDOX_LOG_FORMAT", "text | json", pattern="^(text|json)$")] = "text"


class Telemetry(msgspec.Struct, frozen=True):
    """What operators' tools are told, and where: metrics, spans, probes."""

    metrics_port: Annotated[
        int, env("FIDOX_METRICS_PORT", "Prometheus metrics, at /metrics of this port; 0: none", ge=0, le=65535)
    ] = 0
    metrics_host: Annotated[
        str, env("FIDOX_METRICS_HOST", "the address of that port; never one that callers reach")
    ] = "127.0.0.1"
    # OpenTelemetry's own name, which its tools set.
    otlp_endpoint: Annotated[
        str, env("OTEL_EXPORTER_OTLP_ENDPOINT", "where spans are sent by OTLP over HTTP; unset: nowhere")
    ] = ""
    ready_file: Annotated[
        str, env("FIDOX_READY_FILE", "a worker touches this file each second while it can do jobs, for probes")
    ] = ""


class Settings(msgspec.Struct, frozen=True):
    """The whole tree. Build it with `from_env()`; in a test, build just the part that is needed."""

    database: Database = Database()
    queue: Queue = Queue()
    http: Http = Http()
    auth: Auth = Auth()
    face_api: FaceApi = FaceApi()
    storage: Storage = Storage()
    faces: Faces = Faces()
    liveness: Liveness = Liveness()
    ocr: Ocr = Ocr()
    inference: Inference = Inference()
    weights: Weights = Weights()
    log: Log = Log()
    telemetry: Telemetry = Telemetry()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read every variable. Raises SettingsError naming the first one that cannot be read."""
        values = os.environ if environ is None else environ
        groups: dict[str, dict[str, Any]] = {}
        for variable in variables():
            # An empty variable is an unset one: compose files and shells pass FOO= for "nothing here".
            if text := values.get(variable.name, "").strip():
                groups.setdefault(variable.group, {})[variable.field] = variable.parse(text)
        return msgspec.convert(groups, cls)


class Variable(NamedTuple):
    """One environment variable: where its value goes, and how the README describes it."""

    name: str
    group: str
    field: str
    type: Any
    default: Any
    help_text: str

    def parse(self, text: str) -> Any:
        """`text` as the field's type; lists are separated by commas. Raises SettingsError."""
        value: Any = text
        if isinstance(self.default, tuple):
            value = [part.strip() for part in text.split(",") if part.strip()]
        try:
            return msgspec.convert(value, self.type, strict=False)
        except msgspec.ValidationError as error:
            # The value stays out of the message: it may be a secret, and messages end in logs.
            message = f"{self.name}: {error} ({self.help_text})"
            raise SettingsError(message) from None


def variables() -> Iterator[Variable]:
    """Every variable of the tree, in the order of its declaration."""
    for group in msgspec.structs.fields(Settings):
        hints = get_type_hints(group.type, include_extras=True)
        for field in msgspec.structs.fields(group.type):
            meta: Meta = hints[field.name].__metadata__[0]
            extra = meta.extra or {}
            yield Variable(
                extra["env"], group.name, field.name, hints[field.name], field.default, meta.description or ""
            )

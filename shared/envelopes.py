"""What travels between gateway and worker, as bytes: a job on its way, its reply, and what a worker says of itself.

Compatibility: a gateway and a worker one version apart understand one another (docs/upgrades.md). New fields have
defaults and unknown ones are ignored (msgspec's default). What cannot be understood is still answered, at once:

    a worker gets     an operation it does not know, a word it does not know (a new dialect),
                      or a job whose `version` is higher than its own       UNKNOWN_OPERATION, "being upgraded"
    a gateway gets    an outcome or a failure that it does not know         UNKNOWN_OPERATION
                      a part's state that it does not know                  as if that worker had said nothing
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared.contracts import AnyOperation, AnyOutcome, Dialect, Failure, Part, failed

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of the envelope and what is in it. It rises when an older worker would do something wrong with a job that it can read;
# fields and operations that are added do not raise it.
CONTRACT_VERSION = 1


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every version of a job has, and always will: enough to answer it, and to free what it holds.

    `reply_to` is the list of the gateway process that waits. It waits for `within_ms` from the submission, whose time
    is Redis's and stands beside the job (see `shared.keys`).
    """

    version: int = CONTRACT_VERSION
    job_id: str
    within_ms: int
    reply_to: str
    blobs: int
    bytes_held: int


class Job(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """An operation on its way.

    `operation` stays encoded here, so that an envelope can be read, and refused, by a worker that does not know what
    is in it. A `part` is one of several jobs of a call: the call's one transaction is then the gateway's to write.

    `trace` is the call's span, as a traceparent (shared/tracing.py); empty where the call is not traced.
    """

    tx_id: str
    tenant_id: int
    dialect: Dialect
    part: bool = False
    trace: str = ""
    operation: msgspec.Raw


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome on its way back."""

    job_id: str
    outcome: AnyOutcome


class _SealedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply whose outcome is not looked into."""

    job_id: str
    outcome: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(Envelope)
_sealed_reply_decoder = msgspec.msgpack.Decoder(_SealedReply)
_job_decoder = msgspec.msgpack.Decoder(Job)
_operation_decoder: msgspec.msgpack.Decoder[AnyOperation] = msgspec.msgpack.Decoder(AnyOperation)
_reply_decoder = msgspec.msgpack.Decoder(Reply)
_parts_decoder = msgspec.msgpack.Decoder(tuple[Part, ...])


def encode(message: AnyOperation | Job | Reply | Sequence[Part]) -> bytes:
    """Any message as MessagePack."""
    return _encoder.encode(message)


def decode_job(data: bytes) -> Job | Envelope:
    """A job; only its envelope where it is of a newer version, or speaks of what this one does not know.

    Raises msgspec.ValidationError for what is none.
    """
    envelope = _envelope_decoder.decode(data)
    if envelope.version > CONTRACT_VERSION:
        return envelope
    try:
        return _job_decoder.decode(data)
    except msgspec.ValidationError:
        return envelope


def decode_operation(data: bytes | msgspec.Raw) -> AnyOperation:
    """The operation in an envelope. Raises msgspec.ValidationError for one that this version does not know."""
    return _operation_decoder.decode(data)


def decode_reply(data: bytes) -> Reply:
    """A reply; with UNKNOWN_OPERATION in place of an outcome that this version does not know: a newer worker's.

    Raises msgspec.ValidationError for what is none.
    """
    try:
        return _reply_decoder.decode(data)
    except msgspec.ValidationError:
        sealed = _sealed_reply_decoder.decode(data)
    outcome = failed(Failure.UNKNOWN_OPERATION, "the worker answered in words of another version", retry_after_s=1)
    return Reply(job_id=sealed.job_id, outcome=outcome)


def decode_parts(data: bytes) -> tuple[Part, ...]:
    """What a worker says of itself; nothing, where it says so in words of another version."""
    try:
        return _parts_decoder.decode(data)
    except msgspec.ValidationError:
        return ()

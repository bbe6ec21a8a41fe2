"""A gateway and a worker of two versions answer one another at once, whatever the other one does not know."""

import msgspec

from shared import contracts, envelopes
from shared.contracts import Dialect, Failure
from shared.envelopes import CONTRACT_VERSION
from shared.queue import open_queue
from tests.queue.test_queue import failure, left, order, settings, submit, wait_until_nothing_is_left


def job(**more: object) -> bytes:
    """A job as a gateway sends it, with what another version would say differently."""
    known = envelopes.Job(
        job_id="tx_1:face",
        tx_id="tx_1",
        tenant_id=1,
        dialect=Dialect.FIDOX,
        within_ms=1000,
        reply_to="fidox:reply:1",
        blobs=0,
        bytes_held=0,
        operation=msgspec.Raw(envelopes.encode(contracts.Ping())),
    )
    return msgspec.msgpack.encode(msgspec.msgpack.decode(envelopes.encode(known)) | more)


def reply(outcome: object) -> contracts.AnyOutcome:
    return envelopes.decode_reply(msgspec.msgpack.encode({"job_id": "tx_1:face", "outcome": outcome})).outcome


def test_a_field_that_is_not_known_is_ignored():
    assert isinstance(envelopes.decode_job(job(colour="red")), envelopes.Job)
    assert envelopes.decode_operation(msgspec.msgpack.encode({"op": "ping", "colour": "red"})) == contracts.Ping()
    assert reply({"is": "pong", "colour": "red"}) == contracts.Pong()


def test_a_job_of_a_newer_version_or_of_a_word_that_is_not_known_is_still_an_envelope():
    for newer in (job(version=CONTRACT_VERSION + 1), job(dialect="morse")):
        envelope = envelopes.decode_job(newer)
        assert not isinstance(envelope, envelopes.Job)
        assert (envelope.job_id, envelope.reply_to) == ("tx_1:face", "fidox:reply:1")


def test_an_outcome_or_a_failure_that_a_gateway_does_not_know_is_an_answer():
    for outcome in ({"is": "dreamt", "of": "sheep"}, {"is": "failed", "failure": "homesick"}):
        assert failure(reply(outcome)) is Failure.UNKNOWN_OPERATION


def test_what_a_worker_says_of_itself_in_new_words_is_as_good_as_nothing():
    newer = [{"name": "ezway", "state": "dreaming"}]
    assert envelopes.decode_parts(msgspec.msgpack.encode(newer)) == ()


def test_a_worker_refuses_a_newer_job_before_its_deadline_and_leaves_nothing_behind(
    workers, redis_url, client, run, monkeypatch
):
    workers.start()
    newer = msgspec.structs.replace

    def of_tomorrow(message: object) -> bytes:
        if isinstance(message, envelopes.Job):
            message = newer(message, version=CONTRACT_VERSION + 1)
        return msgspec.msgpack.encode(message)

    async def main():
        async with open_queue(settings(redis_url)) as queue:
            before = await submit(queue, order("blob"), [b"\xff\xd8picture"])
            monkeypatch.setattr(envelopes, "encode", of_tomorrow)
            return before, await submit(queue, order("blob"), [b"\xff\xd8picture"])

    before, after = run(main())
    assert isinstance(before, contracts.Verified)
    assert failure(after) is Failure.UNKNOWN_OPERATION
    assert after.retry_after_s == 1
    wait_until_nothing_is_left(client)
    assert left(client) == set()

"""A call is one trace, from its caller through the queue into the worker."""

import pytest

from tests.support.waiting import until


def spans_of(collected, trace_id: str, count: int) -> dict[str, tuple[str, object]]:
    """The trace's spans by name, once there are `count`."""

    def found() -> dict[str, tuple[str, object]]:
        return {span.name: (service, span) for service, span in collected.spans() if span.trace_id.hex() == trace_id}

    until(lambda: len(found()) >= count, f"{count} spans are there")
    return found()


def span_of(collected, answer):
    """The gateway's span of a call."""
    tx_id = answer.json()["txId"]

    def found() -> list:
        return [
            span
            for service, span in collected.spans()
            if service == "fidox-gateway" and facts(span).get("fidox.tx") == tx_id
        ]

    (span,) = until(found, "its span is there")
    return span


def facts(span) -> dict[str, object]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes}


def test_a_callers_trace_goes_on_through_the_queue_into_the_worker(collected, root_api, photo):
    trace_id, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    answer = root_api.client.post(
        "/face/count",
        json={"image": photo("obama/obama.jpg")},
        headers={"traceparent": f"00-{trace_id}-{caller}-01"},
    )
    tx_id = answer.json()["txId"]
    found = spans_of(collected, trace_id, 3)
    assert set(found) == {"fidox count", "face wait", "face count"}
    (service, call), (_, wait), (worker, work) = (found[name] for name in ("fidox count", "face wait", "face count"))
    assert (service, worker) == ("fidox-gateway", "fidox-face")
    assert call.parent_span_id.hex() == caller
    assert wait.parent_span_id == work.parent_span_id == call.span_id
    assert facts(call)["fidox.tx"] == facts(work)["fidox.tx"] == tx_id
    assert facts(call)["fidox.outcome"] == "ok"
    assert facts(work)["fidox.inference_ms"] > 0
    assert call.start_time_unix_nano < work.start_time_unix_nano < work.end_time_unix_nano < call.end_time_unix_nano
    # What a call costs is not only in it: the caller's own time is as long at least.
    assert call.end_time_unix_nano - call.start_time_unix_nano <= answer.elapsed.total_seconds() * 1e9


@pytest.mark.parametrize("sent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 5000])
def test_what_is_no_trace_begins_one(collected, root_api, photo, sent):
    headers = {"traceparent": sent} if sent else {}
    answer = root_api.client.post("/face/count", json={"image": photo("obama/obama.jpg")}, headers=headers)
    assert answer.status_code == 200
    span = span_of(collected, answer)
    assert (span.name, span.parent_span_id) == ("fidox count", b"")


def test_a_span_holds_nothing_personal(collected, root_api, photo):
    root_api.post("/face/register", image=photo("obama/obama.jpg"), userCode="code-of-somebody", name="somebody's name")
    verified = root_api.post("/face/verify", image=photo("obama/obama.jpg"), userCode="code-of-somebody")
    assert span_of(collected, verified).name == "fidox verify"
    assert span_of(collected, root_api.delete("code-of-somebody")).name == "fidox delete"
    sent = b"".join(collected.requests)
    assert b"fidox verify" in sent
    assert b"code-of-somebody" not in sent
    assert b"somebody's name" not in sent
    assert root_api.token.encode() not in sent


def test_a_fault_of_the_service_is_an_error_and_a_callers_is_none(collected, root_api, grey):
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    assert root_api.client.post("/face/count", json={"image": "AAAA"}, headers=headers).status_code == 400
    found = spans_of(collected, trace_id, 1)
    assert len(found) == 1
    _, call = found["fidox count"]
    assert call.status.code == 0

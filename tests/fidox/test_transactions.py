"""Every call leaves one row, whatever came of it, and nothing personal is left anywhere else."""

import psycopg
import pytest
import redis

from tests.support.waiting import until

PERSONAL = ("홍길동-비밀", "secret-user-code-77", "900101-1234567")


@pytest.fixture
def rows(stack):
    """The rows of a transaction, once they are written."""

    def read(tx_id: str) -> list[tuple]:
        query = (
            "SELECT operation, dialect, outcome, engine, model, score, matched, total_ms FROM transactions"
            " WHERE tx_id = %s"
        )
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            return until(lambda: connection.execute(query, (tx_id,)).fetchall(), f"{tx_id} is recorded")

    return read


def test_a_success_is_recorded_with_what_came_of_it(api, photo, rows):
    answer = api.post("/face/compare", image1=photo("obama/obama.jpg"), image2=photo("obama/obama2.jpg")).json()
    ((operation, dialect, outcome, engine, model, score, matched, total_ms),) = rows(answer["txId"])
    assert (operation, dialect, outcome, engine, matched) == ("compare", "fidox", "ok", "ezway", True)
    assert model.startswith("w600k")
    assert score == pytest.approx(answer["score"], abs=1e-4)
    assert total_ms > 0


def test_every_operation_is_recorded_once(api, photo, rows):
    image = photo("obama/obama.jpg")
    answers = {
        "register": api.post("/face/register", userCode="u", image=image),
        "verify": api.post("/face/verify", userCode="u", image=image),
        "identify": api.post("/face/identify", image=image),
        "count": api.post("/face/count", image=image),
        "delete": api.delete("u"),
    }
    for operation, answer in answers.items():
        assert [row[:3] for row in rows(answer.json()["txId"])] == [(operation, "fidox", "ok")]


@pytest.mark.parametrize(
    ("call", "operation", "outcome"),
    [
        (lambda api, image: api.post("/face/verify", userCode="nobody", image=image), "verify", "not_enrolled"),
        (lambda api, _: api.post("/face/count", image="%%%"), "count", "bad_image"),
        (lambda api, _: api.post("/face/count"), "count", "bad_request"),
        (lambda api, _: api.client.get("/face/none/such"), "unknown", "not_found"),
        (
            lambda api, _: api.client.post("/face/count", headers={"Authorization": "Bearer x"}),
            "count",
            "unauthenticated",
        ),
    ],
)
def test_a_refusal_is_recorded_too(api, photo, rows, call, operation, outcome):
    answer = call(api, photo("obama/obama.jpg"))
    assert [row[:3] for row in rows(answer.headers["X-Transaction-Id"])] == [(operation, "fidox", outcome)]


def test_nothing_personal_is_left_in_logs_redis_or_transactions(stack, api, photo, rows):
    name, code, number = PERSONAL
    image = photo("obama/obama.jpg")
    calls = (
        api.post("/face/register", userCode=code, image=image, name=name),
        api.post("/face/verify", userCode=code, image=photo("obama/obama2.jpg"), context=number),
        api.post("/face/verify", userCode=number, image=number),
        api.post("/face/identify", image=image),
        api.delete(code),
    )
    assert all(rows(call.headers.get("X-Transaction-Id") or call.json()["txId"]) for call in calls)
    needles = [*PERSONAL, image[1000:1060], api.token.rpartition(".")[2], stack.demo["SECRET_KEY"]]
    logs = "".join(path.read_text("utf-8", errors="replace") for path in stack.folder.logs.iterdir())
    assert "operation=identify" in logs
    with psycopg.connect(stack.database_url) as connection:
        table = str(connection.execute("SELECT * FROM transactions").fetchall())
    with redis.Redis.from_url(stack.redis_url) as client:
        keys = [key.decode(errors="replace") for key in client.keys("*")]
        assert not [key for key in keys if key.startswith(("fidox:blob:", "arq:job:", "arq:result:"))]
    for needle in needles:
        assert needle not in logs
        assert needle not in table
        assert not any(needle in key for key in keys)

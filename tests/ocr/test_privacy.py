"""One caller's text is never in another's answer, and nothing that was read stays anywhere."""

import asyncio
import os
import secrets

import psycopg
import pytest
import redis

from shared import contracts
from shared.contracts import CardField, CardRead, Dialect, IdType, Kind
from shared.queue import open_queue
from shared.settings import Queue as QueueSettings
from tests.support.ocr import PATIENCE_S, plain
from tests.support.waiting import until

# `make soak` takes 200, which is two minutes and a half.
CARDS = int(os.environ.get("FIDOX_TEST_CARDS", "30"))


@pytest.mark.timeout(600)
def test_of_interleaved_cards_of_two_clients_none_is_answered_with_anothers_text(stack, korean, specimens):
    cards = [specimens(seed, IdType.RESIDENT) for seed in range(CARDS)]
    numbers = [card.truth.fields[CardField.ID_NUMBER] for card in cards]
    names = [card.truth.fields[CardField.NAME] for card in cards]
    assert len(set(numbers)) == CARDS

    async def client(mine: range) -> list[contracts.AnyOutcome]:
        """Two cards at a time, so that the worker always has both clients' in hand."""
        gate = asyncio.Semaphore(2)
        async with open_queue(QueueSettings(url=stack.redis_url, deadline_s=PATIENCE_S)) as queue:

            async def one(place: int) -> contracts.AnyOutcome:
                async with gate:
                    answer = await queue.submit(
                        contracts.ReadCard(reveal=True),
                        [cards[place].jpeg],
                        tx_id=f"tx_{secrets.token_hex(6)}",
                        tenant_id=1,
                        dialect=Dialect.V1,
                        kind=Kind.OCR,
                    )
                    return answer.outcome

            return await asyncio.gather(*(one(place) for place in mine))

    async def both() -> tuple[list[contracts.AnyOutcome], ...]:
        return tuple(await asyncio.gather(client(range(0, CARDS, 2)), client(range(1, CARDS, 2))))

    even, odd = asyncio.run(both())
    right = 0
    for place in range(CARDS):
        outcome = (odd if place % 2 else even)[place // 2]
        assert isinstance(outcome, CardRead), outcome
        number, name = (outcome.fields.get(field) for field in (CardField.ID_NUMBER, CardField.NAME))
        right += number is not None and plain(number.value) == plain(numbers[place])
        # A misread digit makes no other card's number; another card's number would be another card's text.
        assert number is None or number.value not in set(numbers) - {numbers[place]}
        assert name is None or name.value == names[place] or name.value not in names
    assert right >= 0.95 * CARDS


def everything_in(client: redis.Redis) -> str:
    """Every key and value, whatever its type."""
    found: list[object] = []
    for key in client.keys("*"):
        kind = client.type(key).decode()
        values = {
            "string": client.get,
            "list": lambda name: client.lrange(name, 0, -1),
            "zset": lambda name: client.zrange(name, 0, -1),
            "hash": client.hgetall,
            "set": client.smembers,
        }[kind](key)
        found += [key, values]
    return repr(found)


def written(stack) -> int:
    """How many readings are recorded."""
    with psycopg.connect(stack.database_url) as connection:
        return connection.execute("SELECT count(*) FROM transactions WHERE operation = 'ocr'").fetchone()[0]


def test_no_number_name_or_address_is_left_in_logs_redis_or_transactions(stack, read_all, specimens):
    cards = [specimens(seed, id_type) for id_type in IdType for seed in (2, 4)]
    before = written(stack)
    outcomes = read_all([card.jpeg for card in cards], redact=True)
    outcomes += read_all([card.jpeg for card in cards], reveal=True)
    outcomes += read_all([cards[0].jpeg], id_type=IdType.PASSPORT)
    outcomes += read_all([card.jpeg[:-3000] for card in cards])
    assert sum(isinstance(outcome, CardRead) for outcome in outcomes) == 2 * len(cards)
    until(lambda: written(stack) >= before + len(outcomes), "all are recorded")
    needles = {value for card in cards for value in card.truth.fields.values() if len(plain(value)) > 2}
    needles |= {field.value for one in outcomes if isinstance(one, CardRead) for field in one.fields.values()}
    needles = {needle for needle in needles if "*" not in needle and needle != "KOR" and len(needle) > 2}
    logs = "".join(path.read_text("utf-8", errors="replace") for path in stack.folder.logs.iterdir())
    with psycopg.connect(stack.database_url) as connection:
        table = str(connection.execute("SELECT * FROM transactions WHERE operation = 'ocr'").fetchall())
    with redis.Redis.from_url(stack.redis_url) as client:
        stored = everything_in(client)
    assert "ocr" in table
    for needle in needles:
        as_bytes = repr(needle.encode())[2:-1]
        for place in (logs, table, stored):
            assert needle not in place
            assert as_bytes not in place
    details = [outcome.detail for outcome in outcomes if isinstance(outcome, contracts.Failed)]
    assert not any(needle in detail for needle in needles for detail in details)

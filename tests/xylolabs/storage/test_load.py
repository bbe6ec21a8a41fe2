"""Many stored calls at once: no file, object or row too many or too few, and memory flat.

`make soak` makes 5,000 of them (FIDOX_TEST_STORED).
"""

import itertools
import os
import threading
from collections import Counter

import pytest

from tests.support.storing import unique
from tests.support.waiting import until

CALLS = int(os.environ.get("FIDOX_TEST_STORED", "96"))
CLIENTS = 16
# How many calls send a picture that has been sent before.
KNOWN_EVERY = 3
# The first tenth fills caches and arenas; in short runs it is most of what there is.
MOST_GROWN = 0.05 if CALLS >= 2000 else 0.25


@pytest.mark.timeout(1800)
def test_16_clients_leak_nothing(side, jpeg, capsys):
    pictures = [jpeg(name) for name in ("obama/obama.jpg", "_groups/kit_with_rose.jpg")]
    numbers = itertools.count()
    told: Counter[str] = Counter()
    lock = threading.Lock()
    # What other tests have left in the tables, outages among it, is theirs.
    ((since,),) = side.rows("SELECT clock_timestamp()")

    def call(until: int) -> None:
        with side.api() as faces:
            while (number := next(numbers)) < until:
                picture = pictures[number % 2]
                picture = picture if number % KNOWN_EVERY == 0 else unique(picture)
                answer = faces.mask(picture) if number % 2 else faces.detect(picture)
                stored = answer.headers.get("X-Image-Id") or answer.json().get("image_id")
                with lock:
                    told["refused" if answer.status_code != 200 else "stored" if stored else "not stored"] += 1

    def run(until: int) -> None:
        threads = [threading.Thread(target=call, args=(until,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    run(CALLS // 5)
    # Each thread that found nothing to do has taken a number.
    numbers = itertools.count(CALLS // 5)
    first = side.memory_mb()
    run(CALLS)
    last = side.memory_mb()
    with capsys.disabled():
        print(f"\n{CALLS} calls: {dict(told)}; MB {first} -> {last}")
    assert told == {"stored": CALLS}
    jobs = side.rows("SELECT count(*), count(storage_error) FROM jobs WHERE created_at >= %s", since)
    assert jobs == [(CALLS, 0)]
    unkept = "SELECT count(*) FROM images WHERE created_at >= %s AND (original_key IS NULL OR job_count = 0)"
    assert side.rows(unkept, since) == [(0,)]
    assert side.rows("SELECT (SELECT sum(job_count) FROM images) = (SELECT count(*) FROM jobs)") == [(True,)]
    # Of a new picture that two sent at the same time one file is too many, until the cron has come by.
    until(lambda: side.files() == side.wanted())
    assert side.rows("SELECT key FROM cleanup_tasks") == []
    for name, held in first.items():
        assert last[name] <= held * (1 + MOST_GROWN), (name, held, last[name])

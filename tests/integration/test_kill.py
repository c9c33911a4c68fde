"""After kill -9 at random moments: every committed id is in Kafka and in its workbook, none twice in a workbook,
no broken file under a final name."""
import json
import os
import zipfile

import pytest

from conftest import SLOW
from ledger import assert_books_hold_all_once, assert_chain_is_whole, kill_at_random

MATCHES = 4
# `soak` is ten times this
TIMES = int(os.environ.get("SCOREBOX_KILL_TIMES", "1"))
# An emulated program gets further before it is killed.
LONGER = max(1, SLOW // 2)


def lines(match, count):
    for n in range(count):
        state = {"id": f"{match:08d}-0000-0000-0000-000000000000", "name": f"A{match} vs B{match}", "matchType": "t20",
                 "status": f"state {n}", "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00",
                 "teams": [f"A{match}", f"B{match}"], "matchStarted": True, "matchEnded": False,
                 "score": [{"r": n, "w": 0, "o": round(n // 6 + n % 6 / 10, 1), "inning": f"A{match} Inning 1"}]}
        yield json.dumps({"t": n, "seq": n, "ev": "", "match": state}) + "\n"


@pytest.fixture
def endless(tmp_path):
    """Matches that change at every request."""
    paths = []
    for match in range(1, MATCHES + 1):
        path = tmp_path / f"endless{match}.jsonl"
        path.write_text("".join(lines(match, 4000)))
        paths.append(path)
    return paths


def test_ledger(endless, serve, broker, make_box, topic_records, open_book):
    api = serve("--step", *endless)
    bootstrap = broker(partitions=32)  # it keeps 5 MiB of each
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, POLL_INTERVAL="15ms", BOOK_INTERVAL="20ms", LOG_LEVEL="warn")
    reader = make_box("reader", **api.settings, KAFKA_BROKERS=bootstrap, BOOK_INTERVAL="20ms", LOG_LEVEL="warn")
    for part in range(5):
        kill_at_random(lambda: box.start("produce"), 40 * TIMES, 0.02 * LONGER, 0.5 * LONGER, seed=part)
        kill_at_random(lambda: reader.start("consume"), 10 * TIMES, 0.05 * LONGER, 0.9 * LONGER, seed=100 + part)
        for book in reader.books():
            with zipfile.ZipFile(reader.output / book) as z:
                assert z.testzip() is None, f"{book} is broken under its final name"
    assert box.run("spool verify").code == 0
    run = box.run("produce", "--once")
    assert run.code == 0, run.err
    records = topic_records(bootstrap)
    assert len(records) > 100 * MATCHES
    assert_chain_is_whole(records)
    end = reader.run("consume", "--until-end")
    assert end.code == 0, end.err
    assert_books_hold_all_once(records, [reader.output / b for b in reader.books()], open_book)
    for book in reader.books():
        sheets = open_book(reader.output / book)
        status = [row[sheets["Timeline"][0].index("Status")] for row in sheets["Timeline"][1:]]
        numbers = [int(s.split()[1]) for s in status if s and s.startswith("state ")]
        assert numbers == sorted(set(numbers)), f"{book}: a state is doubled or out of order"
    assert not [p for p in os.listdir(reader.output) if not p.endswith(".xlsx")], "temp files were left behind"

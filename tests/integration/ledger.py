"""Kills `produce` and `consume` at random moments and then asks whether anything was lost or doubled.

The oracle is the chain: each record names the state before it (scorebox-prev), and the producer's last run adds
one more state to every match. A committed state that never reached Kafka would be a name without a record."""
import collections
import random
import time

from conftest import wait_until


def identity(record):
    return record.key, record.headers["ce_id"].decode()


def kill_at_random(start, times, least, most, seed):
    """start() gives a running Process; each is killed after least..most seconds."""
    dice = random.Random(seed)
    for _ in range(times):
        process = start()
        end = time.monotonic() + dice.uniform(least, most)
        wait_until(lambda: time.monotonic() >= end or not process.running, most + 5, "the moment of the kill")
        process.kill()


def assert_chain_is_whole(records):
    """Every committed id is in Kafka."""
    there = {identity(r) for r in records}
    for r in records:
        prev = r.headers["scorebox-prev"].decode()
        assert not prev or (r.key, prev) in there, f"{r.key}: the state {prev} before {r.headers['ce_id']} is lost"


def assert_books_hold_all_once(records, books, open_book):
    """Every record stands once in its workbook's Records, duplicates marked; no state twice in a Timeline."""
    wanted = collections.Counter(identity(r) for r in records)
    found = collections.Counter()
    for path in books:
        sheets = open_book(path)
        rows = sheets["Records"]
        head = rows[0]
        place = [head.index(c) for c in ("Partition", "Offset", "Event id", "id")]
        offsets = collections.Counter()
        for row in rows[1:]:
            partition, offset, event, match = (row[i] for i in place)
            offsets[(partition, offset)] += 1
            found[(str(match).encode(), event)] += 1
        assert max(offsets.values()) == 1, f"{path}: a record stands twice"
    assert set(found) == set(wanted), "a committed id is missing in its workbook, or one is there that Kafka never had"
    assert found == wanted

"""Three brokers, replication 3, min.insync 2, of which one is always on its way down or up: nothing is lost, nothing
stands twice in a workbook, and every match keeps its order."""
import json
import os
import random
import time

import pytest

from feed import pause, settle
from ledger import assert_books_hold_all_once, assert_chain_is_whole

STORM_SECONDS = int(os.environ.get("SCOREBOX_STORM_SECONDS", "20"))
MATCHES, PARTITIONS, OFFSETS_PARTITIONS = 8, 12, 4


def lines(match, count):
    for n in range(1, count + 1):
        state = {"id": f"{match:08d}-0000-0000-0000-000000000000", "name": f"A{match} vs B{match}", "matchType": "t20",
                 "status": f"state {n}", "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00",
                 "teams": [f"A{match}", f"B{match}"], "matchStarted": True, "matchEnded": False,
                 "score": [{"r": n, "w": 0, "o": 1.1, "inning": f"A{match} Inning 1"}]}
        yield json.dumps({"t": n, "seq": n, "ev": "", "match": state}) + "\n"


@pytest.fixture
def endless(tmp_path):
    """Matches that change at every request."""
    paths = []
    for match in range(1, MATCHES + 1):
        path = tmp_path / f"endless{match}.jsonl"
        path.write_text("".join(lines(match, 6000)))
        paths.append(path)
    return paths


def coordinator(cluster, group):
    """The broker that leads this group's part of the offsets; Kafka takes Java's hash of the name for it."""
    number = 0
    for letter in group:
        number = (31 * number + ord(letter)) & 0xFFFFFFFF
    return cluster.leader("__consumer_offsets", (number & 0x7FFFFFFF) % OFFSETS_PARTITIONS)


def storm(cluster, topic, group, seconds, dice):
    """One broker at a time goes and comes back: the leader of partition 0, the group's coordinator, any."""
    targets = [lambda: cluster.leader(topic, 0), lambda: coordinator(cluster, group),
               lambda: dice.choice(cluster.nodes)]
    over, turns = time.monotonic() + seconds, 0
    while time.monotonic() < over or turns < len(targets):
        node = targets[turns % 3]() or cluster.nodes[0]
        dice.choice((node.kill, node.kill, node.stop))()
        pause(dice.uniform(0.5, 3))
        node.start()
        pause(dice.uniform(0.5, 2))
        turns += 1
    return turns


def test_brokers_come_and_go_under_load(kafka_three, endless, serve, make_box, topic_records, open_book):
    seed = int(os.environ.get("SCOREBOX_SEED") or random.SystemRandom().randrange(10**6))
    print(f"SCOREBOX_SEED={seed}")
    topic = f"storm-{seed}"
    kafka_three.create_topic(topic, partitions=PARTITIONS, replication=3, config={"min.insync.replicas": 2})
    settings = {**kafka_three.settings(), "KAFKA_TOPIC": topic, "BOOK_INTERVAL": "200ms"}
    api = serve("--step", *endless)
    writer = make_box("writer", **api.settings, **settings, POLL_INTERVAL="100ms")
    alone = make_box("alone", **settings)
    member = make_box("member", **settings, KAFKA_GROUP=topic, KAFKA_INSTANCE="board-1")
    running = [writer.start("produce"), alone.start("consume"), member.start("consume")]
    running[2].wait_for("kafka.assigned", 60)
    turns = storm(kafka_three, topic, topic, STORM_SECONDS, random.Random(seed))
    assert all(p.running for p in running), "\n".join(p.err[-2000:] for p in running)
    print(f"{turns} brokers went and came; peaks {[p.peak_kib() for p in running]} KiB")
    assert running[0].stop() == 0
    last = writer.run("produce", "--once", timeout=120)
    assert last.code == 0, last.err
    settle(kafka_three, topic, topic, 90)
    assert [p.stop() for p in running[1:]] == [0, 0]
    end = alone.run("consume", "--until-end", timeout=120)
    assert end.code == 0, end.err
    records = topic_records(kafka_three.client(), topic)
    print(f"{len(records)} records")
    assert len(records) > MATCHES * 20
    assert_chain_is_whole(records)
    for box in (alone, member):
        books = [box.output / name for name in box.books()]
        assert len(books) == MATCHES
        assert_books_hold_all_once(records, books, open_book)
        for book in books:
            rows = open_book(book)["Timeline"]
            numbers = [int(row[rows[0].index("Status")].split()[1]) for row in rows[1:] if row[rows[0].index("Status")]]
            assert numbers == sorted(set(numbers)), f"{book}: a state is doubled or out of order"

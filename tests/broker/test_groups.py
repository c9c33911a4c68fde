"""Several boxes and one topic, on a real broker: with a group they share the partitions, without one each has all."""
import json
import os
import random
import signal
import time

import pytest

import real_kafka
from conftest import wait_until
from feed import Feed, book_of, holdings, numbers_of, owners, pause, settle, wait_for_book

confluent_kafka = pytest.importorskip("confluent_kafka")

STORM_SECONDS = int(os.environ.get("SCOREBOX_STORM_SECONDS", "20"))
BOXES, PARTITIONS, MATCHES = 4, 12, 24


@pytest.fixture
def make_member(make_box, kafka_cluster):
    def make(name, topic, group=None, instance=None, **settings):
        settings = {"BOOK_INTERVAL": "100ms", **settings}
        return make_box(name, **kafka_cluster.settings(), KAFKA_TOPIC=topic, KAFKA_GROUP=group,
                        KAFKA_INSTANCE=instance, **settings)

    return make


def came(process):
    """How many partitions this process was given so far, in all."""
    return sum(int(line.split("kafka.assigned: ")[1].split()[0]) for line in process.err.splitlines()
               if "kafka.assigned: " in line)


def test_partitions_added_to_a_live_topic(kafka_cluster, make_topic, make_member, open_book):
    topic = make_topic(partitions=2)
    alone, grouped = make_member("alone", topic), make_member("grouped", topic, group=topic)
    boxes = {alone: alone.start("consume"), grouped: grouped.start("consume")}
    feed = Feed(kafka_cluster, topic, 8)
    feed.round()
    for box in boxes:
        wait_for_book(box, feed.matches[-1], 30)
    more = confluent_kafka.admin.NewPartitions(topic, 12)
    kafka_cluster.admin().create_partitions([more])[topic].result(30)
    real_kafka.tell(lambda: len(kafka_cluster.partitions(topic)) == 12, 20, "twelve partitions")
    fresh = Feed(kafka_cluster, topic, 0)
    for n in range(100, 124):
        fresh.add(f"{n:08d}-0000-0000-0000-000000000000")
    fresh.round()
    seconds = max(wait_for_book(box, match, 60) for box in boxes for match in fresh.matches)
    print(f"records of the new partitions were read {seconds:.1f} s later, or sooner")
    for box, process in boxes.items():
        process.wait_for("kafka.partitions: topic", 60)
        assert process.stop() == 0
        assert all(len(told) == 1 for told in holdings(box, fresh, open_book).values())
        # what was read before is neither lost nor doubled
        assert all(told == {1} for told in holdings(box, feed, open_book).values())


def test_a_restarted_box_has_its_partitions_at_once(kafka_cluster, make_topic, make_member, open_book):
    topic = make_topic(partitions=6)
    boxes = [make_member(f"box{n}", topic, group=topic, instance=f"board-{n}") for n in (1, 2)]
    running = [box.start("consume") for box in boxes]
    feed = Feed(kafka_cluster, topic, 30)
    feed.round()
    wait_until(lambda: all(any(book_of(b, m) for m in feed.matches) for b in boxes), 60, "both boxes to have matches")
    wait_until(lambda: all(any(book_of(b, m) for b in boxes) for m in feed.matches), 60, "all matches")
    wait_until(lambda: came(running[0]) + came(running[1]) >= 6, 20, "six partitions")
    ours = [m for m in feed.matches if book_of(boxes[0], m) and not book_of(boxes[1], m)]
    theirs = came(running[1])
    for number, end in enumerate((lambda p: p.stop(), lambda p: p.kill()), 2):
        end(running[0])
        feed.round()
        book = book_of(boxes[0], ours[0])
        before = book.stat().st_mtime_ns
        began = time.monotonic()
        running[0] = boxes[0].start("consume")
        wait_until(lambda: book.stat().st_mtime_ns != before, 20, "the workbook to go on")
        print(f"first record {time.monotonic() - began:.1f} s after the start")
        wait_until(lambda: numbers_of(open_book(book))[0] == list(range(1, number + 1)), 20, "the new state")
        assert came(running[1]) == theirs, "the other box was given partitions meanwhile"
    for process in running:
        assert process.stop() == 0


def test_two_boxes_with_one_instance(kafka_cluster, make_topic, make_member):
    topic = make_topic(partitions=2)
    first = make_member("first", topic, group=topic, instance="same").start("consume")
    first.wait_for("kafka.assigned", 30)
    second = make_member("second", topic, group=topic, instance="same").start("consume")
    assert first.wait(30) == 78
    fenced = [line for line in first.err.splitlines() if "kafka.fenced" in line]
    assert len(fenced) == 1 and "same" in fenced[0] and "error" in fenced[0], first.err
    second.wait_for("kafka.assigned", 30)
    assert second.stop() == 0


def test_what_leaves_is_written_first(kafka_cluster, make_topic, make_member, open_book):
    """The second box begins at the earliest; when it has its partitions, the first box's workbooks are complete."""
    topic = make_topic(partitions=4)
    first = make_member("first", topic, group=topic, BOOK_INTERVAL="1h")
    second = make_member("second", topic, group=topic)
    running = first.start("consume")
    feed = Feed(kafka_cluster, topic, 12)
    feed.round()
    wait_until(lambda: len(first.books()) == 12, 30, "the first workbooks")
    for _ in range(5):
        feed.round()
    pause(1)  # the hour has not passed: they wait in the journal
    assert any(len(told) < 6 for told in holdings(first, feed, open_book).values())
    other = second.start("consume")
    wait_until(lambda: came(other) == 2, 30, "two partitions of four")
    assert all(told == set(range(1, 7)) for told in holdings(first, feed, open_book).values())
    feed.round()
    wait_until(lambda: len(second.books()) >= 1, 30, "workbooks of the second box")
    assert running.stop() == 0
    wait_until(lambda: came(other) == 4, 30, "all partitions at the second box, as the first has left")
    feed.round()
    wait_until(lambda: len(second.books()) == 12, 30, "all workbooks at the second box")
    pause(1)
    assert other.stop() == 0
    assert owners([second], feed, open_book)


def test_a_full_journal_stays_in_the_group(kafka_cluster, make_topic, make_member, open_book):
    """Paused for longer than max.poll.interval.ms, the box polls on and keeps its partitions."""
    topic = make_topic(partitions=2)
    box = make_member("box", topic, group=topic, JOURNAL_MAX="1MiB",
                      KAFKA_OPTIONS="session.timeout.ms=3000,heartbeat.interval.ms=500,max.poll.interval.ms=4000")
    feed = Feed(kafka_cluster, topic, 10)
    for _ in range(400):
        feed.round()
    process = box.start("consume")
    process.wait_for("journal.full", 30)
    pause(8)
    assert "kafka.slow" not in process.err and "kafka.revoked" not in process.err
    assert process.stop() == 0
    roomy = box.set(JOURNAL_MAX="64MiB").start("consume")
    settle(kafka_cluster, topic, topic)
    # At its end it has 8 s for workbooks; what is left then would wait for the next start.
    wait_until(lambda: json.loads((box.state / "status.json").read_text())["journal"]["workbooks_waiting"] == 0, 60,
               "all workbooks")
    assert roomy.stop() == 0
    assert owners([box], feed, open_book)


def test_told_to_stop_while_the_broker_is_silent(kafka_cluster, make_topic, make_member):
    topic = make_topic(partitions=2)
    running = [make_member(name, topic, group=topic, instance=instance).start("consume")
               for name, instance in (("free", None), ("named", "board-1"))]
    for process in running:
        process.wait_for("kafka.assigned", 30)
    kafka_cluster.nodes[0].freeze()
    try:
        pause(1)
        began = time.monotonic()
        for process in running:
            process.signal(signal.SIGTERM)
        codes = [process.wait(12) for process in running]
        seconds = time.monotonic() - began
    finally:
        kafka_cluster.nodes[0].thaw()
    print(f"both had ended after {seconds:.1f} s")
    assert codes == [0, 0] and seconds < 8


def test_boxes_join_and_die_at_random(kafka_cluster, make_topic, make_member, open_book):
    """Every match's workbook on the box that ends owning it is complete."""
    seed = int(os.environ.get("SCOREBOX_SEED") or random.SystemRandom().randrange(10**6))
    print(f"SCOREBOX_SEED={seed}")
    dice = random.Random(seed)
    topic = make_topic(partitions=PARTITIONS)
    options = "session.timeout.ms=3000,heartbeat.interval.ms=500"
    boxes = [make_member(f"box{n}", topic, group=topic, instance=f"board-{n}" if n % 2 else None,
                         KAFKA_OPTIONS=options, LOG_LEVEL="info") for n in range(BOXES)]
    running = {}
    feed = Feed(kafka_cluster, topic, MATCHES)
    end_feed = feed.go(seed=seed)
    try:
        over = time.monotonic() + STORM_SECONDS
        while time.monotonic() < over:
            box = dice.choice(boxes)
            if box not in running:
                running[box] = box.start("consume")
            else:
                dice.choice((lambda p: p.kill(), lambda p: p.kill(), lambda p: p.stop(), freeze))(running.pop(box))
            pause(dice.uniform(0.1, 2.5))
    finally:
        end_feed()
    for box in boxes:
        if box not in running:
            running[box] = box.start("consume")
    settle(kafka_cluster, topic, topic)
    for box in boxes:
        running[box].signal(signal.SIGTERM)
    assert [running[box].wait(15) for box in boxes] == [0] * BOXES
    for box in boxes:   # what a slow machine did not write in the time there is at the end is in the journal
        if "book.waiting" in running[box].err:
            assert box.run("books").code == 0
    held = owners(boxes, feed, open_book)
    print(f"{sum(feed.told.values())} states of {MATCHES} matches; boxes with all of a match:",
          sorted(len(names) for names in held.values()))


def freeze(process):
    """Out of its session, then back; ended after that like the others."""
    process.signal(signal.SIGSTOP)
    pause(4)
    process.signal(signal.SIGCONT)
    pause(1)
    process.kill()

"""A broker that is frozen, killed, or another one when it comes back, while `produce` and `consume` run and are
restarted: nothing is lost, nothing doubled in a workbook, and each says it once."""
import os
import re
import shutil
import uuid

import pytest

from conftest import Record, table, wait_until
from ledger import assert_books_hold_all_once, assert_chain_is_whole
from scripted import scripted  # noqa: F401 (a fixture)

pytest.importorskip("confluent_kafka")
from topic_rig import Counting, journaled, read_topic, spooled  # noqa: E402

# `soak` takes more than the five minutes after which librdkafka would give up a row by itself
AWAY_SECONDS = int(os.environ.get("SCOREBOX_AWAY_SECONDS", "30"))


@pytest.fixture
def counting(scripted):  # noqa: F811
    return Counting(scripted)


def lines_of(text, code):
    return [line for line in text.splitlines() if re.search(rf"\b{re.escape(code)}:", line)]


def records_of(cluster, topic):
    return [Record(m.partition(), m.offset(), m.key(), m.value(), dict(m.headers()), m.timestamp()[1])
            for m in read_topic(cluster, topic)]


def timeline(box, open_book, match):
    (book,) = [b for b in box.books() if b.endswith(f"_{match}.xlsx")]
    return [row["Status"] for row in table(open_book(box.output / book)["Timeline"], "Status")]


def polled(counting, process, seconds):
    """Lets the API be asked for so long, each second at least once."""
    for _ in range(max(1, int(seconds))):
        said = counting.said
        wait_until(lambda: counting.said >= said + 3 or not process.running, 20, "three polls")
        assert process.running, process.err


def test_broker_away_while_produce_is_restarted_twice(kafka_cluster, make_topic, counting, make_box, open_book):
    """First it is frozen and keeps its connections, then it is dead."""
    topic, node = make_topic(partitions=2), kafka_cluster.nodes[0]
    settings = {**kafka_cluster.settings(), "KAFKA_TOPIC": topic, "BOOK_INTERVAL": "20ms"}
    box = make_box(**counting.settings, **settings, POLL_INTERVAL="333ms", KAFKA_OPTIONS="socket.timeout.ms=5000")
    reader = make_box("reader", **settings, KAFKA_OPTIONS="socket.timeout.ms=5000,reconnect.backoff.max.ms=1000")
    reading, first = reader.start("consume"), box.start("produce")
    wait_until(lambda: journaled(reader) >= 6, 30, "the first records in the journal")
    node.freeze()
    polled(counting, first, AWAY_SECONDS / 3)
    assert first.stop() == 0, first.err
    second = box.start("produce")
    polled(counting, second, AWAY_SECONDS / 3)
    node.kill()
    second.kill()
    waiting = spooled(box)
    third = box.start("produce")
    polled(counting, third, AWAY_SECONDS / 3)
    assert waiting > 2 * AWAY_SECONDS / 3 and spooled(box) > waiting
    node.start()
    third.wait_for("kafka.up:")
    assert third.stop() == 0 and box.run("spool drain").code == 0
    records = records_of(kafka_cluster, topic)
    assert_chain_is_whole(records)
    there = {(r.key, r.headers["ce_id"]) for r in records}
    # after a long absence the reader looks again only once a minute
    wait_until(lambda: journaled(reader) >= len(records), 120, "all records in the journal")
    assert reading.stop() == 0
    for process in (first, second, third, reading):
        assert len(lines_of(process.err, "kafka.down")) <= 1, process.err
        assert not lines_of(process.err, "kafka.generation") and not lines_of(process.err, "kafka.gap"), process.err
    assert_books_hold_all_once(records, [reader.output / b for b in reader.books()], open_book)
    for match in ("m1", "m2"):
        numbers = [int(s.split()[1]) for s in timeline(reader, open_book, match)]
        assert numbers == sorted(set(numbers)), numbers
        # the answer that was on its way at kill -9 is the one that may be missing
        assert len(numbers) >= counting.said - 1 and numbers[-1] >= counting.said - 1, numbers
        assert len(numbers) == len({c for k, c in there if k == match.encode()})


def reborn(cluster, topic):
    """Another cluster at the same address: nothing of the old one is left."""
    node = cluster.nodes[0]
    node.kill()
    shutil.rmtree(node.folder / "data")
    cluster.id = uuid.uuid4().hex[:22]
    node.format()
    node.start()
    cluster.create_topic(topic, 2)


def test_another_cluster_behind_the_same_name(kafka_cluster, counting, make_box, open_book):
    topic = "the-same-name"
    kafka_cluster.create_topic(topic, 2)
    options = "topic.metadata.refresh.interval.ms=1000,topic.metadata.propagation.max.ms=1000,reconnect.backoff.max.ms=1000"
    settings = {**kafka_cluster.settings(), "KAFKA_TOPIC": topic, "BOOK_INTERVAL": "20ms", "KAFKA_OPTIONS": options}
    box = make_box(**counting.settings, **settings)
    reader = make_box("reader", **settings)
    reading, writing = reader.start("consume"), box.start("produce", POLL_INTERVAL="333ms")
    wait_until(lambda: journaled(reader) >= 6, 30, "the first records in the journal")
    # what the old cluster acknowledged and nobody read is gone with it: none of that here
    assert writing.stop() == 0 and box.run("spool drain").code == 0
    before = len(records_of(kafka_cluster, topic))
    wait_until(lambda: journaled(reader) == before, 20, "all of the old cluster in the journal")
    writing = box.start("produce", POLL_INTERVAL="333ms")
    kafka_cluster.nodes[0].kill()
    reborn(kafka_cluster, topic)
    wait_until(lambda: len(records_of(kafka_cluster, topic)) >= 12, 60, "rows in the new cluster")
    assert writing.stop() == 0 and box.run("spool drain").code == 0
    here = records_of(kafka_cluster, topic)
    wait_until(lambda: journaled(reader) >= before + len(here), 90, "all of the new cluster in the journal")
    assert reading.stop() == 0
    assert len(lines_of(reading.err, "kafka.generation")) == 1 and not lines_of(reading.err, "kafka.gap"), reading.err
    assert len(lines_of(writing.err, "kafka.topic")) <= 1, writing.err
    for match in ("m1", "m2"):
        told = [s for s in timeline(reader, open_book, match)]
        numbers = [int(s.split()[1]) for s in told if s.startswith("state ")]
        # a row acknowledged by the old cluster in its last moment may be missing, and is then told
        assert numbers == sorted(set(numbers)) and numbers[-1] == counting.said, told
        missing = counting.said - len(numbers)
        assert missing == 0 or any("not received" in s for s in told), told

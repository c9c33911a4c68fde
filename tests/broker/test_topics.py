"""The topic itself, on a real cluster of three with auto-creation on and rights enforced: what `check --online` says
of it and makes, that nothing else of ours makes one; what happens to records that it does not take, or no longer has,
and when it is made anew."""
import hashlib
import json
import random
import re
import subprocess
import time
import uuid
from datetime import datetime

import pytest

import real_kafka
from conftest import cluster_or_skip, table, wait_until
from scripted import scripted  # noqa: F401 (a fixture)

kafka = pytest.importorskip("confluent_kafka")
admin = pytest.importorskip("confluent_kafka.admin")
from topic_rig import JSON, Counting, journaled, page, read_topic, state  # noqa: E402
AdminClient, ConfigResource = admin.AdminClient, admin.ConfigResource

FORTNIGHT = "1209600000"
EXTRA = {"auto.create.topics.enable": "true", "default.replication.factor": 3,
         "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
         "super.users": "User:ANONYMOUS", "allow.everyone.if.no.acl.found": "true"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = cluster_or_skip(tmp_path_factory.mktemp("kafka-topics"), brokers=3, extra=EXTRA)
    # a witness that asks must not make what it asks for
    made.admin_client = AdminClient({**made.client(), "allow.auto.create.topics": False, "log_level": 0})
    yield made
    made.close()


@pytest.fixture
def topic(cluster):
    """topic(partitions=, replication=, config=) makes one; its name."""
    def make(partitions=1, replication=3, config=None):
        name = f"t-{uuid.uuid4().hex[:10]}"
        cluster.create_topic(name, partitions, replication, config)
        return name

    return make


@pytest.fixture
def pages(scripted):  # noqa: F811
    """pages(page, ...): an API that answers with one after the other, and then with the last for ever."""
    def start(*bodies):
        api = scripted(lambda n, path: (200, JSON, bodies[min(n, len(bodies)) - 1]))
        return {**api.settings, "POLL_INTERVAL": "0"}

    return start


def lines_of(text, code):
    return [line for line in text.splitlines() if re.search(rf"\b{re.escape(code)}:", line)]


def java_tool(cluster, *arguments):
    done = subprocess.run([*cluster.java(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def allow(cluster, *what):
    """An ACL, and that the brokers know of it is for the caller to wait for."""
    java_tool(cluster, "org.apache.kafka.tools.AclCommand", "--bootstrap-server", cluster.bootstrap(), "--add", *what)


def delete_records(cluster, folder, topic, offsets):
    path = folder / "delete-records.json"
    path.write_text(json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": p, "offset": o}
                                                             for p, o in offsets.items()]}))
    java_tool(cluster, "org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", cluster.bootstrap(),
              "--offset-json-file", path)


def configs_of(cluster, topic):
    (answer,) = cluster.admin().describe_configs([ConfigResource("topic", topic)]).values()
    return {name: entry.value for name, entry in answer.result(20).items()}


def set_configs(cluster, topic, **values):
    resource = ConfigResource("topic", topic, set_config={k.replace("_", "."): v for k, v in values.items()})
    cluster.admin().alter_configs([resource])[resource].result(20)


def statuses(messages):
    return [json.loads(m.value())["status"] for m in messages]


def check(box, *arguments, **settings):
    """Runs check --online; the answer has code, and lines as {what: [(word, text)]}."""
    got = box.run("check", "--online", *arguments, **settings)
    online = got.out[got.out.index("Online"):]
    lines = {}
    for word, what, text in re.findall(r"^  (ok|warn|FAILED) +(\S+) +(.*)$", online, re.M):
        lines.setdefault(what, []).append((word, text))
    return got.code, lines, got


def words_of(lines, what):
    return [word for word, _ in lines.get(what, [])]


def text_of(lines, what):
    return " ".join(text for _, text in lines.get(what, []))


# ---- check --online ----

@pytest.fixture
def checked(cluster, make_box):
    """checked(topic, *arguments, **settings): check --online as a consumer."""
    box = make_box(**cluster.settings(), MODE="consume")
    return lambda topic, *arguments, **settings: check(box, *arguments, KAFKA_TOPIC=topic, **settings)


def test_a_good_topic_is_all_right(checked, topic):
    name = topic(partitions=2, config={"min.insync.replicas": 2, "retention.ms": FORTNIGHT})
    code, lines, got = checked(name)
    assert code == 0 and "All is right." in got.out, got.out
    assert all(word == "ok" for told in lines.values() for word, _ in told), got.out
    assert "2 partitions" in text_of(lines, "topic") and "never add any" in text_of(lines, "topic")
    assert re.search(r"id [\w-]{22}", text_of(lines, "topic")), got.out
    assert "14 d" in text_of(lines, "keeps") and "3 brokers" in text_of(lines, "kafka")


@pytest.mark.parametrize("replication, config, what, words", [
    (1, {}, "copies", "replication 1"),
    (3, {"min.insync.replicas": 1}, "insync", "min.insync.replicas=2"),
    (3, {"min.insync.replicas": 3}, "insync", "one broker away stops all writing"),
    (3, {"cleanup.policy": "compact"}, "cleanup", "cleanup.policy=delete"),
    (3, {"cleanup.policy": "compact,delete"}, "cleanup", "cleanup.policy=delete"),
    (3, {"retention.ms": 86400000}, "keeps", "1 d 0 h only"),
    (3, {"retention.bytes": 1048576}, "keeps", "1024 KiB"),
    (3, {"max.message.bytes": 100000}, "records", "dead letter"),
    (3, {"max.message.bytes": 10000}, "records", "one by one"),
])
def test_a_topic_that_could_lose_something_is_warned_of(checked, topic, replication, config, what, words):
    good = {"min.insync.replicas": min(2, replication), "retention.ms": FORTNIGHT}
    code, lines, got = checked(topic(replication=replication, config={**good, **config}))
    assert code == 0, got.out
    assert [w for w, told in lines.items() if "warn" in [word for word, _ in told]] == [what], got.out
    assert words in text_of(lines, what) and "All is right" not in got.out, got.out


def test_batches_that_this_box_cannot_read_are_warned_of(checked, topic):
    name = topic(config={"min.insync.replicas": 2, "retention.ms": FORTNIGHT, "max.message.bytes": 5000000})
    code, lines, got = checked(name)
    assert code == 0 and sorted(words_of(lines, "records")) == ["ok", "warn"], got.out
    assert "SCOREBOX_KAFKA_OPTIONS=receive.message.max.bytes=5065536" in text_of(lines, "records"), got.out
    for settings in ({"KAFKA_OPTIONS": "receive.message.max.bytes=5065536"},
                     {"API_MAX_RECORD": "4850KiB", "API_MAX_BODY": "6MiB", "MEMORY_MAX": "64MiB"}):
        code, lines, got = checked(name, **settings)
        assert code == 0 and words_of(lines, "records") == ["ok"], got.out


def test_a_topic_that_takes_nothing_fails(checked, topic):
    code, lines, got = checked(topic(replication=1, config={"min.insync.replicas": 2}))
    assert code == 69 and words_of(lines, "insync") == ["FAILED"], got.out
    assert "min.insync.replicas=1" in text_of(lines, "insync")


def test_time_stamps_and_no_limits(checked, topic):
    _, lines, got = checked(topic(config={"retention.ms": -1, "message.timestamp.type": "LogAppendTime"}))
    assert "for ever" in text_of(lines, "keeps") and "ce_time" in text_of(lines, "times"), got.out
    _, lines, got = checked(topic(config={"message.timestamp.before.max.ms": 3600000}))
    assert "older than 1 h 0 min" in text_of(lines, "times") and words_of(lines, "times") == ["ok"], got.out


def test_the_topic_is_made_when_told_to_and_only_then(cluster, checked):
    name = f"made-{uuid.uuid4().hex[:8]}"
    code, lines, got = checked(name)
    assert code == 69 and "--create-topic" in text_of(lines, "topic") and not cluster.partitions(name), got.out
    code, lines, got = checked(name, "--create-topic")
    assert code == 0 and "All is right." in got.out, got.out
    told = text_of(lines, "create")
    found = configs_of(cluster, name)
    assert len(cluster.partitions(name)) == 6 and "6 partitions, replication 3" in told
    for config, value in (("cleanup.policy", "delete"), ("retention.ms", FORTNIGHT), ("min.insync.replicas", "2"),
                          ("retention.bytes", "-1")):
        assert found[config] == value and f"{config}={value}" in told
    again, lines, got = checked(name, "--create-topic", "--partitions", "6")
    assert again == 0 and "nothing was made" in text_of(lines, "create"), got.out
    for figures in (["--partitions", "12"], ["--replication=1"]):
        refused, lines, got = checked(name, "--create-topic", *figures)
        assert refused == 78 and words_of(lines, "create") == ["FAILED"], got.out
        assert "exists with 6 partitions, replication 3" in text_of(lines, "create")
    assert len(cluster.partitions(name)) == 6
    own = f"own-{uuid.uuid4().hex[:8]}"
    code, lines, got = checked(own, "--create-topic", "--partitions=2", "--replication=1", API_MAX_RECORD="2MiB")
    assert code == 0 and "2 partitions, replication 1" in text_of(lines, "create"), got.out
    assert len(cluster.partitions(own)) == 2 and int(configs_of(cluster, own)["max.message.bytes"]) > 2 << 20
    code, lines, got = checked(f"x{own}", "--create-topic", "--replication=9")
    assert code == 69 and "other figures" in text_of(lines, "create") and not cluster.partitions(f"x{own}"), got.out


def test_usage(make_box):
    box = make_box(MODE="consume", KAFKA_BROKERS="127.0.0.1:1")
    for wrong in (["--create-topic"], ["--online", "--partitions", "3"], ["--online", "--replication=3"],
                  ["--online", "--create-topic", "--partitions=0"], ["--online", "--create-topic", "--replication=x"]):
        assert box.run("check", *wrong).code == 64


# ---- rights ----

def test_rights_are_named_and_their_lack_loses_nothing(cluster, topic, pages, make_box):
    name, user = topic(partitions=2), f"User:{real_kafka.USER}"
    api = pages(page(state("m1", 1), state("m2", 1)))
    box = make_box(**api, **cluster.settings("sasl_plaintext"), KAFKA_TOPIC=name, MODE="produce")
    allow(cluster, "--allow-principal", user, "--operation", "Describe", "--topic", name, "--topic", "not-for-us")
    allow(cluster, "--allow-principal", "User:another", "--operation", "Create", "--cluster")
    code, lines, got = check(box)
    assert code == 69 and words_of(lines, "rights") == ["FAILED"] and "may not Write" in text_of(lines, "rights"), got.out
    assert words_of(lines, "keeps") == ["warn"] and "DescribeConfigs" in text_of(lines, "keeps"), got.out
    code, lines, got = check(box, "--create-topic", KAFKA_TOPIC="not-for-us")
    assert code == 69 and words_of(lines, "create") == ["FAILED"] and "CREATE" in text_of(lines, "create"), got.out
    assert "6 partitions, replication 3" in text_of(lines, "create"), got.out
    running = box.start("produce", POLL_INTERVAL="1s")
    running.wait_for("kafka.auth:")
    (line,) = lines_of(running.err, "kafka.auth")
    assert "ACL" in line and "nothing lost" in line and "2 rows wait" in line
    allow(cluster, "--allow-principal", user, "--operation", "Write", "--topic", name)
    running.wait_for("kafka.up:")
    wait_until(lambda: len(read_topic(cluster, name)) == 2, 20, "both rows")
    assert running.stop() == 0
    assert len(lines_of(running.err, "kafka.auth")) == 1, running.err
    code, lines, got = check(box)
    assert code == 0 and words_of(lines, "rights") == ["ok"], got.out


@pytest.mark.parametrize("kind, change, words", [
    ("sasl_plaintext", {"KAFKA_SASL_PASSWORD": "wrong-one"}, "SCOREBOX_KAFKA_SASL_USERNAME"),
    ("tls", {"KAFKA_CA_FILE": None}, "unknown CA"),
    ("mtls", {"KAFKA_CERT_FILE": None, "KAFKA_KEY_FILE": None}, "client certificate"),
])
def test_who_is_refused_at_the_door_hears_why_and_soon(cluster, checked, topic, kind, change, words):
    begun = time.monotonic()
    code, lines, got = checked(topic(), **{**cluster.settings(kind), **change})
    assert code == 69 and words_of(lines, "kafka") == ["FAILED"] and words in text_of(lines, "kafka"), got.out
    assert time.monotonic() - begun < 9.5 and "wrong-one" not in got.out + got.err


# ---- auto-creation ----

def test_nothing_of_ours_makes_a_topic_by_asking(cluster, pages, make_box):
    witness = f"auto-{uuid.uuid4().hex[:8]}"
    writer = kafka.Producer({**cluster.client(), "log_level": 0})
    writer.produce(witness, b"x")
    assert writer.flush(20) == 0 and cluster.partitions(witness), "auto-creation is off: this test would prove nothing"
    name = f"never-{uuid.uuid4().hex[:8]}"
    box = make_box(**pages(page(state("m1", 1))), **cluster.settings(), KAFKA_TOPIC=name,
                   KAFKA_OPTIONS="topic.metadata.propagation.max.ms=500,topic.metadata.refresh.interval.ms=500")
    made = box.run("produce", "--once", "--timeout", "3s")
    assert made.code == 69 and "kafka.topic" in made.err, made.err
    read = box.run("consume", "--until-end", "--timeout", "2s")
    assert read.code == 69 and "kafka.topic" in read.err, read.err
    grouped = box.run("consume", "--until-end", "--timeout", "3s", KAFKA_GROUP="boxes")
    assert grouped.code == 69, grouped.err
    assert check(box, MODE="both")[0] == 69
    assert name not in cluster.admin().list_topics(timeout=10).topics


# ---- records that the broker does not take ----

def large(match, number):
    dice = random.Random(number)
    return state(match, number, notes=hashlib.sha256(b"%d" % number).hexdigest() + dice.randbytes(20000).hex())


def test_a_record_over_the_limit_becomes_a_dead_letter(cluster, topic, pages, make_box, open_book):
    name = topic(config={"max.message.bytes": 20000})
    api = pages(page(state("m1", 1), state("m2", 1)), page(state("m1", 2), large("m2", 2)),
                page(state("m1", 3), large("m2", 3)), page(state("m1", 4), state("m2", 4)))
    box = make_box(**api, **cluster.settings(), KAFKA_TOPIC=name, BOOK_INTERVAL="20ms")
    run = box.run("produce", "--sweeps", "4")
    assert run.code == 0, run.err
    refused = lines_of(run.err, "kafka.refused")
    assert len(refused) == 2 and "max.message.bytes" in refused[0] and "scorebox spool ls" in refused[0]
    assert "refused 1 more row;" in refused[1]
    found = [(m.key(), json.loads(m.value())["status"]) for m in read_topic(cluster, name)]
    assert sorted(set(found)) == [(b"m1", f"state {n}") for n in (1, 2, 3, 4)] + [(b"m2", "state 1"), (b"m2", "state 4")]
    listed = box.run("spool ls")
    assert listed.out.count("dead letter") == 2 + 1 and listed.out.count("max.message.bytes") == 2, listed.out
    assert "2 dead letters (2 refused by the broker)" in listed.out
    told = re.findall(r"dead letter \S+, a state of match m2, (\d+) bytes \(the first 2048 are kept\)", listed.out)
    assert len(told) == 2 and all(int(length) > 40000 for length in told), listed.out
    spool = json.loads((box.state / "status.json").read_text())["spool"]
    assert spool["dead_letters"] == 2 and spool["refused_by_broker"] == 2
    assert box.run("consume", "--until-end").code == 0
    (book,) = [b for b in box.books() if b.endswith("_m2.xlsx")]
    sheets = open_book(box.output / book)
    told = [row["Status"] for row in table(sheets["Timeline"], "Status")]
    assert told == ["state 1", "2 states not received", "state 4"]
    assert any("2 states were not received" in str(cell) for row in sheets["Match"] for cell in row)


def test_a_record_refused_for_its_age_goes_with_the_time_of_sending(cluster, topic, pages, make_box, open_book):
    name = topic(config={"message.timestamp.before.max.ms": 1000})
    box = make_box(**pages(page(state("m1", 1), state("m2", 1))), **cluster.settings(), KAFKA_TOPIC=name)
    away = box.run("produce", "--once", "--timeout", "2s", KAFKA_BROKERS="127.0.0.1:1")
    assert away.code == 69 and "2 rows stay in the spool" in away.err, away.err
    run = box.run("spool drain")
    assert run.code == 0 and len(lines_of(run.err, "kafka.times")) == 1 and not lines_of(run.err, "kafka.refused"), run.err
    for message in read_topic(cluster, name):
        headers = dict(message.headers())
        sent = message.timestamp()[1] / 1000
        fetched = headers["ce_time"].decode()
        assert sent - datetime.fromisoformat(fetched.replace("Z", "+00:00")).timestamp() > 1


def test_where_even_that_is_refused_the_clock_is_named_and_all_waits(cluster, topic, pages, make_box):
    name = topic(config={"message.timestamp.before.max.ms": 0})
    box = make_box(**pages(page(state("m1", 1), state("m2", 1))), **cluster.settings(), KAFKA_TOPIC=name)
    running = box.start("produce", POLL_INTERVAL="1h")
    running.wait_for("kafka.clock:")
    (line,) = lines_of(running.err, "kafka.clock")
    assert "this board's clock" in line and "nothing lost" in line
    assert re.search("[12] rows? waits?", line)  # one of the very same millisecond is taken
    set_configs(cluster, name, message_timestamp_before_max_ms="3600000")
    running.wait_for("kafka.up:")
    wait_until(lambda: len(read_topic(cluster, name)) == 2, 20, "both rows")
    assert running.stop() == 0


# ---- what the topic no longer has ----

def test_a_gap_is_one_line_and_stands_in_the_workbook(cluster, topic, pages, make_box, open_book, tmp_path):
    name = topic()
    api = pages(*(page(state("m1", n), state("m2", n)) for n in range(1, 9)))
    box = make_box(**api, **cluster.settings(), KAFKA_TOPIC=name, BOOK_INTERVAL="20ms")
    assert box.run("produce", "--sweeps", "2").code == 0
    assert box.run("consume", "--until-end").code == 0
    assert box.run("produce", "--sweeps", "4").code == 0
    delete_records(cluster, tmp_path, name, {0: 8})
    assert len(read_topic(cluster, name)) == 4
    read = box.run("consume", "--until-end")
    assert read.code == 0, read.err
    (line,) = lines_of(read.err, "kafka.gap")
    assert "offsets 4..7 expired" in line and "lost=4" in line, line
    for match in ("m1", "m2"):
        (book,) = [b for b in box.books() if b.endswith(f"_{match}.xlsx")]
        sheets = open_book(box.output / book)
        told = [row["Status"] for row in table(sheets["Timeline"], "Status")]
        assert told[:2] == ["state 1", "state 2"] and told[-2:] == ["state 5", "state 6"], told
        assert any("4 records of partition 0 had expired" in text for text in told), told
        assert any("expired from Kafka" in str(cell) for row in sheets["Match"] for cell in row)
    again = box.run("consume", "--until-end")
    assert again.code == 0 and not lines_of(again.err, "kafka.gap"), again.err


@pytest.mark.parametrize("group", [None, "boxes"])
def test_a_partition_seen_empty_that_loses_records_later_has_a_gap(cluster, topic, pages, make_box, tmp_path, group):
    name = topic()
    box = make_box(**pages(*(page(state("m1", n), state("m2", n)) for n in range(1, 9))), **cluster.settings(),
                   KAFKA_TOPIC=name, KAFKA_GROUP=group and f"{group}-{name}")
    assert box.run("consume", "--until-end").code == 0
    assert box.run("produce", "--sweeps", "4").code == 0
    delete_records(cluster, tmp_path, name, {0: 6})
    read = box.run("consume", "--until-end")
    assert read.code == 0 and not lines_of(read.err, "kafka.earliest"), read.err
    (line,) = lines_of(read.err, "kafka.gap")
    assert "offsets 0..5 " in line and ("lost=6" in line) == (group is None), line
    assert group is None or f"another box of group '{group}-{name}' may have them" in line, line
    again = box.run("consume", "--until-end")
    assert again.code == 0 and not lines_of(again.err, "kafka.gap"), again.err


# ---- topics made anew ----

def assert_one_clean_timeline(box, open_book, matches, last):
    for match in matches:
        (book,) = [b for b in box.books() if b.endswith(f"_{match}.xlsx")]
        told = [row["Status"] for row in table(open_book(box.output / book)["Timeline"], "Status")]
        assert told == [f"state {n}" for n in range(1, last + 1)], f"{book}: {told}"


@pytest.fixture
def counting(scripted):  # noqa: F811
    return Counting(scripted)


def made_anew(cluster, name):
    cluster.delete_topic(name)
    cluster.create_topic(name, 1, 3)


def test_made_anew_while_the_consumer_is_away(cluster, topic, counting, make_box, open_book):
    name = topic()
    box = make_box(**counting.settings, **cluster.settings(), KAFKA_TOPIC=name, POLL_INTERVAL="0", BOOK_INTERVAL="20ms")
    assert box.run("produce", "--sweeps", "2").code == 0
    assert box.run("consume", "--until-end").code == 0
    made_anew(cluster, name)
    # as many records as were read, and more: the end alone would not betray it
    assert box.run("produce", "--sweeps", "4").code == 0
    read = box.run("consume", "--until-end")
    assert read.code == 0, read.err
    assert len(lines_of(read.err, "kafka.generation")) == 1 and not lines_of(read.err, "kafka.gap"), read.err
    assert_one_clean_timeline(box, open_book, ("m1", "m2"), 6)
    again = box.run("consume", "--until-end")
    assert again.code == 0 and not lines_of(again.err, "kafka.generation"), again.err


def test_made_anew_while_both_run(cluster, topic, counting, make_box, open_book):
    """What was acknowledged and read stays in the workbooks, what comes later follows, and each side says so once."""
    name = topic()
    box = make_box(**counting.settings, **cluster.settings(), KAFKA_TOPIC=name, BOOK_INTERVAL="20ms",
                   KAFKA_OPTIONS="topic.metadata.refresh.interval.ms=1000,topic.metadata.propagation.max.ms=500")
    reader = make_box("reader", **cluster.settings(), KAFKA_TOPIC=name, BOOK_INTERVAL="20ms",
                      KAFKA_OPTIONS="topic.metadata.refresh.interval.ms=1000")
    reading = reader.start("consume")
    writing = box.start("produce", POLL_INTERVAL="300ms")

    wait_until(lambda: journaled(reader) >= 6, 30, "the first records in the journal")
    writing.stop()
    wait_until(lambda: journaled(reader) == len(read_topic(cluster, name)), 20, "all of the old topic in the journal")
    before = journaled(reader)
    writing = box.start("produce", POLL_INTERVAL="300ms")
    made_anew(cluster, name)
    wait_until(lambda: len(read_topic(cluster, name)) >= 6, 40, "rows in the new topic")
    assert writing.stop() == 0
    here = read_topic(cluster, name)
    wait_until(lambda: journaled(reader) >= before + len(here), 60, "all of the new topic in the journal")
    assert reading.stop() == 0
    assert len(lines_of(reading.err, "kafka.generation")) == 1 and not lines_of(reading.err, "kafka.gap"), reading.err
    assert len(lines_of(writing.err, "kafka.topic")) <= 1 and not lines_of(writing.err, "kafka.refused"), writing.err
    # nothing is missing between the first and the last state of the new topic
    numbers = sorted(int(s.split()[1]) for s in statuses(here))
    assert numbers == sorted(list(range(numbers[0], numbers[-1] + 1)) * 2), numbers

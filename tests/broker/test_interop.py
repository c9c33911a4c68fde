"""Records of scorebox beside those of other makers: Java's own client, confluent-kafka (librdkafka's partitioner is
another one by default), kcat. Same partition for the same key, every byte, every header."""
import json
import shutil
import subprocess

import pytest

kafka = pytest.importorskip("confluent_kafka")

KEYS = [f"{n:08x}-55b1-4da0-92a7-{n * 7919:012x}" for n in range(80)] + [
    "a", "ab", "abc", "abcd", "abcde", "\u0939\u093f\u0928\u094d\u0926\u0940-1", "caf\u00e9", "x" * 240, "0"]
PARTITIONS = 7


def state(ident, n=0, runs=1):
    return {"id": ident, "name": f"{ident[:12]} A vs B", "matchType": "t20", "status": f"ball {n}", "date": "2026-01-01",
            "dateTimeGMT": "2026-01-01T10:00:00", "teams": ["A", "B"], "matchStarted": True, "matchEnded": False,
            "score": [{"r": runs, "w": 0, "o": round((n // 6) + (n % 6) / 10, 1), "inning": "A Inning 1"}]}


def write_by_java(cluster, topic, keys):
    """Kafka's own console producer, its partitioner as it is by default."""
    done = subprocess.run([*cluster.java(), "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server",
                           cluster.bootstrap(), "--topic", topic, "--reader-property", "parse.key=true",
                           "--reader-property", "key.separator=|"], input="".join(f"{k}|java\n" for k in keys).encode(),
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def kcat(cluster, kind, *arguments, **more):
    program = shutil.which("kcat") or pytest.skip("SKIPPED: no kcat")
    security = [word for name, value in cluster.client(kind).items() if name != "bootstrap.servers"
                for word in ("-X", f"{name}={value}")]
    done = subprocess.run([program, "-b", cluster.bootstrap(kind), *security, *arguments], capture_output=True,
                          timeout=60, **more)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def read_by_kcat(cluster, kind, topic):
    """(partition, key, value) of every record; lengths stand before the bytes, so that any byte may be in them."""
    text = kcat(cluster, kind, "-C", "-q", "-e", "-o", "beginning", "-t", topic, "-f", "%p %K %S\n%k%s\n")
    found = []
    while text:
        head, _, text = text.partition(b"\n")
        partition, key, value = map(int, head.split())
        found.append((partition, text[:key], text[key:key + value]))
        text = text[key + value + 1:]
    return sorted(found)


@pytest.fixture
def published(serve, kafka_cluster, make_topic, make_box, tmp_path):
    """A topic into which scorebox has written one row for each of KEYS."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"t": 0, "seq": 0, "ev": "", "match": state(k)}) + "\n" for k in KEYS))
    topic = make_topic(partitions=PARTITIONS)
    box = make_box(**serve(path).settings, **kafka_cluster.settings(), KAFKA_TOPIC=topic)
    run = box.run("produce", "--once")
    assert run.code == 0, run.err
    return topic


def test_a_key_has_the_partition_that_java_gives_it(published, kafka_cluster, make_topic, topic_records):
    other = make_topic(partitions=PARTITIONS)
    write_by_java(kafka_cluster, other, KEYS)
    javas = {r.key: r.partition for r in topic_records(kafka_cluster.client(), other)}
    ours = {r.key: r.partition for r in topic_records(kafka_cluster.client(), published)}
    assert ours == javas and set(ours) == {k.encode() for k in KEYS}
    assert len(set(ours.values())) == PARTITIONS


def test_the_same_bytes_come_out_of_other_clients(published, kafka_cluster, topic_records):
    ours = topic_records(kafka_cluster.client("sasl_tls"), published)
    assert sorted(json.loads(r.value)["id"] for r in ours) == sorted(KEYS)
    assert all(json.loads(r.value) == state(r.key.decode()) for r in ours)
    assert read_by_kcat(kafka_cluster, "tls", published) == sorted((r.partition, r.key, r.value) for r in ours)


def of_an_event(ident, n, run):
    return {"ce_specversion": "1.0", "ce_id": f"{run}-{n}", "ce_type": "scorebox.match.v1", "ce_subject": ident,
            "ce_time": f"2026-01-01T10:{n // 60:02d}:{n % 60:02d}.000000Z", "content-type": "application/json",
            "scorebox-run": run, "scorebox-seq": str(n), "scorebox-prev": f"{run}-{n - 1}" if n > 1 else "", "odd": ""}


def test_what_other_clients_write_becomes_workbooks(kafka_cluster, make_topic, make_box, open_book):
    topic, states = make_topic(partitions=3), 12
    first, second = "0000000a-of-python", "0000000b-of-kcat"
    writer = kafka.Producer(kafka_cluster.client("mtls"))
    for n in range(1, states + 1):
        headers = of_an_event(first, n, "ab" * 16)
        writer.produce(topic, json.dumps(state(first, n, n)).encode(), first, headers=list(headers.items()))
        headers = of_an_event(second, n, "cd" * 16)
        kcat(kafka_cluster, "sasl_plaintext", "-P", "-t", topic, "-k", second,
             *[word for name, value in headers.items() for word in ("-H", f"{name}={value}")],
             input=json.dumps(state(second, n, n)).encode())
    assert writer.flush(20) == 0
    box = make_box(**kafka_cluster.settings(), KAFKA_TOPIC=topic)
    run = box.run("consume", "--until-end")
    assert run.code == 0, run.err
    assert len(box.books()) == 2
    for name in box.books():
        sheets = open_book(box.output / name)
        records = sheets["Records"]
        run = "ab" * 16 if first[:8] in name else "cd" * 16
        events = records[0].index("Event id")
        assert [row[events] for row in records[1:]] == [f"{run}-{n}" for n in range(1, states + 1)]
        runs = sheets["Timeline"][0].index("Runs 1")
        assert [row[runs] for row in sheets["Timeline"][1:]] == list(range(1, states + 1))

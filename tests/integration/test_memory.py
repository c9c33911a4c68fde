"""The memory ceilings, as the kernel counts them (VmHWM), of the build that ships."""
import json
import os
import re
import subprocess

import pytest

from conftest import wait_until

MIB = 1024	# in KiB

pytestmark = pytest.mark.skipif("native" not in os.environ.get("SCOREBOX_BINARY", "native"),
                                reason="SKIPPED: memory is measured with the native build")


def peak(err):
    """What the service says of itself at its end; /proc is gone by then."""
    return int(re.findall(r"memory peak (\d+) KiB", err)[-1])


@pytest.fixture(scope="module")
def limit(scorebox):
    """What `produce` and `consume` may peak at, in KiB: the build that ships, and more where OpenSSL or a real Kafka
    is under it, most with OpenSSL's sessions of TLS."""
    told = subprocess.run([scorebox, "version"], capture_output=True, text=True, check=True).stdout
    kafka = os.environ.get("SCOREBOX_TEST_KAFKA", "")
    if not kafka and "OpenSSL" not in told:
        return 6 * MIB
    return (13 if kafka in ("tls", "mtls", "sasl_tls", "scram") and "OpenSSL" in told else 10) * MIB


@pytest.fixture(scope="module")
def swept():
    """Peaks that later tests compare with."""
    return {}


def test_produce_sweeping_pages_and_draining_a_backlog(data, serve, broker, make_box, topic_records, swept, limit):
    """A backlog of 50,000 rows gathered while Kafka was away goes out while recorded pages are swept."""
    rows = serve("--rows", "50000")
    pages = serve(*[p for p in sorted((data / "cricapi").glob("*atches_*.json"))])
    box = make_box(**rows.settings, KAFKA_BROKERS="127.0.0.1:1", API_MAX_BODY="128MiB", SPOOL_MAX="512MiB")
    away = box.run("produce", "--once", "--timeout", "3s")
    assert away.code == 69 and "50000 rows stay" in away.err, away.err[-2000:]
    bootstrap = broker(partitions=16)
    box.set(**pages.settings)
    run = box.run("produce", "--once", KAFKA_BROKERS=bootstrap, timeout=120)
    assert run.code == 0, run.err[-2000:]
    assert len(topic_records(bootstrap, seconds=60)) > 50000
    swept["backlog"] = max(peak(run.err), peak(away.err))
    print("produce, 50,000 rows of backlog:", swept["backlog"], "KiB")
    assert swept["backlog"] <= limit


def test_a_body_of_100000_rows_takes_no_more_than_a_mebibyte_above(serve, broker, make_box, swept):
    if "backlog" not in swept:
        pytest.skip("SKIPPED: nothing to compare with")
    api = serve("--rows", "100000")
    box = make_box(**api.settings, KAFKA_BROKERS=broker(partitions=32), API_MAX_BODY="128MiB", SPOOL_MAX="512MiB")
    run = box.run("produce", "--once", timeout=240)
    assert run.code == 0, run.err[-2000:]
    print("produce, a body of 100,000 rows:", peak(run.err), "KiB")
    assert peak(run.err) <= swept["backlog"] + 1 * MIB


def fill(client, matches, states, batch_bytes):
    """Writes matches * states records, each match in a partition of its own (the embedded broker keeps 5 MiB of
    one), as another client would: rows of about 800 bytes with an identity."""
    kafka = pytest.importorskip("confluent_kafka")
    writer = kafka.Producer({**client, "linger.ms": 50 if batch_bytes < 1 << 20 else 3000, "batch.size": batch_bytes,
                             "compression.type": "lz4"})
    run = "ab" * 16
    for n in range(states):
        for m in range(matches):
            row = {"id": f"{m:08d}-0000-0000-0000-000000000000", "name": f"Alpha {m} vs Beta {m}, Match {m}",
                   "matchType": "t20", "status": f"Beta {m} need {states - n} runs", "venue": "Some Ground, Some Town",
                   "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00", "teams": [f"Alpha {m}", f"Beta {m}"],
                   "teamInfo": [{"name": f"Alpha {m}", "shortname": "ALP", "img": "https://example.org/alpha.png?w=48"},
                                {"name": f"Beta {m}", "shortname": "BET", "img": "https://example.org/beta.png?w=48"}],
                   "score": [{"r": n, "w": n % 10, "o": 20, "inning": f"Alpha {m} Inning 1"},
                             {"r": n, "w": 1, "o": 12.3, "inning": f"Beta {m} Inning 1"}],
                   "series_id": "00000000-1111-2222-3333-444444444444", "fantasyEnabled": True, "bbbEnabled": True,
                   "hasSquad": True, "matchStarted": True, "matchEnded": False}
            ident = n * matches + m + 1
            stamp = f"2026-01-01T{10 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}.000000Z"
            headers = [("ce_id", f"{run}-{ident}"), ("ce_time", stamp), ("scorebox-run", run),
                       ("scorebox-seq", str(ident)), ("scorebox-prev", f"{run}-{ident - matches}" if n else "")]
            while True:
                try:
                    writer.produce("cricket-live-data", json.dumps(row).encode(), row["id"], partition=m, headers=headers)
                    break
                except BufferError:
                    writer.poll(0.1)
        writer.poll(0)
    assert writer.flush(60) == 0


def consume_filled(broker, make_box, kafka_client, states, batch_bytes):
    """A box that has read 25 matches of so many states to their end, and its run."""
    bootstrap = broker(partitions=25)
    fill(kafka_client(bootstrap), matches=25, states=states, batch_bytes=batch_bytes)
    box = make_box(API_KEY="unused", KAFKA_BROKERS=bootstrap)
    run = box.run("consume", "--until-end", timeout=900)
    assert run.code == 0, run.err[-2000:]
    return box, run


def test_consume_100000_records_into_workbooks(broker, make_box, kafka_client, limit):
    """In batches as large as `produce` writes them."""
    box, run = consume_filled(broker, make_box, kafka_client, states=4000, batch_bytes=32 << 10)
    status = json.loads((box.state / "status.json").read_text())
    assert status["journal"]["records"] == 100000
    assert len(box.books()) == 25
    print("consume:", peak(run.err), "KiB, its child:", status["workbooks"]["child_peak_kib"], "KiB")
    assert peak(run.err) <= limit
    assert 0 < status["workbooks"]["child_peak_kib"] <= 4 * MIB


def test_consume_batches_of_a_mebibyte(broker, make_box, kafka_client, limit):
    """The largest for which the ceiling is promised: two of them lie unpacked in memory."""
    _, run = consume_filled(broker, make_box, kafka_client, states=2000, batch_bytes=1 << 20)
    print("consume, batches of 1 MiB:", peak(run.err), "KiB")
    assert peak(run.err) <= limit + 2 * MIB


def test_both_stays_within_its_default_ceiling(data, serve, broker, make_box):
    pages = serve(*[p for p in sorted((data / "cricapi").glob("*atches_*.json"))])
    box = make_box(**pages.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="50ms", BOOK_INTERVAL="100ms")
    running = box.start("both")
    running.wait_for("poll.changed")
    wait_until(lambda: len(box.books()) > 20, 60, "workbooks")
    assert running.stop() == 0
    status = json.loads((box.state / "status.json").read_text())
    total = peak(running.err) + status["workbooks"]["child_peak_kib"]
    print("both:", peak(running.err), "KiB, its child:", status["workbooks"]["child_peak_kib"], "KiB")
    assert total <= 20 * MIB

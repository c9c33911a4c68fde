"""The memory ceilings, as the kernel counts them (VmHWM), of the build that ships."""
import json
import os
import re

import pytest

MIB = 1024	# in KiB

pytestmark = pytest.mark.skipif("native" not in os.environ.get("SCOREBOX_BINARY", "native"),
                                reason="SKIPPED: memory is measured with the native build")


def peak(err):
    """What the service says of itself at its end; /proc is gone by then."""
    return int(re.findall(r"memory peak (\d+) KiB", err)[-1])


@pytest.fixture(scope="module")
def swept():
    """Peaks that later tests compare with."""
    return {}


def test_produce_sweeping_pages_and_draining_a_backlog(data, serve, broker, make_box, topic_records, swept):
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
    assert swept["backlog"] <= 10 * MIB


def test_a_body_of_100000_rows_takes_no_more_than_a_mebibyte_above(serve, broker, make_box, swept):
    if "backlog" not in swept:
        pytest.skip("SKIPPED: nothing to compare with")
    api = serve("--rows", "100000")
    box = make_box(**api.settings, KAFKA_BROKERS=broker(partitions=32), API_MAX_BODY="128MiB", SPOOL_MAX="512MiB")
    run = box.run("produce", "--once", timeout=240)
    assert run.code == 0, run.err[-2000:]
    print("produce, a body of 100,000 rows:", peak(run.err), "KiB")
    assert peak(run.err) <= swept["backlog"] + 1 * MIB


def test_consume_100000_records_into_workbooks(serve, broker, make_box):
    api = serve("--rows", "100000")
    bootstrap = broker(partitions=32)
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, API_MAX_BODY="128MiB", SPOOL_MAX="512MiB", BOOKS="started")
    assert box.run("produce", "--once", timeout=240).code == 0
    run = box.run("consume", "--until-end", timeout=900)
    assert run.code == 0, run.err[-2000:]
    status = json.loads((box.state / "status.json").read_text())
    assert status["journal"]["records"] == 100000
    print("consume:", peak(run.err), "KiB, its child:", status["workbooks"]["child_peak_kib"], "KiB")
    assert peak(run.err) <= 10 * MIB
    assert 0 < status["workbooks"]["child_peak_kib"] <= 6 * MIB


def test_both_stays_within_its_default_ceiling(data, serve, broker, make_box):
    pages = serve(*[p for p in sorted((data / "cricapi").glob("*atches_*.json"))])
    box = make_box(**pages.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="50ms", BOOK_INTERVAL="100ms")
    running = box.start("both")
    running.wait_for("poll.changed")
    from conftest import wait_until
    wait_until(lambda: len(box.books()) > 20, 60, "workbooks")
    assert running.stop() == 0
    status = json.loads((box.state / "status.json").read_text())
    total = peak(running.err) + status["workbooks"]["child_peak_kib"]
    print("both:", peak(running.err), "KiB, its child:", status["workbooks"]["child_peak_kib"], "KiB")
    assert total <= 20 * MIB

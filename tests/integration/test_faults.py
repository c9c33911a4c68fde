"""What goes wrong gives one clear line that names the next step, and nothing is lost."""
import glob
import json
import os
import pathlib
import re
import socket
import subprocess

import pytest

from conftest import SLOW, wait_until
from scripted import scripted  # noqa: F401 (a fixture)

JSON = {"Content-Type": "application/json"}


def rows(*idents):
    return ",".join(json.dumps({"id": i, "name": i, "teams": ["A", "B"], "status": "live", "matchStarted": True,
                                "matchEnded": False, "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00",
                                "score": [{"r": 1, "w": 0, "o": 0.1, "inning": "A Inning 1"}]}) for i in idents)


def page(*idents):
    return ('{"apikey":"x","data":[%s],"status":"success","info":{"hitsToday":1,"hitsLimit":100,"totalRows":%d}}'
            % (rows(*idents), len(idents))).encode()


def lines_of(text, code):
    return [line for line in text.splitlines() if re.search(rf"\b{re.escape(code)}:", line)]


@pytest.fixture
def jsonl(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text("".join(json.dumps({"t": n, "seq": n, "ev": "", "match": json.loads(rows("m1"))}) + "\n"
                            for n in range(2)))
    return path


@pytest.mark.parametrize("fault, code, words", [
    ("401", "api.auth", "SCOREBOX_API_KEY"),
    ("500", "api.server", "500"),
    ("html", "api.notjson", "text/html"),
    ("truncate", "api.partial", "bytes"),
    ("reset", "api.reset", "after"),
    ("stall", "api.timeout", ""),
    ("slow", "api.timeout", ""),
    ("huge", "api.toobig", "SCOREBOX_API_MAX_BODY"),
    ("gzip", "api.toobig", "SCOREBOX_API_MAX_BODY"),
    ("redirect", "api.redirect", "SCOREBOX_API_URL"),
])
def test_an_ill_answer_is_one_line_and_loses_nothing(fault, code, words, jsonl, serve, broker, make_box, topic_records):
    api = serve("--fault", f"{fault}@1", jsonl)
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, API_TIMEOUT="1s")
    if SLOW == 1 and code != "api.toobig":
        ill = box.run("produce", "--once", "--timeout", "2s")
        assert ill.code == 69, ill.err
        assert "verb.timeout" in ill.err and "stay in the spool" in ill.err
    else:  # a second is not enough for a large body, or for an emulated program
        box.set(POLL_MIN="10m", API_TIMEOUT="1s" if code == "api.timeout" else "30s")
        ill = box.start("produce")
        ill.wait_for(code)
        assert ill.stop() == 0
    told = lines_of(ill.err, code)
    assert len(told) == 1, f"{fault}: not one line of {code} in\n{ill.err}"
    assert words in told[0] and "nothing lost" in told[0] and "next try in" in told[0], told[0]
    assert not topic_records(bootstrap)
    well = box.run("produce", "--once")
    assert well.code == 0, well.err
    assert [r.key for r in topic_records(bootstrap)] == [b"m1"]


def test_retry_after_is_kept_across_a_restart_and_not_probed(jsonl, serve, broker, make_box):
    api = serve("--fault", "429@1", jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker())
    for _ in range(2):
        run = box.run("produce", "--once", "--timeout", "2s")
        assert run.code == 69, run.err
    assert lines_of(run.err, "verb.timeout") and "block" in run.err
    status = json.loads((box.state / "status.json").read_text())
    assert status["poll"]["blocked_until"], status


def test_quota_used_up_is_a_block(jsonl, serve, broker, make_box):
    api = serve("--quota", "1", jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="0")
    assert box.run("produce", "--once").code == 0
    run = box.run("produce", "--once", "--timeout", "2s")
    assert run.code == 69, run.err
    told = lines_of(run.err, "api.quota")
    assert len(told) == 1 and "hits limit" in told[0], run.err


@pytest.mark.parametrize("headers, least, most", [
    ({"Retry-After": "3"}, 1, 4),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0, 2),
    ({"Retry-After": "99999999"}, 3000, 3601),
    ({"Retry-After": "soon"}, 1, 3601),
])
def test_retry_after_is_clamped(headers, least, most, scripted, broker, make_box):  # noqa: F811
    api = scripted(lambda n, path: (429, headers, b"slow down") if n == 1 else (200, JSON, page("m1")))
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="1s")
    running = box.start("produce")
    running.wait_for("api.quota:")
    told = lines_of(running.err, "api.quota")[0]
    number, unit = re.search(r"next try in (\d+) (s|min|h)", told).groups()
    seconds = int(number) * {"s": 1, "min": 60, "h": 3600}[unit]
    assert least <= seconds <= most, told
    assert running.stop() == 0


def test_failure_in_the_apis_own_words(scripted, broker, make_box, topic_records):  # noqa: F811
    body = b'{"status":"failure","reason":"Blocked for 15 minutes","info":{"hitsToday":3,"hitsLimit":100}}'
    api = scripted(lambda n, path: (200, JSON, body))
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    for _ in range(2):
        run = box.run("produce", "--once", "--timeout", "2s")
        assert run.code == 69, run.err
    assert len(api.paths) == 1, "a block was probed early"


def test_json_of_another_shape(scripted, broker, make_box):  # noqa: F811
    api = scripted(lambda n, path: (200, JSON, b'{"hello":"world"}'))
    box = make_box(**api.settings, KAFKA_BROKERS=broker())
    run = box.run("produce", "--once", "--timeout", "2s")
    assert run.code == 69 and "SCOREBOX_API_URL" in lines_of(run.err, "api.shape")[0], run.err


def test_broken_json_names_the_byte_and_takes_the_page_back(scripted, broker, make_box, topic_records):  # noqa: F811
    good = page("m1", "m2")
    bad = good[:good.index(b'"status":"success"')] + b'"status":sucess"}'
    api = scripted(lambda n, path: (200, JSON, bad if n == 1 else good))
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    run = box.run("produce", "--once", "--timeout", "2s")
    assert run.code == 69 and re.search(r"byte \d+", lines_of(run.err, "api.badjson")[0]), run.err
    assert not topic_records(bootstrap), "rows of a broken page were published"
    assert box.run("produce", "--once").code == 0
    assert len(topic_records(bootstrap)) == 2


def test_connection_refused(broker, make_box):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    box = make_box(API_URL=f"https://127.0.0.1:{port}/v1/currentMatches", API_KEY="k3y-of-tests", KAFKA_BROKERS=broker())
    run = box.run("produce", "--once", "--timeout", "2s")
    assert run.code == 69 and "refused" in lines_of(run.err, "api.connect")[0], run.err


def test_an_unknown_authority_is_refused(jsonl, serve, broker, make_box):
    one, other = serve(jsonl), serve(jsonl)
    settings = {**one.settings, "API_CA_FILE": other.ca}
    run = make_box(**settings, KAFKA_BROKERS=broker()).run("produce", "--once", "--timeout", "2s")
    assert run.code == 69 and lines_of(run.err, "api.tls"), run.err


def test_a_ca_file_without_certificates_is_refused_at_start(jsonl, serve, broker, make_box, tmp_path):
    api = serve(jsonl)
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing here")
    run = make_box(**{**api.settings, "API_CA_FILE": bad}, KAFKA_BROKERS=broker()).run("produce", "--once")
    assert run.code == 78 and str(bad) in run.err, run.err


def test_kafka_away_then_back(jsonl, serve, broker, make_box, topic_records):
    api = serve(jsonl)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    box = make_box(**api.settings, KAFKA_BROKERS=f"127.0.0.1:{port}")
    run = box.run("produce", "--once", "--timeout", "2s")
    assert run.code == 69, run.err
    told = lines_of(run.err, "kafka.down")
    assert told and f"127.0.0.1:{port}" in told[0] and "nothing lost" in told[0], run.err
    assert "1 rows stay in the spool" in run.err
    listing = box.run("spool", "ls")
    assert listing.code == 0 and "m1" in listing.out
    bootstrap = broker()
    drained = box.run("spool drain", KAFKA_BROKERS=bootstrap)
    assert drained.code == 0, drained.err
    assert [r.key for r in topic_records(bootstrap)] == [b"m1"]


def test_a_second_instance_is_refused(jsonl, serve, broker, make_box):
    api = serve(jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="1s")
    first = box.start("produce")
    first.wait_for("spool.open")
    second = box.run("produce")
    assert second.code == 75 and str(first.pid) in second.err, second.err
    assert box.run("spool ls").code == 75
    assert first.stop() == 0


def filled(serve, broker, make_box, jsonl, **settings):
    api = serve(jsonl)
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, **settings)
    assert box.run("produce", "--once").code == 0
    return box


def consumes_later(box, code):
    """A run that cannot write says so, ends with 74, and a later one writes everything."""
    run = box.run("consume", "--until-end")
    assert run.code == 74, run.err
    told = lines_of(run.err, code)
    assert len(told) == 1 and "nothing lost" in told[0], run.err
    return told[0]


def test_output_folder_missing(jsonl, serve, broker, make_box, tmp_path):
    box = filled(serve, broker, make_box, jsonl, OUTPUT_MOUNT="require")
    line = consumes_later(box, "output.not-mounted")
    assert str(box.output) in line
    box.set(OUTPUT_MOUNT="any")
    assert box.run("consume", "--until-end").code == 0
    assert len(box.books()) == 1


def test_output_below_a_missing_stick(jsonl, serve, broker, make_box, tmp_path):
    box = filled(serve, broker, make_box, jsonl, OUTPUT_DIR=tmp_path / "no" / "such" / "place")
    consumes_later(box, "output.absent")
    box.set(OUTPUT_DIR=box.output)
    assert box.run("consume", "--until-end").code == 0
    assert len(box.books()) == 1


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB; needs the right to mount."""
    place = tmp_path / "stick"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "scorebox-test", place], capture_output=True)
    if done.returncode:
        print("SKIPPED: no right to mount a tmpfs")
        pytest.skip("no right to mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_output_full(jsonl, serve, broker, make_box, small_disk):
    box = filled(serve, broker, make_box, jsonl, OUTPUT_DIR=small_disk, OUTPUT_MIN_FREE="1MiB")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (1536 << 10))
    consumes_later(box, "output.full")
    assert not list(small_disk.glob("*.xlsx"))
    filler.unlink()
    assert box.run("consume", "--until-end").code == 0
    assert list(small_disk.glob("2026*.xlsx"))


def test_output_read_only(jsonl, serve, broker, make_box, small_disk):
    box = filled(serve, broker, make_box, jsonl, OUTPUT_DIR=small_disk, OUTPUT_MIN_FREE="0")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    consumes_later(box, "output.read-only")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert box.run("consume", "--until-end").code == 0
    assert list(small_disk.glob("2026*.xlsx"))


def test_a_stick_that_comes_back_empty_gets_everything(jsonl, serve, broker, make_box):
    box = filled(serve, broker, make_box, jsonl)
    assert box.run("consume", "--until-end").code == 0
    (name,) = box.books()
    content = (box.output / name).read_bytes()
    for path in box.output.iterdir():
        path.unlink()
    assert box.run("consume", "--until-end").code == 0
    assert (box.output / name).read_bytes() == content, "equal journals do not give equal bytes"


def test_poison_records_go_to_the_errors_sheet(jsonl, serve, broker, make_box, open_book, kafka_client):
    kafka = pytest.importorskip("confluent_kafka")
    bootstrap = broker(partitions=1)
    api = serve(jsonl)
    writer = kafka.Producer(kafka_client(bootstrap))
    for key, value in ((b"k", None), (None, b'{"id":"x"}'), (b"k", b"not json"), (b"k", b"[1,2]"), (b"k", b'{"a":01}')):
        writer.produce("cricket-live-data", key=key, value=value)
    writer.flush(10)
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    assert box.run("produce", "--once").code == 0
    run = box.run("consume", "--until-end")
    assert run.code == 0, run.err
    errors = open_book(box.output / "Matches.xlsx")["Errors"]
    assert sum(1 for row in errors if isinstance(row[1], (int, float))) == 5, errors
    assert len(box.books()) == 1


def test_sigterm_ends_both_within_ten_seconds_with_its_workbooks(jsonl, serve, broker, make_box):
    api = serve(jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="100ms", BOOK_INTERVAL="1h")
    running = box.start("both")
    wait_until(lambda: box.books(), 20, "a workbook")
    assert running.stop(10) == 0, running.err
    assert (box.output / "Matches.xlsx").exists()
    status = json.loads((box.state / "status.json").read_text())
    assert status["running"] is False and status["journal"]["records"] == 1


def test_sighup_reads_the_key_again_and_polls_at_once(jsonl, serve, broker, make_box, topic_records, tmp_path):
    key = tmp_path / "key"
    key.write_text("wrong-key\n")
    key.chmod(0o600)
    api = serve("--key", "right-key", jsonl)
    bootstrap = broker()
    box = make_box(**{**api.settings, "API_KEY": None}, API_KEY_FILE=key, KAFKA_BROKERS=bootstrap)
    running = box.start("produce")
    running.wait_for("api.auth:")
    key.write_text("right-key\r\n")
    running.signal(1)
    wait_until(lambda: topic_records(bootstrap), 20, "a record after SIGHUP")
    assert running.stop() == 0
    assert "wrong-key" not in running.err and "right-key" not in running.err


def test_a_damaged_spool_is_set_aside(jsonl, serve, broker, make_box):
    box = filled(serve, broker, make_box, jsonl)
    spool = pathlib.Path(box.state / "spool.db")
    spool.write_bytes(b"this is no database, not any more" * 200)
    run = box.run("produce", "--once")
    assert run.code == 0 and lines_of(run.err, "store.damaged"), run.err
    assert glob.glob(str(box.state / "spool.db.bad-*"))


def test_memory_ceiling_too_small_is_refused_with_the_sum(jsonl, serve, broker, make_box):
    api = serve(jsonl)
    run = make_box(**api.settings, KAFKA_BROKERS=broker(), MEMORY_MAX="2MiB").run("produce", "--once")
    assert run.code == 78 and "SCOREBOX_MEMORY_MAX" in run.err and re.search(r"\d+(\.\d+)? ?[KM]iB", run.err), run.err


def test_nothing_open_is_left_behind(jsonl, serve, broker, make_box):
    """Descriptors and threads stay flat over hundreds of polls."""
    api = serve("--quota", "100000", jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="1ms", BOOK_INTERVAL="10ms", PUBLISH="all")
    running = box.start("both")

    def counts():
        base = pathlib.Path(f"/proc/{running.pid}")
        return len(os.listdir(base / "fd")), len(os.listdir(base / "task"))

    def records():
        try:
            return json.loads((box.state / "status.json").read_text())["journal"]["records"]
        except (FileNotFoundError, ValueError):
            return 0

    wait_until(lambda: records() >= 20, 30, "20 records")
    first, seen = counts(), records()
    wait_until(lambda: records() >= seen + 300, 60, "300 more records")
    second = counts()
    assert second[0] - first[0] <= 4 and second[1] - first[1] <= 2, (first, second)
    assert running.stop() == 0

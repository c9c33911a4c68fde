"""Ways to lose, double or stand still that a hostile reader of the code looked for."""
import json

import pytest

from conftest import wait_until


def state(ident, n, ended=False):
    return {"id": ident, "name": f"{ident} A vs B", "matchType": "t20", "status": f"ball {n}", "date": "2026-01-01",
            "dateTimeGMT": "2026-01-01T10:00:00", "teams": ["A", "B"], "matchStarted": True, "matchEnded": ended,
            "score": [{"r": n, "w": 0, "o": 0.1, "inning": "A Inning 1"}]}


@pytest.fixture
def matches(tmp_path):
    """matches(count, states) writes that many replay files; the answer is their paths."""
    def make(count, states):
        paths = []
        for m in range(count):
            path = tmp_path / f"match{m}.jsonl"
            path.write_text("".join(json.dumps({"t": n, "seq": n, "ev": "", "match": state(f"{m:08d}-aaaa", n)}) + "\n"
                                    for n in range(states)))
            paths.append(path)
        return paths

    return make


def records_of(open_book, box):
    """How many records each match has, by the box's workbooks."""
    return {name.rsplit("_", 1)[1][:8]: len(open_book(box.output / name)["Records"]) - 1 for name in box.books()}


def test_a_group_hands_over(matches, serve, broker, make_box, open_book):
    """Two boxes of one group: when the first leaves, the other has every match from its beginning."""
    api = serve("--step", *matches(12, 3))
    bootstrap = broker(partitions=4)
    maker = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    assert maker.run("produce", "--sweeps", "3").code == 0
    settings = {"KAFKA_BROKERS": bootstrap, "KAFKA_GROUP": "pair", "BOOK_INTERVAL": "1s"}
    one, two = make_box(name="one", **settings), make_box(name="two", **settings)
    first = one.start("consume")
    wait_until(lambda: len(one.books()) == 12, 40, "all workbooks of the first box")
    second = two.start("consume")
    second.wait_for("output.ok:")
    assert first.stop() == 0, first.err
    wait_until(lambda: len(two.books()) == 12, 100, "all workbooks of the second box")
    assert second.stop() == 0, second.err
    for box in (one, two):
        assert records_of(open_book, box) == {f"{m:08d}": 3 for m in range(12)}
    assert " error " not in first.err + second.err


def test_until_end_in_a_group(matches, serve, broker, make_box, open_book):
    api = serve("--step", *matches(6, 2))
    bootstrap = broker(partitions=3)
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, KAFKA_GROUP="alone")
    assert box.run("produce", "--sweeps", "2").code == 0
    for _ in range(2):
        run = box.run("consume", "--until-end")
        assert run.code == 0, run.err
    assert records_of(open_book, box) == {f"{m:08d}": 2 for m in range(6)}


def test_states_dropped_at_the_cap_are_told_counted_and_shown(tmp_path, serve, broker, make_box, topic_records):
    """What the cap costs is a line, a figure in the status, and a header at the next survivor: no more, no less."""
    path = tmp_path / "large.jsonl"
    with open(path, "w") as out:
        for n in range(40):
            for m in range(20):
                row = {**state(f"{m:08d}-bbbb", n), "filler": f"{n:04d}" * 500}
                out.write(json.dumps({"t": n, "seq": n, "ev": "", "match": row}) + "\n")
    api = serve("--step", path)
    box = make_box(**api.settings, SPOOL_MAX="1MiB")
    full = box.run("produce", "--sweeps", "40", "--timeout", "3s", KAFKA_BROKERS="127.0.0.1:1")
    assert full.code == 69, full.err
    assert " error spool.dropped: " in full.err, full.err
    dropped = json.loads((box.state / "status.json").read_text())["spool"]["superseded_states_dropped"]
    assert dropped > 0
    assert sum(int(line.split("spool.dropped: the spool is full: ")[1].split()[0])
               for line in full.err.splitlines() if " spool.dropped: " in line) == dropped
    bootstrap = broker()
    drain = box.run("spool drain", KAFKA_BROKERS=bootstrap)
    assert drain.code == 0, drain.err
    records = topic_records(bootstrap)
    assert sum(int(r.headers.get("scorebox-dropped", 0)) for r in records) == dropped
    assert len(records) + dropped == 40 * 20


def test_until_end_beyond_the_journals_cap(tmp_path, serve, broker, make_box):
    """Matches that are over get their workbooks early and leave the journal: it ends, with all of them."""
    path = tmp_path / "many.jsonl"
    rows = [{**state(f"{m:08d}-cccc", 1, ended=True), "filler": "wide" * 3000} for m in range(150)]
    path.write_text("".join(json.dumps({"t": 0, "seq": 0, "ev": "", "match": row}) + "\n" for row in rows))
    api = serve("--step", path)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), JOURNAL_MAX="2MiB")
    assert box.run("produce", "--once").code == 0
    run = box.run("consume", "--until-end", "--timeout", "20s", timeout=300)
    assert run.code == 0, run.err[-3000:]
    assert "journal.full" in run.err and "journal.room" in run.err
    assert len({name.rsplit("_", 1)[1][:8] for name in box.books()}) == 150


@pytest.mark.parametrize("group", ["", "alone"])
def test_sigterm_with_the_broker_gone(group, matches, serve, broker, make_box):
    """The client's farewell is no reason to be ended hard."""
    api = serve("--step", *matches(3, 2))
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, KAFKA_GROUP=group, BOOK_INTERVAL="1h")
    assert box.run("produce", "--sweeps", "2").code == 0
    running = box.start("consume")
    wait_until(lambda: len(box.books()) == 3, 40, "the workbooks")
    broker.process.kill()
    running.wait_for("kafka.", 20)
    assert running.stop() == 0, running.err
    assert "service.slow" not in running.err


def test_books_mends_a_damaged_workbook(matches, serve, broker, make_box):
    """Bytes that rotted on the stick, in a file whose properties can still be read."""
    api = serve("--step", *matches(3, 4))
    box = make_box(**api.settings, KAFKA_BROKERS=broker())
    assert box.run("produce", "--sweeps", "4").code == 0
    assert box.run("consume", "--until-end").code == 0
    sound = {name: (box.output / name).read_bytes() for name in box.books()}
    rotten, whole = sorted(sound)[:2]
    at = sound[rotten].index(b"xl/worksheets/sheet2.xml") + 60
    (box.output / rotten).write_bytes(sound[rotten][:at] + b"\0\0\0\0" + sound[rotten][at + 4:])
    before = (box.output / whole).stat().st_ino
    run = box.run("books", KAFKA_BROKERS="127.0.0.1:1")
    assert run.code == 0, run.err
    assert {name: (box.output / name).read_bytes() for name in box.books()} == sound
    assert (box.output / whole).stat().st_ino == before, "a sound workbook was written again"


def test_fixtures_get_their_workbooks_when_all_are_wanted(tmp_path, serve, broker, make_box):
    path = tmp_path / "fixture.jsonl"
    row = {**state("00000001-dddd", 0), "matchStarted": False, "score": []}
    path.write_text(json.dumps({"t": 0, "seq": 0, "ev": "", "match": row}) + "\n")
    api = serve(path)
    box = make_box(**api.settings, KAFKA_BROKERS=broker())
    assert box.run("produce", "--once").code == 0
    assert box.run("consume", "--until-end").code == 0
    assert not box.books()
    assert box.run("consume", "--until-end", BOOKS="all").code == 0
    assert len(box.books()) == 1

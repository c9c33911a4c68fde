"""A cross-built program does exactly what this machine's own does: the same records, the same workbooks, of every
recorded page and match. Skipped where the program under test is the machine's own."""
import collections
import os
import zipfile

import pytest

from conftest import Box


@pytest.fixture
def both(scorebox, peer, spawn, tmp_path):
    """both(NAME=value, ...): two boxes with the same settings, of the program under test and of the machine's own."""
    if os.path.samefile(scorebox, peer):
        pytest.skip("SKIPPED: one program only; this compares a cross-built one with the machine's own")

    def make(**settings):
        return [Box(binary, tmp_path / name, spawn, settings) for name, binary in (("tested", scorebox), ("own", peer))]

    return make


def per_match(records):
    """key → the values in the order in which they were sent; what differs by nature is looked at apart."""
    found = collections.defaultdict(list)
    for record in sorted(records, key=lambda r: int(r.headers["scorebox-seq"])):
        found[record.key].append((record.value, record.partition, record.headers["ce_source"]))
    return found


def compare_topics(both, serve, broker, topic_records, arguments, sweeps, **settings):
    topics = []
    for box in both(**settings):
        api = serve(*arguments)
        bootstrap = broker(partitions=6, beside=True)
        run = box.run("produce", "--sweeps", str(sweeps), **api.settings, KAFKA_BROKERS=bootstrap, timeout=300)
        assert run.code == 0, run.err[-2000:]
        source = api.url.encode()
        found = per_match(topic_records(bootstrap, seconds=60))
        topics.append({key: [(v, p, s.replace(source, b"")) for v, p, s in rows] for key, rows in found.items()})
    tested, own = topics
    assert own and tested.keys() == own.keys()
    for key in own:
        assert tested[key] == own[key], f"match {key}"
    return sum(map(len, own.values()))


def test_recorded_pages_give_the_same_records(both, serve, broker, topic_records, data):
    pages = sorted((data / "cricapi").glob("*atches_*.json"))
    assert compare_topics(both, serve, broker, topic_records, pages, 2) > 100


def test_replayed_matches_give_the_same_records(both, serve, broker, topic_records, replayed):
    files = [path for path, _ in replayed.values()]
    assert compare_topics(both, serve, broker, topic_records, ["--step", *files], 60) > 10 * len(files)


def parts_of(path):
    """name → bytes of what is in a workbook, without the properties: they hold the journal's id, drawn at random."""
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist() if not name.startswith("docProps/")}


def compare_books(boxes, least):
    tested, own = (sorted(p.name for p in box.output.glob("*.xlsx")) for box in boxes)
    assert tested == own and len(own) >= least, (tested, own)
    for name in own:
        a, b = (parts_of(box.output / name) for box in boxes)
        assert a.keys() == b.keys(), name
        for part in b:
            assert a[part] == b[part], f"{name}: {part} differs"


def test_the_same_topic_gives_the_same_workbooks(both, serve, broker, peer, spawn, tmp_path, data, replayed):
    """All states of all recorded matches, and the recorded pages, are in one topic; both programs read it."""
    bootstrap = broker(partitions=12)
    feeder = Box(peer, tmp_path / "feeder", spawn, {"KAFKA_BROKERS": bootstrap})
    matches = serve("--step", *[path for path, _ in replayed.values()])
    longest = max(len(states) for _, states in replayed.values())
    run = feeder.run("produce", "--sweeps", str(longest), **matches.settings, timeout=300)
    assert run.code == 0, run.err[-2000:]
    pages = serve(*sorted((data / "cricapi").glob("*atches_*.json")))
    run = feeder.run("produce", "--once", **pages.settings)
    assert run.code == 0, run.err[-2000:]
    boxes = both(KAFKA_BROKERS=bootstrap, TIMEZONE="IST-5:30")
    for box in boxes:
        run = box.run("consume", "--until-end", timeout=600)
        assert run.code == 0, run.err[-2000:]
    compare_books(boxes, len(replayed))

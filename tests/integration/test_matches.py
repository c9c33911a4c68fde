"""Each recorded match, replayed state by state, ends as a workbook whose Timeline has every change once and in
order and whose last row is the match's final score; also with two producers, a wiped producer, a topic made
anew, and a restarted consumer."""
import glob
import json
import os

import pytest

from conftest import wait_until


def overs_text(o):
    return str(o)


def balls(o, hundred):
    if hundred:
        return int(o)
    whole = int(o)
    return whole * 6 + round((o - whole) * 10)


def changes(states):
    """States that differ from the one before them."""
    out = []
    for s in states:
        if not out or json.dumps(s) != json.dumps(out[-1]):
            out.append(s)
    return out


def expected_row(state):
    row = [state["status"]]
    hundred = "matchType" not in state
    for s in state.get("score", []):
        row += [s["inning"], s["r"], s["w"], overs_text(s["o"]), balls(s["o"], hundred)]
    return row


def timeline(book):
    """(status, innings, runs, wickets, overs, balls, ...) of each state row."""
    rows = book["Timeline"]
    head = rows[0]
    columns = [head.index("Status")]
    k = 1
    while f"Innings {k}" in head:
        columns += [head.index(f"{what} {k}") for what in ("Innings", "Runs", "Wickets", "Overs", "Balls")]
        k += 1
    out = []
    for row in rows[1:]:
        values = [row[c] for c in columns]
        while values and values[-1] is None:
            values.pop()
        out.append(values)
    return out


def assert_match(open_book, folder, name, states):
    ident = states[0]["id"]
    found = [p for p in glob.glob(os.path.join(folder, "*.xlsx")) if ident[:8] in os.path.basename(p)]
    assert len(found) == 1, (name, os.listdir(folder))
    got = timeline(open_book(found[0]))
    want = [expected_row(s) for s in changes(states)]
    assert len(got) == len(want), f"{name}: {len(got)} rows in the Timeline, {len(want)} changes"
    for n, (g, w) in enumerate(zip(got, want)):
        assert g == w, f"{name}: Timeline row {n + 2} is {g}, not {w}"
    return found[0]


def test_every_state_once_and_in_order(replayed, serve, broker, make_box, topic_records, open_book):
    api = serve("--step", *[path for path, _ in replayed.values()])
    bootstrap = broker(partitions=8)
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    longest = max(len(states) for _, states in replayed.values())
    run = box.run("produce", "--sweeps", str(longest + 1), timeout=300)
    assert run.code == 0, run.err
    end = box.run("consume", "--until-end", timeout=300)
    assert end.code == 0, end.err
    for name, (_, states) in replayed.items():
        assert_match(open_book, box.output, name, states)
    assert os.path.exists(os.path.join(box.output, "Matches.xlsx"))


def small(replayed):
    """The shortest match with two innings and a result."""
    full = {n: v for n, v in replayed.items() if len(v[1]) > 100}
    return min(full.items(), key=lambda item: len(item[1][1]))


def test_a_state_that_returns_is_three_rows(tmp_path, serve, broker, make_box, topic_records, open_book):
    def state(status):
        return {"id": "11111111-2222-3333-4444-555555555555", "name": "A vs B", "matchType": "t20", "status": status,
                "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00", "teams": ["A", "B"], "matchStarted": True,
                "matchEnded": False, "score": [{"r": 1, "w": 0, "o": 0.1, "inning": "A Inning 1"}]}

    states = [state("one"), state("two"), state("one"), state("one"), state("two")]
    path = tmp_path / "aba.jsonl"
    path.write_text("".join(json.dumps({"t": n, "seq": n, "ev": "", "match": s}) + "\n" for n, s in enumerate(states)))
    api = serve("--step", str(path))
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    assert box.run("produce", "--sweeps", "6").code == 0
    assert box.run("consume", "--until-end").code == 0
    assert_match(open_book, box.output, "aba", states)
    book = open_book(glob.glob(os.path.join(box.output, "2026*.xlsx"))[0])
    assert [row[0] for row in timeline(book)] == ["one", "two", "one", "two"]


def ended(records):
    """How many producers have told the end."""
    return len({r.headers["scorebox-run"] for r in records if b'"matchEnded":true' in r.value})


def test_two_producers_of_one_api_give_one_clean_timeline(replayed, serve, broker, make_box, topic_records, open_book):
    name, (path, states) = small(replayed)
    span = 4 * 3600
    api = serve("--speed", str(span / 12), path)
    bootstrap = broker()
    boxes = [make_box(**api.settings, KAFKA_BROKERS=bootstrap, POLL_INTERVAL="3ms") for i in (1, 2)]
    running = [box.start("produce") for box in boxes]
    wait_until(lambda: ended(topic_records(bootstrap)) == 2, 60, "the end of the match from both producers")
    for r in running:
        assert r.stop() == 0, r.err
    reader = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    assert reader.run("consume", "--until-end").code == 0
    published = {json.dumps(json.loads(r.value)) for r in topic_records(bootstrap)}
    seen = [s for s in changes(states) if json.dumps(s) in published]
    assert len(seen) > 20
    assert_match(open_book, reader.output, name, seen)


def test_a_wiped_producer_doubles_nothing(replayed, serve, broker, make_box, topic_records, open_book):
    name, (path, states) = small(replayed)
    api = serve("--step", path)
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    half = len(states) // 2
    assert box.run("produce", "--sweeps", str(half)).code == 0
    for file in os.listdir(box.state):
        if not file.startswith("journal.db"):
            os.unlink(box.state / file)
    assert box.run("produce", "--sweeps", str(len(states) - half + 3)).code == 0
    assert box.run("consume", "--until-end").code == 0
    assert_match(open_book, box.output, name, states)


def test_a_topic_made_anew_skips_and_doubles_nothing(replayed, serve, broker, make_box, topic_records, open_book):
    name, (path, states) = small(replayed)
    api = serve("--step", path)
    first, second = broker(), broker(beside=True)
    box = make_box(**api.settings, KAFKA_BROKERS=first)
    half = len(states) // 2
    assert box.run("produce", "--sweeps", str(half)).code == 0
    assert box.run("consume", "--until-end").code == 0
    box.set(KAFKA_BROKERS=second)
    assert box.run("produce", "--sweeps", str(len(states) - half + 1)).code == 0
    assert box.run("consume", "--until-end").code == 0
    assert_match(open_book, box.output, name, states)


def test_a_restarted_consumer_reads_nothing_twice(replayed, serve, broker, make_box, topic_records, open_book):
    name, (path, states) = small(replayed)
    api = serve("--step", path)
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    for part in range(4):
        assert box.run("produce", "--sweeps", str(len(states) // 4 + 1)).code == 0
        assert box.run("consume", "--until-end").code == 0
    book = assert_match(open_book, box.output, name, states)
    before = open(book, "rb").read()
    assert box.run("consume", "--until-end").code == 0
    assert open(book, "rb").read() == before, "an unchanged workbook was rewritten"

"""`both` for as long as SCOREBOX_SOAK_SECONDS says (600): memory, descriptors, threads and files stay flat, and every
state that the API gave stands in a workbook."""
import json
import os
import pathlib
import re
import select
import time

from conftest import END_SECONDS

SECONDS = int(os.environ.get("SCOREBOX_SOAK_SECONDS", "600"))
MATCHES = 6
SAMPLES = 60
STATES = 4000	# of each match; then the last one stays
GROWTH_KIB_AN_HOUR = 1024	# beyond what a run this short can tell apart from noise
NOISE_KIB = 512
WAL_KIB = 8 * 1024


def state(match, n):
    return {"id": f"{match:08d}-0000-4000-8000-000000000000", "name": f"Alpha {match} vs Beta {match}", "matchType": "odi",
            "status": f"Beta {match} need {99999 - n} runs", "venue": "Some Ground", "date": "2026-01-01",
            "dateTimeGMT": "2026-01-01T10:00:00", "teams": [f"Alpha {match}", f"Beta {match}"],
            "score": [{"r": n, "w": n % 10, "o": f"{n // 6}.{n % 6}", "inning": f"Alpha {match} Inning 1"}],
            "series_id": "s", "matchStarted": True, "matchEnded": False}


def write_matches(folder):
    files = []
    for match in range(MATCHES):
        path = folder / f"match{match}.jsonl"
        with open(path, "w") as out:
            for n in range(STATES):
                out.write(json.dumps({"t": n, "seq": n, "ev": "", "match": state(match, n)}) + "\n")
        files.append(path)
    return files


def sample(process, box):
    """What it holds now: VmRSS, threads, descriptors, and the write-ahead logs."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    logs = [path.stat().st_size for path in box.state.glob("*-wal")]
    return {"kib": int(re.search(r"VmRSS:\s+(\d+)", status).group(1)),
            "threads": int(re.search(r"Threads:\s+(\d+)", status).group(1)),
            "descriptors": len(os.listdir(f"/proc/{process.pid}/fd")), "wal_kib": max(logs, default=0) // 1024}


def watch(process, box):
    samples, began = [], time.monotonic()
    while time.monotonic() - began < SECONDS:
        select.select([], [], [], SECONDS / SAMPLES)
        assert process.running, process.err[-3000:]
        samples.append({"second": time.monotonic() - began, **sample(process, box)})
    return samples


def slope(samples, of):
    """Least squares: growth a second."""
    x, y = [s["second"] for s in samples], [s[of] for s in samples]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def values_in(open_book, path):
    """The runs of innings 1 in the order of the Timeline."""
    rows = open_book(path)["Timeline"]
    place = next(n for n, row in enumerate(rows) if "Runs 1" in row)
    column = rows[place].index("Runs 1")
    return [row[column] for row in rows[place + 1:] if row[column] is not None]


def test_nothing_grows_and_nothing_is_missing(tmp_path, serve, broker, make_box, topic_records, open_book):
    # A sweep must not come oftener than the broker's memory holds it: all STATES pass in four fifths of the time.
    pause_ms = max(5, SECONDS * 800 // STATES)
    api = serve("--step", "--quota", "100000000", *write_matches(tmp_path))
    bootstrap = broker(partitions=16)
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, POLL_INTERVAL=f"{pause_ms}ms", BOOK_INTERVAL="1s")
    process = box.start("both")
    samples = watch(process, box)
    assert process.stop(END_SECONDS) == 0, process.err[-3000:]
    settled = samples[len(samples) // 4:]

    growth = slope(settled, "kib") * (settled[-1]["second"] - settled[0]["second"])
    allowed = NOISE_KIB + GROWTH_KIB_AN_HOUR * SECONDS / 3600
    print(f"{SECONDS} s: VmRSS {settled[0]['kib']} … {settled[-1]['kib']} KiB, by slope {growth:+.0f} KiB;",
          *(f"{what} {min(s[what] for s in settled)}–{max(s[what] for s in settled)};"
            for what in ("threads", "descriptors", "wal_kib")))
    assert growth <= allowed
    for what, spread in (("threads", 2), ("descriptors", 8)):
        early = max(s[what] for s in settled[:len(settled) // 2])
        assert max(s[what] for s in settled[len(settled) // 2:]) <= early + spread, what
    assert max(s["wal_kib"] for s in samples) <= WAL_KIB

    status = json.loads((box.state / "status.json").read_text())
    assert status["spool"]["rows"] == 0
    # What came to the topic in the last moments is read at the next start.
    assert box.run("consume", "--until-end").code == 0
    sent = {}
    for record in topic_records(bootstrap, seconds=60):
        value = json.loads(record.value)
        sent.setdefault(value["name"], []).append(value["score"][0]["r"])
    assert len(sent) == MATCHES
    for name, runs in sent.items():
        alpha, beta = name.split(" vs ")
        book, = box.output.glob(f"*{alpha.replace(' ', '-')}-vs-{beta.replace(' ', '-')}_*.xlsx")
        assert sorted(runs) == list(range(min(runs), max(runs) + 1)), f"{name}: the API gave states that are not in the topic"
        assert values_in(open_book, book) == sorted(runs), name
    print(f"{sum(map(len, sent.values()))} states of {MATCHES} matches, all in the workbooks")

"""`scorebox demo`: the whole path in one command, and that it leaves nothing behind but its folder."""
import os
import pathlib
import signal
import subprocess
import time

import openpyxl
import pytest

from conftest import SLOW

pytestmark = pytest.mark.embedded("the demo brings its broker with it")

BOOK = "2025-04-16_Delhi-Capitals-vs-Rajasthan-Royals_18534a4e.xlsx"
STATES = 256    # of the 258 that are served two are equal to the one before: the ends of the innings
RESULT = "Match tied (Delhi Capitals won the super over)"


@pytest.fixture
def demo(scorebox, tmp_path):
    """demo() starts it in a folder of its own; what still runs is ended with the test."""
    started = []

    def start():
        env = {k: v for k, v in os.environ.items() if not k.startswith("SCOREBOX_")}
        # A setting of the caller must not reach the demo.
        env["SCOREBOX_API_URL"] = "https://api.example.invalid/"
        process = subprocess.Popen([scorebox, "demo"], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def run(demo):
    process = demo()
    out, err = process.communicate(timeout=60 * SLOW)
    assert process.returncode == 0, out + err
    return out


def children_of(pid):
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def check_books(folder):
    book = openpyxl.load_workbook(folder / BOOK, read_only=True)
    timeline = list(book["Timeline"].values)
    names = timeline[0]
    rows = [dict(zip(names, row)) for row in timeline[1:]]
    assert len(rows) == STATES
    assert rows[-1]["Status"] == RESULT
    assert [rows[-1][f"{k} {n}"] for n in (1, 2) for k in ("Runs", "Wickets", "Overs", "Balls")] == \
        [188, 5, "20", 120, 188, 4, "20", 120]
    totals = [(r["Balls 1"] or 0) + (r["Balls 2"] or 0) for r in rows]
    assert totals == sorted(totals) and len(set(totals)) == 241
    index = list(openpyxl.load_workbook(folder / "Matches.xlsx", read_only=True)["Matches"].values)
    assert len(index) == 2 and BOOK in index[1] and RESULT in index[1]


def test_demo_and_again(demo, tmp_path):
    folder = tmp_path / "scorebox-demo"
    begun = time.monotonic()
    out = run(demo)
    print(f"{time.monotonic() - begun:.1f} s")
    assert "\033" not in out    # no terminal, no escapes
    assert "Innings break: Delhi Capitals 188/5 (20)" in out and RESULT in out
    assert f"scorebox-demo/{BOOK}" in out and "scorebox-demo/Matches.xlsx" in out
    check_books(folder)
    (folder / "mine.txt").write_text("kept")
    (folder / BOOK).write_bytes(b"spoilt")
    run(demo)
    check_books(folder)
    assert (folder / "mine.txt").read_text() == "kept"
    assert sorted(p.name for p in folder.glob("*.xlsx")) == [BOOK, "Matches.xlsx"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_early_it_ends_all(demo, tmp_path, number):
    process = demo()
    wait_until(lambda: len(children_of(process.pid)) == 3)
    children = children_of(process.pid)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGINT
    assert not any(alive(pid) for pid in children)


def test_killed_its_children_follow(demo):
    process = demo()
    wait_until(lambda: len(children_of(process.pid)) == 3)
    children = children_of(process.pid)
    process.kill()
    process.communicate(timeout=30)
    wait_until(lambda: not any(alive(pid) for pid in children))


def test_a_part_that_dies_is_named(demo):
    process = demo()
    wait_until(lambda: len(children_of(process.pid)) == 3)
    serve = next(pid for pid in children_of(process.pid)
                 if b"\0serve\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(serve, signal.SIGKILL)
    _, err = process.communicate(timeout=40)
    assert process.returncode == 70
    assert "'serve' ended with exit code 137" in err and "The last lines of scorebox-demo/demo.log" in err


def test_a_folder_of_somebody_else_stays(demo, tmp_path):
    (tmp_path / "scorebox-demo").mkdir()
    (tmp_path / "scorebox-demo" / "Matches.xlsx").write_text("not ours")
    process = demo()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 74 and "no demo made it" in err
    assert (tmp_path / "scorebox-demo" / "Matches.xlsx").read_text() == "not ours"

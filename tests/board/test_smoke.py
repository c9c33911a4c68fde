"""The whole way once, as somebody with a card and a stick would go it: the image as it is, in an emulated Raspberry Pi 3B,
started by its own U-Boot; a text file edited under Windows; no clock; one real match, from its toss to its end."""
import hashlib
import io
import zipfile

import openpyxl
import pytest

import kafka_jars
from conftest import ROOT, SLOW, box_settings

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"
STATES = 256
BAD_LINES = ["this is no setting", "SCOREBOX_NO_SUCH_SETTING=1", "SCOREBOX_POLL_MIN=soon"]
MATCH_SECONDS = 600
# What the box owes on an idle machine; printed, and more than this is only said.
FIRST_POLL_SECONDS = 20


def cells(file):
    """{sheet: {cell: value}} of a workbook."""
    book = openpyxl.load_workbook(file)
    return {sheet.title: {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row
                          if cell.value is not None} for sheet in book}


def differences(found, wanted):
    """The first ten cells, (book, sheet, cell, found, wanted), that are not the same; [] all are."""
    if {b: list(sheets) for b, sheets in found.items()} != {b: list(sheets) for b, sheets in wanted.items()}:
        return [("other books or sheets", sorted(found), sorted(wanted))]
    places = [(book, sheet, cell) for book, sheets in wanted.items() for sheet in sheets
              for cell in {**found[book][sheet], **wanted[book][sheet]}]
    assert len(places) > 1000
    values = [(*p, found[p[0]][p[1]].get(p[2]), wanted[p[0]][p[1]].get(p[2])) for p in places]
    return [v for v in values if v[3] != v[4]][:10]


def books_on(stick):
    """Those that can be read; one that is being written just now is not among them."""
    found = {}
    for name in stick.books():
        try:
            found[name] = cells(io.BytesIO(stick.read(f"scorebox/{name}")))
        except (AssertionError, zipfile.BadZipFile, KeyError, EOFError):
            pass
    return found


def books_of_this_machine(make_box, kafka, replay):
    """What the program of this machine makes of the same topic; without a broker that both can reach, of the same
    match, polled anew."""
    box = make_box()
    if kafka:
        assert len(kafka.records()) == STATES
        run = box.set(**kafka.settings).run("consume", "--until-end")
        assert run.code == 0, run.err
    else:
        box.set(**replay("--step", MATCH).settings, KAFKA_BROKERS="embedded", MODE="both", POLL_INTERVAL="20ms")
        process = box.start("both")
        process.wait_for(f", {STATES} records", 120)
        assert process.stop() == 0
    books = {path.name: cells(path) for path in box.output.glob("*.xlsx")}
    return books if kafka else {name: without_times(sheets) for name, sheets in books.items()}


@pytest.fixture
def kafka(request):
    """The topic in a real Kafka; None where there is none: then the box's own embedded broker."""
    try:
        kafka_jars.java()
    except kafka_jars.Unavailable as why:
        print(f"no real Apache Kafka ({why}); the box uses its embedded broker")
        return None
    if not kafka_jars.folder().is_dir():
        print("no real Apache Kafka was fetched; the box uses its embedded broker")
        return None
    return request.getfixturevalue("topic")


def test_one_match_from_the_flashed_card_to_the_workbook(replay, kafka, time_server, make_card, make_stick, make_guest,
                                                         make_box, tmp_path):
    api = replay("--step", MATCH)
    settings = box_settings(api, kafka, POLL_INTERVAL="50ms", BOOK_INTERVAL="10s")
    card = make_card(settings, api, mib=512, end="\r\n", more=BAD_LINES)
    card.kargs("scorebox.watchdog=off", uwdt="0")   # here already, for the comparison below
    stick = make_stick()
    before, asked = hashlib.sha256(card.fat_bytes()).digest(), time_server.asked

    guest = make_guest(card, stick, machine="raspi3b")
    guest.wait("box.clock: the clock was set to .*, which is the past")
    guest.wait("net.up: ")
    guest.wait("box.clock: the clock is right: ")
    assert time_server.asked > asked
    guest.wait("poll.changed")
    first = next(line.time for line in guest.console.lines if "poll.changed" in line.text)
    print(f"first poll {first:.1f} s after the emulator's start (on an idle machine at most {FIRST_POLL_SECONDS} s)")
    assert first < 6 * FIRST_POLL_SECONDS * SLOW

    # The match's end is written at once, and Matches.xlsx soon after.
    guest.wait(rf"book.written: '2025-04-16_.*', {STATES} records", MATCH_SECONDS)
    print(f"the whole match after {guest.console.lines[-1].time:.1f} s")
    wanted = books_of_this_machine(make_box, kafka, replay)
    guest.wait_until(lambda: differences(books_on(stick), wanted) == [], 120, "the stick to hold what this machine makes")
    guest.cut()

    found = books_on(stick)
    assert sorted(found) == sorted(wanted) and len(found) == 2
    assert differences(found, wanted) == []

    assert hashlib.sha256(card.fat_bytes()).digest() == before, "a normal boot has written to the FAT"
    offset, size = card.partition(4)
    assert offset + size == card.path.stat().st_size, "the data partition does not fill the card"

    status = stick.fat.read("scorebox-status.txt").decode()
    assert "slot a" in status and "\r\n" in status
    for line in BAD_LINES:
        assert line.split("=")[0] in status, f"the status file does not name {line!r}:\n{status}"

"""The whole way once, as somebody with a card and a stick would go it: the image as it is, in an emulated Raspberry Pi 3B,
started by its own U-Boot; a text file edited under Windows; no clock; one real match, from its toss to its end."""
import hashlib

import pytest

import kafka_jars
from books import INDEX, books_in, books_on, differences
from conftest import ROOT, SLOW, box_settings

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"
BOOK = "2025-04-16_Delhi-Capitals-vs-Rajasthan-Royals_18534a4e.xlsx"
STATES = 256
# A bad line, and what is said of it after its number.
BAD_LINES = {"this is no setting": "expected NAME=value",
             "SCOREBOX_NO_SUCH_SETTING=1": "SCOREBOX_NO_SUCH_SETTING is no setting",
             "SCOREBOX_POLL_MIN=soon": 'SCOREBOX_POLL_MIN="soon": expected a duration'}
# What the box owes on an idle machine; printed, and only far more than that is a failure here.
FIRST_POLL_SECONDS = 20


@pytest.fixture
def kafka(request):
    """A topic in a real Kafka; None where there is none: then the box's own embedded broker."""
    try:
        kafka_jars.java()
        if kafka_jars.folder().is_dir():
            return request.getfixturevalue("topic")
        print("no real Apache Kafka was fetched; the box uses its embedded broker")
    except kafka_jars.Unavailable as why:
        print(f"no real Apache Kafka ({why}); the box uses its embedded broker")
    return None


def book_of_this_machine(make_box, kafka, replay):
    """What the program of this machine makes of the same topic; where only the box could reach its broker, of the same
    match polled anew."""
    box = make_box()
    if kafka:
        assert len(kafka.records()) == STATES
        run = box.set(**kafka.settings).run("consume", "--until-end")
        assert run.code == 0, run.err
    else:
        box.set(**replay("--step", MATCH).settings, KAFKA_BROKERS="embedded", POLL_INTERVAL="20ms")
        process = box.start("both")
        process.wait_for(f", {STATES} records", 120)
        assert process.stop() == 0
    return books_in(box.output)[BOOK]


# What tells when something was polled, and by which run: not the same in two. The rest is the match's.
OF_A_RUN = {("Match", "A14"), ("Timeline", "A"), ("Records", "C"), ("Records", "D")}


def is_of_a_run(difference):
    _, sheet, cell, _, _ = difference
    return (sheet, cell) in OF_A_RUN or (sheet, cell.rstrip("0123456789")) in OF_A_RUN


def test_one_match_from_the_flashed_card_to_the_workbook(replay, kafka, time_server, make_card, make_stick, make_guest,
                                                         make_box):
    api = replay("--step", MATCH)
    settings = box_settings(api, kafka, POLL_INTERVAL="50ms", BOOK_INTERVAL="10s")
    card = make_card(settings, api, mib=512, end="\r\n", more=BAD_LINES)
    card.kargs("scorebox.watchdog=off", uwdt="0")
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

    # The match's end is written at once; the line says that it is on the stick.
    guest.wait(rf"book.written: '{BOOK}', {STATES} records", 600)
    print(f"the whole match after {guest.console.lines[-1].time:.1f} s")
    guest.cut()

    found, wanted = books_on(stick), book_of_this_machine(make_box, kafka, replay)
    assert sorted(found) == sorted([BOOK, INDEX]) and list(found[INDEX]) == ["Matches", "Errors"]
    different = differences({BOOK: found[BOOK]}, {BOOK: wanted}, most=10_000)
    assert sum(len(sheet) for sheet in wanted.values()) > 20 * STATES
    assert not [d for d in different if kafka or not is_of_a_run(d)]

    assert hashlib.sha256(card.fat_bytes()).digest() == before, "a normal boot has written to the FAT"
    offset, size = card.partition(4)
    assert offset + size == card.path.stat().st_size, "the data partition does not fill the card"

    status = stick.fat.read("scorebox-status.txt").decode()
    assert "slot a" in status and "\r\n" in status
    for number, words in enumerate(BAD_LINES.values(), len(settings) + 1):
        assert f"line {number}: {words}" in status, f"the status file does not name line {number}:\n{status}"

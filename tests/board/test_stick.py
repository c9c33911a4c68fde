"""The stick that comes late, goes at any moment, cannot be written, is full, is another one: nothing is lost, nothing is
written to where it should be, and in the end every workbook is on the stick that is there. FAULTS S5 to S8 and S10."""
import hashlib
import io
import random
import zipfile

import pytest

from books import INDEX, books_in, books_of, books_on, cells, differences
from conftest import SLOW, box_settings
from matches import book_name, write_match

MATCHES, STATES = 5, 6
PULLS = 5
PLACE = "/media/stick"
BOOKS_SECONDS = 300


@pytest.fixture
def started(replay, topic, make_card, make_guest, tmp_path):
    """started(*sticks, **settings): a box that has read MATCHES matches from their first state to the end."""
    def start(*sticks, **settings):
        api = replay("--step", *[write_match(tmp_path / f"{n}.jsonl", n, STATES) for n in range(1, MATCHES + 1)])
        guest = make_guest(make_card(box_settings(api, topic, **settings), api), *sticks)
        guest.wait("poll.changed")
        guest.wait_until(lambda: len(topic.records()) == MATCHES * STATES, 120, "all states in the topic")
        return guest

    return start


@pytest.fixture
def wanted(make_box, topic):
    """wanted(): the workbooks that this machine makes of the topic."""
    def make():
        box = make_box(**topic.settings)
        run = box.run("consume", "--until-end")
        assert run.code == 0, run.err
        books = books_in(box.output)
        assert len(books) == MATCHES + 1
        return books

    return make


def bare(guest):
    """What lies in the mount point itself, with nothing mounted."""
    return guest.sh(f"mkdir -p /tmp/below && mount --bind / /tmp/below && ls -lA /tmp/below{PLACE}; ls -ld /tmp/below{PLACE};"
                    "umount /tmp/below")


def assert_bare(guest):
    lines = bare(guest).splitlines()
    assert len(lines) == 2 and lines[0] == "total 0" and lines[1].startswith("d---------"), lines


def in_guest(guest):
    """The workbooks on the stick, as the guest reads them."""
    code, names = guest.sh(f"cd {PLACE}/scorebox && ls *.xlsx", code=None)
    return books_of(names.split() if code == 0 else [], lambda name: guest.bytes_of(f"{PLACE}/scorebox/{name}"))


def assert_finals_whole(stick):
    """Under a final name stands a whole workbook, or none."""
    for name in (n for n in stick.books() if "(before " not in n):
        try:
            cells(io.BytesIO(stick.read(f"scorebox/{name}")))
        except (zipfile.BadZipFile, KeyError, AssertionError) as why:
            pytest.fail(f"{name} is no whole workbook under its final name: {why!r}")


def wait_for_books(guest, look, wanted):
    guest.wait_until(lambda: not differences(look(), wanted), BOOKS_SECONDS,
                     lambda: f"the stick to hold what this machine makes; but {differences(look(), wanted)}", every=2)


def test_absent_then_pulled_in_the_middle_then_others(started, wanted, make_stick):
    guest = started()
    # S5: absent at boot
    guest.wait("output.not-mounted: .*nothing lost, .*workbooks waiting: ")
    assert guest.sh("cat /run/scorebox/stick").startswith("absent")
    assert_bare(guest)

    # S6, S10: pulled at random moments while workbooks are written
    dice, stick = random.Random(6), make_stick(partitioned=True)
    for turn in range(PULLS):
        mark = guest.mark()
        guest.plug(stick)
        guest.wait("stick.here", 60, since=mark)
        if turn:
            guest.wait("stick.dirty", 10, since=mark)
        moment = guest.console.lines[-1].time + dice.uniform(0.5, 12)
        guest.wait_until(lambda: guest.now >= moment, 60, "the moment")
        guest.pull()
        guest.wait("stick.gone", 60, since=mark)
        assert_bare(guest)
        assert_finals_whole(stick)
    assert guest.count("board.service: the service .* ended") == 0
    guest.plug(stick)
    everything = wanted()
    wait_for_books(guest, lambda: books_on(stick), everything)
    assert not [n for n in stick.names() if n.startswith(".")], "temporary files are left on the stick"

    # another one, so quickly that it gets the device's number of the one before; then others of other kinds
    guest.pull()
    same = make_stick(partitioned=True)
    guest.plug(same)
    wait_for_books(guest, lambda: books_on(same), everything)
    guest.pull()
    other = make_stick("ext4")
    guest.plug(other)
    wait_for_books(guest, lambda: in_guest(guest), everything)
    mark = guest.mark()
    guest.pull()
    guest.plug(make_stick("exfat", partitioned=True))
    guest.wait("stick.here: exfat", 60, since=mark)
    wait_for_books(guest, lambda: in_guest(guest), everything)
    assert_bare(guest)
    guest.cut()
    other.ext4.settle()
    assert not differences(books_on(other), everything)


def test_read_only_then_full_then_room(started, wanted, make_stick):
    # S7: read-only
    stick = make_stick()
    before = hashlib.sha256(stick.path.read_bytes()).digest()
    guest = started()
    name = guest.plug(stick, read_only=True)
    guest.wait("stick.readonly: ", 60)
    guest.wait_until(lambda: guest.sh("cat /run/scorebox/stick").startswith("read-only"), 30, "the stick to be read-only")
    guest.wait("output.(read-only|absent|not-mounted): .*nothing lost", 60)
    guest.pull(name)
    assert hashlib.sha256(stick.path.read_bytes()).digest() == before

    # S8: full, with a workbook of a match on it, which is kept
    everything = wanted()
    guest.plug(stick)
    wait_for_books(guest, lambda: books_on(stick), everything)
    guest.pull()
    full = make_stick(mib=40)
    full.write("film.mp4", bytes(37 << 20))
    mark = guest.mark()
    guest.plug(full)
    guest.wait("output.full: .*nothing lost", 60, since=mark)
    guest.pull()
    assert not full.books() and not [n for n in full.names() if n.startswith(".")]
    full.fat.delete("film.mp4")
    guest.plug(full)
    wait_for_books(guest, lambda: books_on(full), everything)
    assert SLOW and INDEX in full.books() and any(n.startswith(book_name(1)) for n in full.books())
    guest.cut()

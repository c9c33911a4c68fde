"""The power goes at random moments while the box polls, publishes and renders; the card then forgets some of what was not
flushed, in any order. Every start comes up, every committed state is in Kafka and in its workbook, none twice; card and
stick are whole in the end. SCOREBOX_CUTS: how often (10)."""
import os
import random
import re
import zipfile

import confluent_kafka

from conftest import SLOW, box_settings
from ledger import assert_books_hold_all_once, assert_chain_is_whole
from matches import book_name, write_match
from media import run

CUTS = int(os.environ.get("SCOREBOX_CUTS", "10"))
MATCHES = 3
MOST_SECONDS = 9        # from the first poll of a start to the cut; one in four comes before it, while starting
BOOKS_SECONDS = 300
HARMLESS = ("^fsck.fat |[Dd]irty bit|not properly unmounted|^ *Automatically|Free cluster summary|^  1\\)|^  2\\)|no action"
            "|Reclaimed [0-9]+ unused cluster|^Leaving filesystem unchanged|[0-9]+ files, |^ *Auto-(setting|correcting)|^$")


def copies(stick, folder):
    """The workbooks of the matches, as files."""
    folder.mkdir(exist_ok=True)
    found = []
    for name in stick.books():
        if name.startswith(tuple(book_name(n) for n in range(1, MATCHES + 1))):
            found.append(folder / name)
            found[-1].write_bytes(stick.read(f"scorebox/{name}"))
    return found


def assert_finals_whole(stick, folder):
    for path in copies(stick, folder):
        with zipfile.ZipFile(path) as z:
            assert z.testzip() is None, f"{path.name} is broken under its final name"


class EndOfAll:
    """Is the last state of each match in the topic? Looked at every three seconds."""

    def __init__(self, guest, topic):
        self.guest, self.topic, self.due = guest, topic, 0

    def __call__(self):
        if self.guest.now < self.due:
            return False
        self.due = self.guest.now + 3
        try:
            values = [record.value for record in self.topic.records()]
        except confluent_kafka.KafkaException:      # its client has not met all partitions yet
            return False
        return all(any(b"Team%d won" % n in value for value in values) for n in range(1, MATCHES + 1))


def test_power_cuts(replay, topic, make_card, make_stick, make_guest, open_book, tmp_path):
    dice = random.Random(CUTS)
    # So long that they are never over before the last cut.
    states = 60 + 15 * CUTS
    matches = [write_match(tmp_path / f"{n}.jsonl", n, states) for n in range(1, MATCHES + 1)]
    api = replay("--step", *matches)
    card = make_card(box_settings(api, topic, POLL_INTERVAL="500ms", BOOK_INTERVAL="1s"), api, mib=512)
    fat, stick = card.fat_bytes(), make_stick()
    guest = make_guest(card, stick, forgets=True)
    for turn in range(CUTS):
        mark = guest.mark() if turn else 0
        if turn:
            guest.start()
        if dice.random() < 0.25:
            moment = dice.uniform(2, 12) * SLOW
            guest.wait_until(lambda until=moment: guest.now >= until, 60 * SLOW, "the moment")
        else:
            guest.wait("poll.changed", since=mark)
            moment = guest.now + dice.uniform(0, MOST_SECONDS)
            guest.wait_until(lambda until=moment: guest.now >= until, 60 * SLOW, "the moment")
        assert not guest.count("error data.(lost|none|found)", since=mark), guest.fail("the data partition was lost")
        guest.cut(dice)
        assert card.fat_bytes() == fat, "a start has written to the FAT"
        assert_finals_whole(stick, tmp_path / "after-a-cut")

    # In the end it is left alone, until each match is over; then it is told to stop in order.
    guest.start()
    guest.wait_until(EndOfAll(guest, topic), 300 * SLOW, "the end of the matches in the topic")
    records = topic.records()
    assert len(records) > MATCHES * CUTS
    assert_chain_is_whole(records)

    def all_there():
        if guest.now < all_there.due:
            return False
        all_there.due = guest.now + 2
        try:
            assert_books_hold_all_once(records, copies(stick, tmp_path / "now"), open_book)
        except (AssertionError, zipfile.BadZipFile, KeyError, ValueError) as error:
            all_there.why = repr(error)[:300]
            return False
        return True

    all_there.why, all_there.due = "", 0
    guest.wait_until(all_there, BOOKS_SECONDS, lambda: f"every record once in its workbook: {all_there.why}")
    guest.sh("reboot")
    guest.wait("-- qemu has ended: guest-reset")
    guest.cut()
    assert card.data.complaints() == "" and card.fat_complaints() == ""
    offset, size = card.partition(4)
    assert offset + size == card.path.stat().st_size
    # The stick's FAT is never repaired: clusters that a cut left without a name are all that may be amiss there.
    for line in run("fsck.vfat", "-n", stick.path, codes=(0, 1)).decode(errors="replace").splitlines():
        assert re.search(HARMLESS, line), line
    print(f"{CUTS} cuts, {len(records)} records of {MATCHES} matches")

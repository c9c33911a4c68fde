"""The power goes at any moment, while the box boots, polls, publishes, renders; the card loses of what was not flushed
what a real one may lose. Each time it comes up again; in the end every state is in Kafka, and once in its workbook."""
import json
import os
import random

from conftest import box_settings
from ledger import assert_books_hold_all_once, assert_chain_is_whole
from matches import write_match
from test_stick import assert_finals_whole

CUTS = int(os.environ.get("SCOREBOX_CUTS", "10"))    # `soak`: 100
SEED = int(os.environ.get("SCOREBOX_SEED", "5"))
MATCHES = 4
# A card that is well, whatever happened: none of these is said.
DAMAGE = r"data\.(repaired|lost|none)|set aside|is damaged|I/O error"


def test_power_cuts(replay, topic, make_card, make_stick, make_guest, open_book, tmp_path):
    api = replay("--step", *[write_match(tmp_path / f"{n}.jsonl", n, 2000 + 300 * CUTS, ended=False) for n in range(1, MATCHES + 1)])
    card, stick = make_card(box_settings(api, topic), api), make_stick()
    before = card.fat_bytes()
    dice = random.Random(SEED)
    guest = make_guest(card, stick, forgets=True)
    for number in range(1, CUTS + 1):
        if dice.random() < 0.3:
            moment = dice.uniform(3, 12)    # it is on its way up
        else:
            guest.wait("poll.changed")
            moment = guest.now + dice.uniform(0, 15)
        guest.wait_until(lambda: guest.now >= moment, 60, "the moment")
        guest.cut(dice)
        print(f"cut {number} after {moment:.1f} s")
        assert not guest.seen(DAMAGE), guest.seen(DAMAGE).string
        assert_finals_whole(stick)
        guest.start()

    # One more state of each match names the ones before; then there is nothing more to come.
    guest.wait("poll.changed")
    api.process.kill()
    guest.wait_until(lambda: is_settled(guest, topic), 300, lambda: f"all to be where it belongs: {status(guest)}", every=2)
    guest.power_off()
    assert not guest.seen(DAMAGE), guest.seen(DAMAGE).string
    assert card.fat_bytes() == before, "the FAT has changed"
    assert not card.data.complaints(), card.data.complaints()

    records = topic.records()
    print(f"{len(records)} records")
    assert len(records) > 20 * MATCHES * CUTS / 2
    assert_chain_is_whole(records)
    books = []
    for name in stick.books():
        books.append(tmp_path / name)
        books[-1].write_bytes(stick.read(f"scorebox/{name}"))
    assert len(books) == MATCHES + 1
    assert_books_hold_all_once(records, [b for b in books if b.name != "Matches.xlsx"], open_book)


def status(guest):
    code, text = guest.sh("cat /data/scorebox/status.json", code=None)
    return json.loads(text) if code == 0 else {}


def is_settled(guest, topic):
    now = status(guest)
    return (now.get("running") and now["spool"]["rows"] == 0 and now["journal"]["workbooks_waiting"] == 0
            and now["journal"]["records"] == len(topic.records()) and now["workbooks"]["written"] > 0)

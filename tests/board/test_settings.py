"""SCOREBOX_SEAL=1 on a real FAT: the key leaves the part of the card that every laptop shows."""
from conftest import ROOT, box_settings
from status import expect_on_the_stick, status_on, wait_for_records

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"
KEY = "7c1f0e5d-the-one-key-of-this-test"


def outside_of_the_data(card):
    """All bytes of the card up to its data partition: the table, the FAT, both slots."""
    with open(card.path, "rb") as f:
        return f.read(card.partition(4)[0])


def test_a_sealed_key_leaves_the_fat(replay, make_card, make_stick, make_guest):
    api = replay("--step", "--key", KEY, MATCH)
    card = make_card(box_settings(api, None, API_KEY=KEY, SEAL="1", POLL_INTERVAL="1s"), api, end="\r\n")
    stick = make_stick()
    before = card.fat.read("scorebox.env")
    assert KEY.encode() in outside_of_the_data(card)

    guest = make_guest(card, stick)
    wait_for_records(guest)
    assert guest.sh("cat /data/secrets/SCOREBOX_API_KEY").strip() == KEY
    assert guest.sh("stat -c '%a %u' /data/secrets /data/secrets/SCOREBOX_API_KEY") == "700 990\n400 990\n"
    assert KEY not in guest.sh("cat /run/scorebox/settings")
    assert " /boot vfat ro," in guest.sh("cat /proc/mounts")
    expect_on_the_stick(guest, stick, "all well")
    assert KEY not in status_on(stick)
    guest.cut()
    assert KEY.encode() not in outside_of_the_data(card)
    assert card.fat_complaints() == ""
    after = card.fat.read("scorebox.env")
    assert len(after) == len(before)
    for was, now in zip(before.split(b"\r\n"), after.split(b"\r\n"), strict=True):
        if was.startswith(b"SCOREBOX_API_KEY="):
            assert now.startswith(b"# SCOREBOX_API_KEY") and b"is sealed" in now
        else:
            assert now == was
    fat = card.fat_bytes()

    guest.start()
    wait_for_records(guest)
    guest.cut()
    assert card.fat_bytes() == fat, "a start with nothing left to seal has written to the FAT"
    assert KEY not in guest.console.tail(10**6)

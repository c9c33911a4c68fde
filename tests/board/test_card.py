"""A card that made an error: its data partition is read-only until it is checked, and the box sees to that by itself."""
from conftest import ROOT, box_settings
from keeping import Kept
from status import expect_on_the_stick, wait_for_a_book, wait_for_records

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"


def test_an_error_of_the_card(replay, make_card, make_stick, make_guest):
    api = replay("--step", MATCH)
    card, stick = make_card(box_settings(api, None, POLL_INTERVAL="1s", BOOK_INTERVAL="5s"), api), make_stick()
    guest = make_guest(card, stick)
    wait_for_records(guest)
    wait_for_a_book(guest)
    kept, mark = Kept(guest), guest.mark()
    guest.sh("d=$(readlink -f /dev/data); echo test >/sys/fs/ext4/${d##*/}/trigger_fs_error")
    guest.wait("error data.readonly: ", since=mark)
    expect_on_the_stick(guest, stick, "read-only after an error")
    # Ten minutes after its start, which was not long ago.
    guest.wait("board.reboot: the card's data partition is to be checked; rebooting", 700, since=mark)
    guest.wait("-- qemu has ended: guest-reset", since=mark)
    mark = guest.mark()
    guest.wait("data.(checked|repaired): ", since=mark)
    guest.wait("poll.changed", since=mark)
    wait_for_a_book(guest)
    kept.is_still_there()
    expect_on_the_stick(guest, stick, "slot a ")
    assert "read-only" not in guest.sh("cat /run/scorebox/status.txt")

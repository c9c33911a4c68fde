"""What hangs, panics or dies is started anew, by the watchdog (virt has one that bites), and nothing is lost."""
from conftest import ROOT, box_settings
from keeping import Kept
from status import expect_on_the_stick, wait_for_a_book, wait_for_records

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"


def daemon(guest):
    """The service's pid, as it tells it."""
    return int(guest.sh("sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p' /data/scorebox/status.json | head -n 1"))


def expect_back(guest, since, version="0.1.0", slot="a"):
    """A machine that was reset polls again and writes workbooks."""
    guest.wait(f"-- virt is on: slot {slot} trial 0", since=since)
    guest.wait(f"board.start: version {version}, slot {slot}$", since=since)
    guest.wait("poll.changed", since=since)
    wait_for_a_book(guest)


def test_a_daemon_that_hangs_and_a_kernel_that_panics(replay, make_card, make_stick, make_guest, bundles):
    api = replay("--step", MATCH)
    card, stick = make_card(box_settings(api, None, POLL_INTERVAL="1s", BOOK_INTERVAL="5s"), api), make_stick()
    guest = make_guest(card, stick)
    wait_for_records(guest)
    # Linux takes a watchdog over that runs already, and feeds it until it is opened: not for ever.
    assert 0 < int(guest.sh("cat /sys/module/watchdog/parameters/open_timeout")) <= 3600
    wait_for_a_book(guest)
    kept, mark, pid = Kept(guest), guest.mark(), daemon(guest)

    guest.sh(f"kill -STOP {pid}")
    guest.wait(rf"error board.hang: the service \(pid {pid}\) has given no sign of life for .*; the watchdog is fed no more", 90,
               since=mark)
    expect_on_the_stick(guest, stick, "hangs: no sign of life")
    guest.wait("-- the watchdog bites", 90, since=mark)
    expect_back(guest, mark, bundles.running)
    kept.is_still_there()
    more = Kept(guest)
    assert len(more.before.rows) > len(kept.before.rows)

    mark = guest.mark()
    guest.sh("(usleep 300000; echo c >/proc/sysrq-trigger) &")
    guest.wait("Kernel panic", since=mark)
    # By the kernel itself after panic=10, or by the watchdog, whichever is first.
    guest.wait("-- qemu has ended: (guest-reset|watchdog)", since=mark)
    expect_back(guest, mark, bundles.running)
    more.is_still_there()
    expect_on_the_stick(guest, stick, f"scorebox {bundles.running}, slot a ")
    assert card.state() == {"slot": "a"}


def test_three_early_deaths(replay, make_card, make_stick, make_guest, bundles):
    """The other slot is tried, for it was good once: it has to prove itself again."""
    api = replay("--step", MATCH)
    card = make_card(box_settings(api, None, POLL_INTERVAL="1s", BOOK_INTERVAL="5s", UPDATE_CONFIRM="5s"), api)
    stick = make_stick()
    card.put_slot("b", bundles.slot("9.9.9"))
    card.fat.write("state.txt", "slot=a\ntry=b\n")
    guest = make_guest(card, stick)
    guest.wait("-- virt is on: slot b trial 1")
    guest.wait("board.trial: version 9.9.9 in slot b was healthy")
    guest.wait_until(lambda: guest.sh("ls /data/box").count("good-b"), 60, "the mark of slot b")
    kept = Kept(guest)
    guest.sh("reboot")
    guest.wait("-- qemu has ended: guest-reset")
    guest.cut()
    assert card.state() == {"slot": "b"}
    card.fat.write("state.txt", "slot=a\n")     # as the README has it

    for death in "123":
        guest.start()
        guest.wait(f"board.start: version {bundles.running}, slot a$")
        guest.wait_until(lambda wanted=f"{death}\n": guest.sh("cat /data/box/deaths") == wanted, 60, "the death to be counted")
        guest.cut()
        assert card.state() == {"slot": "a"}
    guest.start()
    guest.wait("update.fall-back: slot a does not work; nothing is lost; the next start tries slot b")
    guest.wait("board.deaths: 3 starts in a row of slot a died within 2 min; nothing is lost; slot b is tried now")
    guest.wait("-- virt is on: slot b trial 1")
    guest.wait("board.start: version 9.9.9, slot b, on trial")
    guest.wait("board.trial: version 9.9.9 in slot b was healthy")
    expect_on_the_stick(guest, stick, "scorebox 9.9.9, slot b")
    assert card.state() == {"slot": "b"}
    kept.is_still_there()

"""A new version from the stick: what is good stays, and whatever else may come, the box runs a good slot and says what
happened; what it keeps is not touched."""
import random
import re

import pytest

from bundles import BOARD
from conftest import ROOT, box_settings
from keeping import Kept, ledger_on, user_files
from media import Ext4
from status import expect_on_the_stick, wait_for_a_book, wait_for_records

MATCH = ROOT / "src/replay/matches/2025-04-16_DC-RR.match"
WRITE_SECONDS = 300
# On virt no U-Boot has armed the watchdog before the kernel: the version that hangs does it itself, and feeds it no more.
HANGS = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
/bin/busybox modprobe i6300esb heartbeat=10
exec 3>/dev/watchdog
echo "this version hangs"
exec /bin/busybox sleep 1000000
"""


@pytest.fixture
def box(replay, make_card):
    """box(**settings): the card of a box that polls a match from its first to its last state, one a second."""
    def make(**more):
        api = replay("--step", MATCH)
        return make_card(box_settings(api, None, **{"POLL_INTERVAL": "1s", "BOOK_INTERVAL": "5s", "UPDATE_CONFIRM": "15s",
                                                    **more}), api)
    return make


def put(stick, bundle, name="new.update"):
    stick.write(name, bundle.read_bytes())
    return stick


def spoil(card, slot, name):
    """Flips bits in the middle of a file of a slot."""
    at = card.slot_at(slot)
    blocks = Ext4(card.path, at).command(f"blocks /{name}").split()
    with open(card.path, "r+b") as f:
        f.seek(at + int(blocks[len(blocks) // 2]) * 4096 + 1234)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 0x10]))


def slot_bytes(card, slot):
    with open(card.path, "rb") as f:
        f.seek(card.slot_at(slot))
        return f.read(card.partition({"a": 2, "b": 3}[slot])[1])


# ---- an emulated Raspberry Pi, by its own U-Boot ----

def test_a_good_bundle_is_confirmed(box, make_stick, make_guest, bundles, tmp_path):
    card, stick = box(), put(make_stick(), bundles.make("9.9.9"))
    guest = make_guest(card, stick, machine="raspi3b")
    files = user_files(card)
    guest.wait(f"board.start: version {bundles.running}, slot a$")
    guest.wait("update.begin: .*new.update' is whole and signed: version 9.9.9 is written to slot b")
    guest.wait("update.written: version 9.9.9 is in slot b and was read back", WRITE_SECONDS)
    written = guest.mark()
    guest.wait("scorebox: slot b trial 1", since=written)
    assert card.state() == {"slot": "a"}, "U-Boot did not take the trial out before it"
    guest.wait("board.start: version 9.9.9, slot b, on trial", since=written)
    guest.wait("poll.changed", since=written)
    guest.wait("update.current: .*new.update' is version 9.9.9, this box runs 9.9.9; nothing to do", since=written)
    guest.wait("update.confirmed: version 9.9.9 in slot b has proved itself", since=written)
    guest.wait("board.trial: version 9.9.9 in slot b was healthy for the time it had to be", since=written)
    expect_on_the_stick(guest, stick, "scorebox 9.9.9, slot b", "the trial is confirmed", "update.confirmed")
    guest.cut()
    assert card.state() == {"slot": "b"}
    assert user_files(card) == files
    before = [int(match[1]) for line in guest.console.lines[:written] if (match := re.match(r"Journal +(\d+) rec", line.text))]
    states = [row[:3] for row in ledger_on(card, tmp_path / "ledger").rows]
    assert len(states) == len(set(states)) > max(before)


@pytest.mark.parametrize("what", ["a rotten kernel", "a trial of random bytes"])
def test_u_boot_passes_over_what_it_cannot_boot(what, box, make_stick, make_guest, bundles, tmp_path):
    card, stick = box(), make_stick()
    if what == "a rotten kernel":
        bad, good, version, trial = "a", "b", "9.9.9", 0
        card.put_slot("b", bundles.slot("9.9.9"))
        spoil(card, "a", "vmlinuz.gz")
    else:
        bad, good, version, trial = "b", "a", bundles.running, 1
        (tmp_path / "random").write_bytes(random.Random(1).randbytes(8 << 20))
        card.put_slot("b", tmp_path / "random")
        card.fat.write("state.txt", "slot=a\ntry=b\n")
    guest = make_guest(card, stick, machine="raspi3b")
    guest.wait(f"scorebox: slot {bad} trial {trial}")
    guest.wait(f"scorebox: slot {bad} cannot be booted")
    guest.wait(f"scorebox: slot {good} trial 0")
    guest.wait(f"board.start: version {version}, slot {good}$")
    if bad == "a":
        guest.wait("update.other-slot: slot a is the one in use, but could not be booted; .* slot b")
    guest.wait(f"^scorebox {version}, slot {good} ")
    guest.wait_until(stick.books, 180, "a workbook")
    expect_on_the_stick(guest, stick, f"scorebox {version}, slot {good} ", *(["could not be booted"] if bad == "a" else []))
    guest.cut()
    assert card.state() == {"slot": "a"}


# ---- what is not taken ----

def test_bad_bundles_are_refused(box, make_stick, make_guest, bundles):
    """One after the other on a stick that comes and goes, while the box polls."""
    dice = random.Random(2)
    payload = dice.randbytes(1 << 20)
    whole = bundles.make("9.9.1", payload=payload).read_bytes()
    cases = {
        "noise": (dice.randbytes(1 << 20), "update.refused: .*noise"),
        "foreign": (bundles.make("9.9.2", payload=payload, key=bundles.other_key()).read_bytes(),
                    "update.refused: .*foreign.*sign"),
        "truncated": (whole[:-4096], "update.refused: .*truncated"),
        "spoilt": (whole[:500_000] + bytes([whole[500_000] ^ 1]) + whole[500_001:], "update.refused: .*spoilt"),
        "forged": (whole.replace(b"version=9.9.1", b"version=9.9.7"), "update.refused: .*forged.*sign"),
        "pc": (bundles.make("9.9.3", payload=payload, board="pc").read_bytes(), f"update.refused: .*pc.* '{BOARD}'"),
        "older": (bundles.make("0.0.9", payload=payload).read_bytes(),
                  f"update.current: .*older.update' is version 0.0.9, this box runs {bundles.running}; nothing to do"),
    }
    card = box(UPDATE_CONFIRM="10s")
    guest = make_guest(card)
    wait_for_records(guest)
    kept, empty = Kept(guest), slot_bytes(card, "b")
    for name, (data, said) in cases.items():
        stick, mark = make_stick(), guest.mark()
        stick.write(f"{name}.update", data)
        guest.plug(stick)
        guest.wait(said, 120, since=mark)
        # and on the screen, and on the stick, where that is the same
        guest.wait_until(lambda: f"{name}.update" in guest.sh("grep ^Update /run/scorebox/status.txt || :"), 60,
                         "the screen to tell of it")
        if name == "noise":
            expect_on_the_stick(guest, stick, f"scorebox {bundles.running}, slot a ", f"{name}.update")
        guest.pull()
        guest.wait("stick.gone", 60, since=mark)
    # By hand an older one is refused too, but for who insists.
    stick = make_stick()
    stick.write("older.bundle", cases["older"][0])
    guest.plug(stick)
    guest.wait_until(lambda: guest.sh("ls /media/stick").count("older.bundle"), 60, "the stick")
    code, _ = guest.sh("scorebox update /media/stick/older.bundle", code=None)
    assert code == 64
    assert "--downgrade takes it all the same" in guest.sh("cat /run/scorebox/update")
    assert guest.count("virt is on") == 1 and not guest.count("update.begin")
    assert slot_bytes(card, "b") == empty and card.state() == {"slot": "a"}
    kept.is_still_there()
    guest.sh("scorebox update --downgrade /media/stick/older.bundle")
    assert "version 0.0.9 is in slot b" in guest.sh("cat /run/scorebox/update")
    assert card.state() == {"slot": "a", "try": "b"}


# ---- what does not prove itself ----

def test_a_version_that_hangs(box, make_stick, make_guest, bundles):
    card, stick = box(), put(make_stick(), bundles.make("9.9.8", {"init": (HANGS, 0o755)}))
    guest = make_guest(card)
    wait_for_records(guest)
    kept = Kept(guest)
    guest.plug(stick)
    guest.wait("-- virt is on: slot b trial 1", WRITE_SECONDS)
    trial = guest.mark()
    guest.wait("this version hangs", since=trial)
    guest.wait("-- the watchdog bites", since=trial)
    guest.wait("-- virt is on: slot a trial 0", since=trial)
    back = guest.mark()
    guest.wait(f"board.start: version {bundles.running}, slot a$", since=back)
    guest.wait("update.trial-failed: version 9.9.8 in slot b did not prove itself", since=back)
    guest.wait("update.failed-before: version 9.9.8 of .*new.update' failed its trial", since=back)
    guest.wait(f"^scorebox {bundles.running}, slot a ", since=back)
    wait_for_a_book(guest)
    expect_on_the_stick(guest, stick, f"scorebox {bundles.running}, slot a ", "version 9.9.8", "failed its trial")
    assert card.state() == {"slot": "a"}
    kept.is_still_there()


def test_the_power_goes_while_it_is_written_and_tried(box, make_stick, make_guest, bundles):
    """With a card that forgets what was not flushed. After all that, by hand, it is confirmed."""
    dice = random.Random(4)
    card, stick = box(), put(make_stick(), bundles.make("9.9.9"))
    guest = make_guest(card, forgets=True)
    wait_for_records(guest)
    kept = Kept(guest)

    guest.plug(stick)
    guest.wait(r"update.progress: slot b: [3-6]0 % of version 9.9.9 is written", WRITE_SECONDS)
    guest.cut(dice)
    assert card.state() == {"slot": "a"}
    guest.start()
    guest.wait("-- virt is on: slot a trial 0")
    guest.wait(f"board.start: version {bundles.running}, slot a$")
    guest.wait("update.unfinished: an update to version 9.9.9 was cut short")
    # The stick is still there: anew.
    guest.wait("update.written: version 9.9.9 is in slot b", WRITE_SECONDS)
    guest.wait("-- virt is on: slot b trial 1")
    guest.wait("board.start: version 9.9.9, slot b, on trial")
    guest.cut(dice)
    assert card.state() == {"slot": "a"}
    guest.start()
    guest.wait("-- virt is on: slot a trial 0")
    guest.wait(f"board.start: version {bundles.running}, slot a$")
    guest.wait("update.trial-failed: version 9.9.9 in slot b did not prove itself")
    guest.wait("update.failed-before: version 9.9.9 of .*new.update' failed its trial")
    expect_on_the_stick(guest, stick, f"scorebox {bundles.running}, slot a ", "failed its trial")
    assert card.state() == {"slot": "a"}
    wait_for_a_book(guest)
    kept.is_still_there()

    guest.sh("scorebox update /media/stick/new.update >/dev/console 2>&1", WRITE_SECONDS)
    guest.wait("update.again: ")
    again = guest.mark()
    guest.sh("reboot")
    guest.wait("-- virt is on: slot b trial 1", since=again)
    guest.wait("board.trial: version 9.9.9 in slot b was healthy", since=again)
    assert card.state() == {"slot": "b"}
    expect_on_the_stick(guest, stick, "scorebox 9.9.9, slot b")
    kept.is_still_there()
    guest.cut(dice)
    assert card.state() == {"slot": "b"}

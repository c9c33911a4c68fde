"""The other boards' device trees, up to a workbook; and the memory that all of it takes."""
import json
import re
import time

import pytest

from conftest import ROOT, SLOW, box_settings
from matches import book_name, write_match

MIB = 1 << 10   # in KiB
GUEST_MIB = 64      # MemTotal - MemAvailable
SERVICES_KIB = 20 * MIB     # SCOREBOX_MEMORY_MAX of `both`
FIXTURES, POLLS, NOISE_KIB = 20, 150, 256


@pytest.mark.parametrize("dtb, model", [("bcm2837-rpi-3-b-plus", "Raspberry Pi 3 Model B+"),
                                        ("bcm2837-rpi-zero-2-w", "Raspberry Pi Zero 2 W")])
def test_board_up_to_a_workbook(dtb, model, replay, topic, make_card, make_stick, make_guest, tmp_path):
    api = replay("--step", write_match(tmp_path / "m.jsonl", 1, 20))
    card, stick = make_card(box_settings(api, topic), api), make_stick(partitioned=True)
    guest = make_guest(card, stick, machine="raspi3b", dtb=dtb)
    guest.wait(f"box.start: .*{re.escape(model)},")
    guest.wait("stick.here: vfat /dev/sda1")
    guest.wait(f"book.written: '{book_name(1)}.*', 20 records", 300)
    # a change brings the status screen at once
    mark = guest.mark()
    guest.pull()
    guest.wait("stick.gone", 60, since=mark)
    used = int(guest.wait(r"Memory +(\d+) of \d+ MiB used", 60, since=mark)[1])
    print(f"{model}: workbook after {guest.console.lines[-1].time:.0f} s, {used} MiB used")
    assert used <= GUEST_MIB
    guest.cut()
    assert any(name.startswith(book_name(1)) for name in stick.books())
    assert len(topic.records()) == 20


def meminfo(text):
    return {name: int(kib) for name, kib in re.findall(r"(\w+): +(\d+) kB", text)}


def peaks_of(guest):
    """{command: VmHWM in KiB} of scorebox's processes that last."""
    found = {}
    for pid in guest.sh("pidof scorebox").split():
        code, text = guest.sh(f"tr '\\0' ' ' </proc/{pid}/cmdline; grep VmHWM /proc/{pid}/status", code=None)
        if code == 0:
            found[text.split("VmHWM")[0].strip()] = int(re.search(r"VmHWM:\s+(\d+)", text)[1])
    return found


def anonymous_kib(guest):
    """RssAnon of the daemon, the larger one."""
    return max(map(int, re.findall(r"RssAnon:\s+(\d+)", guest.sh(
        "for p in $(pidof scorebox); do cat /proc/$p/status; done 2>/dev/null; true"))))


def hits(guest):
    return json.loads(guest.sh("cat /data/scorebox/status.json"))["poll"]["hits_today"]


def test_memory_through_a_whole_match(replay, topic, make_card, make_stick, make_guest, tmp_path):
    """With both services, from the toss to the end, as the kernel counts it; and what is polled again and again after
    that leaves nothing behind."""
    fixtures = [write_match(tmp_path / f"{n}.jsonl", n, 1, ended=False, started=False) for n in range(FIXTURES)]
    api = replay("--step", ROOT / "src/replay/matches/2025-04-16_DC-RR.match", *fixtures)
    card, stick = make_card(box_settings(api, topic, POLL_INTERVAL="100ms"), api), make_stick()
    guest = make_guest(card, stick)
    guest.wait("poll.changed")
    most = 0
    while not guest.seen("book.written: .*, 256 records"):
        now = meminfo(guest.sh("cat /proc/meminfo"))
        most = max(most, now["MemTotal"] - now["MemAvailable"])
        time.sleep(0.5)     # or the looking is most of what the guest does
        if guest.console.lines[-1].time > 900 * SLOW:
            guest.fail("the match does not end")
    peaks = peaks_of(guest)
    child = max(int(kib) for kib in re.findall(r"child peak (\d+) KiB", guest.console.tail(10000)))
    print(f"whole guest {most / MIB:.1f} MiB at most; {peaks} KiB, rendering child {child} KiB")
    assert sum(kib for name, kib in peaks.items() if name != "scorebox board run") + child <= SERVICES_KIB
    assert len(peaks) == 2
    assert most <= GUEST_MIB * MIB

    before, polls = anonymous_kib(guest), hits(guest)
    guest.wait_until(lambda: hits(guest) >= polls + POLLS, 300, f"{POLLS} polls", every=2)
    growth = anonymous_kib(guest) - before
    print(f"{growth} KiB more after {POLLS} polls of {FIXTURES + 1} rows that have not changed")
    assert growth <= NOISE_KIB

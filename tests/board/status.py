"""What a box shows of itself: the screen, in a guest on virt, and scorebox-status.txt on a stick."""
import re


def status_on(stick):
    try:
        return stick.fat.read("scorebox-status.txt").decode()
    except AssertionError:      # not there yet, or in the middle of being written
        return ""


def wait_for_records(guest):
    """Some are in the journal."""
    guest.wait("poll.changed")
    guest.wait_until(lambda: re.search(r"^Journal +[1-9]", guest.sh("cat /run/scorebox/status.txt"), re.M), 120,
                     "records in the journal")


def wait_for_a_book(guest):
    """Written since the last start."""
    guest.wait_until(lambda: re.search(r"^Workbooks .*; last \d", guest.sh("cat /run/scorebox/status.txt"), re.M), 180,
                     "a workbook to be written")


def expect_on_the_stick(guest, stick, *words):
    guest.wait_until(lambda: all(word in status_on(stick) for word in words), 120,
                     lambda: f"{words} in scorebox-status.txt:\n{status_on(stick)}")

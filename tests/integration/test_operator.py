"""What an operator and an attacker see: odd starts, secrets, signals, the service manager."""
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from conftest import clean_environment, wait_until
from scripted import scripted  # noqa: F401 (a fixture)
from test_faults import JSON, jsonl, lines_of, page  # noqa: F401 (jsonl is a fixture)

SECRET = "sEcReT-of-the-tests-0123456789"


def closing(*numbers):
    def close():
        for number in numbers:
            os.close(number)
    return close


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams_never_become_files_of_ours(closed, jsonl, serve, broker, make_box, scorebox):  # noqa: F811
    """A spool that is descriptor 2 would have log lines written into it."""
    box = make_box(**serve(jsonl).settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="100ms", LOG_LEVEL="debug")
    running = subprocess.Popen([scorebox, "both"], env=clean_environment(box.folder, box.settings), cwd=box.folder,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=closing(*closed))
    try:
        wait_until(lambda: box.books() or running.poll() is not None, 20, "a workbook")
        held = [os.readlink(f"/proc/{running.pid}/fd/{number}") for number in range(3)]
        lock = (box.state / "lock").read_text()
    finally:
        running.terminate()
        assert running.wait(15) == 0
    assert held == ["/dev/null"] * 3
    assert lock.strip() == str(running.pid)
    assert box.run("spool verify").code == 0


def test_an_answer_that_nobody_can_read_is_no_success(make_box, scorebox):
    box = make_box()
    done = subprocess.run([scorebox, "version"], env=clean_environment(box.folder, box.settings), preexec_fn=closing(1))
    assert done.returncode == 74

"""What an operator and an attacker see: odd starts, secrets, signals, the service manager."""
import glob
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
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


def test_sighup_with_a_broken_ca_file_again_and_again(jsonl, serve, broker, make_box):  # noqa: F811
    """The poller goes on with the settings it has; they stay in memory as long as it does."""
    api = serve("--quota", "1000000", jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="20ms", LOG_LEVEL="debug")
    whole = api.ca.read_text()
    os.environ["MALLOC_PERTURB_"] = "165"
    try:
        running = box.start("produce")
    finally:
        del os.environ["MALLOC_PERTURB_"]
    running.wait_for("poll.changed")

    def hang_up(text):
        before = len(running.err)
        running.signal(signal.SIGHUP)
        wait_until(lambda: "poll.same" in running.err[before:].partition(text)[2] or not running.running, 10, text)
        assert running.running, running.err[-2000:]

    hang_up("tls.trust")
    api.ca.write_text("no certificate at all")
    for _ in range(4):
        hang_up("the settings from before stay in force")
    api.ca.write_text(whole)
    hang_up("tls.trust")
    assert running.stop() == 0, running.err[-2000:]


def test_many_sighups_at_once(jsonl, serve, broker, make_box):  # noqa: F811
    api = serve("--quota", "1000000", jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="20ms")
    running = box.start("both")
    running.wait_for("spool.open")
    for _ in range(100):
        running.signal(signal.SIGHUP)
        time.sleep(0.003)
    assert running.stop() == 0, running.err[-2000:]


def test_sighup_names_what_counts_only_after_a_restart(jsonl, serve, broker, make_box, tmp_path):  # noqa: F811
    env = tmp_path / "env"
    env.write_text("SCOREBOX_KAFKA_TOPIC=cricket-live-data\n")
    box = make_box(**serve(jsonl).settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="1h")
    running = box.start("produce", "--env-file", str(env))
    running.wait_for("poll.changed")
    env.write_text("SCOREBOX_KAFKA_TOPIC=another\nSCOREBOX_POLL_MIN=20s\n")
    running.signal(signal.SIGHUP)
    running.wait_for("config.renewed")
    told = lines_of(running.err, "config")
    assert len(told) == 1 and "SCOREBOX_KAFKA_TOPIC has changed" in told[0] and "restart" in told[0], running.err
    assert running.stop() == 0


def test_check_knows_the_block_of_a_daemon_that_runs(jsonl, serve, broker, make_box):  # noqa: F811
    api = serve("--quota", "1", jsonl)
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="100ms")
    running = box.start("produce")
    running.wait_for("api.quota")
    wait_until(lambda: '"blocked_until":"' in (box.state / "status.json").read_text(), 10, "the block in the status")
    got = box.run("check", "--online", POLL_INTERVAL="auto")
    assert got.code == 69 and "1 hits a day, 1 page a sweep" in got.out and "was not asked" in got.out, got.out
    assert running.stop() == 0


def test_check_leaves_the_spool_of_another_user_alone(jsonl, serve, broker, make_box):  # noqa: F811
    """What the service knew stands in its status; its spool and its lock are not for root."""
    if os.geteuid() != 0:
        pytest.skip("SKIPPED: not root, so there is no other user's folder to read")
    box = make_box(**serve("--quota", "1", jsonl).settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="100ms")
    running = box.start("produce")
    running.wait_for("api.quota")
    wait_until(lambda: '"blocked_until":"' in (box.state / "status.json").read_text(), 10, "the block in the status")
    assert running.stop() == 0
    (box.state / "spool.db").write_bytes(b"no database at all" * 1000)
    (box.state / "lock").unlink()
    for path in (box.state, *box.state.iterdir()):
        os.chown(path, 4711, 4711)
    before = sorted(os.listdir(box.state))
    got = box.run("check", "--online", POLL_INTERVAL="auto")
    assert "1 hits a day, 1 page a sweep" in got.out and "was not asked" in got.out, got.out + got.err
    (box.state / "status.json").unlink()
    before.remove("status.json")
    got = box.run("check")
    assert got.code == 0 and len(lines_of(got.err, "spool.unread")) == 1 and "another user" in got.err, got.err
    assert sorted(os.listdir(box.state)) == before


def test_a_key_pasted_with_the_address_is_shown_nowhere(jsonl, serve, broker, make_box):  # noqa: F811
    api = serve(jsonl)
    url = f"{api.url}/currentMatches?apikey={SECRET}&x=1"
    box = make_box(API_URL=url, API_CA_FILE=api.ca, SOURCE="custom", API_RECORDS="/data", API_ID="/id",
                   KAFKA_BROKERS=broker(), LOG_LEVEL="debug")
    checked = box.run("check", "--online")
    assert checked.code == 0, checked
    assert "apikey=***&x=1" in checked.out and "seems to hold a key" in checked.err
    swept = box.run("produce", "--once")
    assert swept.code == 0, swept
    for text in (checked.out, checked.err, swept.err, (box.state / "status.json").read_text()):
        assert SECRET not in text


@pytest.fixture
def open_folder():
    """A folder that others may pass through. Not pytest's own: each start of a pytest closes those of its user."""
    with tempfile.TemporaryDirectory(prefix="scorebox-") as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o711)
        yield folder


def test_nobody_of_the_same_user_reads_the_key(jsonl, serve, broker, open_folder, scorebox):  # noqa: F811
    """Neither in the daemon's /proc nor in a core; this needs another user than root."""
    if os.geteuid() != 0:
        pytest.skip("SKIPPED: not root, so there is no other user to be")
    api = serve(jsonl)
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    ca = open_folder / "ca.pem"
    ca.write_bytes(api.ca.read_bytes())
    settings = {**api.settings, "API_CA_FILE": ca, "KAFKA_BROKERS": broker(), "OUTPUT_DIR": home / "out", "OUTPUT_MOUNT": "any",
                "OUTPUT_MIN_FREE": "0", "POLL_INTERVAL": "100ms", "STATE_DIR": None}
    (home / "out").mkdir()
    os.chown(home / "out", 65534, 65534)
    as_nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    with open(open_folder / "err", "wb") as err:
        running = subprocess.Popen([scorebox, "both"], env=clean_environment(home, settings), cwd=home, stderr=err, **as_nobody)
    try:
        wait_until(lambda: list((home / "out").glob("2*.xlsx")) or running.poll() is not None, 20, "a workbook")
        assert running.poll() is None, (open_folder / "err").read_text()
        seen = subprocess.run(["cat", f"/proc/{running.pid}/environ"], capture_output=True, **as_nobody)
        assert seen.returncode != 0 and not seen.stdout
    finally:
        running.terminate()
        assert running.wait(15) == 0
    assert (home / ".local/state/scorebox/status.json").exists(), "not the default place of a user"
    assert (home / ".local/state/scorebox").stat().st_mode & 0o007 == 0


@pytest.fixture
def manager(tmp_path):
    """The socket of a service manager."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.setblocking(False)
        yield s


def heard(manager):
    words = []
    while True:
        try:
            words += manager.recv(500).decode().splitlines()
        except BlockingIOError:
            return words


def test_the_service_manager_is_told(jsonl, serve, broker, make_box, manager):  # noqa: F811
    box = make_box(**serve(jsonl).settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="1h")
    names = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1000000"}
    os.environ.update(names)
    try:
        running = box.start("both")
    finally:
        for name in names:
            del os.environ[name]
    words = []

    def told(word, times=1):
        words.extend(heard(manager))
        return words.count(word) >= times

    wait_until(lambda: told("WATCHDOG=1", 3), 10, "three signs of life")
    assert words[0] == "READY=1"
    del words[:]
    running.signal(signal.SIGHUP)
    wait_until(lambda: told("READY=1"), 5, "READY after the reload")
    assert words[words.index("RELOADING=1") + 1].startswith("MONOTONIC_USEC=") and words[-1] == "READY=1"
    running.signal(signal.SIGSTOP)
    time.sleep(0.3)
    heard(manager)
    time.sleep(1.5)
    assert not heard(manager), "a stopped process showed life"
    running.signal(signal.SIGCONT)
    del words[:]
    assert running.stop() == 0
    assert told("STOPPING=1")


def test_signals_at_the_very_start_end_nothing_the_hard_way(jsonl, serve, broker, make_box):  # noqa: F811
    box = make_box(**serve(jsonl).settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="100ms")
    for number, verb in ((signal.SIGHUP, "produce"), (signal.SIGTERM, "produce"), (signal.SIGTERM, "consume")):
        running = box.start(verb)
        running.wait_for("memory: program")
        running.signal(number)
        if number == signal.SIGHUP:
            running.wait_for("config.renewed")
        assert running.stop(10) == 0, running.err


def test_many_brokers_find_room_for_their_threads(jsonl, serve, broker, make_box):  # noqa: F811
    """A cluster may name dozens; librdkafka dies when it may not start a thread for one."""
    bootstrap = broker()
    many = ",".join(f"127.0.0.1:{number}" for number in range(1, 64))
    box = make_box(**serve(jsonl).settings, KAFKA_BROKERS=f"{many},{bootstrap}",
                   MEMORY_MAX="32MiB")  # over TLS so many want more than the 20 MiB that it has by default
    running = box.start("both")
    wait_until(lambda: not running.running or len(os.listdir(f"/proc/{running.pid}/task")) > 128, 10, "the threads")
    running.wait_for("poll.changed")
    assert running.stop() == 0, running.err[-2000:]
    got = box.run("check", KAFKA_BROKERS=f"{many},127.0.0.1:64,{bootstrap}")
    assert got.code == 78 and "more than 64 brokers" in got.err


def polled(box):
    return json.loads((box.state / "status.json").read_text())["poll"]


def test_restarts_do_not_spend_the_days_hits(jsonl, serve, broker, make_box):  # noqa: F811
    api = serve("--quota", "100", jsonl)
    # Before midnight (UTC) the day's hits alone would not make it wait.
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_MIN="10m")
    first = box.start("produce")
    first.wait_for("poll.changed")
    assert first.stop() == 0
    again = box.start("produce")
    again.wait_for("poll.wait")
    wait_until(lambda: polled(box)["next"], 5, "the plan in the status")
    poll = polled(box)
    assert poll["hits_today"] == 1 and poll["last"] is None and "of 100 hits left" in poll["next_why"], poll
    again.signal(signal.SIGHUP)
    wait_until(lambda: polled(box)["hits_today"] == 2, 10, "a poll after SIGHUP")
    assert again.stop() == 0


def test_status_tells_that_its_writer_is_gone(jsonl, serve, broker, make_box):  # noqa: F811
    box = make_box(**serve(jsonl).settings, KAFKA_BROKERS=broker())
    running = box.start("produce")
    running.wait_for("poll.changed")
    assert not box.run("status").err
    running.kill()
    got = box.run("status")
    assert got.code == 0 and json.loads(got.out)["pid"] == running.pid
    told = lines_of(got.err, "status.stale")
    assert len(told) == 1 and str(running.pid) in told[0], got.err


def test_a_clock_that_is_set_after_the_start_ends_a_block_in_time(jsonl, scripted, broker, make_box, tmp_path):  # noqa: F811
    """In 1971 a block until 2026 looks like one of a day; the time comes from the network a little later."""
    shims = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not shims:
        pytest.skip("SKIPPED: no faketime")
    answers = [(429, {"Retry-After": "1"}, b"slow down")]
    api = scripted(lambda n, path: answers[0] if n == 1 else (200, JSON, page("m1")))
    box = make_box(**api.settings, KAFKA_BROKERS=broker(), POLL_INTERVAL="0")
    assert box.run("produce", "--once", "--timeout", "200ms").code == 69
    clock = tmp_path / "clock"
    clock.write_text("@1971-01-01 00:00:00\n")
    names = {"LD_PRELOAD": shims[0], "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
             "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    os.environ.update(names)
    try:
        running = box.start("produce")
    finally:
        for name in names:
            del os.environ[name]
    wait_until(lambda: "poll.wait" in running.err or "poll.changed" in running.err or not running.running, 20,
               "the block")
    if "1971" not in running.err:
        pytest.skip("SKIPPED: faketime cannot reach into a static or a sanitized program")
    assert "first poll is in 1 d" in running.err

    def connected():  # a client of Kafka does not come up while the clock jumps
        try:
            return json.loads((box.state / "status.json").read_text())["kafka"]["connected"]
        except (FileNotFoundError, ValueError):
            return False

    wait_until(connected, 20, "Kafka")
    clock.write_text("+0\n")
    running.wait_for("poll.changed", 25)
    assert running.stop() == 0


def test_a_kafka_that_is_away_is_one_line_of_the_consumer(make_box):
    """It names the brokers; waiting for them is no slow disk."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % s.getsockname()[1]
    box = make_box(KAFKA_BROKERS=address)
    running = box.start("consume")
    running.wait_for("kafka.down")
    time.sleep(7)
    told = lines_of(running.err, "kafka.down")
    assert len(told) == 1 and address in told[0] and "nothing lost" in told[0] and "retry in" in told[0], running.err
    assert not lines_of(running.err, "service.stall"), running.err
    assert running.stop(10) == 0

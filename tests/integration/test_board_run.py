"""`scorebox board run`, the supervisor of the SD image: the real verb as root, below a folder that has what the image
has. A file stands in for the LED, the console and the watchdog; all else is real: the daemon as user 990, the replay
API, a broker, a tmpfs as the stick."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import SLOW, clean_environment, wait_until
from test_faults import jsonl  # noqa: F401 (a fixture)

USER = 990
KEY = "key-of-the-tests"
# Of the supervisor: service_process.h, deaths.h
SILENCE_SECONDS = 30
EARLY_SECONDS = 120
# situation.h
CHECK_UP_SECONDS = 600


@pytest.fixture(autouse=True)
def as_root():
    if os.geteuid() != 0:
        print("SKIPPED: no root, and the supervisor runs as nobody else")
        pytest.skip("SKIPPED: not root, and the supervisor runs as nobody else")


def children_of(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid):
    """A zombie does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Image:
    """The folder, and a supervisor in it."""

    def __init__(self, folder, scorebox, spawn):
        self.root, self.spawn, self.count = folder, spawn, 0
        for name in ("bin", "etc/scorebox", "proc", "dev", "sys/class/leds/ACT", "run/scorebox", "boot", "data/secrets",
                     "data/box", "data/scorebox", "media/stick"):
            (folder / name).mkdir(parents=True)
        shutil.copy(scorebox, folder / "bin/scorebox")
        self.put("etc/passwd", f"root:x:0:0::/:/bin/sh\nscorebox:x:{USER}:{USER}::/:/bin/false\n")
        self.put("etc/scorebox/release", "VERSION=1.2.3\nBOARD=rpi-arm64\nBUILT=1764288000\n")
        self.kernel("scorebox.slot=a scorebox.trial=0")
        (folder / "proc/meminfo").symlink_to("/proc/meminfo")
        for name in ("dev/console", "dev/watchdog", "sys/class/leds/ACT/brightness", "sys/class/leds/ACT/trigger"):
            self.put(name, "")
        self.put("sys/class/leds/ACT/max_brightness", "255\n")
        self.put("boot/state.txt", "slot=a\n")
        self.put("run/scorebox/net", "eth0 192.168.1.7/24\n")
        self.put("run/scorebox/clock", "set by the tests\n")
        os.chown(folder / "data/scorebox", USER, USER)
        os.chown(folder / "data/secrets", USER, USER)

    def put(self, name, text):
        (self.root / name).write_text(text)

    def get(self, name):
        path = self.root / name
        return path.read_text() if path.exists() else ""

    def kernel(self, words):
        self.put("proc/cmdline", f"console=ttyS1,115200 {words}\n")

    def settings(self, **settings):
        path = self.root / "run/scorebox/settings"
        path.write_text("".join(f"SCOREBOX_{k}={v}\n" for k, v in settings.items()))
        path.chmod(0o600)

    def works(self, serve, broker, source, **settings):
        """Settings with which all is well."""
        api = serve("--step", source)
        ca = self.root / "boot/ca.pem"
        ca.write_bytes(api.ca.read_bytes())
        self.settings(**{**api.settings, "MODE": "both", "API_CA_FILE": ca, "KAFKA_BROKERS": broker(), "POLL_INTERVAL": "200ms",
                         "OUTPUT_MIN_FREE": "0", "BOOK_INTERVAL": "100ms", **settings})
        return self

    def start(self):
        self.count += 1
        env = {**clean_environment("/", {}), "SCOREBOX_STATE_DIR": "/of/the/caller", "OF_THE_CALLER": "1"}
        self.process = self.spawn([self.root / "bin/scorebox", "board", "run", "--root", self.root], env,
                                  name=f"supervisor{self.root.name}-{self.count}")
        return self.process

    @property
    def console(self):
        return self.get("dev/console")

    @property
    def screen(self):
        return self.get("run/scorebox/status.txt")

    def row(self, label):
        return next((line for line in self.screen.splitlines() if line.startswith(f"{label} ")), None)

    def says(self, text, seconds=20, times=1):
        wait_until(lambda: self.console.count(text) >= times, seconds, f"{text!r} on the console:\n{self.console[-3000:]}")

    def shows(self, text, seconds=20):
        wait_until(lambda: text in self.screen, seconds, f"{text!r} on the screen")

    def daemon(self):
        """Its pid, once it is the daemon and not a child on its way to be that."""
        def found():
            if not self.process.running:
                return None
            for pid in children_of(self.process.pid):
                try:
                    if f"Uid:\t{USER}\t" in pathlib.Path(f"/proc/{pid}/status").read_text() and \
                            b"board" not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                        return pid
                except OSError:
                    continue
            return None
        return wait_until(found, 20, "a daemon")

    def another_daemon(self, than):
        return wait_until(lambda: (pid := self.daemon()) != than and pid, 30, "another daemon")

    def fed(self):
        return (self.root / "dev/watchdog").stat().st_size


@pytest.fixture
def make_image(scorebox, spawn):
    """Below /tmp, where user 990 may pass."""
    made = []

    def make():
        folder = pathlib.Path(tempfile.mkdtemp(prefix="scorebox-board-"))
        folder.chmod(0o755)
        made.append(Image(folder, scorebox, spawn))
        return made[-1]

    yield make
    for image in made:
        if image.count:
            image.process.kill()
        shutil.rmtree(image.root)


@pytest.fixture
def image(make_image):
    return make_image()


@pytest.fixture
def stick(image):
    place = image.root / "media/stick"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=40m,uid={USER},gid={USER}", "scorebox-test", place],
                          capture_output=True)
    if done.returncode:
        print("SKIPPED: no right to mount a tmpfs")
        pytest.skip("SKIPPED: no right to mount a tmpfs")
    image.put("run/scorebox/stick", 'ok tmpfs /dev/sda1 "KINGSTON"\n')
    yield place
    if image.count:
        image.process.kill()
    subprocess.run(["umount", "-l", place], check=True)


def test_all_well(image, stick, serve, broker, jsonl):  # noqa: F811
    """The daemon has no right at all, and a human is told in four ways that all is well."""
    (stick / "scorebox-status.txt").symlink_to(image.root / "boot/state.txt")
    (stick / "scorebox-status.tmp").symlink_to(image.root / "boot/state.txt")
    image.put("run/scorebox/settings.log", "line 7: SCOREBOX_NONSENSE is unknown\n")
    process = image.works(serve, broker, jsonl).start()
    pid = image.daemon()

    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["Uid"].split() == status["Gid"].split() == [str(USER)] * 4
    assert not status["Groups"].strip()
    assert {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0)
    assert status["NoNewPrivs"].strip() == "1" and status["Umask"].strip() == "0027"
    assert os.getsid(pid) == pid
    assert [line.split()[4:6] for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
            if line.startswith("Max core")] == [["0", "0"]]
    names = {pair.split(b"=")[0].decode() for pair in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if pair}
    assert {n for n in names if not n.startswith("SCOREBOX_")} == {"HOME", "PATH", "NOTIFY_SOCKET", "WATCHDOG_USEC"}
    assert f"SCOREBOX_STATE_DIR={image.root}/data/scorebox".encode() in pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    assert (image.root / "run/scorebox/notify").stat().st_uid == USER
    assert (image.root / "run/scorebox/notify").stat().st_mode & 0o777 == 0o600

    image.shows("all well", 30)
    wait_until(lambda: list((stick / "scorebox").glob("2*.xlsx")), 20, "a workbook on the stick")
    image.says("LED        all well: ")
    assert max(len(line) for line in image.screen.splitlines()) <= 80
    assert "1 bad line in scorebox.env: line 7" in image.screen
    assert "spool.open" in image.console, "the daemon's lines are not on the console"
    wait_until(lambda: image.get("sys/class/leds/ACT/brightness").startswith("255"), 10, "a flash")
    wait_until(lambda: image.get("sys/class/leds/ACT/brightness").startswith("0"), 10, "its end")
    assert image.get("sys/class/leds/ACT/trigger") == "none"

    def on_the_stick():
        path = stick / "scorebox-status.txt"
        return not path.is_symlink() and b"all well" in path.read_bytes() and path.read_bytes().decode()

    text = wait_until(on_the_stick, 40, "the status file on the stick")
    assert text.count("\n") == text.count("\r\n") and "scorebox 1.2.3, slot a" in text
    assert '  "poll":{' in text and "line 7: SCOREBOX_NONSENSE" in text and "spool.open" in text
    assert image.get("boot/state.txt") == "slot=a\n", "a link on the stick was followed"
    assert not (stick / "scorebox-status.tmp").exists()

    fed = image.fed()
    wait_until(lambda: image.fed() > fed, 10, "the watchdog to be fed")
    rollup = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_Dirty"))
    print(f"the supervisor's own memory: {private} KiB")
    assert private <= 512 or os.environ.get("SCOREBOX_STATIC") == "0", "this is the build that ships"

    began = time.monotonic()
    assert process.stop(30) == 0
    assert time.monotonic() - began < 25 * SLOW
    assert not runs(pid)
    assert "V" not in image.get("dev/watchdog")
    assert image.get("data/box/deaths") == "0\n", "an end that was asked for is no death"
    assert abs(int(image.get("data/box/clock")) - time.time()) < 60
    for place in ("dev/console", "data/box/log", "run/scorebox/status.txt"):
        assert KEY not in image.get(place), f"the key is in {place}"
    assert KEY not in text


def test_started_again_with_growing_delay(image, serve, broker, jsonl):  # noqa: F811
    image.works(serve, broker, jsonl).start()
    pid = image.daemon()
    for span in ("1 s", "2 s", "4 s"):
        os.kill(pid, signal.SIGKILL)
        image.says(f"was ended by signal 9; committed rows are safe; started again in {span}")
        pid = image.another_daemon(pid)
    image.shows("started 4 times")
    wait_until(lambda: "was ended by signal 9" in image.get("data/box/log"), 10, "the warning on the card")
    assert " info " not in image.get("data/box/log")
    # What runs is started anew at once by SIGHUP, with the settings of now.
    image.settings(MODE="produce", API_URL="https://127.0.0.1:1/x", API_KEY=KEY, KAFKA_BROKERS="127.0.0.1:1")
    image.process.signal(signal.SIGHUP)
    image.another_daemon(pid)
    image.shows("API away", 30)
    assert "Reading" not in image.screen
    # It ends with the supervisor, however that ends.
    pid = image.daemon()
    image.process.kill()
    wait_until(lambda: not runs(pid), 5, "the daemon's end")


def test_wrong_settings_wait_for_a_human(image, stick, serve, broker, jsonl):  # noqa: F811
    """Exit 78. And what the daemon's user puts where its status belongs does not get to the stick."""
    image.put("data/secrets/other", "a secret of somebody else")
    (image.root / "data/scorebox/status.json").symlink_to(image.root / "data/secrets/other")
    image.start()
    image.says("the service does not start with these settings")
    image.says("tried again in 5 min")
    image.shows("no settings: 2 flashes")
    image.shows("Wrong      SCOREBOX_API_KEY is not set")
    image.shows("           SCOREBOX_KAFKA_BROKERS is not set")
    report = wait_until(lambda: (stick / "scorebox-status.txt").exists() and (stick / "scorebox-status.txt").read_text(), 30,
                        "the status file on the stick")
    wait_until(lambda: "SCOREBOX_API_KEY" in (stick / "scorebox-status.txt").read_text(), 30, "what is missing, on the stick")
    assert "a secret of" not in report + (stick / "scorebox-status.txt").read_text()
    # A sealed secret counts as given.
    image.works(serve, broker, jsonl)
    kept = [line for line in image.get("run/scorebox/settings").splitlines(True) if not line.startswith("SCOREBOX_API_KEY=")]
    image.put("run/scorebox/settings", "".join(kept))
    image.put("data/secrets/SCOREBOX_API_KEY", KEY)
    for name in ("other", "SCOREBOX_API_KEY"):
        os.chown(image.root / "data/secrets" / name, USER, USER)
        (image.root / "data/secrets" / name).chmod(0o400)
    image.process.signal(signal.SIGHUP)
    image.shows("all well", 30)
    assert image.process.stop(30) == 0


def test_a_stick_that_cannot_be_written(image, stick, serve, broker, jsonl):  # noqa: F811
    subprocess.run(["mount", "-o", "remount,ro", stick], check=True)
    image.works(serve, broker, jsonl).start()
    image.shows("stick away", 30)
    image.says("warn board.stick-file: ")
    subprocess.run(["mount", "-o", "remount,rw", stick], check=True)
    wait_until(lambda: (stick / "scorebox-status.txt").exists(), 40, "the status file on the stick")
    assert image.console.count("board.stick-file") == 1
    assert image.process.stop(30) == 0


def test_an_error_of_the_card(image, stick, serve, broker, jsonl):  # noqa: F811
    """Its check is at the start, so the box starts anew: not before it was up for ten minutes, so as not to do that
    for ever."""
    image.put("run/scorebox/card-errors.before", "2\n")
    image.put("run/scorebox/card-errors", "2\n")
    image.works(serve, broker, jsonl).start()
    image.shows("all well", 60)
    image.put("run/scorebox/card-errors", "3\n")
    image.says("error data.readonly: ")
    image.shows("read-only after an error")
    if time.clock_gettime(time.CLOCK_MONOTONIC) < CHECK_UP_SECONDS:
        assert image.process.running and not image.get("run/scorebox/reboot")
        return
    wait_until(lambda: not image.process.running, 30, "its end")
    assert "is to be checked" in image.get("run/scorebox/reboot")
    assert image.console.count("data.readonly") == 1


def test_without_a_clock(image, serve, broker, jsonl):  # noqa: F811
    (image.root / "run/scorebox/clock").unlink()
    image.works(serve, broker, jsonl).start()
    image.shows("waits for the clock, at most")
    assert not [pid for pid in children_of(image.process.pid) if f"Uid:\t{USER}" in pathlib.Path(f"/proc/{pid}/status").read_text()]
    image.put("run/scorebox/clock", "set at last\n")
    image.daemon()
    image.shows("Clock      set at last")
    assert "time.unset" not in image.console
    assert image.process.stop(30) == 0
    # None comes: the box works all the same.
    (image.root / "run/scorebox/clock").unlink()
    image.works(serve, broker, jsonl, CLOCK_WAIT="2s").start()
    image.says("warn time.unset: no time server has set the clock within 2 s")
    image.daemon()
    image.shows("no clock: 4 flashes", 40)
    assert image.process.stop(30) == 0


def test_a_hang_and_two_minutes(make_image, serve, broker, jsonl):  # noqa: F811
    """Three boxes at once, for all of this takes its time: a daemon that hangs with a watchdog and without one, and
    one that lives long enough to be no early death."""
    hangs, without, lives = make_image(), make_image(), make_image()
    (without.root / "dev/watchdog").unlink()
    lives.put("data/box/deaths", "2\n")
    for image in (hangs, without, lives):
        image.works(serve, broker, jsonl).start()
    assert lives.get("data/box/deaths") in ("2\n", "3\n")
    began = time.monotonic()
    stopped = {image: image.daemon() for image in (hangs, without)}
    for image, pid in stopped.items():
        image.shows("up for", 20)
        os.kill(pid, signal.SIGSTOP)
    hangs.says("error board.hang: the service", SILENCE_SECONDS + 10)
    fed = hangs.fed()
    assert fed > 5, "it was not fed while the daemon was only silent"
    hangs.shows("hangs: no sign of life")
    without.says("without a watchdog it is killed and started again", SILENCE_SECONDS + 10)
    without.another_daemon(stopped[without])
    time.sleep(4)  # longer than between two feedings
    assert hangs.fed() == fed, "a hung daemon's watchdog is fed"
    os.kill(stopped[hangs], signal.SIGCONT)
    hangs.says("gives signs of life again")
    wait_until(lambda: hangs.fed() > fed, 10, "the watchdog to be fed again")

    assert lives.get("data/box/deaths") == "3\n" and time.monotonic() - began < EARLY_SECONDS
    wait_until(lambda: lives.get("data/box/deaths") == "0\n", EARLY_SECONDS, "the end of early deaths")
    assert (lives.root / "data/box/good-a").exists()
    assert hangs.get("data/box/deaths") == "1\n", "a box that hung was not well for two minutes"
    for image in (hangs, without, lives):
        assert image.process.stop(30) == 0


def test_a_trial_is_confirmed(image, serve, broker, jsonl):  # noqa: F811
    image.kernel("scorebox.slot=b scorebox.trial=1")
    image.works(serve, broker, jsonl, UPDATE_CONFIRM="8s").start()
    image.shows("update trial", 60)
    assert image.get("boot/state.txt") == "slot=a\n"
    image.says("is the one in use from now on", 30)
    assert image.get("boot/state.txt") == "slot=b\n"
    wait_until(lambda: (image.root / "data/box/good-b").exists(), 5, "the mark of slot b")
    image.shows("the trial is confirmed")
    assert image.process.stop(30) == 0


def test_a_trial_without_kafka_and_one_without_polls(make_image, serve, broker, jsonl):  # noqa: F811
    """Rows that wait in the spool are as good as a broker; without a poll nothing is confirmed."""
    without_kafka, without_polls = make_image(), make_image()
    for image in (without_kafka, without_polls):
        image.kernel("scorebox.slot=b scorebox.trial=1")
        image.put("data/box/good-b", "of an older version")
    without_kafka.works(serve, lambda: "127.0.0.1:1", jsonl, UPDATE_CONFIRM="1s").start()
    without_polls.works(serve, broker, jsonl, UPDATE_CONFIRM="1s", API_URL="https://127.0.0.1:1/x").start()
    without_kafka.says("is the one in use from now on", 30)
    assert "Kafka away" in without_kafka.console
    without_polls.shows("after a failure", 30)
    failed = without_polls.row("API")
    wait_until(lambda: without_polls.row("API") not in (None, failed), 60, "one poll more")
    without_polls.shows("on trial: it is not healthy yet")
    assert without_polls.get("boot/state.txt") == "slot=a\n"
    assert not (without_polls.root / "data/box/good-b").exists(), "a mark of an older version in this slot"
    for image in (without_kafka, without_polls):
        assert image.process.stop(30) == 0


def test_three_early_deaths(image):
    """The other slot is tried, once, however often the power comes and goes."""
    image.put("dev/slot-b", "a file system")
    os.truncate(image.root / "dev/slot-b", 1 << 20)
    image.put("data/box/good-b", "")
    tried = 0
    for start in range(1, 9):
        image.start()
        if start == 4:
            assert image.process.wait(20) == 0
            assert image.get("run/scorebox/reboot") == "the other slot is tried"
            assert image.get("boot/state.txt") == "slot=a\ntry=b\n"
            assert image.get("data/box/deaths") == "0 tried\n"
            image.says("3 starts in a row of slot a died")
            # The boot script takes it out; the power goes before the trial gets anywhere.
            image.put("boot/state.txt", "slot=a\n")
            (image.root / "run/scorebox/reboot").unlink()
            tried += 1
        else:
            wait_until(lambda: image.console.count("board.start:") == start, 20, "the supervisor")
            wait_until(lambda: image.get("data/box/deaths").startswith(str(start if start < 4 else start - 4)), 20, "the count")
            image.process.kill()
    assert tried == 1 and image.get("boot/state.txt") == "slot=a\n"
    assert not (image.root / "run/scorebox/reboot").exists()


def test_an_image_without_the_services_user_does_not_stay(image):
    image.kernel("scorebox.slot=b scorebox.trial=1")
    image.put("etc/passwd", "root:x:0:0::/:/bin/sh\n")
    assert image.start().wait(30) == 0
    assert image.get("run/scorebox/reboot") == "no service can be started"
    assert "knows no user scorebox; no service can be started; rebooting" in image.console
    assert image.get("boot/state.txt") == "slot=a\n"
    assert image.get("data/box/deaths") == "1\n"


def test_a_second_one_does_not_start(image):
    image.start()
    image.says("board.start")
    second = image.spawn([image.root / "bin/scorebox", "board", "run", "--root", image.root], clean_environment("/", {}))
    assert second.wait(10) == 75
    assert f"pid {image.process.pid}" in second.err
    assert image.process.running

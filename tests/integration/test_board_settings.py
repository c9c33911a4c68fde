"""The verbs of the SD image's start-up, by the real binary: its settings file and secrets, its partition table."""
import json
import os
import random
import shutil
import stat
import subprocess
import time

import pytest

from conftest import SLOW, Result, clean_environment

KEY = "kEy-of-the-tests-0123456789"
PASSWORD = "pAsSwOrD of the tests"
FILE = (b"\xef\xbb\xbf# Settings of the box\r\n"
        b"SCOREBOX_MODE = both\r\n"
        b"SCOREBOX_API_KEY=" + KEY.encode() + b"\t# of May\r\n"
        b"SCOREBOX_KAFKA_BROKERS=k1:9092\r\n"
        b"SCOREBOX_KAFKA_SECURITY=sasl_tls\r\n"
        b"SCOREBOX_KAFKA_SASL_USERNAME=me\r\n"
        b"SCOREBOX_KAFKA_SASL_PASSWORD='" + PASSWORD.encode() + b"'\r\n"
        b"SCOREBOX_POLL_MIN=often\r\n"
        b"this is no setting\r\n"
        b"SCOREBOX_SEAL=1\r\n")


class Card:
    """The places that the image has on card and in RAM, below a folder of the test."""

    def __init__(self, scorebox, folder):
        self.scorebox, self.folder = scorebox, folder
        self.boot, self.secrets, self.run_folder = folder / "boot", folder / "secrets", folder / "run"
        for place in (self.boot, self.secrets, self.run_folder):
            place.mkdir()
        self.secrets.chmod(0o700)
        self.file, self.out = self.boot / "scorebox.env", self.run_folder / "settings"
        self.file.write_bytes(FILE)

    def argv(self, *arguments):
        return [self.scorebox, "board", *map(str, arguments)]

    def settings_argv(self):
        return self.argv("settings", "--seal", self.secrets, self.file, self.out)

    def run(self, *argv):
        done = subprocess.run(argv, env=clean_environment(self.folder, {}), capture_output=True, text=True,
                              timeout=60 * SLOW)
        return Result(done.returncode, done.stdout, done.stderr)

    def settings(self):
        return self.run(*self.settings_argv())

    @property
    def lines(self):
        return dict(line.split("=", 1) for line in self.out.read_text().splitlines())

    @property
    def said(self):
        return self.out.with_suffix(".log").read_text().splitlines()


@pytest.fixture
def card(scorebox, tmp_path):
    return Card(scorebox, tmp_path)


def expect_sealed(card):
    """Both secrets are where they belong, and nothing of them is left in the file."""
    text = card.file.read_bytes()
    assert len(text) == len(FILE) and text.count(b"\r\n") == FILE.count(b"\r\n")
    assert KEY.encode() not in text and PASSWORD.encode() not in text and b"of May" not in text
    for i, (was, now) in enumerate(zip(FILE.split(b"\r\n"), text.split(b"\r\n"))):
        assert now == was or (i in (2, 6) and now.startswith(b"# SCOREBOX_") and b"is sealed" in now), now
    lines = card.lines
    for name, value in (("SCOREBOX_API_KEY", KEY), ("SCOREBOX_KAFKA_SASL_PASSWORD", PASSWORD)):
        assert name not in lines and lines[f"{name}_FILE"] == str(card.secrets / name)
        assert (card.secrets / name).read_text() == value
        assert stat.S_IMODE((card.secrets / name).stat().st_mode) == 0o400
    assert sorted(os.listdir(card.secrets)) == ["SCOREBOX_API_KEY", "SCOREBOX_KAFKA_SASL_PASSWORD"]


def test_a_first_start_and_the_next(card):
    if os.geteuid() == 0:
        os.chown(card.secrets, 4711, 4712)
    got = card.settings()
    assert got.code == 0, got
    expect_sealed(card)
    if os.geteuid() == 0:
        owner = (card.secrets / "SCOREBOX_API_KEY").stat()
        assert (owner.st_uid, owner.st_gid) == (4711, 4712)
    assert card.lines["SCOREBOX_MODE"] == "both" and "SCOREBOX_POLL_MIN" not in card.lines
    assert card.said == [
        'line 8: SCOREBOX_POLL_MIN="often": expected a duration such as 15s (units ms, s, m, h); the line is left out; '
        'the default counts: 15s',
        "line 9: expected NAME=value; the line is left out"]
    for line in card.said:
        assert line in got.err
    assert KEY not in got.err and PASSWORD not in got.err
    assert stat.S_IMODE(card.out.stat().st_mode) == 0o600
    first, written = card.out.read_bytes(), card.file.stat().st_mtime_ns
    assert card.settings().code == 0
    assert card.out.read_bytes() == first and card.file.stat().st_mtime_ns == written
    expect_sealed(card)


def test_the_daemon_takes_what_comes_out(card):
    assert card.settings().code == 0
    env = {**clean_environment(card.folder, {}), "SCOREBOX_OUTPUT_DIR": "/media/stick/scorebox"}
    done = subprocess.run([card.scorebox, "--env-file", card.out, "check"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("  SCOREBOX_")}
    assert f"*** ({len(KEY)} characters)" in shown["SCOREBOX_API_KEY"]
    assert f"*** ({len(PASSWORD)} characters)" in shown["SCOREBOX_KAFKA_SASL_PASSWORD"]
    assert shown["SCOREBOX_SEAL"].split()[1] == "1"


def test_a_new_key_takes_the_sealed_ones_place(card):
    assert card.settings().code == 0
    card.file.write_bytes(card.file.read_bytes() + b"SCOREBOX_API_KEY=another-key\r\n")
    assert card.settings().code == 0
    assert (card.secrets / "SCOREBOX_API_KEY").read_text() == "another-key"
    assert b"another-key" not in card.file.read_bytes()


def test_killed_at_any_moment(card):
    """SIGKILL at random moments of the first start; the one after it has everything."""
    dice = random.Random(5)
    argv, env = card.settings_argv(), clean_environment(card.folder, {})
    begin = time.monotonic()
    assert card.settings().code == 0
    whole = time.monotonic() - begin
    killed = 0
    for _ in range(60):
        shutil.rmtree(card.secrets)
        card.secrets.mkdir()
        card.file.write_bytes(FILE)
        process = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
        try:
            process.wait(dice.uniform(0, whole))
        except subprocess.TimeoutExpired:
            process.kill()
        killed += process.wait() == -9
        text = card.file.read_bytes()
        for name, value in (("SCOREBOX_API_KEY", KEY), ("SCOREBOX_KAFKA_SASL_PASSWORD", PASSWORD)):
            sealed = card.secrets / name
            assert value.encode() in text or sealed.read_text() == value, "it is nowhere"
        assert card.settings().code == 0
        expect_sealed(card)
    assert killed > 5, f"only {killed} of 60 were killed within {whole:.3f} s"


def in_a_namespace(*lines):
    """A shell's command line that runs `lines` where mounts are seen by nobody else, then its arguments."""
    return ["unshare", "-m", "sh", "-ec", "\n".join((*lines, 'exec "$@"')), "sh"]


@pytest.fixture
def mounts():
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        print("SKIPPED: no right to mount")
        pytest.skip("SKIPPED: no right to mount")


def test_a_card_that_is_mounted_read_only(card, mounts):
    """Nothing is lost: the secrets are used from where they are, and are moved by a start that can."""
    locked = in_a_namespace(f"mount --bind '{card.boot}' '{card.boot}'", f"mount -o remount,bind,ro '{card.boot}'")
    got = card.run(*locked, *card.settings_argv())
    assert got.code == 0, got
    assert card.file.read_bytes() == FILE and not os.listdir(card.secrets)
    assert card.lines["SCOREBOX_API_KEY"] == KEY and card.lines["SCOREBOX_KAFKA_SASL_PASSWORD"] == PASSWORD
    assert f"'{card.file}' cannot be written" in card.said[-1] and "nothing is lost" in card.said[-1]
    waits = card.out.with_suffix(".seal")
    assert waits.exists()
    assert card.settings().code == 0
    expect_sealed(card)
    assert not waits.exists()
    got = card.run(*locked, *card.settings_argv())
    assert got.code == 0 and not waits.exists() and "cannot be written" not in got.err
    expect_sealed(card)


def test_the_file_of_a_new_card(card):
    """As it comes it sets nothing; with three lines filled in it is all that a box needs."""
    got = subprocess.run([card.scorebox, "help", "--card"], capture_output=True)
    template = got.stdout
    assert got.returncode == 0 and template.count(b"\r\n") == template.count(b"\n") < 60
    card.file.write_bytes(template)
    got = card.settings()
    assert got.code == 78 and not card.said
    card.file.write_bytes(template.replace(b"#SCOREBOX_API_KEY=", b"SCOREBOX_API_KEY=" + KEY.encode())
                          .replace(b"#SCOREBOX_KAFKA_BROKERS=", b"SCOREBOX_KAFKA_BROKERS=")
                          .replace(b"#SCOREBOX_MODE=", b"SCOREBOX_MODE=").replace(b"#SCOREBOX_SEAL", b"SCOREBOX_SEAL"))
    got = card.settings()
    assert got.code == 0 and not card.said, got
    assert card.lines == {"SCOREBOX_API_KEY_FILE": str(card.secrets / "SCOREBOX_API_KEY"), "SCOREBOX_MODE": "produce",
                          "SCOREBOX_KAFKA_BROKERS": "kafka.example:9092", "SCOREBOX_SEAL": "1"}


def test_nothing_that_can_be_used(card):
    for content in (None, b"", b"\r\n# SCOREBOX_MODE=both\r\n", b"SCOREBOX_MODE=maybe\n", "SCOREBOX_MODE=both\n".encode("utf-16")):
        card.file.unlink(missing_ok=True)
        if content is not None:
            card.file.write_bytes(content)
        card.out.write_text("SCOREBOX_MODE=produce\n")
        got = card.settings()
        assert got.code == 78 and card.out.read_text() == "", (content, got)
        assert "error settings.none: " in got.err and str(card.file) in got.err
    assert "UTF-16" in card.said[0]
    got = card.run(*card.argv("settings", card.file, "/nonexistent/out"))
    assert got.code == 74 and "/nonexistent/out" in got.err
    for arguments in ((), ("settings",), ("settings", card.file), ("settings", card.file, card.out, "more")):
        assert card.run(*card.argv(*arguments)).code == 64, arguments


# ---- the card's partition table and its last file system ----

MIB = 1 << 20
TABLE = """label: dos
label-id: 0x5c04eb0c
1: start=8192,size=131072,type=c,bootable
2: start=139264,size=131072,type=83
3: start=270336,size=131072,type=83
4: start=401408,size=32768,type=83
"""


def tool(*names):
    for name in names:
        if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            print(f"SKIPPED: no {name}")
            pytest.skip(f"SKIPPED: no {name}")
    return [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") for name in names]


def make_disk(path, table, size):
    """A card as it was written, in a slot of `size` bytes."""
    (sfdisk,) = tool("sfdisk")
    with open(path, "wb") as f:
        f.truncate(216 * MIB)
    subprocess.run([sfdisk, "-q", path], input=table, text=True, check=True)
    with open(path, "r+b") as f:
        f.truncate(size)
    return path


def head(path, length=512):
    with open(path, "rb") as f:
        return f.read(length)


def table_of(path):
    (sfdisk,) = tool("sfdisk")
    done = subprocess.run([sfdisk, "-J", path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["partitiontable"]


@pytest.mark.parametrize("size, wanted", [
    (215 * MIB, 32768), (216 * MIB, 40960), (30_000_000_512, 28610 * 2048 - 401408),
    (128 << 30, (128 << 21) - 401408), (3 << 40, 0xFFFFF800 - 401408)])
def test_the_last_partition_fills_the_card(card, tmp_path, size, wanted):
    disk = make_disk(tmp_path / "card.img", TABLE, size)
    before = table_of(disk)
    got = card.run(*card.argv("grow", disk, 4))
    assert got.code == 0, got
    after = table_of(disk)
    assert after["partitions"][3].pop("size") == wanted
    assert before["partitions"][3].pop("size") == 32768
    assert after == before
    (sfdisk,) = tool("sfdisk")
    check = subprocess.run([sfdisk, "-V", disk], capture_output=True, text=True)
    assert check.returncode == 0 and "No errors detected" in check.stdout, check
    words = f"had 16 MiB and has {wanted // 2048} MiB now" if wanted != 32768 else "has 16 MiB and fills the card"
    assert words in got.err
    content = head(disk)
    got = card.run(*card.argv("grow", disk, 4))
    assert got.code == 0 and "and fills the card" in got.err
    assert disk.stat().st_size == size and head(disk) == content


def test_tables_that_are_left_alone(card, tmp_path):
    cases = [(TABLE, 3, "not the last"), (TABLE.replace("label: dos", "label: gpt").replace("label-id: 0x5c04eb0c\n", "")
              .replace("type=c,bootable", "type=L").replace("type=83", "type=L"), 4, "has a GPT"),
             ("label: dos\n1: start=2048,size=8192,type=83\n2: start=20480,type=5\n5: start=22528,size=8192,type=83\n", 2,
              "extended")]
    for table, number, words in cases:
        disk = make_disk(tmp_path / "card.img", table, 1 << 30)
        content = head(disk, 64 * 1024)
        got = card.run(*card.argv("grow", disk, number))
        assert got.code == 74 and words in got.err and str(disk) in got.err, got
        assert len(got.err.splitlines()) == 1
        assert head(disk, 64 * 1024) == content
    for arguments, code in ((("grow", disk), 64), (("grow", disk, "four"), 64), (("grow", disk, 5), 64),
                            (("grow", "/nonexistent", 4), 74), (("grow-fs",), 64), (("grow-fs", "/nonexistent"), 74),
                            (("grow-fs", tmp_path / "run"), 74), (("grow-fs", "/proc"), 74)):
        got = card.run(*card.argv(*arguments))
        assert got.code == code and len(got.err.splitlines()) == 1, got


def run_tool(*argv):
    return subprocess.run([*tool(argv[0]), *map(str, argv[1:])], capture_output=True, text=True)


@pytest.fixture
def loop(tmp_path):
    """loop(file): a loop device over it, with the partitions of its table; all go with the test."""
    made = []

    def attach(path):
        tool("losetup", "partx", "mke2fs", "e2fsck", "resize2fs")
        got = run_tool("losetup", "--show", "-f", path) if os.geteuid() == 0 else None
        if not got or got.returncode != 0:
            print("SKIPPED: no loop devices")
            pytest.skip("SKIPPED: no loop devices")
        made.append(got.stdout.strip())
        got = run_tool("partx", "-u", made[-1])
        assert got.returncode == 0, got
        return made[-1]

    yield attach
    for device in made:
        run_tool("partx", "-d", device)
        assert run_tool("losetup", "-d", device).returncode == 0


def sectors_of(device):
    return int(run_tool("blockdev", "--getsz", device).stdout)


def test_a_mounted_partition_grows(card, tmp_path, mounts, loop):
    """The kernel knows the new size at once, though the partition is mounted."""
    disk = make_disk(tmp_path / "card.img", TABLE, 1 << 30)
    device = loop(disk)
    data = f"{device}p4"
    assert run_tool("mke2fs", "-q", "-t", "ext4", data).returncode == 0
    place = tmp_path / "data"
    place.mkdir()
    got = card.run(*in_a_namespace(f"mount '{data}' '{place}'"), *card.argv("grow", device, 4))
    assert got.code == 0 and "had 16 MiB and has 828 MiB now" in got.err, got
    assert sectors_of(data) == 828 * 2048
    assert table_of(disk)["partitions"][3]["size"] == 828 * 2048
    assert run_tool("e2fsck", "-fn", data).returncode == 0


def may_resize():
    """CAP_SYS_RESOURCE, which ext4 asks for."""
    for line in open("/proc/self/status"):
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16) >> 24 & 1
    return 0


@pytest.mark.parametrize("options, size", [(("-b", "1024"), 200 * MIB), (("-b", "4096"), 1 << 30), (("-b", "4096"), 64 << 30)])
def test_a_mounted_file_system_grows(card, tmp_path, mounts, loop, options, size):
    if not may_resize():
        print("SKIPPED: no CAP_SYS_RESOURCE: the kernel lets nobody here resize an ext4")
        pytest.skip("SKIPPED: no CAP_SYS_RESOURCE")
    disk = make_disk(tmp_path / "card.img", TABLE, size)
    device = loop(disk)
    data = f"{device}p4"
    assert run_tool("mke2fs", "-q", "-t", "ext4", *options, data).returncode == 0
    place = tmp_path / "data"
    place.mkdir()
    grow = in_a_namespace(f"mount '{data}' '{place}'", f"echo kept > '{place}/file'",
                          " ".join(f"'{word}'" for word in card.argv("grow", device, 4)))
    got = card.run(*grow, *card.argv("grow-fs", place))
    assert got.code == 0 and f"the file system at '{place}' had 16 MiB and has " in got.err, got
    again = card.run(*in_a_namespace(f"mount '{data}' '{place}'"), *card.argv("grow-fs", place))
    assert again.code == 0 and not again.err, again
    kept = card.run(*in_a_namespace(f"mount '{data}' '{place}'"), "sh", "-c", f"cat '{place}/file'; df -k --output=size '{place}'")
    words = kept.out.split()
    assert words[0] == "kept" and int(words[-1]) * 1024 > 0.9 * (size - 200 * MIB), kept
    assert run_tool("e2fsck", "-fn", data).returncode == 0


def test_what_the_kernel_refuses_is_said(card, tmp_path, mounts, loop):
    """Mounted read-only, or without the right to: one line, and the file system is as it was."""
    disk = make_disk(tmp_path / "card.img", TABLE, 1 << 30)
    device = loop(disk)
    data = f"{device}p4"
    assert run_tool("mke2fs", "-q", "-t", "ext4", data).returncode == 0
    assert card.run(*card.argv("grow", device, 4)).code == 0
    place = tmp_path / "data"
    place.mkdir()
    got = card.run(*in_a_namespace(f"mount -o ro '{data}' '{place}'"), *card.argv("grow-fs", place))
    assert got.code == 74 and len(got.err.splitlines()) == 1, got
    assert f"grow the file system at '{place}'" in got.err and "the next start tries again" in got.err
    assert run_tool("e2fsck", "-fn", data).returncode == 0

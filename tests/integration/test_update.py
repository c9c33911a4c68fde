"""`update` on a machine in a folder: bundles that the build machine's tool made, and what is none; an end at any moment.

A machine is what --root takes: /boot, /data, /dev, /etc, /proc, /run below one folder, its slots two files.
"""
import hashlib
import os
import random
import resource
import shutil
import subprocess
import time

import pytest

from conftest import ROOT, SLOW, clean_environment

TOOL = ROOT / "board" / "rpi" / "bundle"
HEAD = 4096
SLOT_BYTES = 3 << 20
OLD = b"an old system\n"
MARKS = (None, b"update.begin", b" 40 % of", b" 80 % of", b" 100 % of", b"update.written")
KILLS = int(os.environ.get("SCOREBOX_KILL_TIMES", "1")) * 25

if not shutil.which("openssl"):
    print("SKIPPED: no openssl")
    pytest.skip("SKIPPED: no openssl", allow_module_level=True)


def tool(*argv, code=0):
    got = subprocess.run(["sh", str(TOOL), *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert got.returncode == code, f"{argv} answered {got.returncode}:\n{got.stdout}{got.stderr}"
    return got


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys: ours, and somebody's."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        tool("keygen", folder / f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def image():
    """A slot's content."""
    return random.Random(1).randbytes(2_500_000 // 4096 * 4096)


@pytest.fixture(scope="module")
def make(keys, image, tmp_path_factory):
    """make(version, ...): a bundle, made once."""
    folder, made = tmp_path_factory.mktemp("bundles"), {}

    def bundle(version, board="rpi-arm64", key="ours", content=None):
        content = image if content is None else content
        name = (version, board, key, hashlib.sha256(content).hexdigest())
        if name not in made:
            path = folder / f"{len(made)}.update"
            (folder / "slot").write_bytes(content)
            tool("make", "--key", keys / f"{key}.pem", "--version", version, "--board", board, folder / "slot", path)
            made[name] = path
        return made[name]

    return bundle


class Machine:
    def __init__(self, scorebox, root, key):
        self.scorebox, self.root = scorebox, root
        for name in ("boot", "data/box", "dev", "etc/scorebox", "proc", "run/scorebox"):
            (root / name).mkdir(parents=True)
        shutil.copy(key, root / "etc/scorebox/update.pub")
        for slot in "ab":
            with open(self.slot(slot), "wb") as f:
                f.write(OLD)
                f.truncate(SLOT_BYTES)
        (root / "boot/state.txt").write_bytes(b"slot=a\r\n")
        self.release("1.2.3")
        self.start()

    def slot(self, name):
        return self.root / f"dev/slot-{name}"

    def release(self, version):
        (self.root / "etc/scorebox/release").write_text(f"VERSION={version}\nBOARD=rpi-arm64\nBUILT=1764288000\n")

    def start(self):
        """What the boot script does: `try` once, and out with it."""
        state = dict(line.split("=") for line in self.state.split())
        running = state.get("try", state["slot"])
        (self.root / "proc/cmdline").write_text(f"quiet scorebox.slot={running} scorebox.trial={int('try' in state)}\n")
        (self.root / "boot/state.txt").write_text(f"slot={state['slot']}\n")

    @property
    def state(self):
        return (self.root / "boot/state.txt").read_text()

    @property
    def said(self):
        return (self.root / "run/scorebox/update").read_text()

    def holds(self, slot, content):
        with open(self.slot(slot), "rb") as f:
            return f.read(len(content)) == content

    def argv(self, *arguments):
        return [self.scorebox, "update", "--root", str(self.root), *map(str, arguments)]

    def update(self, *arguments, code=0, **more):
        got = subprocess.run(self.argv(*arguments), env=clean_environment(self.root, {}), stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, **more)
        assert got.returncode == code, f"{arguments} answered {got.returncode}:\n{got.stdout}{got.stderr}"
        assert not got.stdout
        return got.stderr

    def is_untouched(self):
        return (self.holds("a", OLD) and self.holds("b", OLD) and self.state.split() == ["slot=a"]
                and not list((self.root / "data/box").iterdir()))


@pytest.fixture
def machine(scorebox, tmp_path, keys):
    return Machine(scorebox, tmp_path / "machine", keys / "ours.pub.pem")


def test_good(machine, make, image):
    err = machine.update(make("1.3.0"))
    assert "info update.begin: " in err and "100 % of version 1.3.0" in err and "reboot to try it" in err
    assert machine.holds("b", image) and machine.holds("a", OLD)
    assert machine.state == "slot=a\ntry=b\n"
    assert machine.said == err.splitlines()[-1].split(": ", 1)[1] + "\n"
    # Its trial comes to nothing: by itself that bundle is left alone, by hand it is taken.
    machine.start()
    machine.start()
    err = machine.update("--if-newer", make("1.3.0"))
    assert "warn update.trial-failed: version 1.3.0 in slot b" in err and "info update.failed-before: " in err
    assert machine.state == "slot=a\n"
    machine.update(make("1.3.0"))
    assert machine.state == "slot=a\ntry=b\n"


def test_from_slot_b(machine, make, image):
    (machine.root / "boot/state.txt").write_text("slot=b\n")
    machine.start()
    machine.update("--if-newer", make("1.3.0"))
    assert machine.holds("a", image) and machine.holds("b", OLD)
    assert machine.state == "slot=b\ntry=a\n"


@pytest.mark.parametrize("version, options, code, said", [
    ("1.2.3", (), 64, "the same as 1.2.3"),
    ("1.2.2", (), 64, "older than 1.2.3"),
    ("1.2.3-rc9", (), 64, "older than 1.2.3"),
    ("1.2.2", ("--if-newer",), 0, "nothing to do"),
    ("1.2.3+other", ("--if-newer",), 0, "nothing to do"),
    ("1.2.3", ("--downgrade",), 0, None),
    ("0.9", ("--downgrade",), 0, None),
    ("1.2.10", (), 0, None),
    ("1.10-rc1", ("--if-newer",), 0, None),
])
def test_versions(machine, make, image, version, options, code, said):
    err = machine.update(*options, make(version), code=code)
    if said:
        assert said in err and machine.is_untouched()
        assert ("error" in err) == bool(code)
    else:
        assert machine.holds("b", image) and machine.state == "slot=a\ntry=b\n"


def test_refused(machine, make, tmp_path):
    for bundle, said in ((make("1.3.0", key="theirs"), "not by the key we trust"),
                         (make("1.3.0", board="rpi-armhf"), "for a board 'rpi-armhf'"),
                         (make("1.3.0", content=bytes(SLOT_BYTES + 4096)), "has room for"),
                         (tmp_path / "none.update", "No such file"),
                         (machine.slot("a"), "no update bundle")):
        err = machine.update(bundle, code=64)
        assert said in err and "this box goes on with version 1.2.3 from slot a" in machine.said
    assert machine.is_untouched()


def test_every_byte_of_the_head_counts(machine, make, tmp_path):
    """All of the text, and some of the blank lines behind it; then some of the payload."""
    good = make("1.3.0").read_bytes()
    text = good.index(b"\n\n")
    places = [*range(0, text, 1 if SLOW == 1 else 7), text + 1, HEAD - 1, HEAD, HEAD + 1, len(good) // 2, len(good) - 1]
    bad = tmp_path / "bad.update"
    for place in places:
        bad.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1:])
        machine.update(bad, code=64)
    assert machine.is_untouched()
    bad.write_bytes(good)
    machine.update(bad)


def test_truncated(machine, make, tmp_path):
    good = make("1.3.0").read_bytes()
    cut = tmp_path / "cut.update"
    for length in (0, 1, 16, 200, 300, HEAD - 1, HEAD, HEAD + 1, HEAD + 4096, len(good) // 2, len(good) - 4096, len(good) - 1):
        cut.write_bytes(good[:length])
        assert "not copied whole" in machine.update(cut, code=64)
    cut.write_bytes(good + b"\n")
    assert "not copied whole" in machine.update(cut, code=64)
    assert machine.is_untouched()


def test_other_machines(machine, make, scorebox, tmp_path):
    got = subprocess.run([scorebox, "update", make("1.3.0")], env=clean_environment(tmp_path, {}), capture_output=True, text=True)
    assert got.returncode == 64 and "does not run the SD image" in got.stderr
    (machine.root / "proc/cmdline").write_text("root=/dev/sda1 quiet\n")
    assert "does not run the SD image" in machine.update(make("1.3.0"), code=64)
    machine.start()
    machine.slot("b").unlink()
    assert "does not run the SD image" in machine.update(make("1.3.0"), code=64)
    for wrong in ((), (make("1.3.0"), "more"), ("--downgrade", "--if-newer", make("1.3.0")), ("--now", make("1.3.0"))):
        assert "error usage: " in machine.update(*wrong, code=64)


def test_two_at_once(machine, make):
    """The second one is turned away while the first one, which is stopped in its middle, has not ended."""
    first = subprocess.Popen(machine.argv(make("1.3.0")), env=clean_environment(machine.root, {}),
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = first.stderr.readline()
        first.send_signal(19)
        assert "update.begin" in line
        err = machine.update(make("1.4.0"), code=75)
        assert "another update runs" in err and str(first.pid) in err
    finally:
        first.send_signal(18)
        assert first.wait(60 * SLOW) == 0
        first.stderr.close()
    machine.update(make("1.4.0"))


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


def with_boot(machine, setup, *arguments):
    """Runs the update with a tmpfs of 64 KiB on /boot, as `setup` leaves it. Answers the exit code, state.txt, whether /boot
    can be written to at the end, and what was said."""
    if not can_mount():
        print("SKIPPED: no right to mount")
        pytest.skip("no right to mount")
    script = f"""set -e
        mount -t tmpfs -o size=64k,noatime boot boot
        echo slot=a >boot/state.txt
        {setup}
        "$@" && code=0 || code=$?
        echo "$code"
        echo $(cat boot/state.txt)
        touch boot/x 2>/dev/null && echo writable || echo read-only
        """
    got = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", *machine.argv(*arguments)], cwd=machine.root,
                         env=clean_environment(machine.root, {}), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert got.returncode == 0, got.stdout + got.stderr
    code, state, writable = got.stdout.splitlines()
    return int(code), state, writable, got.stderr


def test_a_boot_folder_that_is_read_only_is_so_again(machine, make, image):
    code, state, writable, err = with_boot(machine, "mount -o remount,ro boot", make("1.3.0"))
    assert (code, state, writable) == (0, "slot=a try=b", "read-only"), err
    assert machine.holds("b", image)


def test_a_boot_folder_that_is_full(machine, make):
    code, state, _, err = with_boot(machine, "dd if=/dev/zero of=boot/fill bs=1k 2>/dev/null || true", make("1.3.0"))
    assert (code, state) == (74, "slot=a") and "has no room" in err
    assert machine.is_untouched()


def test_a_boot_folder_that_cannot_be_written(machine, make):
    """It lies below a mount that is not ours to change."""
    setup = """mkdir boot/below card
        mv boot/state.txt boot/below
        mount -o remount,ro boot
        mount --move boot card
        rm -r boot
        ln -s card/below boot"""
    code, state, writable, err = with_boot(machine, setup, make("1.3.0"))
    assert (code, state, writable) == (74, "slot=a", "read-only") and "Read-only file system" in err
    (machine.root / "boot").unlink()
    (machine.root / "boot").mkdir()
    (machine.root / "boot/state.txt").write_text("slot=a\n")
    assert machine.is_untouched()


def test_memory(machine, make, image):
    """A few steps of the bundle at once, whatever its size."""
    if os.environ.get("SCOREBOX_STATIC") != "1" or SLOW != 1:
        print("SKIPPED: no limit of memory is kept here")
        pytest.skip("no limit of memory is kept here")
    content = image * 12
    os.truncate(machine.slot("b"), 32 << 20)
    limit = 3 << 20
    machine.update(make("1.3.0", content=content), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
    assert machine.holds("b", content)


def test_killed_at_any_moment(machine, make, image, scorebox):
    """Power cuts as far as a process can have them: what runs stays whole, a half written slot looks like none, and the
    next update works."""
    seed = int(os.environ.get("SCOREBOX_SEED", time.time()))
    print(f"SCOREBOX_SEED={seed}")
    chance = random.Random(seed)
    content = image * 4
    bundle, running = make("1.3.0", content=content), OLD
    os.truncate(machine.slot("b"), 12 << 20)
    machine.update(bundle)
    ended = tried = 0
    for turn in range(KILLS):
        (machine.root / "boot/state.txt").write_text("slot=a\n")
        process = subprocess.Popen(machine.argv("--downgrade", bundle), env=clean_environment(machine.root, {}),
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # A moment behind its start, or behind one of the things that it says.
        mark = MARKS[turn % len(MARKS)]
        for line in iter(process.stderr.readline, b"") if mark else ():
            if mark in line:
                break
        else:
            assert not mark, f"ended without {mark}"
        try:
            process.wait(chance.choice((0, 0.002, 0.02, 0.2)) * chance.random())
            ended += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()
        assert machine.holds("a", running)
        assert machine.state in ("slot=a\n", "slot=a\ntry=b\n")
        if machine.state != "slot=a\n":
            tried += 1
            assert machine.holds("b", content)
        else:
            assert machine.holds("b", bytes(4096)) or machine.holds("b", content)
        # The next start, and what it makes of the records.
        machine.start()
        machine.start()
        machine.update("--if-newer", make("1.2.3"))
    print(f"{KILLS}: {ended} had ended, {tried} to be tried")
    assert ended < KILLS // 2 and tried > 0
    machine.update(bundle)
    assert machine.holds("b", content) and machine.state == "slot=a\ntry=b\n"


# ---- the tool ----

def test_the_tool_keeps_keys(tmp_path):
    tool("keygen", tmp_path / "k.pem")
    secret = (tmp_path / "k.pem").read_bytes()
    assert (tmp_path / "k.pem").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in (tmp_path / "k.pub.pem").read_bytes()
    assert "is there already" in tool("keygen", tmp_path / "k.pem", code=1).stderr
    assert (tmp_path / "k.pem").read_bytes() == secret
    (tmp_path / "k.pem").unlink()
    assert "is there already" in tool("keygen", tmp_path / "k.pem", code=1).stderr
    assert not (tmp_path / "k.pem").exists()
    assert "could not be made" in tool("keygen", tmp_path / "none" / "k.pem", code=1).stderr


def test_the_tool_shows_and_verifies(make, keys, tmp_path, image):
    bundle = make("1.3.0")
    shown = tool("show", bundle).stdout.splitlines()
    assert shown[:5] == ["scorebox update", "format=1", "board=rpi-arm64", "version=1.3.0", f"size={len(image)}"]
    assert shown[5] == f"sha256={hashlib.sha256(image).hexdigest()}" and shown[6].startswith("signature=")
    ours = keys / "ours.pub.pem"
    assert "whole, and signed" in tool("verify", "--key", ours, bundle).stdout
    assert "not signed by" in tool("verify", "--key", keys / "theirs.pub.pem", bundle, code=1).stderr
    good, bad = bundle.read_bytes(), tmp_path / "bad.update"
    for content, said in ((good[:-1], "not whole"), (good[:-1] + bytes([good[-1] ^ 1]), "damaged"), (b"", "no update bundle"),
                          (good.replace(b"1.3.0", b"1.4.0", 1), "not signed by"), (image[:9000], "no update bundle")):
        bad.write_bytes(content)
        assert said in tool("verify", "--key", ours, bad, code=1).stderr


def test_the_tool_refuses_what_the_program_would(keys, tmp_path):
    slot, out = tmp_path / "slot", tmp_path / "out.update"
    slot.write_bytes(bytes(8192))

    def make(*more, key=keys / "ours.pem", version="1.3.0", board="rpi-arm64", code=64):
        return tool("make", "--key", key, "--version", version, "--board", board, slot, out, *more, code=code).stderr

    for version in ("", "v1", "1.", "1..2", "1.2-", "1 2", "1.2\n1", "1" * 64):
        assert "version" in make(version=version)
    for board in ("", "a b", "a/b", "b" * 32):
        assert "board" in make(board=board)
    assert "two files" in make("more")
    assert "does not sign" in make(key=keys / "ours.pub.pem", code=1)
    assert "is no file" in make(key=tmp_path / "none", code=1)
    slot.write_bytes(bytes(8191))
    assert "whole pages" in make(code=1)
    slot.write_bytes(b"")
    assert "is empty" in make(code=1)
    assert not list(tmp_path.glob("out*"))


def test_the_tool_is_clean_shell():
    if not shutil.which("shellcheck"):
        print("SKIPPED: no shellcheck")
        pytest.skip("no shellcheck")
    subprocess.run(["shellcheck", str(TOOL)], check=True)

"""The verbs of the SD image's start-up, by the real binary: its settings file and secrets, its partition table."""
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

"""The recipe of the SD image: the lock of its packages, and that two builds are the same bytes. Needs the Debian mirror
that the first build had."""
import filecmp
import os
import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(os.environ["SCOREBOX_TOP"])
RPI = TOP / "board" / "rpi"
IMAGE_DIR = pathlib.Path(os.environ.get("SCOREBOX_IMAGE_DIR", TOP / "build" / "image"))
LOCKED = (RPI / "packages.lock").read_text()
E2FSCK = next(line for line in LOCKED.splitlines() if line.startswith("e2fsck "))


def fetch(folder, lock, **more):
    """Exit code, what was said, and the lock that was written."""
    (folder / "lock").write_text(lock)
    done = subprocess.run(["cmake", f"-DCACHE={folder}/cache", f"-DLOCK_OUT={folder}/out", f"-DLOCK={folder}/lock",
                           "-P", str(RPI / "fetch.cmake")], capture_output=True, text=True, **more)
    out = folder / "out"
    return done.returncode, done.stdout + done.stderr, out.read_text() if out.exists() else ""


def test_what_is_locked_is_taken_once(tmp_path):
    code, said, out = fetch(tmp_path, E2FSCK + "\n")
    assert code == 0, said
    assert out.strip() == E2FSCK and "NOT AS LOCKED" not in said
    # The second time there is no mirror, and none is needed.
    code, said, out = fetch(tmp_path, E2FSCK + "\n", env={**os.environ, "PATH": nothing_but_cmake(tmp_path)})
    assert code == 0 and out.strip() == E2FSCK, said


def nothing_but_cmake(folder):
    tools = folder / "tools"
    tools.mkdir()
    (tools / "cmake").symlink_to(shutil.which("cmake"))
    return str(tools)


def test_a_version_that_is_gone_is_replaced_and_that_is_said(tmp_path):
    code, said, out = fetch(tmp_path, "# comment\n" + re.sub(r" \S+ deb ", " 0.0.1-1 deb ", E2FSCK) + "\n")
    assert code == 0, said
    assert "NOT AS LOCKED: the mirror has e2fsck-static 0.0.1-1 no more" in said
    assert re.fullmatch(r"# comment\ne2fsck e2fsck-static [1-9]\S+ deb [0-9a-f]{64}\n", out)


def test_a_file_that_is_another_one_ends_it(tmp_path):
    code, said, out = fetch(tmp_path, E2FSCK[:-4] + "0000\n")
    assert code != 0 and not out
    said = " ".join(said.split())
    assert "is not what" in said and "locked is" in said and "Nothing was built" in said


def test_two_builds_are_the_same_bytes(tmp_path):
    if not (IMAGE_DIR / "scorebox-rpi-arm64.img.xz").exists():
        pytest.skip("SKIPPED: no image: sh cmake/bootstrap image")
    again = tmp_path / "again"
    again.mkdir()
    shutil.copytree(IMAGE_DIR / "packages", again / "packages")
    files = again / "packages" / "files.txt"
    files.write_text(files.read_text().replace(str(IMAGE_DIR.resolve()), str(again)))
    for name in ("packages.lock",):
        shutil.copy(IMAGE_DIR / name, again / name)
    release = (IMAGE_DIR / "slot" / "VERSION").read_text()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": re.search(r"BUILT=(\d+)", release)[1],
                   "SCOREBOX_VERSION": re.search(r"VERSION=(\S+)", release)[1],
                   "SCOREBOX_SPECS": str(TOP / "build/deps/toolchain/aarch64-linux-musl/gcc.specs"),
                   "SCOREBOX_UPDATE_KEY": os.environ.get("SCOREBOX_UPDATE_KEY", str(TOP / "build/keys/update.pem"))}
    # Beside the program stands its SBOM, as it did then.
    program = TOP / "build" / "arm64" / "scorebox"
    assert filecmp.cmp(program, IMAGE_DIR / "root" / "bin" / "scorebox", shallow=False), "not the image's program"
    done = subprocess.run([str(RPI / "image"), str(program), str(again)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("ntpd", "vmlinuz.gz", "root.zst", "slot.ext4", "data.ext4", "fat.img", "scorebox-rpi-arm64.img",
                 "scorebox-rpi-arm64.img.xz", "scorebox-rpi-arm64.spdx.json", "SOURCES.txt"):
        assert filecmp.cmp(IMAGE_DIR / name, again / name, shallow=False), f"{name} differs"

"""What can be said of the SD image without starting it: its scripts, its layout, what lies in it, its papers."""
import hashlib
import json
import os
import pathlib
import re
import stat
import struct
import subprocess
import zlib

import pytest

from devicetree import devices_of

TOP = pathlib.Path(os.environ["SCOREBOX_TOP"])
RPI = TOP / "board" / "rpi"
IMAGE_DIR = pathlib.Path(os.environ.get("SCOREBOX_IMAGE_DIR", TOP / "build" / "image"))
IMAGE = IMAGE_DIR / "scorebox-rpi-arm64.img"
MIB = 1 << 20
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": PATH}, **more)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def image():
    if not IMAGE.exists():
        pytest.skip("SKIPPED: no image: sh cmake/bootstrap image")
    return IMAGE


def slot_file(name, path):
    """A file of slot A's file system."""
    subprocess.run(["debugfs", "-R", f"dump /{name} {path / name}", str(IMAGE_DIR / "slot.ext4")], check=True,
                   capture_output=True, env={**os.environ, "PATH": PATH})
    return (path / name).read_bytes()


def root_entries():
    """(name, mode, uid, gid, content) of all that is in the root."""
    raw = subprocess.run(["zstd", "-dc", str(IMAGE_DIR / "root.zst")], check=True, capture_output=True).stdout
    at = 0
    while True:
        field = [int(raw[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        assert raw[at:at + 6] == b"070701"
        size, name_size = field[6], field[11]
        name = raw[at + 110:at + 110 + name_size - 1].decode()
        begin = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return
        yield name, field[1], field[2], field[3], raw[begin:begin + size]
        at = (begin + size + 3) & ~3


def test_scripts():
    scripts = [RPI / name for name in ("image", "modules", "ntpd", "bundle", "qemu", "root/init")]
    scripts += [path for path in (RPI / "root" / "etc" / "box").rglob("*") if path.is_file()]
    assert len(scripts) > 15
    run("shellcheck", "-x", "-s", "sh", *map(str, scripts), cwd=TOP)
    run("shellcheck", str(TOP / "cmake" / "bootstrap"))


def test_sizes(image):
    assert image.stat().st_size == 256 * MIB
    packed = image.with_suffix(".img.xz")
    assert packed.stat().st_size <= 32 * MIB
    print(f"{packed.stat().st_size / 1e6:.1f} MB")
    unpacked = subprocess.Popen(["xz", "-dc", str(packed)], stdout=subprocess.PIPE)
    ours = hashlib.sha256()
    for piece in iter(lambda: unpacked.stdout.read(MIB), b""):
        ours.update(piece)
    assert unpacked.wait() == 0
    theirs = hashlib.sha256()
    with image.open("rb") as file:
        for piece in iter(lambda: file.read(MIB), b""):
            theirs.update(piece)
    assert ours.digest() == theirs.digest()


def test_sums(image):
    run("sha256sum", "-c", "--strict", "SHA256SUMS", cwd=IMAGE_DIR)


def test_partitions(image):
    table = json.loads(run("sfdisk", "-J", str(image)))["partitiontable"]
    assert table["label"] == "dos"
    found = [(p["start"] * 512 // MIB, p["size"] * 512 // MIB, p["type"]) for p in table["partitions"]]
    assert found == [(4, 64, "c"), (68, 64, "83"), (132, 64, "83"), (196, 60, "83")]
    with image.open("rb") as file:
        file.seek(132 * MIB)
        assert not any(file.read(64 * MIB)), "slot B is not empty"
        file.seek(196 * MIB)
        data = file.read(60 * MIB)
    assert data == (IMAGE_DIR / "data.ext4").read_bytes()
    run("e2fsck", "-fn", str(IMAGE_DIR / "data.ext4"))
    run("e2fsck", "-fn", str(IMAGE_DIR / "slot.ext4"))


def test_fat(image):
    run("fsck.vfat", "-n", str(IMAGE_DIR / "fat.img"))
    names = run("mdir", "-b", "-i", f"{image}@@{4 * MIB}", "::").split()
    wanted = {"bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat", "config.txt", "u-boot.bin",
              "uboot.env", "boot.scr", "state.txt", "kargs.txt", "scorebox.env", "README.txt",
              "bcm2837-rpi-3-b.dtb", "bcm2837-rpi-3-b-plus.dtb", "bcm2837-rpi-zero-2-w.dtb", "bcm2711-rpi-4-b.dtb"}
    assert {name.removeprefix("::/") for name in names} == wanted
    assert "AArch64 Linux Script" in run("mkimage", "-l", str(IMAGE_DIR / "fat" / "boot.scr"))
    # U-Boot's environment: a CRC, then text to the end of its 16 KiB.
    environment = (IMAGE_DIR / "fat" / "uboot.env").read_bytes()
    assert len(environment) == 0x4000
    assert struct.unpack("<I", environment[:4])[0] == zlib.crc32(environment[4:])
    assert run("mtype", "-i", f"{image}@@{4 * MIB}", "::state.txt") == "slot=a\n"
    for name in ("README.txt", "scorebox.env"):
        text = (IMAGE_DIR / "fat" / name).read_bytes()
        assert text.count(b"\r\n") == text.count(b"\n") > 10, f"{name} is for Notepad"
    assert "@LEDS@" not in (IMAGE_DIR / "fat" / "README.txt").read_text()


def test_settings_of_the_card(image, tmp_path):
    """All that stands in the template is a comment; with the marks taken off no line is wrong by its form or name."""
    program = os.environ["SCOREBOX_PEER"]
    template = (IMAGE_DIR / "fat" / "scorebox.env").read_text()
    bare = tmp_path / "bare.env"
    bare.write_text(re.sub(r"(?m)^#(SCOREBOX_)", r"\1", template))
    assert bare.read_text().count("\nSCOREBOX_") > 3
    subprocess.run([program, "board", "settings", str(bare), str(tmp_path / "out")], capture_output=True)
    said = (tmp_path / "out.log").read_text() if (tmp_path / "out.log").exists() else ""
    assert "is no setting" not in said and "expected NAME=value" not in said


def test_slot(image, tmp_path):
    kernel, root = slot_file("vmlinuz.gz", tmp_path), slot_file("root.zst", tmp_path)
    assert slot_file("sums", tmp_path) == struct.pack("<II", zlib.crc32(kernel), zlib.crc32(root))
    assert root == (IMAGE_DIR / "root.zst").read_bytes()
    release = slot_file("VERSION", tmp_path).decode()
    assert re.fullmatch(r"VERSION=[0-9.]+\nBOARD=rpi-arm64\nBUILT=\d+\n", release)
    size = (IMAGE_DIR / "slot.ext4").stat().st_size
    assert size % 4096 == 0 and size <= 64 * MIB
    with image.open("rb") as file:
        file.seek(68 * MIB)
        assert file.read(size) == (IMAGE_DIR / "slot.ext4").read_bytes()


def test_root(image):
    """Root's own, nothing set-uid, nothing writable for others, and every program static and for ARM."""
    programs = set()
    names = set()
    for name, mode, uid, gid, content in root_entries():
        names.add(name)
        assert (uid, gid) == (0, 0), name
        assert not mode & (stat.S_ISUID | stat.S_ISGID), name
        assert stat.S_ISLNK(mode) or not mode & 0o022, name
        assert stat.S_ISLNK(mode) or stat.S_ISDIR(mode) or stat.S_ISREG(mode), name
        if content[:4] == b"\x7fELF":
            assert struct.unpack_from("<H", content, 18)[0] == 183, f"{name} is not for AArch64"
            if not name.endswith(".ko"):
                programs.add(name)
                offset, size, count = struct.unpack_from("<Q", content, 32)[0], 56, struct.unpack_from("<H", content, 56)[0]
                kinds = [struct.unpack_from("<I", content, offset + i * size)[0] for i in range(count)]
                assert 3 not in kinds, f"{name} wants a loader"
    assert programs == {"bin/busybox", "bin/e2fsck", "bin/ntpd", "bin/scorebox"}
    assert {"init", "bin/sh", "sbin", "etc/scorebox/release", "etc/scorebox/update.pub", "etc/inittab"} <= names


# What is in the boards, and the box has no use for: Bluetooth, I2C, fans and sound by PWM, video beyond the firmware's
# screen, cameras, and the switch of hubs whose power is never off.
NEEDLESS = {"hci_uart", "i2c_bcm2835", "i2c_mux_pinctrl", "pwm_bcm2835", "vchiq", "vc4", "v3d", "onboard_usb_dev"}


def drivers_by_compatible(modules):
    """{compatible: {module, ...}} of a folder's modules.alias."""
    found = {}
    for line in (modules / "modules.alias").read_text().splitlines():
        if alias := re.match(r"alias of:N\*T\*C(.+?)(?:C\*)? (\S+)$", line):
            found.setdefault(alias[1], set()).add(alias[2])
    return found


def test_every_device_of_the_boards_has_its_driver(image, tmp_path):
    """A Pi 4 whose card has no regulator finds no card, and no emulator shows that."""
    kernel, = (IMAGE_DIR / "unpacked").glob("*/usr/lib/modules/*")
    for name, _, _, _, content in root_entries():
        if name.endswith("/modules.alias"):
            (tmp_path / "modules.alias").write_bytes(content)
    of_the_kernel, of_the_box = drivers_by_compatible(kernel), drivers_by_compatible(tmp_path)
    trees = sorted((IMAGE_DIR / "fat").glob("*.dtb"))
    devices = [(tree.name, path, one) for tree in trees for path, names in devices_of(tree.read_bytes()) for one in names]
    assert len(trees) == 4 and len(devices) > 200 and len(of_the_kernel) > 1000
    missing = {(*device, driver) for device in devices for driver in of_the_kernel.get(device[2], set()) - NEEDLESS
               if driver not in of_the_box.get(device[2], set())}
    assert not missing
    assert {"fixed", "gpio_regulator", "genet", "dwc2"} <= {d for one in of_the_box.values() for d in one}


def test_update(image):
    bundle = next(IMAGE_DIR.glob("scorebox-*-rpi-arm64.update"))
    run(str(RPI / "bundle"), "verify", "--key", str(IMAGE_DIR / "update.pub"), str(bundle))
    assert "PRIVATE" not in (IMAGE_DIR / "update.pub").read_text()


def test_papers(image):
    sbom = json.loads((IMAGE_DIR / "scorebox-rpi-arm64.spdx.json").read_text())
    lock = [line.split() for line in (IMAGE_DIR / "packages.lock").read_text().splitlines() if not line.startswith("#")]
    assert [word[0] for word in lock] == ["kernel", "busybox", "e2fsck", "u-boot", "firmware", "ntpd"]
    sums = {c["checksumValue"] for p in sbom["packages"] for c in p.get("checksums", [])}
    sources = (IMAGE_DIR / "SOURCES.txt").read_text()
    for _, package, version, _, sha256 in lock:
        assert sha256 in sums and sha256 in sources
        assert package in sources and version in sources
    assert hashlib.sha256(image.with_suffix(".img.xz").read_bytes()).hexdigest() in sums
    licences = {path.name for path in (IMAGE_DIR / "LICENCES").iterdir()}
    assert {"scorebox.txt", "busybox-static.txt", "e2fsck-static.txt", "raspi-firmware.txt", "u-boot-rpi.txt"} <= licences
    assert any(name.startswith("linux-image-") for name in licences)


def test_leds_in_the_readme():
    table = run(os.environ["SCOREBOX_PEER"], "help", "--leds")
    text = (TOP / "board" / "README.md").read_text()
    assert text.split("<!-- leds -->\n")[1].split("<!-- /leds -->")[0] == table

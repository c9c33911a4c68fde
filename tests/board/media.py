"""Cards and sticks as files: what somebody with a laptop does to them, from outside, while no guest has them.

    card = Card(image_dir, tmp_path / "card.img")
    card.settings({"SCOREBOX_MODE": "both"}, end="\\r\\n")
    card.state()                        # {"slot": "a"}
    stick = Stick(tmp_path / "stick.img", "vfat")
    stick.read("scorebox/Matches.xlsx")
"""
import os
import pathlib
import re
import shutil
import subprocess
import zlib

MIB = 1 << 20
ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "MTOOLS_SKIP_CHECK": "1",
               "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def run(*argv, data=None, codes=(0,)):
    done = subprocess.run([str(a) for a in argv], input=data, env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    assert done.returncode in codes, f"{' '.join(map(str, argv))}: {done.returncode}\n{done.stderr.decode(errors='replace')}"
    return done.stdout


def missing(*tools):
    return [tool for tool in tools if not shutil.which(tool, path=ENVIRONMENT["PATH"])]


class Fat:
    """The FAT at `offset` of a file, by mtools."""

    def __init__(self, path, offset):
        self.at = f"{path}@@{offset}"

    def read(self, name):
        return run("mtype", "-i", self.at, f"::{name}")

    def write(self, name, data):
        data = data.encode() if isinstance(data, str) else data
        run("mcopy", "-D", "o", "-i", self.at, "-", f"::{name}", data=data)

    def delete(self, name):
        run("mdel", "-i", self.at, f"::{name}")

    def names(self):
        """Of all files, with their folders."""
        found = run("mdir", "-s", "-a", "-b", "-i", self.at, "::", codes=(0, 1)).decode().splitlines()
        return sorted(name.removeprefix("::/") for name in found if not name.endswith("/"))


class Ext4:
    """The ext4 at `offset` of a file, by debugfs."""

    def __init__(self, path, offset):
        self.at = f"{path}?offset={offset}"

    def command(self, text):
        # 1: there is no file system
        return run("debugfs", "-R", text, self.at, codes=(0, 1))

    def read(self, name, target):
        """The file's bytes; None where there is none. `target` is a path to write it to on the way."""
        pathlib.Path(target).unlink(missing_ok=True)
        self.command(f'dump "/{name}" "{target}"')
        return pathlib.Path(target).read_bytes() if os.path.exists(target) else None

    def names(self, folder=""):
        lines = self.command(f'ls -p "/{folder}"').decode(errors="replace").splitlines()
        return sorted(line.split("/")[5] for line in lines if line.count("/") > 5 and line.split("/")[5] not in (".", ".."))

    def settle(self):
        """What was committed to the journal is put in its place, as whoever mounts it does first."""
        run("debugfs", "-w", "-R", "journal_run", self.at)

    def complaints(self):
        """What e2fsck has to say against it; "" nothing. Looks only."""
        done = subprocess.run(["e2fsck", "-fn", self.at], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return "" if done.returncode == 0 else done.stdout.decode(errors="replace")


class Card:
    """A copy of the image; `mib` above its own size: a larger card, which qemu wants to be a power of two."""

    def __init__(self, image_dir, path, mib=256):
        self.path = pathlib.Path(path)
        run("cp", "--sparse=always", image_dir / "scorebox-rpi-arm64.img", self.path)
        with open(self.path, "r+b") as f:
            f.truncate(max(mib * MIB, os.fstat(f.fileno()).st_size))
        self.fat = Fat(self.path, self.partition(1)[0])

    def partition(self, number):
        """(first byte, bytes) by the table as it stands."""
        with open(self.path, "rb") as f:
            f.seek(446 + 16 * (number - 1) + 8)
            entry = f.read(8)
        return int.from_bytes(entry[:4], "little") * 512, int.from_bytes(entry[4:], "little") * 512

    def slot_at(self, slot):
        return self.partition({"a": 2, "b": 3}[slot])[0]

    def settings(self, values, end="\n", more=()):
        """Writes scorebox.env. `more`: further lines as they are."""
        lines = [f"{name}={value}" for name, value in values.items()] + list(more)
        self.fat.write("scorebox.env", "".join(line + end for line in lines))

    def kargs(self, kargs="", uwdt="1"):
        self.fat.write("kargs.txt", f"kargs={kargs}\nuwdt={uwdt}\n")

    def values(self, name):
        """{name: value} of a file of such lines, as U-Boot's `env import` takes them."""
        text = self.fat.read(name).split(b"\0")[0].decode(errors="replace").replace("\r", "")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def state(self):
        return self.values("state.txt")

    def fat_bytes(self):
        """The whole partition."""
        offset, size = self.partition(1)
        with open(self.path, "rb") as f:
            f.seek(offset)
            return f.read(size)

    def fat_complaints(self):
        """What fsck.vfat has to say against it; "" nothing."""
        with open(self.path.with_suffix(".fat"), "wb") as f:
            f.write(self.fat_bytes())
        done = subprocess.run(["fsck.vfat", "-n", f.name], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        os.unlink(f.name)
        return "" if done.returncode == 0 else done.stdout.decode(errors="replace")

    @property
    def data(self):
        return Ext4(self.path, self.partition(4)[0])

    def slot_file(self, slot, name):
        return Ext4(self.path, self.slot_at(slot)).read(name, f"{self.path}.{slot}.{name}")

    def slot_system(self, slot):
        """(paths of kernel and root) once they are what their sums say; else why it cannot be booted. As boot.cmd."""
        sums = self.slot_file(slot, "sums")
        if sums is None or len(sums) < 8:
            return "no sums"
        paths = []
        for place, name in enumerate(("vmlinuz.gz", "root.zst")):
            data = self.slot_file(slot, name)
            if data is None:
                return f"no {name}"
            if zlib.crc32(data).to_bytes(4, "little") != sums[4 * place:4 * place + 4]:
                return f"{name} is not what its sum says"
            paths.append(pathlib.Path(f"{self.path}.{slot}.{name}"))
        return tuple(paths)

    def put_slot(self, slot, ext4):
        """Writes a file system into a slot."""
        with open(self.path, "r+b") as f, open(ext4, "rb") as source:
            f.seek(self.slot_at(slot))
            shutil.copyfileobj(source, f, MIB)


class Stick:
    """kind: vfat, exfat or ext4; on the whole disk, or with `partitioned` on the first partition of it."""

    def __init__(self, path, kind="vfat", mib=64, partitioned=False, label="STICK"):
        self.path, self.kind = pathlib.Path(path), kind
        self.offset = MIB if partitioned else 0
        file_system = self.path.with_suffix(".fs") if partitioned else self.path
        with open(file_system, "wb") as f:
            f.truncate(mib * MIB)
        if kind == "vfat":
            run("mkfs.vfat", "-F", "32", "-n", label, file_system)
        elif kind == "exfat":
            run("mkfs.exfat", "-L", label, file_system)
        else:
            run("mkfs.ext4", "-q", "-L", label, file_system)
        if partitioned:
            with open(self.path, "wb") as f:
                f.truncate((mib + 2) * MIB)
            number = {"vfat": "c", "exfat": "7", "ext4": "83"}[kind]
            run("sfdisk", "-q", "--no-reread", "--no-tell-kernel", self.path,
                data=f"label: dos\nunit: sectors\nstart=2048, size={mib * 2048}, type={number}\n".encode())
            run("dd", f"if={file_system}", f"of={self.path}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none")
            file_system.unlink()
        self.fat, self.ext4 = Fat(self.path, self.offset), Ext4(self.path, self.offset)

    def read(self, name):
        if self.kind == "vfat":
            return self.fat.read(name)
        assert self.kind == "ext4", "an exFAT is read in a guest"
        data = self.ext4.read(name, f"{self.path}.read")
        assert data is not None, f"{self.path} has no {name}"
        return data

    def write(self, name, data):
        assert self.kind == "vfat"
        self.fat.write(name, data)

    def names(self):
        """Of the files in the folder scorebox."""
        if self.kind == "vfat":
            found = [n for n in self.fat.names() if re.match("scorebox/", n)]
            return [n.removeprefix("scorebox/") for n in found]
        assert self.kind == "ext4", "an exFAT is read in a guest"
        return self.ext4.names("scorebox")

    def books(self):
        return [n for n in self.names() if n.endswith(".xlsx") and not n.startswith(".")]

"""Updates as somebody with a key makes them: the image's own slot, with some files of the root replaced, signed by
board/rpi/bundle.

    bundles.make("9.9.9")                                   # a good one; its path
    bundles.make("9.9.8", {"init": ("#!/bin/sh\\n...", 0o755)})
    card.put_slot("b", bundles.slot("9.9.9"))               # the slot's file system alone
"""
import os
import pathlib
import shutil
import zlib

from guest import HERE, appended
from media import run

BUNDLE = HERE.parents[1] / "board" / "rpi" / "bundle"
BOARD = "rpi-arm64"


class Bundles:
    def __init__(self, image_dir, key, folder):
        self.image_dir, self.key, self.folder = pathlib.Path(image_dir), key, pathlib.Path(folder)
        self.release = dict(line.split("=", 1) for line in
                            (self.image_dir / "root/etc/scorebox/release").read_text().splitlines())
        self.made = {}

    @property
    def running(self):
        """The image's own version."""
        return self.release["VERSION"]

    def slot(self, version, files=None):
        """A slot's ext4. `files`: {path in the root: (text, mode)}."""
        files = {"etc/scorebox/release": ("".join(f"{name}={value}\n" for name, value in
                                                  {**self.release, "VERSION": version}.items()), 0o644), **(files or {})}
        known = (version, tuple(sorted(files.items())))
        if known not in self.made:
            self.made[known] = self.make_slot(self.folder / f"slot{len(self.made)}", files)
        return self.made[known]

    def make_slot(self, folder, files):
        replaced, tree = folder / "replaced", folder / "tree"
        tree.mkdir(parents=True)
        for name, (text, mode) in files.items():
            path = replaced / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(mode)
        shutil.copy(self.image_dir / "slot/vmlinuz.gz", tree)
        appended(self.image_dir / "root.zst", replaced, tree / "root.zst")
        (tree / "VERSION").write_text(files["etc/scorebox/release"][0])
        sums = [zlib.crc32((tree / name).read_bytes()) for name in ("vmlinuz.gz", "root.zst")]
        (tree / "sums").write_bytes(b"".join(one.to_bytes(4, "little") for one in sums))
        out = folder / "slot.ext4"
        mib = sum(path.stat().st_size for path in tree.iterdir()) // (1 << 20) + 4
        # As board/rpi/image makes it: U-Boot does not know all of ext4.
        run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", "-N", "32", "-E", "root_owner=0:0", "-O",
            "^has_journal,^resize_inode,^64bit,^metadata_csum,^huge_file,^dir_index", "-d", tree, out, f"{mib}M")
        shutil.rmtree(tree)
        return out

    def make(self, version, files=None, payload=None, key=None, board=BOARD):
        """A bundle of slot(version, files), or of these bytes, whole pages."""
        if payload is None:
            slot = self.slot(version, files)
        else:
            slot = self.folder / "payload"
            slot.write_bytes(payload)
        out = self.folder / f"{os.urandom(4).hex()}.update"
        run(BUNDLE, "make", "--key", key or self.key, "--version", version, "--board", board, slot, out)
        return out

    def other_key(self):
        key = self.folder / "other.pem"
        if not key.exists():
            run(BUNDLE, "keygen", key)
        return key

"""What a box keeps, whatever becomes of its system: the user's files on the FAT, the journal, the spool.

    kept = Kept(guest)          # virt: as it stands
    ...
    kept.is_still_there()       # and none of it is there twice
"""
import shutil
import sqlite3

from media import Ext4, run

DATABASES = ("journal.db", "spool.db")


def user_files(card):
    """{name: bytes} of the FAT but for state.txt."""
    return {name: card.fat.read(name) for name in card.fat.names() if name != "state.txt"}


class Ledger:
    """journal.db and spool.db, read in a folder that holds them and what was not checkpointed yet."""

    def __init__(self, folder):
        with self.open(folder / "journal.db") as journal:
            self.rows = journal.execute("SELECT match, hex(run), seq, hex(event_id), body FROM (SELECT m.key AS match, r.run"
                                        " AS run, seq, event_id, body FROM record JOIN match m ON m.id = record.match"
                                        " JOIN run r ON r.id = record.run)").fetchall()
            self.gaps = journal.execute("SELECT count(*) FROM gap").fetchone()[0]
        with self.open(folder / "spool.db") as spool:
            self.next_id, = spool.execute("SELECT next_id FROM state").fetchone()

    @staticmethod
    def open(path):
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], f"{path} is damaged"
        return db


def ledger_in(guest):
    """Of a guest that runs, on virt; its processes stand still while the files are copied."""
    names = " ".join(f"{name} {name}-wal" for name in DATABASES)
    guest.sh(f"cd /data/scorebox && rm -rf /tmp/copy && mkdir /tmp/copy && {{ killall -STOP scorebox; for f in {names}; do"
             " [ ! -e $f ] || cp $f /tmp/copy/; done; killall -CONT scorebox; }")
    folder = guest.folder / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in guest.sh("ls /tmp/copy").split():
        (folder / name).write_bytes(guest.bytes_of(f"/tmp/copy/{name}"))
    guest.sh("rm -r /tmp/copy")
    return Ledger(folder)


def ledger_on(card, folder):
    """Of a card whose power is off; its file system is put in order in a copy."""
    folder.mkdir()
    offset, size = card.partition(4)
    with open(card.path, "rb") as source, open(folder / "data.ext4", "wb") as out:
        source.seek(offset)
        for _ in range(size >> 20):
            out.write(source.read(1 << 20))
    run("e2fsck", "-fy", folder / "data.ext4", codes=(0, 1))
    data = Ext4(folder / "data.ext4", 0)
    for name in DATABASES:
        for file in (name, f"{name}-wal"):
            data.read(f"scorebox/{file}", folder / file)
    (folder / "data.ext4").unlink()
    return Ledger(folder)


class Kept:
    def __init__(self, guest):
        self.guest, self.files, self.before = guest, user_files(guest.card), ledger_in(guest)
        assert self.before.rows, "nothing is kept yet"

    def is_still_there(self):
        assert user_files(self.guest.card) == self.files, "files of the user on the FAT have changed"
        now = ledger_in(self.guest)
        lost = set(self.before.rows) - set(now.rows)
        assert not lost, f"{len(lost)} records of the journal are gone"
        states = [row[:3] for row in now.rows]
        assert len(states) == len(set(states)), "records stand twice in the journal"
        assert now.gaps == self.before.gaps
        assert now.next_id >= self.before.next_id, "the spool was made anew"

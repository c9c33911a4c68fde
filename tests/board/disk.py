"""A disk that forgets: served to qemu over NBD from a file, it treats what the guest wrote and did not flush as a real
card treats it when its power goes away: some of it is there, some is not, in any order, some of it in part.

    disk = ForgetfulDisk(path, socket_path)
    ... qemu -blockdev driver=nbd,server.type=unix,server.path=SOCKET,export=,node-name=card ...
    disk.power_cut(dice)        # once qemu is gone
    disk.close()

The file holds every write at once; those since the last flush are remembered with what was there before. Protocol:
NBD's proto.md, the newstyle handshake with GO, simple replies."""
import os
import socket
import struct
import threading

SECTOR = 512
INIT, OPTION, REPLY = 0x4e42444d41474943, 0x49484156454F5054, 0x3e889045565a9
OPT_ABORT, OPT_INFO, OPT_GO = 2, 6, 7
REP_ACK, REP_INFO, REP_UNKNOWN = 1, 3, 2**31 + 1
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
HAS_FLAGS, SEND_FLUSH, SEND_FUA, SEND_TRIM = 1, 4, 8, 32
READ, WRITE, DISCONNECT, FLUSH, TRIM = range(5)
REQUEST, ANSWER = 0x25609513, 0x67446698
EIO, EINVAL = 5, 22


class ForgetfulDisk:
    def __init__(self, path, socket_path):
        self.file = os.open(path, os.O_RDWR)
        self.bytes = os.fstat(self.file).st_size
        self.pending = []       # (offset, before, after) since the last flush
        self.lock = threading.Lock()
        self.socket_path = str(socket_path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket_path)
        self.listener.listen(1)
        self.client = None
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    # ---- what the tests call, while no qemu is connected ----

    def power_cut(self, dice):
        """Forgets some of what was not flushed; how many writes there were, and how many are gone or torn."""
        self.wait_for_the_client()
        with self.lock:
            writes, self.pending = self.pending, []
            for offset, before, _ in reversed(writes):
                os.pwrite(self.file, before, offset)
            share, lost = dice.choice((0.0, 0.5, 0.9, 1.0)), 0
            for offset, _, after in writes:
                keep = len(after)
                if dice.random() >= share:
                    lost += 1
                    keep = SECTOR * dice.randrange(len(after) // SECTOR) if dice.random() < 0.3 else 0
                os.pwrite(self.file, after[:keep], offset)
            return len(writes), lost

    def power_stays(self):
        """A reset: the disk goes on and writes what it holds."""
        self.wait_for_the_client()
        with self.lock:
            self.pending = []

    def close(self):
        # shutdown() wakes the thread up from accept()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        os.unlink(self.socket_path)
        os.close(self.file)

    # ---- the server ----

    def wait_for_the_client(self):
        """qemu is gone: what it sent before is still to be read."""
        client = self.client
        if client:
            client.join()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.wait_for_the_client()
            self.client = threading.Thread(target=self.talk, args=(connection,), daemon=True)
            self.client.start()

    def talk(self, connection):
        with connection:
            try:
                if self.shake_hands(connection):
                    while self.answer(connection):
                        pass
            except (ConnectionError, EOFError):
                pass

    @staticmethod
    def take(connection, count):
        data = connection.recv(count, socket.MSG_WAITALL) if count else b""
        if len(data) < count:
            raise EOFError
        return data

    def shake_hands(self, connection):
        connection.sendall(struct.pack("!QQH", INIT, OPTION, FIXED_NEWSTYLE | NO_ZEROES))
        self.take(connection, 4)
        while True:
            magic, option, length = struct.unpack("!QII", self.take(connection, 16))
            assert magic == OPTION
            self.take(connection, length)

            def reply(kind, data=b""):
                connection.sendall(struct.pack("!QIII", REPLY, option, kind, len(data)) + data)

            if option in (OPT_GO, OPT_INFO):
                flags = HAS_FLAGS | SEND_FLUSH | SEND_FUA | SEND_TRIM
                reply(REP_INFO, struct.pack("!HQH", 0, self.bytes, flags))
                reply(REP_INFO, struct.pack("!HIII", 3, SECTOR, 4096, 1 << 20))
                reply(REP_ACK)
                if option == OPT_GO:
                    return True
            elif option == OPT_ABORT:
                reply(REP_ACK)
                return False
            else:
                reply(REP_UNKNOWN)

    def answer(self, connection):
        magic, flags, kind, handle, offset, length = struct.unpack("!IHHQQI", self.take(connection, 28))
        assert magic == REQUEST
        data, error = b"", 0
        if kind == DISCONNECT:
            return False
        payload = self.take(connection, length) if kind == WRITE else b""
        if kind in (READ, WRITE) and offset + length > self.bytes:
            error = EINVAL
        elif kind == READ:
            data = os.pread(self.file, length, offset)
        elif kind == WRITE:
            self.write(offset, payload, flags & 1)
        elif kind == FLUSH:
            with self.lock:
                self.pending = []
        elif kind != TRIM:
            error = EINVAL
        connection.sendall(struct.pack("!IIQ", ANSWER, error, handle) + data)
        return True

    def write(self, offset, after, through):
        with self.lock:
            before = os.pread(self.file, len(after), offset)
            os.pwrite(self.file, after, offset)
            if through:
                self.pending = []
            else:
                self.pending.append((offset, before, after))

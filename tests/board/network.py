"""A network of the tests' own, and a time server in it.

The guests know one time server port, 123, and reach the host's loopback by 10.0.2.2. So that this port can be had
without root, clashes with nobody's, and no guest ever speaks to anybody outside, the process of the tests leaves the
machine's network for an empty one that has nothing but loopback; all that it starts lives there as well."""
import ctypes
import fcntl
import os
import pathlib
import select
import socket
import struct
import threading
import time

HOST = "10.0.2.2"           # the host, as qemu's user network shows it to the guest
HOST_6 = "fd00:5::2"        # the same in a network of IPv6 alone, IPV6_ALONE
IPV6_ALONE = f"ipv4=off,ipv6=on,ipv6-prefix=fd00:5::,ipv6-host={HOST_6}"
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NTP_PORT = 123
NTP_EPOCH = 2208988800      # 1970 in seconds since 1900


def unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sh14x", b"lo", 0)
        flags, = struct.unpack_from("h", fcntl.ioctl(s, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def leave_for_an_own_one():
    """None, or why it cannot be done; then this process is where it was. To be called while there is one thread."""
    uid, gid = os.getuid(), os.getgid()
    try:
        if uid == 0:
            try:
                unshare(CLONE_NEWNET)
            except PermissionError:     # root of a container
                unshare(CLONE_NEWUSER | CLONE_NEWNET)
                map_user(uid, gid)
        else:
            unshare(CLONE_NEWUSER | CLONE_NEWNET)
            map_user(uid, gid)
        loopback_up()
    except OSError as why:
        return f"no network namespace of our own: {why.strerror}"
    return None


def map_user(uid, gid):
    me = pathlib.Path("/proc/self")
    (me / "setgroups").write_text("deny")
    (me / "uid_map").write_text(f"{uid} {uid} 1")
    (me / "gid_map").write_text(f"{gid} {gid} 1")


class TimeServer:
    """SNTP (RFC 4330) on port 123 of loopback: this machine's time, plus `ahead` seconds. OSError: the port cannot be
    had. `mute`: hears and does not answer."""

    def __init__(self):
        self.asked, self.mute, self.ahead = 0, False, 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind(("127.0.0.1", NTP_PORT))
        except OSError:
            self.socket.close()
            raise
        self.end_read, self.end_write = os.pipe()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            ready, _, _ = select.select([self.socket, self.end_read], [], [])
            if self.end_read in ready:
                return
            asked, whom = self.socket.recvfrom(512)
            self.asked += 1
            if len(asked) >= 48 and not self.mute:
                self.socket.sendto(self.answer(asked), whom)

    def answer(self, asked):
        now = self.stamp(time.time() + self.ahead)
        # no leap warning, version 4, server; stratum 2, poll 2^6 s, precision 2^-20 s
        head = struct.pack("!BBbb", 4 << 3 | 4, 2, 6, -20)
        return head + struct.pack("!II4s", 0, 1 << 6, b"LOCL") + now + asked[40:48] + now + now

    @staticmethod
    def stamp(seconds):
        return struct.pack("!II", (int(seconds) + NTP_EPOCH) & 0xFFFFFFFF, int(seconds % 1 * (1 << 32)))

    def close(self):
        os.write(self.end_write, b"x")
        self.thread.join()
        self.socket.close()
        os.close(self.end_read)
        os.close(self.end_write)

"""A box of the SD image in an emulated machine.

    guest = Guest(image_dir, folder, card, machine="virt")
    guest.plug(stick)
    guest.start()
    guest.wait("net.up", 60)            # a line of the console, by regular expression
    guest.sh("uname -r")                # virt only: by a root shell that the tests added
    guest.cut()                         # the power goes away
    guest.start()                       # and comes back
    guest.close()

raspi3b is started by the card's own U-Boot and runs the image as it is; it resets by itself. Its watchdog must stay off
(kargs scorebox.watchdog=off, uwdt=0): qemu's model resets at once when it is armed.

virt has what raspi3b lacks: a watchdog that bites, sticks that come and go, a shell. There is no U-Boot for the image on
it, so that its part is played here as boot/boot.cmd has it: which slot, its sums, the one trial, the kernel's arguments.
A reset ends qemu, and the thread that reads the console starts it again with the same disks.

Power cuts: kill -9. What the guest had written by then stands in the file, for it is in this machine's page cache and
only qemu died; so cache=unsafe loses nothing here, it only saves this machine's own flushes. With `forgets` the card is
a ForgetfulDisk, and of what was not flushed some is lost. Sticks do not forget: they are written through, and FAT could
not live without that."""
import base64
import collections
import json
import os
import pathlib
import queue
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from disk import ForgetfulDisk

SLOW = int(os.environ.get("SCOREBOX_SLOW", "1"))
HERE = pathlib.Path(__file__).resolve().parent
BOOT_SECONDS = 180          # from power to the first lines of the box; 5 to 15 on an idle machine
TAIL = 80                   # lines of the console that a failure shows
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])")

Line = collections.namedtuple("Line", "time text")
Boot = collections.namedtuple("Boot", "slot trial")


class Console:
    """The lines of the console with the second, since power was on, at which each ended."""

    def __init__(self, log):
        self.lines, self.rest = [], b""
        self.changed = threading.Condition()
        self.log = open(log, "w", encoding="utf-8")
        self.zero = time.monotonic()

    def feed(self, data):
        *whole, self.rest = (self.rest + data).replace(b"\r", b"\n").split(b"\n")
        for raw in whole:
            text = ESCAPES.sub("", raw.decode(errors="replace")).strip("\0 ")
            if text:
                self.add(text)

    def add(self, text):
        with self.changed:
            line = Line(time.monotonic() - self.zero, text)
            self.lines.append(line)
            self.log.write(f"[{line.time:7.2f}] {text}\n")
            self.log.flush()
            self.changed.notify_all()

    def tail(self, count=TAIL):
        with self.changed:
            return "\n".join(f"[{line.time:7.2f}] {line.text}" for line in self.lines[-count:])


class Qmp:
    """qemu's control socket: commands and events, docs/interop/qmp-spec."""

    def __init__(self, path, on_event):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.answers, self.on_event = queue.Queue(), on_event
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        self.command("qmp_capabilities")

    def read(self):
        with self.socket.makefile("r", encoding="utf-8") as lines:
            try:
                for line in lines:
                    message = json.loads(line)
                    if "event" in message:
                        self.on_event(self, message["event"], message.get("data", {}))
                    elif "QMP" not in message:
                        self.answers.put(message)
            except OSError:
                pass
        self.answers.put({"error": {"desc": "qemu is gone"}})

    def send(self, name, /, **arguments):
        arguments = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")

    def command(self, name, /, **arguments):
        self.send(name, **arguments)
        answer = self.answers.get(timeout=60 * SLOW)
        assert "return" in answer, f"qemu refuses {name} {arguments}: {answer}"
        return answer["return"]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()
        self.socket.close()


def cpio_of(folder):
    """An archive as the kernel's initramfs wants it, all of it root's."""
    names = "\n".join(sorted(str(p.relative_to(folder)) for p in folder.rglob("*")))
    return subprocess.run(["cpio", "--quiet", "-R", "0:0", "-H", "newc", "-o"], cwd=folder, input=names.encode(),
                          stdout=subprocess.PIPE, check=True).stdout


def appended(root, folder, out):
    """The initramfs `root` and, over it, the files of `folder`; the kernel takes archives one after the other, each
    at a multiple of four."""
    data = root.read_bytes()
    out.write_bytes(data + bytes(-len(data) % 4) + cpio_of(folder))
    return out


class Guest:
    def __init__(self, image_dir, folder, card, machine="virt", dtb="bcm2837-rpi-3-b", forgets=False,
                 network="ipv4=on,ipv6=on"):
        assert machine in ("virt", "raspi3b")
        self.image_dir, self.card, self.machine, self.dtb = pathlib.Path(image_dir), card, machine, dtb
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console = Console(self.folder / "console.log")
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="board-"))  # their paths have to be short
        self.sticks = {}            # plugged in: {name: (stick, read_only)}
        self.plugged = 0
        self.boots, self.ends, self.trouble = [], [], None
        self.lock = threading.Lock()
        self.process = self.qmp = self.thread = self.agent = None
        self.leaving = True
        self.begun_at = 0           # of the console's lines, when power came
        self.asked = 0
        self.netdev = f"user,id=net,{network}"
        self.disks = {}             # {node: ForgetfulDisk}
        if forgets:
            assert machine == "virt"
            self.disks["card"] = ForgetfulDisk(card.path, self.sockets / "card")
        if machine == "virt":
            self.agent_folder = self.sockets / "agent.d"
            self.make_agent()

    # ---- power ----

    def start(self):
        """Power comes; answers when qemu runs."""
        assert self.thread is None, "it runs already"
        self.leaving = False
        self.begun_at = len(self.console.lines)
        self.console.zero = time.monotonic()
        self.begin()
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()
        return self

    def cut(self, dice=None):
        """Power goes, at once. `dice` (random.Random): what a ForgetfulDisk loses."""
        with self.lock:
            self.leaving = True
            if self.process:
                self.process.send_signal(signal.SIGKILL)
        if self.thread:
            self.thread.join()
        self.thread = None
        self.ends += ["cut"] * (len(self.boots) - len(self.ends))
        self.console.add("-- the power was cut")
        for name, disk in self.disks.items():
            self.power_of(name, disk, dice)

    def power_of(self, name, disk, dice):
        """Of one disk: it goes, or without dice: it stays."""
        if dice:
            self.console.add("-- %s: of %d writes that were not flushed %d are lost or torn" % (name, *disk.power_cut(dice)))
        else:
            disk.power_stays()

    def power_off(self, seconds=120):
        """The box shuts down by itself, in order."""
        self.sh("poweroff")
        self.thread.join(seconds * SLOW)
        if self.thread.is_alive() or self.ends[-1] != "guest-shutdown":
            self.fail(f"the box does not shut down: {self.ends}")
        self.thread = None

    def close(self):
        self.cut()
        for disk in self.disks.values():
            disk.close()
        self.console.log.close()
        shutil.rmtree(self.sockets)

    @property
    def now(self):
        """Seconds since power came, as the console's lines have them."""
        return time.monotonic() - self.console.zero

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def live(self):
        """The thread: reads the console; a reset on virt starts the machine again."""
        while True:
            process = self.process
            while data := process.stdout.read1(65536):
                self.console.feed(data)
            process.wait()
            if self.qmp:
                self.qmp.close()
            self.forget_agent()
            with self.lock:
                end = self.ends[-1] if len(self.ends) == len(self.boots) else f"it ended with {process.returncode}"
                if self.leaving:
                    return
                self.console.add(f"-- qemu has ended: {end}")
                if end not in ("guest-reset", "watchdog"):
                    self.trouble = f"the machine is off: {end}"
                    return
                for disk in self.disks.values():
                    disk.power_stays()
                try:
                    self.begin()
                except AssertionError as why:
                    self.trouble = str(why)
                    self.console.add(f"-- {why}")
                    return

    def begin(self):
        """Starts qemu."""
        self.trouble = None
        argv = self.virt() if self.machine == "virt" else self.raspi3b()
        for name in ("qmp", "agent"):
            (self.sockets / name).unlink(missing_ok=True)
        argv += ["-qmp", f"unix:{self.sockets}/qmp,server=on,wait=off"]
        with open(self.folder / "qemu.err", "ab") as err:
            self.process = subprocess.Popen([str(a) for a in argv], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=err)
        end = time.monotonic() + 60 * SLOW
        while True:
            try:
                self.qmp = Qmp(self.sockets / "qmp", self.happened)
                return
            except OSError:
                assert self.process.poll() is None, f"qemu has ended: {(self.folder / 'qemu.err').read_text()[-2000:]}"
                assert time.monotonic() < end, "qemu has no control socket"
                select.select([], [], [], 0.01)

    def happened(self, qmp, event, data):
        """An event of qemu. A machine that would be reset stands still until it was told here."""
        if event == "WATCHDOG":
            self.console.add("-- the watchdog bites")
            self.ends.append("watchdog")
        elif event == "SHUTDOWN" and self.machine == "virt":
            if len(self.ends) < len(self.boots):
                self.ends.append(data["reason"])
            if data["reason"] != "host-qmp-quit":
                qmp.send("quit")
        elif event == "DEVICE_DELETED" and "device" in data:
            self.console.add(f"-- {data['device']} is unplugged")

    # ---- the machines ----

    def raspi3b(self):
        self.boots.append(None)
        self.console.add("-- raspi3b is on")
        drives = ["-drive", f"if=sd,format=raw,cache=unsafe,file={self.card.path}"]
        for name, (stick, read_only) in self.sticks.items():
            drives += ["-drive", f"if=none,id={name},format=raw,cache=unsafe,file={stick.path},readonly="
                       + ("on" if read_only else "off"), "-device", f"usb-storage,drive={name},id={name}-usb"]
        return ["qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=single", "-display", "none",
                "-monitor", "none", "-chardev", "stdio,id=c,mux=on,signal=off", "-serial", "chardev:c",
                "-serial", "chardev:c", "-kernel", self.image_dir / "unpacked/u-boot/usr/lib/u-boot/rpi_arm64/u-boot.bin",
                "-dtb", self.image_dir / f"fat/{self.dtb}.dtb", "-netdev", self.netdev, "-device",
                "usb-net,netdev=net", *drives]

    def virt(self):
        (kernel, root), boot = self.firmware()
        self.boots.append(boot)
        self.console.add(f"-- virt is on: slot {boot.slot} trial {boot.trial}")
        root = appended(root, self.agent_folder, self.sockets / "root")
        card = json.dumps(self.node("card", self.card.path, False))
        sticks = []
        for name, (stick, read_only) in self.sticks.items():
            sticks += ["-blockdev", json.dumps(self.node(name, stick.path, read_only)),
                       "-device", f"usb-storage,bus=usb.0,drive={name},id={name}-usb"]
        return ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "256", "-display", "none", "-nodefaults",
                "-action", "reboot=shutdown,shutdown=pause,watchdog=reset", "-rtc", "base=1970-01-01T00:00:00",
                "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-kernel", kernel, "-initrd", root,
                "-append", self.arguments(boot), "-blockdev", card, "-device", "virtio-blk-pci,drive=card",
                "-device", "qemu-xhci,id=usb", *sticks, "-netdev", self.netdev, "-device",
                "virtio-net-pci,netdev=net,id=eth,romfile=", "-device", "i6300esb", "-device", "virtio-serial-pci",
                "-chardev", f"socket,id=agent,path={self.sockets}/agent,server=on,wait=off",
                "-device", "virtserialport,chardev=agent,name=agent"]

    def firmware(self):
        """What boot/boot.cmd does until the kernel starts: ((kernel, root), Boot)."""
        state = self.card.state()
        slot = state.get("slot") if state.get("slot") in ("a", "b") else "a"
        use, trial = slot, 0
        if state.get("try") in ("a", "b"):
            use, trial = state["try"], 1
            self.card.fat.write("state.txt", f"slot={slot}\n\0")    # `env export -t` ends with a NUL
        second = slot if trial else {"a": "b", "b": "a"}[slot]
        for choice in ((use, trial), (second, 0)):
            system = self.card.slot_system(choice[0])
            if not isinstance(system, str):
                return system, Boot(*choice)
            self.console.add(f"-- slot {choice[0]} cannot be booted: {system}")
        raise AssertionError("no slot can be booted")

    def arguments(self, boot):
        """The kernel's, with this machine's console in place of the Pi's."""
        script = (HERE.parents[1] / "board/rpi/boot/boot.cmd").read_text()
        line, = re.findall(r'setenv bootargs "(.*)"', script)
        values = {"use": boot.slot, "trial": str(boot.trial), "kargs": self.card.values("kargs.txt").get("kargs", "")}
        line = re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], line)
        return "console=ttyAMA0 " + " ".join(w for w in line.split() if not w.startswith("console="))

    # ---- the stick ----

    def node(self, name, path, read_only):
        """A block device of qemu."""
        if name in self.disks:
            file = {"driver": "nbd", "server": {"type": "unix", "path": self.disks[name].socket_path}, "export": ""}
        else:
            file = {"driver": "file", "filename": str(path), "cache": {"no-flush": True}}
        return {"driver": "raw", "node-name": name, "read-only": read_only, "file": {**file, "read-only": read_only}}

    def plug(self, stick, read_only=False):
        """Before start(), or on virt at any time. Answers with a name for pull()."""
        self.plugged += 1
        name = f"stick{self.plugged}"
        self.sticks[name] = (stick, read_only)
        if self.running:
            self.qmp.command("blockdev-add", **self.node(name, stick.path, read_only))
            self.qmp.command("device_add", driver="usb-storage", bus="usb.0", drive=name, id=f"{name}-usb")
            self.console.add(f"-- {name} is plugged in: {stick.kind}{', read-only' if read_only else ''}")
        return name

    def pull(self, name=None):
        """Pulls a stick, without a warning to the guest. Without a name: the one there is."""
        name = name or next(iter(self.sticks))
        del self.sticks[name]
        if self.running:
            mark = self.mark()
            self.qmp.command("device_del", id=f"{name}-usb")
            self.wait(f"-- {name}-usb is unplugged", 30, since=mark)
            if self.machine == "virt":
                self.qmp.command("blockdev-del", node_name=name)

    def network(self, up):
        """The cable."""
        self.qmp.command("set_link", name="eth", up=up)
        self.console.add(f"-- the cable is {'in' if up else 'out'}")

    # ---- the console ----

    def mark(self):
        """A place in the console, for `since`."""
        return len(self.console.lines)

    def seen(self, pattern, since=None):
        """The first match from `since` on (without: since power came), or None."""
        with self.console.changed:
            return self.find(re.compile(pattern), self.begun_at if since is None else since)

    def find(self, wanted, since):
        for line in self.console.lines[since:]:
            if match := wanted.search(line.text):
                return match
        return None

    def count(self, pattern, since=None):
        with self.console.changed:
            return sum(bool(re.search(pattern, line.text)) for line in
                       self.console.lines[self.begun_at if since is None else since:])

    def wait(self, pattern, seconds=BOOT_SECONDS, since=None):
        """Waits for a line, looked for as seen() does; its match."""
        wanted, since = re.compile(pattern), self.begun_at if since is None else since
        end = time.monotonic() + seconds * SLOW
        with self.console.changed:
            while True:
                if match := self.find(wanted, since):
                    return match
                since = max(since, len(self.console.lines))
                if self.trouble:
                    self.fail(f"{self.trouble}, before the console said {pattern!r}")
                if time.monotonic() > end:
                    self.fail(f"waited {seconds} s in vain for {pattern!r} on the console")
                self.console.changed.wait(0.2)

    def wait_until(self, condition, seconds, what, every=0.2):
        """Asks again and again; the condition's value."""
        end = time.monotonic() + seconds * SLOW
        while True:
            value = condition()
            if value:
                return value
            if self.trouble or time.monotonic() > end:
                self.fail(f"{self.trouble or f'waited {seconds} s in vain'}: {what() if callable(what) else what}")
            select.select([], [], [], every)

    def fail(self, why):
        pytest.fail(f"{why}; the console's end:\n{self.console.tail()}", pytrace=True)

    # ---- the shell ----

    def make_agent(self):
        """A shell on a serial port of its own, started by init as all that runs for ever."""
        etc = self.agent_folder / "etc"
        etc.mkdir(parents=True)
        inittab = (HERE.parents[1] / "board/rpi/root/etc/inittab").read_text()
        (etc / "inittab").write_text(inittab + "::respawn:/etc/test-agent\n")
        shutil.copy(HERE / "agent.sh", etc / "test-agent")
        (etc / "test-agent").chmod(0o755)

    def forget_agent(self):
        if self.agent:
            self.agent.close()
            self.agent = None

    def sh(self, command, seconds=60, code=0):
        """Runs it in the guest; what it printed. `code`: what it has to end with, None: any, and (code, output) is
        the answer."""
        self.asked += 1
        end = time.monotonic() + seconds * SLOW
        if not self.agent:
            self.agent = socket.socket(socket.AF_UNIX)
            self.agent.connect(str(self.sockets / "agent"))
        text = base64.b64encode(command.encode()).decode()
        self.agent.sendall(f"{self.asked} {text}\n".encode())
        head = b""
        while True:
            while not head.endswith(b"\n"):
                head += self.hear(1, end, command)
            number, got, length = map(int, head.split())
            output = b""
            while len(output) < length:
                output += self.hear(length - len(output), end, command)
            if number == self.asked:
                break
            head = b""
        output = output.decode(errors="replace")
        if code is None:
            return got, output
        if got != code:
            self.fail(f"in the guest: {command!r} ended with {got}:\n{output}")
        return output

    def hear(self, count, end, command):
        while not select.select([self.agent], [], [], 0.2)[0]:
            if self.trouble or time.monotonic() > end:
                self.fail(f"no answer from the guest's shell to {command!r}")
        data = self.agent.recv(count)
        if not data:
            self.fail(f"the guest's shell is gone, before it answered {command!r}")
        return data

    def bytes_of(self, path, seconds=120):
        """A file of the guest."""
        return base64.b64decode(self.sh(f"base64 '{path}'", seconds))

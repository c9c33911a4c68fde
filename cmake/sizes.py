"""Where the bytes of the program are: sections, and what each library and each room costs, of every build folder that
has a scorebox with the linker's map beside it; for a build that runs on this machine also what it takes in memory.
Markdown on stdout.

    sizes.py [--memory] [BUILD_FOLDER...]      without a folder: all in build/

--memory: starts `produce` and `consume` and lets them wait, then runs tests/integration/test_memory.py for the peaks.
Bytes are those of the program in memory; .bss takes none in the file. Texts that several share count for none."""
import argparse
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
LIBRARIES = {"libcurl": "curl", "libmbedtls": "Mbed TLS", "libmbedx509": "Mbed TLS", "libmbedcrypto": "Mbed TLS",
             "librdkafka": "librdkafka", "librdkafka-openssl": "librdkafka", "libsqlite3": "SQLite", "libz": "zlib",
             "libzstd": "zstd", "libxlsxwriter": "libxlsxwriter", "libcjson": "cJSON", "libc": "C library",
             "libpthread": "C library", "libm": "C library", "libgcc": "libgcc", "libgcc_eh": "libgcc",
             "libssl": "OpenSSL", "libcrypto": "OpenSSL"}
COLUMNS = ("code", "constants", "relocated constants", "data", "zeroed data")
# Start of a section's name: its column.
KINDS = ((".text", 0), (".init", 0), (".fini", 0), (".plt", 0), (".data.rel.ro", 2), (".got", 2), (".dynamic", 2),
         (".init_array", 2), (".fini_array", 2), (".rodata", 1), (".eh_frame", 1), (".tdata", 3), (".data", 3),
         (".tbss", 4), (".bss", 4))


class Program:
    """The sections of an ELF file of either word size, little-endian: name, bytes, whether in memory."""

    def __init__(self, path):
        self.path, data = path, path.read_bytes()
        assert data[:4] == b"\x7fELF" and data[5] == 1, f"{path} is no little-endian ELF file"
        wide = data[4] == 2
        self.machine = MACHINES.get(struct.unpack_from("<H", data, 18)[0], "?")
        at, = struct.unpack_from("<Q" if wide else "<I", data, 40 if wide else 32)
        size, count, names = struct.unpack_from("<HHH", data, 58 if wide else 46)
        form = "<IIQQQQ" if wide else "<IIIIII"
        heads = [struct.unpack_from(form, data, at + n * size) for n in range(count)]
        start = heads[names][4]
        self.sections = []
        for name, _, flags, _, _, length in heads:
            end = data.index(b"\0", start + name)
            self.sections.append((data[start + name:end].decode(), length, bool(flags & 2)))
        # Of the file that ships: the symbols of one that is not stripped do not count.
        self.stripped = len(data) - sum(b for name, b, _ in self.sections if name in (".symtab", ".strtab") or
                                        name.startswith(".debug"))

    def totals(self):
        sums = [0] * len(COLUMNS)
        for name, length, allocated in self.sections:
            column = kind(name)
            if allocated and column is not None:
                sums[column] += length
        return sums

    def bytes_of(self, start):
        return sum(length for name, length, _ in self.sections if name.startswith(start))


def kind(section):
    return next((column for start, column in KINDS if section.startswith(start)), None)


def owner(source):
    """Who an input file belongs to: a library, or a room of ours."""
    file = re.match(r"(?:.*/)?([^/()]+)\.a\(([^)]*)\)$", source)
    if not file:
        return "app/" if "main.c" in source else "C library" if "crt" in source else "others"
    archive, member = file.groups()
    if archive == "libscorebox_tls" and member.startswith("roots."):
        return "CA certificates, compiled in"
    if archive.startswith("libscorebox_"):
        return archive[len("libscorebox_"):].split("_")[0] + "/"
    return LIBRARIES.get(archive, archive)


def shares(map_path):
    """{owner: bytes by column} from GNU ld's map. A line too long for its columns is broken after the name."""
    text = map_path.read_text(errors="replace")
    text = text[text.index("Linker script and memory map"):]
    found, output = {}, None
    for line in re.sub(r"\n( \S+)\n +0x", r"\n\1 0x", re.sub(r"\n(\.\S+)\n +0x", r"\n\1 0x", text)).splitlines():
        if line.startswith("."):
            output = kind(line.split()[0])
            continue
        part = re.match(r" [.*C]\S* +0x([0-9a-f]+) +0x([0-9a-f]+) (\S.*)$", line)
        if output is None or not part or int(part[1], 16) == 0:
            continue
        whose = found.setdefault(owner(part[3]), [0] * len(COLUMNS))
        whose[output] += int(part[2], 16)
    return found


def lines_of(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number(n):
    return f"{n:,}" if n else ""


def report(folder):
    program = Program(folder / "scorebox")
    print(f"\n### {folder.name} ({program.machine}): {program.stripped:,} bytes stripped, "
          f"{program.stripped / (1 << 20):.2f} MiB\n")
    found = shares(folder / "scorebox.map")
    rows = [[name, *map(number, found[name]), number(sum(found[name]))]
            for name in sorted(found, key=lambda n: (n.endswith("/"), -sum(found[n])))]
    totals = program.totals()
    rest = [total - sum(of[n] for of in found.values()) for n, total in enumerate(totals)]
    rows.append(["shared texts counted twice (-), gaps between parts", *map(number, rest), number(sum(rest))])
    rows.append(["**all**", *map(number, totals), f"**{sum(totals):,}**"])
    print(lines_of(["whose", *COLUMNS, "sum"], rows))
    print(f"\nBeside these, in the file: {program.bytes_of('.rel'):,} bytes of relocations.")
    large = [(name, length) for name, length, allocated in program.sections if allocated and length >= 1024]
    print("Sections: " + ", ".join(f"{name} {length:,}" for name, length in large) + ".")
    return program


class Idle:
    """A service that has started and waits: API and broker are of the same program."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.children = binary, folder, []
        ca = folder / "ca.pem"
        url = self.start("serve", "--port", "0", "--ca-out", ca, "--rows", "1001").stdout.readline().strip()
        broker = self.start("broker", "--topic", "cricket-live-data").stdout.readline().strip()
        self.settings = {"API_URL": url + "/currentMatches", "API_CA_FILE": ca, "API_KEY": "key", "KAFKA_BROKERS": broker,
                         "OUTPUT_DIR": folder / "out", "OUTPUT_MOUNT": "any", "OUTPUT_MIN_FREE": "0", "CLOCK_WAIT": "0",
                         "POLL_INTERVAL": "1h", "API_MAX_BODY": "16MiB"}
        (folder / "out").mkdir()

    def start(self, verb, *arguments, **settings):
        env = {k: v for k, v in os.environ.items() if not k.startswith("SCOREBOX_")}
        env.update({f"SCOREBOX_{k}": str(v) for k, v in settings.items()})
        child = subprocess.Popen([self.binary, verb, *arguments], env=env, stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=open(self.folder / f"{verb}.err", "w"))
        self.children.append(child)
        return child

    def measure(self, verb):
        child = self.start(verb, **self.settings, STATE_DIR=self.folder / verb)
        time.sleep(10)
        assert child.poll() is None, (self.folder / f"{verb}.err").read_text()
        told = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        return [int(re.search(rf"^{name}:\s+(\d+) kB", told, re.M)[1]) for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")]

    def close(self):
        for child in self.children[::-1]:
            child.terminate()
            child.wait()


def memory(binary):
    with tempfile.TemporaryDirectory(prefix="sizes-") as folder:
        idle = Idle(binary, pathlib.Path(folder))
        try:
            rows = [[verb, *(f"{kib / 1024:.1f}" for kib in idle.measure(verb))] for verb in ("produce", "consume", "both")]
        finally:
            idle.close()
    print(f"\n### Memory of {binary.parent.name}, MiB\n\nAfter ten seconds, 1,001 rows through, waiting:\n")
    print(lines_of(["verb", "resident", "of it its own", "of it the program's file", "peak so far"], rows))
    env = {**os.environ, "SCOREBOX_BINARY": str(binary), "SCOREBOX_TOP": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    env.setdefault("SCOREBOX_DATA", str(ROOT.parent / "shared/data"))
    out = subprocess.run([sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider",
                          ROOT / "tests/integration/test_memory.py"], env=env, text=True, stdout=subprocess.PIPE)
    peaks = [re.sub(r"(\d+) KiB", lambda m: f"{int(m[1]) / 1024:.1f} MiB", line.lstrip("."))
             for line in out.stdout.splitlines() if "KiB" in line and ": " in line]
    print("\nPeaks under load (tests/integration/test_memory.py):\n\n" + "\n".join(f"- {line}" for line in peaks))
    if out.returncode:
        sys.exit(f"the memory test ended with {out.returncode}:\n{out.stdout[-2000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    folders = options.folders or sorted(p.parent for p in ROOT.glob("build/*/scorebox.map"))
    found = [f.resolve() for f in folders if (f / "scorebox.map").exists() and (f / "scorebox").exists()]
    if not found:
        sys.exit("no build folder holds a scorebox and its scorebox.map")
    for folder in found:
        program = report(folder)
        if options.memory and program.machine == os.uname().machine:
            memory(folder / "scorebox")


if __name__ == "__main__":
    main()

"""Speed and memory of the whole way, in one run: what a record costs at each stage, beside what was aimed at and
beside the way a script would do it (seed_way.py). The table on stdout is Markdown.

    bench.py [--binary build/native/scorebox] [--benches build/native/tests] [--folder DIR] [--records N] [--runs N]

Processes of its own on 127.0.0.1; the folder's disk counts, as every commit is synced. Rows are 750 bytes.
Medians; peak memory is the highest of the runs (VmHWM), that of the rendering child beside it."""
import argparse
import importlib.util
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOPIC = "cricket-live-data"
ROW_BYTES = 750
MATCHES = 25	# of the topic that is consumed: a partition each, as the embedded broker keeps 5 MiB of one
PACKAGES = {"requests": "python3-requests", "pandas": "python3-pandas", "openpyxl": "python3-openpyxl",
            "confluent_kafka": "python3-confluent-kafka"}
SEED_SECONDS = 60	# a run of the script that would take longer gets a tenth of the records


def missing(*modules):
    return [PACKAGES[m] for m in modules if importlib.util.find_spec(m) is None]


def skipped(what, packages):
    print(f"SKIPPED: {what}: apt install {' '.join(packages)}", file=sys.stderr, flush=True)


def row(match, state):
    """A row in the API's shape, of ROW_BYTES bytes: the venue's name makes up the length."""
    value = {"id": f"{match:08d}-5b1d-4c7e-9a42-0123456789ab", "name": f"Northern {match} vs Southern {match}, Match {match}",
             "matchType": "t20", "status": f"Southern {match} need {9999 - state} runs in {state % 120} balls",
             "venue": "", "date": "2026-05-17", "dateTimeGMT": "2026-05-17T14:30:00",
             "teams": [f"Northern {match}", f"Southern {match}"],
             "teamInfo": [{"name": f"Northern {match}", "shortname": "NOR", "img": "https://img.example/t/148.webp?w=48"},
                          {"name": f"Southern {match}", "shortname": "SOU", "img": "https://img.example/t/251.webp?w=48"}],
             "score": [{"r": state, "w": state % 10, "o": 20, "inning": f"Northern {match} Inning 1"},
                       {"r": state // 2, "w": 1, "o": 12.3, "inning": f"Southern {match} Inning 1"}],
             "series_id": "4f97072a-a926-4822-8571-e6ddb2f9f2ae", "fantasyEnabled": True, "bbbEnabled": True,
             "hasSquad": True, "matchStarted": True, "matchEnded": False}
    short = ROW_BYTES - len(json.dumps(value, separators=(",", ":")))
    value["venue"] = ("Harbour Oval, Port Example, " * 10)[:short]
    return json.dumps(value, separators=(",", ":"))


class Run:
    """What one process took: seconds by the clock and of processor, peak memory."""

    def __init__(self, argv, env, folder, name, code=0):
        self.err_path = folder / f"{name}.err"
        began = time.monotonic()
        with open(folder / f"{name}.out", "wb") as out, open(self.err_path, "wb") as err:
            child = subprocess.Popen([str(a) for a in argv], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - began
        self.processor = used.ru_utime + used.ru_stime
        self.out, self.err = (folder / f"{name}.out").read_text(), self.err_path.read_text()
        if child.returncode != code:
            sys.exit(f"{' '.join(map(str, argv))} ended with {child.returncode}:\n{self.err[-3000:]}")

    def peak_kib(self):
        return int(re.findall(r"memory peak (\d+) KiB", self.err)[-1])


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.servants, self.count, self.rows = [], 0, []
        self.ratios = []

    # ---- processes ----

    def environment(self, **settings):
        env = {k: v for k, v in os.environ.items() if not k.startswith("SCOREBOX")}
        return {**env, "HOME": str(self.folder), **{f"SCOREBOX_{k}": str(v) for k, v in settings.items()}}

    def servant(self, *argv):
        """Starts a `serve` or `broker` and returns its first line."""
        self.count += 1
        child = subprocess.Popen([self.options.binary, *map(str, argv)], env=self.environment(), text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=open(self.folder / f"servant{self.count}.err", "w"))
        self.servants.append(child)
        return child.stdout.readline().strip()

    def dismiss(self):
        while self.servants:
            child = self.servants.pop()
            child.terminate()
            child.wait()

    def run(self, *argv, code=0, **settings):
        self.count += 1
        env = self.environment(CLOCK_WAIT="0", OUTPUT_MIN_FREE="0", **settings)
        return Run([self.options.binary, *argv], env, self.folder, f"{argv[0]}{self.count}", code)

    def fresh(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    # ---- the table ----

    def add(self, what, rate, aim, unit="records/s", processor=None, cells="", peak_kib=0, child_kib=0,
            row_bytes=ROW_BYTES):
        met = "" if aim is None else "yes" if rate >= aim else "no"
        memory = f"{peak_kib / 1024:.1f}" + (f" + {child_kib / 1024:.1f}" if child_kib else "") if peak_kib else ""
        self.rows.append([what, str(row_bytes), str(cells), f"{rate:,.0f} {unit}",
                          f"{processor:,.0f}" if processor else "", f"{aim:,}" if aim else "", met, memory])
        print(f"{what}: {rate:,.0f} {unit}", file=sys.stderr, flush=True)

    def add_runs(self, what, runs, records, aim, **more):
        self.add(what, records / statistics.median(r.seconds for r in runs), aim,
                 processor=records / statistics.median(r.processor for r in runs),
                 peak_kib=max(r.peak_kib() for r in runs), **more)

    def table(self):
        head = ["stage", "row B", "cells a record", "measured", "a second of processor", "aim", "met", "peak MiB (+ child)"]
        lines = [head, ["---"] * len(head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    # ---- the stages ----

    def store_and_split(self):
        programs = pathlib.Path(self.options.benches)
        lines = {"spool append": [], "spool drain": []}
        for _ in range(self.options.runs):
            out = self.program(programs / "bench_store", self.fresh("store"), self.options.records)
            for name, found in lines.items():
                found.append([float(g) for g in re.search(
                    rf"{name} .* (\d+) records/s +\( *(\d+) a second of processor\) +VmHWM (\d+)", out).groups()])
        for name, aim in (("spool append", 60000), ("spool drain", 50000)):
            rate, processor, _ = (statistics.median(column) for column in zip(*lines[name]))
            self.add(name, rate, aim, processor=processor, peak_kib=max(f[2] for f in lines[name]))
        out = self.program(programs / "bench_split", self.options.records)
        size = re.search(r"rows of (\d+) bytes", out).group(1)
        for name, what, aim in (("split ", "split (processor time)", 150), ("cJSON", "cJSON, the same body whole", None)):
            rate, grown = re.search(rf"^{name}.* (\d+) MB/s .* ([\d.]+) MiB beyond", out, re.M).groups()
            self.add(what, float(rate), aim, unit="MB/s", row_bytes=size, peak_kib=float(grown) * 1024)

    def program(self, *argv):
        return subprocess.run([str(a) for a in argv], check=True, text=True, stdout=subprocess.PIPE).stdout

    def feed(self):
        page = self.folder / "page.json"
        with open(page, "w") as out:
            out.write('{"apikey":"","data":[')
            out.write(",".join(row(n, 1) for n in range(self.options.records)))
            out.write('],"status":"success","info":{"hitsToday":1,"hitsLimit":100,"totalRows":%d}}' % self.options.records)
        return page

    def sweep_to_kafka(self):
        page, ca, runs = self.feed(), self.folder / "ca.pem", []
        url = self.servant("serve", "--port", 0, "--ca-out", ca, "--rows", self.options.records, page)
        url += "/currentMatches"
        for _ in range(self.options.runs):
            brokers = self.servant("broker", "--partitions", 16, "--topic", TOPIC)
            runs.append(self.run("produce", "--once", STATE_DIR=self.fresh("state"), API_URL=url,
                                 API_CA_FILE=ca, API_KEY="key-of-the-bench", API_MAX_BODY="256MiB", SPOOL_MAX="512MiB",
                                 API_TIMEOUT="10m", KAFKA_BROKERS=brokers))
        self.add_runs("sweep → Kafka (`produce --once`)", runs, self.options.records, 25000)
        ours = statistics.median(r.seconds for r in runs)
        if lacking := missing("requests", "confluent_kafka"):
            skipped("the script's sweep", lacking)
        else:
            brokers = self.servant("broker", "--partitions", 64, "--topic", TOPIC)
            seed = self.seed("produce", url, ca, brokers, TOPIC)
            self.add_seed("the script: sweep → Kafka", seed, self.options.records / ours, max(r.peak_kib() for r in runs))
        self.dismiss()

    def seed(self, *argv):
        out = self.program(sys.executable, pathlib.Path(__file__).with_name("seed_way.py"), *argv)
        return json.loads(out.splitlines()[-1])

    def add_seed(self, what, seed, our_rate, our_kib):
        rate = seed["records"] / seed["seconds"]
        self.add(what, rate, None, cells=seed["cells"] // seed["records"] or "", peak_kib=seed["peak_kib"])
        self.ratios.append(f"{what}: {rate:,.0f} records/s in {seed['peak_kib'] / 1024:.0f} MiB; scorebox is "
                           f"{our_rate / rate:.1f} times as fast in a {seed['peak_kib'] / our_kib:.0f}th of the memory")

    def fill(self, brokers, records):
        """Writes the topic as another box would have: a partition a match, identities as headers."""
        import confluent_kafka
        writer = confluent_kafka.Producer({"bootstrap.servers": brokers, "linger.ms": 50, "compression.type": "lz4"})
        run = "ab" * 16
        for n in range(records):
            match, state = n % MATCHES, n // MATCHES
            stamp = f"2026-05-17T{10 + state // 3600:02d}:{state // 60 % 60:02d}:{state % 60:02d}.000000Z"
            value = row(match, state)
            headers = [("ce_id", f"{run}-{n + 1}"), ("ce_time", stamp), ("scorebox-run", run), ("scorebox-seq", str(n + 1)),
                       ("scorebox-prev", f"{run}-{n + 1 - MATCHES}" if state else "")]
            while True:
                try:
                    writer.produce(TOPIC, value, f"{match:08d}-5b1d-4c7e-9a42-0123456789ab", partition=match,
                                   headers=headers)
                    break
                except BufferError:
                    writer.poll(0.1)
            writer.poll(0)
        assert writer.flush(120) == 0

    def topic_to_workbooks(self):
        if lacking := missing("confluent_kafka"):
            skipped("topic → journal → workbook (nothing to fill the topic with)", lacking)
            return
        records = self.options.records
        brokers = self.servant("broker", "--partitions", MATCHES, "--topic", TOPIC)
        self.fill(brokers, records)
        reads, writes = [], []
        for _ in range(self.options.runs):
            state, output = self.fresh("state"), self.fresh("out")
            # With its stick away it reads all into the journal and says at the end that workbooks wait: 74.
            reads.append(self.run("consume", "--until-end", code=74, STATE_DIR=state, KAFKA_BROKERS=brokers,
                                  OUTPUT_DIR=output, OUTPUT_MOUNT="require"))
            writes.append(self.run("books", STATE_DIR=state, OUTPUT_DIR=output, OUTPUT_MOUNT="any"))
        facts = json.loads((state / "status.json").read_text())
        cells = sum(self.cells(book) for book in output.glob("[!.]*.xlsx"))
        self.add_runs("topic → journal (`consume`)", reads, records, 50000)
        self.add_runs("journal → workbook (`books`)", writes, records, 15000, cells=cells // records,
                      child_kib=facts["workbooks"]["child_peak_kib"])
        ours = records / statistics.median(a.seconds + b.seconds for a, b in zip(reads, writes))
        ours_kib = max(r.peak_kib() for r in reads + writes) + facts["workbooks"]["child_peak_kib"]
        self.seed_books(brokers, records, ours, ours_kib)
        self.dismiss()

    def cells(self, book):
        with zipfile.ZipFile(book) as parts:
            return sum(parts.read(name).count(b"<c r=") for name in parts.namelist() if "/worksheets/sheet" in name)

    def seed_books(self, brokers, records, ours, ours_kib):
        if lacking := missing("confluent_kafka", "pandas", "openpyxl"):
            skipped("the script's workbooks", lacking)
            return
        tenth = records // 10
        seed, note = self.seed("consume", brokers, TOPIC, self.fresh("seed"), tenth), " (a tenth of the records)"
        if seed["seconds"] * 10 <= SEED_SECONDS:
            seed, note = self.seed("consume", brokers, TOPIC, self.fresh("seed"), records), ""
        self.add("scorebox: topic → workbook", ours, None, peak_kib=ours_kib)
        self.add_seed(f"the script: topic → workbook{note}", seed, ours, ours_kib)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=os.path.abspath, default=ROOT / "build/native/scorebox")
    parser.add_argument("--benches", type=os.path.abspath, default=ROOT / "build/native/tests", help="folder of bench_store and bench_split")
    parser.add_argument("--folder", default=os.getcwd(), help="its disk is what commits are synced to")
    parser.add_argument("--records", type=int, default=100000)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
        bench = Bench(options, pathlib.Path(folder))
        began = time.monotonic()
        try:
            bench.store_and_split()
            bench.sweep_to_kafka()
            bench.topic_to_workbooks()
        finally:
            bench.dismiss()
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"\n{options.records:,} records, median of {options.runs} runs, {os.cpu_count()} processors ({os.uname().machine}), "
          f"load at the end {load}, {time.monotonic() - began:.0f} s\n")
    print(bench.table(), "", *(f"- {line}" for line in bench.ratios), sep="\n")


if __name__ == "__main__":
    main()

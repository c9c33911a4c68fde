"""What ships (musl) beside the same code with glibc, stage by stage and turn by turn in one run: what the small C
library costs in speed and saves in memory. The table on stdout is Markdown.

    libc.py [--binary build/native/scorebox --binary build/glibc/scorebox] [--folder DIR] [--records N] [--runs N]

The second is what the first is measured against; the bench programs are found in tests/ beside each. Score API and
broker are the first binary for both, so only the process that is measured differs. Rows are 750 bytes. Medians;
the share is the first's rate in percent of the second's, by the clock and by the processor's time, which other work on
the machine disturbs less. Peak memory is the highest of the runs (VmHWM), that of the rendering child beside it."""
import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bench  # noqa: E402 (found by the line above)

SKIPPED = 77
PRODUCE, CONSUME, BOOKS = "sweep → Kafka (`produce --once`)", "topic → journal (`consume`)", "journal → workbook (`books`)"
STORE = {"spool append": "spool append", "spool drain": "spool drain", "topic -> journal": "topic → journal, without Kafka"}


class Way:
    """One build: how it is run, and by stage (seconds, seconds of processor, peak in KiB) of each run."""

    def __init__(self, options, folder, binary):
        self.records, self.binary = options.records, pathlib.Path(binary)
        self.bench = bench.Bench(argparse.Namespace(binary=binary), folder)
        self.found, self.child_kib = {}, 0

    def note(self, stage, seconds, processor, peak_kib):
        self.found.setdefault(stage, []).append((seconds, processor, peak_kib))

    def run(self, stage, *argv, **more):
        run = self.bench.run(*argv, **more)
        self.note(stage, run.seconds, run.processor, run.peak_kib())

    def store(self):
        out = self.bench.program(self.binary.parent / "tests/bench_store", self.bench.fresh("store"), self.records)
        for name, stage in STORE.items():
            if line := re.search(rf"^{name} .* (\d+) records/s +\( *(\d+) a second of processor\) +VmHWM (\d+)", out, re.M):
                rate, processor, peak = (int(g) for g in line.groups())
                self.note(stage, self.records / rate, self.records / processor, peak)

    def split(self):
        out = self.bench.program(self.binary.parent / "tests/bench_split", self.records)
        rows, grown = re.search(r"^split .* (\d+) rows/s +([\d.]+) MiB", out, re.M).groups()
        self.note("split", self.records / int(rows), self.records / int(rows), float(grown) * 1024)

    def produce(self, url, ca, brokers):
        self.run(PRODUCE, "produce", "--once", STATE_DIR=self.bench.fresh("state"), API_URL=url, API_CA_FILE=ca,
                 API_KEY="key-of-the-bench", API_MAX_BODY="256MiB", SPOOL_MAX="512MiB", API_TIMEOUT="10m",
                 KAFKA_BROKERS=brokers)

    def consume(self, brokers):
        state, output = self.bench.fresh("state"), self.bench.fresh("out")
        # With its stick away it reads all into the journal and says at the end that workbooks wait: 74.
        self.run(CONSUME, "consume", "--until-end", code=74, STATE_DIR=state, KAFKA_BROKERS=brokers, OUTPUT_DIR=output,
                 OUTPUT_MOUNT="require")
        self.run(BOOKS, "books", STATE_DIR=state, OUTPUT_DIR=output, OUTPUT_MOUNT="any")
        facts = json.loads((state / "status.json").read_text())
        assert facts["journal"]["records"] == self.records, facts["journal"]
        self.child_kib = max(self.child_kib, facts["workbooks"]["child_peak_kib"])

    def rates(self, stage):
        """Records a second by the clock and by the processor."""
        return [self.records / statistics.median(run[k] for run in self.found[stage]) for k in (0, 1)]

    def peak(self, stage):
        peak = f"{max(run[2] for run in self.found[stage]) / 1024:.1f}"
        return f"{peak} + {self.child_kib / 1024:.1f}" if stage == BOOKS else peak


def measure(options, ways, host):
    page, ca = host.feed(), host.folder / "ca.pem"
    url = host.servant("serve", "--port", 0, "--ca-out", ca, "--rows", options.records, page) + "/currentMatches"
    full = None
    if lacking := bench.missing("confluent_kafka"):
        bench.skipped("topic → journal → workbook (nothing to fill the topic with)", lacking)
    else:
        full = host.servant("broker", "--partitions", bench.MATCHES, "--topic", bench.TOPIC)
        host.fill(full, options.records)
    for number in range(options.runs):
        # Who comes first changes, so that neither always finds the caches warm.
        for way in ways if number % 2 == 0 else ways[::-1]:
            if "store" in options.stages:
                way.store()
            if "split" in options.stages:
                way.split()
            if "produce" in options.stages:
                way.produce(url, ca, host.servant("broker", "--partitions", 16 * -(-options.records // 60000), "--topic",
                                                  bench.TOPIC))
                stop = host.servants.pop()
                stop.terminate()
                stop.wait()
            if full and "consume" in options.stages:
                way.consume(full)
        print(f"run {number + 1} of {options.runs}", file=sys.stderr, flush=True)


def table(ways):
    ours, other = ways
    head = ["stage", "records/s", "beside", "share", "share by processor", "peak MiB", "beside"]
    lines = [head, ["---"] * len(head)]
    for stage in ours.found:
        (rate, load), (rate_beside, load_beside) = ours.rates(stage), other.rates(stage)
        lines.append([stage, f"{rate:,.0f}", f"{rate_beside:,.0f}", f"{100 * rate / rate_beside:.0f} %",
                      f"{100 * load / load_beside:.0f} %", ours.peak(stage), other.peak(stage)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=os.path.abspath, action="append", help="given twice")
    parser.add_argument("--folder", default=os.getcwd(), help="its disk is what commits are synced to")
    parser.add_argument("--records", type=int, default=100000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stages", default="store,split,produce,consume", type=lambda text: text.split(","))
    return parser.parse_args()


def main():
    options = arguments()
    binaries = options.binary or [str(bench.ROOT / f"build/{name}/scorebox") for name in ("native", "glibc")]
    for binary in binaries:
        if not os.access(binary, os.X_OK):
            print(f"SKIPPED: musl beside glibc: no {binary}: cmake --preset glibc && cmake --build --preset glibc",
                  file=sys.stderr)
            return SKIPPED
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-libc-", dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        host = bench.Bench(argparse.Namespace(binary=binaries[0], records=options.records), folder)
        ways = []
        for number, binary in enumerate(binaries):
            own = folder / f"way{number}"
            own.mkdir()
            ways.append(Way(options, own, binary))
        try:
            measure(options, ways, host)
        finally:
            host.dismiss()
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"\n{options.records:,} records of {bench.ROW_BYTES} bytes, median of {options.runs} runs, {os.cpu_count()} processors "
          f"({os.uname().machine}), load at the end {load}, {time.monotonic() - began:.0f} s\n")
    print(table(ways))
    return 0


if __name__ == "__main__":
    sys.exit(main())

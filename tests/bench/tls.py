"""What TLS costs on the way to Kafka and back: the same rows over a real broker's plaintext, TLS and TLS-with-login
listeners, turn by turn in one run, for each build that is given. The table on stdout is Markdown.

    tls.py [--binary build/native/scorebox ...] [--folder DIR] [--records N] [--runs N]

out: `spool drain` of N rows of 750 bytes. in: `consume --until-end` of them into the journal (its stick is away, so no
workbook is written). Records a second of the clock, start and end of the process included; medians; the processor's
time is ours alone, not the broker's. Peak memory is the highest of the runs (VmHWM)."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "broker")]
import bench  # noqa: E402 (found by the line above)
import kafka_jars  # noqa: E402
import real_kafka  # noqa: E402

KINDS = ("plaintext", "tls", "sasl_tls")
PARTITIONS = 6
SKIPPED = 77


class Way:
    """One build: its spool with all rows, and what was measured."""

    def __init__(self, options, folder, cluster, binary):
        self.options, self.cluster, self.binary = options, cluster, binary
        self.folder = folder / f"way{abs(hash(binary))}"
        self.folder.mkdir()
        self.bench = bench.Bench(argparse.Namespace(binary=binary, records=options.records), self.folder)
        self.out = {kind: [] for kind in KINDS}
        self.into = {kind: [] for kind in KINDS}
        self.fill()
        told = self.bench.program(binary, "version")
        self.name = "OpenSSL" if "OpenSSL" in told else "Mbed TLS"

    def fill(self):
        page, ca = self.bench.feed(), self.folder / "ca.pem"
        url = self.bench.servant("serve", "--port", 0, "--ca-out", ca, "--rows", self.options.records, page)
        try:
            filled = self.bench.run("produce", "--once", "--timeout", "2s", code=69, STATE_DIR=self.folder / "full",
                                    API_URL=f"{url}/currentMatches", API_CA_FILE=ca, API_KEY="key-of-the-bench",
                                    API_MAX_BODY="256MiB", SPOOL_MAX="512MiB", API_TIMEOUT="10m",
                                    KAFKA_BROKERS="127.0.0.1:1")
        finally:
            self.bench.dismiss()
        assert f"{self.options.records} rows stay" in filled.err, filled.err[-2000:]

    def turn(self, kind, number):
        topic = f"bench-{self.folder.name}-{kind}-{number}"
        self.cluster.create_topic(topic, partitions=PARTITIONS)
        settings = {**self.cluster.settings(kind), "KAFKA_TOPIC": topic, "SPOOL_MAX": "512MiB"}
        state = self.folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(self.folder / "full", state)
        self.out[kind].append(self.bench.run("spool", "drain", STATE_DIR=state, API_KEY="unused", **settings))
        # With its stick away it reads all into the journal and says at the end that workbooks wait: 74.
        self.into[kind].append(self.bench.run("consume", "--until-end", code=74, OUTPUT_MOUNT="require",
                                              STATE_DIR=self.bench.fresh("journal"),
                                              OUTPUT_DIR=self.bench.fresh("out"), **settings))
        held = json.loads((self.folder / "journal" / "status.json").read_text())["journal"]["records"]
        assert held == self.options.records, f"{held} of {self.options.records} records were read"
        self.cluster.delete_topic(topic)

    def lines(self):
        for kind in KINDS:
            cells = [self.name, kind]
            for runs in (self.out, self.into):
                rate = [self.options.records / statistics.median(r.seconds for r in runs[k]) for k in (kind, KINDS[0])]
                load = self.options.records / statistics.median(r.processor for r in runs[kind])
                peak = max(r.peak_kib() for r in runs[kind]) / 1024
                cells += [f"{rate[0]:,.0f}", f"{100 * rate[0] / rate[1]:.0f} %", f"{load:,.0f}", f"{peak:.1f}"]
            yield cells


def table(ways):
    head = ["under Kafka", "listener", *(f"{way}: {what}" for way in ("out", "in") for what in
                                          ("records/s", "of plaintext", "a second of processor", "peak MiB"))]
    lines = [head, ["---"] * len(head), *(line for way in ways for line in way.lines())]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=os.path.abspath, action="append", help="more than one may be given")
    parser.add_argument("--folder", default=os.getcwd(), help="its disk is what commits are synced to")
    parser.add_argument("--records", type=int, default=100000)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


def main():
    options = arguments()
    binaries = [b for b in options.binary or [bench.ROOT / "build/native/scorebox"] if os.access(b, os.X_OK)]
    if lacking := bench.missing("confluent_kafka"):
        bench.skipped("TLS to a real Kafka", lacking)
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="bench-tls-", dir=options.folder) as folder:
        folder, began = pathlib.Path(folder), time.monotonic()
        try:
            cluster = real_kafka.Cluster(folder / "kafka")
        except kafka_jars.Unavailable as why:
            print(f"SKIPPED: TLS to a real Kafka: {why}", file=sys.stderr)
            return SKIPPED
        try:
            ways = [Way(options, folder, cluster, str(binary)) for binary in binaries]
            for number in range(options.runs):
                for way in ways:
                    for kind in KINDS:
                        way.turn(kind, number)
                        print(f"run {number + 1} of {options.runs}: {way.name}, {kind}", file=sys.stderr, flush=True)
        finally:
            cluster.close()
    load = pathlib.Path("/proc/loadavg").read_text().split()[0]
    print(f"\n{options.records:,} records of {bench.ROW_BYTES} bytes, {PARTITIONS} partitions, one broker, median of "
          f"{options.runs} runs, {os.cpu_count()} processors ({os.uname().machine}), load at the end {load}, "
          f"{time.monotonic() - began:.0f} s\n")
    print(table(ways))
    return 0


if __name__ == "__main__":
    sys.exit(main())

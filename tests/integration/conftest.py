"""What the integration tests share: the real binary, the replay API, the embedded broker, boxes.

A *box* is one installation: a folder of its own and settings. Everything runs on 127.0.0.1, on ports the
system picks; everything that was started is ended by its pid when the test is over.

    def test_one(serve, broker, make_box, topic_records):
        api = serve("page.json")
        bootstrap = broker(partitions=2)
        box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
        assert box.run("produce", "--once").code == 0
        assert len(topic_records(bootstrap)) == 25

SCOREBOX_TEST_KAFKA=plaintext|tls|mtls|sasl_plaintext|sasl_tls|scram puts a real Apache Kafka (tests/broker) in the
embedded broker's place: one for the whole run, reached over the listener of that kind; a call of broker() makes the
topic anew. Tests that are marked `embedded` are about the embedded broker itself and are skipped then, with the reason.
"""
import collections
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "broker"))
import real_brokers  # noqa: E402 (found by the line above)

TOPIC = "cricket-live-data"
# An emulated program takes longer: waits are that many times as long.
SLOW = int(os.environ.get("SCOREBOX_SLOW", "1"))
END_SECONDS = 15

Result = collections.namedtuple("Result", "code out err")
Record = collections.namedtuple("Record", "partition offset key value headers time_ms")


def find_binary():
    given = os.environ.get("SCOREBOX") or os.environ.get("SCOREBOX_BINARY")
    candidates = [given] if given else [ROOT / "build" / name / "scorebox" for name in ("native", "dev")]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return str(candidate)
    pytest.fail(f"no scorebox to test: none of {', '.join(map(str, candidates))} is there; build it first")


def pytest_configure(config):
    config.addinivalue_line("markers", "embedded(why): about the embedded broker; not run against a real Kafka")


def pytest_collection_modifyitems(items):
    for item in items:
        mark = real_brokers.KIND and item.get_closest_marker("embedded")
        if mark:
            item.add_marker(pytest.mark.skip(reason=f"SKIPPED: not about a real Kafka: {mark.args[0]}"))


def pytest_sessionfinish(session):
    real_brokers.close()


@pytest.fixture(scope="session")
def scorebox():
    """Path of the program under test."""
    return find_binary()


@pytest.fixture(scope="session")
def peer(scorebox):
    """Path of the program that plays the API and the broker: the one under test, unless that is an emulated one."""
    return os.environ.get("SCOREBOX_PEER") or scorebox


@pytest.fixture(scope="session")
def data():
    """Folder of the recorded data; tests that need it are skipped, loudly, where it is missing."""
    folder = pathlib.Path(os.environ.get("SCOREBOX_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        print(f"SKIPPED: no recorded data at {folder}")
        pytest.skip(f"no recorded data at {folder}")
    return folder


@pytest.fixture(scope="session")
def replayed(data, tmp_path_factory):
    """name → (path of the timed lines, list of states)"""
    tool = data.parent / "tools" / "replay_snapshots.py"
    if not tool.exists():
        pytest.skip(f"SKIPPED LOUDLY: no replay tool at {tool}")
    out = tmp_path_factory.mktemp("replayed")
    matches = {}
    for source in sorted((data / "cricsheet").glob("*.json")):
        path = out / (source.name + "l")
        with open(path, "wb") as f:
            subprocess.run([sys.executable, tool, source], stdout=f, check=True)
        with open(path, encoding="utf-8") as f:
            matches[path.name] = (str(path), [json.loads(line)["match"] for line in f])
    assert matches
    return matches


def clean_environment(home, settings):
    """Ours and nothing of the caller's settings. NAME=value without the SCOREBOX_ of the settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCOREBOX") and k != "STATE_DIRECTORY"}
    env["HOME"] = str(home)
    env.update({f"SCOREBOX_{k}": str(v) for k, v in real_brokers.with_security(settings).items() if v is not None})
    return env


class Process:
    """A child of ours: stdout and stderr go to files, which stay readable while it runs."""

    def __init__(self, argv, env, folder, name):
        self.argv = argv
        self.out_path = folder / f"{name}.out"
        self.err_path = folder / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.pid = self.popen.pid

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    @property
    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds=60):
        """The exit code; negative: ended by that signal."""
        try:
            return self.popen.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            pytest.fail(f"{' '.join(self.argv)} did not end within {seconds} s:\n{self.err[-4000:]}")

    def stop(self, seconds=END_SECONDS):
        """SIGTERM, and what it answers."""
        if self.running:
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        if self.running:
            self.popen.kill()
        self.popen.wait()

    def peak_kib(self):
        """VmHWM; only while it runs."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        return 0

    def wait_for(self, text, seconds=20):
        """Waits until its stderr holds `text`."""
        wait_until(lambda: text in self.err or not self.running, seconds, f"{text!r} in {self.err_path}")
        assert text in self.err, f"ended without {text!r}:\n{self.err[-4000:]}"

    def first_line(self, seconds=20):
        """The first line of stdout, once it is whole."""
        wait_until(lambda: "\n" in self.out or not self.running, seconds, f"a line in {self.out_path}")
        assert "\n" in self.out, f"{' '.join(self.argv)} ended with {self.popen.returncode}:\n{self.err[-4000:]}"
        return self.out.splitlines()[0]


def wait_until(condition, seconds, what):
    """Looks every 10 ms; fails with `what` when the time is over. Returns the condition's value."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s in vain for {what}")
        select.select([], [], [], 0.01)


@pytest.fixture
def spawn(tmp_path):
    """spawn(argv, env, folder=None, name=None) starts a child that is ended with the test."""
    children = []

    def start(argv, env, folder=None, name=None):
        folder = pathlib.Path(folder or tmp_path)
        child = Process([str(a) for a in argv], env, folder, name or f"child{len(children)}")
        children.append(child)
        return child

    yield start
    for child in reversed(children):
        if child.running:
            child.signal(signal.SIGTERM)
            try:
                child.popen.wait(END_SECONDS * SLOW)
            except subprocess.TimeoutExpired:
                child.kill()


class Api:
    """A running `scorebox serve`."""

    def __init__(self, process, ca):
        self.process = process
        self.ca = ca
        self.url = process.first_line()

    @property
    def settings(self):
        return {"API_URL": f"{self.url}/currentMatches", "API_CA_FILE": self.ca, "API_KEY": "key-of-the-tests"}


@pytest.fixture
def serve(peer, spawn, tmp_path):
    """serve(*arguments) starts the replay API; the answer has url, ca, process and settings."""
    count = 0

    def start(*arguments):
        nonlocal count
        count += 1
        ca = tmp_path / f"ca{count}.pem"
        argv = [peer, "serve", "--port", "0", "--ca-out", ca, *arguments]
        return Api(spawn(argv, clean_environment(tmp_path, {}), name=f"serve{count}"), ca)

    return start


@pytest.fixture
def broker(scorebox, peer, spawn, tmp_path, tmp_path_factory):
    """broker(partitions=4, topic=TOPIC) starts an embedded broker; the answer is its bootstrap address. With
    beside=True those that were started before stay in use."""
    if real_brokers.KIND:
        yield real_brokers.Broker(scorebox, tmp_path_factory, TOPIC)
        return
    count = 0

    def start(partitions=4, topic=TOPIC, beside=False):
        nonlocal count
        count += 1
        argv = [peer, "broker", "--partitions", partitions, "--topic", topic]
        process = spawn(argv, clean_environment(tmp_path, {}), name=f"broker{count}")
        start.process = process
        return process.first_line()

    yield start


@pytest.fixture(scope="session")
def kafka_client():
    """kafka_client(bootstrap): what confluent_kafka wants, to talk to a broker that broker() started."""
    return real_brokers.client


class Box:
    """One installation. `settings` are names without SCOREBOX_; None takes one away."""

    def __init__(self, binary, folder, spawn, settings):
        self.binary, self.folder, self.spawn = binary, folder, spawn
        self.state, self.output = folder / "state", folder / "out"
        folder.mkdir(parents=True, exist_ok=True)
        self.output.mkdir(exist_ok=True)
        self.settings = {"STATE_DIR": self.state, "OUTPUT_DIR": self.output, "OUTPUT_MOUNT": "any",
                         "OUTPUT_MIN_FREE": "0", "CLOCK_WAIT": "0", **settings}
        self.started = 0

    def set(self, **settings):
        self.settings.update(settings)
        return self

    def start(self, verb, *arguments, **settings):
        """Starts a verb and leaves it running; the answer is a Process."""
        self.started += 1
        env = clean_environment(self.folder, {**self.settings, **settings})
        name = f"{verb}{self.started}"
        return self.spawn([self.binary, *verb.split(), *arguments], env, self.folder, name.replace(" ", "-"))

    def run(self, verb, *arguments, timeout=90, **settings):
        """Runs a verb to its end; the answer has code, out and err."""
        process = self.start(verb, *arguments, **settings)
        code = process.wait(timeout)
        return Result(code, process.out, process.err)

    def books(self):
        """Names of the finished workbooks of matches."""
        return sorted(p.name for p in self.output.glob("[!.]*.xlsx") if p.name != "Matches.xlsx")


@pytest.fixture
def make_box(scorebox, spawn, tmp_path):
    """make_box(NAME=value, ...) makes a box; name= gives its folder a name, so that two can be told apart."""
    count = 0

    def make(name=None, **settings):
        nonlocal count
        count += 1
        return Box(scorebox, tmp_path / (name or f"box{count}"), spawn, settings)

    return make


@pytest.fixture
def produce(make_box):
    """produce(*arguments, **settings): one run of a box of its own, `--once` unless told otherwise."""
    return lambda *arguments, **settings: make_box(**settings).run("produce", *(arguments or ("--once",)))


@pytest.fixture
def consume(make_box):
    """consume(*arguments, **settings): one run of a box of its own, `--until-end` unless told otherwise."""
    return lambda *arguments, **settings: make_box(**settings).run("consume", *(arguments or ("--until-end",)))


@pytest.fixture(scope="session")
def topic_records():
    """topic_records(bootstrap, topic=TOPIC): all records of the topic as they stand, by partition and offset.
    In place of the address it takes a dict of confluent_kafka's properties too, for a broker that wants more."""
    kafka = pytest.importorskip("confluent_kafka", reason="no python3-confluent-kafka")

    def read(bootstrap, topic=TOPIC, seconds=20):
        client = bootstrap if isinstance(bootstrap, dict) else real_brokers.client(bootstrap)
        reader = kafka.Consumer({**client, "group.id": "witness", "enable.auto.commit": False,
                                 "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        try:
            return read_all(kafka, reader, topic, seconds)
        finally:
            reader.close()

    return read


def watermarks(kafka, reader, topic, number, seconds):
    """The broker's; on a busy machine the client may not know yet what it has listed."""
    end = time.monotonic() + seconds
    while True:
        try:
            return reader.get_watermark_offsets(kafka.TopicPartition(topic, number), timeout=seconds)
        except kafka.KafkaException as error:
            if error.args[0].code() != kafka.KafkaError._UNKNOWN_PARTITION or time.monotonic() > end:
                raise
        reader.poll(0.1)


def read_all(kafka, reader, topic, seconds):
    partitions = reader.list_topics(topic, timeout=seconds).topics[topic].partitions
    wanted = {}
    for number in partitions:
        low, high = watermarks(kafka, reader, topic, number, seconds)
        assert low == 0, f"the broker has dropped the first {low} records of partition {number}"
        if high > low:
            wanted[number] = high
    reader.assign([kafka.TopicPartition(topic, number, 0) for number in wanted])
    records, end = [], time.monotonic() + seconds
    while wanted:
        message = reader.poll(0.2)
        assert time.monotonic() < end, f"{topic} was not read to its end within {seconds} s"
        if message is None:
            continue
        if message.error():
            if message.error().code() == kafka.KafkaError._PARTITION_EOF:
                wanted.pop(message.partition(), None)
            continue
        records.append(Record(message.partition(), message.offset(), message.key(), message.value(),
                              dict(message.headers() or []), message.timestamp()[1]))
    return sorted(records, key=lambda r: (r.partition, r.offset))


@pytest.fixture(scope="session")
def open_book():
    """open_book(path): {sheet name: list of rows}; table() finds the table in one."""
    openpyxl = pytest.importorskip("openpyxl", reason="no python3-openpyxl")

    def read(path):
        book = openpyxl.load_workbook(path)
        sheets = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}
        book.close()
        return sheets

    return read


def table(rows, *columns):
    """The rows below the header row that holds all of `columns`, as dicts; up to the first empty row."""
    for place, row in enumerate(rows):
        if all(column in row for column in columns):
            break
    else:
        raise AssertionError(f"no row holds the columns {columns}")
    found = []
    for values in rows[place + 1:]:
        if all(value is None for value in values):
            break
        found.append({name: value for name, value in zip(row, values) if name is not None})
    return found

"""What the tests of the SD image share: boxes in emulated machines (guest.py), their cards and sticks (media.py), and on
the host, in a network of the tests' own (network.py), the replay API, a real Apache Kafka and a time server. All that
tests/broker and tests/integration have is here as well.

    def test_one(replay, topic, make_card, make_stick, make_guest):
        api = replay("--step", "some.match")
        card, stick = make_card(), make_stick()
        card.settings(box_settings(api, topic))
        guest = make_guest(card, stick)
        guest.wait("book.written")

The image is in SCOREBOX_IMAGE_DIR (build/image), the key that signs its updates in SCOREBOX_UPDATE_KEY
(build/keys/update.pem). SCOREBOX_BOARD_KEEP=1 leaves cards and sticks behind."""
import importlib.util
import os
import pathlib
import sys

import pytest

BROKER = pathlib.Path(__file__).resolve().parents[1] / "broker"


def everything_of(path):
    """The module at `path`, which has this one's name and so cannot be imported by it."""
    spec = importlib.util.spec_from_file_location("broker_conftest", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}


sys.path.append(str(BROKER))
globals().update(everything_of(BROKER / "conftest.py"))

import kafka_jars  # noqa: E402 (found by the line above)
import real_kafka  # noqa: E402
from bundles import Bundles  # noqa: E402
from guest import Guest  # noqa: E402
from media import Card, Stick, missing  # noqa: E402
from network import HOST, HOST_6, TimeServer, leave_for_an_own_one  # noqa: E402

TOOLS = ("qemu-system-aarch64", "mcopy", "mkfs.vfat", "fsck.vfat", "debugfs", "e2fsck", "sfdisk", "cpio", "openssl")
IMAGE = "scorebox-rpi-arm64.img"
skipped = []


def skip(why):
    skipped.append(f"SKIPPED: no {why}")
    pytest.skip(skipped[-1])


def pytest_terminal_summary(terminalreporter):
    """What ctest goes by, where nothing at all could be tried."""
    if skipped and not any(terminalreporter.stats.get(kind) for kind in ("passed", "failed", "error")):
        terminalreporter.ensure_newline()
        terminalreporter.write_line(skipped[0])


@pytest.fixture(scope="session")
def image_dir():
    """Folder of the image that `sh cmake/bootstrap image` made."""
    lacking = missing(*TOOLS)
    if lacking:
        skip(f"{', '.join(lacking)}")
    folder = pathlib.Path(os.environ.get("SCOREBOX_IMAGE_DIR") or ROOT / "build" / "image")
    if not (folder / IMAGE).exists():
        skip(f"image in {folder}: sh cmake/bootstrap image")
    return folder


@pytest.fixture(scope="session")
def update_key():
    path = pathlib.Path(os.environ.get("SCOREBOX_UPDATE_KEY") or ROOT / "build" / "keys" / "update.pem")
    if not path.exists():
        skip(f"key that signs updates at {path}")
    return path


@pytest.fixture(scope="session")
def bundles(image_dir, update_key, tmp_path_factory):
    """Makes updates."""
    return Bundles(image_dir, update_key, tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="session", autouse=True)
def time_server(image_dir):
    """In a network of our own; where there is none, at this machine's own port, if that can be had."""
    why = leave_for_an_own_one()
    try:
        server = TimeServer()
    except OSError as error:
        skip(f"time server: {why or 'port 123'}, and UDP port 123 of 127.0.0.1 cannot be had: {error.strerror}")
    yield server
    server.close()


@pytest.fixture(scope="session")
def guest_kafka(time_server, tmp_path_factory):
    """A real Apache Kafka that the guests see at 10.0.2.2."""
    try:
        kafka_jars.java()
        if not kafka_jars.folder().is_dir():
            skip(f"Apache Kafka in {kafka_jars.folder()}; fetched by: python3 tests/broker/real_kafka.py")
        cluster = real_kafka.Cluster(tmp_path_factory.mktemp("kafka"), guests_host=HOST)
    except kafka_jars.Unavailable as why:
        skip(f"real Apache Kafka: {why}")
    yield cluster
    cluster.close()


class Topic:
    """A topic of one test: `settings` of a guest and of a box on this machine."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.guest_settings = {"KAFKA_BROKERS": cluster.bootstrap("guest"), "KAFKA_TOPIC": name}
        self.settings = {"KAFKA_BROKERS": cluster.bootstrap(), "KAFKA_TOPIC": name}

    def records(self):
        """All of it, as it stands."""
        return read_topic(self.cluster.client(), self.name)


@pytest.fixture
def topic(guest_kafka, topic_records):
    """A topic of four partitions in that Kafka."""
    global read_topic
    read_topic = topic_records
    name = f"board-{real_kafka.uuid.uuid4().hex[:12]}"
    guest_kafka.heal()
    guest_kafka.create_topic(name, 4)
    yield Topic(guest_kafka, name)
    guest_kafka.delete_topic(name)


@pytest.fixture
def replay(peer, spawn, tmp_path):
    """replay(*arguments, ipv6=False) starts the replay API, which the guests see at 10.0.2.2, or at HOST_6."""
    count = 0

    def start(*arguments, ipv6=False):
        nonlocal count
        count += 1
        ca = tmp_path / f"api{count}.pem"
        here, seen = ("::1", HOST_6) if ipv6 else ("127.0.0.1", HOST)
        argv = [peer, "serve", "--listen", here, "--port", "0", "--name", seen, "--ca-out", ca, *arguments]
        api = Api(spawn(argv, clean_environment(tmp_path, {}), name=f"replay{count}"), ca)
        api.guest_settings = {"API_URL": api.url.replace(here, seen) + "/currentMatches",
                              "API_CA_FILE": "/boot/api.pem", "API_KEY": "key-of-the-tests"}
        return api

    return start


def box_settings(api, kafka, **more):
    """The lines of a box's scorebox.env that polls and keeps workbooks; `kafka` has guest_settings, or is None: embedded
    in the box. Names without SCOREBOX_; None takes one away."""
    settings = {"MODE": "both", **api.guest_settings, **(kafka.guest_settings if kafka else {"KAFKA_BROKERS": "embedded"}),
                "NTP": HOST, "POLL_INTERVAL": "200ms", "BOOK_INTERVAL": "2s", "OUTPUT_MIN_FREE": "4MiB", **more}
    return {f"SCOREBOX_{name}": value for name, value in settings.items() if value is not None}


@pytest.fixture
def make_card(image_dir, tmp_path):
    """make_card(settings={}, api=None, mib=256, **of Card.settings) copies the image and writes its FAT."""
    made = []

    def make(settings=None, api=None, mib=256, **form):
        made.append(Card(image_dir, tmp_path / f"card{len(made)}.img", mib))
        if settings is not None:
            made[-1].settings(settings, **form)
        if api:
            made[-1].fat.write("api.pem", api.ca.read_bytes())
        return made[-1]

    yield make
    tidy(made)


@pytest.fixture
def make_stick(tmp_path):
    """make_stick(kind="vfat", mib=64, partitioned=False)"""
    made = []

    def make(kind="vfat", **form):
        if missing(f"mkfs.{kind}"):
            pytest.skip(f"SKIPPED: no mkfs.{kind}")
        made.append(Stick(tmp_path / f"stick{len(made)}.img", kind, **form))
        return made[-1]

    yield make
    tidy(made)


def tidy(media):
    if os.environ.get("SCOREBOX_BOARD_KEEP") != "1":
        for one in media:
            for path in one.path.parent.glob(f"{one.path.name}*"):
                path.unlink()


@pytest.fixture
def make_guest(image_dir, tmp_path, make_card, make_stick):
    """make_guest(card, *sticks, **of Guest) starts a box. On raspi3b the card's watchdog is switched off before."""
    made = []

    def make(card, *sticks, machine="virt", **form):
        if machine == "raspi3b" and "scorebox.watchdog=off" not in card.values("kargs.txt")["kargs"]:
            card.kargs("scorebox.watchdog=off", uwdt="0")
        made.append(Guest(image_dir, tmp_path / f"guest{len(made)}", card, machine=machine, **form))
        for stick in sticks:
            made[-1].plug(stick)
        return made[-1].start()

    yield make
    for guest in made:
        guest.close()
        # shown by pytest where the test has failed
        print(f"console of {guest.folder}:\n{guest.console.tail(200)}")

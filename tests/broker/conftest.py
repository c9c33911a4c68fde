"""What the tests against a real Apache Kafka share. The boxes, the replay API and the witnesses are those of
tests/integration/conftest.py, all of them; here the brokers are real ones (real_kafka.py).

    def test_one(serve, kafka_cluster, make_topic, make_box, topic_records):
        topic = make_topic(partitions=2)
        box = make_box(**serve("page.json").settings, **kafka_cluster.settings("tls"), KAFKA_TOPIC=topic)
        assert box.run("produce", "--once").code == 0
        assert len(topic_records(kafka_cluster.client("tls"), topic)) == 25
"""
import importlib.util
import pathlib
import sys

import pytest

import kafka_jars
import real_kafka

INTEGRATION = pathlib.Path(__file__).resolve().parents[1] / "integration"


def everything_of(path):
    """The module at `path`, which has this one's name and so cannot be imported by it."""
    spec = importlib.util.spec_from_file_location("integration_conftest", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}


sys.path.append(str(INTEGRATION))
globals().update(everything_of(INTEGRATION / "conftest.py"))


def cluster_or_skip(*arguments, **named):
    pytest.importorskip("confluent_kafka", reason="SKIPPED: no python3-confluent-kafka")
    try:
        return real_kafka.Cluster(*arguments, **named)
    except kafka_jars.Unavailable as why:
        pytest.skip(f"SKIPPED: no real Apache Kafka: {why}")


@pytest.fixture(scope="session")
def one_broker(tmp_path_factory):
    cluster = cluster_or_skip(tmp_path_factory.mktemp("kafka"))
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def three_brokers(tmp_path_factory):
    cluster = cluster_or_skip(tmp_path_factory.mktemp("kafka3"), brokers=3)
    yield cluster
    cluster.close()


@pytest.fixture
def kafka_cluster(one_broker):
    """One broker, shared by the tests of a file; up again when a test before left it down."""
    one_broker.heal()
    return one_broker


@pytest.fixture
def kafka_three(three_brokers):
    """Three brokers, shared by the tests of a file; all of them up."""
    three_brokers.heal()
    return three_brokers


@pytest.fixture
def make_kafka(tmp_path):
    """make_kafka(brokers=1, extra={property: value}) starts a cluster of the test's own."""
    made = []

    def make(brokers=1, extra=None):
        made.append(cluster_or_skip(tmp_path / f"kafka{len(made)}", brokers=brokers, extra=extra))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture
def make_topic(kafka_cluster):
    """make_topic(partitions=, replication=, config=) makes a topic of the test's own in kafka_cluster; its name."""
    made = []

    def make(partitions=4, replication=None, config=None):
        made.append(f"test-{real_kafka.uuid.uuid4().hex[:12]}")
        kafka_cluster.create_topic(made[-1], partitions, replication, config)
        return made[-1]

    yield make
    if kafka_cluster.nodes[0].alive:
        for name in made:
            kafka_cluster.delete_topic(name)

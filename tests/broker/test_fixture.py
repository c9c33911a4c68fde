"""The cluster itself: every listener speaks to a client of another make, a killed broker comes back with its records."""
import pytest

import real_kafka

kafka = pytest.importorskip("confluent_kafka")


def write(cluster, kind, topic, value, mechanism=None):
    writer = kafka.Producer({**cluster.client(kind, mechanism), "log_level": 0})
    writer.produce(topic, value)
    return writer.flush(20)


def test_every_listener_speaks(kafka_cluster, make_topic, topic_records):
    topic = make_topic(partitions=1)
    for kind in real_kafka.KINDS:
        assert write(kafka_cluster, kind, topic, kind) == 0, kind
    assert [r.value.decode() for r in topic_records(kafka_cluster.client(), topic)] == list(real_kafka.KINDS)


@pytest.mark.parametrize("kind, wrong", [("mtls", {"ssl.certificate.location": "", "ssl.key.location": ""}),
                                         ("sasl_tls", {"sasl.password": "wrong"}), ("tls", {"ssl.ca.location": None})])
def test_a_listener_refuses_who_lacks_its_papers(kafka_cluster, make_topic, kind, wrong):
    told = []
    wanted = {k: v for k, v in {**kafka_cluster.client(kind), **wrong}.items() if v is not None}
    writer = kafka.Producer({**wanted, "log_level": 0, "error_cb": told.append})
    writer.produce(make_topic(), "value")
    real_kafka.tell(lambda: writer.poll(0.05) or told, 20, "a refusal")
    assert len(writer) == 1
    writer.purge()


def test_three_brokers_lose_one_and_have_it_again(kafka_three, topic_records):
    kafka_three.create_topic("three", partitions=3, replication=3, config={"min.insync.replicas": 2})
    lost = kafka_three.leader("three", 0)
    lost.kill()
    real_kafka.tell(lambda: kafka_three.leader("three", 0) not in (lost, None), 20, "another leader")
    assert write(kafka_three, "tls", "three", "while one was away") == 0
    lost.start()
    assert len(topic_records(kafka_three.client("sasl_tls"), "three")) == 1
    kafka_three.delete_topic("three")

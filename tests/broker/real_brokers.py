"""Real brokers in the place of the embedded one, for the tests of tests/integration: see the head of their conftest.py.

They are started once and used by every test of the run: what a test gets anew is its topic."""
import os
import subprocess

import pytest

import kafka_jars
import real_kafka

KIND = os.environ.get("SCOREBOX_TEST_KAFKA", "")
assert not KIND or KIND in real_kafka.KINDS, f"SCOREBOX_TEST_KAFKA={KIND}: none of {', '.join(real_kafka.KINDS)}"
POOL = []    # clusters; the first is the one of most tests


def at(bootstrap):
    """The cluster with that bootstrap address; None: not of ours, or none is running."""
    return next((c for c in POOL if c.bootstrap(KIND) in str(bootstrap).split(",")), None)


def with_security(settings):
    """The settings of a box, with those that the listener of its brokers wants."""
    cluster = at(settings.get("KAFKA_BROKERS", ""))
    if not cluster:
        return settings
    return {**cluster.settings(KIND), **settings}


def client(bootstrap):
    """Properties of confluent_kafka."""
    cluster = at(bootstrap)
    return cluster.client(KIND) if cluster else {"bootstrap.servers": bootstrap}


def close():
    while POOL:
        POOL.pop().close()


class Process:
    """What a test may do to the process of a broker."""

    def __init__(self, node):
        self.node = node

    @property
    def running(self):
        return self.node.alive

    def kill(self):
        self.node.kill()


class Broker:
    """The fixture `broker` of one test."""

    def __init__(self, scorebox, tmp_path_factory, topic):
        self.factory, self.default, self.used = tmp_path_factory, topic, 0
        if KIND == "scram":
            told = subprocess.run([scorebox, "version"], capture_output=True, text=True).stdout
            if "openssl" not in told.lower():
                pytest.skip("SKIPPED: this build has no SCRAM; configure with -DSCOREBOX_KAFKA_TLS=openssl")

    def cluster(self, number):
        while len(POOL) <= number:
            try:
                POOL.append(real_kafka.Cluster(self.factory.mktemp("kafka")))
            except kafka_jars.Unavailable as why:
                pytest.skip(f"SKIPPED: no real Apache Kafka: {why}")
        POOL[number].heal()
        return POOL[number]

    def __call__(self, partitions=4, topic=None, beside=False):
        self.used += beside or not self.used
        cluster = self.cluster(self.used - 1)
        name = topic or self.default
        if cluster.partitions(name):
            cluster.delete_topic(name)
        cluster.create_topic(name, partitions)
        self.process = Process(cluster.nodes[0])
        return cluster.bootstrap(KIND)

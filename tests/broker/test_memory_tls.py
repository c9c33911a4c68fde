"""The memory of `produce` with TLS on both legs, a login, and the system's whole set of authorities, as the kernel
counts it (VmHWM), of the builds that ship. Three brokers: a session to each, and one to each name in the list."""
import os
import pathlib
import re

import pytest

from conftest import clean_environment

SYSTEM = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
ROWS = 50000
# With OpenSSL under Kafka each session has roots of its own; what is promised there is the default ceiling.
LIMIT_MIB = {"Mbed TLS": 11, "OpenSSL": 15}

pytestmark = pytest.mark.skipif("native" not in os.environ.get("SCOREBOX_BINARY", "native"),
                                reason="SKIPPED: memory is measured with the native builds")


def peak_kib(err):
    """What the service says of itself at its end; /proc is gone by then."""
    return int(re.findall(r"memory peak (\d+) KiB", err)[-1])


def tls_library(scorebox, spawn, tmp_path):
    told = spawn([scorebox, "version"], clean_environment(tmp_path, {}), name="version")
    assert told.wait() == 0
    return "OpenSSL" if "OpenSSL" in told.out else "Mbed TLS"


def test_produce_with_everything_encrypted(scorebox, spawn, kafka_three, serve, make_box, topic_records, tmp_path):
    """A backlog of 50,000 rows goes out over sasl_tls while a list of as many is swept over HTTPS."""
    if not SYSTEM.is_file():
        pytest.skip(f"SKIPPED: no {SYSTEM}")
    kind = tls_library(scorebox, spawn, tmp_path)
    topic = "memory-tls"
    kafka_three.create_topic(topic, partitions=12, replication=3, config={"min.insync.replicas": 2})
    api = serve("--rows", str(ROWS))
    # The system's authorities, and ours among them; with none named for Kafka, it has the same.
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(SYSTEM.read_bytes() + api.ca.read_bytes() + kafka_three.papers.ca.read_bytes())
    settings = {**kafka_three.settings("sasl_tls"), **api.settings, "API_CA_FILE": bundle, "KAFKA_CA_FILE": None,
                "KAFKA_TOPIC": topic, "API_MAX_BODY": "128MiB", "SPOOL_MAX": "512MiB"}
    box = make_box(**settings)
    if kind == "OpenSSL":
        box.set(MEMORY_MAX="16MiB")
    away = box.run("produce", "--once", "--timeout", "3s", KAFKA_BROKERS="127.0.0.1:1")
    assert away.code == 69 and f"{ROWS} rows stay" in away.err, away.err[-2000:]
    found = re.search(r"tls\.trust: (\d+) root certificates", away.err)
    assert found and int(found[1]) > 100, away.err[-2000:]
    run = box.run("produce", "--once", timeout=240, PUBLISH="all")
    assert run.code == 0, run.err[-2000:]
    assert len(topic_records(kafka_three.client(), topic, seconds=60)) == 2 * ROWS
    peak = max(peak_kib(away.err), peak_kib(run.err))
    print(f"produce, {kind} under Kafka, {found[1]} authorities, TLS on both legs, login: {peak} KiB")
    assert peak <= LIMIT_MIB[kind] * 1024

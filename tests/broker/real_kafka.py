"""A real Apache Kafka, one broker or several, in processes and folders of its own, on loopback and on ports that
were free.

    cluster = Cluster(folder, brokers=3)            # started, formatted, ready
    cluster.create_topic("t", partitions=4, replication=3)
    cluster.bootstrap("tls")                        # host:port,...  of that kind's listener
    cluster.settings("scram")                       # settings of scorebox, without the SCOREBOX_ of their names
    cluster.client("mtls")                          # the same for confluent_kafka
    Cluster(folder, guests_host="10.0.2.2").bootstrap("guest")  # for an emulated machine, which sees loopback there
    cluster.nodes[0].kill(); cluster.nodes[0].start()
    cluster.close()

A broker is killed with the process that started it. What takes long and is always the same is made once and kept
beside the archives: a formatted folder, and the JVM's image of the classes that a broker loads (a third of its start).

    python3 real_kafka.py       makes all that now; exit 77 with one line where that cannot be done
"""
import base64
import ctypes
import hashlib
import pathlib
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

import kafka_jars

KINDS = ("plaintext", "tls", "mtls", "sasl_plaintext", "sasl_tls", "scram")
LISTENERS = {"PLAINTEXT": "PLAINTEXT", "SSL": "SSL", "MTLS": "SSL", "SASL_PLAINTEXT": "SASL_PLAINTEXT",
             "SASL_SSL": "SASL_SSL"}
GUEST = {"GUEST": "PLAINTEXT"}     # only with guests_host
LISTENER_OF = {"plaintext": "PLAINTEXT", "tls": "SSL", "mtls": "MTLS", "sasl_plaintext": "SASL_PLAINTEXT",
               "sasl_tls": "SASL_SSL", "scram": "SASL_SSL", "guest": "GUEST"}
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
USER, PASSWORD = "board-1", "pass-w0rd-of-the-tests"
START_SECONDS = 90
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1
# Below the ports that the system hands out, so that nobody is given one between our look and Java's bind.
PORTS = (20000, 32000)
JVM = ["-Xms96m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xlog:disable",
       "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true"]

LOG4J = """<Configuration status="off">
  <Appenders><Console name="out"><PatternLayout pattern="%d{HH:mm:ss.SSS} %p %c{1} %m%n"/></Console></Appenders>
  <Loggers>
    <Root level="info"><AppenderRef ref="out"/></Root>
    <Logger name="org.apache.kafka.common.config" level="warn"/>
    <Logger name="kafka.server.KafkaConfig" level="warn"/>
  </Loggers>
</Configuration>
"""


def tell(condition, seconds, what):
    """Looks every 10 ms until the condition holds; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        select.select([], [], [], 0.01)


def free_ports(count):
    found = []
    while len(found) < count:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def host_name():
    """A name where it can only mean 127.0.0.1, so that certificates are checked against a name; else the address."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo("localhost", None)}
    except OSError:
        found = set()
    return "localhost" if found == {"127.0.0.1"} else "127.0.0.1"


def new_id():
    """A UUID as Kafka writes it."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def kept_folder(jars, java):
    """What is kept between runs: of these archives, this Java, its options, and the users."""
    told = subprocess.run([java, "-version"], capture_output=True).stderr
    mark = hashlib.sha256(repr((told, JVM, USER, PASSWORD)).encode())
    return jars.parent / f"{jars.name}-kept-{mark.hexdigest()[:8]}"


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}:\n{done.stderr}"


class Papers:
    """A CA, the brokers' certificate (localhost, 127.0.0.1) and a client's, as PEM; PKCS #8 keys, as Java wants."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o711)     # a test may read the certificates as another user
        self.ca, self.client, self.client_key = folder / "ca.pem", folder / "client.pem", folder / "client.key"
        self.server_store = folder / "server-store.pem"
        self.folder = folder
        openssl("req", "-x509", *self.fresh_key(folder / "ca.key"), "-out", self.ca, "-days", "7", "-subj",
                "/CN=CA of the broker tests", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.signed("server", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.signed("client", "extendedKeyUsage=clientAuth")
        self.server_store.write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())

    @staticmethod
    def fresh_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path

    def signed(self, name, extension):
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"basicConstraints=critical,CA:false\n{extension}\n")
        openssl("req", *self.fresh_key(self.folder / f"{name}.key"), "-out", request, "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                "-out", self.folder / f"{name}.pem", "-days", "7", "-sha256", "-extfile", extensions)


def jaas(mechanism):
    if mechanism == "PLAIN":
        return ('org.apache.kafka.common.security.plain.PlainLoginModule required '
                f'username="broker" password="{PASSWORD}-too" user_{USER}="{PASSWORD}";')
    return "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Node:
    """One broker, which is its own controller too. Its log is `log`."""

    def __init__(self, cluster, number, ports):
        self.cluster, self.number = cluster, number
        self.ports = dict(zip([*cluster.listeners, "CONTROLLER"], ports))
        self.folder = cluster.folder / f"broker{number}"
        self.folder.mkdir()
        self.log_path = self.folder / "log"
        self.config = self.folder / "server.properties"
        self.popen = None
        self.begun_at = 0

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    @property
    def pid(self):
        return self.popen.pid

    def address(self, listener):
        host = self.cluster.guests_host if listener in GUEST else self.cluster.host
        return f"{host}:{self.ports[listener]}"

    def properties(self):
        cluster, copies = self.cluster, min(3, len(self.cluster.nodes))
        plain = {"PLAIN": jaas("PLAIN")}
        every = {**plain, **{m: jaas(m) for m in SCRAM}}
        voters = ",".join(f"{n.number}@127.0.0.1:{n.ports['CONTROLLER']}" for n in cluster.nodes)
        found = {
            "process.roles": "broker,controller", "node.id": self.number, "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in self.ports.items()),
            "advertised.listeners": ",".join(f"{name}://{self.address(name)}" for name in cluster.listeners),
            "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in
                                                       {**cluster.listeners, "CONTROLLER": "PLAINTEXT"}.items()),
            "log.dirs": self.folder / "data",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": cluster.papers.server_store,
            "ssl.truststore.type": "PEM", "ssl.truststore.location": cluster.papers.ca,
            "listener.name.mtls.ssl.client.auth": "required",
            "auto.create.topics.enable": "false", "group.initial.rebalance.delay.ms": 100,
            "group.min.session.timeout.ms": 1000,
            "offsets.topic.replication.factor": copies, "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": copies, "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 2,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": 1, "share.coordinator.state.topic.num.partitions": 1,
            # a broker that is gone is missed soon; a lost leader is replaced soon
            "broker.heartbeat.interval.ms": 500, "broker.session.timeout.ms": 3000,
            "controller.quorum.election.timeout.ms": 500, "controller.quorum.fetch.timeout.ms": 1000,
            "replica.lag.time.max.ms": 5000, "log.segment.delete.delay.ms": 100,
            "num.network.threads": 2, "num.io.threads": 2, "background.threads": 2, "log.cleaner.threads": 1,
            # half of the heap by default, which is then too small now and then
            "log.cleaner.dedupe.buffer.size": 4 << 20,
            "num.recovery.threads.per.data.dir": 1, "metric.reporters": "",
        }
        for listener, mechanisms in (("sasl_plaintext", plain), ("sasl_ssl", every)):
            found[f"listener.name.{listener}.sasl.enabled.mechanisms"] = ",".join(mechanisms)
            for mechanism, text in mechanisms.items():
                found[f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config"] = text
        return {**found, **cluster.extra}

    def configure(self):
        self.config.write_text("".join(f"{name}={value}\n" for name, value in self.properties().items()))

    def format(self):
        """As Kafka's own tool does it, once; then by copies that differ in their ids."""
        kept = self.cluster.kept / "formatted"
        if not kept.is_dir():
            self.format_by_tool()
            part = kept.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(self.folder / "data", part)
            part.rename(kept)
            return
        shutil.copytree(kept, self.folder / "data")
        ids = {"node.id": self.number, "cluster.id": self.cluster.id, "directory.id": new_id()}
        lines = (kept / "meta.properties").read_text().splitlines()
        (self.folder / "data" / "meta.properties").write_text("".join(
            f"{name}={ids.get(name, value)}\n" for name, value in
            (line.split("=", 1) for line in lines if not line.startswith("#"))))

    def format_by_tool(self):
        scram = [word for m in SCRAM for word in ("--add-scram", f"{m}=[name={USER},password={PASSWORD}]")]
        done = subprocess.run([*self.cluster.java(), "kafka.tools.StorageTool", "format", "-t", self.cluster.id, "-c",
                               self.config, *scram], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, f"kafka.tools.StorageTool format: {done.stdout}{done.stderr}"

    def begin(self):
        """Starts it and does not wait."""
        assert not self.alive
        self.begun_at = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as out:
            self.popen = subprocess.Popen([*self.cluster.java(), "kafka.Kafka", str(self.config)], cwd=self.folder,
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                          preexec_fn=die_with_parent)

    def started(self):
        """Whether it serves; fails when it has ended."""
        with open(self.log_path, "rb") as log:
            log.seek(self.begun_at)
            text = log.read()
        assert self.alive, f"broker {self.number} ended:\n{text[-6000:].decode(errors='replace')}"
        return b"Kafka Server started" in text

    def start(self):
        self.begin()
        tell(self.started, START_SECONDS, lambda: f"broker {self.number} to start:\n{self.log[-4000:]}")

    def stop(self):
        """SIGTERM: hands its partitions over and closes its files."""
        if self.alive:
            self.popen.terminate()
            try:
                self.popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """SIGKILL."""
        if self.alive:
            self.popen.kill()
            self.popen.wait()

    def freeze(self):
        """It keeps its connections and answers nothing."""
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.popen.send_signal(signal.SIGCONT)


class Cluster:
    """See the head of this file. `extra`: properties of every broker. `guests_host`: the listener `guest` says that it
    is at that address, where an emulated machine finds this one's loopback. kafka_jars.Unavailable: not to be had
    here."""

    def __init__(self, folder, brokers=1, extra=None, options=None, guests_host=None):
        if not options:
            prepare()
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self.jars, self.host, self.extra = kafka_jars.archives(), host_name(), extra or {}
        self.guests_host, self.listeners = guests_host, {**LISTENERS, **(GUEST if guests_host else {})}
        self.executable = kafka_jars.java()
        self.kept, self.id = kept_folder(self.jars, self.executable), new_id()
        self.options = [*JVM, *(options or [f"-XX:SharedArchiveFile={self.kept}/classes.jsa"])]
        self.papers = Papers(self.folder / "papers")
        (self.folder / "log4j2.xml").write_text(LOG4J)
        self.admin_client = None
        self.nodes = []
        each = len(self.listeners) + 1
        ports = free_ports(brokers * each)
        for number in range(1, brokers + 1):
            self.nodes.append(Node(self, number, ports[(number - 1) * each:]))
        try:
            for node in self.nodes:
                node.configure()
                node.format()
                node.begin()
            for node in self.nodes:
                tell(node.started, START_SECONDS, lambda: f"broker {node.number} to start:\n{node.log[-4000:]}")
        except BaseException:
            self.close()
            raise

    def java(self):
        return [self.executable, *self.options, f"-Dlog4j2.configurationFile={self.folder}/log4j2.xml", "-cp",
                ":".join(map(str, sorted(self.jars.glob("*.jar"))))]

    def close(self):
        for node in self.nodes:
            node.kill()
        for node in self.nodes:
            shutil.rmtree(node.folder / "data", ignore_errors=True)

    def heal(self):
        """Every broker runs again."""
        fallen = [node for node in self.nodes if not node.alive]
        for node in fallen:
            node.begin()
        for node in fallen:
            tell(node.started, START_SECONDS, lambda: f"broker {node.number} to start:\n{node.log[-4000:]}")

    def bootstrap(self, kind="plaintext"):
        return ",".join(node.address(LISTENER_OF[kind]) for node in self.nodes)

    def settings(self, kind="plaintext", mechanism=None):
        """mechanism: for kind scram, SCRAM-SHA-512 when it shall not be SCRAM-SHA-256."""
        found = {"KAFKA_BROKERS": self.bootstrap(kind), "KAFKA_SECURITY": {
            "plaintext": "plaintext", "sasl_plaintext": "sasl_plaintext", "sasl_tls": "sasl_tls",
            "scram": "sasl_tls"}.get(kind, "tls")}
        if kind not in ("plaintext", "sasl_plaintext"):
            found["KAFKA_CA_FILE"] = self.papers.ca
        if kind == "mtls":
            found.update(KAFKA_CERT_FILE=self.papers.client, KAFKA_KEY_FILE=self.papers.client_key)
        if kind in ("sasl_plaintext", "sasl_tls", "scram"):
            found.update(KAFKA_SASL_MECHANISM=mechanism or ("SCRAM-SHA-256" if kind == "scram" else "PLAIN"),
                         KAFKA_SASL_USERNAME=USER, KAFKA_SASL_PASSWORD=PASSWORD)
        return found

    def client(self, kind="plaintext", mechanism=None):
        """A librdkafka before 2.6.1 fails at the nonce that this Kafka checks: there scram is PLAIN on the same
        listener."""
        import confluent_kafka
        if kind == "scram" and confluent_kafka.libversion()[1] < 0x020601ff:
            kind, mechanism = "sasl_tls", None
        ours = self.settings(kind, mechanism)
        found = {"bootstrap.servers": ours["KAFKA_BROKERS"], "security.protocol": {
            "tls": "ssl", "sasl_tls": "sasl_ssl"}.get(ours["KAFKA_SECURITY"], ours["KAFKA_SECURITY"])}
        for name, setting in (("ssl.ca.location", "KAFKA_CA_FILE"), ("ssl.certificate.location", "KAFKA_CERT_FILE"),
                              ("ssl.key.location", "KAFKA_KEY_FILE"), ("sasl.mechanism", "KAFKA_SASL_MECHANISM"),
                              ("sasl.username", "KAFKA_SASL_USERNAME"), ("sasl.password", "KAFKA_SASL_PASSWORD")):
            if setting in ours:
                found[name] = str(ours[setting])
        return found

    def admin(self):
        from confluent_kafka.admin import AdminClient
        if self.admin_client is None:
            self.admin_client = AdminClient({"bootstrap.servers": self.bootstrap(), "log_level": 0,
                                             "reconnect.backoff.max.ms": 500})
        return self.admin_client

    def partitions(self, topic):
        """{partition: leader, -1 where there is none}; empty where the topic is not there."""
        from confluent_kafka import KafkaException
        try:
            found = self.admin().list_topics(topic, timeout=5).topics[topic]
        except KafkaException:
            return {}
        return {} if found.error else {n: p.leader for n, p in found.partitions.items()}

    def leader(self, topic, partition):
        """The node that leads it; None where there is none."""
        number = self.partitions(topic).get(partition, -1)
        return self.nodes[number - 1] if number > 0 else None

    def create_topic(self, name, partitions=4, replication=None, config=None):
        """Answers when every partition's leader serves it. Replication: as many as there are brokers, three at most."""
        from confluent_kafka.admin import NewTopic
        wanted = NewTopic(name, num_partitions=partitions, replication_factor=replication or min(3, len(self.nodes)),
                          config={k: str(v) for k, v in (config or {}).items()})
        self.admin().create_topics([wanted], operation_timeout=20)[name].result(30)
        tell(lambda: self.answers_for(name, partitions), 20, f"topic {name}")

    def answers_for(self, topic, partitions):
        """Whether every partition has a leader that knows it is the one; that comes a little after its name does."""
        from confluent_kafka import Consumer, KafkaException, TopicPartition
        if sum(leader >= 0 for leader in self.partitions(topic).values()) < partitions:
            return False
        asker = Consumer({**self.client(), "group.id": "fixture", "log_level": 0})
        try:
            for number in range(partitions):
                asker.get_watermark_offsets(TopicPartition(topic, number), timeout=5)
            return True
        except KafkaException:
            return False
        finally:
            asker.close()

    def delete_topic(self, name):
        self.admin().delete_topics([name], operation_timeout=20)[name].result(30)
        tell(lambda: not self.partitions(name), 20, f"topic {name} to go")


def prepare(ask_again=False):
    """Makes what is kept, where it is missing; every Cluster does it first."""
    jars = kafka_jars.archives(ask_again)
    kept = kept_folder(jars, kafka_jars.java())
    with kafka_jars.locked():
        if (kept / "classes.jsa").exists():
            return
        kept.mkdir(exist_ok=True)
        image = kept / "classes.part"
        with tempfile.TemporaryDirectory(prefix="kafka") as folder:
            cluster = Cluster(folder, options=[f"-XX:ArchiveClassesAtExit={image}"])
            try:
                cluster.create_topic("any")
                cluster.nodes[0].stop()
            finally:
                cluster.close()
        image.rename(kept / "classes.jsa")


if __name__ == "__main__":
    try:
        prepare(ask_again=True)
    except kafka_jars.Unavailable as missing:
        print(f"SKIPPED: the tests against a real Apache Kafka (label broker): {missing}")
        sys.exit(77)

"""Logins at a real Apache Kafka, with the mechanisms that this build has: PLAIN in every one, SCRAM and OAUTHBEARER
in the one with OpenSSL. What a build lacks is refused by name, which is tested without a broker."""
import base64
import contextlib
import http.server
import json
import signal
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

import real_kafka
from conftest import wait_until

WRONG = "wrong-pass-w0rd"
CLIENT, SECRET = "the client/1", "s3cret+of%the:client"
LOGINS = [("sasl_plaintext", "PLAIN"), ("sasl_tls", "PLAIN"), ("scram", "SCRAM-SHA-256"), ("scram", "SCRAM-SHA-512")]


@pytest.fixture
def api(serve, tmp_path):
    """The settings of an API with three matches."""
    rows = [{"id": f"m{n}", "name": f"A{n} vs B{n}", "matchType": "t20", "status": "B won", "venue": "V",
             "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00", "teams": [f"A{n}", f"B{n}"], "score": [],
             "matchStarted": True, "matchEnded": True} for n in range(3)]
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"data": rows, "status": "success",
                                "info": {"hitsToday": 1, "hitsLimit": 2000, "totalRows": 3}}))
    return serve(page).settings


@pytest.fixture(scope="session")
def mechanisms(scorebox):
    text = subprocess.run([scorebox, "version"], capture_output=True, text=True, check=True).stdout
    return [line.split(" login ")[1] for line in text.splitlines() if line.startswith("Kafka ")][0].split(", ")


def needs(mechanisms, mechanism):
    if mechanism not in mechanisms:
        pytest.skip(f"SKIPPED: no {mechanism} in this build")


def unseen(answer, *secrets):
    for secret in secrets:
        assert secret not in answer.out + answer.err


@pytest.mark.parametrize("kind, mechanism", LOGINS)
def test_rows_go_in_and_come_out(mechanisms, kafka_cluster, make_topic, make_box, api, topic_records, kind, mechanism):
    needs(mechanisms, mechanism)
    topic = make_topic(partitions=2)
    box = make_box(**api, **kafka_cluster.settings(kind, mechanism), KAFKA_TOPIC=topic)
    answers = [box.run("check", "--online"), box.run("produce", "--once"), box.run("consume", "--until-end")]
    for answer in answers:
        assert answer.code == 0, answer.out + answer.err
        unseen(answer, real_kafka.PASSWORD)
    records = topic_records(kafka_cluster.client(), topic)
    assert len(records) == 3
    assert len(box.books()) == 3


@pytest.mark.parametrize("kind, mechanism", LOGINS[1:3])
def test_a_wrong_password_is_said_and_mended(mechanisms, kafka_cluster, make_topic, make_box, api, tmp_path,
                                             topic_records, kind, mechanism):
    """Nothing is lost and nothing hammers; a password file that is put right counts from SIGHUP on."""
    needs(mechanisms, mechanism)
    topic = make_topic(partitions=1)
    password = tmp_path / "password"
    password.write_text(WRONG)
    password.chmod(0o600)
    settings = {**kafka_cluster.settings(kind, mechanism), "KAFKA_TOPIC": topic, "KAFKA_SASL_PASSWORD": None,
                "KAFKA_SASL_PASSWORD_FILE": password}
    box = make_box(**api, **settings, POLL_INTERVAL="1h")
    process = box.start("produce")
    process.wait_for("kafka.auth")
    line = next(line for line in process.err.splitlines() if "kafka.auth" in line)
    assert mechanism in line and f"'{real_kafka.USER}'" in line and "nothing lost" in line, line
    refused = kafka_cluster.nodes[0].log.count("Failed authentication with")
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 8, 10, "eight seconds of trying")
    assert kafka_cluster.nodes[0].log.count("Failed authentication with") <= refused + 1
    password.write_text(real_kafka.PASSWORD)
    process.signal(signal.SIGHUP)
    process.wait_for("kafka.login")
    wait_until(lambda: topic_records(kafka_cluster.client(), topic), 60, "the rows")
    process.stop()
    unseen(process, WRONG, real_kafka.PASSWORD)


def unsigned(subject, seconds):
    """A token that Kafka's validator for trying things out takes: a JWT without a signature."""
    parts = [{"alg": "none"}, {"sub": subject, "iat": int(time.time()) - 1, "exp": int(time.time()) + seconds}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


class TokenEndpoint(http.server.BaseHTTPRequestHandler):
    """RFC 6749, 4.4; what it hands out and to whom is in the server's `asked`, `handed`, `seconds`."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        login = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
        name, secret = (urllib.parse.unquote_plus(part) for part in login.split(":"))
        self.server.asked.append(form)
        if (name, secret) == (CLIENT, SECRET):
            token = unsigned(real_kafka.USER, self.server.seconds)
            self.server.handed.append(token)
            self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": self.server.seconds})
        else:
            self.answer(401, {"error": "invalid_client"})

    def answer(self, code, what):
        body = json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def token_endpoint(papers, seconds):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    server.asked, server.handed, server.seconds = [], [], seconds
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.folder / "server.pem", papers.folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def oauth_cluster(mechanisms, tmp_path_factory):
    """A broker whose listener with TLS and login takes tokens."""
    needs(mechanisms, "OAUTHBEARER")
    from conftest import cluster_or_skip
    at = "listener.name.sasl_ssl"
    cluster = cluster_or_skip(tmp_path_factory.mktemp("oauth"), extra={
        f"{at}.sasl.enabled.mechanisms": "OAUTHBEARER", f"{at}.connections.max.reauth.ms": "3600000",
        f"{at}.oauthbearer.sasl.jaas.config": "org.apache.kafka.common.security.oauthbearer."
                                              "OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"b\";"})
    cluster.create_topic("tokens", partitions=1)
    yield cluster
    cluster.close()


def oauth_settings(cluster, endpoint, **more):
    return {"KAFKA_BROKERS": cluster.bootstrap("sasl_tls"), "KAFKA_SECURITY": "sasl_tls", "KAFKA_TOPIC": "tokens",
            "KAFKA_CA_FILE": cluster.papers.ca, "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "KAFKA_SASL_USERNAME": CLIENT, "KAFKA_SASL_PASSWORD": SECRET, "KAFKA_OAUTH_SCOPE": "kafka rows&more",
            "KAFKA_OAUTH_URL": f"https://{cluster.host}:{endpoint.server_address[1]}/token", **more}


def test_tokens_are_fetched_used_and_renewed(oauth_cluster, make_box, api):
    with token_endpoint(oauth_cluster.papers, seconds=6) as endpoint:
        box = make_box(**api, **oauth_settings(oauth_cluster, endpoint), MODE="both")
        for words in (("check", "--online"), ("produce", "--once"), ("consume", "--until-end")):
            answer = box.run(*words)
            assert answer.code == 0, answer.out + answer.err
            unseen(answer, SECRET, *endpoint.handed)
        assert endpoint.asked[0] == {"grant_type": ["client_credentials"], "scope": ["kafka rows&more"]}
        process = box.start("consume")
        begun = len(endpoint.handed)
        wait_until(lambda: len(endpoint.handed) >= begun + 3, 30, "two renewals of the token")
        process.stop()
        assert "kafka.auth" not in process.err
        unseen(process, SECRET, *endpoint.handed)


def test_no_token_is_said_and_nothing_lost(oauth_cluster, make_box, api, tmp_path):
    with token_endpoint(oauth_cluster.papers, seconds=60) as endpoint:
        refused = make_box(name="refused", **api,
                           **oauth_settings(oauth_cluster, endpoint, KAFKA_SASL_PASSWORD=WRONG))
        answer = refused.run("produce", "--once", "--timeout", "4s")
        assert answer.code == 69 and "rows stay in the spool" in answer.err, answer.err
        line = next(line for line in answer.err.splitlines() if "kafka.auth" in line)
        assert "token" in line and "SCOREBOX_KAFKA_SASL_USERNAME" in line, line
        unseen(answer, WRONG)
    with token_endpoint(real_kafka.Papers(tmp_path / "papers"), seconds=60) as stranger:
        answer = make_box(name="stranger", **api, **oauth_settings(oauth_cluster, stranger)).run(
            "produce", "--once", "--timeout", "4s")
        assert answer.code == 69 and "unknown CA" in answer.err, answer.err
        assert not stranger.asked, "the secret was told to a stranger"
        unseen(answer, SECRET)


def test_renewed_certificates_are_picked_up(kafka_cluster, make_topic, make_box, api, tmp_path, topic_records):
    """A CA file that does not fit is put right while the daemon runs."""
    topic = make_topic(partitions=1)
    other = real_kafka.Papers(tmp_path / "other")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(other.ca.read_bytes())
    box = make_box(**api, **{**kafka_cluster.settings("mtls"), "KAFKA_CA_FILE": ca}, KAFKA_TOPIC=topic,
                   POLL_INTERVAL="1h")
    process = box.start("produce")
    process.wait_for("kafka.tls.ca")
    fresh = tmp_path / "fresh.pem"
    fresh.write_bytes(kafka_cluster.papers.ca.read_bytes())
    fresh.rename(ca)
    wait_until(lambda: topic_records(kafka_cluster.client(), topic), 90, "the rows")
    process.stop()
    assert process.err.count("kafka.tls.ca") == 1

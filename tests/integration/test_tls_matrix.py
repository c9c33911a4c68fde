"""Peers that must not be believed, on both legs: each is refused before it sees a byte of ours, with a line of
its own. The peer is `openssl s_server`, which prints what it gets."""

import collections
import concurrent.futures
import os

import pytest

from conftest import SLOW, Box, Process, clean_environment, wait_until  # and the way to tests/broker
import real_kafka
from papers import Authority, self_signed

KEY = "key-that-nobody-may-see"
PASSWORD = "password-that-nobody-may-see"
OLD = {"start": "20200101000000Z", "end": "20210203000000Z"}
FUTURE = {"start": "20900101000000Z", "end": "20910101000000Z"}
WEAK = ["-cipher", "DEFAULT@SECLEVEL=0"]
RSA = ("rsa", "rsa_keygen_bits:2048")


HOST = real_kafka.host_name()
PATIENCE = f"{min(2 * SLOW, 6)}s"

# name: how the peer is made, what of it the line says; `host` is how we call it
CASES = {
    "wrong-host": ({"san": "DNS:other.example"}, [], HOST, ["another host"]),
    "unknown-ca": ({"authority": "other"}, [], HOST, ["unknown CA"]),
    "expired": (OLD, [], HOST, ["expired", "this board's clock says"]),
    "not-yet-valid": (FUTURE, [], HOST, ["not yet valid", "this board's clock says"]),
    "self-signed": ({"authority": None}, [], HOST, ["self-signed"]),
    "sha-1": ({"digest": "sha1"}, WEAK, HOST, ["too weak a hash"]),
    "rsa-1024": ({"key": ("rsa", "rsa_keygen_bits:1024")}, WEAK, HOST, ["too weak a key"]),
    "tls-1.0": ({}, ["-tls1", *WEAK], HOST, ["TLS version"]),
    "tls-1.1": ({}, ["-tls1_1", *WEAK], HOST, ["TLS version"]),
    "no-client-certificate": ({}, ["-Verify", "1", "-verify_return_error"], HOST, ["client certificate"]),
    "no-client-certificate-1.2": ({}, ["-Verify", "1", "-verify_return_error", "-tls1_2"], HOST,
                                  ["client certificate"]),
    "address-for-name": ({"san": "IP:127.0.0.1"}, [], HOST, ["another host"]),
    "name-for-address": ({"san": "DNS:localhost"}, [], "127.0.0.1", ["another host"]),
    "other-address": ({"san": "IP:127.0.0.2"}, [], "127.0.0.1", ["another host"]),
    "for-clients-only": ({"usage": "clientAuth"}, [], HOST, ["not issued for a server"]),
    "no-name-at-all": ({"san": None}, [], HOST, ["another host"]),
}


# Every kind of key with every version that we speak; a server may insist on its own order of signatures.
GOOD = {
    "ec": ({}, []),
    "ec-1.2": ({}, ["-tls1_2"]),
    "rsa": ({"key": RSA}, []),
    "rsa-1.2": ({"key": RSA}, ["-tls1_2"]),
    "rsa-1.2-its-own-order": ({"key": RSA}, ["-tls1_2", "-serverpref"]),
}
AT_ONCE = 4
Outcome = collections.namedtuple("Outcome", "code text heard")


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    return {"ours": Authority(folder / "ours"), "other": Authority(folder / "other", "Somebody else's CA")}


class Peer:
    """A running `openssl s_server`."""

    def __init__(self, folder, cert, key, *options):
        # It ends with its standard input: the pipe that the shell opens to read and to write never does.
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        self.process = Process(["sh", "-c", 'pipe=$1; shift; exec openssl s_server "$@" <>"$pipe"', "sh", str(pipe),
                                "-accept", "127.0.0.1:0", "-cert", str(cert), "-key", str(key), *map(str, options)],
                               clean_environment(folder, {}), folder, "peer")
        try:
            wait_until(lambda: self.port or not self.process.running, 20, "s_server's port")
            assert self.port, self.process.err
        except BaseException:
            self.process.kill()
            raise

    @property
    def port(self):
        for line in self.process.out.splitlines():
            if line.startswith("ACCEPT "):
                return int(line.rsplit(":", 1)[1])
        return None

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.kill()


def start(argv, env, folder, name):
    return Process([str(a) for a in argv], env, folder, name)


def ask_api(box, host, port, ca):
    """One sweep over the API leg."""
    return box.set(API_URL=f"https://{host}:{port}/v1/currentMatches", API_CA_FILE=ca, API_KEY=KEY,
                   KAFKA_BROKERS="embedded").run("produce", "--once", "--timeout", PATIENCE)


def ask_kafka(box, host, port, ca):
    """One look at the topic over the Kafka leg."""
    return box.set(KAFKA_BROKERS=f"{host}:{port}", KAFKA_SECURITY="sasl_tls", KAFKA_SASL_USERNAME="somebody",
                   KAFKA_SASL_PASSWORD=PASSWORD, KAFKA_CA_FILE=ca).run("consume", "--until-end", "--timeout", PATIENCE)


LEGS = {"api": ask_api, "kafka": ask_kafka}


def papers(authorities, name, how, folder):
    how = dict(how)
    authority = how.pop("authority", "ours")
    if authority is None:
        return self_signed(folder / "self")
    # A certificate's own name is no name of a host where there is none beside it: not "localhost" here.
    return authorities[authority].issue(name, **how)


@pytest.fixture(scope="module")
def outcomes(scorebox, authorities, tmp_path_factory):
    """What came of every case on every leg; several at once, as most of the time is waiting."""
    folder = tmp_path_factory.mktemp("matrix")
    cases = {**{name: (*case, HOST) for name, case in GOOD.items()},
             **{name: case[:3] for name, case in CASES.items()}}
    made = {(name, leg): papers(authorities, f"{name}-{leg}", case[0], folder / f"{name}-{leg}-papers")
            for name, case in cases.items() for leg in LEGS}
    places = {key: folder / str(number) for number, key in enumerate(made)}  # words of theirs stand in the lines

    def ask(key):
        name, leg = key
        here = places[key]
        here.mkdir()
        with Peer(here, *made[key], *cases[name][1]) as peer:
            box = Box(scorebox, here / "box", start, {})
            answer = LEGS[leg](box, cases[name][2], peer.port, authorities["ours"].ca)
            return key, Outcome(answer.code, answer.err + answer.out, peer.process.out)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(pool.map(ask, made))


def unseen(text):
    assert KEY not in text and PASSWORD not in text


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("name", GOOD)
def test_the_good_one_is_believed(name, leg, outcomes):
    """The control of all the others: the same way of asking ends in a finished handshake, and in bytes of ours."""
    code, text, heard = outcomes[name, leg]
    assert code == 69, text
    assert "CIPHER is" in heard, f"no handshake was finished:\n{text}"
    assert ("GET /v1" if leg == "api" else "scorebox") in heard
    assert "certificate of" not in text
    unseen(text)


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("name", CASES)
def test_the_others_are_not(name, leg, outcomes):
    _, _, host, words = CASES[name]
    if name == "address-for-name" and host == "127.0.0.1":
        pytest.skip("SKIPPED: no name here that means 127.0.0.1")
    code, text, heard = outcomes[name, leg]
    assert code == 69, text
    lines = [line for line in text.splitlines() if all(word in line for word in words)]
    assert lines, f"no line says {words}:\n{text}"
    assert host in lines[0], lines[0]
    assert len(lines) <= 2, f"said again and again:\n{text}"  # the event, and why the verb ended
    unseen(text)
    # Not a byte of ours was sent to it: neither the request nor the greeting that names us.
    assert "GET " not in heard and "scorebox" not in heard and "somebody" not in heard, heard
    unseen(heard)


def test_a_client_certificate_opens_the_door(authorities, make_box, tmp_path):
    """The control of no-client-certificate: with one of ours the same peer takes us, on both legs."""
    ours = authorities["ours"]
    mine, private = ours.issue("client", san=None, usage="clientAuth")
    for leg, ask in LEGS.items():
        cert, key = ours.issue(f"door-{leg}")
        box = make_box(name=leg, **({"API_CERT_FILE": mine, "API_CERT_KEY_FILE": private} if leg == "api" else
                                    {"KAFKA_CERT_FILE": mine, "KAFKA_KEY_FILE": private}))
        with Peer(box.folder, cert, key, "-Verify", "1", "-verify_return_error", "-CAfile", ours.ca) as peer:
            answer = ask(box, HOST, peer.port, ours.ca)
            assert "CIPHER is" in peer.process.out, f"{leg}: not let in:\n{answer.err}"
            assert ("GET /v1" if leg == "api" else "scorebox") in peer.process.out


def test_no_verification_without_roots(make_box, tmp_path):
    """A CA file that is empty, rubbish or not there is refused by name; there is no way around verification."""
    empty, rubbish = tmp_path / "empty.pem", tmp_path / "rubbish.pem"
    empty.write_text("")
    rubbish.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for ca in (empty, rubbish, tmp_path / "nothing-there.pem"):
        for settings in ({"API_CA_FILE": ca, "KAFKA_BROKERS": "localhost:1", "API_KEY": KEY},
                         {"KAFKA_CA_FILE": ca, "KAFKA_BROKERS": "localhost:1", "KAFKA_SECURITY": "tls", "API_KEY": KEY}):
            answer = make_box(**settings).run("produce", "--once", "--timeout", PATIENCE)
            assert answer.code == 78, answer.err
            name = "SCOREBOX_API_CA_FILE" if "API_CA_FILE" in settings else "SCOREBOX_KAFKA_CA_FILE"
            # What is not there is a setting's fault; what holds no certificate is the file's.
            assert any(" error " in line and (name in line or str(ca) in line)
                       for line in answer.err.splitlines()), answer.err

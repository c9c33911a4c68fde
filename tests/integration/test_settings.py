"""Settings as a user meets them: everything wrong at once and before anything is touched, secrets nowhere."""
import json
import os
import socket
import subprocess

import pytest

from conftest import wait_until

SECRET = "sEcReT-of-the-tests-0123456789"


@pytest.fixture
def listener():
    """A port that notices whether anybody knocks."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        s.setblocking(False)
        yield s


def knocked(listener):
    try:
        listener.accept()[0].close()
        return True
    except BlockingIOError:
        return False


def config_lines(result, level="error"):
    return [line for line in result.err.splitlines() if f"{level} config:" in line]


def test_all_that_is_wrong_at_once_and_no_network(make_box, listener):
    port = listener.getsockname()[1]
    box = make_box(API_URL=f"https://127.0.0.1:{port}/v1/currentMatches", API_KEY=SECRET,
                   KAFKA_BROKERS=f"127.0.0.1:{port}", POLL_MIN="abc", SPOOL_MAX="1", KAFKA_SECURITY="ssl",
                   BOOKS="none", API_CA_FILE="/nonexistent.pem", SOURCE="cricbuzz", POLL_MAX="1h")
    for verb in ("produce", "consume", "both", "check", "spool drain", "books", "spool ls"):
        got = box.run(verb)
        assert got.code == 78, (verb, got)
        for name in ("POLL_MIN", "SPOOL_MAX", "KAFKA_SECURITY", "BOOKS", "API_CA_FILE", "SOURCE"):
            lines = [line for line in config_lines(got) if f"SCOREBOX_{name}" in line]
            assert len(lines) == 1, (verb, name, got.err)
            assert lines[0].endswith("nothing was started; correct it and start again"), lines
        assert "SCOREBOX_POLL_MAX is no setting" in got.err
        assert SECRET not in got.out + got.err
    assert not box.state.exists(), "something was written"
    assert not knocked(listener), "the network was touched"


def test_what_each_verb_needs(make_box):
    box = make_box(OUTPUT_DIR=None)
    wanted = {"produce": ["API_KEY", "KAFKA_BROKERS"], "consume": ["KAFKA_BROKERS", "OUTPUT_DIR"],
              "both": ["API_KEY", "KAFKA_BROKERS", "OUTPUT_DIR"], "spool drain": ["KAFKA_BROKERS"],
              "books": ["OUTPUT_DIR"], "check": ["API_KEY", "KAFKA_BROKERS"]}
    for verb, names in wanted.items():
        got = box.run(verb)
        assert got.code == 78, (verb, got)
        lines = config_lines(got)
        assert len(lines) == len(names), (verb, lines)
        for name in names:
            assert any(f"SCOREBOX_{name} is not set" in line for line in lines), (verb, name, lines)


def test_no_settings_at_all_names_the_demo(scorebox, spawn, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("SCOREBOX")}
    process = spawn([scorebox], env, name="nothing")
    assert process.wait() == 78
    assert "scorebox demo" in process.err and "SCOREBOX_KAFKA_BROKERS" in process.err
    assert len(process.err.splitlines()) == 1


def test_wrong_usage(make_box):
    box = make_box()
    for arguments in (["nonsense"], ["produce", "--sweeps", "0"], ["produce", "--until-end"], ["spool"], ["check", "x"],
                      ["broker", "--partitions", "many"], ["--what"]):
        got = box.run(*arguments)
        assert got.code == 64, (arguments, got)
        assert len(got.err.splitlines()) == 1 and "usage" in got.err and not got.out, (arguments, got)


def test_help_and_version(make_box):
    box = make_box()
    got = box.run("version")
    assert got.code == 0 and got.out.startswith("scorebox ") and "librdkafka" in got.out and not got.err
    assert box.run("--version").out == got.out
    got = box.run("help")
    assert got.code == 0 and "SCOREBOX_API_KEY_FILE" in got.out and "spool drain" in got.out
    assert box.run("--help").out == got.out
    assert "--until-end" in box.run("help", "consume").out
    assert box.run("consume", "--help").out == box.run("help", "consume").out
    for verb in ("produce", "consume", "both", "check", "status", "demo", "serve", "broker", "spool", "books"):
        assert box.run("help", verb).code == 0, verb


def test_check_shows_everything_but_secrets(make_box):
    box = make_box(API_KEY=SECRET, KAFKA_BROKERS="k1:9092,k2", POLL_MIN="20s",
                   API_PROXY="http://me:hunter2hunter2@proxy:3128")
    got = box.run("check")
    assert got.code == 0, got.err
    assert f"*** ({len(SECRET)} characters)" in got.out
    assert SECRET not in got.out + got.err and "hunter2" not in got.out + got.err
    assert any(line.split()[:2] == ["SCOREBOX_POLL_MIN", "20s"] for line in got.out.splitlines())
    assert "20 to 50 sweeps a day" in got.out
    assert not box.state.exists(), "check wrote something"


def test_check_says_that_embedded_keeps_nothing(make_box):
    got = make_box(API_KEY=SECRET, KAFKA_BROKERS="embedded").run("check")
    assert got.code == 0 and "keeps nothing" in got.err


def test_an_env_file_as_editors_leave_it(make_box, tmp_path):
    key = tmp_path / "key"
    key.write_text(SECRET + "\r\n")
    key.chmod(0o644)
    env = tmp_path / "env"
    env.write_bytes(b"\xef\xbb\xbf# settings\r\nexport SCOREBOX_API_KEY_FILE = '%s' # here\r\n\r\n"
                    b"SCOREBOX_KAFKA_BROKERS=\"k1:9092\"\r\nSCOREBOX_MATCHES=$(id)\r\n" % str(key).encode())
    got = make_box(KAFKA_TOPIC="wins").run("--env-file", str(env), "check")
    assert got.code == 0, got.err
    assert f"*** ({len(SECRET)} characters)" in got.out and "$(id)" in got.out
    assert len(config_lines(got, "warn")) == 1 and "chmod 600" in got.err
    assert SECRET not in got.out + got.err
    env.write_text("SCOREBOX_KAFKA_BROKERS\nSCOREBOX_API_KEY=x\nSCOREBOX_API_KEY_FILE=y\n")
    got = make_box().run("check", "--env-file", str(env))
    assert got.code == 78
    assert "line 1: expected NAME=value" in got.err and "are both set" in got.err


def test_log_lines_as_json(make_box):
    got = make_box(LOG_FORMAT="json", POLL_MIN="no\x1b[31mway").run("produce")
    assert got.code == 78
    lines = [json.loads(line) for line in got.err.splitlines()]
    assert len(lines) == 3 and all(line["level"] == "error" and line["code"] == "config" for line in lines)


def test_check_online(serve, broker, make_box, data, tmp_path):
    page = data / "cricapi" / "currentMatches_2024-07-05_offset0.json"
    box = make_box(**serve(page).settings, KAFKA_BROKERS=broker(partitions=2), MODE="both")
    got = box.run("check", "--online")
    assert got.code == 0, got.out + got.err
    online = got.out[got.out.index("Online"):]
    for what in ("clock", "dns", "trust", "api", "kafka", "topic", "state", "output"):
        assert any(line.split()[:2] == ["ok", what] for line in online.splitlines()), online
    assert "25 rows in the first page" in online and "hits left" in online


@pytest.mark.parametrize("change, failed, code", [
    ({"KAFKA_TOPIC": "another"}, "topic", 69),
    ({"KAFKA_BROKERS": "127.0.0.1:1"}, "kafka", 69),
    ({"API_CA_FILE": None}, "tls", 69),
    ({"API_CA_FILE": "/dev/null"}, "tls", 78),
    ({"API_URL": "https://no-such-host.invalid/x"}, "dns", 69),
    ({"OUTPUT_DIR": "/nonexistent/place/for/books"}, "output", 74),
    ({"STATE_DIR": "/proc/scorebox"}, "state", 74),
])
def test_check_online_names_what_fails(change, failed, code, serve, broker, make_box, data):
    page = data / "cricapi" / "currentMatches_2024-07-05_offset0.json"
    box = make_box(**{**serve(page).settings, "KAFKA_BROKERS": broker(), "MODE": "both", **change})
    got = box.run("check", "--online")
    lines = [line.split()[1] for line in got.out.splitlines() if line.startswith("  FAILED")]
    assert lines == [failed], got.out + got.err
    assert got.code == code


@pytest.mark.parametrize("fault, words", [("401", "SCOREBOX_API_KEY"), ("html", "login"), ("redirect", "SCOREBOX_API_URL"),
                                          ("truncate", "network"), ("429", "used up")])
def test_check_online_explains_the_api(fault, words, serve, broker, make_box, data):
    api = serve("--fault", fault, data / "cricapi" / "currentMatches_2024-07-05_offset0.json")
    got = make_box(**api.settings, KAFKA_BROKERS=broker()).run("check", "--online")
    (line,) = [line for line in got.out.splitlines() if line.startswith("  FAILED")]
    assert got.code in (69, 78) and words in line, line
    assert api.settings["API_KEY"] not in got.out + got.err


@pytest.fixture
def as_installed(scorebox, tmp_path):
    """The program where a user scorebox is, as with the Debian package; seen by it alone."""
    wrapper, users = tmp_path / "as-installed", tmp_path / "passwd"
    with open("/etc/passwd") as f:
        users.write_text("".join(line for line in f if not line.startswith("scorebox:"))
                         + "scorebox:x:4711:4711::/nonexistent:/usr/sbin/nologin\n")
    wrapper.write_text(f"#!/bin/sh\nmount --bind '{users}' /etc/passwd || exit 99\nexec \"$@\"\n")
    wrapper.chmod(0o755)
    if subprocess.run(["unshare", "-m", wrapper, "true"], capture_output=True).returncode != 0:
        pytest.skip("SKIPPED: no right to mount")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nexec unshare -m '{wrapper}' '{scorebox}' \"$@\"\n")
    program.chmod(0o755)
    return program


def test_check_online_warns_of_what_it_only_read(as_installed, serve, broker, make_box, data):
    """Mode bits of another user are no proof, and a folder that the service's sandbox leaves out is worth a line."""
    page = data / "cricapi" / "currentMatches_2024-07-05_offset0.json"
    box = make_box(**serve(page).settings, KAFKA_BROKERS=broker(partitions=2), MODE="both")
    box.binary = as_installed
    box.output.chmod(0o755)
    got = box.run("check", "--online")
    assert got.code == 0 and "  FAILED" not in got.out, got.out + got.err
    storage, online = got.out.split("\nOnline\n")
    warned = [line for line in online.splitlines() if line.split()[:2] == ["warn", "output"]]
    assert len(warned) == 2 and "the user scorebox may not write there" in warned[0], online
    assert "the user scorebox may NOT write there" in storage
    assert f"ReadWritePaths={box.output}: systemctl edit" in warned[1], online
    assert warned[1].split("output ")[1].strip() in storage


def test_status_and_spool_before_anything_ran(make_box):
    box = make_box()
    got = box.run("status")
    assert got.code == 69 and "status.none" in got.err
    for verb in ("spool ls", "spool verify"):
        got = box.run(verb)
        assert got.code == 0 and "no spool" in got.out, got
    assert not box.state.exists()


def test_status_of_the_packages_services(make_box):
    """Each has a folder of its own below the usual one: a line for each."""
    box = make_box()
    for verb in ("produce", "consume"):
        (box.state / verb).mkdir(parents=True)
        (box.state / verb / "status.json").write_text('{"verb":"%s"}\n' % verb)
    got = box.run("status")
    assert got.code == 0 and [json.loads(line)["verb"] for line in got.out.splitlines()] == ["produce", "consume"]
    (box.state / "produce" / "status.json").unlink()
    assert json.loads(box.run("status").out)["verb"] == "consume"


def test_status_says_what_is_shown_where_one_is_unreadable(make_box):
    box = make_box()
    (box.state / "produce" / "status.json").mkdir(parents=True)
    (box.state / "consume").mkdir()
    (box.state / "consume" / "status.json").write_text('{"verb":"consume"}\n')
    got = box.run("status")
    assert got.code == 74 and json.loads(got.out)["verb"] == "consume"
    assert "produce/status.json" in got.err and "only the other service's status is shown" in got.err, got.err
    (box.state / "consume" / "status.json").unlink()
    got = box.run("status")
    assert got.code == 74 and not got.out
    assert "produce/status.json" in got.err and "nothing is shown" in got.err, got.err


def test_sighup_reads_the_env_file_again_and_survives_a_wrong_one(serve, broker, make_box, topic_records, data, tmp_path):
    """What is wrong is said, and the settings stay as they were; what is right counts at once."""
    env = tmp_path / "env"
    env.write_text("SCOREBOX_MATCHES=no-such-team\n")
    bootstrap = broker(partitions=1)
    api = serve(data / "cricapi" / "currentMatches_2024-07-05_offset0.json")
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap, POLL_INTERVAL="1h")
    running = box.start("produce", "--env-file", str(env))
    running.wait_for("spool.open")
    env.write_text("SCOREBOX_MATCHES=no-such-team\nSCOREBOX_POLL_MIN=abc\n")
    running.signal(1)
    running.wait_for('SCOREBOX_POLL_MIN="abc"')
    assert "the settings stay as they were" in running.err and running.running
    assert not topic_records(bootstrap)
    env.write_text("SCOREBOX_MATCHES=all\n")
    running.signal(1)
    wait_until(lambda: len(topic_records(bootstrap)) == 25, 20, "all rows after SIGHUP")
    assert running.stop() == 0, running.err


def test_the_manual_page_is_whole(make_box):
    got = make_box().run("help", "--man")
    assert got.code == 0 and got.out.startswith(".TH SCOREBOX 8")
    assert "SCOREBOX_BOOK_INTERVAL" in got.out and ".SH EXIT STATUS" in got.out


def test_the_completion_knows_every_verb(make_box):
    box = make_box()
    got = box.run("help", "--completion")
    assert got.code == 0 and got.out.endswith("complete -F _scorebox scorebox\n")
    for verb in ("produce", "spool drain", "help"):
        assert f"\t'{verb}') words=" in got.out

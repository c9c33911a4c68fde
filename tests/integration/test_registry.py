"""Values framed with the ids of a schema registry: exact bytes, a registry that is away, refuses or misbehaves,
and a consumer that reads framed and plain values alike."""
import base64
import glob
import json
import os
import signal
import struct
import threading

import pytest

from conftest import SLOW, TOPIC, wait_until
from papers import Authority
from schema_registry import SchemaRegistry
from test_pages import rows_of

SUBJECT = f"{TOPIC}-value"
LOGIN = ("KEY-of-the-tests-01", "s3cret+of/the=tests:42")


def unframe(value):
    """An independent reading of the wire format: (schema id, the value behind the frame)."""
    magic, schema = struct.unpack(">bI", value[:5])
    assert magic == 0
    return schema, value[5:]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("registry-papers"))


@pytest.fixture
def registry(authority):
    """registry(login=None, plain=False, papers=None) starts one that ends with the test."""
    running = []

    def start(login=None, plain=False, papers=None):
        papers = None if plain else papers or authority.issue(f"registry{len(running)}")
        running.append(SchemaRegistry(papers, login).start())
        running[-1].settings = {"SCHEMA_REGISTRY_URL": running[-1].url}
        if not plain:
            running[-1].settings["SCHEMA_REGISTRY_CA_FILE"] = authority.ca
        if login:
            running[-1].settings.update(SCHEMA_REGISTRY_KEY=login[0], SCHEMA_REGISTRY_SECRET=login[1])
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def page(data):
    return sorted(glob.glob(os.path.join(data, "cricapi", "currentMatches_*_offset0.json")))[0]


@pytest.fixture
def box(page, serve, broker, make_box):
    """A box with the replay API and an embedded broker behind it; box.bootstrap is that."""
    api = serve(page)
    bootstrap = broker(partitions=1)
    made = make_box(**api.settings, KAFKA_BROKERS=bootstrap, POLL_INTERVAL="200ms")
    made.bootstrap = bootstrap
    return made


def json_schemas():
    try:
        import jsonschema
    except ImportError:
        print("SKIPPED: no python3-jsonschema to hold values against the schema with")
        pytest.skip("no python3-jsonschema to hold values against the schema with")
    return jsonschema


def status(box):
    path = box.state / "status.json"
    return json.loads(path.read_text()) if path.exists() else {}


def lines(text, code):
    return [line for line in text.splitlines() if f" {code}: " in line]


def registry_lines(got):
    found = [line.split(None, 2) for line in got.out.splitlines()]
    return [parts for parts in found if parts[1:2] == ["registry"] and parts[0] in ("ok", "FAILED")]


def assert_no_secret(*texts):
    for secret in (LOGIN[1], base64.b64encode(":".join(LOGIN).encode()).decode()):
        assert all(secret not in text for text in texts), "a secret stands in the output"


# ---- what goes out ----

def test_framed_values_are_exact_and_their_schema_is_ours(page, box, registry, topic_records):
    jsonschema = json_schemas()
    server = registry(login=LOGIN)
    box.set(**server.settings)
    check = box.run("check", "--online", "--register-schema")
    assert [line[0] for line in registry_lines(check)] == ["ok", "ok"], check
    (known,) = server.subjects[SUBJECT]
    run = box.run("produce", "--once")
    assert run.code == 0, run.err
    records = topic_records(box.bootstrap)
    assert [(r.key.decode(), *unframe(r.value)) for r in records] == [(i, known, row) for i, row in rows_of(page)]
    assert all(r.headers["content-type"] == b"application/json" for r in records)
    method, path, headers, body = [q for q in server.requests if q[0] == "POST"][0]
    assert path == f"/subjects/{SUBJECT}/versions"
    assert headers["Content-Type"] == "application/vnd.schemaregistry.v1+json"
    assert json.loads(body)["schemaType"] == "JSON"
    # as a consumer would: the schema by its id, then every value against it
    reply, _, answer = server.reply("GET", f"/schemas/ids/{known}", {"Authorization": headers["Authorization"]}, b"")
    assert reply == 200
    schema = json.loads(json.loads(answer)["schema"])
    assert schema == json.loads(box.run("help", "--schema").out)
    for record in records:
        jsonschema.validate(json.loads(record.value[5:]), schema)
    assert_no_secret(check.out, check.err, run.out, run.err, json.dumps(status(box)))
    assert status(box)["schema"] == {"subject": SUBJECT, "id": known, "reason": ""}


def test_the_schema_holds_for_every_recorded_row_and_refuses_none(data, box):
    jsonschema = json_schemas()
    schema = json.loads(box.run("help", "--schema").out)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    rows = 0
    for path in sorted(glob.glob(os.path.join(data, "cricapi", "*atches_*.json"))):
        for _, row in rows_of(path):
            validator.validate(json.loads(row))
            rows += 1
    assert rows == 199
    match = json.loads(rows_of(path)[0][1])
    validator.validate({**match, "something": {"new": [1, None]}})
    assert not validator.is_valid({"name": "a match without an id"})
    # every member that the rows have is described
    described = set(schema["properties"])
    for path in glob.glob(os.path.join(data, "cricapi", "*atches_*.json")):
        for _, row in rows_of(path):
            assert set(json.loads(row)) <= described


def test_a_custom_source_registers_no_more_than_an_object(box, registry):
    server = registry()
    box.set(**server.settings, SOURCE="custom", API_RECORDS="/data", API_ID="/id")
    assert ["ok", "ok"] == [line[0] for line in registry_lines(box.run("check", "--online", "--register-schema"))]
    schema = json.loads(server.schemas[server.subjects[SUBJECT][0]]["schema"])
    assert schema["type"] == "object" and schema["additionalProperties"] is True and "properties" not in schema


def test_drain_frames_too(box, registry, topic_records):
    server = registry()
    known = server.add(SUBJECT)
    server.stop()
    box.set(**server.settings)
    run = box.run("produce", "--once", "--timeout", "2s")
    assert run.code == 69 and "25 rows stay in the spool" in run.err, run.err
    assert not topic_records(box.bootstrap)
    server.start()
    run = box.run("spool drain")
    assert run.code == 0, run.err
    assert {unframe(r.value)[0] for r in topic_records(box.bootstrap)} == {known}


# ---- a registry that is away ----

def test_away_at_the_first_start_rows_wait_and_polling_goes_on(box, registry, topic_records):
    server = registry()
    server.stop()
    box.set(**server.settings)
    running = box.start("produce")
    running.wait_for("registry.connect")
    polled = wait_until(lambda: status(box).get("poll", {}).get("last_complete_sweep"), 20, "a sweep")
    wait_until(lambda: status(box)["spool"]["rows"] == 25, 20, "the rows in the spool")
    wait_until(lambda: status(box)["poll"]["last_complete_sweep"] != polled, 20, "a further sweep")
    assert not topic_records(box.bootstrap)
    assert status(box)["schema"]["id"] is None and "localhost" in status(box)["schema"]["reason"]
    (line,) = lines(running.err, "registry.connect")
    assert " warn " in line and "rows wait in the spool until the schema's id is known; asked again in" in line
    known = server.add(SUBJECT)
    server.start()
    wait_until(lambda: len(topic_records(box.bootstrap)) == 25, 40, "the rows")
    assert {unframe(r.value)[0] for r in topic_records(box.bootstrap)} == {known}
    assert len(lines(running.err, "registry.connect")) == 1, running.err
    assert len(lines(running.err, "registry.schema")) == 1, running.err
    assert running.stop() == 0


def test_away_after_a_restart_nothing_stops(page, box, registry, topic_records):
    server = registry()
    known = server.add(SUBJECT)
    box.set(**server.settings, MATCHES="no-such-team")
    assert box.run("produce", "--once").code == 0
    running = box.start("produce")  # asks, and nothing is sent
    running.wait_for("registry.schema")
    assert running.stop() == 0
    server.stop()
    run = box.run("produce", "--once", MATCHES="all", timeout=30)
    assert run.code == 0, run.err
    assert {unframe(r.value)[0] for r in topic_records(box.bootstrap)} == {known}
    assert f"with schema id {known} as before" in run.err
    # another topic is another subject: its id is not known
    other = box.run("produce", "--once", "--timeout", "2s", KAFKA_TOPIC="other", MATCHES="all", PUBLISH="all")
    assert other.code == 69 and "rows wait in the spool" in other.err


def test_a_newer_schema_is_taken_at_start_and_on_sighup(box, registry, topic_records, tmp_path):
    server = registry()
    first = server.add(SUBJECT, '{"title":"1"}')
    env = tmp_path / "env"
    env.write_text("SCOREBOX_MATCHES=no-such-team\n")
    box.set(**server.settings, POLL_INTERVAL="1h")
    running = box.start("--env-file", str(env), "produce")
    running.wait_for(f"schema id {first}")
    second = server.add(SUBJECT, '{"title":"2"}')
    env.write_text("SCOREBOX_MATCHES=all\nSCOREBOX_PUBLISH=all\n")
    running.signal(signal.SIGHUP)
    running.wait_for(f"framed with schema id {second} from now on")
    wait_until(lambda: len(topic_records(box.bootstrap)) == 25, 20, "the rows")
    running.signal(signal.SIGHUP)
    wait_until(lambda: len(topic_records(box.bootstrap)) == 50, 20, "the rows again")
    assert running.stop() == 0
    assert {unframe(r.value)[0] for r in topic_records(box.bootstrap)[25:]} == {second}
    third = server.add(SUBJECT, '{"title":"3"}')
    # Rows do not wait for a registry that was heard before: where TLS is emulated its answer comes some sweeps later.
    sweeps = 1 if SLOW == 1 else 40
    run = box.run("produce", "--sweeps", str(sweeps), PUBLISH="all")
    assert run.code == 0 and f"before it was {second}" in run.err, run.err
    before = 50 + 25 * sweeps
    wait_until(lambda: len(topic_records(box.bootstrap)) == before, 20, "the rows once more")
    run = box.run("produce", "--once", PUBLISH="all")
    assert {unframe(r.value)[0] for r in topic_records(box.bootstrap)[before:]} == {third}


def test_a_wrong_login_is_told_and_read_again_on_sighup(box, registry, topic_records, tmp_path):
    server = registry(login=LOGIN)
    server.add(SUBJECT)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    box.set(**server.settings).set(SCHEMA_REGISTRY_SECRET=None, SCHEMA_REGISTRY_SECRET_FILE=secret)
    running = box.start("produce")
    running.wait_for("registry.auth")
    (line,) = lines(running.err, "registry.auth")
    assert " error " in line and "HTTP 401" in line and "SCOREBOX_SCHEMA_REGISTRY_KEY" in line
    assert not topic_records(box.bootstrap)
    secret.write_text(LOGIN[1])
    running.signal(signal.SIGHUP)
    wait_until(lambda: len(topic_records(box.bootstrap)) == 25, 10, "the rows")
    assert_no_secret(running.err, json.dumps(status(box)))
    assert running.stop() == 0


# ---- a registry that is wrong ----

def test_tls_that_cannot_be_believed(box, registry, authority, tmp_path_factory):
    papers = {"unknown CA": Authority(tmp_path_factory.mktemp("other")).issue("localhost"),
              "wrong host": authority.issue("elsewhere", san="DNS:elsewhere.example"),
              "expired": authority.issue("old", start="20200101000000Z", end="20200201000000Z")}
    for what, paper in papers.items():
        server = registry(papers=paper, login=LOGIN)
        server.add(SUBJECT)
        got = box.run("check", "--online", **server.settings)
        ((verdict, _, text),) = registry_lines(got)
        assert verdict == "FAILED" and got.code == 78, (what, got)
        assert not server.requests, f"{what}: it was asked, login and all"
        words = {"unknown CA": "unknown CA", "wrong host": "another host", "expired": "expired"}[what]
        assert words in text, (what, text)
        run = box.run("produce", "--once", "--timeout", "1s", **server.settings)
        assert run.code == 69 and len(lines(run.err, "registry.tls")) == 1, run.err


HTML = b"<html>please log in</html>"
ODD_ANSWERS = {
    "no subject": (None, "FAILED", "--register-schema"),
    "avro": (None, "FAILED", "AVRO"),
    "login page": ((200, {"Content-Type": "text/html"}, HTML), "FAILED", "login page"),
    "not found": ((404, {"Content-Type": "text/html"}, HTML), "FAILED", "SCOREBOX_SCHEMA_REGISTRY_URL"),
    "elsewhere": ((302, {"Location": "https://example.org/x?token=1"}, b""), "FAILED", "not followed"),
    "server error": (SchemaRegistry.error(500, 50001, "Error in the backend data store"), "FAILED", "HTTP 500"),
    "forbidden": (SchemaRegistry.error(403, 40301, "not allowed"), "FAILED", "HTTP 403"),
    "no id": ((200, {}, b'{"subject":"x"}'), "FAILED", "schema's id"),
    "id that is none": ((200, {}, b'{"id":"7","schemaType":"JSON"}'), "FAILED", "schema's id"),
    "id too large": ((200, {}, b'{"id":99999999999,"schemaType":"JSON"}'), "FAILED", "schema's id"),
    "nested id": ((200, {}, b'{"references":[{"id":7}],"schemaType":"JSON"}'), "FAILED", "schema's id"),
    "half an answer": ((200, {"Content-Length": "200"}, b'{"id":7'), "FAILED", "dropped"),
    "no JSON": ((200, {}, b'{"id":7,"schemaType":"JSON"'), "FAILED", "schema's id"),
    "endless": ((200, {}, b'{"schema":"' + b"x" * (5 << 20)), "FAILED", "larger than"),
    "big schema": ((200, {}, b'{"schema":"%s","schemaType":"JSON","id":7,"version":3}' % (b"x" * (3 << 20))),
                   "ok", "schema id 7, version 3"),
}


def test_odd_answers_are_told_plainly(box, registry):
    server = registry()
    box.set(**server.settings)
    for what, (answer, verdict, words) in ODD_ANSWERS.items():
        server.subjects.clear()
        if what == "avro":
            server.add(SUBJECT, '"string"', "AVRO")
        server.answer = (lambda method, path: answer) if answer else None
        got = box.run("check", "--online")
        ((said, _, text),) = registry_lines(got)
        assert (said, words in text) == (verdict, True), (what, text)
        assert (got.code == 0) == (verdict == "ok"), (what, got.code)
        assert "token=1" not in got.out


def test_a_registry_that_hangs_holds_nothing_up(box, registry, topic_records):
    server = registry()
    server.add(SUBJECT)
    go_on = threading.Event()
    server.answer = lambda method, path: go_on.wait(60) and (500, {}, b"")
    box.set(**server.settings)
    running = box.start("produce")
    wait_until(lambda: server.requests, 20, "the question")
    polls = {status(box)["poll"]["last_complete_sweep"]} if status(box) else set()
    for _ in range(2):
        wait_until(lambda: status(box).get("poll", {}).get("last_complete_sweep") not in {None, *polls}, 20, "a sweep")
        polls.add(status(box)["poll"]["last_complete_sweep"])
    assert status(box)["spool"]["rows"] == 25
    assert running.stop(5) == 0, running.err  # while the question is still out
    go_on.set()
    assert not topic_records(box.bootstrap)


def test_registration_and_what_can_be_said_against_it(box, registry):
    server = registry(login=LOGIN)
    box.set(**server.settings)
    first = box.run("check", "--online", "--register-schema")
    again = box.run("check", "--online", "--register-schema")
    assert len(server.schemas) == 1 and len(server.subjects[SUBJECT]) == 1
    assert registry_lines(first) == registry_lines(again), "the same schema again is not the same id"
    message = "Schema being registered is incompatible with an earlier schema for subject"
    for refusal, words in (((409, 409, message), "compatibility level"),
                           ((422, 42201, "Unknown schemaType JSON"), "Unknown schemaType JSON"),
                           ((403, 40301, "User is denied operation Write"), "HTTP 403"),
                           ((500, 50001, "Timeout"), "HTTP 500")):
        server.refuse = refusal
        got = box.run("check", "--online", "--register-schema")
        ((verdict, _, text),) = registry_lines(got)
        assert verdict == "FAILED" and words in text, (refusal, got.out)
        assert got.code != 0
        assert_no_secret(got.out, got.err)
    server.refuse = None
    other = server.add(SUBJECT, '{"title":"of somebody else"}')
    got = box.run("check", "--online", "--register-schema")
    assert f"schema id {other}" in got.out and "somebody else" in got.out
    missing = box.run("check", "--online", "--register-schema", SCHEMA_REGISTRY_URL=None, SCHEMA_REGISTRY_KEY=None,
                      SCHEMA_REGISTRY_SECRET=None, SCHEMA_REGISTRY_CA_FILE=None)
    assert "needs SCOREBOX_SCHEMA_REGISTRY_URL" in missing.out and missing.code == 78
    assert box.run("check", "--register-schema").code == 64


def test_settings_that_do_not_go_together(box):
    https, plain = "https://registry.example", "http://registry.example:8081"
    wrong = [({"URL": "ftp://x"}, "https://"), ({"URL": "https://u:p4ssword@x"}, "do not belong"),
             ({"URL": https, "KEY": "k"}, "go together"), ({"KEY": "k", "SECRET": "s3cret"}, "is not; set that"),
             ({"URL": plain, "KEY": "k", "SECRET": "s3cret"}, "in the clear"),
             ({"URL": https, "KEY": "a:b", "SECRET": "s3cret"}, "colon"), ({"URL": https + "?a=b"}, "'?'"),
             ({"URL": https, "CA_FILE": "/nonexistent.pem"}, "CA_FILE")]
    for settings, words in wrong:
        got = box.run("check", **{f"SCHEMA_REGISTRY_{name}": value for name, value in settings.items()})
        assert got.code == 78 and words in got.err, (settings, got.err)
        assert "p4ssword" not in got.out + got.err and "s3cret" not in got.out + got.err
    got = box.run("check", SCHEMA_REGISTRY_URL=plain)
    assert got.code == 0 and "network of your own" in got.err, got.err
    got = box.run("check", SCHEMA_REGISTRY_URL=https, SCHEMA_REGISTRY_KEY="k-01", SCHEMA_REGISTRY_SECRET="s3cret")
    assert got.code == 0 and "schema registry" in got.out and "s3cret" not in got.out


def test_plain_http_without_a_login(box, registry, topic_records):
    server = registry(plain=True)
    known = server.add(SUBJECT)
    run = box.run("produce", "--once", **server.settings)
    assert run.code == 0, run.err
    assert {unframe(r.value)[0] for r in topic_records(box.bootstrap)} == {known}


# ---- what is read ----

def sheets_of(open_book, box):
    return {name: open_book(box.output / name) for name in box.books()}


def columns(sheet, *names):
    head = sheet[0]
    return [[row[head.index(name)] for name in names] for row in sheet[1:]]


def test_framed_plain_and_mixed_give_the_same_workbooks(box, registry, broker, make_box, topic_records, open_book):
    """The same states three times over: plain, framed, and each of them both ways in one topic."""
    kafka = pytest.importorskip("confluent_kafka", reason="no python3-confluent-kafka")
    server = registry()
    known = server.add(SUBJECT)
    assert box.run("produce", "--once", **server.settings).code == 0
    records = topic_records(box.bootstrap)
    topics = {"framed": box.bootstrap}
    for what in ("plain", "mixed"):
        topics[what] = broker(partitions=1)
        writer = kafka.Producer({"bootstrap.servers": topics[what]})
        for n, r in enumerate(records):
            values = {"plain": [unframe(r.value)[1]],
                      "mixed": [r.value, unframe(r.value)[1]][::1 if n % 2 else -1]}[what]
            for value in values:
                writer.produce(TOPIC, key=r.key, value=value, headers=list(r.headers.items()), timestamp=r.time_ms)
        assert writer.flush(10) == 0
    books, boxes = {}, {}
    for what, bootstrap in topics.items():
        boxes[what] = make_box(f"reads-{what}", KAFKA_BROKERS=bootstrap, BOOKS="all")
        run = boxes[what].run("consume", "--until-end")
        assert run.code == 0, run.err
        books[what] = sheets_of(open_book, boxes[what])
        assert status(boxes[what])["journal"]["errors"] == 0
    assert len(books["plain"]) == 25
    assert status(boxes["mixed"])["journal"]["duplicates"] == 25
    for name, plain in books["plain"].items():
        framed, mixed = books["framed"][name], books["mixed"][name]
        assert plain == framed, f"{name}: framed values give another workbook"
        for sheet in set(plain) - {"Match", "Records"}:
            assert plain[sheet] == mixed[sheet], f"{name}: {sheet} of the mixed topic"
        assert len(mixed["Records"]) == len(plain["Records"]) + 1
        fields = [c for c in plain["Records"][0] if c not in ("Partition", "Offset", "Kafka time", "Duplicate")]
        assert columns(mixed["Records"], *fields)[0] == columns(plain["Records"], *fields)[0]
        assert columns(mixed["Records"], *fields)[1] == columns(plain["Records"], *fields)[0]
    assert known == unframe(records[0].value)[0]


def test_a_restarted_consumer_knows_a_framed_record_again(box, registry, make_box):
    server = registry()
    server.add(SUBJECT)
    assert box.run("produce", "--once", **server.settings).code == 0
    reader = make_box("reader", KAFKA_BROKERS=box.bootstrap)
    for _ in range(2):
        run = reader.run("consume", "--until-end")
        assert run.code == 0, run.err
        assert "kafka.generation" not in run.err
        assert status(reader)["journal"]["records"] == 25
    assert box.run("produce", "--once", PUBLISH="all").code == 0  # plain, behind the framed ones
    run = reader.run("consume", "--until-end")
    assert run.code == 0 and "kafka.generation" not in run.err, run.err
    assert status(reader)["journal"]["records"] == 50 and status(reader)["journal"]["duplicates"] == 0


def test_framed_rubbish_ends_in_errors(box, make_box, open_book):
    kafka = pytest.importorskip("confluent_kafka", reason="no python3-confluent-kafka")
    frame = struct.pack(">bI", 0, 7)
    hostile = [b"\0", b"\0\0\0\0", frame, frame + b"\x02\x04avro", frame + b"[1]", frame + frame + b'{"id":"k"}',
               b"\0" * 300, frame + b'{"a":01}', b"\1" + frame[1:] + b"{}", frame + b"\xff" * 5000]
    writer = kafka.Producer({"bootstrap.servers": box.bootstrap})
    for value in hostile:
        writer.produce(TOPIC, key=b"k", value=value)
    writer.produce(TOPIC, key=b"k", value=frame + b'{"id":"k","name":"A vs B, Final","teams":["A","B"],"matchStarted":true}')
    assert writer.flush(10) == 0
    reader = make_box("reader", KAFKA_BROKERS=box.bootstrap, BOOKS="all")
    run = reader.run("consume", "--until-end")
    assert run.code == 0, run.err
    errors = [row for row in open_book(reader.output / "Matches.xlsx")["Errors"] if isinstance(row[1], (int, float))]
    assert [row[1] for row in errors] == list(range(len(hostile)))
    reasons = [row[3] for row in errors]
    assert "no value behind it" in reasons[2]
    assert all("behind the frame of schema id 7: " in reasons[i] for i in (3, 5, 7, 9)), reasons
    assert "no object" in reasons[4] and "schema id 0" in reasons[6]
    (name,) = reader.books()
    assert len(open_book(reader.output / name)["Records"]) == 2


def test_kill_and_a_registry_that_comes_and_goes_lose_nothing(box, registry, topic_records):
    """kill -9 between waiting and knowing: every row is framed once it goes out, none is lost."""
    server = registry()
    server.add(SUBJECT)
    box.set(**server.settings, PUBLISH="all")
    for n in range(4):
        if n % 2:
            server.start()
        else:
            server.stop()
        running = box.start("produce")
        running.wait_for("poll.changed")
        running.popen.kill()
        running.wait()
    server.start()
    run = box.run("produce", "--once")
    assert run.code == 0, run.err
    records = topic_records(box.bootstrap)
    seen = {(r.headers["scorebox-run"], int(r.headers["scorebox-seq"])) for r in records}
    for start in {run for run, _ in seen}:
        numbers = sorted(seq for run, seq in seen if run == start)
        assert numbers == list(range(1, len(numbers) + 1)), "a state is missing"
    assert len({run for run, _ in seen}) == 5
    assert all(unframe(r.value)[0] == server.subjects[SUBJECT][0] for r in records)

"""The recipes of README.md against a real cluster, with the addresses and papers of this one: the call that each
names makes topic and schema, prints what the README shows, and the board then works."""
import glob
import os
import uuid

import pytest

import real_kafka
from recipes import recipes
from schema_registry import SchemaRegistry

KINDS = {"confluent": "sasl_tls", "redpanda": "sasl_tls", "own": "mtls"}
LOGIN = ("recipe-key-01", "recipe-secret-of-the-tests")


@pytest.fixture
def registry(kafka_cluster):
    papers = kafka_cluster.papers
    server = SchemaRegistry((papers.folder / "server.pem", papers.folder / "server.key"), LOGIN).start()
    yield server
    server.stop()


@pytest.fixture
def topic(kafka_cluster):
    """A name of the test's own; the recipe makes it."""
    name = f"recipe-{uuid.uuid4().hex[:12]}"
    yield name
    if name in kafka_cluster.admin().list_topics(timeout=20).topics:
        kafka_cluster.delete_topic(name)


def write(recipe, folder, kafka, registry):
    """The recipe with this cluster's addresses, names and files in place of its own."""
    files = {"kafka.secret": real_kafka.PASSWORD, "registry.secret": LOGIN[1], "api.key": "key-of-the-tests"}
    for name, content in files.items():
        (folder / name).write_text(content)
    places = {"SCOREBOX_OUTPUT_DIR": folder, "SCOREBOX_SCHEMA_REGISTRY_URL": registry.url,
              "SCOREBOX_SCHEMA_REGISTRY_KEY": LOGIN[0], "SCOREBOX_SCHEMA_REGISTRY_SECRET_FILE": folder / "registry.secret"}
    for name, value in kafka.items():
        places[f"SCOREBOX_{name}"] = value
    text = "".join(f"{name}={places.get(name, value)}\n" for name, value in recipe.settings.items())
    path = folder / f"{recipe.name}.env"
    path.write_text(text.replace("/etc/scorebox/", f"{folder}/"))
    return path


@pytest.mark.parametrize("recipe", recipes(), ids=lambda r: r.name)
def test_the_call_prints_what_the_readme_shows_and_the_board_works(recipe, data, serve, make_box, kafka_cluster,
                                                                   registry, topic, topic_records, tmp_path):
    kind = KINDS[recipe.name]
    kafka = kafka_cluster.settings(kind)
    folder = tmp_path / "etc"
    folder.mkdir()
    env = write(recipe, folder, kafka, registry)
    page = sorted(glob.glob(os.path.join(data, "cricapi", "currentMatches_*_offset0.json")))[0]
    # what no recipe can know: the replay API, and that neither it nor this cluster is of a public authority
    box = make_box(**serve(page).settings, KAFKA_TOPIC=topic, KAFKA_CA_FILE=kafka["KAFKA_CA_FILE"])
    box.set(API_KEY=None, OUTPUT_DIR=None)  # those of the recipe
    got = box.run("--env-file", str(env), *recipe.call[3:], timeout=120)
    assert got.code == 0, got.out + got.err
    shown = got.out[got.out.index("\nOnline\n"):].splitlines()
    printed = [line.split()[1] for line in shown if line.split()[:1] in (["ok"], ["warn"])]
    wanted = [name for name in recipes()[0].names() if name != "registry" or "--register-schema" in recipe.call]
    assert printed == wanted, got.out
    assert recipe.names() == wanted[:len(recipe.names())], "the README shows other lines"
    run = box.run("--env-file", str(env), "produce", "--once")
    assert run.code == 0, run.err
    records = topic_records(kafka_cluster.client(kind), topic)
    assert len(records) == 25
    framed = "SCOREBOX_SCHEMA_REGISTRY_URL" in recipe.settings
    assert all((r.value[:1] == b"\0") == framed for r in records)
    for secret in (real_kafka.PASSWORD, LOGIN[1]):
        assert secret not in got.out + got.err + run.out + run.err

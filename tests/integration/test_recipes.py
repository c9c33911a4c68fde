"""Every recipe of README.md is taken as it stands: `check` finds nothing wrong in it, each of its variables counts,
and its secrets are not shown."""
import pytest

from papers import Authority
from recipes import recipes

SECRETS = {"kafka.secret": "k4fka-secret-of-the-tests", "registry.secret": "r3gistry-secret-of-the-tests",
           "api.key": "api-key-of-the-tests"}


def test_there_is_one_for_each_kind_of_cluster():
    assert [r.name for r in recipes()] == ["confluent", "redpanda", "own"]
    for recipe in recipes():
        assert recipe.call[:3] == ["scorebox", "--env-file", recipe.path]
        assert recipe.call[3:5] == ["check", "--online"]


@pytest.fixture
def etc(tmp_path):
    """What /etc/scorebox is in a recipe: secrets, and papers that belong together."""
    folder = tmp_path / "etc"
    authority = Authority(folder)
    cert, key = authority.issue("hut-1", usage="clientAuth")
    for name, content in {**SECRETS, "kafka-ca.pem": authority.ca.read_text(), "kafka.pem": cert.read_text(),
                          "kafka.key": key.read_text()}.items():
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    return folder


def write(recipe, etc, **changes):
    text = "".join(f"{name}={changes.get(name, value)}\n" for name, value in recipe.settings.items())
    path = etc / f"{recipe.name}.env"
    path.write_text(text.replace("/etc/scorebox/", f"{etc}/").replace("/media/scores", str(etc)))
    return path


@pytest.mark.parametrize("recipe", recipes(), ids=lambda r: r.name)
def test_a_recipe_is_right_as_it_stands(make_box, etc, recipe):
    box = make_box(OUTPUT_DIR=None, OUTPUT_MOUNT=None, OUTPUT_MIN_FREE=None, CLOCK_WAIT=None)
    got = box.run("--env-file", str(write(recipe, etc)), "check")
    assert got.code == 0, got.err
    assert "is no setting" not in got.err and " config:" not in got.err, got.err
    for name in recipe.settings:
        shown = name.removesuffix("_FILE") if name.endswith(("KEY_FILE", "PASSWORD_FILE", "SECRET_FILE")) and \
            f"  {name} " not in got.out else name
        (line,) = [line for line in got.out.splitlines() if line.split()[:1] == [shown]]
        assert "env file" in line, f"{name} does not count: {line}"
    for secret in SECRETS.values():
        assert secret not in got.out + got.err


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram_works_or_names_the_build_that_has_it(make_box, etc, mechanism):
    (recipe,) = [r for r in recipes() if r.name == "redpanda"]
    env = write(recipe, etc, SCOREBOX_KAFKA_SASL_MECHANISM=mechanism)
    box = make_box(OUTPUT_DIR=None, OUTPUT_MOUNT=None, OUTPUT_MIN_FREE=None, CLOCK_WAIT=None)
    got = box.run("--env-file", str(env), "check")
    if "openssl" in box.run("version").out.lower():
        assert got.code == 0, got.err
    else:
        (line,) = [line for line in got.err.splitlines() if " error " in line]
        assert got.code == 78 and mechanism in line and "OpenSSL build" in line, got.err

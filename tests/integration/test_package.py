"""The Debian package of this build: what is in it, and that it says the same as the program. What needs clean
roots and an installation is in tests/package."""
import configparser
import os
import pathlib
import re
import shutil
import subprocess

import pytest

UNITS = ("scorebox-produce.service", "scorebox-consume.service")
BASH = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_scorebox
printf '%s\\n' "${COMPREPLY[@]}"
"""


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            print(f"SKIPPED: no {tool}")
            pytest.skip(f"no {tool}")


def run(*argv, code=0, **more):
    got = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    assert code is None or got.returncode == code, f"{argv} answered {got.returncode}:\n{got.stdout}{got.stderr}"
    return got


@pytest.fixture(scope="module")
def build(scorebox):
    folder = pathlib.Path(scorebox).resolve().parent
    if not (folder / "CPackConfig.cmake").exists():
        print("SKIPPED: this build makes no package")
        pytest.skip("this build makes no package")
    need("cmake", "cpack", "dpkg-deb")
    return folder


def packed(build, folder):
    """The package of what is built, as the target `deb` packs it; nothing is built anew, as other tests use it."""
    run("sh", "-c", 'umask 022 && exec cpack "$@"', "sh", "--config", build / "CPackConfig.cmake", "-B", folder, cwd=folder)
    (made,) = folder.glob("*.deb")
    return made


@pytest.fixture(scope="module")
def deb(build, tmp_path_factory):
    return packed(build, tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def tree(deb, tmp_path_factory):
    """The package unpacked; its control files in DEBIAN."""
    folder = tmp_path_factory.mktemp("tree") / "tree"
    run("dpkg-deb", "-R", deb, folder)
    return folder


def unit(tree, name):
    """[Section][Key]: all values of the key, joined by blanks."""
    class Joining(dict):
        def __setitem__(self, key, value):
            if key in self and isinstance(value, list):
                value = self[key] + value
            super().__setitem__(key, value)

    parser = configparser.RawConfigParser(strict=False, dict_type=Joining, delimiters="=", comment_prefixes="#")
    parser.optionxform = str
    parser.read_string((tree / "usr/lib/systemd/system" / name).read_text())
    return {section: {k: v.replace("\n", " ") for k, v in parser.items(section)} for section in parser.sections()}


def settings_of(scorebox):
    """Name and default of every setting, as the README's table has them."""
    table = run(scorebox, "help", "--markdown").stdout
    rows = [line.strip("| ").split(" | ", 2) for line in table.splitlines() if line.startswith("| `")]
    return {name.strip("`"): default.replace("\\", "") for name, default, _ in rows}


def test_what_is_in_it(deb):
    modes = {}
    for line in run("dpkg-deb", "-c", deb).stdout.splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        assert owner == "root/root", line
        modes[path.lstrip(".")] = mode
    expected = {
        "/usr/bin/scorebox": "-rwxr-xr-x",
        "/etc/default/scorebox": "-rw-r-----",
        "/etc/scorebox/": "drwxr-x---",
        "/usr/lib/sysusers.d/scorebox.conf": "-rw-r--r--",
        **{f"/usr/lib/systemd/system/{name}": "-rw-r--r--" for name in UNITS},
        "/usr/share/man/man8/scorebox.8.gz": "-rw-r--r--",
        "/usr/share/bash-completion/completions/scorebox": "-rw-r--r--",
        "/usr/share/lintian/overrides/scorebox": "-rw-r--r--",
        **{f"/usr/share/doc/scorebox/{name}": "-rw-r--r--" for name in (
            "copyright", "changelog.gz", "CHANGELOG.md.gz", "README.md.gz", "scorebox.spdx.json")},
    }
    found = {path: mode for path, mode in modes.items() if mode[0] != "d" or path == "/etc/scorebox/"}
    assert found == expected
    assert {mode for path, mode in modes.items() if mode[0] == "d" and path != "/etc/scorebox/"} == {"drwxr-xr-x"}


def test_what_it_asks_for(deb, tree, scorebox):
    field = lambda name: run("dpkg-deb", "-f", deb, name).stdout.strip()  # noqa: E731
    assert field("Depends") == "passwd"  # which every root has
    assert deb.name == f"scorebox_{field('Version')}_{field('Architecture')}.deb"
    assert field("Version") == run(scorebox, "version").stdout.split()[1]
    assert (tree / "DEBIAN/conffiles").read_text() == "/etc/default/scorebox\n"
    for script in ("postinst", "prerm", "postrm"):
        assert os.access(tree / "DEBIAN" / script, os.X_OK)
        run("sh", "-n", tree / "DEBIAN" / script)


def test_what_is_built_is_packed_to_the_same_bytes(build, deb, tmp_path):
    """In another folder, at another time. Two builds are compared by tests/package/twice."""
    other = packed(build, tmp_path)
    assert other.read_bytes() == deb.read_bytes()


def test_the_settings_file_has_every_setting_commented_with_its_default(tree, scorebox):
    text = (tree / "etc/default/scorebox").read_text()
    assert [line for line in text.splitlines() if line and line[0] != "#"] == []
    lines = dict(re.findall(r"^#(SCOREBOX_\w+)=(.*)$", text, re.M))
    names = {name.removesuffix("_FILE") if name.removesuffix("_FILE") in settings_of(scorebox) else name: default
             for name, default in lines.items()}
    assert list(names) == list(settings_of(scorebox))
    for name, default in settings_of(scorebox).items():
        assert names[name] == default or f"# Default: {'none' if default == '–' else default}\n" in text, name


def test_check_reads_the_settings_file(tree, make_box, tmp_path):
    box = make_box(STATE_DIR=None, OUTPUT_DIR=None, OUTPUT_MOUNT=None, OUTPUT_MIN_FREE=None, CLOCK_WAIT=None)
    got = box.run("--env-file", str(tree / "etc/default/scorebox"), "check")
    assert got.code == 78 and len(got.err.splitlines()) == 2, got.err
    assert "SCOREBOX_API_KEY is not set" in got.err and "SCOREBOX_KAFKA_BROKERS is not set" in got.err
    # Every default written out means the same.
    plain = tmp_path / "plain"
    plain.write_text((tree / "etc/default/scorebox").read_text().replace("#SCOREBOX_", "SCOREBOX_"))
    assert box.run("--env-file", str(plain), "check").err.splitlines()[0][30:] == got.err.splitlines()[0][30:]
    with open(plain, "a") as f:
        f.write("SCOREBOX_API_KEY=x\nSCOREBOX_KAFKA_BROKERS=k:9092\nSCOREBOX_OUTPUT_DIR=/media/scores\n")
    got = box.run("--env-file", str(plain), "check")
    assert got.code == 0, got.err
    assert re.search(r"/media/scores vfat uid=\w+,gid=\w+,\S*flush\S*,nofail", got.out), got.out


@pytest.mark.parametrize("name", UNITS)
def test_units(name, tree):
    got = unit(tree, name)
    service = got["Service"]
    verb = name.removeprefix("scorebox-").removesuffix(".service")
    assert service["ExecStart"] == f"/usr/bin/scorebox --env-file /etc/default/scorebox {verb}"
    assert service["Type"] == "notify" and service["User"] == "scorebox"
    assert (service["MemoryHigh"], service["MemoryMax"]) == ("48M", "56M")
    assert (service["WatchdogSec"], service["TimeoutStopSec"]) == ("120", "20")
    assert service["StateDirectory"] == f"scorebox/{verb}" and service["ReadWritePaths"] == "-/media -/mnt -/srv"
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "78")
    assert "time-sync.target" in got["Unit"]["After"]
    # A stick that is not there must neither hold up the boot nor stop the service.
    assert not {"Requires", "RequiresMountsFor", "BindsTo", "Requisite"} & set(got["Unit"])


@pytest.mark.parametrize("name", UNITS)
def test_units_as_systemd_sees_them(name, tree, scorebox, tmp_path):
    need("systemd-analyze")
    path = tmp_path / name
    path.write_text((tree / "usr/lib/systemd/system" / name).read_text().replace("/usr/bin/scorebox", scorebox))
    got = run("systemd-analyze", "verify", "--man=no", path, code=None)
    assert got.returncode == 0 and name not in got.stderr, got.stderr
    got = run("systemd-analyze", "security", "--offline=true", "--no-pager", path, code=None)
    if "exposure level" not in got.stdout:
        print("SKIPPED: this systemd-analyze does not judge units that are not loaded")
        pytest.skip("no systemd-analyze security --offline")
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", got.stdout)[1]) <= 1.5, got.stdout


def test_the_manual_page(tree):
    need("man", "groff")
    got = run("man", "--warnings", "-E", "UTF-8", "-l", tree / "usr/share/man/man8/scorebox.8.gz",
              env={**os.environ, "MANWIDTH": "90", "LC_ALL": "C.UTF-8"})
    assert not got.stderr, got.stderr
    for words in ("SCOREBOX(8)", "spool drain", "SCOREBOX_BOOK_INTERVAL", "/etc/default/scorebox", "LoadCredential="):
        assert words in got.stdout, words


def test_completion(tree, scorebox, tmp_path):
    need("bash")
    (tmp_path / "settings").write_text("")
    script = tree / "usr/share/bash-completion/completions/scorebox"

    def complete(*words):
        got = run("bash", "-c", BASH, "bash", script, "scorebox", *words, cwd=tmp_path)
        assert not got.stderr, got.stderr
        return set(got.stdout.split())

    verbs = {line.split()[0] for line in run(scorebox, "help").stdout.split("\nVerbs\n")[1].split("\n\n")[0].splitlines()
             if re.match(r"  \w", line)}
    assert complete("") == verbs | {"--env-file", "--help", "--version"}
    assert complete("spool", "") == {"ls", "verify", "drain"}
    assert complete("--env-file", "set") == {"settings"}
    assert complete("--env-file", "settings", "con") == {"consume"}
    assert complete("--env-file", "=", "settings", "consume", "--unt") == {"--until-end"}
    assert complete("produce", "--sweeps", "") == set()
    assert complete("serve", "--ca-out", "set") == {"settings"} == complete("serve", "set")
    assert "drain" not in complete("help", "") and verbs <= complete("help", "")
    assert "settings" in complete("board", "") and complete("board", "settings", "--s") == {"--seal"}
    for verb in verbs - {"spool", "board", "demo"}:
        taken = set(re.findall(r"--[a-z-]+", run(scorebox, "help", verb).stdout.split("\n")[0]))
        assert taken <= complete(verb, "--"), verb


def test_lintian(deb):
    need("lintian")
    got = run("lintian", "--allow-root", "--fail-on", "error", deb, code=None)
    assert got.returncode == 0, got.stdout + got.stderr
    assert "warning" not in got.stderr or "root" in got.stderr


def test_scripts(tree):
    need("shellcheck")
    run("shellcheck", "-x", *(tree / "DEBIAN" / name for name in ("postinst", "prerm", "postrm")))

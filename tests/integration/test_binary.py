"""What ships, as a file: static, position independent, hardened, free of the folder it was built in, and small."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

MIB = 1 << 20
# The build with OpenSSL is larger.
MOST_BYTES = 4 * MIB


@pytest.fixture(scope="module")
def told(scorebox):
    """readelf's words on the program: headers, segments, dynamic section."""
    if not shutil.which("readelf"):
        pytest.skip("SKIPPED: no readelf (binutils)")
    text = subprocess.run(["readelf", "-hldW", scorebox], capture_output=True, text=True, check=True).stdout
    if os.environ.get("SCOREBOX_STATIC") == "0":
        pytest.skip("SKIPPED: this build is not the static one that ships")
    assert "INTERP" not in text
    return text


def segments(told):
    """type → flags of each segment"""
    return [(kind, flags.replace(" ", "")) for kind, flags in
            re.findall(r"^  ([A-Z_]+) +0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3}) 0x", told, re.M)]


def test_it_is_static_and_runs_at_any_address(told):
    assert re.search(r"Type: +DYN \(Position-Independent Executable", told)
    assert "(NEEDED)" not in told and "TEXTREL" not in told


def test_nothing_is_both_written_and_run(told):
    found = segments(told)
    assert len([kind for kind, _ in found if kind == "LOAD"]) >= 2
    assert [flags for kind, flags in found if kind == "GNU_STACK"] == ["RW"]
    assert "GNU_RELRO" in dict(found) and "NOW" in told
    assert not [s for s in found if "W" in s[1] and "E" in s[1]]


def test_it_does_not_tell_where_it_was_built(told, scorebox):
    top = os.environ.get("SCOREBOX_TOP", str(pathlib.Path(__file__).resolve().parents[2])).encode()
    found = re.findall(rb"[ -~]*" + re.escape(top) + rb"[ -~]*", pathlib.Path(scorebox).read_bytes())
    assert not found


def test_it_is_small(told, scorebox):
    machine = re.search(r"Machine: +(.*)", told).group(1)
    bytes_ = os.path.getsize(scorebox)
    print(f"{machine}: {bytes_} bytes")
    libraries = subprocess.run([scorebox, "version"], capture_output=True, text=True, check=True).stdout
    if "Kafka by OpenSSL" not in libraries:
        assert bytes_ <= MOST_BYTES

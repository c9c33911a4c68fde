"""The Java archives of Apache Kafka, as pom.xml pins them: fetched once with Maven into build/broker of the project,
for all presets, by one process at a time."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
POM = HERE / "pom.xml"
PLACE = HERE.parents[1] / "build" / "broker"
JAVA_LEAST = 17
FETCH_SECONDS = 900
ASK_AGAIN_SECONDS = 1800    # a fetch that failed is not tried by every test file anew


class Unavailable(Exception):
    """Kafka cannot be had here: the reason, in one line."""


def say(line):
    print(line, file=sys.__stderr__, flush=True)


@contextlib.contextmanager
def locked():
    PLACE.mkdir(parents=True, exist_ok=True)
    with open(PLACE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def version():
    return re.search(r"<kafka.version>(.*?)</kafka.version>", POM.read_text()).group(1)


def java():
    """Path of a Java that is new enough."""
    home = os.environ.get("JAVA_HOME")
    found = home and shutil.which("java", path=f"{home}/bin") or shutil.which("java")
    if not found:
        raise Unavailable(f"no java (of {JAVA_LEAST} or newer)")
    told = subprocess.run([found, "-version"], capture_output=True, text=True).stderr
    number = re.search(r'version "(\d+)', told)
    if not number or int(number.group(1)) < JAVA_LEAST:
        first = told.splitlines()[0] if told else "nothing"
        raise Unavailable(f"{found} is too old or none: it says {first!r}, and {JAVA_LEAST} is wanted")
    return found


def folder():
    """Where the archives of this pom.xml go."""
    return PLACE / f"kafka-{version()}-{hashlib.sha256(POM.read_bytes()).hexdigest()[:8]}"


def fetch(target):
    maven = shutil.which("mvn")
    if not maven:
        raise Unavailable(f"Apache Kafka {version()} is not in {target} and there is no mvn to fetch it with")
    say(f"Fetching Apache Kafka {version()} with Maven, about 50 MB, once: {target}")
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    log = PLACE / "maven.log"
    with open(log, "wb") as out:
        try:
            done = subprocess.run([maven, "-B", "-f", POM, "dependency:copy-dependencies", "-DincludeScope=runtime",
                                   f"-DoutputDirectory={part}"], cwd=PLACE, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT, timeout=FETCH_SECONDS).returncode
        except subprocess.TimeoutExpired:
            done = f"not done after {FETCH_SECONDS} s"
    if done != 0 or not list(part.glob("kafka_*.jar")):
        raise Unavailable(f"Maven could not fetch Apache Kafka {version()} ({done}); its log: {log}")
    part.rename(target)


def archives(ask_again=False):
    """The folder of the archives, fetched where it is missing. Raises Unavailable with the reason."""
    java()
    target, failed = folder(), folder().with_suffix(".failed")
    if target.is_dir():
        return target
    with locked():
        if target.is_dir():
            return target
        if not ask_again and failed.exists() and time.time() - failed.stat().st_mtime < ASK_AGAIN_SECONDS:
            raise Unavailable(failed.read_text())
        try:
            fetch(target)
        except Unavailable as why:
            failed.write_text(str(why))
            raise
        failed.unlink(missing_ok=True)
        return target

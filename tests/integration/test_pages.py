"""Each recorded page, served by `serve` and swept by `produce --once`, arrives in Kafka as one record a row:
key = id, value byte for byte the row's bytes in the file, headers as the topic contract says; the echoed key
nowhere; a second sweep sends nothing."""
import glob
import json
import os
import re

import pytest

from scripted import scripted  # noqa: F401 (a fixture)

KEY = "5ecret-key-0123456789"


def rows_of(path):
    """(id, bytes) of each element of `data`, cut from the file's own bytes by a scanner of this test's own."""
    with open(path, "rb") as f:
        text = f.read().decode("utf-8")
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"data"')) + 1
    rows = []
    while True:
        while text[at] in " \t\r\n,":
            at += 1
        if text[at] == "]":
            return rows
        value, end = decoder.raw_decode(text, at)
        rows.append((value["id"], text[at:end].encode()))
        at = end


def pages(data):
    found = sorted(glob.glob(os.path.join(data, "cricapi", "*atches_*.json")))
    assert found, "the recorded pages are not where SOURCES.md says"
    return found


def artefacts(*folders):
    """Every byte that the run left behind."""
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(root, name), "rb") as f:
                    yield os.path.join(root, name), f.read()


def test_each_page_arrives_byte_for_byte(data, serve, broker, make_box, topic_records):
    for page in pages(data):
        name = os.path.basename(page)
        want = rows_of(page)
        api = serve(page, "--key", KEY)
        bootstrap = broker(partitions=1)
        box = make_box(name, **{**api.settings, "API_KEY": KEY}, KAFKA_BROKERS=bootstrap)
        first = box.run("produce", "--once")
        assert first.code == 0, (name, first.err)
        got = topic_records(bootstrap)
        assert [(r.key.decode(), r.value) for r in got] == want, name
        check_headers(got)
        second = box.run("produce", "--once")
        assert second.code == 0, (name, second.err)
        assert len(topic_records(bootstrap)) == len(want), f"{name}: a second sweep sent something"
        end = box.run("consume", "--until-end")
        assert end.code == 0, (name, end.err)
        secret = KEY.encode()
        for path, content in artefacts(box.folder):
            assert secret not in content, f"the key stands in {path}"
        for record in got:
            assert secret not in record.value and all(secret not in (v or b"") for v in record.headers.values())
        api.process.stop()


def check_headers(records):
    run = None
    for n, r in enumerate(records, 1):
        h = {k: v.decode() for k, v in r.headers.items()}
        assert h["ce_specversion"] == "1.0"
        assert h["ce_type"] == "scorebox.match.v1"
        assert h["content-type"] == "application/json"
        assert h["ce_subject"] == r.key.decode()
        assert h["ce_source"].startswith("https://") and "apikey" not in h["ce_source"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", h["ce_time"])
        assert re.fullmatch(r"[0-9a-f]{32}", h["scorebox-run"])
        run = run or h["scorebox-run"]
        assert h["scorebox-run"] == run and int(h["scorebox-seq"]) == n
        assert h["ce_id"] == f'{h["scorebox-run"]}-{h["scorebox-seq"]}'
        assert h["scorebox-prev"] == ""


def test_rows_without_a_usable_id_are_dead_letters(scripted, broker, make_box, topic_records):  # noqa: F811
    body = b'{"data":[{"id":"a","name":"x"},{"name":"no id"},{"id":null},{"id":"b","name":"y"}],"status":"success",' \
        b'"info":{"totalRows":4}}'
    api = scripted(lambda n, path: (200, {"Content-Type": "application/json"}, body))
    bootstrap = broker(partitions=1)
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    run = box.run("produce", "--once")
    assert run.code == 0, run.err
    assert [r.key for r in topic_records(bootstrap)] == [b"a", b"b"]
    listing = box.run("spool", "ls")
    assert listing.code == 0 and "id" in listing.out


@pytest.mark.parametrize("total", [None, 60, 1000])
def test_paging_counts_rows_received(scripted, broker, make_box, topic_records, total):  # noqa: F811
    """60 rows in pages of 25, 25, 10: offsets are 0, 25, 50 whatever the total says; an id that comes again
    within the sweep is passed over."""
    asked = []

    def answer(n, path):
        offset = int(re.search(r"offset=(\d+)", path).group(1))
        asked.append(offset)
        ids = [f"m{i}" for i in range(offset, min(60, offset + 25))]
        if offset == 25:
            ids[0] = "m3"
        info = {"offsetRows": offset, **({"totalRows": total} if total is not None else {})}
        rows = ",".join(json.dumps({"id": i, "name": i}) for i in ids)
        return 200, {"Content-Type": "application/json"}, (
            '{"data":[%s],"status":"success","info":%s}' % (rows, json.dumps(info))).encode()

    api = scripted(answer)
    bootstrap = broker()
    box = make_box(**api.settings, KAFKA_BROKERS=bootstrap)
    run = box.run("produce", "--once")
    assert run.code == 0, run.err
    assert asked[:3] == [0, 25, 50]
    assert len(asked) == (3 if total == 60 else 4)
    keys = [r.key.decode() for r in topic_records(bootstrap)]
    assert len(keys) == len(set(keys)) == 59

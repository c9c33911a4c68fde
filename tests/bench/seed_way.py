"""The same work as a script does it that was written in an afternoon: requests, json, confluent-kafka, pandas.
bench.py runs it beside scorebox, on the same feed.

    seed_way.py produce URL CA_FILE BROKERS TOPIC      a page of the API, what changed of it to Kafka
    seed_way.py consume BROKERS TOPIC FOLDER RECORDS   RECORDS records of the topic into a workbook per match

One line on stdout: {"records", "seconds", "cells", "peak_kib"}; the imports are not in the seconds."""
import json
import os
import sys
import time

import confluent_kafka


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def produce(url, ca, brokers, topic):
    import requests
    began = time.monotonic()
    writer = confluent_kafka.Producer({"bootstrap.servers": brokers, "acks": "all", "enable.idempotence": True,
                                       "compression.type": "lz4", "linger.ms": 50})
    last, count = {}, 0
    answer = requests.get(url, params={"apikey": "key-of-the-bench", "offset": 0}, verify=ca, timeout=300).json()
    for row in answer["data"]:
        if last.get(row["id"]) == row:
            continue
        last[row["id"]] = row
        while True:
            try:
                writer.produce(topic, json.dumps(row), row["id"])
                break
            except BufferError:
                writer.poll(0.1)
        writer.poll(0)
        count += 1
    assert writer.flush(300) == 0
    return count, time.monotonic() - began, 0


def read(brokers, topic, wanted):
    reader = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "seed", "enable.auto.commit": False,
                                       "auto.offset.reset": "earliest"})
    partitions = reader.list_topics(topic, timeout=20).topics[topic].partitions
    reader.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
    matches, count = {}, 0
    while count < wanted:
        message = reader.poll(10)
        assert message is not None and not message.error(), "the topic ended too soon"
        row = json.loads(message.value())
        matches.setdefault(row["id"], []).append(row)
        count += 1
    reader.close()
    return matches


def consume(brokers, topic, folder, wanted):
    import pandas
    began = time.monotonic()
    matches, cells = read(brokers, topic, int(wanted)), 0
    for ident, rows in matches.items():
        frame = pandas.json_normalize(rows)
        for column in ("score", "teams", "teamInfo"):
            parts = pandas.json_normalize([dict(enumerate(value)) for value in frame.pop(column)], sep=".")
            frame = frame.join(parts.add_prefix(f"{column}."))
        frame.to_excel(os.path.join(folder, f"{ident}.xlsx"), engine="openpyxl", index=False)
        cells += int(frame.size)
    return sum(map(len, matches.values())), time.monotonic() - began, cells


if __name__ == "__main__":
    done, seconds, written = {"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"records": done, "seconds": seconds, "cells": written, "peak_kib": peak_kib()}))

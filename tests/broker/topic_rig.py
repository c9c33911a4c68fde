"""What the tests of topics share: an API that is written down in the test, and a witness of what a topic holds."""
import json
import time

import confluent_kafka as kafka

JSON = {"Content-Type": "application/json"}


def state(match, number, **more):
    return {"id": match, "name": f"{match} A vs B", "matchType": "t20", "status": f"state {number}", "date": "2026-01-01",
            "dateTimeGMT": "2026-01-01T10:00:00", "teams": ["A", "B"], "matchStarted": True, "matchEnded": False,
            "score": [{"r": number, "w": 0, "o": 0.1, "inning": "A Inning 1"}], **more}


def page(*states):
    return json.dumps({"apikey": "x", "data": states, "status": "success",
                       "info": {"hitsToday": 1, "hitsLimit": 100000, "totalRows": len(states)}}).encode()


class Counting:
    """An API whose two matches are in a new state at every request; `said` is the last number."""

    def __init__(self, scripted):
        self.said = 0
        self.settings = scripted(self.answer).settings

    def answer(self, n, path):
        self.said = n
        return 200, JSON, page(state("m1", n), state("m2", n))


def marks(reader, topic, number, seconds):
    """Low and high; a topic just made is not known to every broker yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            return reader.get_watermark_offsets(kafka.TopicPartition(topic, number), timeout=seconds)
        except kafka.KafkaException:
            if time.monotonic() > end:
                raise


def read_topic(cluster, topic, seconds=20):
    """All records there are, by partition and offset, whatever the topic begins with."""
    reader = kafka.Consumer({**cluster.client(), "group.id": "reader", "enable.auto.commit": False, "log_level": 0})
    found, wanted = [], {}
    for number in cluster.partitions(topic):
        low, high = marks(reader, topic, number, seconds)
        if high > low:
            wanted[number] = (low, high)
    reader.assign([kafka.TopicPartition(topic, p, low) for p, (low, _) in wanted.items()])
    count = sum(high - low for low, high in wanted.values())
    while len(found) < count:
        message = reader.poll(seconds)
        assert message is not None, f"{len(found)} of {count} records within {seconds} s"
        assert not message.error(), message.error()
        found.append(message)
    reader.close()
    return sorted(found, key=lambda m: (m.partition(), m.offset()))


def journaled(box):
    """How many records its journal has, as its status tells."""
    status = box.state / "status.json"
    return json.loads(status.read_text())["journal"]["records"] if status.exists() else 0


def spooled(box):
    status = box.state / "status.json"
    return json.loads(status.read_text())["spool"]["rows"] if status.exists() else 0

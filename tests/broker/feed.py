"""Matches told straight to Kafka, as `produce` tells them, and what the workbooks must hold of them afterwards."""
import collections
import json
import random
import threading
import time
import uuid

import confluent_kafka as kafka

from conftest import wait_until


def value_of(match, number):
    """A state; `number` is the score, so that each differs from the one before."""
    return json.dumps({"id": match, "name": f"A{match[:8]} vs B{match[:8]}", "matchType": "t20",
                       "status": f"state {number}", "date": "2026-01-01", "dateTimeGMT": "2026-01-01T10:00:00",
                       "teams": [f"A{match[:8]}", f"B{match[:8]}"], "matchStarted": True, "matchEnded": False,
                       "score": [{"r": number, "w": 0, "o": 1.1, "inning": f"A{match[:8]} Inning 1"}]}).encode()


class Feed:
    """`told`: per match how many states Kafka has acknowledged, 1 to n in this order."""

    def __init__(self, cluster, topic, matches):
        self.topic, self.run = topic, uuid.uuid4().hex
        self.said = collections.Counter()
        self.matches = [f"{n:08d}-0000-0000-0000-000000000000" for n in range(1, matches + 1)]
        self.told = collections.Counter()
        self.failed = []
        self.writer = kafka.Producer({**cluster.client(), "partitioner": "murmur2_random", "acks": "all",
                                      "enable.idempotence": True, "linger.ms": 5, "log_level": 0})

    def acknowledged(self, error, message):
        if error:
            self.failed.append(error)
        else:
            self.told[message.key().decode()] += 1

    def tell(self, match):
        number = self.said[match] = self.said[match] + 1
        identity = f"{self.run}-{number}"
        before = f"{self.run}-{number - 1}" if number > 1 else ""
        self.writer.produce(self.topic, value_of(match, number), match, on_delivery=self.acknowledged, headers={
            "ce_id": identity, "scorebox-run": self.run, "scorebox-seq": str(number), "scorebox-prev": before})

    def add(self, match):
        self.matches.append(match)
        return match

    def round(self, matches=None):
        """One more state of every match, acknowledged."""
        for match in matches or self.matches:
            self.tell(match)
        assert self.writer.flush(60) == 0 and not self.failed, self.failed

    def go(self, every=0.01, seed=0):
        """Tells states of random matches in a thread until the answer is called."""
        over = threading.Event()
        dice = random.Random(seed)

        def work():
            while not over.wait(every):
                self.tell(dice.choice(self.matches))
                self.writer.poll(0)

        thread = threading.Thread(target=work)
        thread.start()

        def end():
            over.set()
            thread.join()
            self.round()

        return end


def numbers_of(sheets):
    """Of a workbook: the states of Records and of Timeline, in their order."""
    head = sheets["Records"][0]
    event = head.index("Event id")
    records = [int(row[event].rsplit("-", 1)[1]) for row in sheets["Records"][1:]]
    status = sheets["Timeline"][0].index("Status")
    timeline = [int(row[status].split()[1]) for row in sheets["Timeline"][1:] if row[status]]
    return records, timeline


def book_of(box, match):
    """The workbook of a match in this box's folder; None while there is none."""
    found = [p for p in box.output.glob(f"[!.]*_{match[:8]}.xlsx")]
    return found[0] if found else None


def holdings(box, feed, open_book):
    """{match: its states in this box's workbook}; fails where one stands twice or out of order, or where the last
    state is there and one before it is not: who reads a partition has read it from its beginning."""
    found = {}
    for match in feed.matches:
        path = book_of(box, match)
        if path is None:
            continue
        records, timeline = numbers_of(open_book(path))
        assert len(records) == len(set(records)), f"{path}: a state stands twice"
        assert timeline == sorted(set(timeline)), f"{path}: the Timeline is out of order"
        assert set(timeline) == set(records), f"{path}: Timeline and Records differ"
        found[match] = set(records)
        if feed.told[match] in found[match]:
            missing = set(range(1, feed.told[match] + 1)) - found[match]
            assert not missing, f"{path}: has the last state, but not {sorted(missing)[:10]}"
    return found


def owners(boxes, feed, open_book):
    """Which boxes hold all states of each match; fails where none does."""
    held = {box.folder.name: holdings(box, feed, open_book) for box in boxes}
    answer = {match: [name for name, books in held.items() if feed.told[match] in books.get(match, ())]
              for match in feed.matches}
    lost = {match: {name: len(books.get(match, ())) for name, books in held.items()}
            for match, names in answer.items() if not names}
    assert not lost, f"no box has the last state of {len(lost)} matches: {dict(list(lost.items())[:4])}"
    return answer


def pause(seconds):
    """A stretch of a storm: nothing is waited for."""
    time.sleep(seconds)


def wait_for_book(box, match, seconds):
    began = time.monotonic()
    wait_until(lambda: book_of(box, match), seconds, f"the workbook of {match} in {box.folder}")
    return time.monotonic() - began


def lag(cluster, topic, group):
    """How many records of the topic the group has not told that it read; None: the brokers do not say."""
    asker = kafka.Consumer({**cluster.client(), "group.id": group, "log_level": 0})
    try:
        places = [kafka.TopicPartition(topic, n) for n in cluster.partitions(topic)]
        ends = [asker.get_watermark_offsets(place, timeout=10)[1] for place in places]
        told = [place.offset for place in asker.committed(places, timeout=10)]
        return sum(end - max(offset, 0) for end, offset in zip(ends, told))
    except kafka.KafkaException:
        return None
    finally:
        asker.close()


def settle(cluster, topic, group, seconds=90):
    """Until the group has read everything."""
    wait_until(lambda: lag(cluster, topic, group) == 0, seconds, f"group {group} to read {topic} to its end")

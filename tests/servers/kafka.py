"""Kafka: no broker of it is to be had as a package, so this is the cluster of librdkafka, which its authors test their own
client against. It speaks the protocol, chooses leaders, keeps what it took in memory, and checks batches of records.

What it does not show: that what was acknowledged outlives the broker, as it has no disk (its process stays, and when the
broker is to be away, closes all connections and takes no new ones); limits of sizes, the making of topics,
users and TLS, which it has not.
"""

import json
import sys
from pathlib import Path

from servers import Server

TOPIC = "honeyplant"


class Kafka(Server):
    kind = "kafka"

    def prepare(self):
        self.orders = 0
        self.run(sys.executable, "-m", "servers.kafka", self.folder, cwd=Path(__file__).parent.parent)
        self.bootstrap = self.until(self.folder.joinpath("bootstrap").read_text, "the cluster to start")

    def sink(self):
        return f'brokers = ["{self.bootstrap}"]\ntopic = "{TOPIC}"\n'

    def start(self):
        self.order("up")

    def stop(self):
        self.order("down")

    def order(self, what):
        """Has the process do it."""
        self.orders += 1
        (self.folder / "order.new").write_text(f"{self.orders} {what}")
        (self.folder / "order.new").rename(self.folder / "order")
        self.until(lambda: (self.folder / "done").read_text() == str(self.orders), f"the cluster to be {what}")

    def __exit__(self, *more):
        self.resume()
        Server.stop(self)

    def received(self):
        from confluent_kafka import Consumer, KafkaException, TopicPartition

        settings = {"bootstrap.servers": self.bootstrap, "group.id": "test", "check.crcs": True, "enable.auto.commit": False}
        consumer = Consumer(settings)
        try:
            there = consumer.list_topics(TOPIC, timeout=5).topics[TOPIC].partitions
            partitions = [TopicPartition(TOPIC, number, 0) for number in there]
            ends = {part.partition: consumer.get_watermark_offsets(part, timeout=5)[1] for part in partitions}
            assert sum(end > 0 for end in ends.values()) <= 1, "one sensor is in one partition"
            consumer.assign(partitions)
            found = []
            while len(found) < sum(ends.values()):
                message = consumer.poll(5)
                if message is None or message.error():
                    raise ConnectionError(message and message.error())
                identifier = json.loads(message.value())["event"]["id"]
                assert dict(message.headers())["event.id"].decode() == identifier
                found.append(identifier)
            return found
        except KafkaException as error:
            raise ConnectionError(error) from error
        finally:
            consumer.close()


def serve(folder):
    """Is the cluster, until it is killed. Orders come as a file, since a process that stands still reads no pipe."""
    import ctypes
    import time

    import confluent_kafka

    libraries = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    # The library of the package itself: what it has for tests is not in Python.
    library = ctypes.CDLL(next(str(path) for path in libraries.glob("librdkafka*")))
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [ctypes.c_void_p]
    for function in (library.rd_kafka_mock_broker_set_down, library.rd_kafka_mock_broker_set_up):
        function.argtypes = [ctypes.c_void_p, ctypes.c_int32]
    why = ctypes.create_string_buffer(512)
    client = library.rd_kafka_new(0, None, why, len(why))
    assert client, why.value
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    library.rd_kafka_mock_topic_create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    assert library.rd_kafka_mock_topic_create(cluster, TOPIC.encode(), 3, 1) == 0
    folder = Path(folder)
    (folder / "bootstrap.new").write_bytes(library.rd_kafka_mock_cluster_bootstraps(cluster))
    (folder / "bootstrap.new").rename(folder / "bootstrap")
    last = ""
    while True:
        time.sleep(0.02)
        order = (folder / "order").read_text() if (folder / "order").exists() else ""
        if order == last:
            continue
        last = order
        number, what = order.split()
        change = library.rd_kafka_mock_broker_set_up if what == "up" else library.rd_kafka_mock_broker_set_down
        assert change(cluster, 1) == 0
        (folder / "done").write_text(number)


if __name__ == "__main__":
    serve(sys.argv[1])

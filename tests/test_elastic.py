"""What becomes of documents that a server of documents does not take, now or ever."""

import json

import pytest
from conftest import DEMO, Peer, site, wait_until
from servers.elastic import Elastic


@pytest.fixture
def elastic(tmp_path):
    with Elastic(tmp_path / "server") as server:
        yield server


@pytest.fixture
def start(elastic, plant, tmp_path):
    def started(more=""):
        folder = tmp_path / "site"
        folder.mkdir()
        site(folder, plc=DEMO[0], more=f"port-offset = 10000\n[[sinks.elasticsearch]]\n{elastic.sink()}{more}")
        plant.start(folder)
        return plant

    return started


def ask(plant, count):
    with Peer() as peer:
        for number in range(count):
            peer.ask(f"03 {number:04x} 0001")
    wait_until(lambda: len(plant.events("read")) == count, "the record")


def all_there(elastic, plant):
    there = {event["event"]["id"] for event in plant.events()}
    return elastic.until(lambda: there <= set(elastic.received()), "every event")


def test_what_is_rejected_for_now_comes_again_and_nothing_twice(elastic, start):
    (elastic.folder / "busy").touch()
    plant = start()
    ask(plant, 50)
    wait_until(lambda: "the sink elasticsearch fails" in plant.log.read_text(), "the operator to be told")
    assert "429" in plant.log.read_text()
    (elastic.folder / "busy").unlink()
    all_there(elastic, plant)
    received = elastic.received()
    assert len(received) == len(set(received))


def test_a_request_that_is_too_large_is_halved_until_it_is_not(elastic, start):
    (elastic.folder / "max_content_length").write_text("20000")
    plant = start()
    ask(plant, 100)
    all_there(elastic, plant)
    assert elastic.received() == [event["event"]["id"] for event in plant.events()]


def test_a_document_that_is_refused_for_ever_is_there_as_text(elastic, start):
    # Somebody else's template, which comes before the sink's own, takes no names of functions.
    name = {"properties": {"name": {"type": "long"}}}
    mappings = {"properties": {"honeyplant": {"properties": {"operation": name}}}}
    body = {"index_patterns": ["honeyplant-*"], "priority": 900, "template": {"mappings": mappings}}
    elastic.stop()
    (elastic.folder / "templates").write_text(json.dumps({"_index": "", "_id": "other", "_source": body}) + "\n")
    elastic.start()
    plant = start()
    ask(plant, 3)
    all_there(elastic, plant)
    documents = {document["_id"]: document["_source"] for document in elastic.documents()}
    lines = {json.loads(line)["event"]["id"]: line for line in plant.lines()}
    for identifier, document in documents.items():
        event = json.loads(lines[identifier])
        if event["event"]["action"] == "read":
            assert document["event"]["original"] == lines[identifier]
            assert "honeyplant.operation.name" in document["error"]["message"]
        else:
            assert document == event


def test_a_data_stream_takes_them_too(elastic, start):
    plant = start('data-stream = "logs-honeyplant-default"\n')
    ask(plant, 3)
    all_there(elastic, plant)
    assert {document["_index"] for document in elastic.documents()} == {"logs-honeyplant-default"}

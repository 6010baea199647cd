"""What every sink promises, held against the real server that it delivers to."""

import json
import re

import pytest
from conftest import DEMO, ROOT, Peer, honeyplant, site, wait_until
from servers import servers

# Sinks that need no server; the tests of the record hold them to the same.
LOCAL = {"console", "json-lines", "pcap", "prometheus", "sqlite", "stix"}


def ask(numbers):
    """So many different requests, each of which is an event."""
    with Peer() as peer:
        for number in numbers:
            peer.ask(f"03 {number % 100:04x} {number % 7 + 1:04x}")


def expected(plant, server):
    return [event["event"]["id"] for event in plant.events() if server.expects(event)]


def once(identifiers):
    return list(dict.fromkeys(identifiers))


def test_every_sink_is_tried():
    kinds = set(json.loads(honeyplant("schema", "site"))["properties"]["sinks"]["properties"])
    assert kinds == LOCAL | {server.kind for server in servers()}


def test_every_example_is_right_and_a_wrong_key_is_told(tmp_path):
    text = (ROOT / "docs/sinks.md").read_text()
    examples = re.findall(r"```toml\n(\[\[sinks\.([a-z-]+)\]\]\n.*?)```", text, re.DOTALL)
    schema = json.loads(honeyplant("schema", "site"))
    assert [kind for _, kind in examples] == sorted(schema["properties"]["sinks"]["properties"])
    for example, _ in examples:
        for more, code, told in (("", 0, "nothing is wrong"), ("mistyped = 1\n", 1, "mistyped")):
            first, rest = example.split("\n", 1)
            site(tmp_path, plc=DEMO[0], more=f"{first}\n{more}{rest}")
            assert told in honeyplant("--state", tmp_path / "state", "check", tmp_path, code=code), example


@pytest.mark.parametrize("server", servers(), ids=lambda server: server.__name__.lower())
def test_nothing_is_lost_and_nothing_reordered(server, plant, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    with server(tmp_path / "server") as other:
        site(folder, plc=DEMO[0], more=f"port-offset = 10000\n[[sinks.{other.kind}]]\n{other.sink()}")
        assert f"sink {other.kind}: " in honeyplant("--state", plant.state, "check", "--probe", folder)

        lost = set()

        def all_there():
            return set(expected(plant, other)) - lost <= set(other.received())

        plant.start(folder)
        ask(range(300))
        other.until(all_there, "what was delivered while all was well")
        other.stop()
        ask(range(300, 600))
        wait_until(lambda: f"the sink {other.kind} fails" in plant.log.read_text(), "the operator to be told")
        assert other.kind in honeyplant("--state", plant.state, "check", "--probe", folder, code=1)
        other.start()
        other.until(all_there, "what happened while it was away")
        there = set(expected(plant, other))
        other.hang()
        ask(range(600, 900))
        plant.kill()
        plant.start(folder)
        ask(range(900, 1000))
        if not other.acknowledges:
            lost = set(expected(plant, other)) - there
        other.resume()
        other.until(all_there, "what happened while it hung, and honeyplant was killed")
        plant.stop()
        other.until(all_there, "the end")
        received = other.received()
        lost -= set(received)
        assert once(received) == [event for event in expected(plant, other) if event not in lost] != [], "in order, and nothing else"
        assert not other.exactly_once or len(received) == len(set(received))

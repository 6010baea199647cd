"""The record: whole, valid, and there after everything that can happen to the process."""

import json
import threading
import time

import jsonschema
import pytest
from conftest import DEMO, FUNCTIONS, ROOT, Peer, frame, site, wait_until

SERVED = ("127.0.30.1", 502)


def test_every_document_is_as_the_schema_says(plant):
    plant.start(FUNCTIONS, listens=SERVED)
    with Peer(SERVED) as peer:
        for pdu in [
            "01 0000 0010", "02 0000 0010", "03 0000 007d", "04 0000 0001", "05 0000 ff00", "06 0000 1234", "07",
            "08 0000 cafe", "08 000a 0000", "0b", "0c", "0f 0000 0003 01 05", "10 0000 0001 02 0007", "11",
            "14 07 06 0001 0000 0001", "15 09 06 0001 0000 0001 1234", "16 0000 00ff 0100",
            "17 0000 0001 0000 0001 02 0007", "18 01f4", "2b0e0100", "41", "03 ffff 0002", "03 0000 0000", "05 0000 1234",
        ]:  # fmt: skip
            peer.ask(pdu)
        peer.ask("03 0000 0001", unit=77)
        peer.send(b"GET / HTTP/1.1\r\n\r\n")
    with Peer(SERVED) as peer:
        for _ in range(100):
            peer.ask("03 0000 0001")
        peer.send(frame(b"\x03")[:5])
    wait_until(lambda: len(plant.events("closed")) == 2, "both sessions to be recorded")
    plant.stop()

    schema = json.loads((ROOT / "docs/schema/event.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    lines = plant.lines()
    for line in lines:
        wrong = [error.message for error in validator.iter_errors(json.loads(line))]
        assert not wrong, f"{wrong} in {line}"
    every = "started opened read write identify diagnose command unsupported malformed closed stopped".split()
    assert {event["event"]["action"] for event in plant.events()} >= {*every}
    assert plant.tell("events", "--json").splitlines() == lines
    sessions = [json.loads(line) for line in plant.tell("sessions", "--json").splitlines()]
    assert len(sessions) == 2
    assert len(plant.tell("sessions").splitlines()) >= 2


def test_a_write_tells_everything(demo):
    with Peer() as peer:
        peer.ask("10 0190 0002 04 0001 0002", unit=5)
    write = wait_until(lambda: demo.events("write"), "the write to be recorded")[0]
    assert write["source"]["ip"] == "127.0.0.1"
    assert (write["destination"]["ip"], write["destination"]["port"]) == DEMO
    assert write["network"]["protocol"] == "modbus" and write["network"]["transport"] == "tcp"
    assert write["threat"]["technique"]["id"]
    assert "holding registers 400 to 401 of unit 5: 0 0 -> 1 2" in write["message"]


def test_a_sink_carries_what_the_journal_holds(plant, tmp_path):
    carried = tmp_path / "carried.jsonl"
    site(tmp_path, plc=DEMO[0], more=f'[[sinks.json-lines]]\npath = "{carried}"')
    for _ in range(2):
        plant.start(tmp_path, listens=(DEMO[0], 502))
        with Peer((DEMO[0], 502)) as peer:
            for number in range(100):
                peer.ask(f"03 {number:04x} 0001")
        plant.stop()
    assert carried.read_text().splitlines() == plant.lines()
    assert len(plant.lines()) > 200


def load(peer, request, seconds, answered):
    """Asks about 10 000 times a second, fifty at a time, until the device is gone; notes when how many were answered."""
    start, number, batch = time.monotonic(), 0, 50
    count = 0
    try:
        while True:
            asked = [request(number + step) for step in range(batch)]
            peer.send(b"".join(frame(pdu) for pdu, _ in asked))
            for _, length in asked:
                peer._take(length)
                count += 1
            number += batch
            answered.append((time.monotonic(), count))
            time.sleep(max(0, start + number / 10_000 - time.monotonic()))
    except (OSError, AssertionError):
        answered.append((time.monotonic(), count))


def walking(number):
    """Never the same within several seconds."""
    address, count = number % 1000, 1 + number // 1000 % 100
    return bytes.fromhex(f"03 {address:04x} {count:04x}"), 9 + 2 * count


def identical(_):
    return bytes.fromhex("03 0000 0001"), 11


@pytest.mark.parametrize("request_of", [walking, identical])
def test_a_kill_under_load_costs_at_most_the_last_beat(plant, request_of):
    plant.start(FUNCTIONS, listens=SERVED)
    answered = [(0, 0)]
    with Peer(SERVED) as peer:
        thread = threading.Thread(target=load, args=[peer, request_of, 2, answered])
        thread.start()
        time.sleep(2)
        killed = time.monotonic()
        plant.kill()
        thread.join()
    plant.start(FUNCTIONS, listens=SERVED)
    plant.stop()

    # Equal events are held for a second before they become a line; what was held is there at the next start.
    reads = plant.events("read")
    recorded = sum(event["honeyplant"].get("repeated", 1) for event in reads)
    print(f"{answered[-1][1] / 2:.0f} requests/s; {answered[-1][1]} answered, {recorded} recorded, {len(reads)} lines")
    # A beat is 5 ms; a machine under load may take some to write it.
    assert recorded >= max(count for when, count in answered if when < killed - 0.1)
    if request_of is walking:
        asked = [(event["honeyplant"]["address"], event["honeyplant"]["count"]) for event in reads]
        assert asked == [(n % 1000, 1 + n // 1000 % 100) for n in range(recorded)]
    for place, line in enumerate(plant.lines(), 1):
        assert json.loads(line)["event"]["sequence"] == place
    first, second = plant.events("started")
    print(second["message"])
    assert "the last run ended without saying so" in second["message"]
    assert "mended" not in first["honeyplant"]

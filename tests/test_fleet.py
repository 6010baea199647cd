"""Sensors that report to one place, as docs/fleet.md has it."""

import contextlib
import json
import subprocess

from conftest import BINARY, Peer, Plant, site
from servers.mqtt import Mqtt
from servers.postgres import Postgres

SENSORS = {"north": ("127.0.10.2", 10502), "south": ("127.0.10.3", 10502)}


def console(text, *command):
    done = subprocess.run([BINARY, *command, "--from", "-"], input=text, capture_output=True, text=True, check=True)
    return done.stdout


@contextlib.contextmanager
def sensors(folder, sink):
    """All of them, running; each was asked for one value, and one was written to."""
    plants = {}
    for name, (address, port) in SENSORS.items():
        (folder / name / "site").mkdir(parents=True)
        site(folder / name / "site", plc=address, more=f"port-offset = 10000\n{sink}")
        text = (folder / name / "site/site.toml").read_text()
        (folder / name / "site/site.toml").write_text(text.replace('name = "test"', f'name = "{name}"', 1))
        plants[name] = Plant(folder / name).start(folder / name / "site", listens=(address, port))
        with Peer((address, port)) as peer:
            peer.ask("03 0000 0001")
            if name == "south":
                peer.ask("05 0000 ff00")
    try:
        yield plants
    finally:
        for plant in plants.values():
            plant.stop()


def recorded(plants):
    return {event["event"]["id"] for plant in plants.values() for event in plant.events()}


def test_one_console_shows_what_all_sensors_wrote_into_one_database(tmp_path):
    with Postgres(tmp_path / "server") as server:
        with sensors(tmp_path, f"[[sinks.postgres]]\n{server.sink()}") as plants:
            server.until(lambda: recorded(plants) <= set(server.received()), "all to be there")
        assert set(server.received()) == recorded(plants)
        lines = "\n".join(server.ask("SELECT document FROM events"))
    told = [json.loads(line) for line in console(lines, "sessions", "--json").splitlines()]
    assert sorted(session["site"] for session in told) == ["north", "south"]
    assert console(lines, "events", "--action", "write").count("wrote coil 0") == 1
    page = console(lines, "report", "--since", "1h")
    assert "north" in page and "south" in page


def test_one_console_shows_what_all_sensors_publish(tmp_path):
    with Mqtt(tmp_path / "server") as server:
        sink = server.sink().replace("plant/status", "plant/{site}/status")
        with sensors(tmp_path, f"[[sinks.mqtt]]\n{sink}") as plants:
            pass
        server.until(lambda: set(server.received()) == recorded(plants), "all to be published")

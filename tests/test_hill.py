"""The hill zone of the demo, taken hold of over S7: what becomes of it is seen on each protocol of each device."""

import json
import struct
import subprocess
import urllib.request

import pytest
from conftest import PATIENCE, Peer, wait_until
from snap7 import Area, Client

CPU, PANEL, INTAKE = ("127.0.10.1", 10102), "127.0.10.3", ("127.0.10.2", 10502)
# Where DB 20 has them.
LEVEL, SUCTION, INFLOW, OUTFLOW = 0, 4, 12, 16


@pytest.fixture
def hill(demo):
    client = Client()
    wait_until(lambda: demo.listens(*CPU), "S7 to listen")
    client.connect(CPU[0], 0, 2, CPU[1])
    yield client
    client.disconnect()


def shown(client, offset):
    """What DB 20 shows there."""
    return struct.unpack(">f", client.db_read(20, offset, 4))[0]


def outputs(client):
    return client.read_area(Area.PA, 0, 4, 1)[0]


def mode(client):
    """What the system status list tells of it: 4 is STOP, 8 is RUN."""
    return bytes(client.read_szl(0x0424).Data)[7]


def panel():
    with urllib.request.urlopen(f"http://{PANEL}:10080/api/values.json", timeout=PATIENCE) as answer:
        return json.load(answer)


def snmp(number):
    """An object of the panel below its own subtree for the hill zone."""
    command = ["snmpget", "-v1", "-cpublic", "-Oqv", f"{PANEL}:10161", f"1.3.6.1.4.1.8072.9999.9999.3.{number}.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def settled(hill):
    """The town has its pressure, and so the hill pumps may run."""
    wait_until(lambda: shown(hill, SUCTION) > 3, "the main to have pressure")
    return shown(hill, LEVEL)


def test_an_output_written_over_s7_is_seen_everywhere(hill, demo):
    level = settled(hill)
    assert 3 < level < 3.6 and outputs(hill) & 3 == 0 and shown(hill, INFLOW) < 1, "the reservoir is full enough"
    assert panel()["hill_inflow"] < 1 and snmp(2) < 10 and snmp(5) == 2
    with Peer(INTAKE) as peer:
        before = int(peer.ask("03 000E 0001")[4:], 16)
        coils, inputs = peer.ask("01 0000 0040"), peer.ask("02 0000 0008")
        hill.write_area(Area.PA, 0, 4, bytearray([outputs(hill) | 1]))
        wait_until(lambda: shown(hill, INFLOW) > 20, "the pump to lift water")
        assert outputs(hill) & 1 == 1, "what was set stays set"
        assert peer.ask("01 0000 0040") == coils, "the coil of that number is another controller's"
        assert peer.ask("02 0000 0008")[4:6] == inputs[4:6], "and so are its machines"
        wait_until(lambda: int(peer.ask("03 000E 0001")[4:], 16) > before + 40, "the works to deliver more [0.1 l/s]")
    wait_until(lambda: panel()["hill_inflow"] > 20, "the panel's page to show it")
    assert abs(wait_until(lambda: snmp(2), "its agent to show it") / 10 - shown(hill, INFLOW)) < 5
    assert wait_until(lambda: snmp(5) == 1, "the pump to be told") and panel()["hill_pump_1_running"] is True
    hill.write_area(Area.PA, 0, 4, bytearray([outputs(hill) & 0xFE]))
    wait_until(lambda: shown(hill, INFLOW) < 1, "the flow to fall")
    told = wait_until(lambda: (lines := demo.tell("events", "--action", "write")) and lines, "the write to be recorded")
    assert "pump_1_run" in told, told


def test_stop_and_start_over_s7(hill):
    settled(hill)
    hill.write_area(Area.PA, 0, 4, bytearray([1]))
    wait_until(lambda: shown(hill, INFLOW) > 20, "the pump to lift water")
    counter = hill.db_read(20, 50, 2)
    hill.plc_stop()
    wait_until(lambda: mode(hill) == 4, "the CPU to stop")
    wait_until(lambda: outputs(hill) == 0, "its outputs to fall")
    # What comes from the instruments is in the inputs, which the stopped program does not scale any more.
    counts = lambda: struct.unpack(">h", hill.read_area(Area.PE, 0, 294, 2))[0]  # noqa: E731
    wait_until(lambda: counts() < 300, "the flow to fall")
    stands = hill.db_read(20, 50, 2)
    wait_until(lambda: not panel()["hill_online"], "the panel to miss the life counter")
    assert hill.db_read(20, 50, 2) == stands, "the life counter stands"
    hill.plc_hot_start()
    wait_until(lambda: mode(hill) == 8, "the CPU to run")
    wait_until(lambda: hill.db_read(20, 50, 2) not in (stands, counter), "the program to run")
    wait_until(lambda: panel()["hill_online"], "the panel to hear it")
    hill.write_area(Area.PA, 0, 4, bytearray([1]))
    wait_until(lambda: shown(hill, INFLOW) > 20, "the pump to lift water again")


def test_the_main_without_pressure_stops_the_hill_pumps(hill):
    """Somebody switches the other controller's booster off, over Modbus."""
    settled(hill)
    hill.write_area(Area.PA, 0, 4, bytearray([1]))
    wait_until(lambda: shown(hill, INFLOW) > 20, "the pump to lift water")
    with Peer(INTAKE) as peer:
        assert peer.ask("05 0008 FF00") == "050008ff00"
        wait_until(lambda: shown(hill, SUCTION) < 1, "the suction pressure to fall")
    # The supervision of the suction pressure begins a minute after the start; a pump without water lifts none.
    wait_until(lambda: shown(hill, INFLOW) < 5, "the flow to fail")


def test_a_level_forced_over_s7(hill, demo):
    """The reservoir is said to be empty: the lead pump starts, and the one that helps too."""
    settled(hill)
    hill.db_write(10, 76, bytearray(struct.pack(">f", 1.2)))
    hill.db_write(10, 84, bytearray([1]))
    wait_until(lambda: outputs(hill) & 3 == 3, "both pumps to be started")
    assert abs(shown(hill, LEVEL) - 1.2) < 0.01, "the panel shows what was forced"
    wait_until(lambda: panel()["hill_pump_2_running"], "the panel to show the second pump")
    hill.db_write(10, 84, bytearray([0]))
    told = wait_until(lambda: (lines := demo.tell("events", "--action", "write")) and lines, "the write to be recorded")
    assert "level_simulated" in told and "level_simulate" in told, told

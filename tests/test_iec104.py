"""The substation's unit, asked and commanded by c104 (lib60870), nmap and a peer that says only what it is told."""

import socket
import struct
import subprocess
import time
import tomllib
from collections import namedtuple

import c104
import pytest
from conftest import PATIENCE, ROOT, Capture, Peer, wait_until

RTU = ("127.0.10.5", 12404)
PROFILE = tomllib.loads((ROOT / "profiles/siemens-cp8021/profile.toml").read_text())
# As if they had been drawn so: these tests speak of the profile's own numbers.
STATION, ITSELF = 3109, 3365
NUMBERS = f"""seed = "000000000000beef"

[devices.rtu-substation]
station_address = "{STATION}"
unit_address = "{ITSELF}"
object_base = "0"
"""
POINTS = {int(address): point for address, point in PROFILE["iec104"]["stations"][0]["points"].items()}
COMMANDS = {int(address): command for address, command in PROFILE["iec104"]["stations"][0]["commands"].items()}
TOTALS = {address for address, point in POINTS.items() if point["type"] == "total"}
POINT = {point["tag"]: address for address, point in POINTS.items()}
COMMAND = {
    (command.get("tag") or command.get("on") or command.get("higher")).removesuffix("_on"): address
    for address, command in COMMANDS.items()
}
PERIODIC, SPONTANEOUS, REQUEST, ACTIVATION, CONFIRMED, ENDED, RETURNED, STATION_ASKED = 1, 3, 5, 6, 7, 10, 11, 20
UNKNOWN_TYPE, UNKNOWN_CAUSE, UNKNOWN_ADDRESS, UNKNOWN_OBJECT = 44, 45, 46, 47
# How long the element of a type is, its time included.
LENGTHS = {1: 1, 3: 1, 5: 2, 9: 3, 11: 3, 13: 5, 15: 5, 30: 8, 31: 8, 32: 9, 34: 10, 35: 10, 36: 12, 37: 12, 70: 1}
LENGTHS |= {45: 1, 46: 1, 47: 1, 48: 3, 49: 3, 50: 5, 100: 1, 101: 1, 102: 0, 103: 7, 104: 2, 105: 1, 107: 9}

Object = namedtuple("Object", "type cause negative station address element")


def objects(apdu):
    """The information objects of a frame, by an own reading of IEC 60870-5-101."""
    if len(apdu) < 12 or apdu[2] & 1:
        return []
    kind, structure, cause, _, station = struct.unpack("<BBBBH", apdu[6:12])
    rest, found, length = apdu[12:], [], LENGTHS[kind]
    first = int.from_bytes(rest[:3], "little")
    for index in range(structure & 0x7F):
        if structure & 0x80:
            address, element = first + index, rest[3 + index * length :][:length]
        else:
            part = rest[index * (3 + length) :]
            address, element = int.from_bytes(part[:3], "little"), part[3 : 3 + length]
        assert len(element) == length, apdu.hex()
        found.append(Object(kind, cause & 0x3F, bool(cause & 0x40), station, address, element))
    return found


def value(thing):
    """What an object says."""
    element = thing.element
    match thing.type:
        case 1 | 30:
            return element[0] & 1
        case 3 | 31:
            return element[0] & 3
        case 5 | 32:
            return (element[0] & 0x7F) - (element[0] & 0x40) * 2
        case 9 | 34:
            return int.from_bytes(element[:2], "little", signed=True) / 32768
        case 11 | 35:
            return int.from_bytes(element[:2], "little", signed=True)
        case 13 | 36:
            return struct.unpack("<f", element[:4])[0]
        case 15 | 37:
            return int.from_bytes(element[:4], "little", signed=True)


class Master:
    """A control centre: c104's client, and everything that it was sent."""

    def __init__(self, started=True, to=RTU):
        self.heard = []
        self.client = c104.Client(tick_rate_ms=50, command_timeout_ms=2000)
        self.connection = self.client.add_connection(ip=to[0], port=to[1], init=c104.Init.MUTED)
        heard = self.heard

        def listen(connection: c104.Connection, data: bytes) -> None:
            heard.extend(objects(data))

        self.connection.on_receive_raw(callable=listen)
        self.station = self.connection.add_station(common_address=STATION)
        self.client.start()
        # c104 forgets to start the data transfer now and then if it is left to itself.
        wait_until(lambda: self.connection.state == c104.ConnectionState.OPEN_MUTED, "c104 to connect")
        if started:
            self.start()

    def start(self):
        assert self.connection.unmute()
        wait_until(lambda: self.connection.state == c104.ConnectionState.OPEN, "the data transfer to start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop()

    def command(self, tag, kind, order, mode=c104.CommandMode.SELECT_AND_EXECUTE):
        """Whether the station took the command. Now and then c104 misses an answer that comes at once; it asks again."""
        point = self.station.get_point(COMMAND[tag]) or self.station.add_point(io_address=COMMAND[tag], type=kind)
        point.command_mode, point.value = mode, order
        for _ in range(4):
            if self.connection.state == c104.ConnectionState.OPEN_MUTED:
                self.start()  # It had to connect again.
            since, patience = len(self.heard), time.monotonic() + 2
            if point.transmit(cause=c104.Cot.ACTIVATION):
                return True
            # It may say so before the answer is there.
            while time.monotonic() < patience:
                answers = [thing for thing in self.heard[since:] if thing.address == point.io_address]
                if any(thing.negative for thing in answers):
                    return False
                if any(not thing.element[-1] & 0x80 for thing in answers):
                    return True
                time.sleep(0.01)
        pytest.fail(f"no answer to {tag} while {self.connection.state}; last heard: {self.heard[-5:]}")

    def double(self, tag, on, **how):
        return self.command(tag, c104.Type.C_DC_NA_1, c104.Double.ON if on else c104.Double.OFF, **how)

    def single(self, tag, on):
        return self.command(tag, c104.Type.C_SC_NA_1, on, c104.CommandMode.DIRECT)

    def told(self, tag, since=0):
        """The values that were told of a point, the latest last."""
        return [value(thing) for thing in self.heard[since:] if thing.address == POINT[tag] and thing.type < 45]

    def answers(self, kind, cause, since=0):
        """What was heard of this type for this cause."""
        return [thing for thing in self.heard[since:] if thing.type == kind and thing.cause == cause]

    def interrogate(self):
        """What the station says now, by address."""
        since = len(self.heard)
        self.connection.interrogation(common_address=STATION, wait_for_response=False)
        wait_until(lambda: self.answers(100, ENDED, since), "the end of the interrogation")
        return {thing.address: thing for thing in self.heard[since:] if thing.cause == STATION_ASKED}


@pytest.fixture
def plant(plant):
    plant.state.mkdir()
    (plant.state / "identity.toml").write_text(NUMBERS)
    return plant


@pytest.fixture
def master(demo):
    with Master() as master:
        yield master


class Frames:
    """A master that says only what it is told."""

    def __init__(self, to=RTU):
        self.socket = socket.create_connection(to, PATIENCE)
        self.rest, self.sent, self.taken = b"", 0, 0
        self.socket.sendall(bytes.fromhex("680407000000"))
        assert self.frame() == bytes.fromhex("68040b000000")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frame(self):
        while len(self.rest) < 2 or len(self.rest) < 2 + self.rest[1]:
            part = self.socket.recv(4096)
            assert part, "the device hung up"
            self.rest += part
        frame, self.rest = self.rest[: 2 + self.rest[1]], self.rest[2 + self.rest[1] :]
        if not frame[2] & 1:
            self.taken += 1
            self.socket.sendall(struct.pack("<BBHH", 0x68, 4, 1, self.taken * 2))
        return frame

    def send(self, asdu):
        octets = bytes.fromhex(asdu)
        self.socket.sendall(bytes([0x68, 4 + len(octets)]) + struct.pack("<HH", self.sent * 2, self.taken * 2) + octets)
        self.sent += 1

    def ask(self, asdu):
        """The first object that answers with the same type."""
        self.send(asdu)
        while True:
            for thing in objects(self.frame()):
                if thing.type == int(asdu[:2], 16):
                    return thing


def octets(number, count):
    return number.to_bytes(count, "little").hex()


def test_an_interrogation_tells_every_point_once(master):
    told = master.interrogate()
    assert {*told} == {*POINTS} - TOTALS
    assert all(thing.station == STATION and not thing.negative for thing in told.values())
    confirmations = [thing.cause for thing in master.heard if thing.type == 100]
    assert confirmations == [CONFIRMED, ENDED]
    ranges = {tag: settings.get("range") for tag, settings in PROFILE["tags"].items()}
    for address, thing in told.items():
        point = POINTS[address]
        low, high = ranges[point["tag"]] or (0, 3)
        assert low <= value(thing) * point.get("scale", 1) <= high, point
    positions = {POINTS[address]["tag"]: value(thing) for address, thing in told.items() if thing.type == 3}
    assert positions == {tag: 1 if tag.endswith("earthing") else 2 for tag in positions} and len(positions) == 14
    now = {POINTS[address]["tag"]: value(thing) for address, thing in told.items()}
    assert 19.5 < now["busbar_voltage_12"] < 21.8 and 49.8 < now["frequency"] < 50.2
    parts = sum(now[f"feeder_{number}_active"] for number in (1, 2, 3))
    assert abs(parts - now["incomer_active"]) < 20 and now["feeder_2_active"] > 1000


def test_groups_and_counters(master):
    def group(number):
        return {address for address, point in POINTS.items() if point["group"] == number} - TOTALS

    assert master.connection.interrogation(common_address=STATION, qualifier=c104.Qoi.GROUP_1, wait_for_response=False)
    wait_until(lambda: {thing.address for thing in master.heard if thing.cause == 21} == group(1), "group 1")
    assert master.connection.interrogation(common_address=STATION, qualifier=c104.Qoi.GROUP_3, wait_for_response=False)
    wait_until(lambda: {thing.address for thing in master.heard if thing.cause == 23} == group(3), "group 3")
    assert master.connection.counter_interrogation(common_address=STATION, wait_for_response=False)
    wait_until(lambda: {thing.address for thing in master.heard if thing.cause == 37} == TOTALS, "all counters")
    counters = {POINTS[thing.address]["tag"]: value(thing) for thing in master.heard if thing.cause == 37}
    assert counters["incomer_energy"] > 1_000_000 and counters["feeder_3_operations"] >= 1000


def test_both_stations_answer_to_all(demo):
    with Frames() as peer:
        peer.send("640106000000000000" + "14")  # too short an address: malformed, and passed over
    with Frames() as peer:
        peer.send("64010600ffff00000014")
        heard = []
        while len([thing for thing in heard if thing.type == 100 and thing.cause == ENDED]) < 2:
            heard += objects(peer.frame())
        assert {thing.station for thing in heard if thing.cause == STATION_ASKED} == {STATION, ITSELF}


def test_a_breaker_opens_and_closes_and_the_current_with_it(master):
    before = master.interrogate()
    assert value(before[POINT["feeder_3_current_1"]]) > 5
    since = len(master.heard)
    assert master.double("feeder_3_breaker", on=False)
    wait_until(lambda: master.answers(46, ENDED, since), "the command to end")
    heard = [thing for thing in master.heard[since:] if thing.address == COMMAND["feeder_3_breaker"]]
    assert [thing.cause for thing in heard][-3:] == [CONFIRMED, CONFIRMED, ENDED] and not any(t.negative for t in heard)
    assert [thing.element[0] & 0x80 for thing in heard][-3:] == [0x80, 0, 0], "selected, executed, ended"
    moved = [thing for thing in master.heard[since:] if thing.address == POINT["feeder_3_breaker"]]
    assert [value(thing) for thing in moved] == [0, 1], "on its way, open"
    assert {thing.cause for thing in moved} == {RETURNED} and {thing.type for thing in moved} == {31}
    for phase in (1, 2, 3):
        tag = f"feeder_3_current_{phase}"
        wait_until(lambda tag=tag: master.told(tag, since)[-1:] == [0.0], "the current to be gone")
    since = len(master.heard)
    assert master.double("feeder_3_breaker", on=True)
    wait_until(lambda: master.told("feeder_3_breaker", since) == [0, 2], "the breaker to close")
    wait_until(lambda: master.told("feeder_3_current_2", since)[-1:] > [5.0], "the current to come back")
    wait_until(lambda: master.told("feeder_3_spring", since) == [0, 1], "the spring to be wound")
    assert not any(master.told("feeder_3_trip"))


def test_who_opens_the_feeder_stops_the_waterworks(demo, master):
    with Peer() as controller:
        wait_until(lambda: controller.ask("02 0008 0001") == "020101", "the booster to run")
        assert master.double("feeder_1_breaker", on=False)
        wait_until(lambda: controller.ask("02 0008 0001") == "020100", "the booster to stand")
        assert controller.ask("02 0000 0002") == "020100", "and the pumps"
        assert master.double("feeder_1_breaker", on=True)
        wait_until(lambda: controller.ask("02 0008 0001") == "020101", "the booster to run again")
    wait_until(lambda: master.told("feeder_1_active") and master.told("feeder_1_active")[-1] > 50, "its power")


def test_steps_and_set_points(master):
    before = value(master.interrogate()[POINT["tap_position"]])
    step = ("tap_higher", c104.Type.C_RC_NA_1, c104.Step.HIGHER, c104.CommandMode.DIRECT)
    assert not master.command(*step), "the voltage control is on"
    assert master.single("voltage_control", False)
    voltage = master.told("busbar_voltage_12")[-1]
    wait_until(lambda: master.command(*step), "the program to see that")
    wait_until(lambda: before + 1 in master.told("tap_position"), "the tap changer to arrive")
    wait_until(lambda: master.told("busbar_voltage_12")[-1] > voltage + 0.2, "the voltage to rise")
    moved = [thing for thing in master.heard if thing.address == POINT["tap_position"] and thing.type == 32]
    assert moved[0].element[0] & 0x80 and not moved[-1].element[0] & 0x80, "first it moves, then it stands"

    since, direct = len(master.heard), c104.CommandMode.DIRECT
    assert master.command("voltage_setpoint", c104.Type.C_SE_NC_1, 20.25, direct)
    wait_until(lambda: master.told("voltage_setpoint", since) == [20.25], "the set point to be told")
    assert not master.command("voltage_setpoint", c104.Type.C_SE_NC_1, 40.0, direct)
    assert master.command("voltage_delay", c104.Type.C_SE_NB_1, c104.Int16(12), direct)
    wait_until(lambda: master.told("voltage_delay", since) == [12], "the delay to be told")
    assert master.single("feeder_2_reclosing", True)
    wait_until(lambda: master.told("feeder_2_reclosing_on", since) == [1], "reclosing to be on")
    assert master.single("voltage_control", True)


def test_what_is_not_permitted_is_refused(demo, master):
    # It is not selected; it breaks a load; it would be earthed alive.
    assert not master.double("feeder_2_breaker", on=False, mode=c104.CommandMode.DIRECT)
    assert not master.double("feeder_2_disconnector", on=False)
    assert not master.double("feeder_2_earthing", on=True)
    assert value(master.interrogate()[POINT["feeder_2_disconnector"]]) == 2
    with Frames() as peer:
        station, breaker = octets(STATION, 2), octets(COMMAND["feeder_2_breaker"], 3)
        for asdu, cause in [
            (f"2e010600{station}{octets(1, 3)}81", UNKNOWN_OBJECT),
            (f"2e010600{octets(77, 2)}{breaker}81", UNKNOWN_ADDRESS),
            (f"2e010500{station}{breaker}81", UNKNOWN_CAUSE),
            (f"2e010600{station}{breaker}80", CONFIRMED),
            (f"2d010600{station}{breaker}81", UNKNOWN_OBJECT),
            (f"68010600{station}000000aa55", UNKNOWN_TYPE),
        ]:
            thing = peer.ask(asdu)
            assert thing.negative and thing.cause == cause, (asdu, thing)

    def refused():
        return [event for event in demo.events() if event["event"].get("outcome") == "failure"]

    wait_until(lambda: len(refused()) >= 9, "three refusals of c104 and six more to be recorded")


def test_the_clock_tests_reading_and_a_reset(demo, master):
    wait_until(lambda: master.connection.clock_sync(common_address=STATION), "the clock to be set")
    wait_until(lambda: master.connection.test(common_address=STATION), "the test to be answered")
    point = master.station.add_point(io_address=POINT["busbar_voltage_12"], type=c104.Type.M_ME_NC_1)
    wait_until(point.read, "the voltage to be read")
    assert 19.5 < point.value < 21.8
    wait_until(lambda: REQUEST in [thing.cause for thing in master.heard], "what was read")
    with Frames() as peer:
        thing = peer.ask(f"69010600{octets(STATION, 2)}00000001")
        assert not thing.negative and thing.cause == CONFIRMED

    def commanded():
        return {event["honeyplant"]["command"] for event in demo.events("command")}

    wait_until(lambda: {"clock", "restart"} <= commanded(), "both to be recorded")


def test_only_one_of_two_masters_has_the_data(demo):
    with Master() as first, Master(started=False) as second:
        assert first.interrogate()
        since = len(first.heard)
        assert not second.heard
        second.start()
        assert second.interrogate()
        assert {thing.cause for thing in first.heard[since:]} <= {SPONTANEOUS, PERIODIC}, "nothing that it asked for"
        silent = len(first.heard)
        assert second.double("feeder_3_breaker", on=False)
        wait_until(lambda: second.told("feeder_3_breaker")[-1:] == [1], "the breaker to open")
        assert len(first.heard) == silent


def test_what_was_done_is_recorded_in_words(demo, master):
    assert master.double("feeder_3_breaker", on=False)
    wait_until(lambda: master.told("feeder_3_breaker")[-1:] == [1], "the breaker to open")
    writes = wait_until(lambda: demo.events("write"), "the command to be recorded")
    honeyplant = writes[0]["honeyplant"]
    assert "feeder_3_breaker_off" in honeyplant["tags"], honeyplant
    assert writes[0]["threat"]["technique"]["id"], writes[0]
    assert {event["honeyplant"]["command"] for event in demo.events("command")} == {"select"}
    words = demo.tell("events")
    assert "rtu-substation" in words and "feeder_3_breaker_off" in words, words


def test_nmap_identifies_it(plant):
    plant.start("--port-offset", "0", listens=(RTU[0], 2404))
    command = ["nmap", "-n", "-Pn", "-p", "2404", "--script", "iec-identify", RTU[0]]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    assert f"ASDU address: {STATION}" in told and "Information objects:" in told, told


def test_tshark_finds_nothing_malformed(plant, tmp_path):
    plant.start("--port-offset", "0", listens=(RTU[0], 2404))
    with Capture(tmp_path / "iec104.pcap") as capture, Master(to=(RTU[0], 2404)) as master:
        master.interrogate()
        assert master.connection.counter_interrogation(common_address=STATION, wait_for_response=False)
        wait_until(lambda: master.answers(101, ENDED), "the counters")
        assert master.double("feeder_3_breaker", on=False)
        wait_until(lambda: master.told("feeder_3_breaker")[-1:] == [1], "the breaker to open")
        assert master.connection.clock_sync(common_address=STATION, wait_for_response=False)
        wait_until(lambda: master.answers(103, CONFIRMED), "the clock to be set")
    assert len(capture.shown("iec60870_asdu").splitlines()) > 10
    assert capture.shown("_ws.malformed") == ""

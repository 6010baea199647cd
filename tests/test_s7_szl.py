"""What the S7-300 tells of itself over S7comm and SNMP: status lists, diagnostic buffer, clock; asked by both snap7 clients,
nmap, net-snmp, and read by tshark."""

import datetime
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, Capture, Peer, wait_until
from snap7 import Client

CPU = ("127.0.34.1", 102)
# python-snap7 2 brings the C library; the two versions cannot be in one interpreter.
SNAP7_2 = Path(sys.prefix) / "snap7-2"


def station(folder, address=CPU[0]):
    text = '[site]\nname = "test"\n[[devices]]\nname = "station"\nprofile = "siemens-s7-300"\n'
    (folder / "site.toml").write_text(f'{text}addresses = ["{address}"]\n')
    return folder


@pytest.fixture
def controller(plant, tmp_path):
    return plant.start(station(tmp_path), listens=CPU)


def snap7_2(script):
    """What `script` leaves in `out`, run with the C library's client connected to the CPU as `client`."""
    head = (
        "import json, datetime, snap7\nout = {}\n"
        f"client = snap7.client.Client()\nclient.connect({CPU[0]!r}, 0, 2)\n"
        "def szl(id, index=0):\n"
        "    read = client.read_szl(id, index)\n"
        "    length, count = read.Header.LengthDR, read.Header.NDR\n"
        "    octets = bytes(read.Data)[:length * count]\n"
        "    return [octets[at:at + length].hex() for at in range(0, len(octets), length)]\n"
        "def refused(id, index=0):\n"
        "    try:\n"
        "        return szl(id, index) and ''\n"
        "    except Exception as why:\n"
        "        return str(why)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{head}{script}\nprint(json.dumps(out))"],
        env={**os.environ, "PYTHONPATH": str(SNAP7_2)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


IDENTITY = """
info, order = client.get_cpu_info(), client.get_order_code()
for name in ("ModuleTypeName", "SerialNumber", "ASName", "Copyright", "ModuleName"):
    out[name] = getattr(info, name).decode()
out["order"] = order.OrderCode.decode()
out["pdu"] = client.get_cp_info().MaxPduLength
guard = client.get_protection()
out["protection"] = [guard.sch_schal, guard.sch_par, guard.sch_rel, guard.bart_sch, guard.anl_sch]
out["state"] = client.get_cpu_state()
out["directory"] = szl(0)
out["parts"] = szl(0x11)
out["names"] = szl(0x1C)
"""


def test_the_c_library_learns_who_the_cpu_is(controller):
    out, drawn = snap7_2(IDENTITY), controller.identity("station")
    assert out["ModuleTypeName"] == "CPU 315-2 PN/DP" and out["order"].strip() == "6ES7 315-2EH14-0AB0"
    assert (out["SerialNumber"], out["ASName"], out["ModuleName"]) == (
        drawn["serial"],
        drawn["station"],
        drawn["cpu_name"],
    )
    assert out["Copyright"] == "Original Siemens Equipment"
    assert (out["pdu"], out["protection"], out["state"]) == (240, [1, 0, 1, 1, 0], "S7CpuStatusRun")
    assert {"0000", "0011", "001c", "0131", "0424", "00a0", "0fa0"} <= set(out["directory"])
    numbers = bytes(map(int, drawn["firmware"].removeprefix("V").split(".")))
    assert out["parts"][2].endswith((b"V" + numbers).hex())
    # The whole list is longer than a PDU: its last record has come, too.
    assert bytes.fromhex(out["names"][-1]).rstrip(b"\0")[2:].decode() == drawn["location"]
    told = controller.tell("events")
    assert "asked: read SZL: component identification" in told and "asked: read SZL: operating mode" in told


def test_every_list_of_the_directory_is_answered(controller):
    out = snap7_2(
        "for id in szl(0):\n"
        "    number = int(id, 16)\n"
        "    for index in (0, 1, 4, 7, 256, 288, 2046, 0x0A00, 320 | 0x8000):\n"
        "        if (why := refused(number, index)) == '':\n"
        "            break\n"
        "    out[id] = why\n"
    )
    # There is no master system with stations, and no submodule of one.
    assert {id for id, why in out.items() if why} <= {"0195", "0696", "00b4"}, out


def test_what_is_not_there_is_refused(controller):
    out = snap7_2("out['list'], out['index'] = refused(0x1FFF), refused(0x0111, 9)")
    assert "not available" in out["list"] and "not available" in out["index"]
    told = controller.tell("events")
    assert "read SZL (refused with 54273: the information is not available)" in told, told
    assert "read SZL: module identification (refused with 54274: there is no such index)" in told, told


def test_the_newer_client_learns_the_same(controller):
    client, drawn = Client(), controller.identity("station")
    client.connect(CPU[0], 0, 2)
    info = client.get_cpu_info()
    assert info.SerialNumber.decode() == drawn["serial"]
    order = client.get_order_code()
    assert f"V{order.V1}.{order.V2}.{order.V3}" == drawn["firmware"]
    assert client.get_cp_info() and client.get_protection()
    assert len(client.read_szl_list()) > 100
    client.disconnect()


def test_stop_and_start_are_seen_in_the_mode_the_leds_and_the_buffer(controller):
    out = snap7_2(
        "look = lambda: [client.get_cpu_state(), szl(0x119, 4) + szl(0x119, 5), [entry[:4] for entry in szl(0xA0)]]\n"
        "out['run'] = look()\nclient.plc_stop()\nout['stop'] = look()\nclient.plc_hot_start()\nout['again'] = look()\n"
    )
    assert out["run"] == ["S7CpuStatusRun", ["00040100", "00050000"], ["4302", "1382", "4301", "4300"]]
    assert out["stop"] == ["S7CpuStatusStop", ["00040000", "00050100"], ["4304", *out["run"][2]]]
    assert out["again"] == ["S7CpuStatusRun", ["00040100", "00050000"], ["4302", "1381", "4301", *out["stop"][2]]]


def test_the_clock_is_set_for_the_whole_device(controller):
    out = snap7_2(
        "client.set_plc_datetime(datetime.datetime(2031, 2, 3, 4, 5, 6))\nout['clock'] = str(client.get_plc_datetime())"
    )
    assert out["clock"].startswith("2031-02-03 04:05:0")
    client = Client()
    client.connect(CPU[0], 0, 2)
    assert client.get_plc_datetime() - datetime.datetime(2031, 2, 3, 4, 5, 6) < datetime.timedelta(seconds=PATIENCE)
    client.disconnect()
    wait_until(lambda: controller.events("command"), "the command to be recorded")
    assert "commanded: set clock" in controller.tell("events")


def test_nmap_tells_all_that_it_can(controller):
    drawn = controller.identity("station")
    command = ["nmap", "-n", "-Pn", "-p", str(CPU[1]), "--script", "s7-info", CPU[0]]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    for line in [
        "Module: 6ES7 315-2EH14-0AB0",
        "Basic Hardware: 6ES7 315-2EH14-0AB0",
        f"Version: {drawn['firmware'].removeprefix('V')}",
        f"System Name: {drawn['station']}",
        # What the script calls so is the name that the CPU was given, which may be the one of its type.
        f"Module Type: {drawn['cpu_name']}",
        f"Serial Number: {drawn['serial']}",
        f"Plant Identification: {drawn['plant_id']}",
        "Copyright: Original Siemens Equipment",
    ]:
        assert line in told, told


def test_snmp_tells_of_the_same_device(controller):
    drawn = controller.identity("station")
    command = ["snmpget", "-v1", "-c", "public", "-Oqv", "-t", "3", CPU[0], "1.3.6.1.2.1.1.1.0"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    assert drawn["serial"] in told and f"FW: {drawn['firmware']}," in told and f"HW: {drawn['hardware']}," in told
    # The letter of the year, and the year.
    letters = dict(zip("ABCDEFHJKL", range(2010, 2020), strict=True))
    assert re.fullmatch(r"S C-[A-Z][1-9OND][A-Z0-9]{2}\d{4}\d{4}", drawn["serial"])
    assert str(letters[drawn["serial"][4]]) == drawn["serial"][-4:] == drawn["made"]


def user_data(group, function, data, reference=1):
    data = b"\xff\x09" + struct.pack(">H", len(data)) + data
    parameter = bytes([0, 1, 0x12, 4, 0x11, 0x40 | group, function, 0])
    pdu = struct.pack(">BBHHHH", 0x32, 7, 0, reference, len(parameter), len(data)) + parameter + data
    return struct.pack(">BBHBBB", 3, 0, len(pdu) + 7, 2, 0xF0, 0x80) + pdu


def packet(peer):
    """The next packet that the peer is sent."""
    head = peer._take(4)
    return head + peer._take(int.from_bytes(head[2:]) - 4)


def connect(peer):
    peer.send(bytes.fromhex("0300001611e00000000100c1020100c2020102c0010a"))
    packet(peer)
    peer.send(bytes.fromhex("0300001902f08032010000000000080000f0000001000101e0"))
    packet(peer)


def test_values_and_messages_come_by_themselves(controller, tmp_path):
    """A panel that watches a word every 100 ms, and listens; and what tshark makes of all this."""
    with Capture(tmp_path / "push.pcap") as capture, Peer(to=CPU) as peer:
        connect(peer)
        peer.send(user_data(2, 1, bytes.fromhex("00010001 120a10 02 0002 0000 83 000000")))
        first, *pushed = [packet(peer) for _ in range(3)]
        assert all(later[25:] == first[29:] or later[-6:] == first[-6:] for later in pushed)
        peer.send(user_data(2, 4, b"\0\0"))
        while packet(peer)[22] & 0xF0 != 0x80:
            pass
        peer.send(user_data(4, 2, b"\x03\0PANEL_1\0"))
        assert packet(peer)[-2:] == b"\x02\0"
        snap7_2("client.plc_stop()")
        mode, entry = packet(peer), packet(peer)
        assert (mode[22], mode[23]) == (0, 0), "the mode is STOP"
        assert (entry[22], entry[23], entry[-20:-18].hex()) == (4, 3, "4304")
    wait_until(lambda: len(controller.events("command")) >= 4, "the commands to be recorded")
    told = controller.tell("events")
    assert "commanded: subscribe cyclically" in told and "commanded: subscribe to messages" in told, told
    if shutil.which("tshark"):
        assert capture.shown("_ws.malformed && tcp.srcport == 102") == ""
        assert capture.shown("s7comm.cpu.diag_msg.eventid == 0x4304")


def test_tshark_decodes_what_is_read(controller, tmp_path):
    drawn = controller.identity("station")
    with Capture(tmp_path / "szl.pcap") as capture:
        snap7_2(IDENTITY)
        snap7_2("for id in szl(0):\n    refused(int(id, 16))\n    refused(int(id, 16), 1)")
        snap7_2("client.get_plc_datetime()\nclient.set_plc_datetime(datetime.datetime(2031, 2, 3, 4, 5, 6))")
    assert capture.shown("_ws.malformed && tcp.srcport == 102") == ""
    assert capture.shown(f's7comm.szl.001c.0005.serialn contains "{drawn["serial"]}"')
    assert capture.shown("s7comm.szl.0131.0001.pdu == 240")
    assert capture.shown("s7comm.szl.xy74.0000.led_on == 1")
    assert capture.shown("s7comm.szl.0424.0000.bzu_id.req == 8")


def test_no_two_stations_are_the_same(plant, tmp_path):
    drawn = []
    for install in ("one", "two"):
        folder = tmp_path / install
        folder.mkdir()
        plant.state = folder / "state"
        plant.start(station(folder), listens=CPU)
        drawn.append(snap7_2("out['names'] = szl(0x1C)")["names"])
        plant.stop()
    serial, card = 4, 6
    assert drawn[0][serial] != drawn[1][serial] and drawn[0][card] != drawn[1][card]
    # What a well-known library's server says.
    assert all(b"C2UR28922012" not in bytes.fromhex(name) for names in drawn for name in names)

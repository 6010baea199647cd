"""S7comm, asked by python-snap7: the C library of version 2, and the Python of version 3; nmap, and tshark."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, Capture, Peer, wait_until
from snap7 import Area, Client
from snap7.type import WordLen

CPU = ("127.0.32.1", 102)
SITE = ROOT / "tests/sites/s7"
# python-snap7 2 brings the C library; the two versions cannot be in one interpreter.
SNAP7_2 = Path(sys.prefix) / "snap7-2"


@pytest.fixture
def controller(plant):
    return plant.start(SITE, listens=CPU)


@pytest.fixture
def client(controller):
    client = Client()
    client.connect(CPU[0], 0, 2)
    yield client
    client.disconnect()


def snap7_2(script):
    """What `script` prints as JSON, run with the C library's client connected to the CPU as `client`."""
    head = (
        "import json, ctypes, snap7\n"
        "from snap7.type import *\n"
        f"client = snap7.client.Client()\nclient.connect({CPU[0]!r}, 0, 2)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + script],
        env={**os.environ, "PYTHONPATH": str(SNAP7_2)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(call, *arguments):
    with pytest.raises(Exception) as told:
        call(*arguments)
    return str(told.value)


def test_sizes_are_agreed_on(client):
    assert client.get_pdu_length() == 240
    assert client.get_connected()


def test_every_area_is_read_and_written(client):
    for area, block, size in [(Area.PE, 0, 128), (Area.PA, 0, 128), (Area.MK, 0, 256), (Area.DB, 10, 512)]:
        for start in (0, 7, size - 4):
            client.write_area(area, block, start, bytearray(b"\x01\xff\x80\x7f"))
            assert client.read_area(area, block, start, 4) == bytearray(b"\x01\xff\x80\x7f"), area
    # Longer than one PDU: the client asks in parts.
    octets = bytearray(range(256)) * 2
    client.write_area(Area.DB, 10, 0, octets)
    assert client.read_area(Area.DB, 10, 0, 512) == octets
    client.write_area(Area.TM, 0, 5, bytearray(b"\x20\x15\x10\x99"))
    assert client.read_area(Area.TM, 0, 4, 4) == bytearray(b"\x00\x00\x20\x15\x10\x99\x00\x00")
    client.write_area(Area.CT, 0, 255, bytearray(b"\x01\x23"))
    assert client.read_area(Area.CT, 0, 255, 1) == bytearray(b"\x01\x23")


def test_what_is_not_there_is_refused(client, controller):
    told = refused(client.db_read, 11, 0, 4)
    assert "exist" in told.lower() or "available" in told.lower(), told
    refused(client.db_read, 10, 510, 4)
    refused(client.read_area, Area.TM, 0, 255, 2)
    refused(client.db_write, 10, 512, bytearray(1))
    reads = wait_until(lambda: len(events := controller.events("read")) >= 3 and events, "the reads to be recorded")
    words = controller.tell("events")
    assert "read data block DB11.DBB0 to DBB3 (refused with 10: the object does not exist)" in words, words
    assert "read data block DB10.DBB510 to DBB513 (refused with 5: the address is out of range)" in words, words
    assert reads
    # The connection goes on.
    assert client.db_read(10, 0, 4) == bytearray(b"\x41\x48\x00\x00")


def test_tags_are_seen_in_what_is_read_and_written(client, controller):
    assert client.db_read(10, 0, 6) == bytearray(b"\x41\x48\x00\x00\xff\xf9")
    client.db_write(10, 4, bytearray(b"\x00\x2a"))
    assert client.read_area(Area.PE, 0, 0, 1) == bytearray(b"\x08")
    wait_until(lambda: len(controller.events("read")) == 2, "the reads to be recorded")
    words = controller.tell("events")
    assert "read data block DB10.DBB0 to DBB5 (level, setpoint): 65 72 0 0 255 249" in words, words
    assert "wrote data block DB10.DBB4 to DBB5 (setpoint): 255 249 -> 0 42" in words, words
    assert "read input IB0 (float): 8" in words, words


SNAP7_2_AREAS = """
out = {}
items = (S7DataItem * 4)()
buffers = []
for item, (area, block, word, start, amount, size) in zip(items, [
    (Areas.DB, 10, WordLen.Real, 0, 1, 4),
    (Areas.DB, 11, WordLen.Byte, 0, 1, 1),
    (Areas.PA, 0, WordLen.Bit, 1, 1, 1),
    (Areas.MK, 0, WordLen.Byte, 3, 3, 3),
]):
    item.Area, item.DBNumber, item.WordLen = area.value, block, word.value
    item.Start, item.Amount = start, amount
    buffer = ctypes.create_string_buffer(size)
    buffers.append(buffer)
    item.pData = ctypes.cast(ctypes.pointer(buffer), ctypes.POINTER(ctypes.c_uint8))
code, read = client.read_multi_vars(items)
out["results"] = [item.Result for item in read]
out["values"] = [buffer.raw.hex() for buffer in buffers]
client.write_area(Areas.MK, 0, 10, bytearray(b"abc"))
out["flags"] = client.read_area(Areas.MK, 0, 10, 3).hex()
client.write_area(Areas.TM, 0, 1, bytearray(b"\\x20\\x15"))
out["timer"] = client.read_area(Areas.TM, 0, 1, 1).hex()
out["pdu"] = client.get_pdu_length()
print(json.dumps(out))
"""


def test_the_c_library_reads_many_items_at_once(controller):
    out = snap7_2(SNAP7_2_AREAS)
    assert out["pdu"] == 240
    assert out["results"][0] == 0 and out["results"][1] != 0 and out["results"][2:] == [0, 0]
    assert out["values"] == ["41480000", "00", "00", "000000"]
    assert (out["flags"], out["timer"]) == ("616263", "2015")


def test_a_bit_is_written_alone(client, controller):
    client.write_area(Area.PA, 0, 1, bytearray([1]), WordLen.Bit)
    assert client.read_area(Area.PA, 0, 0, 1) == bytearray([2])
    wait_until(lambda: controller.events("write"), "the write to be recorded")
    assert "wrote output Q0.1 (pump): off -> on" in controller.tell("events")


def test_a_connection_to_another_slot_is_closed(controller):
    refused(Client().connect, CPU[0], 0, 5)
    closed = wait_until(lambda: controller.events("closed"), "the session to be recorded")
    assert closed
    assert "connection request of unit 5 (not answered: there is no CPU at this TSAP)" in controller.tell("events")


def test_requests_that_come_at_once_are_answered_in_order(controller):
    connect = bytes.fromhex("0300001611e00000000100c1020100c2020102c0010a")
    setup = bytes.fromhex("0300001902f08032010000000100080000f0000001000101e0")
    read = [
        bytes.fromhex(f"0300001f02f08032010000000{reference}000e00000401120a10020004000a84000000")
        for reference in (2, 3)
    ]
    with Peer(to=CPU) as peer:
        peer.send(connect + setup + b"".join(read))
        answers = [peer._take(length) for length in (22, 27, 29, 29)]
    assert answers[0][8:10] != bytes(2)
    assert [answer[11:13].hex() for answer in answers[1:]] == ["0001", "0002", "0003"]
    assert answers[2][21:].hex() == "ff04002041480000"


# Every function of the C library's client, or why it failed.
SNAP7_2_EVERYTHING = """
import datetime as dates
def told(call, *arguments):
    try:
        return str(call(*arguments))
    except Exception as why:
        return str(why)
out = {
    "unit": client.get_cpu_info().ModuleTypeName.decode(),
    "order": client.get_order_code().OrderCode.decode(),
    "state": client.get_cpu_state(),
    "lists": told(client.read_szl_list),
    "communication": told(client.get_cp_info),
    "protection": told(client.get_protection),
    "blocks": client.list_blocks().DBCount,
    "header": client.get_block_info(Block.DB, 10).MC7Size,
}
for kind in Block:
    out[kind.name] = told(client.list_blocks_of_type, kind, 100)
client.set_plc_datetime(dates.datetime(2026, 3, 4, 5, 6, 7))
out["clock"] = client.get_plc_datetime().isoformat()[:16]
out["password"] = told(client.set_session_password, "secret")
out["cleared"] = told(client.clear_session_password)
block, size = client.full_upload(Block.DB, 10)
block = bytes(block)[:size]
client.download(bytearray(block), 10)
again, size = client.full_upload(Block.DB, 10)
# The library clears the checksum, two octets of the block's end, of what it downloads.
out["same"] = size == len(block) and sum(new != old for new, old in zip(bytes(again), block)) <= 2
client.plc_stop()
out["stopped"] = client.get_cpu_state()
out["twice"] = told(client.plc_stop)
client.plc_hot_start()
out["running"] = client.get_cpu_state()
client.plc_stop()
client.plc_cold_start()
out["compressed"] = told(client.compress, 1000)
out["saved"] = told(client.copy_ram_to_rom, 1000)
client.delete(Block.DB, 1)
out["deleted"] = told(client.db_read, 1, 0, 1)
print(json.dumps(out))
"""


def test_the_c_library_does_all_that_it_can(controller):
    out = snap7_2(SNAP7_2_EVERYTHING)
    assert out["unit"] == "CPU 315-2 PN/DP" and out["order"].startswith("6ES7 315-2EH14-0AB0")
    assert (out["state"], out["stopped"], out["running"]) == ("S7CpuStatusRun", "S7CpuStatusStop", "S7CpuStatusRun")
    assert (out["blocks"], out["header"]) == (2, 512)
    assert out["clock"] == "2026-03-04T05:06"
    assert out["same"]
    assert "not available" in out["deleted"], out
    wait_until(lambda: controller.events("closed"), "the session to be recorded")
    actions = {event["event"]["action"] for event in controller.events()}
    assert {"identify", "list_blocks", "inspect_block", "upload_block", "download_block", "delete_block", "command"} <= actions


def test_nmap_sees_what_the_cpu_is(controller):
    command = ["nmap", "-n", "-Pn", "-p", str(CPU[1]), "--script", "s7-info", CPU[0]]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    for line in ["Module: 6ES7 315-2EH14-0AB0", "Basic Hardware: 6ES7 315-2EH14-0AB0", "Copyright: Original Siemens"]:
        assert line in told, told


def look_around():
    client = Client()
    client.connect(CPU[0], 0, 2)
    for area, block in [(Area.PE, 0), (Area.PA, 0), (Area.MK, 0), (Area.DB, 10), (Area.TM, 0), (Area.CT, 0)]:
        client.write_area(area, block, 0, client.read_area(area, block, 0, 3))
    refused(client.db_read, 11, 0, 4)
    client.disconnect()


@pytest.mark.parametrize(
    "exchange",
    [look_around, lambda: snap7_2(SNAP7_2_AREAS), lambda: snap7_2(SNAP7_2_EVERYTHING)],
    ids=["snap7-3", "snap7-2", "everything"],
)
def test_tshark_finds_nothing_malformed(controller, tmp_path, exchange):
    with Capture(tmp_path / "s7.pcap") as capture:
        exchange()
    assert len(capture.shown("s7comm").splitlines()) >= 12
    assert capture.shown("tcp.flags.fin == 1"), "the capture does not reach to the end"
    assert capture.shown("_ws.malformed && tcp.srcport == 102") == ""

"""What people outside see with the tools that they have: mbpoll, nmap, pymodbus under tshark."""

import select
import socket
import struct
import subprocess
import time

import pytest
from conftest import DEMO, FUNCTIONS, PATIENCE, Peer, wait_until
from pymodbus.client import ModbusTcpClient


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def mbpoll(*arguments, code=0):
    command = ["mbpoll", "-m", "tcp", "-p", str(DEMO[1]), "-1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_mbpoll_reads_and_writes_and_the_record_tells_it(demo):
    host = DEMO[0]
    # Without -0, mbpoll counts as operators do: reference 401 is %MW400.
    assert "Written 2 references." in mbpoll("-t", "4", "-r", "401", host, "1234", "5678")
    told = mbpoll("-t", "4", "-r", "401", "-c", "3", host)
    assert "[401]: \t1234" in told and "[402]: \t5678" in told
    assert "Written 1 references." in mbpoll("-t", "0", "-r", "301", host, "1")
    assert "[301]: \t1" in mbpoll("-t", "0", "-r", "301", "-c", "8", host)
    assert "Illegal data address" in mbpoll("-t", "4", "-r", "65000", host, code=1)

    wait_until(lambda: len(demo.events("closed")) == 5, "five sessions to be recorded")
    words = demo.tell("events")
    for sentence in [
        "wrote holding registers 400 to 401 of unit 1: 0 0 -> 1234 5678",
        "read holding registers 400 to 402 of unit 1: 1234 5678 0",
        "wrote coil 300 of unit 1: off -> on",
        "refused with 2: illegal data address",
    ]:
        assert sentence in words, words
    assert "plc-intake" in words and "127.0.0.1" in words


def test_the_record_names_the_tags_that_were_met(demo):
    with Peer() as peer:
        peer.ask("03 0000 007d")
    read = wait_until(lambda: demo.events("read"), "the read to be recorded")[0]
    names = read["honeyplant"]["tags"]
    assert names
    assert all(name in demo.tell("events") for name in names)


@pytest.fixture
def standard_port(plant):
    """The demo site on the real ports; nmap's scripts look at no others."""
    return plant.start("--port-offset", "0", listens=(DEMO[0], 502))


def test_nmap_prints_the_drawn_identity(standard_port):
    told = run("nmap", "-n", "-Pn", "-p", "502", "--script", "modbus-discover", DEMO[0])
    assert "sid 0x1" in told and "error: ILLEGAL FUNCTION" in told, told
    # The vendor ends with two blanks, as the device's does, and nmap puts one between the objects.
    firmware = standard_port.identity()["firmware"]
    assert f"Device identification: Schneider Electric   BMX P34 2020 {firmware}\n" in told, told


def test_nmap_finds_the_same_device_behind_every_unit(standard_port):
    script = ["--script", "modbus-discover", "--script-args", "modbus-discover.aggressive=true"]
    told = run("nmap", "-n", "-Pn", "-p", "502", *script, DEMO[0])
    assert told.count("Device identification: ") == 246, told


def test_a_version_scan_harms_nothing(standard_port):
    at = (DEMO[0], 502)
    with Peer(at) as before:
        told = run("nmap", "-n", "-Pn", "-sV", "-p", "502", DEMO[0])
        assert "502/tcp open" in told, told
        assert before.ask("03 0000 0001").startswith("0302")
    with Peer(at) as after:
        assert after.ask("03 0000 0001").startswith("0302")


def test_tshark_finds_nothing_malformed(plant, tmp_path):
    plant.start(FUNCTIONS, listens=("127.0.30.1", 502))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind(("lo", 0))
    with ModbusTcpClient("127.0.30.1", port=502) as client:
        client.write_registers(10, [1, 2, 3])
        client.read_holding_registers(10, count=100)
        client.read_coils(0, count=2000)
        client.read_holding_registers(0, count=1, device_id=77)
        client.report_device_id()
        client.read_fifo_queue(address=500)
        client.diag_get_comm_event_log()
        client.read_device_information(read_code=3)
    capture = tmp_path / "modbus.pcap"
    with capture.open("wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while select.select([wire], [], [], 0.5)[0]:
            octets, (_, _, direction, *_) = wire.recvfrom(65535)
            # On loopback every frame is seen going out and coming in.
            if direction == socket.PACKET_OUTGOING:
                file.write(struct.pack("<IIII", int(time.time()), 0, len(octets), len(octets)) + octets)
    assert len(run("tshark", "-r", capture, "-Y", "modbus").splitlines()) >= 16
    assert run("tshark", "-r", capture, "-Y", "_ws.malformed") == ""

"""The packet captures that the sink `pcap` writes, read by tshark and held against what really went over the wire."""

import shutil
import socket
import subprocess
import urllib.request
from collections import Counter

import pytest
from conftest import DEMO, ROOT, Capture, Peer, wait_until
from snap7 import Area, Client
from test_iec104 import NUMBERS, Master

HILL, HMI, RTU = "127.0.10.1", "127.0.10.3", "127.0.10.5"
MODBUS = (DEMO[0], 502)
# Packets that tell that a stream is not as it should be.
ODD = "tcp.analysis.retransmission || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.out_of_order || tcp.analysis.window_full"
BAD = "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"


class Captures:
    """The captures of a plant."""

    def __init__(self, plant, folder):
        self.plant, self.folder = plant, folder

    def files(self):
        return sorted((self.plant.state / "captures").glob("*/*.pcapng"))

    def merged(self):
        """All files as one."""
        path = self.folder / "merged.pcapng"
        subprocess.run(["mergecap", "-w", path, *self.files()], check=True, capture_output=True)
        return Capture(path)

    def delivered(self):
        """Waits until the sink has all that is recorded, and ends the plant."""
        self.plant.stop()
        return self.merged()


def told(capture, *fields, only=""):
    """The values of the fields, packet by packet; without checksums that nobody offers to be seen."""
    command = ["tshark", "-r", capture.path, "-T", "fields", "-E", "occurrence=a", "-o", "ip.check_checksum:TRUE"]
    command += ["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", *(["-Y", only] if only else [])]
    done = subprocess.run([*command, *(word for field in fields for word in ("-e", field))], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@pytest.fixture
def captures(plant, tmp_path, request):
    folder = tmp_path / "site"
    shutil.copytree(ROOT / "sites/waterworks", folder)
    with (folder / "site.toml").open("a") as file:
        file.write(f"\n[[sinks.pcap]]\n{getattr(request, 'param', '')}\n")
    plant.state.mkdir()
    (plant.state / "identity.toml").write_text(NUMBERS)
    plant.start("--port-offset", "0", folder, listens=MODBUS)
    return Captures(plant, tmp_path)


def conversations(plant):
    """Modbus, S7, IEC 104, SNMP and HTTP, as their clients speak them."""
    with Peer(to=MODBUS) as peer:
        for pdu in ("03 0000 0004", "01 0000 0010", "05 0003 ff00", "06 0010 0007", "2b 0e 01 00", "63"):
            peer.ask(pdu)
    client = Client()
    client.connect(HILL, 0, 2)
    client.read_area(Area.MK, 0, 0, 8)
    client.list_blocks()
    client.disconnect()
    with Master(to=(RTU, 2404)) as master:
        master.interrogate()
    for version in ("1", "2c"):
        subprocess.run(["snmpwalk", "-v", version, "-c", "public", "-t", "1", "-r", "1", "-On", "-m", "", HMI, "1.3.6.1.2.1.1"], capture_output=True, timeout=60)
    for path in ("/", "/nothing-here?<script>"):
        subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://{HMI}{path}"], timeout=60)


# What was said, by protocol: the fields that tell it.
SAID = {
    "modbus": ("mbtcp.trans_id", "modbus.func_code"),
    "s7comm": ("s7comm.header.pduref", "s7comm.header.rosctr"),
    "iec60870_asdu": ("iec60870_asdu.typeid", "iec60870_asdu.causetx"),
    "snmp": ("snmp.request_id", "snmp.name"),
    "http.request": ("http.request.method", "http.request.uri"),
    "http.response": ("http.response.code",),
}


def test_tshark_reads_what_went_over_the_wire(captures, tmp_path):
    with Capture(tmp_path / "live.pcap") as live:
        conversations(captures.plant)
    made = captures.delivered()
    for protocol, fields in SAID.items():
        def said(capture):
            # The wire may carry several messages in a packet; what matters is what was said.
            packets = told(capture, *fields, only=protocol)
            return Counter(value for packet in packets for field in packet for value in field.split(","))

        assert said(live), f"{protocol} was spoken"
        if protocol == "snmp":
            # A walk asks the same question of one object after another, and the record folds it.
            assert said(made) and said(made) <= said(live)
        else:
            assert said(made) == said(live), protocol
    assert made.shown("_ws.malformed") == ""
    assert made.shown(ODD) == ""
    assert told(made, "frame.number", only=BAD) == []
    # Every session is a whole one.
    for flag, count in (("syn", 2), ("fin", 2)):
        streams = Counter(packet[0] for packet in told(made, "tcp.stream", only=f"tcp.flags.{flag} == 1 && !tcp.flags.reset == 1"))
        assert streams and set(streams.values()) == {count}, (flag, streams)


def test_comments_name_the_events(captures):
    with Peer(to=MODBUS) as peer:
        peer.ask("05 0003 ff00")
        for _ in range(50):
            peer.ask("03 0000 0001", unit=1)
            peer.transaction -= 1
    made = captures.delivered()
    write = captures.plant.events("write")[0]
    packets = told(made, "frame.comment", "modbus.func_code", "frame.interface_name", only=f'frame.comment contains "event {write["event"]["id"]} "')
    assert len(packets) == 1 and packets[0][1:] == ("5", "plc-intake"), packets
    assert write["message"] in packets[0][0]
    times = sum(event["honeyplant"].get("repeated", 1) for event in captures.plant.events("read"))
    reads = captures.plant.events("read")
    assert times == 50 and len(told(made, "frame.number", only="modbus.func_code == 3 && tcp.dstport == 502")) == len(reads)
    assert any("came" in packet[0] for packet in told(made, "frame.comment", only='frame.comment contains "shown once"'))


def test_a_long_page_is_shown_as_cut(captures):
    assert len(urllib.request.urlopen(f"http://{HMI}/", timeout=20).read()) > 5000
    made = captures.delivered()
    assert told(made, "frame.number", only="frame.cap_len < frame.len && http.response.code == 200")
    assert made.shown("_ws.malformed") == ""


@pytest.mark.parametrize("captures", ["", 'files = "rolling"\nrotate = "1MiB"'], ids=["session", "rolling"], indirect=True)
def test_nothing_is_lost_and_nothing_is_there_twice_after_a_kill(captures, tmp_path):
    asked = 0
    for _ in range(3):
        with Peer(to=MODBUS) as peer, Peer(to=MODBUS) as other:
            for number in range(200):
                for each in (peer, other):
                    each.ask(f"03 {asked % 100:04x} {asked % 7 + 1:04x}")
                    asked += 1
            wait_until(lambda: len(captures.plant.events("read")) == asked, "the journal")
            captures.plant.kill()
        captures.plant.start("--port-offset", "0", tmp_path / "site", listens=MODBUS)
    made = captures.delivered()
    recorded = [event["honeyplant"]["request"]["hex"] for event in captures.plant.events("read")]
    assert len(told(made, "tcp.payload", only="modbus && tcp.srcport == 502")) == asked
    shown = [payload for (payload,) in told(made, "tcp.payload", only="modbus && tcp.dstport == 502")]
    assert Counter(shown) == Counter(recorded)
    assert made.shown(ODD) == "" and made.shown("_ws.malformed") == ""


def test_a_capture_of_ipv6_and_of_noise(plant, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    text = '[site]\nname = "six"\nport-offset = 10000\n[[devices]]\nname = "plc"\nprofile = "schneider-m340"\n'
    (folder / "site.toml").write_text(text + 'addresses = ["::1", "127.0.10.2"]\n[[sinks.pcap]]\nport-offset = 10000\n')
    plant.start(folder)
    with Peer(to=("::1", 10502), source="::1") as peer:
        peer.ask("03 0000 0004")
    with socket.create_connection(DEMO) as noise:
        noise.sendall(b"\x16\x03\x01 not modbus \x00\x1b[2J" * 20)
        noise.recv(10)
    made = Captures(plant, tmp_path).delivered()
    assert told(made, "ipv6.dst", "tcp.dstport", only="modbus.func_code == 3 && tcp.dstport == 502")[0] == ("::1", "502")
    assert told(made, "frame.number", only=BAD) == []
    assert all(all(c.isalnum() or c in "-._" for c in file.name) for file in Captures(plant, tmp_path).files())

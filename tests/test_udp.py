"""What only datagrams can do to a decoy: their source may be forged."""

import shutil
import socket
import struct
import threading
import time
from contextlib import contextmanager

import pytest
from conftest import ROOT, wait_until

AGENTS = ROOT / "tests/sites/agents"
AGENT = ("127.0.30.2", 161)
# Less than by default, so that a slow machine can ask for more.
FACTOR, RATE, BURST, NETWORK, TOTAL = 2, 1 << 10, 16 << 10, 2, 64 << 10
LIMITS = f"""
[limits]
sessions = 1000

[limits.unproven]
factor = {FACTOR}
rate = "{RATE}"
burst = "{BURST}"
network = {NETWORK}
total = "{TOTAL}"
"""


def ber(tag, *inside):
    inside = b"".join(inside)
    length = bytes([len(inside)]) if len(inside) < 128 else bytes([0x82]) + struct.pack(">H", len(inside))
    return bytes([tag]) + length + inside


def question(pdu, number, repetitions=0):
    """A question of SNMPv2c about what comes after 1.3.6.1.2.1."""
    integer = lambda value: ber(0x02, struct.pack(">i", value))
    binding = ber(0x30, ber(0x30, ber(0x06, b"\x2b\x06\x01\x02\x01"), ber(0x05)))
    return ber(0x30, integer(1), ber(0x04, b"public"), ber(pdu, integer(number), integer(0), integer(repetitions), binding))


def get_bulk(number):
    return question(0xA5, number, 50)


def get_next(number):
    return question(0xA1, number)


class Forger:
    """Sends datagrams from whatever address and one port, and hears what is answered there."""

    def __init__(self):
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.ear.bind(("0.0.0.0", 0))
        self.ear.settimeout(0.1)
        self.asked = self.heard = self.answers = 0
        self.start = time.monotonic()
        self.over = False
        self.listens = threading.Thread(target=self.listen, daemon=True)
        self.listens.start()

    def listen(self):
        while not self.over:
            try:
                self.heard += len(self.ear.recv(1 << 16))
                self.answers += 1
            except TimeoutError:
                pass

    def send(self, source, payload):
        datagram = struct.pack(">HHHH", self.ear.getsockname()[1], AGENT[1], 8 + len(payload), 0) + payload
        addresses = socket.inet_aton(source) + socket.inet_aton(AGENT[0])
        # The system fills in the length and the checksum.
        header = struct.pack(">BBHHHBBH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0) + addresses
        self.raw.sendto(header + datagram, (AGENT[0], 0))
        self.asked += len(payload)

    def flood(self, sources, ask):
        for number, source in enumerate(sources):
            self.send(source, ask(number))
            if number % 25 == 0:
                time.sleep(0.02)

    def seconds(self):
        return time.monotonic() - self.start

    def close(self):
        self.over = True
        self.listens.join()
        self.raw.close()
        self.ear.close()


@pytest.fixture
def forger(plant, tmp_path):
    site = shutil.copytree(AGENTS, tmp_path / "site")
    with (site / "site.toml").open("a") as text:
        text.write(LIMITS)
    plant.start(site, listens=(AGENT[0], 502))
    forger = Forger()
    yield forger
    forger.close()


@contextmanager
def witness():
    """Somebody else who asks all the time, again if a second passes without an answer, as net-snmp does; how often they
    had to wait for each answer."""
    waits, over = [], threading.Event()

    def ask():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.3", 0))
            peer.connect(AGENT)
            peer.settimeout(1)
            while not over.is_set():
                waits.append(0)
                while True:
                    peer.send(get_next(len(waits)))
                    try:
                        assert peer.recv(1 << 16)
                        break
                    except TimeoutError:
                        waits[-1] += 1
                over.wait(0.005)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join(10)
        assert not thread.is_alive(), "the witness waits for an answer"


def settled(forger):
    """Waits until nothing more is answered."""
    answers = -1

    def quiet():
        nonlocal answers
        before, answers = answers, forger.answers
        time.sleep(0.2)
        return before == forger.answers

    wait_until(quiet, "the answers to end")


def sent(plant, network):
    """How many bytes the device says it sent to the network, and how often it withheld an answer."""
    plant.stop()
    events = [event for event in plant.events() if event.get("source", {}).get("ip", "").startswith(network)]
    closed = [event for event in events if event["event"]["action"] == "closed"]
    withheld = [event for event in events if event["event"]["action"] == "withheld"]
    times = sum(
        event["honeyplant"].get("repeated", 1) * event["honeyplant"]["withheld"]["answers"] for event in withheld
    )
    return sum(event["honeyplant"]["ending"]["sent"] for event in closed), times


def test_a_flood_in_the_name_of_one_victim_does_not_pay(plant, forger):
    with witness() as waits:
        forger.flood(["127.77.1.1"] * 2000, get_bulk)
        settled(forger)
        seconds, questions = forger.seconds(), len(waits)
    bytes_out, withheld = sent(plant, "127.77.1.1")
    assert forger.heard <= bytes_out <= FACTOR * forger.asked + BURST + RATE * seconds
    assert withheld > 100
    assert questions > 20 and max(waits) <= 5, waits


def test_a_flood_in_the_name_of_many_stays_within_what_all_get(plant, forger):
    with witness() as waits:
        forger.flood((f"127.77.{n % 200}.{n // 200 + 1}" for n in range(2000)), get_bulk)
        settled(forger)
        seconds, questions = forger.seconds(), len(waits)
    bytes_out, withheld = sent(plant, "127.77.")
    assert forger.heard <= bytes_out <= FACTOR * forger.asked + TOTAL * (1 + seconds)
    assert withheld > 100
    assert questions > 20 and max(waits) <= 5, waits


def test_a_flood_in_the_name_of_a_network_stays_within_what_a_network_gets(plant, forger):
    forger.flood((f"127.77.2.{n % 250 + 1}" for n in range(2000)), get_bulk)
    settled(forger)
    seconds = forger.seconds()
    bytes_out, withheld = sent(plant, "127.77.2.")
    assert forger.heard <= bytes_out <= FACTOR * forger.asked + NETWORK * (BURST + RATE * seconds)
    assert withheld > 100


def test_forged_sources_end_no_connection(plant, forger):
    with socket.create_connection((AGENT[0], 502)) as modbus:
        ask = bytes.fromhex("000100000006010300000001")
        modbus.sendall(ask)
        assert modbus.recv(100)
        forger.flood((f"127.78.{n // 250}.{n % 250 + 1}" for n in range(2000)), get_next)
        wait_until(lambda: any("a newer session" in line for line in plant.lines()), "sessions to give way")
        modbus.sendall(ask)
        assert modbus.recv(100)

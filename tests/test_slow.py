"""Thousands who take their time: none is dropped, everybody else is served, and they cost little memory."""

import socket
import ssl
import threading
import time

import pytest
from conftest import PATIENCE, ROOT, wait_until

SITE = ROOT / "tests/sites/tls"
WEB = ("127.0.31.1", 80)
REQUEST = b"GET / HTTP/1.1\r\nHost: plc\r\nUser-Agent: slow\r\n\r\n"
LARGE = b"GET /files/large.bin HTTP/1.1\r\nHost: plc\r\n\r\n"
SENDERS, READERS, ROUNDS = 4500, 500, 6


class Others:
    """A client that asks for a page again and again, meanwhile."""

    def __enter__(self):
        self.over, self.times, self.failure = threading.Event(), [], None
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        assert self.failure is None, self.failure

    def ask(self):
        try:
            while not self.over.wait(0.02):
                start = time.monotonic()
                with socket.create_connection(WEB, PATIENCE, source_address=("127.0.0.99", 0)) as peer:
                    peer.sendall(REQUEST)
                    assert answer(peer).startswith(b"HTTP/1.1 200")
                self.times.append(time.monotonic() - start)
        except (OSError, AssertionError) as failure:
            self.failure = failure


def answer(peer):
    """A whole answer."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        part = peer.recv(65536)
        assert part, "it hung up"
        octets += part
    head, _, body = octets.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        part = peer.recv(65536)
        assert part, "it hung up within an answer"
        body += part
    return head + b"\r\n\r\n" + body


def connect(number, room=None):
    """A connection from one of eight sources."""
    peer = socket.socket()
    if room:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    peer.settimeout(PATIENCE)
    peer.bind((f"127.0.0.{10 + number % 8}", 0))
    peer.connect(WEB)
    return peer


def test_five_thousand_slow_clients_are_held_and_others_are_served(plant):
    plant.start(SITE, listens=WEB)
    before = plant.megabytes()
    senders = [connect(number) for number in range(SENDERS)]
    readers = [connect(number, room=2048) for number in range(READERS)]
    idle = plant.megabytes()
    for reader in readers:
        reader.sendall(LARGE)
    got = [0] * READERS
    with Others() as others:
        for round in range(ROUNDS):
            start = time.monotonic()
            for sender in senders:
                sender.send(REQUEST[round : round + 1])
            for number, reader in enumerate(readers):
                got[number] += len(reader.recv(1024))
            time.sleep(max(0, 1 - (time.monotonic() - start)))
        busy = plant.megabytes()
        for sender in senders:
            sender.sendall(REQUEST[ROUNDS:])
        assert all(answer(sender).startswith(b"HTTP/1.1 200 OK\r\n") for sender in senders)
    assert all(count == ROUNDS * 1024 for count in got), "those who read slowly were served as they read"
    count = SENDERS + READERS
    print(
        f"{before:.0f} MB alone, {idle:.0f} MB with {count} idle ({(idle - before) * 1024 / count:.1f} kB each), "
        f"{busy:.0f} MB with {SENDERS} slow requests and {READERS} slow answers; "
        f"others: {len(others.times)} pages in at most {max(others.times) * 1000:.0f} ms"
    )
    assert len(others.times) > 20 and sorted(others.times)[len(others.times) * 9 // 10] < 1
    # A reader has the page that waits for it.
    assert busy - before < 16 / 1024 * SENDERS + 0.5 * READERS
    assert {event["source"]["ip"] for event in plant.events("closed")} == {"127.0.0.99"}, "nobody was dropped"
    for peer in senders + readers:
        peer.close()
    sources = {f"127.0.0.{10 + number}" for number in range(8)}

    def ended():
        return sum(event["source"]["ip"] in sources for event in plant.events("closed")) == count

    wait_until(ended, "every session to be recorded as ended")
    requests = [event for event in plant.events("request") if event["source"]["ip"] in sources]
    assert len(requests) == count
    assert {event["http"]["response"]["status_code"] for event in requests} == {200}


@pytest.mark.parametrize("silent", [False, True], ids=["encrypted", "silent"])
def test_a_thousand_connections_over_tls_are_held(plant, silent):
    plant.start(SITE, listens=WEB)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def open_one(number):
        peer = socket.create_connection((WEB[0], 443), PATIENCE, source_address=(f"127.0.0.{10 + number % 8}", 0))
        return peer if silent else context.wrap_socket(peer)

    first, before = open_one(0), plant.megabytes()
    peers = [open_one(number) for number in range(1000)]
    time.sleep(1.5)
    print(f"{plant.megabytes() - before:.1f} kB for each that is {'silent' if silent else 'encrypted'}")
    if silent:
        peers = [context.wrap_socket(peer) for peer in peers]
    for peer in peers:
        peer.sendall(REQUEST)
        assert answer(peer).startswith(b"HTTP/1.1 200 OK\r\n")
    for peer in [first, *peers]:
        peer.close()

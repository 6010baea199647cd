"""Clients that mean no good: the others are served, and nothing is spent on those who left."""

import random
import socket
import threading
import time

import pytest
from conftest import DEMO, FUNCTIONS, Peer, frame, site, wait_until

READ_MUCH = frame(bytes.fromhex("03 0000 007d"))


def one_byte_a_second(over):
    with Peer() as peer:
        for octet in READ_MUCH:
            peer.send(bytes([octet]))
            if over.wait(1):
                break


def never_reads(over):
    with Peer(timeout=0.1) as peer:
        while not over.is_set():
            try:
                peer.send(READ_MUCH * 100)
            except TimeoutError:
                pass


def garbage(over):
    chance = random.Random(7)
    while not over.is_set():
        try:
            with Peer(timeout=1) as peer:
                peer.send(chance.randbytes(chance.randrange(1, 5000)))
                peer.socket.shutdown(socket.SHUT_WR)
                while peer.socket.recv(65536):
                    pass
        except OSError:
            pass


@pytest.mark.parametrize("rude", [one_byte_a_second, never_reads, garbage])
def test_others_are_served_meanwhile(demo, rude):
    over = threading.Event()
    threads = [threading.Thread(target=rude, args=[over]) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            with Peer() as peer:
                for _ in range(20):
                    start = time.monotonic()
                    assert peer.ask("03 0000 0002").startswith("0304")
                    assert time.monotonic() - start < 1
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert demo.megabytes() < 100


def test_a_header_cut_anywhere_costs_nothing_afterwards(demo):
    peers = []
    for length in range(len(READ_MUCH)):
        with Peer() as closed:
            closed.send(READ_MUCH[:length])
        peers.append(Peer())
        peers[-1].send(READ_MUCH[:length])
        peers[-1].socket.shutdown(socket.SHUT_WR)
    # The device has noticed that these have nothing more to say.
    assert [peer.socket.recv(1) for peer in peers] == [b""] * len(peers)
    wait_until(lambda: len(demo.events("closed")) == 2 * len(READ_MUCH), "every session to be recorded as ended")
    before = demo.seconds_of_cpu()
    time.sleep(1)
    assert demo.seconds_of_cpu() - before < 0.1


def test_two_thousand_idle_connections_are_held_and_answered(plant):
    to = ("127.0.30.1", 502)
    plant.start(FUNCTIONS, listens=to)
    peers = [Peer(to) for _ in range(2000)]
    print(f"{plant.megabytes():.0f} MB with {len(peers)} idle connections")
    for peer in peers:
        assert peer.ask("03 0000 0001").startswith("0302")
    for peer in peers:
        peer.socket.close()


def test_whoever_was_silent_longest_gives_way(plant, tmp_path):
    site(tmp_path, plc=DEMO[0], more="[limits]\nsessions-per-source = 10")
    to = (DEMO[0], 502)
    plant.start(tmp_path, listens=to)
    peers = [Peer(to) for _ in range(10)]
    for number in (1, *range(2, 10), 0):
        peers[number].ask("03 0000 0001")
    peers.append(Peer(to))
    assert peers[1].socket.recv(1) == b"", "the one that spoke first hung up"
    for number in (0, 2, 9, 10):
        assert peers[number].ask("03 0000 0001").startswith("0302")
    for peer in peers:
        peer.socket.close()

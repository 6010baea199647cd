"""A PostgreSQL that goes away under load and comes back. Not a test: it takes as long as the outage lasts.

tests/outage.py [MINUTES] [REQUESTS-A-SECOND]
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

from conftest import DEMO, Peer, Plant, frame, site, wait_until
from servers.postgres import Postgres

minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
rate = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
TURN = 0.02


def ask_on(peer, number):
    """So many different requests as belong into one turn."""
    requests = [number + n for n in range(int(rate * TURN))]
    peer.send(b"".join(frame(bytes.fromhex(f"03 {n % 200:04x} 0008"), 1, n % 0xFFFF + 1) for n in requests))
    peer._take(25 * len(requests))
    return number + len(requests)


def load(until):
    with Peer() as peer:
        number, start = 0, time.monotonic()
        while not until.is_set():
            number = ask_on(peer, number)
            time.sleep(max(0, start + number / rate - time.monotonic()))


with tempfile.TemporaryDirectory() as here:
    here = Path(here)
    (here / "site").mkdir()
    with Postgres(here / "server") as other:
        site(here / "site", plc=DEMO[0], more=f"port-offset = 10000\n[[sinks.postgres]]\n{other.sink()}")
        plant = Plant(here).start(here / "site")
        over = threading.Event()
        asking = threading.Thread(target=load, args=[over])
        asking.start()
        wait_until(lambda: len(other.received()) > rate, "the first events")
        other.stop()
        memory = []
        away = time.monotonic()
        while time.monotonic() < away + 60 * minutes:
            time.sleep(5)
            memory.append(plant.megabytes())
        cursor = int((plant.state / "sinks/postgres.cursor").read_text())
        other.start()
        back = time.monotonic()
        over.set()
        asking.join()
        written = plant.lines()
        while int((plant.state / "sinks/postgres.cursor").read_text()) <= len(written):
            time.sleep(0.1)
        took = time.monotonic() - back
        behind = len(written) + 1 - cursor
        print(f"away for {minutes:g} min under {rate} requests/s; memory {min(memory):.0f} to {max(memory):.0f} MB meanwhile")
        print(f"{behind} events behind when it was back, caught up after {took:.1f} s ({behind / took:.0f}/s)")
        plant.stop()
        expected = [line.split('"id":"', 1)[1].split('"', 1)[0] for line in plant.lines()]
        received = other.received()
        print(f"{len(expected)} events recorded, {len(received)} in the database; same and in order: {received == expected}")
        sys.exit(received != expected)

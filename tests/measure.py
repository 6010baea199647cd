"""Prints the figures that the project is held to. Not a test: it takes minutes, and needs a quiet machine.

tests/measure.py [LOAD-GENERATOR] [SECONDS]: with the path of the load generator, closed loops as well, of so many
seconds each.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conftest import DEMO, FUNCTIONS, Peer, Plant, site

SERVED = ("127.0.30.1", 502)
HERE = tempfile.TemporaryDirectory()


def measured(*arguments, listens=DEMO):
    """A fresh plant, and the milliseconds until it listened."""
    plant = Plant(Path(tempfile.mkdtemp(dir=HERE.name)))
    start = time.monotonic()
    plant.start(*arguments, listens=listens)
    return plant, (time.monotonic() - start) * 1000


def start_and_idle():
    starts = []
    for _ in range(5):
        plant, start = measured()
        starts.append(start)
        time.sleep(1)
        idle, before = plant.megabytes(), plant.seconds_of_cpu()
        time.sleep(2)
        spent = (plant.seconds_of_cpu() - before) / 2
        plant.stop()
    print(
        f"demo: listens after {min(starts):.0f} to {max(starts):.0f} ms, {idle:.1f} MB idle, "
        f"{spent:.1%} of a CPU for its plant"
    )


def idle_connections(count=10_000):
    plant, _ = measured(FUNCTIONS, listens=SERVED)
    # A source has no more ports than 28 000, and the machine not always as many files.
    peers = [Peer(SERVED) for _ in range(count)]
    time.sleep(1)
    held = plant.megabytes()
    before = plant.seconds_of_cpu()
    time.sleep(5)
    spent = plant.seconds_of_cpu() - before
    start = time.monotonic()
    answered = sum(peer.ask("03 0000 0001").startswith("0302") for peer in peers)
    print(
        f"{count} idle connections: {held:.0f} MB, {spent / 5:.1%} of a CPU; "
        f"then {answered} answered in {time.monotonic() - start:.1f} s, {plant.megabytes():.0f} MB"
    )
    for peer in peers:
        peer.socket.close()
    plant.stop()


def fleet():
    with tempfile.TemporaryDirectory() as folder:
        site(Path(folder), plc="127.20.0.1-127.20.1.244")
        plant, first = measured(folder, listens=("127.20.1.244", 502))
        size = plant.megabytes()
        for number in range(1, 501):
            with Peer((f"127.20.{number >> 8}.{number & 255}", 502)) as peer:
                assert peer.ask("03 0000 0001").startswith("0302")
        before = plant.seconds_of_cpu()
        time.sleep(20)
        spent = plant.seconds_of_cpu() - before
        print(
            f"500 devices: listen after {first:.0f} ms, {size:.0f} MB; {plant.megabytes():.0f} MB after each answered; "
            f"{spent / 20:.1%} of a CPU for their scans"
        )
        plant.stop()


def closed_loops(generator, seconds):
    for connections in (1, 32):
        plant, _ = measured()
        command = [generator, "closed", "--proto", "modbus", "--to", f"{DEMO[0]}:{DEMO[1]}", "--c", str(connections)]
        command += ["--secs", str(seconds), "--pid", str(plant.process.pid)]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        plant.stop()
        print(
            f"{connections} connections closed loop: {told['rps']:.0f} requests/s, p50 {told['p50_us']} us, "
            f"p99 {told['p99_us']} us, {told['srv_cpu_us_per_req']} us of CPU each, {told['errors']} errors"
        )


start_and_idle()
idle_connections()
fleet()
if len(sys.argv) > 1:
    closed_loops(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 10)

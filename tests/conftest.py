"""What the system tests share: a network of their own, the binary, and a Modbus peer that says only what it is told."""

import contextlib
import csv
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("HONEYPLANT", ROOT / "target/release/honeyplant")).absolute()
FUNCTIONS = ROOT / "tests/sites/functions"
DEMO = ("127.0.10.2", 10502)
# Seconds after which something that should happen is said not to. No test takes so long unless it fails.
PATIENCE = 20
MONDAY = "2026-03-02T00:00:00Z"


def private_network():
    """Moves this process and its children into a network with nothing in it but loopback, where every port is free and
    none below 1024 can be bound without the right. Root may do so; others as root of a user namespace."""
    new_user, new_network = 0x10000000, 0x40000000
    user, group = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if unshare(new_network) != 0:
        if unshare(new_user | new_network) != 0:
            pytest.exit("the tests need a network namespace; run them as root, or allow user namespaces", 2)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


private_network()
_, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))


def wait_until(condition, what):
    """The first true value of `condition()`."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.005)
    return value


def honeyplant(*arguments, code=0, within=(), patience=PATIENCE):
    """Runs the command to its end; what it says on both channels."""
    done = subprocess.run([*within, BINARY, *arguments], capture_output=True, text=True, timeout=patience)
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


class Plant:
    """A site that runs, with a state folder of its own."""

    def __init__(self, folder):
        self.state, self.log = folder / "state", folder / "run.log"
        self.process = None

    def start(self, *arguments, listens=DEMO):
        with self.log.open("a") as log:
            command = [BINARY, "--state", self.state, "run", *arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: self.listens(*listens), f"{listens} to listen")
        return self

    def listens(self, address, port):
        """Whether the socket listens. Looked up, since a connection to find out would be in the record."""
        if self.process.poll() is not None:
            self.process = None
            pytest.fail(f"it ended by itself:\n{self.log.read_text()[-4000:]}")
        here = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"
        sockets = Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]
        return any((fields := line.split())[1] == here and fields[3] == "0A" for line in sockets)

    def stop(self, how=signal.SIGTERM):
        """Ends it as an operator does, and sees that it ended well."""
        self.process.send_signal(how)
        code, self.process = self.process.wait(PATIENCE), None
        log = self.log.read_text()[-4000:]
        assert code == 0, f"exit code {code}\n{log}"
        assert "panicked" not in log, log

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def tell(self, *arguments):
        """What another command says of this one's state folder."""
        return honeyplant("--state", self.state, *arguments)

    def lines(self):
        """The journal, a text a line."""
        files = sorted((self.state / "journal").glob("*.jsonl"))
        return [line for file in files for line in file.read_text().splitlines()]

    def events(self, action=None):
        """The whole documents of the journal."""
        events = []
        for line in self.lines():
            try:
                events.append(json.loads(line))
            except ValueError:
                break  # the last line, which is being written
        return [event for event in events if action in (None, event["event"]["action"])]

    def identity(self, device="plc-intake"):
        """What was drawn for the device."""
        return tomllib.loads((self.state / "identity.toml").read_text())["devices"][device]

    def seconds_of_cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def site(folder, more="", **devices):
    """Writes a site of M340s into the folder; each device has an address, or is many on a range of them."""
    text = f'[site]\nname = "test"\n{more}\n'
    for name, where in devices.items():
        place = f'range = "{where}"' if "-" in where else f'addresses = ["{where}"]'
        text += f'[[devices]]\nname = "{name}"\nprofile = "schneider-m340"\n{place}\n'
    (folder / "site.toml").write_text(text)
    return folder


class Run:
    """A run of the plant in virtual time: what its tags were at each look. Every run is of the same install."""

    def __init__(self, state, length, every, *more, tags=()):
        (state / "identity.toml").write_text('seed = "00c0ffee00c0ffee"\n')
        command = [BINARY, "--state", state, "plant", "--csv", "--from", MONDAY, "--for", length, "--every", every]
        command += [*more, *(["--tags", ",".join(tags)] if tags else [])]
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        print(f"{length} took {time.monotonic() - start:.1f} s")
        assert done.returncode == 0, done.stderr
        self.notes = done.stderr
        head, *rows = csv.reader(done.stdout.splitlines())
        columns = zip(*rows)
        self.times = next(columns)
        self.tags = {}
        for name, values in zip(head[1:], columns):
            try:
                self.tags[name] = [float(value) for value in values]
            except ValueError:
                pass  # a text, such as the name that a network's management gave
        self.every = {"1m": 60, "5m": 300, "10s": 10, "1s": 1}[every]

    def __getitem__(self, tag):
        return self.tags[tag]

    def at(self, hours, tag):
        """The value of a tag so many hours after the start."""
        return self.tags[tag][round(hours * 3600 / self.every)]

    def between(self, start, end, tag):
        return self.tags[tag][round(start * 3600 / self.every) : round(end * 3600 / self.every)]


def change(run, tag):
    return run[tag][-1] - run[tag][0]


@pytest.fixture(scope="session")
def month(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("month"), "30d", "5m")


@pytest.fixture
def plant(tmp_path):
    """A site that is not started yet; if it runs at the end, it is stopped and must end well."""
    plant = Plant(tmp_path)
    yield plant
    if plant.process:
        plant.stop()


@pytest.fixture
def demo(plant):
    return plant.start()


class Capture:
    """What goes over the loopback interface meanwhile, in a file that tshark reads."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        # It is read only in the end; what does not fit is lost. Of a namespace's own root the kernel takes its usual limit.
        for option in (socket.SO_RCVBUF, getattr(socket, "SO_RCVBUFFORCE", 33)):
            with contextlib.suppress(PermissionError):
                self.wire.setsockopt(socket.SOL_SOCKET, option, 16 << 20)
        self.wire.bind(("lo", 0))
        return self

    def __exit__(self, *_):
        with self.path.open("wb") as file:
            file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            while select.select([self.wire], [], [], 0.5)[0]:
                octets, (_, _, direction, *_) = self.wire.recvfrom(65535)
                # On loopback every frame is seen going out and coming in.
                if direction == socket.PACKET_OUTGOING:
                    file.write(struct.pack("<IIII", int(time.time()), 0, len(octets), len(octets)) + octets)
        self.wire.close()

    def shown(self, what):
        """What tshark shows of it."""
        done = subprocess.run(["tshark", "-r", self.path, "-Y", what], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout


def frame(pdu, unit=1, transaction=1):
    """A Modbus/TCP frame."""
    return transaction.to_bytes(2) + bytes(2) + (len(pdu) + 1).to_bytes(2) + bytes([unit]) + pdu


class Peer:
    """A Modbus/TCP client that says only what it is told."""

    def __init__(self, to=DEMO, timeout=PATIENCE, source=None):
        self.socket = socket.create_connection(to, timeout, source and (source, 0))
        self.transaction = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def receive(self):
        """The next frame's PDU."""
        head = self._take(7)
        assert head[:4] == self.transaction.to_bytes(2) + bytes(2), f"a frame that begins with {head.hex()}"
        return self._take(int.from_bytes(head[4:6]) - 1)

    def ask(self, pdu, unit=1):
        """The PDU that answers `pdu`, both in hexadecimal digits."""
        self.transaction = self.transaction % 0xFFFF + 1
        self.send(frame(bytes.fromhex(pdu), unit, self.transaction))
        return self.receive().hex()

    def _take(self, count):
        octets = b""
        while len(octets) < count:
            part = self.socket.recv(count - len(octets))
            assert part, "the device hung up"
            octets += part
        return octets

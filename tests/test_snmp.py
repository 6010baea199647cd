"""SNMP as net-snmp's commands and nmap's scripts see it."""

import re
import select
import socket
import struct
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from conftest import DEMO, PATIENCE, ROOT, Peer, wait_until

AGENTS = ROOT / "tests/sites/agents"
AGENT = "127.0.30.2"
M340 = f"{DEMO[0]}:10161"
# Seconds for which a device has been at work when honeyplant listens.
AHEAD = 120

SYSTEM = "1.3.6.1.2.1.1"
DESCRIPTION, UPTIME, NAME = f"{SYSTEM}.1.0", f"{SYSTEM}.3.0", f"{SYSTEM}.5.0"
IN_OCTETS = "1.3.6.1.2.1.2.2.1.10.1"
CONNECTIONS = "1.3.6.1.2.1.6.13.1"
ENGINE = "1.3.6.1.6.3.10.2.1"
LEVEL, TOTAL, PUMP = (f"1.3.6.1.4.1.99999.2.{number}.0" for number in (1, 3, 4))

DIGESTS = {"MD5": "md5", "SHA": "sha1", "SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
CIPHERS = {"DES": "des", "AES": "aes128", "AES-192": "aes192", "AES-256": "aes256"}


def snmp(command, *arguments, code=0):
    """What the command prints, of which the version and the community come first: `snmp("get", "2c", "public", …)`; or
    what it complains of if it must fail."""
    version, who, *rest = arguments
    who = ["-c", who] if isinstance(who, str) else who
    command = [f"snmp{command}", "-v", version, *who, "-m", "", "-On", "-r", "3", "-t", "2", *rest]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def secured(digest=None, cipher=None, **other):
    """The options of a user whose name says how their messages are secured, as the profile has them."""
    user = "-".join(filter(None, [DIGESTS.get(digest), CIPHERS.get(cipher)])) or "nobody"
    options = {"-u": user, "-l": "authPriv" if cipher else "authNoPriv" if digest else "noAuthNoPriv"}
    if digest:
        options |= {"-a": digest, "-A": f"authentic-{DIGESTS[digest]}"}
    if cipher:
        options |= {"-x": cipher, "-X": f"private-{CIPHERS[cipher]}"}
    options |= {f"-{option}": value for option, value in other.items()}
    return [word for pair in options.items() for word in pair]


def value(command, *arguments):
    """The one value that the command prints, without its type."""
    line = snmp(command, *arguments).strip()
    said = line.split(" = ", 1)[1]
    return said.split(": ", 1)[-1].strip('"')


def walked(*arguments, command="walk"):
    """The identifiers that a walk meets, each with its value."""
    lines = snmp(command, *arguments, ".1").splitlines()
    lines = [line for line in lines if " = " in line and "No more variables" not in line]
    return [tuple(line.split(" = ", 1)) for line in lines]


def numbers(identifier):
    return [int(number) for number in identifier.strip(".").split(".")]


@pytest.fixture
def agent(plant):
    """Every version, on the standard port."""
    return plant.start(AGENTS, listens=(AGENT, 502))


@pytest.fixture
def demo_on_standard_ports(plant):
    return plant.start("--port-offset", "0", listens=(DEMO[0], 502))


def test_an_m340_is_walked_from_end_to_end(demo):
    walk = walked("1", "public", M340)
    identifiers = [numbers(identifier) for identifier, _ in walk]
    assert identifiers == sorted(identifiers) and len(identifiers) > 190
    for group in [1, 2, 3, 4, 5, 6, 7, 11]:
        assert any(identifier[:7] == [1, 3, 6, 1, 2, 1, group] for identifier in identifiers), group
    said, drawn = dict(walk), demo.identity()
    assert drawn["firmware"] in said[f".{DESCRIPTION}"]
    assert said[f".{SYSTEM}.2.0"].startswith("OID: .1.3.6.1.4.1.3833.")
    mac = drawn["mac"].replace(":", " ")
    assert said[".1.3.6.1.2.1.2.2.1.6.1"].strip() == f"Hex-STRING: {mac}"
    assert said[".1.3.6.1.4.1.3833.1.7.18.0"] == said[".1.3.6.1.2.1.2.2.1.6.1"]
    assert said[f".1.3.6.1.2.1.4.20.1.1.{DEMO[0]}"] == f"IpAddress: {DEMO[0]}"
    assert said[f".{NAME}"] == f'STRING: "{drawn["hostname"]}"'


def test_an_m340_speaks_version_1_only(demo):
    assert drawn_firmware(demo) in value("get", "1", "public", M340, DESCRIPTION)
    for other in [("2c", "public"), ("3", secured())]:
        assert "Timeout" in snmp("get", *other, "-r", "0", "-t", "1", M340, DESCRIPTION, code=1)
    assert value("getnext", "1", "public", M340, SYSTEM) == value("get", "1", "public", M340, DESCRIPTION)
    status = snmp("status", "1", "public", M340)
    assert "Interfaces: 1," in status and drawn_firmware(demo) in status


def drawn_firmware(plant):
    return plant.identity()["firmware"]


@pytest.mark.parametrize(
    "asked",
    [
        ("1", "public", "walk"),
        ("2c", "public", "walk"),
        ("2c", "public", "bulkwalk"),
        ("3", secured("SHA-256", "AES"), "walk"),
        ("3", secured("SHA-256", "AES"), "bulkwalk"),
    ],
    ids=lambda asked: f"{asked[2]} v{asked[0]}",
)
def test_every_walk_meets_the_same_objects_in_order(agent, asked):
    version, who, command = asked
    walk = walked(version, who, AGENT, command=command)
    identifiers = [numbers(identifier) for identifier, _ in walk]
    assert identifiers == sorted(identifiers) and len({*map(tuple, identifiers)}) == len(identifiers) > 800
    wide = [identifier for identifier, said in walk if said.startswith("Counter64")]
    # RFC 3584 §4.2.2.1: version 1 does not have them.
    assert bool(wide) == (version != "1")
    types = {said.split(":")[0] for _, said in walk if ":" in said}
    for kind in ["INTEGER", "STRING", "OID", "Timeticks", "Gauge32", "Counter32", "IpAddress", "Hex-STRING", "Opaque"]:
        assert kind in types, types


def test_a_bulk_walk_is_the_walk(agent):
    under = "1.3.6.1.4.1.99999"
    one, many = snmp("walk", "2c", "public", AGENT, under), snmp("bulkwalk", "2c", "public", "-Cr50", AGENT, under)
    still = [line for line in one.splitlines() if ".2.8.0" not in line]
    assert still == [line for line in many.splitlines() if ".2.8.0" not in line] and len(still) > 600


def test_a_table_is_shown_as_one(agent):
    command = ["snmptable", "-v", "2c", "-c", "public", "-M", AGENTS, "-m", "EVERY-OBJECT-MIB", "-Ci", AGENT]
    done = subprocess.run([*command, "EVERY-OBJECT-MIB::rowTable"], capture_output=True, text=True, timeout=PATIENCE)
    rows = [line.split(maxsplit=2) for line in done.stdout.splitlines() if "row " in line]
    assert [row[1] for row in rows] == [str(number) for number in range(1, 301)], done.stdout + done.stderr
    assert rows[41][2].strip('" ') == "row 42"


@pytest.mark.parametrize("cipher", [None, *CIPHERS])
@pytest.mark.parametrize("digest", [*DIGESTS])
def test_version_3_is_secured_in_every_way(agent, digest, cipher):
    who = secured(digest, cipher)
    assert value("get", "3", who, AGENT, NAME).startswith("agent-")
    assert value("set", "3", who, AGENT, LEVEL, "i", "700") == "700"
    assert value("get", "2c", "public", AGENT, LEVEL) == "700"


def test_version_3_refuses_who_is_not_known(agent):
    def refused(who, *more, code=1):
        return snmp("get", "3", who, "-r", "0", "-t", "1", *more, AGENT, NAME, code=code)

    assert value("get", "3", secured(), AGENT, NAME).startswith("agent-")
    assert "Authentication failure" in refused(secured("SHA", A="wrong password"))
    assert "Unknown user name" in refused(secured("SHA", u="somebody"))
    assert "Timeout" in refused(secured("SHA", "AES", X="wrong password"))
    assert "authorizationError" in refused(secured("SHA", "AES", l="authNoPriv"), code=2)
    assert "Unsupported security level" in refused(secured("SHA", "AES", u="sha1"))
    assert "Timeout" in refused(secured("SHA"), "-e", "0x8000000001020304")
    wait_until(lambda: len(agent.events("login")) >= 6, "the tries to be recorded")
    told = agent.tell("events")
    for sentence in ["as `somebody` (refused with 3: unknown user name)", "as `sha1` (refused with 5: wrong digest)"]:
        assert sentence in told, told


def test_who_sees_less_walks_less(agent):
    assert {tuple(numbers(identifier)[:7]) for identifier, _ in walked("2c", "narrow", AGENT)} == {(*numbers(SYSTEM),)}
    guest = secured("SHA", u="guest")
    assert {tuple(numbers(identifier)[:7]) for identifier, _ in walked("3", guest, AGENT)} == {(*numbers(SYSTEM),)}
    assert "No Such Object" in snmp("get", "2c", "narrow", AGENT, LEVEL)


def test_each_version_refuses_in_its_own_words(agent):
    for version, who, what, why in [
        ("1", "public", [NAME, "s", "x"], "noSuchName"),
        ("2c", "public", [NAME, "s", "x"], "noAccess"),
        ("2c", "private", [DESCRIPTION, "s", "x"], "notWritable"),
        ("1", "private", [DESCRIPTION, "s", "x"], "noSuchName"),
        ("2c", "private", [NAME, "i", "1"], "wrongType"),
        ("1", "private", [NAME, "i", "1"], "badValue"),
        ("2c", "private", [NAME, "s", "x" * 81], "wrongLength"),
        ("2c", "private", [LEVEL, "i", "1001"], "wrongValue"),
        ("2c", "private", [f"{SYSTEM}.5.1", "s", "x"], "noCreation"),
    ]:
        assert why in snmp("set", version, who, AGENT, *what, code=2), (version, who, what)
    assert "noSuchName" in snmp("get", "1", "public", AGENT, TOTAL, code=2)
    assert value("get", "2c", "public", AGENT, TOTAL) == "5000000000"
    # All or nothing: the first of the two would have been right.
    assert "wrongValue" in snmp("set", "2c", "private", AGENT, LEVEL, "i", "9", PUMP, "i", "7", code=2)
    assert value("get", "2c", "public", AGENT, LEVEL) == "720"


def test_a_name_that_was_set_is_seen_by_others_and_stays(demo):
    before = demo.identity()["hostname"]
    assert value("set", "1", "private", M340, NAME, "s", "intake-1") == "intake-1"
    assert value("get", "1", "public", M340, NAME) == "intake-1"
    assert "badValue" in snmp("set", "1", "private", M340, NAME, "s", "x" * 33, code=2)
    written = wait_until(lambda: demo.events("write"), "the set to be recorded")[0]
    assert written["honeyplant"]["tags"] == ["system_name"]
    assert f'wrote object {NAME} (system_name): "{before}" -> "intake-1"' in demo.tell("events")
    demo.stop()
    demo.start()
    assert value("get", "1", "public", M340, NAME) == "intake-1"


def test_an_object_is_the_plant(agent):
    with Peer((AGENT, 502)) as peer:
        assert peer.ask("03 0000 0001") == f"0302{720:04x}"
        assert value("get", "2c", "public", AGENT, LEVEL) == "720"
        snmp("set", "2c", "private", AGENT, LEVEL, "i", "333")
        assert peer.ask("03 0000 0001") == f"0302{333:04x}"
        peer.ask("06 0000 0042")
        assert value("get", "3", secured("SHA"), AGENT, LEVEL) == "66"


def test_connections_are_the_real_ones(demo):
    def rows():
        table = snmp("walk", "1", "public", M340, f"{CONNECTIONS}.1").splitlines()
        return {line.split(" = ")[0].removeprefix(f".{CONNECTIONS}.1."): line.rsplit(" ", 1)[1] for line in table}

    listening = rows()
    assert set(listening.values()) == {"2"} and "0.0.0.0.502.0.0.0.0.0" in listening
    with Peer() as peer:
        peer.ask("03 0000 0001")
        # The device does not know that its site moved its ports up.
        here = f"{DEMO[0]}.502.127.0.0.1.{peer.socket.getsockname()[1]}"
        assert rows() == listening | {here: "5"}
        assert value("get", "1", "public", M340, "1.3.6.1.2.1.6.9.0") == "1"
        assert value("get", "1", "public", M340, "1.3.6.1.4.1.3833.1.2.6.0") == "1"
    wait_until(lambda: rows() == listening, "the connection to be gone")


def test_counters_move(demo):
    def count():
        return int(value("get", "1", "public", M340, IN_OCTETS))

    before = count()
    with Peer() as peer:
        for _ in range(100):
            peer.ask("03 0000 0001")
    # A request of 12 octets has a frame of 70, and each answer is acknowledged.
    assert count() - before >= 100 * (70 + 64)


def test_an_engine_is_the_same_and_counts_its_starts(agent):
    def engine():
        return [value("get", "3", secured("SHA"), AGENT, f"{ENGINE}.{number}.0") for number in (1, 2, 3)]

    identifier, boots, lived = engine()
    mac = agent.identity("agent")["mac"].replace(":", " ").upper()
    # RFC 3411 §5: the vendor's number with the highest bit set, then 3 for a MAC address.
    assert identifier.strip() == f"80 01 86 9F 03 {mac}"
    assert AHEAD <= int(lived) < AHEAD + PATIENCE
    agent.stop()
    agent.start(AGENTS, listens=(AGENT, 502))
    again, next_boots, _ = engine()
    assert (again, int(next_boots)) == (identifier, int(boots) + 1)
    # A client that knew the agent before is told the new time, and asks again.
    assert value("get", "3", secured("SHA"), "-Z", f"{boots},{lived}", AGENT, NAME).startswith("agent-")
    wait_until(lambda: "not in time window" in agent.tell("events"), "the report to be recorded")
    uptime = re.search(r"\((\d+)\)", snmp("get", "2c", "public", AGENT, UPTIME))
    assert int(uptime[1]) < 100 * (AHEAD + PATIENCE)


def nmap(address, *scripts):
    command = ["nmap", "-n", "-Pn", "-sU", "-p", "161", "--script", ",".join(scripts), address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nmap_describes_an_m340(demo_on_standard_ports):
    told, drawn = nmap(DEMO[0], "snmp-sysdescr", "snmp-interfaces", "snmp-netstat"), demo_on_standard_ports.identity()
    assert "161/udp open" in told
    assert drawn["firmware"] in told and "System uptime: " in told, told
    assert f"IP address: {DEMO[0]}  Netmask: 255.255.255.0" in told
    mac = drawn["mac"].replace(":", "").lower()
    assert f"MAC address: {mac} (Telemecanique Electrique)" in told, told
    assert "TCP  0.0.0.0:502" in told and "UDP  0.0.0.0:161" in told, told


def test_nmap_finds_the_communities_and_every_try_is_recorded(demo_on_standard_ports):
    told = nmap(DEMO[0], "snmp-brute")
    assert "public - Valid credentials" in told and "private - Valid credentials" in told, told
    tried = wait_until(lambda: demo_on_standard_ports.tell("events"), "the tries to be recorded")
    for community in ["public", "private", "snmpd", "cisco", "ANYCOM"]:
        assert f"`{community}`" in tried, tried


def test_nmap_reads_the_engine(agent):
    told, mac = nmap(AGENT, "snmp-info"), agent.identity("agent")["mac"]
    assert "engineIDFormat: mac" in told and f"engineIDData: {mac.replace(':', '').lower()}" in told, told
    assert re.search(r"snmpEngineBoots: [1-9]\d*\n", told), told


def test_tshark_finds_nothing_malformed(agent, tmp_path):
    capture = tmp_path / "snmp.pcap"
    with captured(capture):
        walked("1", "public", AGENT)
        walked("2c", "public", AGENT, command="bulkwalk")
        snmp("set", "2c", "private", AGENT, NAME, "s", "x")
        snmp("get", "3", secured("SHA-512", "AES"), AGENT, NAME)

    def seen(what):
        command = ["tshark", "-r", capture, "-Y", what]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    # Two walks, a Set and a Get; on a busy machine some of it may not be captured.
    assert len(seen("snmp").splitlines()) > 400
    assert seen("_ws.malformed") == ""


@contextmanager
def captured(path):
    """Writes what goes over the loopback meanwhile into the file. A walk is longer than what a socket keeps."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind(("lo", 0))
    over = threading.Event()

    def write():
        with path.open("wb") as file:
            file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            while select.select([wire], [], [], 0.5)[0] or not over.is_set():
                octets, (_, _, direction, *_) = wire.recvfrom(65535)
                # On loopback every frame is seen going out and coming in.
                if direction == socket.PACKET_OUTGOING:
                    file.write(struct.pack("<IIII", int(time.time()), 0, len(octets), len(octets)) + octets)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    over.set()
    writer.join()
    wire.close()

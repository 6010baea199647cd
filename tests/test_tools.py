"""Scanners and clients as they are, run against the decoy, and the name that the record gives each. Every tool is held against all
rules: what is not said to be recognised must not be."""

import ftplib
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import DEMO, PATIENCE, honeyplant, site

HILL, INTAKE, STATION = "127.0.10.1", DEMO[0], "127.0.10.5"
PYTHON = sys.executable
SNAP7_2 = str(Path(sys.prefix) / "snap7-2")
NMAP = "nmap -n -Pn"
PROBES, COUNTING = "nmap service probes (-sV)", "Modbus library that counts from 1"

PYMODBUS = f"""
from pymodbus.client import ModbusTcpClient
with ModbusTcpClient({INTAKE!r}, port=502) as client:
    client.read_holding_registers(0, count=2)
    client.read_device_information(read_code=1)
"""
PYMODBUSTCP = f"from pyModbusTCP.client import ModbusClient\nprint(ModbusClient({INTAKE!r}).read_holding_registers(0, 2))"
SNAP7 = f"import snap7\nc = snap7.client.Client()\nc.connect({HILL!r}, 0, 2)\nprint(c.get_cpu_info())\nc.disconnect()"
PYSNMP = f"""
import asyncio
from pysnmp.hlapi.v3arch.asyncio import *
async def ask():
    where = await UdpTransportTarget.create(({INTAKE!r}, 161))
    what = ObjectType(ObjectIdentity("1.3.6.1.2.1.1.1.0"))
    await get_cmd(SnmpEngine(), CommunityData("public", mpModel=0), where, ContextData(), what)
asyncio.run(ask())
"""
C104 = f"""
import c104, time
client = c104.Client()
client.add_connection(ip={STATION!r}, port=2404, init=c104.Init.ALL)
client.start()
time.sleep(3)
client.stop()
"""
JARM = f"from jarm.scanner.scanner import Scanner\nScanner.scan({HILL!r}, 443)"
REQUESTS = f"import requests\nrequests.get('http://{INTAKE}/')"

# A name, the command, and every tool that may be recognised by it, of which the first must be. Several are of a scanner that sends
# several things: -sV runs scripts for what it finds.
SEEN = [
    ("modbus-discover", f"{NMAP} -p 502 --script modbus-discover {INTAKE}", ["nmap modbus-discover"]),
    ("s7-info", f"{NMAP} -p 102 --script s7-info {HILL}", ["nmap s7-info"]),
    ("iec-identify", f"{NMAP} -p 2404 --script iec-identify {STATION}", ["nmap iec-identify"]),
    ("snmp-sysdescr", f"{NMAP} -sU -p 161 --script snmp-sysdescr {INTAKE}", ["nmap UDP scan"]),
    ("ftp-anon", f"{NMAP} -p 21 --script ftp-anon {INTAKE}", ["nmap ftp scripts"]),
    ("ftp-vsftpd-backdoor", f"{NMAP} -p 21 --script ftp-vsftpd-backdoor {INTAKE}", ["FTP exploit"]),
    ("http-shellshock", f"{NMAP} -p 80 --script http-shellshock {INTAKE}", ["web exploit", "nmap http scripts", PROBES]),
    ("Struts", f"{NMAP} -p 80 --script http-vuln-cve2017-5638 {INTAKE}", ["web exploit", "nmap http scripts", PROBES]),
    ("PHP", f"{NMAP} -p 80 --script http-vuln-cve2012-1823 {INTAKE}", ["web exploit", "nmap http scripts", PROBES]),
    ("traversal", f"{NMAP} -p 80 --script http-passwd,http-phpmyadmin-dir-traversal {INTAKE}", ["path traversal", "nmap http scripts", PROBES]),
    ("http-title", f"{NMAP} -p 80 --script http-title,http-methods {INTAKE}", ["nmap http scripts", PROBES]),
    ("ssl-enum-ciphers", f"{NMAP} -p 443 --script ssl-enum-ciphers {HILL}", ["nmap ssl-enum-ciphers", "nmap TLS", PROBES]),
    ("-sV of Modbus", f"{NMAP} -sV -p 502 {INTAKE}", [PROBES]),
    ("-sV of S7", f"{NMAP} -sV -p 102 {HILL}", [PROBES, "nmap s7-info"]),
    ("-sV of 104", f"{NMAP} -sV -p 2404 {STATION}", [PROBES]),
    ("-sV of HTTP", f"{NMAP} -sV -p 80 {INTAKE}", ["nmap http scripts", PROBES]),
    ("-sV of SNMP", f"{NMAP} -sU -sV -p 161 {INTAKE}", [PROBES, "nmap UDP scan"]),
    ("mbpoll", f"mbpoll -m tcp -p 502 -1 -t 4 -r 401 -c 3 {INTAKE}", [COUNTING]),
    ("mbpoll writes", f"mbpoll -m tcp -p 502 -1 -t 4 -r 401 {INTAKE} 1 2", [COUNTING]),
    ("pymodbus", [PYTHON, "-c", PYMODBUS], [COUNTING]),
    ("pyModbusTCP", [PYTHON, "-c", PYMODBUSTCP], []),
    ("python-snap7", [PYTHON, "-c", SNAP7], ["python-snap7"]),
    ("snap7", ["env", f"PYTHONPATH={SNAP7_2}", PYTHON, "-c", SNAP7], ["snap7"]),
    ("snmpget", f"snmpget -v1 -c public {INTAKE} 1.3.6.1.2.1.1.1.0", []),
    ("snmpwalk", f"snmpwalk -v1 -c public {INTAKE} 1.3.6.1.2.1.1", []),
    ("snmpbulkwalk", f"snmpbulkwalk -v2c -r 0 -t 1 -c public {INTAKE} 1.3.6.1.2.1.1", ["net-snmp snmpbulkwalk"]),
    ("snmpstatus", f"snmpstatus -v2c -r 0 -t 1 -c public {INTAKE}", ["net-snmp snmpstatus"]),
    ("pysnmp", [PYTHON, "-c", PYSNMP], []),
    ("c104", [PYTHON, "-c", C104], []),
    ("lftp", f"lftp --norc -c 'set net:max-retries 1; set net:timeout 5; open ftp://{INTAKE}; ls'", ["lftp"]),
    ("curl of FTP", f"curl -s -m 5 ftp://{INTAKE}/", ["curl"]),
    ("wget of FTP", f"wget -q -T 5 -t 1 -O /dev/null ftp://{INTAKE}/", ["Wget"]),
    ("curl", f"curl -s http://{INTAKE}/", ["curl"]),
    ("curl of HTTPS", f"curl -sk https://{HILL}/", ["curl"]),
    ("wget", f"wget -q -O /dev/null -t 1 http://{INTAKE}/", ["Wget"]),
    ("requests", [PYTHON, "-c", REQUESTS], ["Python requests"]),
    ("openssl", f"openssl s_client -connect {HILL}:443", []),
    ("JARM", [PYTHON, "-c", JARM], ["JARM"]),
    # These are run where they are installed.
    ("onesixtyone", f"onesixtyone {INTAKE} public", ["onesixtyone"]),
    ("hydra of SNMP", f"hydra -P WORDS {INTAKE} snmp", ["hydra snmp"]),
    ("hydra of S7", f"hydra -P WORDS {HILL} s7-300", ["hydra s7-300"]),
    ("hydra of HTTP", f"hydra -l admin -P WORDS -t 1 {INTAKE} http-get /secure/", ["hydra"]),
    ("hydra of FTP", f"hydra -l admin -P WORDS -t 1 ftp://{INTAKE}", []),
    ("medusa of FTP", f"medusa -h {INTAKE} -u admin -P WORDS -M ftp -t 1", []),
    ("medusa of HTTP", f"medusa -h {INTAKE} -u admin -P WORDS -M http -t 1", ["medusa"]),
    ("ncrack of HTTP", f"ncrack -u admin -P WORDS http://{INTAKE},path=/secure/", ["ncrack"]),
    ("gobuster", f"gobuster dir -q -u http://{INTAKE}/ -w WORDS", ["gobuster"]),
    ("ffuf", f"ffuf -s -u http://{INTAKE}/FUZZ -w WORDS", ["ffuf"]),
    ("dirb", f"dirb http://{INTAKE}/ WORDS -S", ["dirb"]),
    ("sqlmap", f"sqlmap -u http://{INTAKE}/index.htm?a=1 --batch --technique B --timeout 3 --retries 0", ["sqlmap"]),
]


@pytest.fixture
def standard(plant):
    """The demo site on the real ports; many tools know no others."""
    return plant.start("--port-offset", "0", listens=(INTAKE, 502))


def met(plant):
    """The tools of all sessions, which have ended."""
    plant.stop()
    closed = plant.events("closed")
    assert closed, "nobody came"
    return {tool["name"] for event in closed for tool in event["honeyplant"]["summary"].get("tools", [])}


@pytest.mark.parametrize(("command", "tools"), [tool[1:] for tool in SEEN], ids=[tool[0] for tool in SEEN])
def test_a_tool_is_named_and_no_other(standard, tmp_path, command, tools):
    words = tmp_path / "words"
    words.write_text("public\nprivate\nindex\n")
    shell = isinstance(command, str)
    command = command.replace("WORDS", str(words)) if shell else command
    subprocess.run(
        command, shell=shell, stdin=subprocess.DEVNULL, capture_output=True, timeout=240, env={**os.environ, "HOME": str(tmp_path)}
    )
    found = met(standard)
    assert found <= set(tools), f"{found - set(tools)} did not ask"
    assert found.issuperset(tools[:1]), f"it was not recognised; {found} was"


def test_pythons_own_clients_are_named(standard):
    urllib.request.urlopen(f"http://{INTAKE}/", timeout=PATIENCE).read()
    with pytest.raises(ftplib.error_perm):
        ftplib.FTP(INTAKE, timeout=PATIENCE).login()
    assert met(standard) == {"Python urllib", "Python ftplib"}


def say(where, port, *messages):
    """What a program sends that is not here to be run, one message after the other."""
    with socket.create_connection((where, port), PATIENCE) as peer:
        for message in messages:
            peer.sendall(bytes.fromhex(message))
            peer.settimeout(5)
            peer.recv(4096)


CR, SETUP = "0300001611e00000{}00c1020100c2020102c0010a", "0300001902f08032010000000000080000f0000001000101e0"
SZL = "0300002102f080320700000000000800080001120411440100ff09000400{}0001"


@pytest.mark.parametrize(
    ("where", "port", "messages", "tool"),
    [
        (INTAKE, 502, ["5a4700000005002b0e0100"], "zgrab2 modbus"),
        (INTAKE, 502, ["210000000006010400010000"], "Metasploit modbusdetect or modbus_findunitid"),
        (INTAKE, 502, ["446200000005ff2b0e0300"], "Metasploit modbus_banner_grabbing"),
        (INTAKE, 502, ["000000000005ff2b0e0100"], "plcscan"),
        (HILL, 102, [CR.format("0004"), SETUP, SZL.format("11"), SZL.format("1c")], "zgrab2 siemens"),
        (HILL, 102, [CR.format("0007"), SETUP, SZL.format("11"), SZL.format("1c")], "plcscan"),
    ],
)
def test_what_is_known_from_the_source_alone(standard, where, port, messages, tool):
    """These were not run: the bytes are what their source says that they send."""
    say(where, port, *messages)
    assert met(standard) == {tool}


def test_an_exploit_is_graver_than_what_it_looks_like(standard):
    say(INTAKE, 21, b"USER letmein:)\r\n".hex(), b"SITE CPFR /etc/passwd\r\n".hex())
    assert met(standard) == {"FTP exploit"}
    (event,) = [event for event in standard.events() if "refused" in event["message"]]
    assert "T0866" in event["threat"]["technique"]["id"] and event["event"]["severity"] == 4, "an attempt of 6 that was refused"


MINE = """
[[tools]]
name = "our own inventory"
kind = "client"
rules = [{ protocol = "http", when = { path = "/inventory", user-agent = "*ours/*" } }]
"""


def test_an_operators_rules(plant, tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    site(tmp_path, more='[meaning]\ntools = "mine.toml"', plc=INTAKE)
    plant.start(tmp_path, listens=(INTAKE, 502))
    subprocess.run(["curl", "-s", "-A", "Ours/1.0", f"http://{INTAKE}/inventory"], capture_output=True, timeout=PATIENCE)
    assert met(plant) == {"our own inventory"}


def test_an_operators_mistakes_are_told(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE.replace('path = "/inventory"', 'request = "0g"').replace("client", "clint"))
    site(tmp_path, more='[meaning]\ntools = "mine.toml"', plc=INTAKE)
    told = honeyplant("--state", tmp_path / "state", "check", tmp_path, code=1)
    assert "mine.toml" in told and "clint" in told, told
    (tmp_path / "mine.toml").write_text(MINE.replace('path = "/inventory"', 'request = "0g"'))
    told = honeyplant("--state", tmp_path / "state", "check", tmp_path, code=1)
    assert "tools[0].rules[0].when.request" in told and "`g`" in told, told
    site(tmp_path, more='[meaning]\ntools = "none.toml"', plc=INTAKE)
    told = honeyplant("--state", tmp_path / "state", "check", tmp_path, code=1)
    assert "meaning.tools" in told and "none.toml" in told, told

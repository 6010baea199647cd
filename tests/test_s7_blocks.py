"""Blocks, program invocation and passwords of S7comm, asked by the C library of python-snap7 2 and the Python of version 3."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, Capture, Peer, wait_until
from snap7 import Client
from snap7.type import Block

OPEN, PROTECTED = "127.0.33.1", "127.0.33.2"
SITE = ROOT / "tests/sites/blocks"
# python-snap7 2 brings the C library; the two versions cannot be in one interpreter.
SNAP7_2 = Path(sys.prefix) / "snap7-2"
# What each script begins with: a block as octets, and an error in words.
HEAD = """
import json, snap7
from snap7.type import Block
client = snap7.client.Client()
client.connect(%r, 0, 2)
def take(kind, number):
    octets, size = client.full_upload(kind, number)
    return bytes(octets[:size])
def words(code):
    return client.error_text(code) if code else "OK"
def refused(call, *arguments):
    try:
        return words(call(*arguments) or 0)
    except Exception as error:
        return str(error)
"""


@pytest.fixture
def cpus(plant):
    return plant.start(SITE, listens=(OPEN, 102))


def snap7_2(script, address=OPEN):
    """What `script` prints as JSON, run with the C library's client connected to the CPU as `client`."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD % address + script],
        env={**os.environ, "PYTHONPATH": str(SNAP7_2)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of(plant, action, count=1):
    """The events with this action, once there are so many."""
    return wait_until(lambda: len(events := plant.events(action)) >= count and events, f"{count} {action}")


def artefacts(plant):
    """The names of what actors left."""
    return {path.name.split(".")[0] for path in (plant.state / "artefacts").rglob("*") if path.is_file()}


def test_blocks_are_listed_and_described(cpus):
    told = snap7_2("""
counts = client.list_blocks()
lists = {kind.name: list(client.list_blocks_of_type(kind, 1024)) for kind in (Block.OB, Block.FC, Block.DB, Block.SFC)}
info = client.get_block_info(Block.FB, 1)
print(json.dumps([
    [counts.OBCount, counts.FBCount, counts.FCCount, counts.DBCount, counts.SDBCount, counts.SFCCount, counts.SFBCount],
    lists, [info.BlkNumber, info.BlkLang, info.MC7Size, info.Version, info.Header.decode(), info.Author.decode()],
    refused(client.get_block_info, Block.FC, 77)]))
""")
    counts, lists, info, missing = told
    assert counts == [2, 1, 2, 3, 6, 77, 15]
    assert lists["OB"][:2] == [1, 100] and lists["FC"][:2] == [1, 2] and lists["DB"][:3] == [1, 10, 11]
    assert lists["SFC"][:77] == sorted(set(lists["SFC"][:77])) and lists["SFC"][76] == 127, "in two parts"
    writer = cpus.identity("open")["writer"]
    assert info == [1, 4, 1200, 0x12, "PUMP", writer]
    assert "not available" in missing
    assert [event["honeyplant"]["block"]["name"] for event in of(cpus, "inspect_block", 2)] == ["FB 1", "FC 77"]


def test_blocks_are_taken(cpus):
    sizes = snap7_2("""
blocks = [take(Block.OB, 1), take(Block.FB, 1), take(Block.SDB, 0), take(Block.DB, 11)]
print(json.dumps([[len(block), block[:2].decode(), int.from_bytes(block[8:12])] for block in blocks]
                 + [refused(take, Block.SFC, 1), refused(take, Block.FC, 9)]))
""")
    for length, signature, said in sizes[:4]:
        assert signature == "pp" and length == said
    assert "refused" in sizes[4] and "not available" in sizes[5]
    uploads = of(cpus, "upload_block", 6)
    assert [event["honeyplant"]["block"]["name"] for event in uploads] == ["OB 1", "FB 1", "SDB 0", "DB 11", "SFC 1", "FC 9"]


def test_a_block_is_brought_kept_taken_again_and_deleted(cpus):
    brought, again, gone, twice = snap7_2("""
block = bytearray(take(Block.FC, 1))
client.download(block, 7)
brought, again = take(Block.FC, 7), take(Block.FC, 7)
client.download(bytearray(brought), 7)
same = take(Block.FC, 7)
print(json.dumps([brought.hex(), same.hex(), refused(client.delete, Block.FC, 7), refused(client.delete, Block.FC, 7)]))
""")
    assert brought == again and gone == "OK" and "refused" in twice
    downloads = of(cpus, "download_block", 2)
    digest = hashlib.sha256(bytes.fromhex(brought)).hexdigest()
    block = downloads[1]["honeyplant"]["block"]
    assert block["name"] == "FC 7" and block["title"] == "SCALE" and block["language"] == "FUP"
    assert downloads[1]["file"]["hash"]["sha256"] == digest
    wait_until(lambda: digest in artefacts(cpus), "the artefact to be kept")
    assert len(of(cpus, "insert_block", 2)) == 2 and len(of(cpus, "delete_block", 2)) == 2


def test_a_data_block_that_is_brought_is_memory_and_survives_a_restart(cpus):
    values = snap7_2("""
block = bytearray(take(Block.DB, 10))
block[36:40] = b"\\xCA\\xFE\\x00\\x01"
client.download(block, 20)
first = client.db_read(20, 0, 4).hex()
client.db_write(20, 2, bytearray(b"\\xBE\\xEF"))
client.delete(Block.DB, 11)
print(json.dumps([first, take(Block.DB, 20)[36:40].hex()]))
""")
    assert values == ["cafe0001", "cafebeef"]
    cpus.stop()
    cpus.start(SITE, listens=(OPEN, 102))
    after = snap7_2("""
print(json.dumps([client.db_read(20, 0, 4).hex(), list(client.list_blocks_of_type(Block.DB, 1024))[:4],
                  take(Block.DB, 20)[36:40].hex(), refused(client.db_read, 11, 0, 2)]))
""")
    assert after[:3] == ["cafebeef", [1, 10, 20, 0], "cafebeef"]
    assert after[3] != "OK"


def test_stop_and_start_are_seen_through_another_protocol(cpus):
    with Peer((OPEN, 502)) as peer:
        wait_until(lambda: peer.ask("01 0000 0001") == "010101", "the motor to run")
        assert snap7_2("print(json.dumps([words(client.plc_stop()), words(client.plc_stop())]))") == [
            "OK",
            "CPU : PLC already STOP",
        ]
        wait_until(lambda: peer.ask("01 0000 0001") == "010100", "the motor to stand")
        # What is written now stays: the program does not overwrite it.
        peer.ask("06 0000 1234")
        assert peer.ask("03 0000 0001") == "03021234"
        started = snap7_2("print(json.dumps([words(client.plc_cold_start()), words(client.plc_hot_start())]))")
        assert started == ["OK", "CPU : PLC already RUN"]
        wait_until(lambda: peer.ask("01 0000 0001") == "010101", "the motor to run again")
        wait_until(lambda: peer.ask("03 0000 0001") == "03020007", "the program to write again")
    told = snap7_2("print(json.dumps([refused(client.compress, 1000), words(client.copy_ram_to_rom(1000))]))")
    assert told == ["OK", "OK"]
    commands = [event["honeyplant"]["operation"]["name"] for event in of(cpus, "command", 6)]
    assert commands == ["PLC stop", "PLC stop", "cold start", "warm start", "compress memory", "copy RAM to ROM"]


def test_a_password_opens_what_is_protected(cpus):
    told = snap7_2(
        """
print(json.dumps([refused(take, Block.OB, 1), words(client.plc_stop()), words(client.delete(Block.OB, 1)),
    refused(client.set_session_password, "guess"), refused(client.set_session_password, "pump77"),
    len(take(Block.OB, 1)), words(client.plc_stop()), words(client.plc_hot_start()),
    refused(client.clear_session_password), refused(take, Block.OB, 1), client.db_read(1, 0, 2).hex()]))
""",
        PROTECTED,
    )
    assert "protection level" in told[0] and "OK" not in told[1:3]
    assert "Invalid password" in told[3] and told[4] == "OK"
    assert told[5] > 100 and told[6:9] == ["OK", "OK", "OK"]
    assert "protection level" in told[9]
    assert told[10] == "0000", "values are open to everybody"
    of(cpus, "login", 2)
    logins = cpus.tell("events", "--action", "login")
    assert "tried to log in with `guess`" in logins and "logged in with `pump77`" in logins


def test_the_client_in_python_does_the_same(cpus):
    client = Client()
    client.connect(OPEN, 0, 2)
    counts = client.list_blocks()
    assert (counts.OBCount, counts.DBCount, counts.SFCCount) == (2, 3, 77)
    assert list(client.list_blocks_of_type(Block.FC, 100))[:2] == [1, 2]
    info = client.get_block_info(Block.DB, 10)
    assert (info.BlkNumber, info.MC7Size) == (10, 400)
    block, size = client.full_upload(Block.FC, 1)
    assert size == int.from_bytes(block[8:12]) and block[:2] == b"pp"
    # It brings data blocks only, and does not put them to use.
    block, size = client.full_upload(Block.DB, 10)
    client.download(bytearray(block[:size]), 10)
    client.plc_stop()
    client.plc_cold_start()
    # Its request to delete a block has no list of blocks.
    with pytest.raises(Exception, match="Syntax error"):
        client.delete(Block.FC, 2)
    client.disconnect()
    of(cpus, "malformed")
    words = cpus.tell("events")
    assert "commanded: PLC stop" in words and "downloaded block DB 10 (DB, title RECIPES" in words
    assert "sent a broken message: the parameter of a PI service ends before its name does" in words


def test_tshark_finds_nothing_malformed(cpus, tmp_path):
    with Capture(tmp_path / "blocks.pcap") as capture:
        snap7_2("""
for kind in (Block.OB, Block.DB, Block.SFC, Block.SFB, Block.SDB):
    client.list_blocks_of_type(kind, 1024)
client.list_blocks(), client.get_block_info(Block.DB, 10), refused(client.get_block_info, Block.DB, 99)
client.download(bytearray(take(Block.FC, 1)), 8)
client.delete(Block.FC, 8), client.plc_stop(), client.plc_stop(), client.plc_cold_start(), client.plc_hot_start()
refused(client.set_session_password, "x"), client.compress(1000), client.copy_ram_to_rom(1000)
print(1)
""")
    assert not capture.shown("_ws.malformed")
    shown = capture.shown("s7comm")
    for what in ("Download block", "Upload", "_INSE(FC8)", "_DELE(FC8)", "Get block info", "PLC password", "0xd209"):
        assert what in shown, what

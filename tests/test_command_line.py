"""What an operator meets: the commands, and what they say when something is wrong."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
from conftest import BINARY, DEMO, FUNCTIONS, PATIENCE, ROOT, Peer, honeyplant, site, wait_until


def test_run_says_what_listens_where_and_what_happens(demo):
    with Peer() as peer:
        peer.ask("05 012c ff00")
    wait_until(lambda: "wrote coil 300" in demo.log.read_text(), "the event on the console")
    log = demo.log.read_text()
    assert len(log.splitlines()) < 40, log
    assert "plc-intake" in log and "127.0.10.2" in log and "10502" in log and "modbus" in log, log


def test_a_device_has_addresses_of_both_families(plant, tmp_path):
    file = site(tmp_path, plc=DEMO[0]) / "site.toml"
    file.write_text(file.read_text().replace(f'["{DEMO[0]}"]', f'["{DEMO[0]}", "::1"]'))
    plant.start(tmp_path, listens=(DEMO[0], 502))
    with Peer(("::1", 502)) as six, Peer((DEMO[0], 502)) as four:
        six.ask("06 0190 04d2")
        assert four.ask("03 0190 0001") == "030204d2"
    write = wait_until(lambda: plant.events("write"), "the write to be recorded")[0]
    assert write["source"]["ip"] == "::1" and write["network"]["type"] == "ipv6"


def test_events_are_followed_and_filtered(demo):
    command = [
        BINARY,
        "--state",
        demo.state,
        "events",
        "--json",
        "--follow",
        "--action",
        "write",
        "--source",
        "127.0.0.1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        with Peer() as peer:
            for number in range(3):
                peer.ask(f"05 {number:04x} ff00")
                assert json.loads(follower.stdout.readline())["honeyplant"]["address"] == number
        follower.terminate()
    assert len(demo.tell("events", "--tag", "pump_2_run", "--json").splitlines()) == 1
    assert demo.tell("events", "--device", "another") == ""
    last = demo.tell("events", "--last", "1", "--action", "write").splitlines()[-1]
    assert "wrote coil 2" in last, last


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_end_is_recorded_for_every_session(demo, how):
    with Peer() as open_at_that_time:
        open_at_that_time.ask("03 0000 0001")
        demo.stop(how)
        closed = demo.events("closed")
        assert len(closed) == 1 and "the site was told to end" in closed[0]["message"]
        assert demo.events()[-1]["event"]["action"] == "stopped"
        assert open_at_that_time.socket.recv(1) == b""


def test_a_second_signal_ends_it_at_once(plant, tmp_path):
    """The first one waits for a sink that takes nothing more: a pipe that nobody reads."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    plant.start(site(tmp_path, plc=DEMO[0], more=f'[[sinks.json-lines]]\npath = "{pipe}"'), listens=(DEMO[0], 502))
    with Peer((DEMO[0], 502)) as peer:
        for number in range(500):
            peer.ask(f"03 {number:04x} 0001")
    process, plant.process = plant.process, None
    process.send_signal(signal.SIGINT)
    wait_until(lambda: plant.events("stopped"), "the first one to be heard")
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) != 0
    assert time.monotonic() - start < 2


def test_root_is_given_up(plant, tmp_path):
    if not any(int(line.split()[2]) > 65534 for line in Path("/proc/self/uid_map").read_text().splitlines()):
        pytest.skip("there is no other user to become")
    site(tmp_path, plc=DEMO[0])
    file = tmp_path / "site.toml"
    file.write_text(file.read_text().replace("[site]", '[site]\nuser = "nobody"'))
    for parent in [tmp_path, *tmp_path.parents[:2]]:
        parent.chmod(0o755)  # which pytest lets nobody else enter
    for _ in range(2):
        plant.start(tmp_path, listens=(DEMO[0], 502))
        with Peer((DEMO[0], 502)) as peer:
            assert peer.ask("03 0000 0001").startswith("0302")
        status = Path(f"/proc/{plant.process.pid}/status").read_text()
        assert re.search(r"^Uid:\s+(65534\s*){4}$", status, re.M) and re.search(r"^CapEff:\s0+$", status, re.M), status
        plant.stop()
    assert len(plant.events("closed")) == 2


def test_ports_that_are_taken_are_told_and_nothing_is_bound(plant, tmp_path):
    site(tmp_path, one="127.0.0.1", two="127.0.0.2", three="127.0.0.3")
    with socket.create_server(("127.0.0.1", 502)), socket.create_server(("127.0.0.3", 502)):
        said = honeyplant("run", tmp_path, "--state", plant.state, code=1)
    assert "127.0.0.1:502" in said and "`one`" in said and "127.0.0.3:502" in said and "`three`" in said, said
    assert "`two`" not in said and "help: " in said and "--port-offset" in said, said
    # Nor does the record begin with a site that never ran.
    assert not plant.events()


def test_a_privileged_port_without_the_right_is_told(plant):
    without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    said = honeyplant("run", "--port-offset", "0", "--state", plant.state, code=1, within=without)
    assert "127.0.10.2:502" in said and "plc-intake" in said, said
    assert "help: " in said and "--port-offset" in said and "cap_net_bind_service" in said.lower(), said


def test_an_address_that_is_not_this_machines_is_told(plant, tmp_path):
    said = honeyplant("run", site(tmp_path, far="192.0.2.7"), "--state", plant.state, code=1)
    assert "192.0.2.7" in said and "`far`" in said and "help: " in said, said


@pytest.mark.parametrize("command", ["run", "check"])
def test_all_mistakes_in_a_site_are_told_at_once(tmp_path, command):
    site(tmp_path, one="127.0.0.1", two="127.0.0.1", three="127.0.0.1-127.0.0", more="[limits]\nsessions = 5")
    with (tmp_path / "site.toml").open("a") as file:
        file.write('[[devices]]\nname = "one"\nprofile = "schneider-m341"\n')
    said = honeyplant(command, tmp_path, "--state", tmp_path / "state", code=1)
    for mistake in ["127.0.0.1 belongs to `one`", "`127.0.0.1-127.0.0` is no range", "`one` has no address"]:
        assert mistake in said, said
    assert f"{tmp_path / 'site.toml'}:12" in said and "devices[1].addresses" in said and "help: " in said, said
    assert "problems in all" in said, said


@pytest.mark.parametrize("command", ["run", "check"])
def test_all_mistakes_in_a_profile_are_told_at_once(tmp_path, command):
    shutil.copytree(FUNCTIONS, tmp_path / "site")
    profile = tmp_path / "site/profiles/every-function/profile.toml"
    text = profile.read_text().replace("broadcast = true", "broadcast = 1\ndiagnostic-registre = 5")
    profile.write_text(text + '[tags.odd]\ntype = "INTEGER"\n[modbuss]\n')
    said = honeyplant(command, tmp_path / "site", "--state", tmp_path / "state", code=1)
    for mistake in ["modbus.broadcast", "diagnostic-registre", "tags.odd.type", "modbuss"]:
        assert mistake in said, said
    assert f"{profile}:" in said and "`modbus`" in said and "`diagnostic-register`" in said, said

    text = profile.read_text().replace('tag = "flow"', 'tag = "flaw"').replace('at = "%M2"', 'at = "%M99"')
    profile.write_text(text[: text.index("[tags.odd]")].replace("broadcast = 1\ndiagnostic-registre = 5\n", ""))
    said = honeyplant(command, tmp_path / "site", "--state", tmp_path / "state", code=1)
    assert "`flaw`" in said and "did you mean `flow`?" in said and "`%M99` lies behind the end" in said, said


def test_a_profile_that_does_not_exist_is_told_with_the_nearest(tmp_path):
    site(tmp_path, one="127.0.0.1")
    file = tmp_path / "site.toml"
    file.write_text(file.read_text().replace("m340", "m341"))
    said = honeyplant("check", tmp_path, "--state", tmp_path / "state", code=1)
    assert f"{file}:6" in said and "`schneider-m341`" in said and "did you mean `schneider-m340`?" in said, said


def test_a_state_folder_serves_one_process(demo, tmp_path):
    said = honeyplant("run", "--port-offset", "20000", "--state", demo.state, code=1)
    assert str(demo.state) in said and "another honeyplant" in said and "--state" in said, said
    with Peer() as peer:
        assert peer.ask("03 0000 0001").startswith("0302")


def test_init_makes_what_check_and_run_accept(plant, tmp_path):
    said = honeyplant("init", tmp_path / "mine")
    assert f"honeyplant run {tmp_path / 'mine'}" in said, said
    assert "nothing is wrong" in honeyplant("check", tmp_path / "mine", "--state", plant.state)
    site = tomllib.loads((tmp_path / "mine/site.toml").read_text())
    intake = next(device for device in site["devices"] if device["name"] == "plc-intake")
    address, port = intake["addresses"][0], 502 + site["site"]["port-offset"]
    plant.start(tmp_path / "mine", listens=(address, port))
    with Peer((address, port)) as peer:
        assert peer.ask("03 0000 0001").startswith("0302")
    assert "there already" in honeyplant("init", tmp_path / "mine", code=1)


def test_profiles_are_listed_and_shown():
    assert re.search("^schneider-m340 .*BMX P34 2020.*modbus", honeyplant("profiles"), re.M)
    shown = honeyplant("profiles", "schneider-m340")
    assert "modbus" in tomllib.loads(shown)
    assert "schneider-m340" in honeyplant("profiles", "schneider", code=1)


DIALOGUE = """# A register keeps what was written.
serve modbus
> 0001 0000 0006 01 06 0190 04d2
< 0001 0000 0006 01 06 0190 04d2
> 0002 0000 0006 01 03 0190 0001
< 0002 0000 0005 01 03 02 {}
"""


def test_a_dialogue_is_played_to_a_server(demo, tmp_path):
    dialogue = tmp_path / "register.txt"
    to = f"{DEMO[0]}:{DEMO[1]}"
    dialogue.write_text(DIALOGUE.format("04d2"))
    honeyplant("play", dialogue, "--to", to)
    dialogue.write_text(DIALOGUE.format("04d3"))
    said = honeyplant("play", dialogue, "--to", to, code=1)
    assert "line 6" in said and "04d3" in said.replace(" ", "") and "04d2" in said.replace(" ", ""), said
    said = honeyplant("play", dialogue, "--to", "127.0.10.2:1", code=1)
    assert "127.0.10.2:1" in said, said


def test_the_schemas_in_docs_are_those_of_this_binary():
    for what in ["site", "profile", "event"]:
        in_docs = json.loads((ROOT / f"docs/schema/{what}.schema.json").read_text())
        assert in_docs == json.loads(honeyplant("schema", what))

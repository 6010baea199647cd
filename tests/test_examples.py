"""The example of docs/programs.md: it lives, and it reacts as its text says."""

import csv
import re
import shutil

import pytest
from conftest import ROOT, Peer, honeyplant, wait_until

DOCUMENT = ROOT / "docs/programs.md"
DEPOT = ROOT / "docs/examples/fuel-depot"
MONDAY = "2026-06-01T00:00:00Z"


def run(state, length, *do):
    """What the tags of the depot were each minute, while something is done to it."""
    sets = [part for what in do for part in ("--set", what)]
    days = ["plant", DEPOT, "--from", MONDAY, "--for", length, "--every", "1m", "--csv"]
    text = honeyplant("--state", state, *days, *sets, patience=600)
    rows = list(csv.DictReader(line for line in text.splitlines() if line.startswith(("time,", "2026-"))))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "time"}


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Four days of business."""
    return run(tmp_path_factory.mktemp("depot"), "4d")


def change(values):
    return values[-1] - values[0]


def test_every_line_that_the_text_quotes_is_in_the_example():
    files = [path.read_text() for path in DEPOT.rglob("*.*") if path.is_file()]
    section = DOCUMENT.read_text().split("## An example, step by step")[1].split("\n## ")[0]
    quoted = re.findall(r"```(?:toml)?\n(.*?)```", section, re.S)
    assert len(quoted) >= 7
    for text in quoted:
        lines = text.splitlines()
        assert any(all(line in file for line in lines) for file in files), text


def test_mistakes_look_as_the_text_says(tmp_path):
    depot = shutil.copytree(DEPOT, tmp_path / "fuel-depot")
    for file, right, wrong in [
        ("process.st", "OUTFLOW := outflow_1, AREA", "OUTFLOW := outflow_1, SURFACE"),
        ("profiles/tank-controller/program.st", "REAL_TO_INT(level_1 * 100.0)", "level_1 * 100.0"),
    ]:
        text = (depot / file).read_text()
        assert right in text
        (depot / file).write_text(text.replace(right, wrong))
    told = honeyplant("--state", tmp_path / "state", "check", "fuel-depot", code=1, within=("env", "-C", tmp_path))
    section = DOCUMENT.read_text().split("## When something is wrong")[1].split("\n## ")[0]
    assert f"```\n{told}```" in section


def test_nothing_is_wrong_with_it(tmp_path):
    assert "nothing is wrong with fuel-depot" in honeyplant("--state", tmp_path, "check", DEPOT)


def test_trucks_are_loaded_by_day(days):
    trucks, volume = change(days["tank-controller.trucks_loaded"]), change(days["tank-controller.loaded_total"])
    assert 15 < trucks < 100
    assert 12 * trucks < volume < 40 * trucks
    flow = days["loading_flow"]
    assert 80 < max(flow) < 140
    for day in range(4):
        # From 18 to 6 on the depot's clock, which is an hour ahead of UTC; the last truck of a day is let finish.
        midnight = 24 * 60 * day
        assert max(flow[midnight : midnight + 5 * 60]) == 0, "nobody loads at night"


def test_the_pipeline_fills_what_the_trucks_take(days):
    assert max(days["receipt_flow"]) > 100
    for tank in (1, 2):
        level, shown = days[f"tank_{tank}_level"], days[f"tank-controller.tank_{tank}_level"]
        assert max(level) - min(level) > 1, "it is used"
        apart = [abs(100 * true - seen) for true, seen in zip(level[1:], shown[1:])]
        assert 0 < max(apart) < 4, "the gauge is near, and has noise"


def test_all_is_well_while_nobody_meddles(days):
    for alarm in ("overfill", "high_level", "low_level", "loss", "pump", "sensor"):
        assert max(days[f"tank-controller.{alarm}_alarm"]) == 0, alarm
    assert max(days["spilled"]) == 0


def test_a_leak_is_found_in_the_night(tmp_path):
    found = run(tmp_path, "30h", "19h:leak=3")["tank-controller.loss_alarm"].index(1)
    # A batch of the pipeline hides it for four hours at most.
    assert 19.5 * 60 < found < 27 * 60


def test_a_stop_closes_everything(tmp_path):
    day = run(tmp_path, "12h", "10h:tank-controller=stop")
    stopped = slice(10 * 60 + 2, None)
    for out in ("inlet_1", "inlet_2", "valve", "pump"):
        assert max(day[f"tank-controller.{out}_out"][stopped]) == 0, out
    assert max(day["loading_flow"][stopped]) < 0.01
    assert max(day["receipt_flow"][stopped]) == 0


def test_overfill_protection_works_in_manual(tmp_path):
    # The depot seems to run empty, and so the pipeline sends more than tank 1 can hold.
    manual = ["4h:tank-controller.auto=0", "4h:tank-controller.manual_inlet_1=1", "4h:leak=300"]
    day = run(tmp_path, "20h", *manual)
    assert max(day["tank-controller.overfill_alarm"]) == 1
    assert 9.5 < max(day["tank_1_level"]) < 9.8
    assert max(day["spilled"]) == 0


def test_nobody_pumps_without_a_truck(tmp_path):
    manual = ["2h:tank-controller.auto=0", "2h:tank-controller.manual_valve=1", "2h:tank-controller.manual_pump=1"]
    night = run(tmp_path, "4h", *manual)
    assert max(night["valve_opened"]) == 1
    assert max(night["loading_flow"]) == 0


def test_its_registers_are_what_it_measures(plant):
    at = ("127.0.20.1", 10502)
    plant.start(DEPOT, listens=at)
    with Peer(to=at) as peer:

        def levels():
            answer = bytes.fromhex(peer.ask("0300000002"))
            return [int.from_bytes(answer[2 + 2 * n : 4 + 2 * n]) for n in (0, 1)]

        wait_until(lambda: min(levels()) > 0, "the first scan")
        assert all(390 < level < 810 for level in levels())
        # Without an acknowledgement that the program takes back.
        assert peer.ask("050005ff00") == "050005ff00"
        wait_until(lambda: peer.ask("0100050001") == "010100", "the acknowledgement to be taken")

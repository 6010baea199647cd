"""The demo's plant: weeks of it in virtual time, and what becomes of it when somebody takes hold of it."""

import subprocess
from statistics import fmean

import pytest
from conftest import DEMO, PATIENCE, Peer, Run, change, wait_until

COUNTERS = "watchdog intake_total delivered_total energy_total pump_1_hours pump_2_hours backwash_count".split()


def test_a_month_of_water_adds_up(month):
    came = change(month, "river_total")
    went = sum(change(month, tag) for tag in ["delivered_total", "drained_total", "overflow_total", "stored_volume"])
    assert came > 80_000, "a month of a small town"
    assert abs(came - went) < 0.001 * came, f"{came:.1f} m3 came and {went:.1f} m3 went"
    # So does what the hill zone takes of it.
    lifted = change(month, "hill_inflow_total")
    went = sum(change(month, f"hill_{what}") for what in ("outflow_total", "overflow_total", "stored_volume"))
    assert abs(lifted - went) < 0.001 * lifted, f"{lifted:.1f} m3 were lifted and {went:.1f} m3 went"
    assert 0.1 < lifted / change(month, "delivered_total") < 0.17, "its share of the town"
    for total in ("inflow", "outflow", "energy"):
        assert abs(change(month, f"plc-hill.{total}_total") - change(month, f"hill_{total}_total")) <= 2
    # The controllers count the pulses of their meters.
    assert abs(change(month, "plc-intake.delivered_total") - change(month, "delivered_total")) <= 2
    assert abs(change(month, "plc-intake.energy_total") - change(month, "energy_total")) <= 2
    assert 0.15 < change(month, "energy_total") / change(month, "delivered_total") < 0.35, "kWh for a cubic metre"


def test_nothing_leaves_its_range_in_a_month(month):
    assert month.notes == ""


def test_no_two_days_are_the_same(month):
    day = 86_400 // month.every
    tags = ["delivered_flow", "clear_level", "plc-intake.raw_level", "plc-intake.turbidity", "plc-intake.power"]
    for tag in [*tags, "reservoir_level", "plc-hill.inflow", "plc-hill.village_pressure", "hmi-works.hill_residual"]:
        days = [tuple(month[tag][start : start + day]) for start in range(0, 30 * day, day)]
        assert len({*days}) == 30, tag


def test_the_town_drinks_by_day_and_sleeps_by_night(month):
    day = 86_400 // month.every
    # The process's clock is an hour ahead of UTC: these are 3 to 4 and 7 to 8 on its wall.
    night, morning = (
        [fmean(month.between(24 * d + hour, 24 * d + hour + 1, "delivered_flow")) for d in range(30)] for hour in (2, 6)
    )
    assert all(morning[d] > 2.5 * night[d] for d in range(30) if d % 7 < 5)
    totals = [fmean(month["delivered_flow"][d * day : (d + 1) * day]) for d in range(30)]
    assert max(totals) > 1.05 * min(totals)
    assert max(month["delivered_flow"]) < 3.2 * fmean(month["delivered_flow"])


def test_the_machines_share_the_work_and_are_counted(month):
    for tag in COUNTERS:
        values = month[f"plc-intake.{tag}"]
        rises = [after - before for before, after in zip(values, values[1:])]
        if tag == "watchdog":
            rises = [rise % 65_536 for rise in rises]
        assert min(rises) >= 0 and sum(rises) > 0, tag
    one, two = (change(month, f"plc-intake.pump_{number}_hours") for number in (1, 2))
    assert 150 < one < 500 and 0.7 < one / two < 1.4, "the lead alternates"
    assert 10 <= change(month, "plc-intake.backwash_count") <= 90
    running = [flow for flow, on in zip(month["lifted_flow"], month["plc-intake.pump_1_run"]) if on]
    assert fmean(running) > 150


def test_the_hill_pumps_take_turns(month):
    for tag in ["pump_1_hours", "pump_2_hours", "pump_1_starts", "pump_2_starts", "life_counter"]:
        values = month[f"plc-hill.{tag}"]
        rises = [(after - before) % 65_536 for before, after in zip(values, values[1:])]
        assert max(rises) < 400 and sum(rises) > 20, tag
    one, two = (change(month, f"plc-hill.pump_{number}_hours") for number in (1, 2))
    assert 100 < one < 500 and 0.7 < one / two < 1.4, "the lead alternates"
    runs = [change(month, f"plc-hill.pump_{number}_starts") for number in (1, 2)]
    assert 30 < min(runs) and abs(runs[0] - runs[1]) < 20
    lifting = [flow for flow, on in zip(month["hill_inflow"], month["plc-hill.pump_1_run"]) if on]
    assert fmean(lifting) > 20
    # The works feel each start.
    delivered, lifted = month["plc-intake.delivered_flow"], month["hill_inflow"]
    steps = [
        (delivered[at] - delivered[at - 1]) * 0.36 for at in range(1, len(lifted)) if lifted[at] - lifted[at - 1] > 20
    ]
    assert len(steps) > 60 and fmean(steps) > 20


def test_the_panel_shows_what_the_controllers_hold(month):
    """It asks every two seconds, so it may be that much late."""
    for tag in ["level_start", "outflow_total", "pump_1_hours", "residual_setpoint"]:
        assert fmean(a == b for a, b in zip(month[f"hmi-works.hill_{tag}"], month[f"plc-hill.{tag}"])) > 0.9, tag
    for tag in ["raw_level_stop", "delivered_total", "backwash_age"]:
        assert fmean(a == b for a, b in zip(month[f"hmi-works.{tag}"], month[f"plc-intake.{tag}"])) > 0.8, tag


def test_values_belong_together(month):
    """Flow, current and power of a pump; level, head and flow; the filter's loss and the flow through it."""
    currents = zip(month["plc-intake.pump_1_current"], month["plc-intake.pump_2_current"])
    pairs = list(zip(month["plc-intake.intake_flow"], map(max, currents)))
    lifting = [flow > 400 for flow, current in pairs if 200 < current < 500]
    still = [flow == 0 for flow, current in pairs if current == 0]
    # A look in some hundreds falls on a pump that starts or stops.
    assert len(lifting) > 4000 and lifting.count(False) < 20, "a pump that runs lifts water"
    assert len(still) > 1000 and still.count(False) < 20, "and nothing else does"
    standing = [dp for dp, flow in zip(month["plc-intake.filter_dp"], month["lifted_flow"]) if flow == 0]
    assert standing and fmean(standing) < 10
    assert len({*month["plc-intake.clear_level"]}) > 50
    pressures = month["plc-intake.discharge_pressure"][12:]
    setpoint = month["plc-intake.discharge_pressure_setpoint"][0]
    assert abs(fmean(pressures) - setpoint) < 5, "the booster holds its setpoint"


BOTH = ["--set", "6h:plc-intake.pump_1_manual=1", "--set", "6h:plc-intake.pump_2_manual=1"]


def test_without_pumps_the_town_runs_dry(tmp_path):
    run = Run(tmp_path, "20h", "1m", *BOTH)
    assert max(run.between(6.05, 20, "plc-intake.intake_flow")) == 0, "the flow stops within minutes"
    # The tank falls by what the town takes, and by nothing else.
    level = run.at(6.1, "clear_level") - run.at(7.1, "clear_level")
    taken = run.at(7.1, "delivered_total") - run.at(6.1, "delivered_total")
    drained = run.at(7.1, "drained_total") - run.at(6.1, "drained_total")
    area = run["clear_tank_area"][0]
    assert abs(level * area - taken - drained) < 0.01 * taken and level > 0.3
    alarms = {name: run[f"plc-intake.alarm_{name}"] for name in ("clear_level_low", "pressure_low", "raw_level_high")}
    low, pressure = (alarms[name].index(1, 6 * 60) for name in ("clear_level_low", "pressure_low"))
    assert 6 * 60 + 30 < low < pressure < 19 * 60, "first the tank, then the pressure"
    assert run["discharge_pressure"][-1] < 0.6 * run.at(6, "discharge_pressure")
    assert not any(alarms["raw_level_high"]), "the intake shuts when the raw-water tank is full"
    assert run.at(20, "delivered_flow") < run.at(20, "demand"), "less pressure, less water"


def test_one_pump_takes_over_for_the_other(tmp_path):
    run = Run(tmp_path, "24h", "1m", "--set", "1h:plc-intake.pump_1_manual=1")
    assert not any(run.between(1.1, 24, "pump_1_running")) and any(run.between(1.1, 24, "pump_2_running"))
    assert min(run["clear_level"]) > 1.0


@pytest.mark.parametrize("tank, forced", [("clear", 200), ("raw", 200)])
def test_a_forced_level_makes_a_tank_run_over(tmp_path, tank, forced):
    level = f"plc-intake.{tank}_level"
    run = Run(tmp_path, "24h", "1m", "--set", f"2h:{level}_simulated={forced}", "--set", f"2h:{level}_simulate=1")
    assert run["overflow_total"][0] == run.at(2, "overflow_total") == 0
    assert run["overflow_total"][-1] > 50
    assert max(run[f"{tank}_level"]) >= {"clear": 4.79, "raw": 4.44}[tank]
    assert {*run.between(2.1, 24, level)} == {forced}, "the panel shows what was forced"
    assert f"{tank}_overflow" in run.notes, "and the run tells that something left its range"
    assert any(run[f"plc-intake.alarm_{tank}_level_high"]), "the float switch sees it"


def test_a_stopped_cpu_lets_its_outputs_fall(tmp_path):
    run = Run(tmp_path, "10h", "10s", "--set", "4h:plc-intake=stop", "--set", "6h:plc-intake=run")
    outputs = [tag for tag in run.tags if tag.startswith("plc-intake.") and tag.endswith("_out")]
    assert len(outputs) >= 12
    stopped = {tag: {*run.between(4.01, 6, tag)} for tag in outputs}
    assert all(values == {0} for values in stopped.values()), stopped
    for tag in ["lifted_flow", "power", "discharge_pressure", "river_flow"]:
        assert max(run.between(4.05, 6, tag)) < 0.5 * max(run.between(1, 4, tag)), tag
    assert run.at(4.05, "intake_valve_closed") == 1
    watchdog = run.between(4.01, 6, "plc-intake.watchdog")
    assert len({*watchdog}) == 1, "the watchdog stands"
    assert run.at(6.5, "discharge_pressure") > 4 and max(run.between(6.1, 10, "lifted_flow")) > 150
    assert run.at(6.1, "plc-intake.watchdog") != watchdog[0]


HILL = ["reservoir_*", "hill_*", "village_pressure", "suction_pressure", "plc-hill.*", "plc-intake.delivered_flow"]


def test_a_stopped_cpu_leaves_the_hill_without_water(tmp_path):
    """The station is not manned: somebody comes after hours. Who stops the CPU again then has time enough."""
    run = Run(tmp_path, "12h", "1m", "--set", "4h:plc-hill=stop", "--set", "421m:plc-hill=stop", tags=HILL)
    outputs = ["pump_1_run", "pump_2_run", "outlet_valve_close", "dosing_run", "horn", "dosing_rate_out"]
    assert not any(any(run.between(4.02, 6.98, f"plc-hill.{tag}")) for tag in outputs)
    assert not any(run.between(4.1, 6.98, "hill_inflow"))
    level = run.at(4.1, "reservoir_level") - run.at(6.9, "reservoir_level")
    taken = run.at(6.9, "hill_outflow_total") - run.at(4.1, "hill_outflow_total")
    assert abs(level * run["reservoir_area"][0] - taken) < 0.01 * taken and level > 1
    assert len({*run.between(4.02, 6.98, "plc-hill.life_counter")}) == 1, "the life counter stands"
    assert run.at(7 + 1 / 60, "plc-hill.life_counter") != run.at(6, "plc-hill.life_counter"), "somebody turned the key"
    assert min(run.between(9, 10, "village_pressure")) < 0.1 and run.at(9.5, "hill_outflow") == 0
    assert run.at(11, "village_pressure") > 2.5 and run.at(11, "hill_inflow") > 20, "the pumps fill it again"


def test_an_output_that_is_set_stays_set(tmp_path):
    run = Run(tmp_path, "4h", "10s", "--set", "1h:plc-hill.pump_1_run=1", "--set", "2h:plc-hill.pump_1_run=0", tags=HILL)
    assert run.at(0.99, "hill_inflow") == 0
    assert {*run.between(1.01, 1.99, "plc-hill.pump_1_run")} == {1}
    assert min(run.between(1.02, 1.99, "hill_inflow")) > 20 and max(run.between(2.02, 2.1, "hill_inflow")) == 0
    assert run.at(1.9, "reservoir_level") > run.at(1.01, "reservoir_level") + 0.3
    delivered = [fmean(run.between(start, start + 0.1, "plc-intake.delivered_flow")) for start in (0.88, 1.02)]
    assert delivered[1] > delivered[0] + 50, "the works deliver more [0.1 l/s]"


def test_without_the_booster_the_hill_pumps_trip(tmp_path):
    sets = ["--set", "1h:plc-hill.pump_1_run=1", "--set", "2h:plc-intake.booster_manual=1"]
    run = Run(tmp_path, "8h", "10s", *sets, "--set", "3h:plc-intake.booster_manual=0", tags=HILL)
    assert min(run.between(1.1, 1.99, "suction_pressure")) > 2.5
    tripped = run["plc-hill.suction_released"].index(0, 2 * 360)
    assert tripped < 2 * 360 + 12, "within two minutes"
    assert {*run.between(2.05, 3, "plc-hill.pump_1_run")} == {0} and max(run.between(2.05, 3, "hill_inflow")) == 0
    assert max(run.between(2.05, 3, "suction_pressure")) < 0.5 and run.at(2.1, "plc-hill.alarm_suction_trip") == 1
    assert run.at(3.1, "plc-hill.suction_released") == 1 and max(run.between(3, 8, "hill_inflow")) > 20


def test_a_reservoir_that_is_said_to_be_empty_runs_over(tmp_path):
    forced = ["--set", "1h:plc-hill.level_simulated=1.2", "--set", "1h:plc-hill.level_simulate=1"]
    run = Run(tmp_path, "5h", "1m", *forced, tags=HILL)
    assert run.at(1.1, "plc-hill.pump_1_run") == run.at(1.1, "plc-hill.pump_2_run") == 1
    assert max(run["reservoir_level"]) < 4.55 and run["hill_overflow_total"][-1] == 0, "its float switch shuts the inlet"
    assert any(run["plc-hill.alarm_level_high"]) and any(run["plc-hill.pump_1_failed"])
    # Unless that valve was taken into manual.
    run = Run(tmp_path, "5h", "1m", *forced, "--set", "1h:plc-hill.inlet_valve_manual=1", tags=HILL)
    assert run["hill_overflow_total"][-1] > 10 and max(run["reservoir_level"]) > 4.59
    assert "reservoir_overflow" in run.notes


def test_a_burst_main_shuts_the_outlet(tmp_path):
    run = Run(tmp_path, "4h", "10s", "--set", "1h:hill_leak=130", "--set", "2h:hill_leak=0", tags=[*HILL, "outlet_*"])
    shut = run["outlet_closed"].index(1)
    assert 360 < shut < 360 + 18, "the valve takes its time"
    assert run.at(1.5, "hill_outflow") == 0 and run.at(1.5, "village_pressure") < 0.1
    assert run.at(3.9, "plc-hill.alarm_outflow_burst") == 0 and run.at(1.1, "plc-hill.alarm_outflow_burst") == 1
    assert run.at(3.9, "outlet_closed") == 1, "it is opened by hand only"
    opened = Run(tmp_path, "4h", "10s", "--set", "1h:plc-hill.outlet_valve_close=1", tags=[*HILL, "outlet_*"])
    assert opened.at(1.1, "outlet_closed") == 1 and opened.at(1.1, "plc-hill.alarm_outlet_valve") == 1
    assert opened.at(2, "outlet_opened") == 1, "whoever acknowledges the alarm opens it again"


def test_a_broken_sensor_is_told(tmp_path):
    run = Run(tmp_path, "6h", "1m", "--set", "2h:turbidity_sensor=2", "--set", "3h:filter_dp_sensor=1")
    assert not any(run.between(0.5, 2, "plc-intake.alarm_sensor")) and run.at(2.1, "plc-intake.alarm_sensor") == 1
    assert len({*run.between(2.1, 6, "plc-intake.turbidity")}) == 1, "the last value is held"
    assert len({*run.between(3.1, 6, "plc-intake.filter_dp")}) == 1, "stuck"


def test_until_somebody_interferes_two_runs_are_the_same(tmp_path):
    tags = ["clear_level", "delivered_total", "plc-intake.power"]
    quiet = Run(tmp_path, "4h", "1m", tags=tags)
    other = Run(tmp_path, "4h", "1m", "--set", "2h:plc-intake.discharge_pressure_setpoint=350", tags=tags)
    half = 2 * 60
    for tag in tags:
        assert quiet[tag][:half] == other[tag][:half]
    assert quiet["plc-intake.power"][half:] != other["plc-intake.power"][half:]


def mbpoll(*arguments):
    command = ["mbpoll", "-0", "-m", "tcp", "-p", str(DEMO[1]), "-1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pumps_taken_into_manual_stop_within_seconds(demo):
    with Peer() as peer:

        def flow():
            return int(peer.ask("03 0001 0001")[4:], 16)

        full = wait_until(lambda: (now := flow()) > 400 and now, "a pump to lift water")
        mbpoll("-t", "0", "-r", "2", DEMO[0], "1", "1")
        wait_until(lambda: flow() < full / 10, "the flow to fall")
        assert peer.ask("01 0000 0002") == "010100", "both pumps stand"
        wait_until(lambda: peer.ask("02 0000 0002") == "020100", "their contactors to open")
    told = wait_until(lambda: (lines := demo.tell("events", "--action", "write")) and lines, "the write to be recorded")
    assert "pump_1_manual" in told and "pump_2_manual" in told, told

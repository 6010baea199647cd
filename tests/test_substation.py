"""The demo's substation: a month of it in virtual time, and what becomes of it when it is taken hold of."""

from statistics import fmean

import pytest
from conftest import Run, change

RTU = "rtu-substation"


def test_what_comes_in_goes_out(month):
    feeders = [month[f"feeder_{number}_active"] for number in (1, 2, 3)]
    for incomer, line, *parts in zip(month["incomer_active"], month["line_active"], *feeders):
        assert abs(incomer - sum(parts)) < 1
        assert 10 < line - incomer < 300, "what the transformer loses"
    counted = sum(change(month, f"{RTU}.feeder_{number}_energy") * kwh for number, kwh in [(1, 10), (2, 100), (3, 100)])
    assert abs(counted - change(month, f"{RTU}.incomer_energy") * 100) < 0.002 * counted
    assert abs(counted - fmean(month["incomer_active"]) * 720) < 0.01 * counted, "kWh"


def test_voltage_current_and_power_belong_together(month):
    for number in (1, 2, 3):
        rows = zip(*(month[f"{RTU}.feeder_{number}_{what}"] for what in ("active", "reactive", "current_2")))
        for (active, reactive, current), voltage in zip(rows, month[f"{RTU}.busbar_voltage_23"]):
            apparent = 1.732 * voltage * current
            assert abs(apparent - (active**2 + reactive**2) ** 0.5) < 0.06 * apparent + 1


def test_the_voltage_is_held_by_the_taps(month):
    setpoint, band = month[f"{RTU}.voltage_setpoint"][0], month[f"{RTU}.voltage_band"][0]
    within = [abs(voltage - setpoint) < band / 2 + 0.1 for voltage in month["busbar_voltage_12"]]
    assert fmean(within) > 0.97
    taps = month[f"{RTU}.tap_position"]
    steps = sum(before != after for before, after in zip(taps, taps[1:]))
    assert 30 < steps < 900, "some a day"
    assert 2 < min(taps) and max(taps) < 18


def test_the_pumps_are_seen_in_their_feeder(month):
    """What the waterworks and its hill zone take is most of what moves in their feeder."""
    taken = [works + hill for works, hill in zip(month["power"], month["hill_power"])]
    rest = [feeder - power for feeder, power in zip(month["feeder_1_active"], taken)]
    # The villages take what they take; their share follows the hour and not the pumps.
    assert min(rest) > 20 and max(rest) < 400
    risen = [
        (month["feeder_1_active"][at] - month["feeder_1_active"][at - 1], taken[at] - taken[at - 1])
        for at in range(1, len(rest))
    ]
    jumps = [(feeder, power) for feeder, power in risen if abs(power) > 15]
    assert len(jumps) > 100
    assert fmean(abs(feeder - power) < 0.35 * abs(power) for feeder, power in jumps) > 0.95


def test_day_and_night_week_and_weekend(month):
    day = 86_400 // month.every
    night, evening = (
        [fmean(month.between(24 * d + hour, 24 * d + hour + 1, "feeder_2_active")) for d in range(30)]
        for hour in (2, 18)
    )
    assert all(evening[d] > 1.3 * night[d] for d in range(30))
    noon = [fmean(month.between(24 * d + 10, 24 * d + 12, "feeder_3_active")) for d in range(30)]
    assert min(noon[d] for d in range(30) if d % 7 < 5) > 1.8 * max(noon[d] for d in range(30) if d % 7 >= 5)
    days = [tuple(month["busbar_voltage_12"][start : start + day]) for start in range(0, 30 * day, day)]
    assert len({*days}) == 30


def test_lines_have_faults_and_reclosing_clears_most(month):
    closings = change(month, f"{RTU}.feeder_3_operations")
    assert 2 <= closings <= 60
    live = [power > 0 for power in month["feeder_3_active"]]
    assert fmean(live) > 0.97
    assert fmean(power > 0 for power in month["feeder_1_active"]) > 0.999
    assert 49.85 < min(month["frequency"]) < 49.97 and 50.03 < max(month["frequency"]) < 50.15


def test_without_its_feeder_the_waterworks_stands(tmp_path):
    tags = [
        f"{RTU}.feeder_1_*",
        f"{RTU}.local_key",
        "pump_1_running",
        "booster_running",
        "discharge_pressure",
        "lifted_flow",
    ]
    tags += ["power", "works_voltage", "plc-intake.*", "feeder_2_active"]
    run = Run(tmp_path, "4h", "10s", "--set", f"1h:{RTU}.feeder_1_breaker_off=1", tags=tags)
    assert {*run.between(1.01, 1.7, f"{RTU}.feeder_1_breaker")} == {1}
    for tag in [
        "power",
        "works_voltage",
        "pump_1_running",
        "booster_running",
        "lifted_flow",
        f"{RTU}.feeder_1_current_1",
    ]:
        assert max(run.between(1.02, 1.7, tag)) == 0, tag
    assert max(run.between(1.05, 1.7, "discharge_pressure")) < 0.6 * run.at(0.9, "discharge_pressure")
    assert run.at(1.02, "plc-intake.alarm_booster") == 1
    watchdog = run.between(1.02, 1.7, "plc-intake.watchdog")
    assert len({*watchdog}) == len(watchdog), "the controller has a battery"
    assert min(run.between(1.02, 1.7, "feeder_2_active")) > 1000, "the town has power"
    # At night it takes the crew an hour and a half.
    back = run[f"{RTU}.feeder_1_breaker"].index(2, 370) / 360
    assert 2.5 < back < 3
    assert run.at(back + 0.01, f"{RTU}.local_key") == 1
    assert run.at(3.9, f"{RTU}.local_key") == 0 and run.at(3.9, "booster_running") == 1


def test_without_the_incomer_all_is_dark(tmp_path):
    tags = [f"{RTU}.*", "power", "incomer_active", "line_active", "works_voltage"]
    run = Run(tmp_path, "1h", "10s", "--set", f"10m:{RTU}.line_breaker_off=1", tags=tags)
    for tag in ["power", "incomer_active", "line_active", "works_voltage", f"{RTU}.busbar_voltage_12"]:
        assert max(run.between(0.2, 1, tag)) == 0, tag
    assert run.at(0.3, f"{RTU}.alarm_mains") == 1 and run.at(0.3, f"{RTU}.alarm_voltage_low") == 1
    assert run.at(0.95, f"{RTU}.battery_voltage") < run.at(0.2, f"{RTU}.battery_voltage")
    assert {*run.between(0.2, 1, f"{RTU}.tap_raise")} == {0}, "the voltage control is blocked"


def test_who_steps_the_taps_moves_the_voltage(tmp_path):
    sets = ["--set", f"10m:{RTU}.voltage_control=0"]
    for minute in range(11, 15):
        sets += ["--set", f"{minute}m:{RTU}.tap_higher=1"]
    tags = [f"{RTU}.tap_position", f"{RTU}.busbar_voltage_12", f"{RTU}.tap_moving", f"{RTU}.alarm_voltage_high"]
    run = Run(tmp_path, "1h", "10s", *sets, tags=tags)
    assert run.at(0.3, f"{RTU}.tap_position") == run.at(0.16, f"{RTU}.tap_position") + 4
    assert 1.2 < run.at(0.3, f"{RTU}.busbar_voltage_12") - run.at(0.16, f"{RTU}.busbar_voltage_12") < 1.8
    assert run.at(0.9, f"{RTU}.tap_position") == run.at(0.3, f"{RTU}.tap_position"), "nobody steps back"


def test_interlocking_keeps_disconnectors_from_breaking_a_load(tmp_path):
    bay = f"{RTU}.feeder_3"
    sets = []
    for minute, what in [
        (1, "disconnector_off"),
        (2, "earthing_on"),
        (3, "breaker_off"),
        (4, "earthing_on"),
        (5, "disconnector_off"),
        (6, "earthing_on"),
        (7, "breaker_on"),
        (8, "disconnector_on"),
    ]:
        sets += ["--set", f"{minute}m:{bay}_{what}=1"]
    run = Run(tmp_path, "1h", "10s", *sets, tags=[f"{bay}_*"])

    def stand(minute):
        return tuple(run.at(minute / 60, f"{bay}_{switch}") for switch in ("breaker", "disconnector", "earthing"))

    assert stand(2.5) == (2, 2, 1), "neither a disconnector under load nor an earthed busbar"
    assert stand(4.5) == (1, 2, 1) and stand(5.5) == (1, 1, 1) and stand(6.5) == (1, 1, 2)
    assert stand(9.5) == (2, 1, 2), "closed for a test, behind an open disconnector, which stays open"
    assert max(run.between(0.06, 0.2, f"{bay}_current_1")) == 0


@pytest.mark.parametrize("fault, told", [(1, "trip_overcurrent"), (2, "trip_earth_fault")])
def test_a_fault_is_tripped_reclosed_twice_and_then_left_to_people(tmp_path, fault, told):
    sets = ["--set", f"9h:feeder_3_fault={fault}", "--set", "10h:feeder_3_fault=0"]
    tags = [f"{RTU}.feeder_3_*", f"{RTU}.busbar_voltage_12", f"{RTU}.local_key", f"{RTU}.residual_voltage", "feeder_*"]
    run = Run(tmp_path, "12h", "1s", *sets, tags=tags)
    bay = f"{RTU}.feeder_3"
    hour = slice(9 * 3600, 10 * 3600)
    assert max(run[f"{bay}_{told}"][hour]) == 1
    assert run.at(9.5, f"{bay}_locked_out") == 1 and run.at(9.5, f"{bay}_breaker") == 1
    assert run.at(9.5, f"{bay}_operations") - run.at(8.9, f"{bay}_operations") == 2
    assert max(run["feeder_1_active"][hour]) > 50 and min(run["feeder_2_active"][hour]) > 1000, "only that feeder"
    if fault == 1:
        assert min(run[f"{RTU}.busbar_voltage_12"][hour]) < 0.95 * run.at(8.9, f"{RTU}.busbar_voltage_12"), "it dips"
    else:
        assert max(run[f"{RTU}.residual_voltage"][hour]) > 2
    # The line is mended, and the crew closes its breaker.
    assert run.at(11.5, f"{bay}_breaker") == 2 and run.at(11.5, f"{bay}_locked_out") == 0
    assert run.at(11.5, "feeder_3_active") > 300
    assert run.at(11.5, f"{bay}_operations") - run.at(9.5, f"{bay}_operations") == 1


def test_a_fault_that_goes_is_reclosed(tmp_path):
    sets = ["--set", "33000s:feeder_3_fault=1", "--set", "33002s:feeder_3_fault=0"]
    run = Run(tmp_path, "10h", "1s", *sets, tags=[f"{RTU}.feeder_3_*", "feeder_3_active"])
    dead = [at for at, power in enumerate(run["feeder_3_active"]) if power == 0 and at > 32_990]
    assert dead and 33_000 <= min(dead) and max(dead) < 33_010 and len(dead) < 8
    assert run.at(9.5, f"{RTU}.feeder_3_locked_out") == 0


def test_a_stopped_cpu_switches_nothing(tmp_path):
    sets = ["--set", f"10m:{RTU}=stop", "--set", f"11m:{RTU}.feeder_1_breaker_off=1"]
    run = Run(tmp_path, "1h", "10s", *sets, tags=[f"{RTU}.feeder_1_*", "power"])
    assert {*run[f"{RTU}.feeder_1_breaker"]} == {2} and max(run.between(0.3, 1, "power")) > 5

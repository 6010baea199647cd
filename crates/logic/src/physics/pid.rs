//! The controller of a loop. Apart, because it alone is what a PLC does and not what its plant does.

use super::{NEVER, finite, sane, settle};
use crate::library::{Now, pins::block};

block! {
    /// A PID controller in the standard (ISA) form: with derivation of the process value only, without windup, and
    /// without a bump between manual and automatic.
    PID: Pid {
        /// It controls; else the output is MANUAL.
        input AUTO: BOOL = true,
        /// What the process value shall be.
        input SP: LREAL,
        /// The process value.
        input PV: LREAL,
        /// The gain; below zero where more output makes the process value less.
        input KP: LREAL = 1.0,
        /// The integral time; without one it does not integrate.
        input TI: TIME,
        /// The derivative time.
        input TD: TIME,
        /// How often it acts; without one in each scan.
        input CYCLE: TIME,
        /// The output while it does not control.
        input MANUAL: LREAL,
        /// The least output.
        input LOW: LREAL,
        /// The greatest output.
        input HIGH: LREAL = 100.0,
        /// The output.
        output OUT: REAL,
        /// How far the process value is below the setpoint.
        output ERROR: REAL,
        /// The output is at an end of its range.
        output LIMITED: BOOL,
        hidden LAST: LINT = NEVER,
        hidden INTEGRAL: LREAL,
        hidden SMOOTH: LREAL,
    }
}

impl Pid {
    fn step(&mut self, now: &mut Now<'_>) {
        let cycle = self.CYCLE.max(0);
        let (first, future) = (self.LAST < 0, self.LAST > now.uptime);
        let since = now.uptime.saturating_sub(self.LAST);
        if !first && !future && since < cycle {
            now.again_at(self.LAST.saturating_add(cycle));
            return;
        }
        let seconds = if first || future { 0.0 } else { since.clamp(0, 60_000_000_000) as f64 / 1e9 };
        self.LAST = now.uptime;
        if cycle > 0 {
            now.again_at(now.uptime.saturating_add(cycle))
        } else {
            now.again()
        }

        let (pv, gain) = (finite(self.PV), sane(self.KP, -1e6, 1e6));
        let (low, high) = (finite(self.LOW), finite(self.HIGH));
        let [integral, derivative] = [self.TI, self.TD].map(|time| time.max(0) as f64 / 1e9);
        self.ERROR = finite(self.SP) - pv;
        // The process value is smoothed by an eighth of the derivative time, and what it is ahead of that is its slope.
        self.SMOOTH = if first { pv } else { settle(finite(self.SMOOTH), pv, seconds, derivative / 8.0) };
        let ahead = if derivative > 0.0 { gain * (self.SMOOTH - pv) * 8.0 } else { 0.0 };
        let direct = gain * self.ERROR;
        if !self.AUTO {
            self.OUT = sane(finite(self.MANUAL), low, high);
            self.INTEGRAL = self.OUT - direct;
            self.LIMITED = false;
            return;
        }
        if integral > 0.0 {
            let sum = finite(self.INTEGRAL) + direct * seconds / integral;
            // Never further than to where the output has its end.
            self.INTEGRAL =
                sane(sum, (low - direct).min(finite(self.INTEGRAL)), (high - direct).max(finite(self.INTEGRAL)));
        } else {
            self.INTEGRAL = 0.0;
        }
        self.INTEGRAL = finite(self.INTEGRAL);
        self.OUT = sane(direct + self.INTEGRAL + ahead, low, high);
        self.LIMITED = self.OUT <= low || self.OUT >= high;
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    /// The greatest and the last process value of a lag of 20 s and gain 1 whose setpoint steps to 50.
    fn response(scan: f64, seconds: f64) -> (f64, f64) {
        let mut pid = Trial::of("PID");
        pid.set("SP", 50.0).set("KP", 2.0).set("TI", 20.0);
        let (mut pv, mut most) = (0.0, 0.0_f64);
        for _ in 0..(seconds / scan) as usize {
            let out = pid.set("PV", pv).run(scan).get("OUT");
            pv = out + (pv - out) * (-scan / 20.0_f64).exp();
            most = most.max(pv);
        }
        (most, pv)
    }

    #[test]
    fn a_loop_comes_to_its_setpoint_without_much_overshoot() {
        for scan in [0.1, 1.0, 5.0] {
            let (most, end) = response(scan, 300.0);
            assert!((end - 50.0).abs() < 0.1 && most < 53.0, "{most} {end} at {scan} s");
        }
        // With the integral time at the lag the closed loop is a lag of 20 s / 2.
        let (_, at) = response(0.01, 10.0);
        assert!((at - 31.6).abs() < 0.3, "{at}");
    }

    #[test]
    fn it_does_not_wind_up() {
        let mut pid = Trial::of("PID");
        pid.set("SP", 50.0).set("TI", 5.0).runs(1000, 1.0);
        assert!(pid.on("LIMITED") && pid.get("OUT") == 100.0);
        pid.set("PV", 60.0).runs(20, 1.0);
        assert!(pid.get("OUT") < 60.0, "{}", pid.get("OUT"));
    }

    #[test]
    fn from_manual_to_automatic_there_is_no_bump() {
        let mut pid = Trial::of("PID");
        pid.set("AUTO", 0.0).set("MANUAL", 42.0).set("SP", 10.0).set("PV", 9.0).set("TI", 10.0).run(1.0);
        assert_eq!(pid.get("OUT"), 42.0);
        assert!((pid.set("AUTO", 1.0).run(0.1).get("OUT") - 42.0).abs() < 0.1);
    }

    #[test]
    fn it_rests_between_its_cycles() {
        let mut pid = Trial::of("PID");
        pid.set("CYCLE", 2.0).set("SP", 10.0).run(0.0);
        let out = pid.get("OUT");
        pid.set("SP", 20.0).run(1.0);
        assert_eq!((pid.get("OUT"), pid.wake), (out, 2_000_000_000));
        assert!(pid.run(1.0).get("OUT") > out);
    }
}

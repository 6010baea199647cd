//! A bed of sand that holds back what makes water turbid, and is washed now and then. Apart, because it remembers what
//! went through it.

use super::{NEVER, elapsed, positive, sane, settle};
use crate::library::{Now, pins::block};

block! {
    /// A rapid filter under pressure.
    FILTER: Filter {
        /// What flows through it [m3/h].
        input FLOW: LREAL,
        /// The turbidity of what flows in [NTU].
        input TURBIDITY: LREAL,
        /// What flows up through it to wash it [m3/h].
        input WASH: LREAL,
        /// The surface of the bed [m2].
        input AREA: LREAL = 10.0,
        /// The flow that it was built for [m3/h].
        input RATED: LREAL = 100.0,
        /// The loss of the clean bed at that flow [bar].
        input CLEAN: LREAL = 0.15,
        /// The solids a square metre with which the loss is four times that [kg/m2].
        input HOLDS: LREAL = 2.0,
        /// The loss [bar].
        output DP: LREAL,
        /// The turbidity of what flows out [NTU].
        output FILTRATE: LREAL,
        /// The solids in the bed [kg].
        output LOAD: LREAL,
        /// How far it has ripened since it was washed [share].
        output RIPE: LREAL = 1.0,
        hidden LAST: LINT = NEVER,
    }
}

/// An NTU of river water is about 1.3 mg/l of solids.
const SOLIDS: f64 = 0.0013;
/// At the full rate of 40 m/h a wash leaves a third after these seconds, and never less than a fiftieth of what fits.
const WASHED: f64 = 90.0;
const RATE: f64 = 40.0;
const STAYS: f64 = 0.02;
/// What a bed ripens in [s].
const RIPENS: f64 = 1200.0;

impl Filter {
    fn step(&mut self, now: &mut Now<'_>) {
        let seconds = elapsed(&mut self.LAST, now);
        let (flow, raw, wash) = (positive(self.FLOW), sane(self.TURBIDITY, 0.0, 1e5), positive(self.WASH));
        let area = sane(self.AREA, 0.01, 1e6);
        let fits = area * sane(self.HOLDS, 0.01, 1e4);
        let mut load = sane(self.LOAD, 0.0, 10.0 * fits);
        let rate = (wash / area / RATE).min(2.0);
        if rate > 0.05 {
            let rest = STAYS * fits;
            load = if load > rest { settle(load, rest, seconds, WASHED / rate) } else { load };
            self.RIPE = settle(sane(self.RIPE, 0.0, 1.0), 0.0, seconds, WASHED / rate);
        } else if flow > 0.0 {
            self.RIPE = settle(sane(self.RIPE, 0.0, 1.0), 1.0, seconds, RIPENS);
        }
        // A bed holds back 97 % when it is ripe, less while it is not, and less again when it is overfull.
        let full = load / fits;
        let passes = 0.03 + 0.12 * (1.0 - self.RIPE) + sane(0.4 * (full - 1.0), 0.0, 0.6);
        if flow > 0.0 {
            self.FILTRATE = 0.03 + raw * passes;
            load += flow * raw * (1.0 - passes) * SOLIDS * seconds / 3600.0;
        }
        self.LOAD = load.min(10.0 * fits);
        let share = flow / sane(self.RATED, 1e-3, 1e9);
        // Through sand the loss goes with the flow, in pipes and nozzles with its square.
        let clean = positive(self.CLEAN).min(1e3);
        self.DP = (clean * (0.75 * share * (1.0 + 4.0 * full.powf(1.2)) + 0.25 * share * share)).min(1e3);
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Trial;

    fn filter(flow: f64, raw: f64) -> Trial {
        let mut filter = Trial::of("FILTER");
        filter.set("FLOW", flow).set("TURBIDITY", raw).run(0.0);
        filter
    }

    #[test]
    fn the_loss_grows_with_what_went_through_and_with_the_flow() {
        let mut filter = filter(100.0, 6.0);
        assert!((filter.get("DP") - 0.15).abs() < 1e-9, "the clean bed");
        let mut before = 0.0;
        for _ in 0..24 {
            let loss = filter.runs(60, 60.0).get("DP");
            assert!(loss > before);
            before = loss;
        }
        // 24 h of 100 m3/h with 6 NTU are 18 kg, of which 97 % stay.
        assert!((filter.get("LOAD") - 18.16).abs() < 0.1, "{}", filter.get("LOAD"));
        assert!(filter.set("FLOW", 50.0).run(1.0).get("DP") < 0.55 * before);
        assert_eq!(filter.set("FLOW", 0.0).run(1.0).get("DP"), 0.0);
    }

    #[test]
    fn the_same_is_held_back_at_any_scan_time() {
        let loads = [1.0, 10.0, 60.0].map(|seconds| {
            let mut filter = filter(100.0, 6.0);
            filter.runs((7200.0 / seconds) as usize, seconds).get("LOAD")
        });
        assert!((loads[0] - loads[2]).abs() < 1e-6, "{loads:?}");
    }

    #[test]
    fn a_wash_cleans_it_and_then_it_has_to_ripen() {
        let mut filter = filter(100.0, 6.0);
        filter.runs(1440, 60.0);
        let (dirty, ripe) = (filter.get("DP"), filter.get("FILTRATE"));
        filter.set("FLOW", 0.0).set("WASH", 400.0).runs(480, 1.0);
        filter.set("WASH", 0.0).set("FLOW", 100.0).run(1.0);
        assert!(filter.get("DP") < 0.4 * dirty);
        assert!(filter.get("FILTRATE") > 3.0 * ripe, "the first filtrate is worse");
        filter.runs(90, 60.0);
        assert!(filter.get("FILTRATE") < 1.1 * ripe);
    }

    #[test]
    fn an_overfull_bed_lets_it_through() {
        let mut filter = filter(100.0, 60.0);
        filter.runs(1440, 60.0);
        assert!(filter.get("FILTRATE") > 20.0, "{}", filter.get("FILTRATE"));
    }
}

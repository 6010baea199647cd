//! The pins of a block as its author writes them, and what of it the rest sees. Apart, because a block shall read like its
//! definition in the standard, and not like the slots that it is kept in.

use crate::types::{Elementary, Raw};

/// A value of a pin in a slot.
pub(crate) trait Slot: Copy {
    fn load(raw: Raw) -> Self;
    fn raw(self) -> Raw;
}

impl Slot for bool {
    fn load(raw: Raw) -> Self {
        raw & 1 == 1
    }

    fn raw(self) -> Raw {
        Raw::from(self)
    }
}

impl Slot for f64 {
    fn load(raw: Raw) -> Self {
        Self::from_bits(raw)
    }

    fn raw(self) -> Raw {
        self.to_bits()
    }
}

macro_rules! integers {
    ($($ty:ty)*) => {$(
        impl Slot for $ty {
            fn load(raw: Raw) -> Self {
                raw as Self
            }

            fn raw(self) -> Raw {
                self as Raw
            }
        }
    )*};
}

integers!(i16 i32 i64 u32 u64);

/// The values of all pins of one instance, as [`block`] makes them from the list.
pub(crate) trait Pins {
    /// From the slots of an instance.
    fn load(slots: &[Raw]) -> Self;
    /// Back to the slots.
    fn store(&self, slots: &mut [Raw]);
}

/// The next raw value, cut to what its type holds.
pub(crate) fn cut(ty: Elementary, value: impl Slot) -> Raw {
    ty.narrow(value.raw())
}

/// Makes a function block from the list of its pins: the constant that the list of blocks takes, and a struct with one
/// field a pin. What it does is `step` of that struct, which reads its fields as inputs and sets them as outputs:
///
/// ```text
/// use crate::library::{Now, pins::block};
///
/// block! {
///     /// On-delay timer.
///     TON: OnDelay {
///         /// Starts the time.
///         input IN: BOOL,
///         /// How long it takes [s].
///         input PT: TIME = 0,
///         /// The time is over.
///         output Q: BOOL,
///         /// How much of it is over.
///         running ET: TIME,
///         hidden START: TIME,
///     }
/// }
///
/// impl OnDelay {
///     fn step(&mut self, now: &mut Now<'_>) {
///         self.Q = self.IN && now.uptime - self.START >= self.PT;
///     }
/// }
/// ```
///
/// A pin is `input`, `output`, `running` (an output that moves while the block is busy) or `hidden`, as [`super::Way`] says;
/// its type BOOL (`bool`), INT (`i16`), DINT (`i32`), UDINT (`u32`), LINT (`i64`), ULINT (`u64`), REAL or LREAL (`f64`),
/// TIME or DT (`i64`, nanoseconds). The comments are what docs/programs.md says; a unit stands in brackets at the end.
macro_rules! block {
    (
        $(#[doc = $about:literal])*
        $name:ident: $pins:ident {
            $($(#[doc = $meaning:literal])* $way:ident $pin:ident: $ty:ident $(= $initial:expr)?),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        pub(crate) const $name: $crate::library::Block = $crate::library::Block {
            name: stringify!($name),
            pins: &[$($crate::library::Pin {
                name: stringify!($pin),
                ty: $crate::library::pins::slot!(elementary $ty),
                way: $crate::library::pins::slot!(way $way),
                initial: $crate::library::pins::slot!(initial $ty $($initial)?),
                #[cfg(test)]
                about: concat!($($meaning),*),
            }),*],
            step: |slots, now| {
                let mut pins = <$pins as $crate::library::pins::Pins>::load(slots);
                pins.step(now);
                $crate::library::pins::Pins::store(&pins, slots);
            },
            #[cfg(test)]
            about: concat!($($about),*),
        };

        #[expect(non_snake_case, reason = "pins are written as in the standard")]
        struct $pins {
            $($pin: $crate::library::pins::slot!(value $ty)),*
        }

        impl $crate::library::pins::Pins for $pins {
            fn load(slots: &[$crate::types::Raw]) -> Self {
                let mut slots = slots.iter().copied();
                Self { $($pin: $crate::library::pins::Slot::load(slots.next().unwrap_or_default())),* }
            }

            fn store(&self, slots: &mut [$crate::types::Raw]) {
                let pins = [$($crate::library::pins::cut($crate::library::pins::slot!(elementary $ty), self.$pin)),*];
                for (slot, pin) in slots.iter_mut().zip(pins) {
                    *slot = pin;
                }
            }
        }
    };
}

/// What a word in [`block`] stands for.
macro_rules! slot {
    (elementary BOOL) => { $crate::types::Elementary::Bool };
    (elementary INT) => { $crate::types::Elementary::Int };
    (elementary DINT) => { $crate::types::Elementary::Dint };
    (elementary UDINT) => { $crate::types::Elementary::Udint };
    (elementary LINT) => { $crate::types::Elementary::Lint };
    (elementary ULINT) => { $crate::types::Elementary::Ulint };
    (elementary REAL) => { $crate::types::Elementary::Real };
    (elementary LREAL) => { $crate::types::Elementary::Lreal };
    (elementary TIME) => { $crate::types::Elementary::Time };
    (elementary DT) => { $crate::types::Elementary::Dt };
    (value BOOL) => { bool };
    (value INT) => { i16 };
    (value DINT) => { i32 };
    (value UDINT) => { u32 };
    (value ULINT) => { u64 };
    (value REAL) => { f64 };
    (value LREAL) => { f64 };
    // LINT, TIME and DT.
    (value $ty:ident) => { i64 };
    (way input) => { $crate::library::Way::Input };
    (way output) => { $crate::library::Way::Output };
    (way running) => { $crate::library::Way::Running };
    (way hidden) => { $crate::library::Way::Hidden };
    (initial $ty:ident) => { 0 };
    (initial REAL $initial:expr) => {{
        let initial: f32 = $initial;
        (initial as f64).to_bits()
    }};
    (initial LREAL $initial:expr) => {{
        let initial: f64 = $initial;
        initial.to_bits()
    }};
    (initial $ty:ident $initial:expr) => {{
        let initial: $crate::library::pins::slot!(value $ty) = $initial;
        initial as $crate::types::Raw
    }};
}

pub(crate) use {block, slot};

#[cfg(test)]
mod tests {
    use crate::{
        library::{Now, Way},
        types::Elementary,
    };
    use honeyplant_core::random::Random;

    block! {
        /// One of each.
        /// And more.
        SAMPLE: Sample {
            /// Whether [m].
            input ON: BOOL = true,
            input COUNT: INT = -3,
            input RATE: REAL = 0.1,
            output TOTAL: LREAL = 2.5,
            running SINCE: TIME,
            hidden AT: DT = 7,
        }
    }

    impl Sample {
        fn step(&mut self, now: &mut Now<'_>) {
            self.TOTAL += f64::from(self.COUNT) * self.RATE;
            self.COUNT = if self.ON { i16::MIN } else { self.COUNT };
            self.SINCE = now.uptime;
            self.RATE = 1.0 / 3.0;
        }
    }

    #[test]
    fn a_block_is_its_list_of_pins() {
        assert_eq!((SAMPLE.name, SAMPLE.about), ("SAMPLE", " One of each. And more."));
        let pins: Vec<_> = SAMPLE.pins.iter().map(|pin| (pin.name, pin.ty, pin.way)).collect();
        assert_eq!(pins[0], ("ON", Elementary::Bool, Way::Input));
        assert_eq!(pins[4], ("SINCE", Elementary::Time, Way::Running));
        assert_eq!(pins[5], ("AT", Elementary::Dt, Way::Hidden));
        assert_eq!((SAMPLE.pins[0].about, SAMPLE.pins[1].about), (" Whether [m].", ""));
        assert_eq!(SAMPLE.pins[1].initial, -3_i64 as u64, "a signed integer fills the slot");
        assert_eq!(SAMPLE.pins[2].initial, f64::from(0.1_f32).to_bits(), "a REAL has its digits");
    }

    #[test]
    fn a_step_reads_and_writes_slots() {
        let mut slots: Vec<_> = SAMPLE.pins.iter().map(|pin| pin.initial).collect();
        let random = &mut Random::seeded(1);
        (SAMPLE.step)(&mut slots, &mut Now { uptime: 9, clock: 0, random, wake: i64::MAX });
        assert_eq!(slots[1], i64::from(i16::MIN) as u64);
        assert_eq!(slots[2], f64::from(1.0_f32 / 3.0).to_bits(), "cut to REAL");
        assert!((f64::from_bits(slots[3]) - 2.2).abs() < 1e-6);
        assert_eq!((slots[4], slots[5]), (9, 7));
    }
}

//! The seeded source of everything that is drawn: identities, noise, jitter. Apart, because its draws must be the same
//! on every machine and in every version, which no library promises.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and good enough for decoys; not for keys.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts a sequence; equal seeds give equal sequences.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for the thing called `name`, so that adding one thing does not move the draws of another.
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a over the name, mixed with the seed.
        let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Self(hash)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u128;
        ((u128::from(self.bits()) * bound) >> 64) as usize
    }

    /// A number in 0.0 .. 1.0.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of the standard normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_draw_equally_and_names_apart() {
        let draw = |seed, name| Random::named(seed, name).bits();
        assert_eq!(draw(1, "serial"), draw(1, "serial"));
        assert_ne!(draw(1, "serial"), draw(1, "mac"));
        assert_ne!(draw(1, "serial"), draw(2, "serial"));
    }

    #[test]
    fn stays_below_its_bound_and_is_normal() {
        let mut random = Random::seeded(7);
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
        let mean = (0..10_000).map(|_| random.normal()).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.05, "{mean}");
    }
}

//! Seeded curves: what varies does so smoothly, and the same seed always gives the same curve.
//!
//! Nothing is drawn at run time. A value is a pure function of (seed, time), made of hashes and polynomials only,
//! so that it is the same on every machine and does not depend on when or how often one looks.

/// A well-mixed 64-bit hash of `seed` and `index` (the finaliser of SplitMix64).
#[must_use]
pub const fn hash(seed: u64, index: u64) -> u64 {
    let mut z = seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number in -1 to 1 that belongs to `index`.
#[must_use]
pub fn signed_unit(seed: u64, index: u64) -> f32 {
    // 24 bits are what a float holds exactly.
    let bits = u32::try_from(hash(seed, index) >> 40).unwrap_or(u32::MAX);
    bits as f32 / 8_388_607.5 - 1.0
}

/// A smooth curve in -1 to 1: fixed points every `period_s`, joined with level tangents.
#[must_use]
pub fn smooth(seed: u64, at_s: u64, period_s: u64) -> f32 {
    // A phase of its own for each seed, or all machines would turn at the same second.
    let shifted = at_s + hash(seed, u64::MAX) % period_s;
    let (index, within) = (shifted / period_s, shifted % period_s);
    let (from, to) = (signed_unit(seed, index), signed_unit(seed, index + 1));
    let x = within as f32 / period_s as f32;
    from + (to - from) * x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_stays_in_its_range_and_never_jumps() {
        for seed in 0..20 {
            let mut before = smooth(seed, 0, 60);
            for second in 1..2_000 {
                let value = smooth(seed, second, 60);
                assert!((-1.0..=1.0).contains(&value));
                // The steepest slope of x²(3-2x) is 1.5, over a rise of at most 2.
                assert!((value - before).abs() <= 2.0 * 1.5 / 60.0 + 1e-4);
                before = value;
            }
        }
    }

    #[test]
    fn two_seeds_give_different_curves_and_one_seed_the_same() {
        let curve = |seed| (0..100).map(|s| smooth(seed, s, 10)).collect::<Vec<_>>();
        assert_eq!(curve(1), curve(1));
        assert_ne!(curve(1), curve(2));
    }
}

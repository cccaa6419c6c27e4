//! The exponential function of many numbers at once.

/// `eˣ` for `x ≤ 0`, right to two units in the last place, without a branch; 0 where it would be
/// subnormal.
///
/// `eˣ = 2ᵏ eʳ` with `|r| ≤ ½ ln 2`, where a Taylor polynomial of degree 7 is exact in `f32`.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const SMALLEST: f32 = -87.0;
    // Adding it rounds to a whole number, whose bits are then the lowest of the sum.
    const ROUND: f32 = 12_582_912.0;
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let inside = if x > SMALLEST { x } else { SMALLEST };
    let shifted = inside * core::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (inside - k * LN_2[0]) - k * LN_2[1];
    let mut p = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + coefficient;
    }
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x > SMALLEST { p * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_two_units_in_the_last_place() {
        for step in 0..1_000_000 {
            let x = -86.9 * step as f32 / 1e6;
            let (got, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / expected - 1.0).abs() < 2.0 * f64::from(f32::EPSILON), "{x}: {got}");
        }
        assert_eq!((exp(0.0), exp(-100.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }
}

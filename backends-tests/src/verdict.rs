//! Whether an answer is right, and how far off it is.

use std::collections::BTreeMap;

use burn::tensor::DType;

use crate::case::{Case, Expected};
use crate::nested::Nested;
use crate::subject::Answer;

/// Errors below this are nobody's fault.
const NEGLIGIBLE: f64 = 1e-6;

/// `|Δ| ≤ loss · max(1, |loss|)` and `‖Δ‖ ≤ gradient · ‖g‖ + floor`.
///
/// | inputs | loss | gradient | floor |
/// | :-- | :-- | :-- | :-- |
/// | `f64` | 1e-10 | 1e-9 | 1e-10 |
/// | `f32` | 1e-5 | 1e-4 | 1e-6 |
/// | `f16` | 1e-5 | 1e-3 | 1e-6 |
/// | `bf16` | 1e-5 | 5e-3 | 1e-6 |
///
/// Of half precision only the inputs are, and so the gradients that are handed back: rounding those
/// costs 2⁻¹¹ and 2⁻⁹ of their length. The loss is computed in `f32` or wider.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    loss: f64,
    gradient: f64,
    floor: f64,
}

impl Tolerance {
    /// The tolerance where inputs are in a precision.
    pub fn of(dtype: DType) -> Self {
        match dtype {
            DType::F64 => Self { loss: 1e-10, gradient: 1e-9, floor: 1e-10 },
            DType::F16 => Self { loss: 1e-5, gradient: 1e-3, floor: 1e-6 },
            DType::BF16 => Self { loss: 1e-5, gradient: 5e-3, floor: 1e-6 },
            _ => Self { loss: 1e-5, gradient: 1e-4, floor: 1e-6 },
        }
    }
}

/// How an answer compares with the expected one.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// `|Δ| / max(1, |loss|)`.
    pub loss_error: f64,
    /// The worst of `‖Δ‖ / ‖g‖` over all columns together and every weight.
    pub gradient_error: f64,
    /// What is wrong, if anything is.
    pub failure: Option<String>,
    /// Whether loss and gradient are as close as the reference itself in float32.
    pub as_good_as_reference: bool,
}

impl Verdict {
    /// A case that could not be run.
    pub fn failed(why: impl Into<String>) -> Self {
        Self {
            loss_error: f64::INFINITY,
            gradient_error: f64::INFINITY,
            failure: Some(why.into()),
            as_good_as_reference: false,
        }
    }

    /// Compares the answer with what the case expects.
    pub fn of(case: &Case, answer: &Answer, tolerance: Tolerance) -> Self {
        let Expected { loss, gradients, param_gradients, parts, .. } = &case.expected;
        let off = (answer.loss - loss).abs();
        let mut failure = outside(off, tolerance.loss * loss.abs().max(1.0), "loss");

        let expected: Vec<f64> = gradients.iter().flat_map(|g| g.data.iter().copied()).collect();
        let gradient = Distance::between(&answer.gradients.concat(), &expected);
        failure = failure.or_else(|| gradient.outside(tolerance, "gradient"));

        let mut worst = gradient.relative();
        let none = BTreeMap::new();
        for (name, Nested { data, .. }) in param_gradients.as_ref().unwrap_or(&none) {
            let got = answer.param_gradients.get(name).map_or(&[][..], |g| g);
            let distance = Distance::between(got, data);
            worst = worst.max(distance.relative());
            failure = failure.or_else(|| distance.outside(tolerance, name));
        }
        if let Some(parts) = parts {
            failure = failure.or_else(|| wrong_parts(&answer.parts, parts, tolerance));
        }
        let reference = case.reference_f32;
        Self {
            loss_error: off / loss.abs().max(1.0),
            gradient_error: worst,
            as_good_as_reference: off <= reference.loss_error.max(NEGLIGIBLE)
                && gradient.relative() <= reference.gradient_error.max(NEGLIGIBLE),
            failure,
        }
    }
}

/// Says which part is missing, too much or off.
fn wrong_parts(
    got: &BTreeMap<String, f64>,
    expected: &BTreeMap<String, f64>,
    tolerance: Tolerance,
) -> Option<String> {
    if !got.keys().eq(expected.keys()) {
        return Some(format!("the parts are {:?}, expected {:?}", got.keys(), expected.keys()));
    }
    got.iter().zip(expected.values()).find_map(|((name, got), expected)| {
        outside((got - expected).abs(), tolerance.loss * expected.abs().max(1.0), name)
    })
}

/// Two gradients: how far apart, and how long the expected one is.
struct Distance {
    apart: f64,
    length: f64,
}

impl Distance {
    fn between(got: &[f64], expected: &[f64]) -> Self {
        let norm =
            |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
        let apart = match got.len() == expected.len() {
            true => norm(&mut got.iter().zip(expected).map(|(g, e)| g - e)),
            false => f64::INFINITY,
        };
        Self { apart, length: norm(&mut expected.iter().copied()) }
    }

    /// Relative to the expected length; absolute where that is nothing.
    fn relative(&self) -> f64 {
        if self.length > 1e-12 { self.apart / self.length } else { self.apart }
    }

    fn outside(&self, tolerance: Tolerance, what: &str) -> Option<String> {
        outside(self.apart, tolerance.gradient * self.length + tolerance.floor, what)
    }
}

/// Says so if `off` is not within `allowed`; a NaN never is.
fn outside(off: f64, allowed: f64, what: &str) -> Option<String> {
    let within = off <= allowed;
    (!within).then(|| format!("{what} is off by {off:.3e}, allowed {allowed:.3e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names_and_values() {
        let parts = |name: &str, value: f64| BTreeMap::from([(name.to_string(), value)]);
        let wrong = |got| wrong_parts(&got, &parts("a", 1.0), Tolerance::of(DType::F32));
        assert_eq!(wrong(parts("a", 1.0 + 1e-6)), None);
        assert!(wrong(parts("a", 1.1)).unwrap().starts_with("a is off"));
        assert!(wrong(parts("b", 1.0)).unwrap().starts_with("the parts are"));
    }

    #[test]
    fn nan_and_missing_numbers_are_failures() {
        let tolerance = Tolerance::of(DType::F32);
        assert!(outside(f64::NAN, 1.0, "loss").is_some());
        assert!(Distance::between(&[f64::NAN], &[1.0]).outside(tolerance, "gradient").is_some());
        assert!(Distance::between(&[], &[1.0]).outside(tolerance, "gradient").is_some());
        assert!(Distance::between(&[1.0 + 1e-6], &[1.0]).outside(tolerance, "gradient").is_none());
    }
}

//! Classes predicted from logits.

use burn::prelude::*;

use crate::batch::{ClassTargets, IGNORED_LABEL};
use crate::reduction::Terms;

/// Cross-entropy `−Σ_c y_c ln softmax(z)_c` of logits `z`, `[n, classes]`, one term a row.
///
/// Rows with the class index [`IGNORED_LABEL`] are 0 and do not count; rows with a class that does not
/// exist are NaN. With `smoothing` ε the target is `(1 − ε) y + ε / classes`.
pub fn cross_entropy(logits: Tensor<2>, targets: ClassTargets, smoothing: f64) -> Terms {
    weighted_cross_entropy(logits, targets, smoothing, None)
}

/// [`cross_entropy`] `−Σ_c w_c y_c ln softmax(z)_c` with a weight for each class, if there are any. A mean
/// over class indices divides by the weights of the classes; one over probabilities by the number of rows.
pub fn weighted_cross_entropy(
    logits: Tensor<2>,
    targets: ClassTargets,
    smoothing: f64,
    weights: Option<&[f64]>,
) -> Terms {
    let [_, classes] = logits.dims();
    let place = (&logits.device(), logits.dtype());
    let weights =
        weights.map(|weights| Tensor::<1>::from_data(weights, place).inner().unsqueeze_dim::<2>(0));
    let log_p = log_softmax(logits);
    let log_p = match &weights {
        Some(weights) => log_p * weights.clone(),
        None => log_p,
    };
    let uniform = log_p.clone().mean_dim(1);
    let (log_target, indices) = match targets {
        ClassTargets::Probabilities(y) => ((log_p * y).sum_dim(1), None),
        ClassTargets::Indices(labels) => {
            let indices = Indices::new(labels, classes);
            (log_p.gather(1, indices.class.clone()), Some(indices))
        }
    };
    let values = log_target.mul_scalar(1.0 - smoothing) + uniform.mul_scalar(smoothing);
    let values = values.neg();
    match indices {
        None => Terms::all(values.squeeze_dim(1)),
        Some(indices) => {
            let dtype = values.dtype();
            let values = indices.mask(values);
            let counts = indices.counts.float().cast(dtype);
            let counts = match weights {
                Some(weights) => {
                    let rows = counts.dims()[0];
                    counts * weights.repeat_dim(0, rows).gather(1, indices.class)
                }
                None => counts,
            };
            Terms::new(values.squeeze_dim(1), counts.sum())
        }
    }
}

/// The class of every row, `[n, 1]` each.
pub(super) struct Indices {
    /// The class; any class in a row that does not count, and in one whose class does not exist.
    pub class: Tensor<2, Int>,
    /// Whether the row counts.
    pub counts: Tensor<2, Bool>,
    /// Whether the row counts and its class does not exist.
    outside: Tensor<2, Bool>,
}

impl Indices {
    pub fn new(labels: Tensor<1, Int>, classes: usize) -> Self {
        let labels = labels.unsqueeze_dim::<2>(1);
        let counts = labels.clone().not_equal_elem(IGNORED_LABEL);
        let class = labels.clone().clamp(0, classes as i64 - 1);
        let outside = labels.not_equal(class.clone()).bool_and(counts.clone());
        Self { class, counts, outside }
    }

    /// The terms of the rows, `[n, 1]`: 0 where a row does not count, NaN where its class does not exist.
    pub fn mask(&self, terms: Tensor<2>) -> Tensor<2> {
        terms
            .mask_fill(self.counts.clone().bool_not(), 0.0)
            .mask_fill(self.outside.clone(), f64::NAN)
    }
}

/// `z − ln Σ eᶻ` along the rows.
pub(super) fn log_softmax(logits: Tensor<2>) -> Tensor<2> {
    let shifted = logits.clone() - logits.inner().max_dim(1);
    let log_sum = shifted.clone().exp().sum_dim(1).log();
    shifted - log_sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities ¼ and ¾.
    fn logits() -> Tensor<2> {
        Tensor::from_floats([[0.0, 3f32.ln()], [0.0, 3f32.ln()]], &Device::flex())
    }

    fn assert_terms(targets: impl Into<ClassTargets>, smoothing: f64, expected: [f32; 2]) {
        let terms = cross_entropy(logits(), targets.into(), smoothing).into_values();
        let terms: Vec<f32> = terms.try_into_vec_as().unwrap();
        for (got, expected) in terms.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{terms:?} is not {expected:?}");
        }
    }

    #[test]
    fn a_class_costs_the_logarithm_of_its_probability() {
        let labels = Tensor::<1, Int>::from_ints([0, 1], &Device::flex());
        assert_terms(labels, 0.0, [4f32.ln(), (4f32 / 3.0).ln()]);
        let ignored = Tensor::<1, Int>::from_ints([IGNORED_LABEL, 1], &Device::flex());
        assert_terms(ignored, 0.0, [0.0, (4f32 / 3.0).ln()]);
    }

    #[test]
    fn smoothing_spreads_a_share_of_the_target_over_all_classes() {
        let (a, b) = (4f32.ln(), (4f32 / 3.0).ln());
        let expected = [0.7 * a + 0.15 * (a + b), 0.7 * b + 0.15 * (a + b)];
        let labels = Tensor::<1, Int>::from_ints([0, 1], &Device::flex());
        assert_terms(labels, 0.3, expected);
        let certain = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
        assert_terms(certain, 0.3, expected);
    }
}

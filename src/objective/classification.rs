//! Classes predicted from logits.

use burn::prelude::*;

use crate::batch::{ClassTargets, IGNORED_LABEL};
use crate::reduction::Terms;

/// Cross-entropy `−Σ_c y_c ln softmax(z)_c` of logits `z`, `[n, classes]`, one term a row.
///
/// Rows with the class index [`IGNORED_LABEL`] are 0 and do not count. With `smoothing` ε the
/// target is `(1 − ε) y + ε / classes`.
pub fn cross_entropy(logits: Tensor<2>, targets: ClassTargets, smoothing: f64) -> Terms {
    let [_, classes] = logits.dims();
    let log_p = log_softmax(logits);
    let uniform = log_p.clone().mean_dim(1);
    let (log_target, counts) = match targets {
        ClassTargets::Probabilities(y) => ((log_p * y).sum_dim(1), None),
        ClassTargets::Indices(labels) => {
            let labels = labels.unsqueeze_dim::<2>(1);
            let counts = labels.clone().not_equal_elem(IGNORED_LABEL);
            // Any class serves for a row that does not count.
            let index = labels.clamp(0, classes as i64 - 1);
            (log_p.gather(1, index), Some(counts))
        }
    };
    let values = log_target.mul_scalar(1.0 - smoothing) + uniform.mul_scalar(smoothing);
    let values = values.neg();
    match counts {
        None => Terms::all(values.squeeze_dim(1)),
        Some(counts) => {
            let dtype = values.dtype();
            let values = values.mask_fill(counts.clone().bool_not(), 0.0);
            Terms::new(values.squeeze_dim(1), counts.float().cast(dtype).sum())
        }
    }
}

/// `z − ln Σ eᶻ` along the rows.
fn log_softmax(logits: Tensor<2>) -> Tensor<2> {
    let shifted = logits.clone() - logits.inner().max_dim(1);
    let log_sum = shifted.clone().exp().sum_dim(1).log();
    shifted - log_sum
}

//! Whether the likeliest class is the right one.

use burn::prelude::*;

use super::scores::{expect_length, read, share};
use crate::batch::shape::require_rows;
use crate::error::BatchError;

/// The share of rows whose highest logit is that of their label, in `[0, 1]`.
///
/// The first of equally high logits is taken.
///
/// # Shapes
///
/// `[n, classes]`, `[n]`; of a [`SoftmaxLoss`](crate::SoftmaxLoss) the logits are those of
/// [`logits`](crate::SoftmaxLoss::logits).
///
/// # Errors
///
/// If a label is no class, or a logit is not finite.
///
/// # Panics
///
/// If there is no row or no class, or not one label a row.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::evaluation::label_accuracy;
///
/// # let device = Device::flex();
/// let logits = Tensor::from_floats([[2.0, 1.0, 0.0], [0.0, 0.5, 3.0]], &device);
/// assert_eq!(label_accuracy(logits, &[0, 1])?, 0.5);
/// # Ok::<(), burn_embedding_losses::BatchError>(())
/// ```
///
/// # References
///
/// `LabelAccuracyEvaluator` of sentence-transformers.
#[track_caller]
pub fn label_accuracy(logits: Tensor<2>, labels: &[i64]) -> Result<f64, BatchError> {
    const OWNER: &str = "label_accuracy";
    require_rows(OWNER, "logits", logits.dims());
    let [rows, classes] = logits.dims();
    expect_length(OWNER, "labels", labels.len(), rows);
    let is_class = |&label: &i64| usize::try_from(label).is_ok_and(|label| label < classes);
    if let Some(row) = labels.iter().position(|label| !is_class(label)) {
        let got = labels[row];
        let message = format!("{OWNER}: `labels` must be below {classes}, row {row} has {got}");
        return Err(BatchError::new(message));
    }
    let logits = read(OWNER, logits.inner())?;
    let likeliest = logits.chunks(classes).map(first_of_the_highest);
    let right = likeliest.zip(labels).filter(|(class, label)| *class as i64 == **label);
    Ok(share(right.count(), rows))
}

fn first_of_the_highest(logits: &[f64]) -> usize {
    (1..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[i64]) -> Result<f64, BatchError> {
        let logits = Tensor::from_floats([[1.0, 1.0], [0.0, 2.0]], &Device::flex());
        label_accuracy(logits, labels)
    }

    #[test]
    fn the_first_of_equal_logits_counts() {
        assert_eq!([of(&[0, 1]), of(&[1, 1]), of(&[1, 0])], [Ok(1.0), Ok(0.5), Ok(0.0)]);
    }

    #[test]
    fn labels_that_are_no_class_are_errors() {
        for wrong in [2, -1] {
            let message = of(&[0, wrong]).unwrap_err().to_string();
            assert_eq!(
                message,
                format!("label_accuracy: `labels` must be below 2, row 1 has {wrong}")
            );
        }
    }
}

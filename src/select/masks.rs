//! The pairs of a labelled batch that may attract and those that may repel.

use core::ops::Range;

use burn::prelude::*;

use crate::budget::Blocks;

/// The pairs of a labelled batch that may attract and those that may repel, both `[n, n]`.
#[derive(Debug, Clone)]
pub struct LabelMasks {
    /// Same label, different row.
    pub positive: Tensor<2, Bool>,
    /// Different label.
    pub negative: Tensor<2, Bool>,
}

impl LabelMasks {
    /// The masks of the labels `[n]`.
    pub fn new(labels: Tensor<1, Int>) -> Self {
        let [n] = labels.dims();
        Self::of_rows(labels, 0..n)
    }

    /// Some rows of the masks of the labels `[n]`: `[rows, n]`.
    pub fn of_rows(labels: Tensor<1, Int>, rows: Range<usize>) -> Self {
        let [n] = labels.dims();
        let other_row = own_row(rows.clone(), n, &labels.device()).bool_not();
        let anchors = labels.clone().slice([rows]).unsqueeze_dim::<2>(1);
        let same = anchors.equal(labels.unsqueeze_dim::<2>(0));
        Self { positive: same.clone().bool_and(other_row), negative: same.bool_not() }
    }

    /// Anchors that have a positive as well as a negative, `[n]`.
    pub fn valid_anchors(&self) -> Tensor<1, Bool> {
        any_in_row(self.positive.clone()).bool_and(any_in_row(self.negative.clone()))
    }
}

/// Anchors that have a positive as well as a negative, `[n]`; a block of anchors at a time.
pub fn valid_anchors(labels: Tensor<1, Int>, blocks: Blocks) -> Tensor<1, Bool> {
    let labels = labels.inner();
    let valid = |range| LabelMasks::of_rows(labels.clone(), range).valid_anchors();
    Tensor::cat(blocks.ranges().map(valid).collect(), 0)
}

/// True in the column of the row itself, for some rows of a batch of `n`, `[rows, n]`.
pub(crate) fn own_row(rows: Range<usize>, n: usize, device: &Device) -> Tensor<2, Bool> {
    // `diag_mask` is false on the diagonal.
    Tensor::<2, Bool>::diag_mask([rows.len(), n], rows.start as i64, device).bool_not()
}

fn any_in_row(mask: Tensor<2, Bool>) -> Tensor<1, Bool> {
    mask.any_dim(1).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_leave_the_row_itself_out() {
        let masks = LabelMasks::new(Tensor::from_ints([4, 7, 4], &Device::flex()));
        let flags = |mask: Tensor<2, Bool>| mask.into_data().iter::<bool>().collect::<Vec<_>>();
        let (t, f) = (true, false);
        assert_eq!(flags(masks.positive.clone()), [f, f, t, f, f, f, t, f, f]);
        assert_eq!(flags(masks.negative.clone()), [f, t, f, t, f, t, f, t, f]);
        let valid = masks.valid_anchors().into_data().iter::<bool>().collect::<Vec<_>>();
        assert_eq!(valid, [t, f, t]);
    }
}

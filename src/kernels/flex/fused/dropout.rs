//! Dropout in place.

use burn::backend::flex::FlexTensor;

use crate::kernels::flex::parallel::{for_rows, owned};
use crate::kernels::fused::DropoutMask;

/// `x` with some numbers left out and the others scaled up; the gradient goes the same way.
pub(super) fn apply(x: FlexTensor, mask: &DropoutMask) -> FlexTensor {
    let mut x = owned(x);
    let width = *x.layout().shape().last().expect("a tensor with vectors");
    let numbers = x.storage_mut::<f32>();
    let work = numbers.len();
    for_rows(numbers, width, work, |i, row| apply_to_row(row, mask, i));
    x
}

/// The same for vector `i`.
#[inline(always)]
pub(super) fn apply_to_row(row: &mut [f32], mask: &DropoutMask, i: usize) {
    let key = mask.key(i);
    for (x, place) in row.iter_mut().zip(0..) {
        *x *= mask.factor(key, place);
    }
}

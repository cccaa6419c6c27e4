//! Labels, ids and class indices of any integer type.

use burn::prelude::*;
use burn::tensor::{DType, IntDType};

/// The same integers in a signed type of at least 32 bits, in which they can be compared with any
/// class index and with negative numbers.
///
/// A `u64` above the largest `i64` wraps around, so equal integers stay equal and different ones
/// different. (Burn's ndarray cannot compute with such a number at all: it panics.)
pub(crate) fn signed<const D: usize>(integers: Tensor<D, Int>) -> Tensor<D, Int> {
    let has_i64 = || integers.device().supports_dtype(DType::I64);
    match integers.dtype() {
        DType::I8 | DType::I16 | DType::U8 | DType::U16 => integers.cast(IntDType::I32),
        DType::U32 if has_i64() => integers.cast(IntDType::I64),
        DType::U64 if has_i64() => wrapped(integers),
        DType::U32 | DType::U64 => integers.cast(IntDType::I32),
        _ => integers,
    }
}

/// `u64` to `i64` bit by bit: a plain cast fails on some backends where the highest bit is set.
fn wrapped<const D: usize>(integers: Tensor<D, Int>) -> Tensor<D, Int> {
    let highest = integers.clone().greater_elem(i64::MAX).int().cast(IntDType::I64);
    let rest = integers.bitwise_and_scalar(i64::MAX).cast(IntDType::I64);
    rest + highest.mul_scalar(i64::MIN)
}

/// Columns of ids in the widest of their types, so that they can be compared with each other.
pub(super) fn widest(columns: Vec<Tensor<1, Int>>) -> Vec<Tensor<1, Int>> {
    let widest = columns.iter().map(Tensor::dtype).max_by_key(DType::size);
    let cast = |ids: Tensor<1, Int>| match widest {
        Some(dtype) if dtype != ids.dtype() => ids.cast(IntDType::from(dtype)),
        _ => ids,
    };
    columns.into_iter().map(cast).collect()
}

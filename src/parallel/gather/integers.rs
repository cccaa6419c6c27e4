//! Integers as floats, for what only adds floats.

use burn::prelude::*;
use burn::tensor::IntDType;

/// Bits of an integer that one float carries: `f32` is exact up to 2²⁴.
const BITS: u32 = 22;

/// Every integer in pieces that floats hold exactly, all lowest pieces first:
/// `[n, width] → [n, pieces · width]`.
pub(super) fn to_floats(integers: Tensor<2, Int>) -> Tensor<2> {
    let (mut rest, mut columns) = (integers, Vec::new());
    for _ in 1..pieces(rest.dtype().into()) {
        columns.push(rest.clone().bitwise_and_scalar((1i64 << BITS) - 1));
        rest = rest.bitwise_right_shift_scalar(BITS as i64);
    }
    // The sign stays with the highest.
    columns.push(rest);
    Tensor::cat(columns.into_iter().map(|column| column.float()).collect(), 1)
}

/// The integers of the pieces: `[n, pieces · width] → [n, width]`.
pub(super) fn from_floats(floats: Tensor<2>, dtype: IntDType) -> Tensor<2, Int> {
    let mut columns = floats.chunk(pieces(dtype), 1).into_iter().rev();
    let mut next = || columns.next().map(|column| column.int().cast(dtype));
    let highest = next().expect("an integer has a piece");
    core::iter::from_fn(next).fold(highest, |sum, piece| sum.mul_scalar(1i64 << BITS) + piece)
}

/// The number of floats that an integer takes.
fn pieces(dtype: IntDType) -> usize {
    let bits = 8 * burn::tensor::DType::from(dtype).size();
    bits.div_ceil(BITS as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_from_floats() {
        let narrow = [0, 1, -1, 7, 1 << 23, i32::MAX.into(), i32::MIN.into()];
        let wide = [-(1 << 40) + 3, i64::MAX, i64::MIN, 123_456_789_012, -1];
        for (numbers, dtype, pieces) in [
            (&narrow[..], IntDType::I32, 2),
            (&narrow, IntDType::I64, 3),
            (&wide, IntDType::I64, 3),
        ] {
            let device = Device::flex();
            let integers = Tensor::<1, Int>::from_data(numbers, (&device, dtype.into()));
            let floats = to_floats(integers.unsqueeze_dim(1));
            assert_eq!(floats.dims(), [numbers.len(), pieces]);
            let back = from_floats(floats, dtype).into_data();
            assert_eq!(back.iter::<i64>().collect::<Vec<_>>(), numbers);
        }
    }
}

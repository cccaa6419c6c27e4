//! The place of every document in its list.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use crate::blocks::Blocks;
use crate::numeric::lowest_number;

/// The rank of every element of a row, from 1: largest key first, equal keys in the order of their places,
/// and what does not exist last. It carries no gradient.
///
/// # Shapes
///
/// keys and `exists` `[rows, n]` → ranks `[rows, n]`, each row a permutation of `1..=n`, in the type of the
/// keys
///
/// # Numerical behavior
///
/// Keys are compared exactly, each with all others of its row, a block of elements at a time: `n²`
/// comparisons and no sort, so equal keys come in the same order on every backend. A block holds elements of
/// the flattened rows.
pub fn ranks(keys: Tensor<2>, exists: Tensor<2, Bool>, blocks: Blocks) -> Tensor<2> {
    let [rows, n] = keys.dims();
    let lowest = lowest_number(keys.dtype());
    let keys = keys.inner().mask_fill(exists.bool_not(), lowest);
    let (device, dtype) = (keys.device(), keys.dtype());
    let places = Tensor::<1, Int>::arange(0..n as i64, &device).unsqueeze_dim::<2>(0);
    let part = |range: Range<usize>| {
        let elements = Tensor::<1, Int>::arange(range.start as i64..range.end as i64, &device);
        let place = elements.clone().remainder_scalar(n as i64).unsqueeze_dim::<2>(1);
        let own = keys.clone().reshape([rows * n, 1]).slice([range, 0..1]);
        let others = keys.clone().select(0, elements.div_scalar(n as i64));
        let equal_before = others.clone().equal(own.clone()).bool_and(places.clone().lower(place));
        others.greater(own).bool_or(equal_before).float().cast(dtype).sum_dim(1)
    };
    let before = Tensor::cat(blocks.ranges().map(part).collect(), 0);
    before.reshape([rows, n]).add_scalar(1.0)
}

/// The place of each rank: the inverse of [`ranks`], `[rows, n] → [rows, n]`.
pub fn places_by_rank(ranks: Tensor<2>) -> Tensor<2, Int> {
    let [rows, n] = ranks.dims();
    let places = Tensor::<1, Int>::arange(0..n as i64, &ranks.device());
    let places = places.unsqueeze_dim::<2>(0).repeat_dim(0, rows);
    let at = ranks.sub_scalar(1.0).int();
    Tensor::zeros_like(&places).scatter(1, at, places, IndexingUpdateOp::Add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_keep_their_order_and_padding_comes_last() {
        let device = Device::flex();
        let keys = Tensor::<2>::from_floats([[1.0, 3.0, 9.0, 3.0, 0.0], [2.0; 5]], &device);
        let exists = [[true, true, false, true, true], [true, false, true, false, true]];
        let exists = Tensor::<2, Bool>::from_bool(exists, &device);
        for budget in [None, Some(100)] {
            let blocks = Blocks::within("test", budget, &device, [10, 5], 50);
            let found = ranks(keys.clone(), exists.clone(), blocks);
            let places = places_by_rank(found.clone());
            let found: Vec<f32> = found.try_into_vec_as().unwrap();
            assert_eq!(found, [3.0, 1.0, 5.0, 2.0, 4.0, 1.0, 4.0, 2.0, 5.0, 3.0]);
            let places: Vec<i64> = places.into_data().iter::<i64>().collect();
            assert_eq!(places, [1, 3, 0, 4, 2, 0, 2, 4, 1, 3]);
        }
    }
}

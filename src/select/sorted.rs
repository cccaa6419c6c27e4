//! Rows of distances sorted once, with running counts over them.

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::masks::LabelMasks;
use crate::numeric::rounding_slack;

/// Rows sorted in ascending order, with runs of equal keys ("ties") marked.
pub(super) struct SortedRows {
    pub rows: usize,
    /// Columns.
    pub n: usize,
    /// Original column of each sorted place.
    pub order: Tensor<2, Int>,
    /// 1 where the sorted place holds a positive, else 0.
    pub positive: Tensor<2>,
    /// 1 where the sorted place holds a negative, else 0.
    pub negative: Tensor<2>,
    /// Whether the next place holds a larger key, or there is none.
    ends_tie: Tensor<2, Bool>,
}

impl SortedRows {
    pub fn new(keys: Tensor<2>, masks: &LabelMasks) -> Self {
        let [rows, n] = keys.dims();
        let device = keys.device();
        let dtype = keys.dtype();
        let (sorted, order) = keys.sort_with_indices(1);
        // 1 for a positive, 2 for a negative: gathered once.
        let flag = |mask: &Tensor<2, Bool>| mask.clone().float().cast(dtype);
        let kind = flag(&masks.positive) + flag(&masks.negative).mul_scalar(2.0);
        let kind = kind.gather(1, order.clone());
        let positive = kind.clone().equal_elem(1.0).float().cast(dtype);
        let negative = kind.equal_elem(2.0).float().cast(dtype);
        let last =
            Tensor::<2, Bool>::from_data(TensorData::new(vec![true; rows], [rows, 1]), &device);
        let ends_tie = match n {
            1 => last,
            _ => {
                let slack = rounding_slack(&sorted);
                let reach = (sorted.clone() + slack).slice([0..rows, 0..n - 1]);
                Tensor::cat(vec![reach.lower(sorted.slice([0..rows, 1..n])), last], 1)
            }
        };
        Self { rows, n, order, positive, negative, ends_tie }
    }

    /// For each place, how many of `flags` lie at or before the end of its tie.
    pub fn count_up_to_ties(&self, flags: Tensor<2>) -> Tensor<2> {
        let running = flags.cumsum(1);
        let inside = self.ends_tie.clone().bool_not();
        // Running counts never fall, so the smallest one at a later end is the nearest one.
        running.mask_fill(inside, (self.n + 1) as f64).flip([1]).cummin(1).flip([1])
    }

    /// For each place, how many of `flags` lie before the start of its tie.
    pub fn count_below_ties(&self, flags: Tensor<2>) -> Tensor<2> {
        if self.n == 1 {
            return flags.zeros_like();
        }
        let Self { rows, n, .. } = *self;
        let inside = self.ends_tie.clone().bool_not();
        let at_ends = flags.cumsum(1).mask_fill(inside, 0.0);
        let before = at_ends.slice([0..rows, 0..n - 1]);
        let first = Tensor::zeros([rows, 1], (&before.device(), before.dtype()));
        Tensor::cat(vec![first, before], 1).cummax(1)
    }

    /// For each place, the nearest later place behind its tie that holds a negative; `n` if none.
    pub fn next_negative(&self) -> Tensor<2, Int> {
        let Self { rows, n, .. } = *self;
        let device = self.order.device();
        let places = Tensor::<1, Int>::arange(0..n as i64, &device).unsqueeze_dim::<2>(0);
        let places = places.expand([rows, n]);
        let not_negative = self.negative.clone().equal_elem(0.0);
        let nearest = places.mask_fill(not_negative, n as i64).flip([1]).cummin(1).flip([1]);
        let none = Tensor::<2, Int>::full([rows, 1], n as i64, &device);
        let behind = match n {
            1 => none,
            _ => Tensor::cat(vec![nearest.slice([0..rows, 1..n]), none], 1),
        };
        let inside = self.ends_tie.clone().bool_not();
        behind.mask_fill(inside, n as i64).flip([1]).cummin(1).flip([1])
    }

    /// From sorted places back to original columns.
    pub fn restore(&self, values: Tensor<2>) -> Tensor<2> {
        let columns = values.zeros_like();
        columns.scatter(1, self.order.clone(), values, IndexingUpdateOp::Add)
    }

    /// [`restore`](Self::restore) for indices.
    pub fn restore_int(&self, values: Tensor<2, Int>) -> Tensor<2, Int> {
        let columns = values.zeros_like();
        columns.scatter(1, self.order.clone(), values, IndexingUpdateOp::Add)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{semi_hard_negatives, violated_triplets};
    use super::*;
    use burn::tensor::{DType, Distribution};

    /// Distances on a coarse grid, so that many are equal, and labels.
    struct Example {
        d: Vec<Vec<f64>>,
        y: Vec<i64>,
    }

    impl Example {
        fn random(n: usize, classes: i64, seed: u64) -> Self {
            let device = Device::flex();
            device.seed(seed);
            let cells = Tensor::<2>::random([n, n], Distribution::Uniform(0.0, 6.0), &device);
            let cells: Vec<f64> = cells.floor().into_data().iter::<f64>().collect();
            let y = (0..n as i64).map(|i| (i * i) % classes).collect();
            Self { d: cells.chunks(n).map(<[f64]>::to_vec).collect(), y }
        }

        fn tensors(&self) -> (Tensor<2>, LabelMasks) {
            let (n, device) = (self.y.len(), Device::flex());
            let d = TensorData::new(self.d.concat(), [n, n]);
            let labels = Tensor::from_data(self.y.as_slice(), &device);
            (Tensor::from_data(d, (&device, DType::F64)), LabelMasks::new(labels))
        }

        fn triplets(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
            let n = self.y.len();
            let all =
                (0..n).flat_map(move |a| (0..n).flat_map(move |p| (0..n).map(move |k| (a, p, k))));
            all.filter(|&(a, p, k)| a != p && self.y[a] == self.y[p] && self.y[a] != self.y[k])
        }
    }

    #[test]
    fn counts_are_those_of_all_triplets() {
        for (n, classes, seed) in
            [(1, 1, 0), (2, 2, 1), (7, 3, 2), (12, 2, 3), (12, 5, 4), (9, 1, 5)]
        {
            let example = Example::random(n, classes, seed);
            for margin in [0.0, 0.5, 2.0, -1.0] {
                let mut weights = vec![vec![0.0; n]; n];
                let (mut touched, mut active) = (vec![0.0; n], vec![0.0; n]);
                for (a, p, k) in example.triplets() {
                    let t = example.d[a][p] - example.d[a][k] + margin;
                    if t >= 0.0 {
                        weights[a][p] += 1.0;
                        weights[a][k] -= 1.0;
                        touched[a] += 1.0;
                    }
                    active[a] += f64::from(t > 0.0);
                }
                let (d, masks) = example.tensors();
                let counts = violated_triplets(d, &masks, margin);
                let got: Vec<f64> = counts.weights.into_data().iter::<f64>().collect();
                assert_eq!(got, weights.concat(), "weights of {n} rows, margin {margin}");
                assert_eq!(counts.touched.into_data().iter::<f64>().collect::<Vec<_>>(), touched);
                assert_eq!(counts.active.into_data().iter::<f64>().collect::<Vec<_>>(), active);
            }
        }
    }

    #[test]
    fn semi_hard_negatives_are_as_far_as_those_found_one_by_one() {
        for (n, classes, seed) in [(2, 2, 1), (7, 3, 2), (12, 2, 3), (12, 5, 4)] {
            let example = Example::random(n, classes, seed);
            let (d, masks) = example.tensors();
            let chosen: Vec<i64> =
                semi_hard_negatives(d, &masks).into_data().iter::<i64>().collect();
            for (a, p, _) in example.triplets() {
                let row = &example.d[a];
                let negatives = || (0..n).filter(|&k| example.y[k] != example.y[a]).map(|k| row[k]);
                let farther = negatives().filter(|&x| x > row[p]).reduce(f64::min);
                let expected = farther.or(negatives().reduce(f64::max)).expect("a negative");
                let column = chosen[a * n + p] as usize;
                assert_ne!(example.y[column], example.y[a], "a negative is chosen");
                assert_eq!(row[column], expected, "anchor {a}, positive {p}");
            }
        }
    }
}

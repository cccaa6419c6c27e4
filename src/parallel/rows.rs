//! The tensors of a batch as matrices with a row for each row of the batch, and back.

use std::collections::VecDeque;

use burn::prelude::*;
use burn::tensor::IntDType;
use burn::tensor::kind::Basic;

use crate::batch::columns::flags_on;
use crate::batch::{ColumnMapper, ColumnVisitor, Columns, Role};

/// All tensors of a batch as matrices, `[n, width]`, by kind and in the order of the batch.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Embeddings, labels and weights.
    pub floats: VecDeque<Tensor<2>>,
    /// Labels, ids and tokens.
    pub integers: VecDeque<Tensor<2, Int>>,
    /// Masks.
    pub flags: VecDeque<Tensor<2, Bool>>,
}

impl Rows {
    pub fn of<C: Columns>(batch: &C) -> Self {
        let mut rows = Self::default();
        batch.visit_columns(&mut rows);
        rows
    }

    /// The number of rows and the width of every matrix.
    pub fn shapes(&self) -> Vec<[usize; 2]> {
        let Self { floats, integers, flags } = self;
        let floats = floats.iter().map(Tensor::dims);
        let integers = integers.iter().map(Tensor::dims);
        floats.chain(integers).chain(flags.iter().map(Tensor::dims)).collect()
    }

    /// Whether the rows of both can be put below each other.
    pub fn is_like(&self, other: &Self) -> bool {
        let kinds = |rows: &Self| (rows.floats.len(), rows.integers.len(), rows.flags.len());
        let widths = |rows: &Self| rows.shapes().into_iter().map(|[_, width]| width);
        kinds(self) == kinds(other) && widths(self).eq(widths(other))
    }

    /// The rows of all parts, one part below the other. All are like the first, and come to its
    /// devices and types.
    pub fn cat(parts: Vec<Self>) -> Self {
        let (mut floats, mut integers, mut flags) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            floats.push(part.floats);
            integers.push(part.integers);
            flags.push(part.flags);
        }
        Self {
            floats: below_each_other(floats, |part, first| part.to_device(&first.device())),
            // Devices have integers of different width.
            integers: below_each_other(integers, |part, first| {
                part.to_device(&first.device()).cast(IntDType::from(first.dtype()))
            }),
            flags: below_each_other(flags, |part, first| flags_on(&first.device(), part)),
        }
    }

    /// The batch with its tensors replaced by these, which are like its own.
    pub fn put_into<C: Columns>(mut self, batch: C) -> C {
        batch.map_columns(&mut self)
    }
}

/// The k-th matrices of all parts below each other; `moved` puts one on the device of the first.
fn below_each_other<K: Basic>(
    mut parts: Vec<VecDeque<Tensor<2, K>>>,
    moved: impl Fn(Tensor<2, K>, &Tensor<2, K>) -> Tensor<2, K>,
) -> VecDeque<Tensor<2, K>> {
    let columns = parts[0].len();
    let column = |_| {
        let of_parts = parts.iter_mut().map(|part| part.pop_front().expect("parts are alike"));
        let of_parts: Vec<_> = of_parts.collect();
        let first = of_parts[0].clone();
        Tensor::cat(of_parts.into_iter().map(|part| moved(part, &first)).collect(), 0)
    };
    (0..columns).map(column).collect()
}

/// `[n, …]` as `[n, width]`.
pub(super) fn matrix<const D: usize, K: Basic>(tensor: &Tensor<D, K>) -> Tensor<2, K> {
    let dims = tensor.dims();
    tensor.clone().reshape([dims[0], dims[1..].iter().product()])
}

/// The next of `matrices` in the shape of `old`, but with as many rows as it has.
fn next_like<const D: usize, K: Basic>(
    matrices: &mut VecDeque<Tensor<2, K>>,
    old: Tensor<D, K>,
) -> Tensor<D, K> {
    let matrix = matrices.pop_front().expect("a batch has the tensors that it had");
    let mut dims = old.dims();
    dims[0] = matrix.dims()[0];
    matrix.reshape(dims)
}

impl ColumnVisitor for Rows {
    fn visit<const D: usize>(&mut self, _: Role, _: &str, column: &Tensor<D>) {
        self.floats.push_back(matrix(column));
    }

    fn visit_numbers<const D: usize>(&mut self, _: &str, numbers: &Tensor<D>) {
        self.floats.push_back(matrix(numbers));
    }

    fn visit_integers<const D: usize>(&mut self, _: &str, integers: &Tensor<D, Int>) {
        self.integers.push_back(matrix(integers));
    }

    fn visit_flags<const D: usize>(&mut self, _: &str, flags: &Tensor<D, Bool>) {
        self.flags.push_back(matrix(flags));
    }
}

impl ColumnMapper for Rows {
    fn map<const D: usize>(&mut self, _: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        next_like(&mut self.floats, column)
    }

    fn map_numbers<const D: usize>(&mut self, _: &str, numbers: Tensor<D>) -> Tensor<D> {
        next_like(&mut self.floats, numbers)
    }

    fn map_integers<const D: usize>(
        &mut self,
        _: &str,
        integers: Tensor<D, Int>,
    ) -> Tensor<D, Int> {
        next_like(&mut self.integers, integers)
    }

    fn map_flags<const D: usize>(&mut self, _: &str, flags: Tensor<D, Bool>) -> Tensor<D, Bool> {
        next_like(&mut self.flags, flags)
    }
}

//! Sums over all pairs of rows, a block of anchors at a time, without a matrix of all pairs.
//!
//! An in-batch loss is a sum over anchors of a function of that anchor's row of scores. Each block gives
//! its value **and its gradient at once** and is freed. Only the gradients of the inputs are kept,
//! `O(n · dim)`.
//!
//! # Example
//!
//! The sum of `exp(−‖xᵢ − yⱼ‖)` over all pairs, with the memory of one block:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::Distance;
//! use burn_embedding_losses::blocks::{self, Blocks};
//!
//! let device = Device::flex().autodiff();
//! let x = Tensor::<2>::from_floats([[0.0], [1.0], [3.0]], &device).require_grad();
//! let y = Tensor::<2>::from_floats([[0.0], [2.0]], &device);
//!
//! // A distance in `f64`, its exponential and their gradients for each of two candidates.
//! let bytes_per_anchor = 2 * 4 * 8;
//! let blocks = Blocks::within("Example", Some(2 * bytes_per_anchor), &device, x.dims(), bytes_per_anchor);
//! let sum = blocks::sum([x.clone(), y], blocks, |anchors, [x, y]| {
//!     Distance::Euclidean.pairwise(x.slice([anchors]), y).neg().exp().sum()
//! });
//!
//! let gradient = x.grad(&sum.backward()).unwrap();
//! let expected = 1.0 + 3.0 * (-1f32).exp() + (-2f32).exp() + (-3f32).exp();
//! assert!((sum.into_scalar::<f32>() - expected).abs() < 1e-6);
//! assert_eq!(gradient.dims(), [3, 1]);
//! ```

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::Gradients;

use crate::batch::{ColumnMapper, ColumnVisitor, Columns, Role};

pub use crate::budget::{Blocks, DEFAULT_BUDGET, DEFAULT_GPU_BUDGET, default_budget};
pub use crate::kernels::{Accumulated, carry_gradient};

/// The sum of `part` over all blocks, `[1]`, in the graph of `inputs`.
///
/// `part` takes the anchors of a block and all inputs, and returns one number, `[1]`. Its graph is used
/// and freed before the next block. Without a gradient to compute there is no graph.
pub fn sum<C: Columns>(
    inputs: C,
    blocks: Blocks,
    part: impl Fn(Range<usize>, C) -> Tensor<1>,
) -> Tensor<1> {
    sum_with(inputs, blocks, |range, inputs| (part(range, inputs), ())).0
}

/// [`sum`], with a second result of every part.
pub(crate) fn sum_with<C: Columns, T>(
    inputs: C,
    blocks: Blocks,
    part: impl Fn(Range<usize>, C) -> (Tensor<1>, T),
) -> (Tensor<1>, Vec<T>) {
    let (mut values, mut others) = (Vec::new(), Vec::new());
    if !is_tracked(&inputs) {
        for range in blocks.ranges() {
            let (value, other) = part(range, inputs.clone());
            values.push(value);
            others.push(other);
        }
        return (total(values), others);
    }
    let mut gradients: Vec<Option<Tensor<1>>> = Vec::new();
    for range in blocks.ranges() {
        let mut leaves = Leaves::default();
        let (value, other) = part(range, inputs.clone().map_columns(&mut leaves));
        // A block may not depend on the inputs at all.
        if value.is_tracked() {
            leaves.add_gradients(&mut value.backward(), &mut gradients);
        }
        values.push(value.inner());
        others.push(other);
    }
    let mut carrier = Carrier { value: total(values), gradients: gradients.into_iter() };
    // Clones share their data.
    let _ = inputs.map_columns(&mut carrier);
    (carrier.value, others)
}

/// The sum over all blocks of values whose gradients are known in closed form, `[1]`, in the graph of
/// `rows`.
///
/// `part` takes the anchors of a block, returns its value, `[1]`, and adds to the gradients of the rows;
/// a gradient is `None` if it is not wanted. All of it without a graph.
pub fn closed_sum<const K: usize>(
    rows: [Tensor<2>; K],
    blocks: Blocks,
    mut part: impl FnMut(Range<usize>, &mut [Option<Accumulated>; K]) -> Tensor<1>,
) -> Tensor<1> {
    let wanted = |rows: &Tensor<2>| rows.is_tracked().then(|| Accumulated::new(rows.dims()[0]));
    let mut gradients = rows.each_ref().map(wanted);
    let values = blocks.ranges().map(|range| part(range, &mut gradients)).collect();
    rows.into_iter().zip(gradients).fold(total(values), |value, (rows, gradient)| {
        match gradient.and_then(Accumulated::into_gradient) {
            Some(gradient) => carried(value, rows, gradient),
            None => value,
        }
    })
}

fn total(values: Vec<Tensor<1>>) -> Tensor<1> {
    values.into_iter().reduce(|sum, value| sum + value).expect("a batch has at least one row")
}

/// The value with the gradient of `x` tied to it.
fn carried<const D: usize>(value: Tensor<1>, x: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    let dtype = value.dtype();
    value + carry_gradient(x, gradient).cast(dtype)
}

/// Whether a gradient is wanted for any of the inputs.
pub(crate) fn is_tracked<C: Columns>(inputs: &C) -> bool {
    struct Tracked(bool);
    impl ColumnVisitor for Tracked {
        fn visit<const D: usize>(&mut self, _: Role, _: &str, column: &Tensor<D>) {
            self.0 |= column.is_tracked();
        }

        fn visit_numbers<const D: usize>(&mut self, _: &str, numbers: &Tensor<D>) {
            self.0 |= numbers.is_tracked();
        }
    }
    let mut tracked = Tracked(false);
    inputs.visit_columns(&mut tracked);
    tracked.0
}

/// Replaces tensors by leaves of a new graph, and later finds their gradients.
#[derive(Default)]
struct Leaves(Vec<Gradient>);

/// Takes the gradient of one leaf, flat; `None` if there is none.
type Gradient = Box<dyn Fn(&mut Gradients) -> Option<Tensor<1>>>;

impl Leaves {
    fn leaf<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        let tracked = tensor.is_tracked();
        // Unlike `inner`, this keeps what the device records for the backward pass.
        let leaf = tensor.detach().set_require_grad(tracked);
        if !tracked {
            self.0.push(Box::new(|_| None));
            return leaf;
        }
        let known = leaf.clone();
        self.0.push(Box::new(move |found| known.grad_remove(found).map(|g| g.reshape([-1]))));
        leaf
    }

    /// Adds the gradients of this block to those of the others.
    fn add_gradients(self, found: &mut Gradients, sums: &mut Vec<Option<Tensor<1>>>) {
        sums.resize(self.0.len(), None);
        for (sum, gradient) in sums.iter_mut().zip(self.0) {
            if let Some(gradient) = gradient(found) {
                *sum = Some(match sum.take() {
                    None => gradient,
                    Some(sum) => sum + gradient,
                });
            }
        }
    }
}

impl ColumnMapper for Leaves {
    fn map<const D: usize>(&mut self, _: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        self.leaf(column)
    }

    fn map_numbers<const D: usize>(&mut self, _: &str, numbers: Tensor<D>) -> Tensor<D> {
        self.leaf(numbers)
    }
}

/// Ties the gradients of all tensors to a value.
struct Carrier<I> {
    value: Tensor<1>,
    gradients: I,
}

impl<I: Iterator<Item = Option<Tensor<1>>>> Carrier<I> {
    fn carry<const D: usize>(&mut self, x: Tensor<D>) -> Tensor<D> {
        if let Some(gradient) = self.gradients.next().flatten() {
            let gradient = gradient.reshape(x.shape());
            self.value = carried(self.value.clone(), x.clone(), gradient);
        }
        x
    }
}

impl<I: Iterator<Item = Option<Tensor<1>>>> ColumnMapper for Carrier<I> {
    fn map<const D: usize>(&mut self, _: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        self.carry(column)
    }

    fn map_numbers<const D: usize>(&mut self, _: &str, numbers: Tensor<D>) -> Tensor<D> {
        self.carry(numbers)
    }
}

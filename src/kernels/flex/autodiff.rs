//! The kernels in a graph: each keeps its inputs, and its backward pass is one kernel again.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, tensor::FloatTensor};

use super::row_comparison::{Found, RowComparison};
use super::{
    PairFeatures, RowKernels, pair_features, parallel, row_comparison, squared_error, unit_rows,
};

impl<C: CheckpointStrategy> RowKernels for Autodiff<Flex, C> {
    fn compare_rows(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        comparison: RowComparison,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (y, y_node)) = (x.into_parts(), y.into_parts());
        let (z, z_node) = z.into_parts();
        let (out, found) = row_comparison::forward([&x, &y, &z], &comparison);
        match CompareRows.prepare::<C>([x_node, y_node, z_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([x, y, z], comparison, found), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn unit_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let out = unit_rows::forward(&x);
        match UnitRows.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn project_pairs(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: PairFeatures,
    ) -> FloatTensor<Self> {
        let ((left, left_node), (right, right_node)) = (left.into_parts(), right.into_parts());
        let ((weight, weight_node), (bias, bias_node)) = (weight.into_parts(), bias.into_parts());
        let out = pair_features::forward([&left, &right], &weight, &bias, features);
        let nodes = [left_node, right_node, weight_node, bias_node];
        match ProjectPairs.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((left, right, weight, features), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn squared_error(x: FloatTensor<Self>, y: FloatTensor<Self>, weight: f64) -> FloatTensor<Self> {
        let ((x, x_node), (y, y_node)) = (x.into_parts(), y.into_parts());
        match SquaredError.prepare::<C>([x_node, y_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let [out, gradient] = squared_error::value_and_gradient([&x, &y], weight);
                prep.finish(gradient, out)
            }
            OpsKind::UnTracked(prep) => prep.finish(squared_error::value([&x, &y], weight)),
        }
    }

    fn carry(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let gradient = gradient.into_primitive();
        let out = Flex::carry(x, gradient.clone());
        match Carry.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gradient, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

/// Hands gradients over to the parents that want one.
pub(super) fn register<const N: usize>(
    parents: [Option<NodeId>; N],
    found: [Option<FlexTensor>; N],
    grads: &mut Gradients,
) {
    for (parent, gradient) in parents.into_iter().zip(found) {
        if let Some((parent, gradient)) = parent.zip(gradient) {
            grads.register::<Flex>(parent, gradient);
        }
    }
}

#[derive(Debug)]
struct CompareRows;

impl Backward<Flex, 3> for CompareRows {
    type State = ([FlexTensor; 3], RowComparison, Vec<[Found; 2]>);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (sources, comparison, rows) = ops.state;
        let slope = grads.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found =
            row_comparison::backward(sources.each_ref(), &slope, &comparison, &rows, wanted);
        register(ops.parents.map(|parent| parent.map(|node| node.id)), found, grads);
    }
}

#[derive(Debug)]
struct UnitRows;

impl Backward<Flex, 1> for UnitRows {
    type State = FlexTensor;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, unit_rows::backward(&ops.state, &slope));
        }
    }
}

#[derive(Debug)]
struct ProjectPairs;

impl Backward<Flex, 4> for ProjectPairs {
    type State = (FlexTensor, FlexTensor, FlexTensor, PairFeatures);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (left, right, weight, features) = ops.state;
        let slope = grads.consume::<Flex>(&ops.node);
        let found = pair_features::backward([&left, &right], &weight, &slope, features);
        register(ops.parents.map(|parent| parent.map(|node| node.id)), found.map(Some), grads);
    }
}

#[derive(Debug)]
struct SquaredError;

impl Backward<Flex, 2> for SquaredError {
    type State = FlexTensor;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (gradient, slope) = (ops.state, grads.consume::<Flex>(&ops.node).to_contiguous());
        let slope = parallel::numbers(&slope)[0];
        let [x, y] = ops.parents;
        if let Some(node) = y {
            grads.register::<Flex>(node.id, parallel::scaled(gradient.clone(), -slope));
        }
        if let Some(node) = x {
            grads.register::<Flex>(node.id, parallel::scaled(gradient, slope));
        }
    }
}

#[derive(Debug)]
struct Carry;

impl Backward<Flex, 1> for Carry {
    type State = FlexTensor;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node).to_contiguous();
        if let [Some(node)] = ops.parents {
            let slope = parallel::numbers(&slope)[0];
            grads.register::<Flex>(node.id, parallel::scaled(ops.state, slope));
        }
    }
}

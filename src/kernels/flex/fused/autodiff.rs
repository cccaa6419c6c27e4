//! The kernels in a graph.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, tensor::FloatTensor};
use burn::tensor::Shape;

use super::layer_norm::{self, Inputs, Normal, Options};
use super::{Dropped, FusedKernels, attention, dropout, gelu, mean_rows};
use crate::kernels::flex::autodiff::register;
use crate::kernels::flex::parallel::product;
use crate::kernels::fused::{Bags, DropoutMask};

impl<C: CheckpointStrategy> FusedKernels for Autodiff<Flex, C> {
    fn attention_weights(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mask: Dropped,
    ) -> FloatTensor<Self> {
        let (scores, node) = scores.into_parts();
        let bias = bias.into_primitive().to_contiguous();
        let (weights, softmax) = attention::weights(scores, &bias, mask.0);
        match AttentionWeights.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(softmax, weights),
            OpsKind::UnTracked(prep) => prep.finish(weights),
        }
    }

    fn dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let left = dropout::apply(x, &mask);
        match Dropout.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(mask, left),
            OpsKind::UnTracked(prep) => prep.finish(left),
        }
    }

    fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match Gelu.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let [value, slope] = gelu::value_and_slope(x);
                prep.finish(slope, value)
            }
            OpsKind::UnTracked(prep) => prep.finish(gelu::value(x)),
        }
    }

    fn layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: Options,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (residual, residual_node)) = (x.into_parts(), residual.into_parts());
        let ((gamma, gamma_node), (beta, beta_node)) = (gamma.into_parts(), beta.into_parts());
        let inputs = Inputs { x, residual, gamma, beta };
        let nodes = [x_node, residual_node, gamma_node, beta_node];
        match LayerNorm.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (value, normal) = layer_norm::value_and_normal(inputs, options);
                prep.finish(normal, value)
            }
            OpsKind::UnTracked(prep) => prep.finish(layer_norm::value(inputs, options)),
        }
    }

    fn mean_rows(table: FloatTensor<Self>, bags: Bags) -> FloatTensor<Self> {
        let (table, node) = table.into_parts();
        let means = mean_rows::value(&table, &bags);
        match MeanRows.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((bags, table.layout().shape().clone()), means),
            OpsKind::UnTracked(prep) => prep.finish(means),
        }
    }
}

#[derive(Debug)]
struct AttentionWeights;

impl Backward<Flex, 1> for AttentionWeights {
    type State = attention::Softmax;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, attention::gradient(slope, &ops.state));
        }
    }
}

#[derive(Debug)]
struct Dropout;

impl Backward<Flex, 1> for Dropout {
    type State = DropoutMask;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, dropout::apply(slope, &ops.state));
        }
    }
}

#[derive(Debug)]
struct Gelu;

impl Backward<Flex, 1> for Gelu {
    /// The derivative at each element.
    type State = FlexTensor;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, product(slope, &ops.state));
        }
    }
}

#[derive(Debug)]
struct MeanRows;

impl Backward<Flex, 1> for MeanRows {
    type State = (Bags, Shape);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        let (bags, table) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, mean_rows::gradient(&slope, &bags, table));
        }
    }
}

#[derive(Debug)]
struct LayerNorm;

impl Backward<Flex, 4> for LayerNorm {
    type State = Normal;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        let [sum, gamma, beta] = layer_norm::gradients(slope, &ops.state);
        let found = [sum.clone(), sum, gamma, beta].map(Some);
        register(ops.parents.map(|parent| parent.map(|node| node.id)), found, grads);
    }
}

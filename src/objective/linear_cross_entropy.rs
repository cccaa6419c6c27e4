//! Classes predicted by a linear layer with so many of them that the logits of all rows would not
//! fit into memory.

use burn::prelude::*;
use burn::tensor::{DType, IndexingUpdateOp};
use derive_new::new;

use super::classification::{Indices, cross_entropy};
use crate::batch::IGNORED_LABEL;
use crate::kernels::carry_gradient;
use crate::numeric::accumulate;
use crate::reduction::{Reduced, Reduction, Terms};

/// The last layer of a language model: logits `z = W h + b`.
#[derive(Debug, Clone, new)]
pub struct OutputProjection {
    /// `W`, a row for each class, `[classes, hidden]`.
    pub weight: Tensor<2>,
    /// `b`, `[classes]`.
    pub bias: Option<Tensor<1>>,
}

impl OutputProjection {
    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.weight.dims()[0]
    }

    /// Logits of hidden states, `[n, hidden] → [n, classes]`, in the type of the states.
    pub fn logits(&self, states: Tensor<2>) -> Tensor<2> {
        let Self { weight, bias } = self.clone().cast(states.dtype());
        let logits = states.matmul(weight.transpose());
        match bias {
            Some(bias) => logits + bias.unsqueeze(),
            None => logits,
        }
    }

    fn cast(self, dtype: DType) -> Self {
        Self::new(self.weight.cast(dtype), self.bias.map(|bias| bias.cast(dtype)))
    }

    fn inner(self) -> Self {
        Self::new(self.weight.inner(), self.bias.map(Tensor::inner))
    }

    fn is_tracked(&self) -> bool {
        self.weight.is_tracked() || self.bias.as_ref().is_some_and(Tensor::is_tracked)
    }
}

/// Rows of hidden states with their labels.
#[derive(Debug, Clone)]
pub struct LabeledStates {
    states: Tensor<2>,
    labels: Tensor<1, Int>,
}

impl LabeledStates {
    /// Hidden states, `[n, hidden]`, with a class index or [`IGNORED_LABEL`] each, `[n]`.
    pub fn new(states: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        Self { states: accumulate(states), labels }
    }

    /// `size` rows at a time, in order; the last may be fewer.
    fn chunks(&self, size: usize) -> impl Iterator<Item = Self> + '_ {
        let [n, _] = self.states.dims();
        (0..n).step_by(size).map(move |start| {
            let rows = start..n.min(start + size);
            Self {
                states: self.states.clone().slice([rows.clone()]),
                labels: self.labels.clone().slice([rows]),
            }
        })
    }

    /// The number of labels that count, `[1]`.
    fn count(&self) -> Tensor<1> {
        let counts = self.labels.clone().not_equal_elem(IGNORED_LABEL);
        counts.float().cast(self.states.dtype()).sum()
    }
}

/// Cross-entropy `ln Σ_c exp(z_c) − z_y` of every row; rows with [`IGNORED_LABEL`] are 0 and do not
/// count.
///
/// # Numerical behavior
///
/// Without gradients, `[chunk_size, classes]` logits are in memory at a time; with gradients the
/// graph keeps them all.
///
/// # Panics
///
/// If `chunk_size` is 0.
pub fn linear_cross_entropy_terms(
    rows: LabeledStates,
    projection: OutputProjection,
    chunk_size: usize,
) -> Terms {
    let terms = |LabeledStates { states, labels }| {
        cross_entropy(projection.logits(states), labels.into(), 0.0).into_values()
    };
    Terms::new(Tensor::cat(rows.chunks(chunk_size).map(terms).collect(), 0), rows.count())
}

/// The reduced terms of [`linear_cross_entropy_terms`].
///
/// # Numerical behavior
///
/// Never more than `[chunk_size, classes]` logits are in memory, in the backward pass neither. The
/// derivative of cross-entropy is known, `∂ℓ/∂z = softmax(z) − y`, so each chunk gives value and
/// gradients at once and its logits are let go; what is kept are the gradients of the states,
/// `[n, hidden]`, and of the layer, `[classes, hidden]`.
///
/// # Panics
///
/// If `chunk_size` is 0.
pub fn linear_cross_entropy(
    rows: LabeledStates,
    projection: OutputProjection,
    chunk_size: usize,
    reduction: Reduction,
) -> Reduced {
    if !rows.states.is_tracked() && !projection.is_tracked() {
        return linear_cross_entropy_terms(rows, projection, chunk_size).reduce(reduction);
    }
    let projection = projection.cast(rows.states.dtype());
    let fixed = LabeledStates { states: rows.states.clone().inner(), labels: rows.labels.clone() };
    let layer = projection.clone().inner();

    let mut states = Vec::new();
    let mut total: Option<Totals> = None;
    for chunk in fixed.chunks(chunk_size) {
        let (gradient, totals) = value_and_gradients(chunk, &layer);
        states.push(gradient);
        total = Some(total.into_iter().fold(totals, Totals::plus));
    }
    let Totals { value, weight, bias } = total.expect("a batch has at least one row");

    let mut sum = value + carry_gradient(rows.states.clone(), Tensor::cat(states, 0));
    sum = sum + carry_gradient(projection.weight, weight);
    if let Some(b) = projection.bias {
        sum = sum + carry_gradient(b, bias);
    }
    Reduced::of_sum(sum, rows.count(), reduction)
}

/// The sum of the terms, `[1]`, and its gradients with respect to the layer.
struct Totals {
    value: Tensor<1>,
    weight: Tensor<2>,
    bias: Tensor<1>,
}

impl Totals {
    fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            weight: self.weight + other.weight,
            bias: self.bias + other.bias,
        }
    }
}

/// The gradient with respect to the states of a chunk, `[n, hidden]`, and the rest.
fn value_and_gradients(rows: LabeledStates, layer: &OutputProjection) -> (Tensor<2>, Totals) {
    let LabeledStates { states, labels } = rows;
    let indices = Indices::new(labels, layer.classes());
    let logits = layer.logits(states.clone());
    let shifted = logits.clone() - logits.max_dim(1);
    let exponentials = shifted.clone().exp();
    let total = exponentials.clone().sum_dim(1);

    // ln Σ exp(z) − z_y
    let terms = total.clone().log() - shifted.gather(1, indices.class.clone());
    let value = indices.mask(terms.clone()).sum();
    // softmax(z) − y, and 0 in rows that do not count
    let target = terms.ones_like().neg();
    let slope = (exponentials / total).scatter(1, indices.class, target, IndexingUpdateOp::Add);
    let slope = slope * indices.counts.float().cast(states.dtype());

    let gradient = slope.clone().matmul(layer.weight.clone());
    let bias = slope.clone().sum_dim(0).squeeze_dim(0);
    (gradient, Totals { value, weight: slope.transpose().matmul(states), bias })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(device: &Device, labels: [i64; 3]) -> LabeledStates {
        let states = Tensor::from_floats([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], device);
        LabeledStates::new(states, Tensor::from_ints(labels, device))
    }

    fn layer(device: &Device) -> OutputProjection {
        // Logits [0, 0], [0, ln 9], [0, ln 3]
        let weight = [[0.0, 0.0], [0.0, 3f32.ln()]];
        OutputProjection::new(Tensor::from_floats(weight, device).require_grad(), None)
    }

    #[test]
    fn a_class_costs_the_logarithm_of_its_probability() {
        let device = Device::flex().autodiff();
        for size in [1, 2, 3] {
            let rows = rows(&device, [0, 1, -100]);
            let mean = linear_cross_entropy(rows, layer(&device), size, Reduction::Mean);
            let mean = mean.into_value().into_scalar::<f32>();
            let expected = (2f32.ln() + (10f32 / 9.0).ln()) / 2.0;
            assert!((mean - expected).abs() < 1e-6, "{mean} is not {expected}");
        }
    }

    #[test]
    fn the_gradient_of_the_layer_is_what_is_predicted_beyond_the_target() {
        let device = Device::flex().autodiff();
        let layer = layer(&device);
        let rows = rows(&device, [-100, 1, 0]);
        let sum = linear_cross_entropy(rows, layer.clone(), 2, Reduction::Sum);
        let gradients = sum.into_value().backward();
        let gradient = layer.weight.grad(&gradients).unwrap();
        let gradient: Vec<f32> = gradient.try_into_vec_as().unwrap();
        // p − y is [0.1, −0.1] at [0, 2] and [−¾, ¾] at [1, 1].
        for (got, expected) in gradient.iter().zip([-0.75, -0.55, 0.75, 0.55]) {
            assert!((got - expected).abs() < 1e-6, "{gradient:?}");
        }
    }

    #[test]
    fn logits_too_large_for_an_exponential_are_not() {
        let device = Device::flex().autodiff();
        let states = Tensor::<2>::from_floats([[1e20, 0.0]], &device).require_grad();
        let labels = Tensor::<1, Int>::from_ints([0], &device);
        let weight = Tensor::from_floats([[1.0, 0.0], [-1.0, 0.0]], &device);
        let layer = OutputProjection::new(weight, None);
        let rows = LabeledStates::new(states.clone(), labels);
        let loss = linear_cross_entropy(rows, layer, 1, Reduction::Mean).into_value();
        let gradient = states.grad(&loss.backward()).unwrap();
        assert_eq!(loss.into_scalar::<f32>(), 0.0);
        assert_eq!(gradient.into_data().iter::<f32>().collect::<Vec<_>>(), [0.0, 0.0]);
    }
}

//! A loss by its Python name, run on the inputs of a case.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::{DType, Gradients};
use burn_embedding_losses::prelude::*;
use burn_embedding_losses::sentence_transformers::LossConfig;
use serde_json::Value;

use crate::case::Case;
use crate::labels::LabelTensors;
use crate::nested::Nested;

/// Loss and gradients of one run, as `f64`.
pub struct Answer {
    /// The loss.
    pub loss: f64,
    /// Its gradient with respect to each column; zeros where it does not depend on one.
    pub gradients: Vec<Vec<f64>>,
    /// Its gradient with respect to each weight of the loss, in PyTorch's layout.
    pub param_gradients: BTreeMap<String, Vec<f64>>,
}

/// The configuration that the case asks for.
///
/// # Errors
///
/// If the loss or an option of it does not exist, or a value is not valid.
pub fn configure(case: &Case) -> Result<LossConfig, String> {
    let mut options = case.config.clone();
    let sized = matches!(case.loss.as_str(), "SoftmaxLoss" | "MSELoss");
    if let (true, Value::Object(options), Some(column)) =
        (sized, &mut options, case.columns.first())
    {
        options.entry("embedding_dimension").or_insert_with(|| column.shape.last().copied().into());
    }
    LossConfig::from_python(&case.loss, options).map_err(|error| error.to_string())
}

/// A case's inputs on a device, as leaves of a graph.
pub struct Inputs<'a> {
    config: LossConfig,
    columns: Vec<Tensor<2>>,
    labels: LabelTensors<'a>,
    weights: Weights<'a>,
}

impl<'a> Inputs<'a> {
    /// Puts the inputs of the case on the device, with autodiff.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid or the columns are not matrices.
    pub fn new(case: &'a Case, device: &Device, dtype: DType) -> Result<Self, String> {
        let mut inputs = Self::constants(case, &device.clone().autodiff(), dtype)?;
        inputs.columns = inputs.columns.into_iter().map(Tensor::require_grad).collect();
        Ok(inputs)
    }

    /// Puts the inputs of the case on the device as it is; no gradient is wanted.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn constants(case: &'a Case, device: &Device, dtype: DType) -> Result<Self, String> {
        let columns = case.columns.iter().map(|column| column.tensor::<2>(device, dtype));
        Ok(Self {
            config: configure(case)?,
            columns: columns.collect::<Result<_, _>>()?,
            labels: LabelTensors::new(case.labels.as_ref(), device.clone(), dtype),
            weights: Weights { case, device: device.clone(), dtype },
        })
    }

    /// The loss, `[1]`.
    ///
    /// # Errors
    ///
    /// If columns, labels or weights do not fit the loss.
    pub fn loss(&self) -> Result<Tensor<1>, String> {
        Ok(self.evaluate(Output::Loss)?.0)
    }

    /// Forward and backward; the loss, `[1]`.
    ///
    /// # Errors
    ///
    /// If columns, labels or weights do not fit the loss.
    pub fn step(&self) -> Result<Tensor<1>, String> {
        let loss = self.loss()?;
        loss.backward();
        Ok(loss)
    }

    /// The terms of the loss before they are reduced.
    ///
    /// # Errors
    ///
    /// If columns, labels or weights do not fit the loss.
    pub fn terms(&self) -> Result<Tensor<1>, String> {
        Ok(self.evaluate(Output::Terms)?.0)
    }

    fn evaluate(&self, output: Output) -> Result<Evaluated, String> {
        let columns = self.columns.clone();
        evaluate(&self.config, columns, &self.labels, &self.weights, output)
    }
}

/// Runs the loss forward and backward on the case's inputs.
///
/// # Errors
///
/// If the configuration is not valid, or columns, labels or weights do not fit the loss.
pub fn run(case: &Case, device: &Device, dtype: DType) -> Result<Answer, String> {
    let inputs = Inputs::new(case, device, dtype)?;
    let (loss, layer) = inputs.evaluate(Output::Loss)?;
    let gradients = loss.backward();
    let of_column = |column: &Tensor<2>| match column.grad(&gradients) {
        Some(gradient) => numbers(gradient),
        None => vec![0.0; column.shape().num_elements()],
    };
    Ok(Answer {
        loss: numbers(loss)[0],
        gradients: inputs.columns.iter().map(of_column).collect(),
        param_gradients: layer.map_or_else(BTreeMap::new, |(name, layer)| {
            inputs.weights.gradients(name, &layer, &gradients)
        }),
    })
}

/// The loss, and the layer it owns with its name in PyTorch.
type Evaluated = (Tensor<1>, Option<(&'static str, Linear)>);

/// What is asked of a loss.
#[derive(Clone, Copy)]
enum Output {
    Loss,
    Terms,
}

fn evaluate(
    config: &LossConfig,
    columns: Vec<Tensor<2>>,
    labels: &LabelTensors,
    weights: &Weights,
    output: Output,
) -> Result<Evaluated, String> {
    macro_rules! ask {
        ($loss:expr, $batch:expr) => {
            match output {
                Output::Loss => $loss.forward($batch),
                Output::Terms => $loss.forward_no_reduction($batch),
            }
        };
    }
    let loss = match config {
        LossConfig::BatchAllTriplet(c) => ask!(c.init(), labeled(columns, labels)?),
        LossConfig::BatchHardSoftMarginTriplet(c) => ask!(c.init(), labeled(columns, labels)?),
        LossConfig::BatchHardTriplet(c) => ask!(c.init(), labeled(columns, labels)?),
        LossConfig::BatchSemiHardTriplet(c) => ask!(c.init(), labeled(columns, labels)?),
        LossConfig::Contrastive(c) => ask!(c.init(), pair(columns, labels)?),
        LossConfig::CosineSimilarity(c) => ask!(c.init(), pair(columns, labels)?),
        LossConfig::OnlineContrastive(c) => ask!(c.init(), pair(columns, labels)?),
        LossConfig::MegaBatchMargin(c) => ask!(c.init(), retrieval(columns)?),
        LossConfig::MultipleNegativesRanking(c) => ask!(c.init(), retrieval(columns)?),
        LossConfig::MarginMse(c) => {
            let candidates = retrieval(columns)?;
            let (query, positive) = (candidates.anchor, candidates.positive);
            let targets = labels.margins()?;
            let batch = MarginBatch::new(query, positive, candidates.negatives, targets);
            ask!(c.init(), batch)
        }
        LossConfig::Triplet(c) => {
            let [anchor, positive, negative] = exactly(columns)?;
            ask!(c.init(), (anchor, positive, negative))
        }
        LossConfig::Mse(c) => {
            let mut loss = c.init(&weights.device);
            loss.projection = match loss.projection {
                Some(_) => Some(weights.linear("projection")?),
                None => None,
            };
            let value = ask!(loss, (columns, labels.teacher()?));
            return Ok((value, loss.projection.map(|layer| ("projection", layer))));
        }
        LossConfig::Softmax(c) => {
            let mut loss = c.init(&weights.device);
            loss.classifier = weights.linear("classifier")?;
            let [left, right] = exactly(columns)?;
            let value = ask!(loss, (left, right, labels.class_targets()?));
            return Ok((value, Some(("classifier", loss.classifier))));
        }
    };
    Ok((loss, None))
}

fn exactly<const K: usize>(columns: Vec<Tensor<2>>) -> Result<[Tensor<2>; K], String> {
    let got = columns.len();
    columns.try_into().map_err(|_| format!("the loss takes {K} columns, the case has {got}"))
}

fn labeled(columns: Vec<Tensor<2>>, labels: &LabelTensors) -> Result<LabeledBatch, String> {
    let [embeddings] = exactly(columns)?;
    Ok(LabeledBatch::new(embeddings, labels.classes()?))
}

fn pair(columns: Vec<Tensor<2>>, labels: &LabelTensors) -> Result<PairBatch, String> {
    let [left, right] = exactly(columns)?;
    Ok(PairBatch::new(left, right, labels.numbers()?))
}

fn retrieval(mut columns: Vec<Tensor<2>>) -> Result<RetrievalBatch, String> {
    if columns.len() < 2 {
        return Err(format!("the loss takes 2 or more columns, the case has {}", columns.len()));
    }
    let negatives = columns.split_off(2);
    let [anchor, positive] = exactly(columns)?;
    Ok(RetrievalBatch::new(anchor, positive, negatives))
}

/// The weights of a case.
struct Weights<'a> {
    case: &'a Case,
    device: Device,
    dtype: DType,
}

impl Weights<'_> {
    /// The linear layer `name`; PyTorch keeps `[out, in]`, Burn `[in, out]`.
    fn linear(&self, name: &str) -> Result<Linear, String> {
        let weight = self.get(&format!("{name}.weight"))?.tensor::<2>(&self.device, self.dtype)?;
        let bias = self.get(&format!("{name}.bias"))?.tensor::<1>(&self.device, self.dtype)?;
        Ok(Linear {
            weight: Param::from_tensor(weight.transpose()),
            bias: Some(Param::from_tensor(bias)),
        })
    }

    fn get(&self, name: &str) -> Result<&Nested, String> {
        let found = self.case.params.as_ref().and_then(|params| params.get(name));
        found.ok_or_else(|| format!("the loss owns `{name}`, the case does not give it"))
    }

    fn gradients(&self, name: &str, layer: &Linear, all: &Gradients) -> BTreeMap<String, Vec<f64>> {
        let weight = layer.weight.val().grad(all).map(|g| numbers(g.transpose()));
        let bias = layer.bias.as_ref().and_then(|bias| bias.val().grad(all)).map(numbers);
        [("weight", weight), ("bias", bias)]
            .into_iter()
            .filter_map(|(part, gradient)| Some((format!("{name}.{part}"), gradient?)))
            .collect()
    }
}

/// All numbers of a tensor, widened.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

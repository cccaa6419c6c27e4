//! A loss by its Python name, run on the inputs of a case.

use std::collections::BTreeMap;

use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::prelude::*;
use burn_embedding_losses::sentence_transformers::LossConfig;
use serde_json::Value;

use crate::case::Case;
use crate::labels::LabelTensors;
use crate::layer::Layer;

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
pub struct Inputs {
    config: LossConfig,
    columns: Vec<Tensor<2>>,
    labels: Option<LabelTensors>,
    layer: Option<Layer>,
    device: Device,
}

impl Inputs {
    /// Puts the inputs of the case on the device, with autodiff.
    ///
    /// # Errors
    ///
    /// If the configuration is not valid, or the case lacks weights that the loss owns.
    pub fn new(case: &Case, device: &Device, dtype: DType) -> Result<Self, String> {
        let mut inputs = Self::constants(case, &device.clone().autodiff(), dtype)?;
        inputs.columns = inputs.columns.into_iter().map(Tensor::require_grad).collect();
        Ok(inputs)
    }

    /// Puts the inputs of the case on the device as it is; no gradient is wanted.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn constants(case: &Case, device: &Device, dtype: DType) -> Result<Self, String> {
        let config = configure(case)?;
        let columns = case.columns.iter().map(|column| column.tensor::<2>(device, dtype));
        let layer = match &config {
            LossConfig::Softmax(_) => Some("classifier"),
            LossConfig::Mse(mse) if mse.projection.is_some() => Some("projection"),
            _ => None,
        };
        let layer = layer.map(|name| Layer::new(name, case.params.as_ref(), device, dtype));
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            labels: case.labels.as_ref().map(|labels| LabelTensors::new(labels, device, dtype)),
            layer: layer.transpose()?,
            device: device.clone(),
            config,
        })
    }

    /// The embeddings, one tensor a column.
    pub fn columns(&self) -> &[Tensor<2>] {
        &self.columns
    }

    /// The loss, `[1]`.
    ///
    /// # Errors
    ///
    /// If columns or labels do not fit the loss.
    pub fn loss(&self) -> Result<Tensor<1>, String> {
        self.evaluate(Output::Loss)
    }

    /// Forward and backward; the loss, `[1]`.
    ///
    /// # Errors
    ///
    /// If columns or labels do not fit the loss.
    pub fn step(&self) -> Result<Tensor<1>, String> {
        let loss = self.loss()?;
        loss.backward();
        Ok(loss)
    }

    /// The terms of the loss before they are reduced.
    ///
    /// # Errors
    ///
    /// If columns or labels do not fit the loss.
    pub fn terms(&self) -> Result<Tensor<1>, String> {
        self.evaluate(Output::Terms)
    }

    fn evaluate(&self, output: Output) -> Result<Tensor<1>, String> {
        macro_rules! ask {
            ($loss:expr, $batch:expr) => {
                match output {
                    Output::Loss => $loss.forward($batch),
                    Output::Terms => $loss.forward_no_reduction($batch),
                }
            };
        }
        Ok(match &self.config {
            LossConfig::BatchAllTriplet(c) => ask!(c.init(), self.labeled()?),
            LossConfig::BatchHardSoftMarginTriplet(c) => ask!(c.init(), self.labeled()?),
            LossConfig::BatchHardTriplet(c) => ask!(c.init(), self.labeled()?),
            LossConfig::BatchSemiHardTriplet(c) => ask!(c.init(), self.labeled()?),
            LossConfig::Contrastive(c) => ask!(c.init(), self.pair()?),
            LossConfig::CosineSimilarity(c) => ask!(c.init(), self.pair()?),
            LossConfig::OnlineContrastive(c) => ask!(c.init(), self.pair()?),
            LossConfig::MegaBatchMargin(c) => ask!(c.init(), self.retrieval()?),
            LossConfig::MultipleNegativesRanking(c) => ask!(c.init(), self.retrieval()?),
            LossConfig::MarginMse(c) => ask!(c.init(), self.margin()?),
            LossConfig::Triplet(c) => {
                let [anchor, positive, negative] = self.exactly()?;
                ask!(c.init(), (anchor, positive, negative))
            }
            LossConfig::Mse(c) => {
                let mut loss = c.init(&self.device);
                loss.projection = self.layer.as_ref().map(|layer| layer.linear.clone());
                ask!(loss, (self.columns.clone(), self.labels()?.teacher()?))
            }
            LossConfig::Softmax(c) => {
                let mut loss = c.init(&self.device);
                loss.classifier = self.layer.as_ref().expect("made by new").linear.clone();
                let [left, right] = self.exactly()?;
                ask!(loss, (left, right, self.labels()?.class_targets()?))
            }
        })
    }

    fn labels(&self) -> Result<LabelTensors, String> {
        self.labels.clone().ok_or_else(|| "the loss needs labels, the case has none".into())
    }

    fn exactly<const K: usize>(&self) -> Result<[Tensor<2>; K], String> {
        let got = self.columns.len();
        let columns = self.columns.clone().try_into();
        columns.map_err(|_| format!("the loss takes {K} columns, the case has {got}"))
    }

    fn labeled(&self) -> Result<LabeledBatch, String> {
        let [embeddings] = self.exactly()?;
        Ok(LabeledBatch::new(embeddings, self.labels()?.classes()))
    }

    fn pair(&self) -> Result<PairBatch, String> {
        let [left, right] = self.exactly()?;
        Ok(PairBatch::new(left, right, self.labels()?.numbers()))
    }

    fn retrieval(&self) -> Result<RetrievalBatch, String> {
        let [anchor, positive, negatives @ ..] = self.columns.as_slice() else {
            let got = self.columns.len();
            return Err(format!("the loss takes 2 or more columns, the case has {got}"));
        };
        Ok(RetrievalBatch::new(anchor.clone(), positive.clone(), negatives.to_vec()))
    }

    fn margin(&self) -> Result<MarginBatch, String> {
        let RetrievalBatch { anchor, positive, negatives, .. } = self.retrieval()?;
        Ok(MarginBatch::new(anchor, positive, negatives, self.labels()?.margins()?))
    }
}

/// What is asked of a loss.
#[derive(Clone, Copy)]
enum Output {
    Loss,
    Terms,
}

/// Runs the loss forward and backward on the case's inputs.
///
/// # Errors
///
/// If the configuration is not valid, or columns, labels or weights do not fit the loss.
pub fn run(case: &Case, device: &Device, dtype: DType) -> Result<Answer, String> {
    let inputs = Inputs::new(case, device, dtype)?;
    let loss = inputs.loss()?;
    let gradients = loss.backward();
    let of_column = |column: &Tensor<2>| match column.grad(&gradients) {
        Some(gradient) => numbers(gradient),
        None => vec![0.0; column.shape().num_elements()],
    };
    let of_layer = inputs.layer.as_ref().map(|layer| layer.gradients(&gradients));
    Ok(Answer {
        loss: numbers(loss)[0],
        gradients: inputs.columns.iter().map(of_column).collect(),
        param_gradients: of_layer.unwrap_or_default(),
    })
}

/// All numbers of a tensor, widened.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

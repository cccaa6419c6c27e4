//! A loss by its Python name, run on the inputs of a case.

use std::collections::BTreeMap;

use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::{Reconstruction, TokenEmbeddings};
use burn_embedding_losses::catalog::{AnyBatch, AnyLoss, LossConfig, Targets, TrainingLoss};

use crate::case::Case;
use crate::nested::Nested;
use crate::options;
use crate::targets::targets;
use crate::weights;

/// Loss and gradients of one run, as `f64`.
pub struct Answer {
    /// The loss.
    pub loss: f64,
    /// Its gradient with respect to each column; zeros where it does not depend on one.
    pub gradients: Vec<Vec<f64>>,
    /// Its gradient with respect to each weight of the loss, in PyTorch's layout.
    pub param_gradients: BTreeMap<String, Vec<f64>>,
    /// The named parts of a loss that has some.
    pub parts: BTreeMap<String, f64>,
}

/// The configuration that the case asks for.
///
/// # Errors
///
/// If the loss or an option of it does not exist, or a value is not valid.
pub fn configure(case: &Case) -> Result<LossConfig, String> {
    let width = case.columns.first().and_then(|column| column.shape.last().copied());
    let options = options::complete(case, width.unwrap_or(0));
    let config = LossConfig::from_python(&case.loss, options).map_err(|error| error.to_string())?;
    match config.entry().needs_decoder() {
        true => Err(format!("{} needs a decoder, which a case does not give", case.loss)),
        false => Ok(config),
    }
}

/// A case's inputs on a device, as leaves of a graph.
pub struct Inputs {
    loss: AnyLoss,
    columns: Vec<Tensor<2>>,
    layers: usize,
    reconstructions: Vec<bool>,
    /// Where there is a token, for each column of tokens.
    masks: Option<Vec<Tensor<2, Bool>>>,
    targets: Targets,
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
        let loss = weights::set(config.init(device), case.params.as_ref(), device, dtype)?;
        let dims = case.sampled_dims.as_deref().unwrap_or_default();
        loss.take_next(case.sampled_layers.as_deref(), dims);
        let mask = |masks: &Vec<Nested>| masks.iter().map(|mask| mask.mask(device)).collect();
        Ok(Self {
            masks: case.masks.as_ref().map(mask).transpose()?,
            columns: columns.collect::<Result<_, _>>()?,
            layers: case.layers,
            reconstructions: case.reconstructions.clone(),
            targets: targets(case, config.takes(), device, dtype)?,
            loss,
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
        Ok(self.loss.forward(self.batch()?))
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

    /// The terms of the loss before they are reduced; `None` if it is one number for the whole
    /// batch.
    ///
    /// # Errors
    ///
    /// If columns or labels do not fit the loss.
    pub fn terms(&self) -> Result<Option<Tensor<1>>, String> {
        Ok(self.loss.forward_no_reduction(self.batch()?))
    }

    /// The named parts of the loss, if it has some.
    ///
    /// # Errors
    ///
    /// If columns or labels do not fit the loss.
    pub fn parts(&self) -> Result<BTreeMap<String, f64>, String> {
        let parts = self.loss.parts(self.batch()?).unwrap_or_default();
        Ok(parts.iter().map(|(name, value)| (name.into(), numbers(value.clone())[0])).collect())
    }

    fn batch(&self) -> Result<AnyBatch, String> {
        let (mut columns, targets) = (self.columns.clone(), self.targets.clone());
        if let Some(masks) = &self.masks {
            let columns = columns.into_iter().zip(masks).map(tokens).collect();
            return self.loss.token_batch(columns, targets).map_err(|error| error.to_string());
        }
        let batch = match self.layers {
            0 if self.reconstructions.is_empty() => self.loss.batch(columns, targets),
            0 => {
                let reconstructions = self.reconstructions(&mut columns);
                self.loss.reconstructed(columns, targets, reconstructions)
            }
            count => {
                let layers = columns.chunks(columns.len() / count).map(<[_]>::to_vec);
                self.loss.layered(layers.collect(), targets)
            }
        };
        batch.map_err(|error| error.to_string())
    }

    /// Takes the matrices of an auto-encoder from the end of the columns.
    fn reconstructions(&self, columns: &mut Vec<Tensor<2>>) -> Vec<Reconstruction> {
        let of_column = |&has_aux: &bool| {
            let aux = has_aux.then(|| columns.pop().expect("a matrix"));
            let mut last = || columns.pop().expect("a matrix");
            Reconstruction {
                decoded_embedding_aux: aux,
                decoded_embedding_k_pre_bias: last(),
                decoded_embedding_4k: last(),
                decoded_embedding_k: last(),
                sentence_embedding_backbone: last(),
            }
        };
        let mut found: Vec<_> = self.reconstructions.iter().rev().map(of_column).collect();
        found.reverse();
        found
    }
}

/// Rows `[n, tokens · dim]` as token embeddings.
fn tokens((rows, mask): (Tensor<2>, &Tensor<2, Bool>)) -> TokenEmbeddings {
    let ([n, width], [_, tokens]) = (rows.dims(), mask.dims());
    TokenEmbeddings::new(rows.reshape([n, tokens, width / tokens]), mask.clone())
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
    Ok(Answer {
        loss: numbers(loss)[0],
        gradients: inputs.columns.iter().map(of_column).collect(),
        param_gradients: weights::gradients(&inputs.loss, &gradients),
        parts: inputs.parts()?,
    })
}

/// All numbers of a tensor, widened.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

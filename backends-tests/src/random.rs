//! Batches of random unit rows for any loss.

use burn_embedding_losses::sentence_transformers::LossConfig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::case::{Case, Expected, LabelType, Labels, ReferenceError};
use crate::nested::Nested;
use crate::subject::configure;

/// A case of the loss with the given options on random unit rows; row i has class i modulo
/// `classes`. It expects nothing.
///
/// # Errors
///
/// If there is no such loss or option.
pub fn random_case(
    loss: &str,
    options: Value,
    batch: usize,
    dim: usize,
    classes: usize,
    seed: u64,
) -> Result<Case, String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut case = Case {
        id: format!("{loss} {options}"),
        loss: loss.into(),
        config: options,
        params: None,
        columns: vec![unit_rows(batch, dim, &mut rng)],
        labels: None,
        expected: Expected { loss: 0.0, gradients: Vec::new(), param_gradients: None },
        reference_f32: ReferenceError { loss_error: 0.0, gradient_error: 0.0 },
    };
    if let ("SoftmaxLoss", Value::Object(options)) = (loss, &mut case.config) {
        options.entry("num_labels").or_insert(classes.into());
    }
    let config = configure(&case)?;
    case.columns.extend((1..columns(&config)).map(|_| unit_rows(batch, dim, &mut rng)));
    case.labels = Some(labels(&config, batch, dim, classes, &mut rng));
    case.params = layer(&config, dim).map(|(name, inputs, outputs)| {
        let weight = unit_rows(outputs, inputs, &mut rng);
        let bias = Nested { shape: vec![outputs], data: vec![0.25; outputs] };
        [(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)].into()
    });
    Ok(case)
}

fn columns(config: &LossConfig) -> usize {
    match config {
        LossConfig::MarginMse(_) | LossConfig::Triplet(_) => 3,
        LossConfig::MultipleNegativesRanking(ranking) => {
            2 + usize::from(ranking.hardness_mode.is_some())
        }
        LossConfig::Contrastive(_)
        | LossConfig::CosineSimilarity(_)
        | LossConfig::MegaBatchMargin(_)
        | LossConfig::OnlineContrastive(_)
        | LossConfig::Softmax(_) => 2,
        _ => 1,
    }
}

/// The linear layer that a loss owns: name, inputs, outputs.
fn layer(config: &LossConfig, dim: usize) -> Option<(&'static str, usize, usize)> {
    match config {
        LossConfig::Softmax(softmax) => {
            let parts = 2 * usize::from(softmax.concatenation_sent_rep)
                + usize::from(softmax.concatenation_sent_difference)
                + usize::from(softmax.concatenation_sent_multiplication);
            Some(("classifier", parts * dim, softmax.num_labels))
        }
        LossConfig::Mse(mse) => {
            mse.projection.as_ref().map(|p| ("projection", dim, p.target_dimension))
        }
        _ => None,
    }
}

fn labels(
    config: &LossConfig,
    batch: usize,
    dim: usize,
    classes: usize,
    rng: &mut StdRng,
) -> Labels {
    let per_row = |f: &dyn Fn(usize) -> usize| Nested {
        shape: vec![batch],
        data: (0..batch).map(|row| f(row) as f64).collect(),
    };
    match config {
        LossConfig::Mse(mse) => {
            let dim = mse.projection.as_ref().map_or(dim, |p| p.target_dimension);
            Labels { dtype: LabelType::Float, data: unit_rows(batch, dim, rng) }
        }
        LossConfig::Contrastive(_)
        | LossConfig::OnlineContrastive(_)
        | LossConfig::CosineSimilarity(_)
        | LossConfig::MarginMse(_) => {
            Labels { dtype: LabelType::Float, data: per_row(&|row| row % 2) }
        }
        _ => Labels { dtype: LabelType::Int, data: per_row(&|row| row % classes) },
    }
}

/// Random directions, uniform up to the corners of a cube, as `f32` values.
pub fn unit_rows(rows: usize, dim: usize, rng: &mut StdRng) -> Nested {
    let mut data: Vec<f64> = (0..rows * dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    for row in data.chunks_mut(dim) {
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
    Nested { shape: vec![rows, dim], data }.rounded_to_f32()
}

//! Batches of random unit rows for any loss.

use std::collections::BTreeMap;

use burn::prelude::*;
use burn_embedding_losses::catalog::{AnyLoss, BatchKind, Entry, TrainingLoss};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::case::{Case, LabelType, Labels};
use crate::nested::Nested;
use crate::subject::configure;
use crate::weights;

/// The layers of an encoder.
const LAYERS: usize = 3;

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
    let entry = Entry::of(loss).map_err(|error| error.to_string())?;
    // A reranker gives one score a pair, or one for a positive and some negatives.
    let dim = match entry.takes {
        BatchKind::Logits => 1,
        BatchKind::ScoredCandidates => dim.max(2),
        _ => dim,
    };
    let mut case = Case::new(format!("{loss} {options}"), loss, options);
    case.columns.push(unit_rows(batch, dim, &mut rng));
    if let (BatchKind::ClassifiedPairs, Value::Object(options)) = (entry.takes, &mut case.config) {
        options.entry("num_labels").or_insert(classes.into());
    }
    let config = configure(&case)?;
    let columns = config.takes().columns();
    // Losses of layers have a batch for each of them.
    case.layers = if config.init(&Device::flex()).takes_layers() { LAYERS } else { 0 };
    // Options for hard negatives need a column of them.
    let negatives = usize::from(case.config["hardness_mode"].is_string());
    let more = 1..(columns.start() + negatives) * case.layers.max(1);
    case.columns.extend(more.map(|_| unit_rows(batch, dim, &mut rng)));
    if entry.takes.takes_tokens() {
        give_tokens(&mut case, &mut rng);
    }
    if config.takes() == BatchKind::GuidedRankings {
        let columns = case.columns.len() / case.layers.max(1);
        let guide = (0..columns).map(|_| unit_rows(batch, dim + 1, &mut rng));
        case.guide_columns = Some(guide.collect());
    }
    case.labels = labels(config.takes(), &case, classes, &mut rng);
    if entry.takes == BatchKind::Lists {
        case.lengths = Some((0..batch).map(|list| dim - list % dim.min(3)).collect());
    }
    let loss = config.init(&Device::flex());
    if loss.takes_reconstructions() {
        add_reconstructions(&mut case, batch, dim, &mut rng);
    }
    case.params = params(&loss, &mut rng);
    Ok(case)
}

/// Adds what an auto-encoder decoded for each column of latents; a loss that takes no latents has two columns.
fn add_reconstructions(case: &mut Case, batch: usize, dim: usize, rng: &mut StdRng) {
    if Entry::of(&case.loss).is_ok_and(|entry| entry.takes == BatchKind::Reconstructions) {
        case.columns.clear();
    }
    case.reconstructions = vec![true; case.columns.len().max(2)];
    let matrices = case.matrix_count();
    case.columns.extend((0..matrices).map(|_| unit_rows(batch, dim, rng)));
}

/// Texts of up to a few tokens in place of rows, with holes, and at least one token each.
fn give_tokens(case: &mut Case, rng: &mut StdRng) {
    let mut masks = Vec::new();
    for (index, column) in case.columns.iter_mut().enumerate() {
        let (tokens, [rows, dim]) = (2 + index, [column.shape[0], column.shape[1]]);
        *column = unit_rows(rows * tokens, dim, rng);
        column.shape = vec![rows, tokens * dim];
        let places = 0..rows * tokens;
        let mut mask: Vec<f64> = places.map(|_| f64::from(rng.random_bool(0.8))).collect();
        mask.chunks_mut(tokens).for_each(|text| text[rng.random_range(0..tokens)] = 1.0);
        masks.push(Nested { shape: vec![rows, tokens], data: mask });
    }
    case.masks = Some(masks);
}

/// Random weights for a loss that owns some.
fn params(loss: &AnyLoss, rng: &mut StdRng) -> Option<BTreeMap<String, Nested>> {
    let shapes = weights::shapes(loss);
    let random = |(name, shape): (String, Vec<usize>)| {
        let weight = match shape.as_slice() {
            &[outputs, inputs] => unit_rows(outputs, inputs, rng),
            _ => Nested { data: vec![0.25; shape.iter().product()], shape },
        };
        (name, weight)
    };
    (!shapes.is_empty()).then(|| shapes.into_iter().map(random).collect())
}

fn labels(kind: BatchKind, case: &Case, classes: usize, rng: &mut StdRng) -> Option<Labels> {
    let [batch, dim] = case.columns[0].shape[..] else { return None };
    let per_row = |dtype, modulus: usize| {
        let data = (0..batch).map(|row| (row % modulus) as f64).collect();
        Some(Labels { dtype, data: Nested { shape: vec![batch], data } })
    };
    match kind {
        BatchKind::TeacherEmbeddings => {
            let dim = case.config["projection_dim"].as_u64().map_or(dim, |dim| dim as usize);
            Some(Labels { dtype: LabelType::Float, data: unit_rows(batch, dim, rng) })
        }
        BatchKind::TeacherScores | BatchKind::TokenTeacherScores => {
            let scores = unit_rows(batch, case.columns.len() - 1, rng);
            Some(Labels { dtype: LabelType::Float, data: scores })
        }
        BatchKind::BinaryPairs
        | BatchKind::ScoredPairs
        | BatchKind::ScoredTuples
        | BatchKind::TwoEncoderPairs
        | BatchKind::ScoredRankings
        | BatchKind::ScoredTokenRankings
        | BatchKind::Logits => per_row(LabelType::Float, 2),
        BatchKind::LabeledRows | BatchKind::ClassifiedPairs => per_row(LabelType::Int, classes),
        BatchKind::ClassLogits => per_row(LabelType::Int, classes.min(dim)),
        BatchKind::ScoredCandidates => {
            Some(Labels { dtype: LabelType::Float, data: unit_rows(batch, dim, rng) })
        }
        // A few grades, with equal ones in a list.
        BatchKind::Lists => {
            let data = (0..batch * dim).map(|_| f64::from(rng.random_range(0..4u8))).collect();
            Some(Labels { dtype: LabelType::Float, data: Nested { shape: vec![batch, dim], data } })
        }
        _ => None,
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

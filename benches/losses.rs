//! Forward and backward of every loss of the catalog on unit rows of dimension 384, by batch size.
//!
//! ```sh
//! cargo bench --bench losses --features flex
//! ```

use burn::prelude::*;
use burn::tensor::Distribution;
use burn_embedding_losses::batch::{Reconstruction, TokenEmbeddings};
use burn_embedding_losses::catalog::{BatchKind, LossConfig, Targets, TrainingLoss};
use burn_embedding_losses::numeric::UnitRows;
use divan::Bencher;
use serde_json::json;

const BATCHES: [usize; 3] = [64, 256, 1024];
const DIM: usize = 384;
/// Documents of a reranker's list.
const LIST: usize = 32;
/// Tokens of a text, which share its dimensions.
const TOKENS: usize = 12;

fn main() {
    divan::main();
}

/// Every loss that can be built without a decoder.
fn names() -> Vec<&'static str> {
    let entries = LossConfig::ENTRIES.into_iter().filter(|entry| !entry.needs_decoder());
    entries.map(|entry| entry.name).collect()
}

/// The width of what a loss takes: of an embedding, or the number of logits of a row.
fn width(kind: BatchKind) -> usize {
    match kind {
        BatchKind::Logits => 1,
        BatchKind::ClassLogits => 3,
        BatchKind::ScoredCandidates => 2,
        BatchKind::Candidates | BatchKind::Lists => LIST,
        _ => DIM,
    }
}

fn rows(n: usize, width: usize) -> Tensor<2> {
    let device = Device::flex().autodiff();
    let rows = Tensor::random([n, width], Distribution::Normal(0.0, 1.0), &device);
    UnitRows::new(rows).rows.require_grad()
}

fn tokens(rows: Tensor<2>) -> TokenEmbeddings {
    let [n, width] = rows.dims();
    TokenEmbeddings::unmasked(rows.reshape([n, TOKENS, width / TOKENS]))
}

/// Row i has number i modulo `count`.
fn numbers(n: usize, count: usize) -> Tensor<1, Int> {
    let device = Device::flex().autodiff();
    Tensor::arange(0..n as i64, &device).remainder_scalar(count as i64)
}

fn targets(kind: BatchKind, n: usize) -> Targets {
    match kind {
        BatchKind::ClassLogits => Targets::Classes(numbers(n, 3)),
        BatchKind::Lists => Targets::Lists {
            labels: numbers(n, 4).float().unsqueeze_dim::<2>(1).repeat_dim(1, LIST),
            lengths: vec![LIST; n],
        },
        BatchKind::LabeledRows => Targets::Classes(numbers(n, n / 4)),
        BatchKind::ClassifiedPairs => Targets::Classes(numbers(n, 3)),
        BatchKind::BinaryPairs
        | BatchKind::ScoredPairs
        | BatchKind::ScoredTuples
        | BatchKind::TwoEncoderPairs
        | BatchKind::ScoredRankings
        | BatchKind::ScoredTokenRankings
        | BatchKind::Logits
        | BatchKind::ScoredCandidates => Targets::Numbers(numbers(n, 2).float()),
        // Of the two documents that a query has in these benches.
        BatchKind::TeacherScores | BatchKind::TokenTeacherScores => {
            Targets::Matrix(rows(n, 2).inner())
        }
        BatchKind::TeacherEmbeddings => Targets::Matrix(rows(n, DIM).inner()),
        BatchKind::GuidedRankings => Targets::Guide(vec![rows(n, DIM).inner(); 2]),
        _ => Targets::None,
    }
}

/// What an auto-encoder decoded for a column of texts.
fn reconstruction(n: usize) -> Reconstruction {
    Reconstruction {
        sentence_embedding_backbone: rows(n, DIM),
        decoded_embedding_k: rows(n, DIM),
        decoded_embedding_4k: rows(n, DIM),
        decoded_embedding_aux: Some(rows(n, DIM)),
        decoded_embedding_k_pre_bias: rows(n, DIM).inner(),
    }
}

/// One training step's share of the loss; the device has finished when it returns.
#[divan::bench(args = names(), consts = BATCHES)]
fn loss<const ROWS: usize>(bencher: Bencher, name: &str) {
    let inner = "MultipleNegativesRankingLoss";
    let options = match name {
        "AdaptiveLayerLoss" => json!({"loss": inner}),
        "Matryoshka2dLoss" => json!({"loss": inner, "dims": [DIM, DIM / 2]}),
        "MatryoshkaLoss" => {
            json!({"loss": inner, "dims": [DIM, DIM / 2, DIM / 3, DIM / 6]})
        }
        "sparse_encoder.SpladeLoss" => json!({"loss": inner, "document_regularizer_weight": 0.1}),
        "SoftmaxLoss" => json!({"embedding_dimension": DIM, "num_labels": 3}),
        _ => json!({}),
    };
    let config = LossConfig::from_python(name, options).expect("options that exist");
    let loss = config.init(&Device::flex().autodiff());
    let width = width(config.takes());
    let columns = || -> Vec<_> {
        (0..*config.takes().columns().start()).map(|_| rows(ROWS, width)).collect()
    };
    let targets = targets(config.takes(), ROWS);
    let tokens_of = |columns: Vec<_>| columns.into_iter().map(tokens).collect();
    let batch = match config.takes().takes_tokens() {
        true => loss.token_batch(tokens_of(columns()), targets),
        false if loss.takes_layers() => loss.layered(vec![columns(), columns()], targets),
        false if loss.takes_reconstructions() => {
            loss.reconstructed(columns(), targets, vec![reconstruction(ROWS); 2])
        }
        _ => loss.batch(columns(), targets),
    };
    let batch = batch.expect("a batch for the loss");
    let device = Device::flex();
    bencher.bench_local(|| {
        let gradients = loss.forward(batch.clone()).backward();
        device.sync().expect("the device works");
        gradients
    });
}

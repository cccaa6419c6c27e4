//! The command line.

use std::path::PathBuf;

use burn_embedding_losses::sentence_transformers::LossConfig;
use clap::{Parser, Subcommand};

use crate::data::{Format, ScoreRange};
use crate::train::Schedule;

/// Train a sentence encoder with a loss of sentence-transformers, and show that it got better.
///
/// With no arguments: a small encoder from scratch, on a built-in set of English sentences, with
/// MultipleNegativesRankingLoss, evaluated before and after on sentences it has not seen, and
/// saved to ./finetuned-encoder.
#[derive(Debug, Clone, Parser)]
#[command(name = "finetune", version, after_long_help = after_long_help())]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What else to do than to train.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What to train, and how.
    #[command(flatten)]
    pub training: Args,
}

/// What the program does beside training.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Turn the lines of a file into embeddings, with a model of sentence-transformers
    Encode(EncodeArgs),
}

/// How to encode.
#[derive(Debug, Clone, clap::Args)]
pub struct EncodeArgs {
    /// Texts in UTF-8, one a line
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Directory of a sentence-transformers model (BERT, RoBERTa, XLM-RoBERTa or MPNet)
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,

    /// File for the embeddings, .npy or .jsonl; lines of JSON on stdout if left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Texts that are encoded at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub batch_size: usize,

    /// Name of a prompt of the model; its default prompt, if it has one, if left out
    #[arg(long, value_name = "NAME")]
    pub prompt: Option<String>,

    /// Where to compute, as for training
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,
}

/// How to train.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model of sentence-transformers to start from; a small encoder from scratch if left out
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,

    /// Training data; the built-in corpus if left out
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,

    /// Format of --data, if not by its extension (.csv, .tsv, .txt for TREC, .jsonl)
    #[arg(long, value_name = "FORMAT", requires = "data")]
    pub format: Option<Format>,

    /// Evaluation data; if left out, a tenth of the rows of --data is held out for it
    #[arg(long, value_name = "FILE", requires = "data")]
    pub eval: Option<PathBuf>,

    /// Format of --eval, if not by its extension
    #[arg(long, value_name = "FORMAT", requires = "eval")]
    pub eval_format: Option<Format>,

    /// Lowest and highest similarity score in the files [default: csv 0..5, tsv 1..5, jsonl 0..1]
    #[arg(long, value_name = "LOW..HIGH")]
    pub score_range: Option<ScoreRange>,

    /// Train on at most this many rows, drawn with the seed
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_rows: Option<usize>,

    /// The loss, by its Python name (see the list below)
    #[arg(long, value_name = "NAME", default_value = "MultipleNegativesRankingLoss")]
    pub loss: String,

    /// The loss's options as JSON, by their Python names, such as '{"margin": 0.3}'
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub loss_config: String,

    /// Passes over the training data [default: 10, with --model 3]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub epochs: Option<usize>,

    /// Stop after this many training steps, even within the first epoch
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<usize>,

    /// Examples in a training step
    #[arg(long, value_name = "N", default_value = "32", value_parser = at_least_two)]
    pub batch_size: usize,

    /// Peak learning rate: reached after a tenth of the steps, then falling to zero
    /// [default: 0.001, with --model 0.00002]
    #[arg(long, value_name = "RATE", value_parser = learning_rate)]
    pub learning_rate: Option<f64>,

    /// Probability to leave a word out of a text while training, against learning by heart
    /// [default: 0.2, with --model 0]
    #[arg(long, value_name = "SHARE", value_parser = word_dropout)]
    pub word_dropout: Option<f64>,

    /// Seed of the parameters, the batches and the held-out rows: the same seed, the same numbers
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,

    /// Where to compute: flex, ndarray, libtorch, wgpu, vulkan, metal, webgpu, cuda or rocm, as far
    /// as compiled in; a GPU also by its index, as cuda:1
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,

    /// Directory for the trained encoder; with --model it opens in sentence-transformers
    #[arg(long, value_name = "DIR", default_value = "finetuned-encoder")]
    pub out: PathBuf,

    /// Replace the encoder that an earlier run left in --out
    #[arg(long)]
    pub force: bool,
}

impl Args {
    /// How long and how fast to train: a model that knows much already is changed with more care.
    pub fn schedule(&self) -> Schedule {
        let (epochs, learning_rate, word_dropout) = match self.model {
            None => (10, 1e-3, 0.2),
            Some(_) => (3, 2e-5, 0.0),
        };
        Schedule {
            epochs: self.epochs.unwrap_or(epochs),
            steps: self.steps,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate.unwrap_or(learning_rate),
            word_dropout: self.word_dropout.unwrap_or(word_dropout),
            seed: self.seed,
        }
    }
}

fn after_long_help() -> String {
    let losses = LossConfig::NAMES.join("\n  ");
    format!(
        "\
Losses:
  {losses}

Data (--data, --eval):
  csv    sentence, sentence, similarity 0..5              as STS-B
  tsv    sentence_A, sentence_B, relatedness_score,       as SICK; columns found by the
         entailment_judgment                              header line
  trec   a class 0..5, a space, a question                as TREC
  jsonl  one object a line, with the columns
         sentence1, sentence2, score or label             score 0..1; label: a class
         anchor, positive, [negative, [label]]            label: the margin for MarginMSELoss
         text, label                                      a class, or a teacher's embedding

Evaluation, by cosine: Spearman's rank correlation with the scores of pairs; the average precision
of telling pairs that belong together (a score of at least 4 of 5, entailment, 1) from others (at
most 1 of 5, contradiction, 0); the share of triplets whose anchor is closer to the positive; the
share of labelled texts whose nearest other text has their label. Numbers go to stdout, progress to
stderr. A run that cannot be done says why, ends with status 2 and writes nothing.

Examples:
  finetune
  finetune --loss TripletLoss --loss-config '{{\"triplet_margin\": 1.0}}' --out triplets
  finetune --data train.csv --eval dev.csv --loss CosineSimilarityLoss --epochs 4
  finetune --model all-MiniLM-L6-v2 --data train.csv --loss CosineSimilarityLoss
  finetune encode --model all-MiniLM-L6-v2 sentences.txt --out embeddings.npy"
    )
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number above zero".to_string()),
        Ok(number) => Ok(number),
    }
}

fn at_least_two(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0 | 1) | Err(_) => Err("expected a whole number of at least 2".to_string()),
        Ok(number) => Ok(number),
    }
}

fn learning_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "expected a number".to_string())?;
    if rate.is_finite() && rate > 0.0 {
        Ok(rate)
    } else {
        Err("expected a number above zero".to_string())
    }
}

fn word_dropout(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to below 1".to_string()),
    }
}

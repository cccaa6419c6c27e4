//! The command line.

mod commands;
mod help;
mod values;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use burn_embedding_models::directory::{Directory, ModuleKind, Modules, Route};
use burn_embedding_models::{LoraConfig, OpenOptions, PoolingMode};
use clap::{Parser, Subcommand};

pub use self::commands::{
    DataArgs, EncodeArgs, FilesArgs, InspectArgs, MineArgs, RankArgs, RuleArgs, Sampling,
    ScoreArgs, ScorerArgs, Shape,
};
use self::help::after_long_help;
pub(crate) use self::values::above_zero;
use self::values::{
    at_least_two, below_one, dimension, epochs, not_negative, positive, share, workers,
};
use crate::data::Format;
use crate::data::repeats::Repeats;
use crate::run::lora;
use crate::run::routes::RouteRate;
use crate::run::schedule::Schedule;

/// Train a sentence encoder with a loss of sentence-transformers, and show that it got better.
///
/// Without arguments it trains a small encoder from scratch on a built-in set of English sentences with
/// MultipleNegativesRankingLoss, evaluates it before and after on sentences it has not seen, and
/// saves it to ./finetuned-encoder.
#[derive(Debug, Clone, Parser)]
#[command(name = "finetune", version, after_long_help = after_long_help())]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// A command other than training.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Options of training.
    #[command(flatten)]
    pub training: Args,
}

/// Commands other than training.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Turn the lines of a file into embeddings, with a model of sentence-transformers
    Encode(EncodeArgs),
    /// Show the rows, classes and scale of a data file, and the losses that it fits
    Inspect(InspectArgs),
    /// Find hard negatives: documents that are similar to a query and do not belong to it
    Mine(Box<MineArgs>),
    /// Put the lines of a file into an order for a query, with a CrossEncoder of sentence-transformers
    Rank(RankArgs),
    /// Score the pairs of a data file, with a CrossEncoder of sentence-transformers
    Score(ScoreArgs),
}

/// What a model is trained for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// Embeddings of texts.
    Embed,
    /// Scores of pairs of texts.
    Rerank,
}

/// Options of training.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model of sentence-transformers to start from [default: a small encoder from scratch]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,

    /// Pooling of a directory that holds only a transformer: mean, cls, max, mean_sqrt_len_tokens, weightedmean, or
    /// lasttoken for a decoder
    #[arg(long, value_name = "MODE", value_parser = PoolingMode::named, requires = "model")]
    pub pooling: Option<PoolingMode>,

    /// What --model is trained for: embed, or rerank, which gives an encoder a new classifier that scores
    /// pairs of texts [default: rerank if it is a CrossEncoder, else embed]
    #[arg(long, value_name = "TASK", requires = "model", conflicts_with_all = ["pooling", "static_dim"])]
    pub task: Option<Task>,

    /// Route through --model, if it has several, such as query or document: it alone is trained, for all
    /// columns, and saved as a model of its own
    #[arg(long, value_name = "NAME", requires = "model", conflicts_with_all = ["pooling", "static_dim"])]
    pub route: Option<String>,

    /// Routes of the columns through --model, if it has several, in the order of the columns; the last is
    /// also that of all further columns. The model is saved with all of its routes [default:
    /// query,document]
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        requires = "model",
        conflicts_with_all = ["pooling", "route", "static_dim"]
    )]
    pub routes: Vec<String>,

    /// Train a StaticEmbedding instead of a transformer: a vector of N values for each token, random
    /// at first; a text's embedding is the mean of its tokens' vectors. The tokens are those of --model,
    /// or learned from the data
    #[arg(long = "static", value_name = "N", value_parser = dimension, conflicts_with_all = ["pooling", "dropout"])]
    pub static_dim: Option<NonZeroUsize>,

    /// Training data: files, or patterns such as 'data/*.jsonl.gz', which are read as one [default: the
    /// built-in corpus]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub data: Vec<PathBuf>,

    /// Format of --data [default: by its extension, .csv, .tsv, .json or .jsonl; .txt is TREC, for
    /// DenoisingAutoEncoderLoss lines]
    #[arg(long, value_name = "FORMAT", requires = "data")]
    pub format: Option<Format>,

    /// Evaluation data, like --data [default: a tenth of the rows of --data is held out; if these are
    /// bare lines, the built-in sentences]
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "data")]
    pub eval: Vec<PathBuf>,

    /// Format of --eval [default: by its extension]
    #[arg(long, value_name = "FORMAT", requires = "eval")]
    pub eval_format: Option<Format>,

    /// How to read --data and --eval.
    #[command(flatten)]
    pub how: DataArgs,

    /// Train on at most this many rows, drawn with the seed
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_rows: Option<usize>,

    /// The loss, by its Python name (see the list below)
    #[arg(long, value_name = "NAME", default_value = "MultipleNegativesRankingLoss")]
    pub loss: String,

    /// The loss's options as JSON, by their Python names, such as '{"margin": 0.3}'
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub loss_config: String,

    /// File of the parameters that the loss starts with, safetensors by PyTorch's names, such as
    /// `classifier.weight` of SoftmaxLoss [default: random ones]
    #[arg(long, value_name = "FILE")]
    pub loss_weights: Option<PathBuf>,

    /// Model of sentence-transformers that tells GISTEmbedLoss which texts must not count as negatives; it
    /// may have another tokenizer and dimension, and is not trained
    #[arg(long, value_name = "DIR")]
    pub guide: Option<PathBuf>,

    /// Passes over the training data [default: 10, with --model or --static 3]
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub epochs: Option<usize>,

    /// Stop after this many training steps, even within the first epoch
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<usize>,

    /// Examples in a training step
    #[arg(long, value_name = "N", default_value = "32", value_parser = at_least_two)]
    pub batch_size: usize,

    /// Texts that go through the encoder at a time on each device, so that a batch of any size fits into
    /// memory; the loss still sees the whole batch. The gradients are the same, a step takes about 4/3 of
    /// the time
    #[arg(long, value_name = "N", value_parser = positive)]
    pub mini_batch_size: Option<usize>,

    /// Threads that embed parts of a batch at the same time, each on its share of the cores. The gradients
    /// do not depend on it, but for rounding; dropout draws other numbers with one worker than with several
    /// [default: the number of cores with --device flex, else 1]
    #[arg(long, value_name = "N", value_parser = workers)]
    pub workers: Option<usize>,

    /// Batches whose gradients are averaged for one training step
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
    pub gradient_accumulation: usize,

    /// What to do with equal texts where other rows serve as negatives: never put them into one batch,
    /// mask them so that they are not negatives of each other, or keep them as they are
    #[arg(long, value_name = "HOW", default_value = "separate")]
    pub repeats: Repeats,

    /// Take the rows in the order of the data, the same in each epoch
    #[arg(long)]
    pub no_shuffle: bool,

    /// Peak learning rate [default: 0.001, with --model 0.00002, with --lora 0.0002, of a
    /// StaticEmbedding 0.2]
    #[arg(long, value_name = "RATE", value_parser = above_zero)]
    pub learning_rate: Option<f64>,

    /// Peak learning rates of single routes of --model, instead of --learning-rate; one that is a table of
    /// vectors wants a much higher one than a transformer, such as query=0.2
    #[arg(
        long,
        value_name = "ROUTE=RATE",
        value_delimiter = ',',
        requires = "model",
        conflicts_with_all = ["pooling", "route", "static_dim"]
    )]
    pub learning_rates: Vec<RouteRate>,

    /// Share of the steps in which the learning rate rises to its peak; afterwards it falls
    #[arg(long, value_name = "SHARE", default_value = "0.1", value_parser = share)]
    pub warm_up: f64,

    /// Weight decay of AdamW; biases and normalisations have none
    #[arg(long, value_name = "RATE", default_value = "0.01", value_parser = not_negative)]
    pub weight_decay: f64,

    /// Largest norm of the gradient of all parameters together; a larger gradient is scaled down to it
    #[arg(long, value_name = "LENGTH", default_value = "1", value_parser = above_zero)]
    pub max_gradient_norm: f64,

    /// Dropout of --model while training [default: from its config.json]
    #[arg(long, value_name = "SHARE", value_parser = below_one, requires = "model")]
    pub dropout: Option<f64>,

    /// Train LoRA adapters beside the model's linear layers, and nothing else of it: two matrices of rank
    /// r, whose product is scaled by alpha / r; dropout before them [default: 0]; targets, the ends of
    /// layers' names [default: those of queries and values, or as peft chooses], or all-linear. They
    /// are added to the weights when the model is saved
    #[arg(
        long,
        value_name = "r=N,alpha=X[,dropout=SHARE][,targets=A+B]",
        value_parser = lora::parse
    )]
    pub lora: Option<LoraConfig>,

    /// Directory for the adapters alone, as peft and sentence-transformers save them, besides --out
    #[arg(long, value_name = "DIR", requires = "lora")]
    pub adapter_out: Option<PathBuf>,

    /// Probability to drop a word of a text while training, against memorising
    /// [default: 0.2, with --model or --static 0]
    #[arg(long, value_name = "SHARE", value_parser = below_one)]
    pub word_dropout: Option<f64>,

    /// Probability that DenoisingAutoEncoderLoss deletes a word
    #[arg(long, value_name = "SHARE", default_value = "0.6", value_parser = share)]
    pub deletion_ratio: f64,

    /// Evaluate every N steps, and keep the best by the first measure of the evaluation
    #[arg(long, value_name = "N", value_parser = positive)]
    pub eval_steps: Option<usize>,

    /// Write a checkpoint every N steps, to a directory beside --out
    #[arg(long, value_name = "N", value_parser = positive)]
    pub checkpoint_steps: Option<usize>,

    /// Go on from the last checkpoint of an interrupted run with the same options
    #[arg(long)]
    pub resume: bool,

    /// File for a line of JSON for each step: loss, learning rate, length of the gradient
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Add to --log, every N steps, what the loss saw in the batch: active terms, anchors with a
    /// positive and a negative, masked false negatives, cosines of positives and hardest negatives
    #[arg(long, value_name = "N", value_parser = positive, requires = "log")]
    pub diagnose_steps: Option<usize>,

    /// Show the run on a dashboard in the terminal: curves of loss, learning rate, length of the gradient
    /// and evaluation. `q` or Ctrl-C ends training early and saves what is trained. Needs a build with
    /// `--features dashboard`
    #[arg(long)]
    pub dashboard: bool,

    /// Seed of the parameters, the batches and the held-out rows: the same seed, the same numbers
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,

    /// Device to compute on: flex, ndarray, libtorch, wgpu, vulkan, metal, webgpu, cuda or rocm, if
    /// compiled in; a GPU also with its index, such as cuda:1. Of several, such as cuda:0,cuda:1, each
    /// embeds a part of every batch at the same time, and the first has the optimizer
    #[arg(long = "device", value_name = "DEVICE", default_value = "flex", value_delimiter = ',')]
    pub devices: Vec<String>,

    /// Directory for the trained encoder; with --model it opens in sentence-transformers
    #[arg(long, value_name = "DIR", default_value = "finetuned-encoder")]
    pub out: PathBuf,

    /// Do not write the page of pictures, report/index.html in --out
    #[arg(long)]
    pub no_report: bool,

    /// Save the model of --model even if training made it much worse
    #[arg(long, requires = "model")]
    pub keep_worse: bool,

    /// Replace the encoder that an earlier run left in --out
    #[arg(long)]
    pub force: bool,
}

impl Args {
    /// How to open the model of `--model`.
    pub fn open_options(&self) -> OpenOptions {
        let options = opening(self.pooling, self.route.as_deref());
        match self.dropout {
            Some(dropout) => options.dropout(dropout),
            None => options,
        }
    }

    /// How long and how fast to train.
    pub fn schedule(&self) -> Schedule {
        let usual = match &self.model {
            _ if self.static_dim.is_some() => Schedule::of_static(),
            None => Schedule::default(),
            Some(model) if is_table(model, self.route.as_deref()) => Schedule::of_static(),
            Some(_) if self.lora.is_some() => Schedule::of_adapters(),
            Some(_) => Schedule::of_pretrained(),
        };
        Schedule {
            epochs: self.epochs.unwrap_or(usual.epochs),
            steps: self.steps,
            batch_size: self.batch_size,
            mini_batch_size: self.mini_batch_size,
            workers: self.workers.unwrap_or_else(|| usual_workers(&self.devices)),
            gradient_accumulation: self.gradient_accumulation,
            repeats: self.repeats,
            shuffle: !self.no_shuffle,
            diagnose_every: self.diagnose_steps,
            learning_rate: self.learning_rate.unwrap_or(usual.learning_rate),
            learning_rates: self.learning_rates.iter().map(RouteRate::pair).collect(),
            warm_up: self.warm_up,
            weight_decay: self.weight_decay as f32,
            max_gradient_norm: self.max_gradient_norm,
            word_dropout: self.word_dropout.unwrap_or(usual.word_dropout),
            deletion_ratio: self.deletion_ratio,
            seed: self.seed,
            evaluate_every: self.eval_steps,
            checkpoint_every: self.checkpoint_steps,
        }
    }
}

fn opening(pooling: Option<PoolingMode>, route: Option<&str>) -> OpenOptions {
    let options = OpenOptions::new();
    let options = match pooling {
        Some(mode) => options.pooling(mode),
        None => options,
    };
    match route {
        Some(task) => options.route(task),
        None => options,
    }
}

/// One worker for each device, but as many as cores where Flex alone computes.
fn usual_workers(devices: &[String]) -> usize {
    match devices {
        [device] if device == "flex" => available_parallelism().map_or(1, NonZeroUsize::get),
        devices => devices.len(),
    }
}

/// Whether the model in a directory is a StaticEmbedding, on all of its routes if it has some; other faults
/// of it are found when it is opened.
fn is_table(model: &Path, route: Option<&str>) -> bool {
    let Ok(directory) = Directory::open(model) else { return false };
    let is_table = |route| {
        Modules::read(&directory, route)
            .is_ok_and(|modules| modules.network.kind == ModuleKind::StaticEmbedding)
    };
    match (route, Modules::routes(&directory)) {
        (Some(task), _) => is_table(Route::OfTask(task)),
        (None, Ok(Some(table))) => table.names().all(|name| is_table(Route::Called(name))),
        (None, _) => is_table(Route::Default),
    }
}

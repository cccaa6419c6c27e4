//! The options of the commands other than training.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use burn_embedding_models::{OpenOptions, PoolingMode};

use super::opening;
use super::values::{finite, positive};
use crate::data::{self, Dataset, Format, Hints, Renamed, ScoreRange, Spill};
use crate::error::Error;

/// The model that scores pairs of texts.
#[derive(Debug, Clone, clap::Args)]
pub struct ScorerArgs {
    /// Directory of a CrossEncoder with one label
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,

    /// Pairs that are scored at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub batch_size: usize,

    /// Device to compute on, as for training
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,
}

/// Options of ranking.
#[derive(Debug, Clone, clap::Args)]
pub struct RankArgs {
    /// Documents in UTF-8, one per line
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// What the documents should answer
    #[arg(long, value_name = "TEXT")]
    pub query: String,

    /// Documents that are shown, the best ones
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive)]
    pub top_k: usize,

    /// What scores them, and how.
    #[command(flatten)]
    pub scorer: ScorerArgs,
}

/// Options of scoring.
#[derive(Debug, Clone, clap::Args)]
pub struct ScoreArgs {
    /// Pairs, queries with a positive and negatives, or with a list of documents.
    #[command(flatten)]
    pub files: FilesArgs,

    /// File of JSON Lines for the rows with their scores, which --data reads: as scores of pairs, or as a
    /// teacher's scores of a positive and negatives or of a list [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// What scores them, and how.
    #[command(flatten)]
    pub scorer: ScorerArgs,
}

/// Options of mining.
#[derive(Debug, Clone, clap::Args)]
pub struct MineArgs {
    /// Queries, each with a text that belongs to it.
    #[command(flatten)]
    pub files: FilesArgs,

    /// Model of sentence-transformers by whose embeddings the most similar documents are found
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,

    /// File of more documents, one per line, beside the texts that belong to the queries
    #[arg(long, value_name = "FILE")]
    pub corpus: Option<PathBuf>,

    /// CrossEncoder that scores the found documents again, for --min-score, --max-score and the margins
    #[arg(long, value_name = "DIR")]
    pub reranker: Option<PathBuf>,

    /// Which of the found documents are taken.
    #[command(flatten)]
    pub rules: RuleArgs,

    /// What is written of a query: a triplet for each negative; a line with all negatives, if there are
    /// enough; a labelled pair for each document; or a list of documents with labels
    #[arg(long, value_name = "SHAPE", default_value = "triplet")]
    pub output_format: Shape,

    /// Write the scores of the documents as well, in place of labels 1 and 0
    #[arg(long)]
    pub output_scores: bool,

    /// Name of the prompt for queries [default: query, if the model has it]
    #[arg(long, value_name = "NAME")]
    pub query_prompt: Option<String>,

    /// Name of the prompt for documents [default: document, passage or corpus, if the model has one]
    #[arg(long, value_name = "NAME")]
    pub corpus_prompt: Option<String>,

    /// File of JSON Lines for the rows [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Texts that are encoded, or pairs that are scored, at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub batch_size: usize,

    /// Device to compute on, as for training
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,
}

/// Which of the documents that are similar to a query become its negatives.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct RuleArgs {
    /// Negatives of a query
    #[arg(long, value_name = "N", default_value = "3", value_parser = positive)]
    pub num_negatives: usize,

    /// Skip so many of the most similar documents that pass all other rules
    #[arg(long, value_name = "N", default_value = "0")]
    pub range_min: usize,

    /// Look at no more than so many of the most similar documents [default: enough for --num-negatives, or
    /// ten times as many where a bound may leave some out]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub range_max: Option<usize>,

    /// Leave out documents with a higher score
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true, value_parser = finite)]
    pub max_score: Option<f64>,

    /// Leave out documents with a lower score
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true, value_parser = finite)]
    pub min_score: Option<f64>,

    /// Leave out documents whose score is not lower by this than that of the query's least similar positive
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub absolute_margin: Option<f64>,

    /// The same, as a share of the positive's score: 0.05 leaves out what has more than 95 % of it
    #[arg(long, value_name = "X", allow_hyphen_values = true, value_parser = finite)]
    pub relative_margin: Option<f64>,

    /// The most similar of the documents that are left, or random ones of them
    #[arg(long, value_name = "HOW", default_value = "top")]
    pub sampling_strategy: Sampling,

    /// Seed of random negatives
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
}

/// How negatives are chosen from the documents that pass all rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sampling {
    /// The most similar ones.
    Top,
    /// Any of them.
    Random,
}

/// What is written of a query and its negatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// Anchor, positive and negative.
    Triplet,
    /// Anchor, positive and all negatives.
    NTuple,
    /// Query, passage, and 1 or 0.
    LabeledPair,
    /// Query, documents, and 1 or 0 for each.
    LabeledList,
}

/// Options of encoding.
#[derive(Debug, Clone, clap::Args)]
pub struct EncodeArgs {
    /// Texts in UTF-8, one per line
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Directory of a sentence-transformers model (BERT and its like, DeBERTa, T5 …)
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,

    /// Pooling of a directory that holds only a transformer: mean, cls, max, mean_sqrt_len_tokens, weightedmean, or
    /// lasttoken for a decoder
    #[arg(long, value_name = "MODE", value_parser = PoolingMode::named)]
    pub pooling: Option<PoolingMode>,

    /// File for the embeddings, .npy or .jsonl [default: lines of JSON on stdout]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Texts that are encoded at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub batch_size: usize,

    /// Name of a prompt of the model [default: the model's default prompt, if it has one]
    #[arg(long, value_name = "NAME")]
    pub prompt: Option<String>,

    /// Route through a model that has several, such as query or document [default: the model's default
    /// route]
    #[arg(long, value_name = "NAME")]
    pub route: Option<String>,

    /// Values that are kept of each embedding, the first ones, for models trained with MatryoshkaLoss
    /// [default: all]
    #[arg(long, value_name = "N")]
    pub truncate_dim: Option<NonZeroUsize>,

    /// Device to compute on, as for training
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    pub device: String,
}

impl EncodeArgs {
    /// How to open the model.
    pub fn open_options(&self) -> OpenOptions {
        let options = opening(self.pooling, self.route.as_deref());
        match self.truncate_dim {
            Some(dimension) => options.truncate_dim(dimension),
            None => options,
        }
    }
}

/// Options of reading tables.
#[derive(Debug, Clone, clap::Args)]
pub struct DataArgs {
    /// Lowest and highest similarity score in the files; negative scores stay negative [default: as they
    /// are, if within 0..1 or -1..1; 0..5 without a header; 1..5 for relatedness_score]
    #[arg(long, value_name = "LOW..HIGH", allow_hyphen_values = true)]
    pub score_range: Option<ScoreRange>,

    /// Columns under other names than the usual ones, such as anchor=title,positive=body
    #[arg(long, value_name = "ROLE=COLUMN", value_delimiter = ',')]
    pub columns: Vec<Renamed>,
}

impl DataArgs {
    /// The same for the reader.
    pub fn hints(&self) -> Hints<'_> {
        Hints { range: self.score_range, columns: &self.columns, ..Hints::default() }
    }
}

/// Files that are read as one data set.
#[derive(Debug, Clone, clap::Args)]
pub struct FilesArgs {
    /// Rows as --data takes them; several files are read as one
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Their format [default: by the extension]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// How to read them.
    #[command(flatten)]
    pub how: DataArgs,
}

impl FilesArgs {
    /// The data set.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn read(&self) -> Result<Dataset, Error> {
        let directory = std::env::temp_dir();
        let hints = Hints { spill: Some(Spill::to(&directory)), ..self.how.hints() };
        data::read(&self.files, self.format, hints)
    }
}

/// Options of looking at a file.
#[derive(Debug, Clone, clap::Args)]
pub struct InspectArgs {
    /// The file.
    #[command(flatten)]
    pub files: FilesArgs,
}

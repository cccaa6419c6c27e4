//! One of the fourteen losses, behind one signature: embeddings of columns and targets in, loss out.

mod denoising;
mod weights;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::sentence_transformers::LossConfig;
use burn_embedding_losses::{
    BatchAllTripletLoss, BatchHardSoftMarginTripletLoss, BatchHardTripletLoss,
    BatchSemiHardTripletLoss, ContrastiveLoss, CosineSimilarityLoss, Diagnostics, MarginMseLoss,
    MegaBatchMarginLoss, MseLoss, MultipleNegativesRankingLoss, OnlineContrastiveLoss, SoftmaxLoss,
    TripletLoss,
};
use burn_embedding_models::TextEncoder;
use serde_json::{Map, Value};

use super::batches::Batch;
use crate::data::repeats::Ids;
use crate::data::task::{DENOISING, Example, Need, Target, unknown_loss};
use crate::error::Error;

pub use denoising::Denoising;

/// A loss with the parameters it owns, trained together with the encoder.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one in a run, and no Burn module in a box")]
pub enum Objective {
    /// See [`BatchAllTripletLoss`].
    BatchAllTriplet(BatchAllTripletLoss),
    /// See [`BatchHardTripletLoss`].
    BatchHardTriplet(BatchHardTripletLoss),
    /// See [`BatchHardSoftMarginTripletLoss`].
    BatchHardSoftMarginTriplet(BatchHardSoftMarginTripletLoss),
    /// See [`BatchSemiHardTripletLoss`].
    BatchSemiHardTriplet(BatchSemiHardTripletLoss),
    /// See [`ContrastiveLoss`].
    Contrastive(ContrastiveLoss),
    /// See [`CosineSimilarityLoss`].
    CosineSimilarity(CosineSimilarityLoss),
    /// See [`Denoising`].
    Denoising(Denoising),
    /// See [`MarginMseLoss`].
    MarginMse(MarginMseLoss),
    /// See [`MegaBatchMarginLoss`].
    MegaBatchMargin(MegaBatchMarginLoss),
    /// See [`MseLoss`].
    Mse(MseLoss),
    /// See [`MultipleNegativesRankingLoss`].
    MultipleNegativesRanking(MultipleNegativesRankingLoss),
    /// See [`OnlineContrastiveLoss`].
    OnlineContrastive(OnlineContrastiveLoss),
    /// See [`SoftmaxLoss`].
    Softmax(SoftmaxLoss),
    /// See [`TripletLoss`].
    Triplet(TripletLoss),
}

/// What is done with a loss and the batch that it takes, made of columns of embeddings.
macro_rules! with_batch {
    ($objective:expr, $columns:ident, $batch:ident, |$loss:ident, $made:ident| $body:expr) => {
        match $objective {
            Objective::BatchAllTriplet($loss) => {
                let $made = labelled($columns, $batch);
                $body
            }
            Objective::BatchHardTriplet($loss) => {
                let $made = labelled($columns, $batch);
                $body
            }
            Objective::BatchHardSoftMarginTriplet($loss) => {
                let $made = labelled($columns, $batch);
                $body
            }
            Objective::BatchSemiHardTriplet($loss) => {
                let $made = labelled($columns, $batch);
                $body
            }
            Objective::Contrastive($loss) => {
                let $made = scored($columns, $batch);
                $body
            }
            Objective::CosineSimilarity($loss) => {
                let $made = scored($columns, $batch);
                $body
            }
            Objective::OnlineContrastive($loss) => {
                let $made = scored($columns, $batch);
                $body
            }
            Objective::MarginMse($loss) => {
                let [anchor, positive, negative] = exactly($columns);
                let margins = numbers(&$batch.targets, &anchor.device());
                let $made = (anchor, positive, vec![negative], margins);
                $body
            }
            Objective::MegaBatchMargin($loss) => {
                let $made = ranked($columns, $batch);
                $body
            }
            Objective::Mse($loss) => {
                let [embeddings] = exactly($columns);
                let targets = embeddings_of(&$batch.targets, &embeddings.device());
                let $made = (embeddings, targets);
                $body
            }
            Objective::MultipleNegativesRanking($loss) => {
                let $made = ranked($columns, $batch);
                $body
            }
            Objective::Softmax($loss) => {
                let [left, right] = exactly($columns);
                let classes = classes(&$batch.targets, &left.device());
                let $made = (left, right, classes);
                $body
            }
            Objective::Triplet($loss) => {
                let [anchor, positive, negative] = exactly($columns);
                let $made = (anchor, positive, negative);
                $body
            }
            Objective::Denoising(_) => unreachable!("takes no batch of embeddings"),
        }
    };
}

/// The options in `--loss-config`, as a JSON object.
pub fn parse_options(json: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(json).map_err(|error| {
        let reason = format!("expected a JSON object such as '{{\"margin\": 0.3}}': {error}");
        Error::option("--loss-config", reason)
    })
}

/// The loss called `name`, for an encoder with embeddings of `dimension` numbers.
pub fn build<E: TextEncoder>(
    name: &str,
    options: Map<String, Value>,
    examples: &[Example],
    encoder: &E,
    dimension: usize,
    device: &Device,
) -> Result<Objective, Error> {
    if name == DENOISING {
        let denoising = Denoising::new(options, encoder.transformer(), dimension, device)?;
        return Ok(Objective::Denoising(denoising));
    }
    let config = configure(name, options, examples, dimension)?;
    Ok(Objective::new(config, device))
}

/// The loss called `name`, with the options that follow from the data and the encoder filled in.
fn configure(
    name: &str,
    mut options: Map<String, Value>,
    examples: &[Example],
    dimension: usize,
) -> Result<LossConfig, Error> {
    match Need::of(name).ok_or_else(|| unknown_loss(name))? {
        Need::ClassifiedPairs => {
            let classes = examples.iter().map(|row| match row.target {
                Target::Class(class) => class + 1,
                _ => 0,
            });
            let classes = classes.max().unwrap_or(0);
            demand(&mut options, "num_labels", classes, usize::ge, "classes of the data")?;
            demand(&mut options, "embedding_dimension", dimension, usize::eq, "encoder")?;
        }
        Need::TeacherTargets => {
            let width = examples.iter().find_map(|row| match &row.target {
                Target::Embedding(embedding) => Some(embedding.len()),
                _ => None,
            });
            let width = width.unwrap_or(dimension);
            if width != dimension || options.contains_key("projection_dim") {
                demand(&mut options, "projection_dim", width, usize::eq, "teacher's embeddings")?;
                demand(&mut options, "embedding_dimension", dimension, usize::eq, "encoder")?;
            }
        }
        _ => {}
    }
    LossConfig::from_python(name, Value::Object(options))
        .map_err(|error| Error::option("--loss-config", error.to_string()))
}

/// Fills in an option that the user left out, and refuses one that contradicts the data.
fn demand(
    options: &mut Map<String, Value>,
    name: &'static str,
    needed: usize,
    fits: fn(&usize, &usize) -> bool,
    of: &str,
) -> Result<(), Error> {
    let given = options.entry(name).or_insert_with(|| needed.into());
    match given.as_u64() {
        Some(given) if !fits(&(given as usize), &needed) => {
            let reason = format!("`{name}` is {given}, but the {of} need {needed}");
            Err(Error::option("--loss-config", reason))
        }
        _ => Ok(()),
    }
}

impl Objective {
    /// The loss of a configuration that [`configure`] made.
    fn new(config: LossConfig, device: &Device) -> Self {
        match config {
            LossConfig::BatchAllTriplet(config) => Self::BatchAllTriplet(config.init()),
            LossConfig::BatchHardTriplet(config) => Self::BatchHardTriplet(config.init()),
            LossConfig::BatchHardSoftMarginTriplet(config) => {
                Self::BatchHardSoftMarginTriplet(config.init())
            }
            LossConfig::BatchSemiHardTriplet(config) => Self::BatchSemiHardTriplet(config.init()),
            LossConfig::Contrastive(config) => Self::Contrastive(config.init()),
            LossConfig::CosineSimilarity(config) => Self::CosineSimilarity(config.init()),
            LossConfig::DenoisingAutoEncoder(_) => unreachable!("built around a decoder"),
            LossConfig::MarginMse(config) => Self::MarginMse(config.init()),
            LossConfig::MegaBatchMargin(config) => Self::MegaBatchMargin(config.init()),
            LossConfig::Mse(config) => Self::Mse(config.init(device)),
            LossConfig::MultipleNegativesRanking(config) => {
                Self::MultipleNegativesRanking(config.init())
            }
            LossConfig::OnlineContrastive(config) => Self::OnlineContrastive(config.init()),
            LossConfig::Softmax(config) => Self::Softmax(config.init(device)),
            LossConfig::Triplet(config) => Self::Triplet(config.init()),
        }
    }

    /// The loss of a batch: one embedding matrix for each column.
    pub fn forward<E: TextEncoder>(
        &self,
        encoder: &E,
        columns: Vec<Tensor<2>>,
        batch: &Batch,
    ) -> Tensor<1> {
        if let Self::Denoising(loss) = self {
            let [embeddings] = exactly(columns);
            let transformer = encoder.transformer().map(|(transformer, _)| transformer);
            return loss.forward(transformer, embeddings, &batch.whole);
        }
        with_batch!(self, columns, batch, |loss, batch| loss.forward(batch))
    }

    /// What the loss sees in a batch; `None` for DenoisingAutoEncoderLoss, which compares no texts.
    pub fn diagnose(&self, columns: Vec<Tensor<2>>, batch: &Batch) -> Option<Diagnostics> {
        if let Self::Denoising(_) = self {
            return None;
        }
        Some(with_batch!(self, columns, batch, |loss, batch| loss.diagnose(batch)))
    }

    /// The class that the loss itself would give each pair; `None` for losses without a classifier.
    pub fn classify(&self, columns: Vec<Tensor<2>>) -> Option<Vec<usize>> {
        let Self::Softmax(loss) = self else {
            return None;
        };
        let [left, right] = exactly(columns);
        let classes = loss.logits(left, right).argmax(1).into_data();
        Some(classes.iter::<i64>().map(|class| class as usize).collect())
    }
}

fn labelled(columns: Vec<Tensor<2>>, batch: &Batch) -> (Tensor<2>, Tensor<1, Int>) {
    let [embeddings] = exactly(columns);
    let device = embeddings.device();
    (embeddings, classes(&batch.targets, &device))
}

fn scored(columns: Vec<Tensor<2>>, batch: &Batch) -> (Tensor<2>, Tensor<2>, Tensor<1>) {
    let [left, right] = exactly(columns);
    let device = left.device();
    (left, right, numbers(&batch.targets, &device))
}

fn ranked(columns: Vec<Tensor<2>>, batch: &Batch) -> RetrievalBatch {
    let mut columns = columns.into_iter();
    let [anchor, positive] = exactly(columns.by_ref().take(2).collect());
    let device = anchor.device();
    let rows = RetrievalBatch::new(anchor, positive, columns.collect());
    let Some(Ids { rows: ids, negatives }) = &batch.ids else { return rows };
    let tensor = |ids: &Vec<i32>| Tensor::from_data(ids.as_slice(), &device);
    rows.with_ids(tensor(ids)).with_negative_ids(negatives.iter().map(tensor).collect())
}

/// The columns that a loss takes: `crate::data::task` makes as many.
fn exactly<const N: usize>(columns: Vec<Tensor<2>>) -> [Tensor<2>; N] {
    let found = columns.len();
    columns.try_into().unwrap_or_else(|_| panic!("expected {N} columns, found {found}"))
}

fn numbers(targets: &[&Target], device: &Device) -> Tensor<1> {
    let numbers = targets.iter().map(|target| match target {
        Target::Number(number) => *number,
        other => panic!("expected a number, found {other:?}"),
    });
    Tensor::from_data(TensorData::from(numbers.collect::<Vec<_>>().as_slice()), device)
}

fn classes(targets: &[&Target], device: &Device) -> Tensor<1, Int> {
    let classes = targets.iter().map(|target| match target {
        Target::Class(class) => *class as i32,
        other => panic!("expected a class, found {other:?}"),
    });
    Tensor::from_data(TensorData::from(classes.collect::<Vec<_>>().as_slice()), device)
}

fn embeddings_of(targets: &[&Target], device: &Device) -> Tensor<2> {
    let rows = targets.iter().map(|target| match target {
        Target::Embedding(embedding) => embedding.as_slice(),
        other => panic!("expected an embedding, found {other:?}"),
    });
    let values = rows.collect::<Vec<_>>().concat();
    let shape = [targets.len(), values.len() / targets.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}

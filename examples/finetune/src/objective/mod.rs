//! One of the fourteen losses, behind one signature: embeddings of columns and targets in, loss out.

mod denoising;
mod weights;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_embedding_losses::sentence_transformers::LossConfig;
use burn_embedding_losses::{
    BatchAllTripletLoss, BatchHardSoftMarginTripletLoss, BatchHardTripletLoss,
    BatchSemiHardTripletLoss, ContrastiveLoss, CosineSimilarityLoss, MarginMseLoss,
    MegaBatchMarginLoss, MseLoss, MultipleNegativesRankingLoss, OnlineContrastiveLoss, SoftmaxLoss,
    TripletLoss,
};
use serde_json::{Map, Value};

use crate::encoder::TextEncoder;
use crate::error::Error;
use crate::task::{DENOISING, Example, Need, Target, unknown_loss};

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
        Need::Lessons => {
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

    /// The loss of a batch: one embedding matrix for each column, one target for each row, and the
    /// ids of the whole texts where the embeddings are those of damaged ones.
    pub fn forward<E: TextEncoder>(
        &self,
        encoder: &E,
        columns: Vec<Tensor<2>>,
        targets: &[&Target],
        whole: &[&[u32]],
    ) -> Tensor<1> {
        let device = columns[0].device();
        match self {
            Self::BatchAllTriplet(loss) => loss.forward(labelled(columns, targets)),
            Self::BatchHardTriplet(loss) => loss.forward(labelled(columns, targets)),
            Self::BatchHardSoftMarginTriplet(loss) => loss.forward(labelled(columns, targets)),
            Self::BatchSemiHardTriplet(loss) => loss.forward(labelled(columns, targets)),
            Self::Contrastive(loss) => loss.forward(scored(columns, targets)),
            Self::CosineSimilarity(loss) => loss.forward(scored(columns, targets)),
            Self::OnlineContrastive(loss) => loss.forward(scored(columns, targets)),
            Self::Denoising(loss) => {
                let [embeddings] = exactly(columns);
                let transformer = encoder.transformer().map(|(transformer, _)| transformer);
                loss.forward(transformer, embeddings, whole)
            }
            Self::MarginMse(loss) => {
                let [anchor, positive, negative] = exactly(columns);
                loss.forward((anchor, positive, vec![negative], numbers(targets, &device)))
            }
            Self::MegaBatchMargin(loss) => {
                let [anchor, positive] = exactly(columns);
                loss.forward((anchor, positive))
            }
            Self::Mse(loss) => {
                let [embeddings] = exactly(columns);
                loss.forward((embeddings, embeddings_of(targets, &device)))
            }
            Self::MultipleNegativesRanking(loss) => {
                let mut columns = columns.into_iter();
                let [anchor, positive] = exactly(columns.by_ref().take(2).collect());
                loss.forward((anchor, positive, columns.collect::<Vec<_>>()))
            }
            Self::Softmax(loss) => {
                let [left, right] = exactly(columns);
                loss.forward((left, right, classes(targets, &device)))
            }
            Self::Triplet(loss) => {
                let [anchor, positive, negative] = exactly(columns);
                loss.forward((anchor, positive, negative))
            }
        }
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

fn labelled(columns: Vec<Tensor<2>>, targets: &[&Target]) -> (Tensor<2>, Tensor<1, Int>) {
    let [embeddings] = exactly(columns);
    let device = embeddings.device();
    (embeddings, classes(targets, &device))
}

fn scored(columns: Vec<Tensor<2>>, targets: &[&Target]) -> (Tensor<2>, Tensor<2>, Tensor<1>) {
    let [left, right] = exactly(columns);
    let device = left.device();
    (left, right, numbers(targets, &device))
}

/// The columns that a loss takes: `crate::task` makes as many.
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

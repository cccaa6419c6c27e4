//! Any loss, behind one signature: embeddings of columns and targets in, loss out.

mod choice;
mod denoising;
mod weights;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor, TensorData};
use burn_embedding_losses::Diagnostics;
use burn_embedding_losses::catalog::{
    AnyBatch, AnyLoss, BatchKind, LossConfig, Targets, TrainingLoss,
};
use burn_embedding_losses::reduction::Parts;
use burn_embedding_losses::reranking::MultipleNegativesRankingLoss;
use burn_embedding_models::TextEncoder;
use serde_json::{Map, Value};

use super::batches::Batch;
use super::routes::Routes;
use super::start::Start;
use crate::data::repeats::Ids;
use crate::data::task::{DENOISING, Example, Target, is_of_candidates, kind_of, short_name};
use crate::error::Error;

pub use choice::Choice;
pub use denoising::Denoising;

/// A loss that a run can train with, of the catalog or of your own: a module whose parameters, if it has
/// any, are trained and saved in checkpoints.
pub trait Trainable: TrainingLoss + Module + ModuleDisplay {}

impl<L: TrainingLoss + Module + ModuleDisplay> Trainable for L {}

/// A loss with the parameters it owns, trained together with the encoder.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one in a run, and no Burn module in a box")]
pub enum Objective<L: Module> {
    /// A loss that needs nothing but embeddings and targets.
    Any(L),
    /// See [`Denoising`].
    Denoising(Denoising),
}

/// The named parts of the loss of a batch, as long as they are on the device.
#[derive(Debug, Default)]
pub struct SeenParts(Vec<(&'static str, Tensor<1>)>);

impl SeenParts {
    fn remember(&mut self, parts: &Parts) {
        let without_graph = parts.iter().map(|(name, value)| (name, value.clone().inner()));
        self.0 = without_graph.collect();
    }

    /// Name and value of each part, read from the device.
    pub fn read(self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.into_iter().map(|(name, value)| (name, f64::from(value.into_scalar::<f32>())))
    }
}

impl Choice {
    /// The loss, for the encoder that training starts from.
    pub fn build<E: TextEncoder>(
        &self,
        examples: &[Example],
        start: &Start<E>,
        device: &Device,
    ) -> Result<Objective<AnyLoss>, Error> {
        let Start { encoder, routes, dimension } = start;
        let options = self.options.clone();
        let objective = if self.name == DENOISING {
            if self.wrapper.is_some() {
                let reason = format!("{} cannot be inside of a wrapper", self.name);
                return Err(Error::option("--loss-config", reason));
            }
            let denoising = Denoising::new(
                options,
                encoder.transformer(),
                *dimension,
                routes.tokenizer().padding_id(),
                device,
            )?;
            Objective::Denoising(denoising)
        } else {
            let config = configure(&self.name, options, examples, *dimension)?;
            let loss = self.wrap(config, *dimension)?.init(device);
            if loss.takes_layers() && encoder.layers() == 1 {
                return Err(Error::option("--loss", self.lacks_layers(routes)));
            }
            Objective::Any(loss)
        };
        match &self.weights {
            Some(path) => objective.with_weights(path),
            None => Ok(objective),
        }
    }
}

impl Choice {
    /// Why there are no embeddings after each layer.
    fn lacks_layers(&self, routes: &Routes) -> String {
        let title = self.title();
        match routes.count() {
            1 => format!("{title} needs the layers of a transformer: --model DIR"),
            _ => format!(
                "{title} needs the layers of one transformer, and the model has several routes: name one \
                 with --route"
            ),
        }
    }
}

/// The loss called `name`, with the options that follow from the data and the encoder filled in.
fn configure(
    name: &str,
    mut options: Map<String, Value>,
    examples: &[Example],
    dimension: usize,
) -> Result<LossConfig, Error> {
    match kind_of(name)? {
        BatchKind::ClassifiedPairs => {
            let classes = examples.iter().map(|row| match row.target {
                Target::Class(class) => class + 1,
                _ => 0,
            });
            let classes = classes.max().unwrap_or(0);
            demand(&mut options, "num_labels", classes, usize::ge, "classes of the data")?;
            demand(&mut options, "embedding_dimension", dimension, usize::eq, "encoder")?;
        }
        BatchKind::Logits
        | BatchKind::Candidates
        | BatchKind::ScoredCandidates
        | BatchKind::Lists
            if dimension != 1 =>
        {
            let reason = format!(
                "the model has {dimension} labels, and {} needs a model with 1",
                short_name(name)
            );
            return Err(Error::option("--model", reason));
        }
        BatchKind::TeacherEmbeddings => {
            let width = examples.iter().find_map(|row| match row.target {
                Target::Embedding(embedding) => Some(embedding.width()),
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

impl Objective<AnyLoss> {
    /// The loss, if it wants documents of other rows as negatives of a query.
    pub fn draws_negatives(&self) -> Option<MultipleNegativesRankingLoss> {
        match self {
            Self::Any(
                AnyLoss::RerankingMultipleNegativesRanking(loss)
                | AnyLoss::RerankingCachedMultipleNegativesRanking(loss),
            ) => Some(loss.clone()),
            _ => None,
        }
    }
}

impl<L: Trainable> Objective<L> {
    /// Whether the loss takes the embeddings after each layer of the encoder.
    pub fn takes_layers(&self) -> bool {
        matches!(self, Self::Any(loss) if loss.takes_layers())
    }

    /// The loss of a batch: one embedding matrix for each column, that of each layer beside the others if the
    /// loss takes them. `seen` receives its parts, if it has some.
    pub fn forward<E: TextEncoder>(
        &self,
        encoder: &E,
        columns: Vec<Tensor<2>>,
        batch: &Batch,
        seen: &mut SeenParts,
    ) -> Tensor<1> {
        match self {
            Self::Any(loss) => {
                let batch = batch_of(loss, columns, encoder.layers(), batch);
                match loss.parts(batch.clone()) {
                    Some(parts) => {
                        seen.remember(&parts);
                        parts.total().into_value()
                    }
                    None => loss.loss(batch),
                }
            }
            Self::Denoising(loss) => {
                let [embeddings] = exactly(columns);
                let transformer = encoder.transformer().map(|(transformer, _)| transformer);
                let whole: Vec<_> = batch.whole.iter().map(Vec::as_slice).collect();
                loss.forward(transformer, embeddings, &whole)
            }
        }
    }

    /// What the loss sees in a batch; `None` for DenoisingAutoEncoderLoss, which compares no texts.
    pub fn diagnose(&self, columns: Vec<Tensor<2>>, batch: &Batch) -> Option<Diagnostics> {
        match self {
            Self::Any(loss) => loss.diagnose(batch_of(loss, columns, 1, batch)),
            Self::Denoising(_) => None,
        }
    }

    /// The numbers of dimensions that the loss makes shortened embeddings useful for.
    pub fn truncated_dims(&self) -> Vec<usize> {
        match self {
            Self::Any(loss) => loss.truncated_dims(),
            Self::Denoising(_) => Vec::new(),
        }
    }

    /// Makes random choices of the loss follow from `seed`.
    pub fn restart_draws(&self, seed: u64) {
        if let Self::Any(loss) = self {
            loss.restart_draws(seed);
        }
    }

    /// Whether the loss may have a classifier of pairs.
    pub fn takes_classes(&self) -> bool {
        matches!(self, Self::Any(loss) if loss.takes() == BatchKind::ClassifiedPairs)
    }

    /// The class that the loss itself would give each pair; `None` for losses without a classifier.
    pub fn classify(&self, columns: &[Tensor<2>]) -> Option<Vec<usize>> {
        let Self::Any(loss) = self else {
            return None;
        };
        let classes = loss.classify(columns)?.into_data();
        Some(classes.iter::<i64>().map(|class| class as usize).collect())
    }
}

/// The batch that the loss takes: `crate::data::task` makes the examples for it.
fn batch_of(
    loss: &impl TrainingLoss,
    columns: Vec<Tensor<2>>,
    layers: usize,
    batch: &Batch,
) -> AnyBatch {
    let columns = match is_of_candidates(loss.takes()) {
        true => vec![Tensor::cat(columns, 1)],
        false => columns,
    };
    let targets = match loss.takes() {
        BatchKind::Lists => lists(batch, &columns[0].device()),
        _ => targets(batch, &columns[0].device()),
    };
    let batch = match loss.takes_layers() {
        false => loss.batch(columns, targets),
        true => {
            let columns: Vec<_> = columns.into_iter().map(|rows| rows.chunk(layers, 1)).collect();
            let layer = |layer: usize| columns.iter().map(|layers| layers[layer].clone()).collect();
            loss.layered((0..layers).map(layer).collect(), targets)
        }
    };
    batch.unwrap_or_else(|error| panic!("{error}"))
}

/// The labels of lists, filled up with zeros to the length of the longest.
fn lists(batch: &Batch, device: &Device) -> Targets {
    let lengths: Vec<_> = batch.vectors.iter().map(Vec::len).collect();
    let filled = batch.vectors.iter().flat_map(|labels| {
        labels.iter().copied().chain(std::iter::repeat(0.0)).take(batch.columns)
    });
    let labels = TensorData::new(filled.collect::<Vec<f32>>(), [lengths.len(), batch.columns]);
    Targets::Lists { labels: Tensor::from_data(labels, device), lengths }
}

fn targets(batch: &Batch, device: &Device) -> Targets {
    if let Some(Ids { rows, negatives }) = &batch.ids {
        let tensor = |ids: &Vec<i32>| Tensor::from_data(ids.as_slice(), device);
        return Targets::Ids {
            rows: tensor(rows),
            negatives: negatives.iter().map(tensor).collect(),
        };
    }
    if let Some(guide) = &batch.guide {
        return Targets::Guide(guide.clone());
    }
    if let Some(first) = batch.vectors.first() {
        let shape = [batch.vectors.len(), first.len()];
        let rows = TensorData::new(batch.vectors.concat(), shape);
        return Targets::Matrix(Tensor::from_data(rows, device));
    }
    let (mut numbers, mut classes) = (Vec::new(), Vec::new());
    for target in &batch.targets {
        match target {
            Target::Number(number) => numbers.push(*number),
            Target::Class(class) => classes.push(*class as i32),
            Target::None | Target::Scores(_) | Target::Embedding(_) => {}
        }
    }
    match batch.targets.first() {
        Some(Target::Number(_)) => Targets::Numbers(Tensor::from_data(numbers.as_slice(), device)),
        Some(Target::Class(_)) => Targets::Classes(Tensor::from_data(classes.as_slice(), device)),
        _ => Targets::None,
    }
}

/// The columns that a loss takes: `crate::data::task` makes as many.
fn exactly<const N: usize>(columns: Vec<Tensor<2>>) -> [Tensor<2>; N] {
    let found = columns.len();
    columns.try_into().unwrap_or_else(|_| panic!("expected {N} columns, found {found}"))
}

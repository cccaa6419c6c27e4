//! A small encoder with a loss for each data set, as Burn's learner wants it.

use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::ExecutionError;
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use burn_embedding_losses::Similarity;
use burn_embedding_losses::prelude::*;

use crate::batch::{BUCKETS, Batch, Words};

/// What is trained, and what trains it.
#[derive(Module, Debug)]
pub struct Model {
    words: Embedding,
    projection: Linear,
    ranking: MultipleNegativesRankingLoss,
    triplet: BatchHardTripletLoss,
}

impl Model {
    /// With random parameters.
    pub fn new(device: &Device) -> Self {
        // Small, so that words that are learned outweigh those that training never sees.
        let small = Initializer::Normal { mean: 0.0, std: 0.1 };
        Self {
            words: EmbeddingConfig::new(BUCKETS, 64).with_initializer(small).init(device),
            projection: LinearConfig::new(64, 64).init(device),
            ranking: MultipleNegativesRankingLossConfig::new().with_temperature(0.05).init(),
            triplet: BatchHardTripletLossConfig::new()
                .with_distance(Distance::Cosine)
                .with_margin(0.3)
                .init(),
        }
    }

    /// The embedding of each text: the mean of its words, projected, `[n, 64]`.
    pub fn embed(&self, words: Words) -> Tensor<2> {
        let present = words.clone().greater_scalar(0).float().unsqueeze_dim::<3>(2);
        let sum = (self.words.forward(words) * present.clone()).sum_dim(1);
        self.projection.forward((sum / present.sum_dim(1)).squeeze_dim(1))
    }

    /// The loss of the data set that the batch is from.
    fn losses(&self, batch: Batch) -> Seen {
        match batch {
            Batch::Pairs { questions, answers } => {
                let (questions, answers) = (self.embed(questions), self.embed(answers));
                let scores = Similarity::Cosine.pairwise(questions.clone(), answers.clone());
                let [n, _] = scores.dims();
                let own = Tensor::arange(0..n as i64, &scores.device());
                let found = scores.argmax(1).squeeze_dim::<1>(1).equal(own);
                Seen::new(Task::Pairs, self.ranking.forward((questions, answers)), found)
            }
            Batch::Labelled { texts, topics } => {
                let texts = self.embed(texts);
                let scores = Similarity::Cosine.pairwise(texts.clone(), texts.clone());
                let [n, _] = scores.dims();
                // A text is not its own neighbour.
                let itself = Tensor::<2>::eye(n, &scores.device()) * 3.0;
                let nearest = (scores - itself).argmax(1).squeeze_dim::<1>(1);
                let found = topics.clone().select(0, nearest).equal(topics.clone());
                Seen::new(Task::Topics, self.triplet.forward((texts, topics)), found)
            }
        }
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = Seen;

    fn step(&self, batch: Batch) -> TrainOutput<Seen> {
        let seen = self.losses(batch);
        TrainOutput::new(self, seen.loss.backward(), seen)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = Seen;

    fn step(&self, batch: Batch) -> Seen {
        self.losses(batch)
    }
}

/// The data set that a batch is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Answers to questions.
    Pairs,
    /// Sentences by topic.
    Topics,
}

/// What metrics read of a batch.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its data set.
    pub task: Task,
    /// Its loss, `[1]`.
    pub loss: Tensor<1>,
    /// 1 for each row whose nearest neighbour in the batch is its answer, or a text on its topic, `[n]`.
    pub found: Tensor<1>,
}

impl Seen {
    fn new(task: Task, loss: Tensor<1>, found: Tensor<1, Bool>) -> Self {
        Self { task, loss, found: found.float() }
    }
}

impl ItemLazy for Seen {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        Ok(Self {
            loss: self.loss.without_autodiff(),
            found: self.found.without_autodiff(),
            ..self
        })
    }
}

impl Adaptor<LossInput> for Seen {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl Adaptor<Seen> for Seen {
    fn adapt(&self) -> Seen {
        self.clone()
    }
}

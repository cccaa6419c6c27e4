//! A small encoder with a loss for each data set, ready for Burn's learner.

use std::ops::Range;

use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::prelude::*;
use burn::tensor::ExecutionError;
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use burn_embedding_losses::batch::Columns;
use burn_embedding_losses::evaluation::metric::LossParts;
use burn_embedding_losses::prelude::*;
use burn_embedding_losses::{Similarity, Workers};

use crate::batch::{BUCKETS, Batch, Words};

/// The encoder and its two losses.
#[derive(Module, Debug)]
pub struct Model {
    words: Embedding,
    projection: Linear,
    ranking: MultipleNegativesRankingLoss,
    triplet: BatchHardTripletLoss,
    #[module(skip)]
    workers: Workers,
}

impl Model {
    /// Initializes the parameters at random. In training each of `workers` embeds a part of the batch.
    pub fn new(workers: Workers, device: &Device) -> Self {
        // Small, so that the words seen in training outweigh the others.
        let small = Initializer::Normal { mean: 0.0, std: 0.1 };
        Self {
            words: EmbeddingConfig::new(BUCKETS, 64).with_initializer(small).init(device),
            projection: LinearConfig::new(64, 64).init(device),
            ranking: MultipleNegativesRankingLossConfig::new().with_temperature(0.05).init(),
            triplet: BatchHardTripletLossConfig::new()
                .with_distance(Distance::Cosine)
                .with_margin(0.3)
                .init(),
            workers,
        }
    }

    /// The embedding of each text, `[n, 64]`: the projected mean of its words.
    pub fn embed(&self, words: Words) -> Tensor<2> {
        let present = words.clone().greater_scalar(0).float().unsqueeze_dim::<3>(2);
        let sum = (self.words.forward(words) * present.clone()).sum_dim(1);
        self.projection.forward((sum / present.sum_dim(1)).squeeze_dim(1))
    }

    /// The loss of questions and their answers.
    fn rank(&self, (questions, answers): (Tensor<2>, Tensor<2>)) -> Seen {
        let scores = Similarity::Cosine.pairwise(questions.clone(), answers.clone());
        let [n, _] = scores.dims();
        let own = Tensor::arange(0..n as i64, &scores.device());
        let found = scores.argmax(1).squeeze_dim::<1>(1).equal(own);
        Seen::new(Task::Pairs, self.ranking.forward((questions, answers)), found)
    }

    /// The loss of texts with topics.
    fn separate(&self, (texts, topics): (Tensor<2>, Tensor<1, Int>)) -> Seen {
        let scores = Similarity::Cosine.pairwise(texts.clone(), texts.clone());
        let [n, _] = scores.dims();
        // A text is not its own neighbour.
        let itself = Tensor::<2>::eye(n, &scores.device()) * 3.0;
        let nearest = (scores - itself).argmax(1).squeeze_dim::<1>(1);
        let found = topics.clone().select(0, nearest).equal(topics.clone());
        Seen::new(Task::Topics, self.triplet.forward((texts, topics)), found)
    }

    /// The loss and its gradients, of a batch that the workers embed in parts.
    fn by_workers<C: Columns + Send>(
        &self,
        rows: usize,
        embed: impl Fn(&Self, Range<usize>) -> C + Sync,
        loss: impl FnOnce(C) -> Seen,
    ) -> TrainOutput<Seen> {
        let size = rows.div_ceil(self.workers.count());
        let parts: Vec<_> =
            (0..rows).step_by(size).map(|start| start..rows.min(start + size)).collect();
        let mut seen = None;
        let step = self.workers.step(self, &parts, embed, |columns| {
            let loss = loss(columns);
            seen.insert(loss).loss.clone()
        });
        let mut gradients = GradientsAccumulator::new();
        for (copy, part) in step.parts {
            gradients.accumulate(self, GradientsParams::from_grads(part, &copy));
        }
        TrainOutput { grads: gradients.grads(), item: seen.expect("the loss of the batch") }
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = Seen;

    fn step(&self, batch: Batch) -> TrainOutput<Seen> {
        let rows = batch.rows();
        match batch {
            Batch::Pairs { questions, answers } => {
                let embed = |model: &Self, rows: Range<usize>| {
                    let part = |words: &Words| words.clone().slice([rows.clone()]);
                    (model.embed(part(&questions)), model.embed(part(&answers)))
                };
                self.by_workers(rows, embed, |columns| self.rank(columns))
            }
            Batch::Labelled { texts, topics } => {
                let embed = |model: &Self, rows: Range<usize>| {
                    let topics = topics.clone().slice([rows.clone()]);
                    (model.embed(texts.clone().slice([rows])), topics)
                };
                self.by_workers(rows, embed, |columns| self.separate(columns))
            }
        }
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = Seen;

    fn step(&self, batch: Batch) -> Seen {
        match batch {
            Batch::Pairs { questions, answers } => {
                self.rank((self.embed(questions), self.embed(answers)))
            }
            Batch::Labelled { texts, topics } => self.separate((self.embed(texts), topics)),
        }
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

impl Task {
    /// The metric of its loss.
    pub const fn loss(self) -> &'static str {
        match self {
            Self::Pairs => "Pairs loss",
            Self::Topics => "Topics loss",
        }
    }

    /// The metric of the rows whose nearest neighbour is the right one.
    pub const fn recall(self) -> &'static str {
        match self {
            Self::Pairs => "Pairs recall@1",
            Self::Topics => "Topics recall@1",
        }
    }
}

/// The output of a step, from which the metrics are computed.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The data set of the batch.
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

impl Adaptor<LossParts> for Seen {
    fn adapt(&self) -> LossParts {
        let [rows] = self.found.dims();
        LossParts::new(rows)
            .with(self.task.loss(), self.loss.clone())
            .with(self.task.recall(), self.found.clone())
    }
}

use burn::prelude::*;

use super::draws::Draws;
use super::truncation::truncated;
use crate::batch::Batch;
use crate::diagnostics::Diagnostics;
use crate::error::{ConfigError, expect_valid};
use crate::losses::{Criterion, config};

pub(super) const NAME: &str = "MatryoshkaLoss";

config! {
    /// Configuration of [`MatryoshkaLoss`].
    pub struct MatryoshkaLossConfig(
        /// The dimensions that embeddings are shortened to, in any order; each at least 1 and at most the
        /// embeddings' own. One that is given twice counts twice. `matryoshka_dims` of
        /// sentence-transformers.
        #[serde(alias = "matryoshka_dims")]
        pub dims: Vec<usize>,
    ) {
        /// The weight of the loss at each of `dims`, finite; 1 without. `matryoshka_weights` of
        /// sentence-transformers.
        #[serde(alias = "matryoshka_weights")]
        pub weights: Option<Vec<f64>> = None, set by with_weights;
        /// The number of `dims` that are drawn in each step, at least 1; all without. `n_dims_per_step` of
        /// sentence-transformers, where -1 is all.
        pub dims_per_step: Option<usize> = None, set by with_dims_per_step;
        /// The seed that `dims_per_step` are drawn with.
        pub seed: u64 = 0, set by with_seed;
    }
}

impl MatryoshkaLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `dims` is empty or holds a 0, there is not a finite weight for each, or `dims_per_step` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        let unless = |holds, field, rule: &str, got: &dyn core::fmt::Display| {
            ConfigError::unless(holds, NAME, field, rule, got)
        };
        let count = self.dims.len();
        unless(count > 0, "dims", "must hold at least one dimension", &"none")?;
        unless(!self.dims.contains(&0), "dims", "must be at least 1 each", &0)?;
        if let Some(weights) = &self.weights {
            let rule = format!("must be {count}, one for each of `dims`");
            unless(weights.len() == count, "weights", &rule, &weights.len())?;
            weights.iter().try_for_each(|&w| ConfigError::unless_finite(NAME, "weights", w))?;
        }
        unless(self.dims_per_step != Some(0), "dims_per_step", "must be at least 1", &0)
    }

    /// Puts the loss around `loss`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<L>(&self, loss: L) -> MatryoshkaLoss<L> {
        expect_valid(self.check());
        MatryoshkaLoss { loss, draws: Draws::new(self.seed), config: self.clone() }
    }

    /// The dimensions, the largest first, with their weights.
    fn weighted_dims(&self) -> Vec<(usize, f64)> {
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; self.dims.len()]);
        let mut dims: Vec<_> = self.dims.iter().copied().zip(weights).collect();
        dims.sort_by_key(|&(dim, _)| core::cmp::Reverse(dim));
        dims
    }
}

/// Any loss, of the first dimensions of the embeddings, for several numbers of dimensions at once: embeddings
/// that stay useful when they are cut short.
///
/// ```text
/// L = Σ_d w_d · ℓ(e_1..d / ‖e_1..d‖)          d ∈ dims
/// ```
///
/// `ℓ` is the loss inside, of every embedding `e` of the batch, shortened to `d` dimensions and scaled to length
/// 1, at full width too. A teacher's embeddings ([`Role::Target`](crate::batch::Role::Target)) are shortened with
/// them, but not scaled; labels, scores and margins stay as they are. With `dims_per_step`, each step has some
/// of the dimensions, drawn with the seed, and not their expected sum.
///
/// The loss inside is any [`Criterion`], one of this crate or your own, and may be a wrapper itself. It takes a
/// [`Batch`], which knows the role of each tensor, and no tuple: in a tuple, a teacher's embeddings look
/// like the student's.
///
/// Put a [`GradCache`](crate::GradCache) around the whole loss. A loss that owns a layer for embeddings of one width
/// (`SoftmaxLoss`, `MseLoss` with a projection) fits only that width.
///
/// # Terms
///
/// None: it is one number for the whole batch.
///
/// # Differences
///
/// From sentence-transformers:
///
/// - What is shortened follows from its role. There, labels are shortened if they happen to be as wide as the
///   embeddings, so that a matrix of margins or scores of that width fails.
/// - It wraps any loss, those with named parts included (there, a type error), and changes nothing in it (there, a
///   cached loss inside stays changed).
/// - A zero row gets a zero gradient.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::RetrievalBatch;
/// use burn_embedding_losses::{MatryoshkaLossConfig, MultipleNegativesRankingLossConfig};
///
/// let device = Device::flex();
/// let queries = Tensor::<2>::from_floats([[1.0, 0.0, 2.0], [0.0, 1.0, 2.0]], &device);
/// let documents = Tensor::<2>::from_floats([[3.0, 0.0, 0.0], [0.0, 2.0, 0.0]], &device);
///
/// // In two dimensions the cosines are 1 and 0, in one (1, 0) and (0, 0): a row of zeros has no direction.
/// let inner = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
/// let loss = MatryoshkaLossConfig::new(vec![2, 1]).with_weights(Some(vec![1.0, 0.5])).init(inner);
/// let value = loss.forward(RetrievalBatch::from((queries, documents))).into_scalar::<f32>();
/// let (two, one) = (0.3132617, (0.3132617 + 2f32.ln()) / 2.0);
/// assert!((value - (two + 0.5 * one)).abs() < 1e-6);
/// ```
///
/// # References
///
/// - A. Kusupati et al.: Matryoshka Representation Learning, 2022, <https://arxiv.org/abs/2205.13147>
#[derive(Module, Debug)]
pub struct MatryoshkaLoss<L> {
    /// The loss inside.
    pub loss: L,
    #[module(skip)]
    draws: Draws,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MatryoshkaLossConfig,
}

impl<L> MatryoshkaLoss<L> {
    /// The loss of the batch, `[1]`.
    ///
    /// # Panics
    ///
    /// If the embeddings have fewer dimensions than one of `dims`, or the loss inside does not take the
    /// batch.
    #[track_caller]
    pub fn forward<B: Batch>(&self, batch: B) -> Tensor<1>
    where
        L: Criterion<B>,
    {
        let dims = self.config.weighted_dims();
        let mut sum: Option<Tensor<1>> = None;
        for place in self.draws.places(dims.len(), self.config.dims_per_step) {
            let (dim, weight) = dims[place];
            let part = self.loss.loss(truncated(batch.clone(), NAME, dim)) * weight;
            sum = Some(match sum {
                Some(sum) => sum + part,
                None => part,
            });
        }
        sum.expect("there is at least one dimension")
    }

    /// The dimensions, the largest first.
    pub fn dims(&self) -> Vec<usize> {
        self.config.weighted_dims().into_iter().map(|(dim, _)| dim).collect()
    }

    /// Takes these of its dimensions in the next call whose dimensions are not yet given, in place of drawn
    /// ones: to repeat a run of another program.
    ///
    /// # Panics
    ///
    /// If one of them is not among the loss's.
    #[track_caller]
    pub fn take_next(&self, dims: &[usize]) {
        let known = self.dims();
        let mut places = Vec::with_capacity(dims.len());
        for dim in dims {
            let place = known.iter().position(|known| known == dim);
            places.push(place.unwrap_or_else(|| {
                panic!("{NAME}: `take_next` must be given some of {known:?}, got {dim}")
            }));
        }
        self.draws.give(places);
    }

    /// Draws dimensions from now on as a loss with this seed does.
    pub fn restart_draws(&self, seed: u64) {
        self.draws.restart(seed);
    }
}

impl<B: Batch, L: Criterion<B>> Criterion<B> for MatryoshkaLoss<L> {
    #[track_caller]
    fn loss(&self, batch: B) -> Tensor<1> {
        self.forward(batch)
    }

    /// The diagnosis of the loss inside at the largest of the dimensions.
    #[track_caller]
    fn diagnose(&self, batch: B) -> Option<Diagnostics> {
        let (dim, _) = self.config.weighted_dims()[0];
        self.loss.diagnose(truncated(batch, NAME, dim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{DistillationBatch, MarginBatch, TripletBatch};
    use crate::losses::{MarginMseLossConfig, MseLossConfig, TripletLossConfig};

    fn rows(values: [[f64; 3]; 2]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    fn student() -> Tensor<2> {
        rows([[3.0, 4.0, 0.0], [0.0, 2.0, 7.0]])
    }

    #[test]
    fn bad_dims_are_named() {
        let config = || MatryoshkaLossConfig::new(vec![3, 2]);
        for (config, expected) in [
            (
                MatryoshkaLossConfig::new(vec![]),
                "`dims` must hold at least one dimension, got none",
            ),
            (MatryoshkaLossConfig::new(vec![3, 0]), "`dims` must be at least 1 each, got 0"),
            (
                config().with_weights(Some(vec![1.0])),
                "`weights` must be 2, one for each of `dims`, got 1",
            ),
            (config().with_weights(Some(vec![1.0, f64::NAN])), "`weights` must be finite, got NaN"),
            (config().with_dims_per_step(Some(0)), "`dims_per_step` must be at least 1, got 0"),
        ] {
            assert_eq!(
                config.check().unwrap_err().to_string(),
                format!("MatryoshkaLoss: {expected}")
            );
        }
    }

    #[test]
    #[should_panic(
        expected = "MatryoshkaLoss: `dims` must be at most 3, the width of `anchor`, got 4"
    )]
    fn embeddings_must_be_as_wide() {
        let loss = MatryoshkaLossConfig::new(vec![2, 4]).init(TripletLossConfig::new().init());
        loss.forward(TripletBatch::new(student(), student(), student()));
    }

    #[test]
    fn a_teacher_is_shortened_and_not_scaled() {
        let loss =
            MatryoshkaLossConfig::new(vec![2]).init(MseLossConfig::new().init(&Device::flex()));
        let teacher = rows([[0.6, 0.8, 9.0], [0.0, 3.0, 9.0]]);
        // Only the last differs: (1 − 3)² of four coordinates.
        let value: f32 =
            loss.forward(DistillationBatch::new(vec![student()], teacher)).into_scalar();
        assert!((value - 1.0).abs() < 1e-6, "{value}");
    }

    #[test]
    fn margins_as_wide_as_the_embeddings_stay() {
        let (inner, margins) = (MarginMseLossConfig::new().init(), rows([[0.5; 3], [1.0; 3]]));
        let batch = MarginBatch::new(student(), student(), vec![student(); 3], margins);
        // All scores are equal, so the error is the margin itself.
        let value: f32 =
            MatryoshkaLossConfig::new(vec![2]).init(inner).forward(batch).into_scalar();
        assert!((value - 0.625).abs() < 1e-6, "{value}");
    }

    #[test]
    fn dims_are_drawn_with_the_seed() {
        let config = MatryoshkaLossConfig::new(vec![1, 2, 3]).with_dims_per_step(Some(1));
        let values = |loss: &MatryoshkaLoss<_>| -> Vec<f32> {
            let batch = || TripletBatch::new(student(), student() * 2.0, student().flip([0]));
            (0..12).map(|_| loss.forward(batch()).into_scalar()).collect()
        };
        let loss = config.with_seed(3).init(TripletLossConfig::new().init());
        let drawn = values(&loss);
        assert!(drawn.iter().any(|value| *value != drawn[0]), "{drawn:?}");
        loss.restart_draws(3);
        assert_eq!(values(&loss), drawn);
    }
}

use burn::prelude::*;

use super::base_parts;
use super::flops::check_threshold;
use crate::batch::{Batch, trained};
use crate::diagnostics::Diagnostics;
use crate::error::{ConfigError, expect_valid};
use crate::losses::{Criterion, config};
use crate::objective::regularizer::flops;
use crate::reduction::{Parts, Reduced, Reduction, Terms};

const NAME: &str = "SpladeLoss";

config! {
    /// Configuration of [`SpladeLoss`].
    pub struct SpladeLossConfig(
        /// Factor of the regulariser of documents, `λ_d`; finite.
        pub document_regularizer_weight: f64,
    ) {
        /// Factor of the regulariser of queries, `λ_q`, finite; `None` leaves the regulariser out, for queries whose
        /// embeddings are not trained.
        pub query_regularizer_weight: Option<f64> = None, set by with_query_regularizer_weight;
        /// Documents with at most this many non-zero dimensions are sparse enough and do not count; not negative.
        /// `None` counts all.
        pub document_regularizer_threshold: Option<f64> = None, set by with_document_regularizer_threshold;
        /// The same for queries.
        pub query_regularizer_threshold: Option<f64> = None, set by with_query_regularizer_threshold;
        /// Whether all columns are documents, the first one as well. The options of queries then have no effect.
        pub use_document_regularizer_only: bool = false, set by with_use_document_regularizer_only;
    }
}

impl SpladeLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a weight is not finite, or a threshold is negative or not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let of_queries = self.query_regularizer_weight.unwrap_or(0.0);
        let of_documents = self.document_regularizer_weight;
        ConfigError::unless_finite(NAME, "document_regularizer_weight", of_documents)?;
        ConfigError::unless_finite(NAME, "query_regularizer_weight", of_queries)?;
        let (documents, queries) =
            (self.document_regularizer_threshold, self.query_regularizer_threshold);
        check_threshold(NAME, "document_regularizer_threshold", documents)?;
        check_threshold(NAME, "query_regularizer_threshold", queries)
    }

    /// Puts the loss around `loss`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<L>(&self, loss: L) -> SpladeLoss<L> {
        expect_valid(self.check());
        SpladeLoss { loss, config: self.clone() }
    }
}

/// Any loss, with regularisers that keep the embeddings of queries and documents sparse: the loss of SPLADE.
///
/// ```text
/// L = ℓ + λ_d FLOPS(documents) + λ_q FLOPS(queries)          FLOPS(X) = Σ_v (1/n Σᵢ xᵢᵥ)²
/// ```
///
/// `ℓ` is the loss inside. The first column of the batch that is trained holds the queries (the anchors, the left side of
/// pairs), all others hold documents. `FLOPS` is that of [`FlopsLoss`](super::FlopsLoss): all columns of documents count
/// as one.
///
/// The loss inside is any [`Criterion`], one of this crate or your own. It takes a [`Batch`], and no tuple. A
/// [`GradCache`](crate::GradCache) goes around the whole, and a wrapper that takes the batch of every layer as well. To
/// raise the weights while training, set them in `config`.
///
/// # Terms
///
/// None, but named parts: see [`parts`](Self::parts).
///
/// # Differences
///
/// From sentence-transformers:
///
/// - It wraps any loss. There, one with `compute_loss_from_embeddings`, that is one of sparse encoders.
/// - The regularisers are FLOPS. To add one of your own, write a [`Criterion`] that adds it.
/// - With `use_document_regularizer_only`, a weight of queries is ignored without a warning.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TripletBatch;
/// use burn_embedding_losses::TripletLossConfig;
/// use burn_embedding_losses::sparse::SpladeLossConfig;
///
/// let row = |row: [f32; 3]| Tensor::<2>::from_floats([row], &Device::flex());
/// let (query, positive, negative) = (row([1.0, 0.0, 0.0]), row([1.0, 2.0, 0.0]), row([1.0, 0.0, 4.0]));
///
/// let config = SpladeLossConfig::new(0.5).with_query_regularizer_weight(Some(0.25));
/// let loss = config.init(TripletLossConfig::new().init());
/// let parts = loss.parts(TripletBatch::new(query, positive, negative));
/// let values: Vec<_> = parts.iter().map(|(name, value)| (name, value.clone().into_scalar::<f32>())).collect();
/// // Distances 2 and 4 with the margin 5; means of the documents 1, 1 and 2.
/// assert_eq!(
///     values,
///     [("base_loss", 3.0), ("document_regularizer_loss", 3.0), ("query_regularizer_loss", 0.25)]
/// );
/// ```
///
/// # References
///
/// - T. Formal et al.: From Distillation to Hard Negative Sampling: Making Sparse Neural IR Models More Effective, 2022,
///   <https://arxiv.org/abs/2205.04733>
#[derive(Module, Debug)]
pub struct SpladeLoss<L> {
    /// The loss inside.
    pub loss: L,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: SpladeLossConfig,
}

impl<L> SpladeLoss<L> {
    /// The loss of the batch, `[1]`.
    ///
    /// # Panics
    ///
    /// If the batch has no column of documents, or the loss inside does not take it.
    #[track_caller]
    pub fn forward<B: Batch>(&self, batch: B) -> Tensor<1>
    where
        L: Criterion<B>,
    {
        self.parts(batch).total().into_value()
    }

    /// The named parts that the loss is the sum of, `[1]` each: `base_loss`, or the parts of the loss inside if it has
    /// some; `document_regularizer_loss`; and, if queries have a weight, `query_regularizer_loss`.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn parts<B: Batch>(&self, batch: B) -> Parts
    where
        L: Criterion<B>,
    {
        let config = &self.config;
        let mut queries = trained(&batch);
        let documents = match config.use_document_regularizer_only {
            true => core::mem::take(&mut queries),
            false => queries.split_off(queries.len().min(1)),
        };
        assert!(
            !documents.is_empty(),
            "{NAME}: `batch` must have a column of documents beside the queries, got none"
        );
        let parts = base_parts(&self.loss, batch).with(
            "document_regularizer_loss",
            regularizer(documents, config.document_regularizer_threshold)
                .weighted(config.document_regularizer_weight),
        );
        match config.query_regularizer_weight {
            Some(weight) if !queries.is_empty() => parts.with(
                "query_regularizer_loss",
                regularizer(queries, config.query_regularizer_threshold).weighted(weight),
            ),
            _ => parts,
        }
    }
}

/// Σ_v (1/n Σᵢ xᵢᵥ)²
fn regularizer(columns: Vec<Tensor<2>>, threshold: Option<f64>) -> Reduced {
    Terms::all(flops(columns, threshold)).reduce(Reduction::Sum)
}

impl<B: Batch, L: Criterion<B>> Criterion<B> for SpladeLoss<L> {
    #[track_caller]
    fn loss(&self, batch: B) -> Tensor<1> {
        self.forward(batch)
    }

    #[track_caller]
    fn parts(&self, batch: B) -> Option<Parts> {
        Some(self.parts(batch))
    }

    /// The diagnosis of the loss inside.
    #[track_caller]
    fn diagnose(&self, batch: B) -> Option<Diagnostics> {
        self.loss.diagnose(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{DistillationBatch, EmbeddingsBatch, PairBatch};
    use crate::losses::{
        CoSentLossConfig, GlobalOrthogonalRegularizationLossConfig, MseLossConfig,
    };

    fn rows(values: [[f32; 2]; 2]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    fn values(parts: &Parts) -> Vec<(&'static str, f32)> {
        parts.iter().map(|(name, value)| (name, value.clone().into_scalar())).collect()
    }

    #[test]
    fn bad_options_are_named() {
        let config = || SpladeLossConfig::new(0.1);
        for (config, expected) in [
            (
                SpladeLossConfig::new(f64::NAN),
                "`document_regularizer_weight` must be finite, got NaN",
            ),
            (
                config().with_query_regularizer_weight(Some(f64::INFINITY)),
                "`query_regularizer_weight` must be finite, got inf",
            ),
            (
                config().with_document_regularizer_threshold(Some(-1.0)),
                "`document_regularizer_threshold` must not be negative, got -1",
            ),
            (
                config().with_query_regularizer_threshold(Some(-2.0)),
                "`query_regularizer_threshold` must not be negative, got -2",
            ),
        ] {
            let error = config.check().unwrap_err().to_string();
            assert_eq!(error, format!("SpladeLoss: {expected}"));
        }
    }

    #[test]
    fn a_teacher_is_neither_query_nor_document() {
        let (student, teacher) = (rows([[2.0, 0.0], [0.0, 4.0]]), rows([[90.0, 0.0], [0.0, 90.0]]));
        let loss = SpladeLossConfig::new(1.0).with_use_document_regularizer_only(true);
        let loss = loss.init(MseLossConfig::new().init(&Device::flex()));
        let parts = loss.parts(DistillationBatch::new(vec![student], teacher));
        assert_eq!(values(&parts)[1], ("document_regularizer_loss", 5.0));
    }

    #[test]
    #[should_panic(
        expected = "SpladeLoss: `batch` must have a column of documents beside the queries, got none"
    )]
    fn queries_alone_are_refused() {
        let loss = SpladeLossConfig::new(1.0).init(MseLossConfig::new().init(&Device::flex()));
        let x = rows([[2.0, 0.0], [0.0, 4.0]]);
        loss.forward(DistillationBatch::new(vec![x.clone()], x));
    }

    #[test]
    fn only_documents_leave_out_the_weight_of_queries() {
        let config = SpladeLossConfig::new(1.0).with_query_regularizer_weight(Some(1.0));
        let loss = config.with_use_document_regularizer_only(true);
        let loss = loss.init(CoSentLossConfig::new().init());
        let labels = Tensor::<1>::from_floats([1.0, 0.0], &Device::flex());
        let (left, right) = (rows([[4.0, 0.0], [0.0, 0.0]]), rows([[0.0, 4.0], [4.0, 0.0]]));
        let parts = loss.parts(PairBatch::new(left, right, labels));
        // All four rows together: means 2 and 1.
        assert_eq!(values(&parts)[1..], [("document_regularizer_loss", 5.0)]);
    }

    #[test]
    fn parts_of_the_loss_inside_keep_their_names() {
        let inside = GlobalOrthogonalRegularizationLossConfig::new().init();
        let loss = SpladeLossConfig::new(1.0).init(inside);
        let column = rows([[1.0, 0.0], [0.0, 1.0]]);
        let names = |parts: Parts| values(&parts).iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(
            names(loss.parts(EmbeddingsBatch::new(vec![column; 2]))),
            ["gor_mean", "gor_second_moment", "document_regularizer_loss"]
        );
    }
}

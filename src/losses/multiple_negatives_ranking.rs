use burn::module::Param;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::{BatchLoss, config, forward};
use crate::batch::{Columns, RetrievalBatch};
use crate::blocks::Blocks;
use crate::diagnostics::Diagnostics;
use crate::error::{ConfigError, expect_valid};
use crate::geometry::Similarity;
use crate::objective::guide::Margin;
use crate::objective::ranking::{Candidates, Contest, Penalized, Ranking, Scale};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::scores::{Comparison, PairwiseScores, PairwiseSimilarity, Side};

const NAME: &str = "MultipleNegativesRankingLoss";

/// Which texts are ranked for which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// All documents (positives and hard negatives) for each query.
    #[serde(alias = "query_to_doc")]
    QueryToDocument,
    /// The other queries for each query.
    #[serde(alias = "query_to_query")]
    QueryToQuery,
    /// All queries for each positive.
    #[serde(alias = "doc_to_query")]
    DocumentToQuery,
    /// The documents of other queries for each positive.
    #[serde(alias = "doc_to_doc")]
    DocumentToDocument,
}

impl From<Direction> for Comparison {
    fn from(direction: Direction) -> Self {
        let (anchors, candidates) = match direction {
            Direction::QueryToDocument => (Side::Queries, Side::Documents),
            Direction::QueryToQuery => (Side::Queries, Side::Queries),
            Direction::DocumentToQuery => (Side::Documents, Side::Queries),
            Direction::DocumentToDocument => (Side::Documents, Side::Documents),
        };
        Self { anchors, candidates }
    }
}

/// Which scores share a softmax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionMode {
    /// The scores of all directions together.
    #[serde(alias = "joint")]
    Joint,
    /// The scores of each direction; the losses of the directions are averaged. For
    /// `QueryToDocument` and `DocumentToQuery` only.
    #[serde(alias = "per_direction")]
    PerDirection,
}

/// Which documents are made harder in the direction from query to document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hardness {
    /// Documents of other queries.
    #[serde(alias = "in_batch_negatives")]
    InBatchNegatives,
    /// Hard negatives of the query itself.
    #[serde(alias = "hard_negatives")]
    HardNegatives,
    /// Both.
    #[serde(alias = "all_negatives")]
    AllNegatives,
}

/// Which candidates are taken for positives that nobody has marked: those that score higher than the positive of their
/// anchor by more than a margin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum FalseNegatives {
    /// By more than this much.
    #[serde(alias = "absolute")]
    Absolute(f64),
    /// By more than this share of the positive's score; `-0.05` leaves out all above 95 % of it.
    #[serde(alias = "relative")]
    Relative(f64),
}

impl FalseNegatives {
    fn margin(self) -> f64 {
        let (Self::Absolute(margin) | Self::Relative(margin)) = self;
        margin
    }
}

impl From<FalseNegatives> for Margin {
    fn from(surplus: FalseNegatives) -> Self {
        match surplus {
            FalseNegatives::Absolute(margin) => Self::Absolute(-margin),
            FalseNegatives::Relative(share) => Self::Relative(-share),
        }
    }
}

impl From<PartitionMode> for Contest {
    fn from(mode: PartitionMode) -> Self {
        match mode {
            PartitionMode::Joint => Self::Joint,
            PartitionMode::PerDirection => Self::PerComparison,
        }
    }
}

impl From<Hardness> for Penalized {
    fn from(hardness: Hardness) -> Self {
        match hardness {
            Hardness::InBatchNegatives => Self::OtherRows,
            Hardness::HardNegatives => Self::OwnNegatives,
            Hardness::AllNegatives => Self::All,
        }
    }
}

config! {
    /// Configuration of [`MultipleNegativesRankingLoss`].
    pub struct MultipleNegativesRankingLossConfig {
        /// Factor on the similarities; positive. 20 suits the cosine, 1 the dot product. The inverse of
        /// a temperature: see [`with_temperature`](Self::with_temperature).
        pub scale: f64 = 20.0, set by with_scale;
        /// Whether the optimizer trains the scale, as in CLIP; `scale` is where it starts. Such a loss is
        /// built by [`init_on`](Self::init_on).
        pub learn_scale: bool = false, set by with_learn_scale;
        /// The lowest and the highest value of a scale that is trained, both positive.
        pub scale_bounds: (f64, f64) = (1.0, 100.0), set by with_scale_bounds;
        /// Similarity of query and document.
        #[serde(alias = "similarity_fct")]
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
        /// Which texts are ranked for which; must contain `QueryToDocument`, and no direction twice.
        pub directions: Vec<Direction> = vec![Direction::QueryToDocument], set by with_directions;
        /// Which scores share a softmax.
        pub partition_mode: PartitionMode = PartitionMode::Joint, set by with_partition_mode;
        /// Which negatives get a higher score the more similar they are; none if `None`.
        pub hardness_mode: Option<Hardness> = None, set by with_hardness_mode;
        /// Their score grows by this factor times their similarity, as a constant; 0 or more. Has no
        /// effect without a `hardness_mode`.
        pub hardness_strength: f64 = 0.0, set by with_hardness_strength;
        /// Whether the positive is left out of the sum under the logarithm, as in DCL.
        pub decoupled: bool = false, set by with_decoupled;
        /// Which candidates are left out as positives that nobody has marked; none if `None`. The margin is finite.
        pub false_negatives: Option<FalseNegatives> = None, set by with_false_negatives;
        /// Memory for the scores of one block of queries, in bytes; at least enough for one query, 12
        /// bytes per candidate and direction (24 in `f64`, more for `Manhattan` and with ids). Affects
        /// memory only, never the result. `None` means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MultipleNegativesRankingLossConfig {
    /// Sets [`scale`](Self::scale) to `1 / temperature`.
    pub fn with_temperature(self, temperature: f64) -> Self {
        self.with_scale(1.0 / temperature)
    }

    /// Builds the loss.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error, or `learn_scale` is set: a parameter needs a device.
    #[track_caller]
    pub fn init(&self) -> MultipleNegativesRankingLoss {
        let fixed = ConfigError::unless(
            !self.learn_scale,
            NAME,
            "learn_scale",
            "must be false for `init`: a scale that is trained needs `init_on(&device)`",
            self.learn_scale,
        );
        expect_valid(self.check().and(fixed));
        MultipleNegativesRankingLoss { log_scale: None, config: self.clone() }
    }

    /// Builds the loss; a scale that is trained is on `device`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init_on(&self, device: &Device) -> MultipleNegativesRankingLoss {
        expect_valid(self.check());
        let start = || Tensor::from_floats([self.scale.ln()], device);
        let log_scale = self.learn_scale.then(|| Param::from_tensor(start()));
        MultipleNegativesRankingLoss { log_scale, config: self.clone() }
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `scale` is not positive and finite, or `learn_scale` is set and it is outside of `scale_bounds`,
    /// if these are not positive, finite and in order, `directions` lacks `QueryToDocument` or repeats one,
    /// `PerDirection` is asked for with another direction than the two it is defined for,
    /// `hardness_strength` is negative or not finite, or the margin of `false_negatives` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let unless = |holds, field, rule, got: &dyn core::fmt::Debug| {
            let got = format_args!("{got:?}");
            ConfigError::unless(holds, NAME, field, rule, got)
        };
        let (scale, strength) = (self.scale, self.hardness_strength);
        unless(scale > 0.0 && scale.is_finite(), "scale", "must be positive", &scale)?;
        let (lowest, highest) = self.scale_bounds;
        unless(
            0.0 < lowest && lowest <= highest && highest.is_finite(),
            "scale_bounds",
            "must be positive, the lower one first",
            &self.scale_bounds,
        )?;
        unless(
            !self.learn_scale || (lowest..=highest).contains(&scale),
            "scale",
            "must be within `scale_bounds` to be trained",
            &scale,
        )?;
        unless(
            strength >= 0.0 && strength.is_finite(),
            "hardness_strength",
            "must be 0 or more",
            &strength,
        )?;
        let margin = self.false_negatives.map_or(0.0, FalseNegatives::margin);
        unless(margin.is_finite(), "false_negatives", "must have a finite margin", &margin)?;
        let directions = &self.directions;
        let forward = directions.contains(&Direction::QueryToDocument);
        unless(forward, "directions", "must contain QueryToDocument", directions)?;
        let repeated = (1..directions.len()).any(|i| directions[..i].contains(&directions[i]));
        unless(!repeated, "directions", "must name each direction once", directions)?;
        let across = directions.iter().all(|direction| {
            matches!(direction, Direction::QueryToDocument | Direction::DocumentToQuery)
        });
        unless(
            across || self.partition_mode == PartitionMode::Joint,
            "directions",
            "must be QueryToDocument or DocumentToQuery for PerDirection",
            directions,
        )
    }
}

/// InfoNCE with in-batch negatives: each query must find its own positive among the documents of
/// the whole batch.
///
/// ```text
/// zᵢⱼ = t s(qᵢ, dⱼ)          ℓᵢ = ln Σⱼ exp(zᵢⱼ) − zᵢᵢ          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `d` are the positives of all queries, then their hard negatives, if any; `t` is the scale.
/// Larger batches are harder and better. Equal texts in a batch are negatives of each other: sample
/// without duplicates, or give the rows [ids](RetrievalBatch::with_ids): rows of equal id are left out
/// of each other's sums. With classes as ids the loss learns from labels as SupCon does, with one
/// positive per row.
///
/// More [`Direction`]s add more scores to the sum under the logarithm (`Joint`), or a softmax each
/// (`PerDirection`). `DocumentToQuery` alone with `QueryToDocument`, `PerDirection`, is the
/// symmetric loss of CLIP; all four, `Joint`, is the loss of GTE. In `Joint` mode with
/// `DocumentToQuery` the positive is counted twice, so the loss does not go below `ln 2`.
///
/// Where a batch is spread over devices, [`gather`](crate::gather) it: each device has the terms of its
/// own queries, with the documents of all (`gather_across_devices` of sentence-transformers).
///
/// With `learn_scale` the loss owns a parameter, `log_scale = ln t`, as CLIP does; give it to the optimizer
/// together with the encoder's. `t` stays within `scale_bounds`: where the parameter has left them, the loss
/// uses the bound, and the gradient still reaches the parameter and can bring it back.
///
/// `decoupled` leaves the positive out of the sum, `ℓᵢ = ln Σ_{j≠i} exp(zᵢⱼ) − zᵢᵢ`, as DCL does: a positive that is
/// found easily no longer takes the gradient from the negatives, which helps small batches most. The loss may be
/// negative; a query without any other candidate has a term of 0.
///
/// With [`FalseNegatives`] a candidate that scores higher than the positive by more than a margin is no negative: it is
/// likely a positive that nobody has marked, as in a corpus with many right answers. The scores are those of the model
/// that is trained, before any hardness, and the choice has no gradient. A model that knows nothing yet would leave out
/// what it should learn: start from a trained one, or use [`GistEmbedLoss`](crate::GistEmbedLoss) with a guide.
///
/// A [`Hardness`] adds `strength · s`, a constant, to the scores of the negatives it names, in the
/// direction from query to document.
///
/// # Terms
///
/// One per query, `[n]`; in a gathered batch, one per own query.
///
/// # Differences
///
/// From sentence-transformers: a zero row gets a zero gradient under the cosine (there: up to
/// 1e12); all columns must have the same number of rows; a direction may not be repeated.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MultipleNegativesRankingLossConfig;
///
/// let device = Device::flex();
/// let queries = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let documents = Tensor::<2>::from_floats([[2.0, 0.0], [0.0, 3.0]], &device);
///
/// // Cosines 1 and 0 in both rows: ln(e¹ + e⁰) − 1
/// let loss = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
/// let value = loss.forward((queries, documents)).into_scalar::<f32>();
/// assert!((value - 0.3132617).abs() < 1e-6);
/// ```
///
/// # References
///
/// - M. Henderson et al.: Efficient Natural Language Response Suggestion for Smart Reply, 2017,
///   <https://arxiv.org/abs/1705.00652>
/// - A. van den Oord, Y. Li, O. Vinyals: Representation Learning with Contrastive Predictive
///   Coding, 2018, <https://arxiv.org/abs/1807.03748>
/// - A. Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021,
///   <https://arxiv.org/abs/2103.00020>
/// - C.-H. Yeh et al.: Decoupled Contrastive Learning, 2021, <https://arxiv.org/abs/2110.06848>
/// - G. Moreira et al.: NV-Retriever: Improving text embedding models with effective hard-negative mining, 2024,
///   <https://arxiv.org/abs/2407.15831>
/// - Z. Li et al.: Towards General Text Embeddings with Multi-stage Contrastive Learning, 2023,
///   <https://arxiv.org/abs/2308.03281>
#[derive(Module, Debug)]
pub struct MultipleNegativesRankingLoss {
    /// The logarithm of the scale, `[1]`, if it is trained.
    pub log_scale: Option<Param<Tensor<1>>>,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MultipleNegativesRankingLossConfig,
}

impl BatchLoss<RetrievalBatch> for MultipleNegativesRankingLoss {
    #[track_caller]
    fn terms(&self, batch: RetrievalBatch) -> Terms {
        let (candidates, ranking, blocks) = self.prepare(self.config.similarity, batch);
        // ln Σ exp(z) − zᵢᵢ
        candidates.terms(&ranking, blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: RetrievalBatch, reduction: Reduction) -> Reduced {
        let (candidates, ranking, blocks) = self.prepare(self.config.similarity, batch);
        // Σ (ln Σ exp(z) − zᵢᵢ), a block of queries at a time
        candidates.reduced(&ranking, reduction, blocks)
    }

    #[track_caller]
    fn diagnosis(&self, batch: RetrievalBatch) -> Diagnostics {
        let batch = batch.without_graph();
        let seen = Diagnostics::of(&batch, self.terms(batch.clone()).into_values());
        let (candidates, ranking, blocks) = self.prepare(self.config.similarity, batch);
        let count = |_| candidates.false_negatives(&ranking, blocks);
        Diagnostics { false_negatives: ranking.false_negatives.map(count), ..seen }
    }
}

impl MultipleNegativesRankingLoss {
    /// The loss of the batch, `[1]`, with a similarity of your own in place of the configured one.
    ///
    /// The parameters of the similarity get a gradient. See [`scores`](crate::scores) for an example.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[track_caller]
    pub fn forward_with<S: PairwiseSimilarity>(
        &self,
        similarity: &S,
        batch: impl Into<RetrievalBatch>,
    ) -> Tensor<1> {
        let (candidates, ranking, blocks) = self.prepare(similarity.clone(), batch.into());
        candidates.reduced(&ranking, self.config.reduction, blocks).into_value()
    }

    /// The scale in use, `[1]`, if it is trained.
    pub fn learned_scale(&self) -> Option<Tensor<1>> {
        let (lowest, highest) = self.config.scale_bounds;
        self.log_scale.as_ref().map(|log_scale| {
            let free = log_scale.val();
            // The distance to the bounds is a constant, so that the gradient passes.
            let outside = free.clone().clamp(lowest.ln(), highest.ln()) - free.clone();
            (free + outside.detach()).exp()
        })
    }

    fn factor(&self) -> Scale {
        match self.learned_scale() {
            Some(scale) => Scale::Learned(scale),
            None => Scale::Fixed(self.config.scale),
        }
    }

    #[track_caller]
    fn prepare<S: PairwiseSimilarity>(
        &self,
        similarity: S,
        batch: RetrievalBatch,
    ) -> (Candidates<PairwiseScores<S>>, Ranking, Blocks) {
        let anchors = batch.anchors();
        let candidates = Candidates::of_batch(similarity, batch, self.factor());
        let ranking = self.ranking();
        let bytes = candidates.bytes_per_query(&ranking);
        let blocks = anchors.blocks(NAME, self.config.memory_budget, bytes);
        (candidates, ranking, blocks)
    }

    fn ranking(&self) -> Ranking {
        let config = &self.config;
        Ranking {
            comparisons: config.directions.iter().map(|&direction| direction.into()).collect(),
            contest: config.partition_mode.into(),
            penalty: config.hardness_mode.map(|mode| (mode.into(), config.hardness_strength)),
            decoupled: config.decoupled,
            false_negatives: config.false_negatives.map(Margin::from),
        }
    }
}

forward!(
    MultipleNegativesRankingLoss,
    RetrievalBatch,
    "The loss of every query, `[n]`; where a gradient is wanted, all scores are in memory at once."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "MultipleNegativesRankingLoss: `scale` must be positive, got -1.0")]
    fn a_scale_must_be_positive() {
        MultipleNegativesRankingLossConfig::new().with_scale(-1.0).init();
    }

    #[test]
    fn wrong_directions_are_named() {
        for (directions, mode, rule) in [
            (vec![], PartitionMode::Joint, "must contain QueryToDocument"),
            (vec![Direction::QueryToDocument; 2], PartitionMode::Joint, "each direction once"),
            (
                vec![Direction::QueryToDocument, Direction::QueryToQuery],
                PartitionMode::PerDirection,
                "for PerDirection",
            ),
        ] {
            let config = MultipleNegativesRankingLossConfig::new()
                .with_directions(directions)
                .with_partition_mode(mode);
            let message = config.check().unwrap_err().to_string();
            assert!(message.contains(rule), "{message}");
        }
    }

    #[test]
    #[should_panic(expected = "`learn_scale` must be false for `init`")]
    fn a_scale_that_is_trained_needs_a_device() {
        MultipleNegativesRankingLossConfig::new().with_learn_scale(true).init();
    }

    #[test]
    #[should_panic(expected = "`scale` must be within `scale_bounds` to be trained, got 200.0")]
    fn a_scale_that_is_trained_starts_within_its_bounds() {
        let config = MultipleNegativesRankingLossConfig::new().with_scale(200.0);
        config.with_learn_scale(true).init_on(&Device::flex());
    }

    #[test]
    fn a_temperature_is_the_inverse_of_a_scale() {
        let config = MultipleNegativesRankingLossConfig::new().with_temperature(0.05);
        assert!((config.scale - 20.0).abs() < 1e-12);
    }

    const QUERIES: [[f64; 2]; 3] = [[0.3, -1.2], [0.9, 0.4], [-0.5, 0.7]];
    /// Three positives, then a hard negative for each.
    const DOCUMENTS: [[f64; 2]; 6] =
        [[0.1, -0.8], [1.1, 0.2], [0.4, 0.6], [0.2, 0.2], [-0.3, 0.5], [0.6, -0.1]];

    fn tensor(rows: &[[f64; 2]]) -> Tensor<2> {
        let numbers: Vec<_> = rows.iter().flatten().copied().collect();
        let data = TensorData::new(numbers, [rows.len(), 2]);
        Tensor::from_data(data, (&Device::flex(), burn::tensor::DType::F64))
    }

    fn batch() -> RetrievalBatch {
        let (positives, negatives) = DOCUMENTS.split_at(3);
        (tensor(&QUERIES), tensor(positives), tensor(negatives)).into()
    }

    fn assert_terms(
        loss: &MultipleNegativesRankingLoss,
        tolerance: f64,
        expected: impl Fn(usize) -> f64,
    ) {
        let terms = loss.forward_no_reduction(batch()).into_data();
        for (i, term) in terms.iter::<f64>().enumerate() {
            assert!((term - expected(i)).abs() < tolerance, "{term}, expected {}", expected(i));
        }
    }

    fn dot(x: [f64; 2], y: [f64; 2]) -> f64 {
        x[0] * y[0] + x[1] * y[1]
    }

    /// The scores that the loss of a row is made of, without those above `limit`: those of the documents, then, if they
    /// are ranked as well, of the positive with queries, and of queries and of positives among themselves.
    fn counted(i: usize, limit: f64, all: bool) -> Vec<f64> {
        let mut scores = Vec::new();
        let mut add = |own: bool, x, y| {
            let score = dot(x, y);
            if own || score <= limit {
                scores.push(score);
            }
        };
        for (j, document) in DOCUMENTS.into_iter().enumerate() {
            add(i == j, QUERIES[i], document);
            // Neither its own positive nor its own hard negative.
            if all && j % 3 != i {
                add(false, DOCUMENTS[i], document);
            }
        }
        for (j, query) in QUERIES.into_iter().enumerate().filter(|_| all) {
            add(i == j, DOCUMENTS[i], query);
            if i != j {
                add(false, QUERIES[i], query);
            }
        }
        scores
    }

    #[test]
    fn candidates_that_score_too_high_are_no_negatives() {
        let everything = [
            Direction::QueryToDocument,
            Direction::QueryToQuery,
            Direction::DocumentToQuery,
            Direction::DocumentToDocument,
        ];
        let config = MultipleNegativesRankingLossConfig::new()
            .with_similarity(Similarity::Dot)
            .with_scale(2.0);
        let mut left_out = Vec::new();
        for surplus in [
            FalseNegatives::Absolute(0.1),
            FalseNegatives::Absolute(-0.2),
            FalseNegatives::Relative(0.0),
            FalseNegatives::Relative(-0.4),
        ] {
            for directions in [&everything[..1], &everything] {
                let all = directions.len() > 1;
                let limit = |i: usize| {
                    let own = dot(QUERIES[i], DOCUMENTS[i]);
                    match surplus {
                        FalseNegatives::Absolute(margin) => own + margin,
                        FalseNegatives::Relative(share) => own + share * own.abs(),
                    }
                };
                let expected = |i: usize| {
                    let scores = counted(i, limit(i), all).into_iter();
                    let own = 2.0 * dot(QUERIES[i], DOCUMENTS[i]);
                    scores.map(|score| (2.0 * score).exp()).sum::<f64>().ln() - own
                };
                let config = config.clone().with_false_negatives(Some(surplus));
                let config = config.with_directions(directions.to_vec());
                assert_terms(&config.init(), 1e-12, expected);
                // The unit of an absolute margin is the score before its factor.
                let learned = config.clone().with_learn_scale(true).init_on(&Device::flex());
                assert_terms(&learned, 1e-6, expected);
                let count = |i| counted(i, f64::MAX, all).len() - counted(i, limit(i), all).len();
                let count = (0..3).map(count).sum::<usize>();
                assert_eq!(config.init().diagnose(batch()).false_negatives, Some(count));
                left_out.push(count);
            }
        }
        assert_eq!(left_out, [1, 3, 2, 6, 1, 3, 1, 5]);
        assert_eq!(config.init().diagnose(batch()).false_negatives, None);
    }

    #[test]
    fn hardness_has_the_unit_of_the_score_whether_its_factor_is_learned_or_not() {
        let config = MultipleNegativesRankingLossConfig::new()
            .with_similarity(Similarity::Dot)
            .with_scale(2.0)
            .with_hardness_mode(Some(Hardness::HardNegatives))
            .with_hardness_strength(0.7);
        let expected = |i: usize| {
            let z = |j: usize| {
                let score = dot(QUERIES[i], DOCUMENTS[j]);
                2.0 * score + if j == i + 3 { 0.7 * score } else { 0.0 }
            };
            (0..6).map(|j| z(j).exp()).sum::<f64>().ln() - z(i)
        };
        assert_terms(&config.init(), 1e-12, expected);
        let learned = config.with_learn_scale(true).init_on(&Device::flex());
        assert_terms(&learned, 1e-6, expected);
    }

    #[test]
    fn equal_texts_are_no_false_negatives_at_a_margin_of_zero() {
        let text = tensor(&[[0.3, -1.2], [0.3, -1.2], [0.3, -1.2]]);
        let config = MultipleNegativesRankingLossConfig::new();
        let config = config.with_false_negatives(Some(FalseNegatives::Absolute(0.0)));
        let value = config.init().forward((text.clone(), text)).into_scalar::<f64>();
        assert!((value - 3f64.ln()).abs() < 1e-12, "{value}");
    }

    #[test]
    #[should_panic(expected = "`false_negatives` must have a finite margin, got NaN")]
    fn a_margin_of_false_negatives_is_finite() {
        let surplus = FalseNegatives::Relative(f64::NAN);
        MultipleNegativesRankingLossConfig::new().with_false_negatives(Some(surplus)).init();
    }

    /// `ln Σ_{j≠i} exp(zᵢⱼ) − zᵢᵢ` of dot products, one by one.
    fn decoupled(queries: &[[f64; 2]], documents: &[[f64; 2]], scale: f64) -> Vec<f64> {
        let z = |i: usize, j: usize| scale * dot(queries[i], documents[j]);
        let term = |i| {
            let others = (0..documents.len()).filter(|&j| j != i);
            others.map(|j| z(i, j).exp()).sum::<f64>().ln() - z(i, i)
        };
        (0..queries.len()).map(term).collect()
    }

    #[test]
    fn a_decoupled_positive_does_not_compete_with_itself() {
        let config = MultipleNegativesRankingLossConfig::new()
            .with_scale(2.0)
            .with_similarity(Similarity::Dot)
            .with_decoupled(true);
        let expected = decoupled(&QUERIES, &DOCUMENTS, 2.0);
        assert_terms(&config.init(), 1e-12, |i| expected[i]);
        // A single query has nothing to be told from.
        let single = (tensor(&QUERIES[..1]), tensor(&DOCUMENTS[..1]));
        for directions in [
            vec![Direction::QueryToDocument],
            vec![Direction::QueryToDocument, Direction::DocumentToQuery],
        ] {
            for mode in [PartitionMode::Joint, PartitionMode::PerDirection] {
                let config = config.clone().with_directions(directions.clone());
                let loss = config.with_partition_mode(mode).init();
                let value = loss.forward(single.clone()).into_data().try_to_vec::<f64>().unwrap();
                assert!(value[0].abs() < 1e-12, "{value:?}");
            }
        }
    }
}

//! Diagnosis of a batch: does it give the loss anything to learn from?
//!
//! A batch without signal has a loss that looks like any other. Every loss can say what it saw:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::BatchHardTripletLossConfig;
//!
//! let device = Device::flex();
//! let embeddings = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], &device);
//! let labels = Tensor::<1, Int>::from_ints([7, 7, 7], &device);
//!
//! let loss = BatchHardTripletLossConfig::new().init();
//! let seen = loss.diagnose((embeddings, labels));
//! assert_eq!((seen.active_terms, seen.valid_anchors), (3, Some(0)));
//! let why = seen.dead().expect("one class only").to_string();
//! assert!(why.starts_with("no row has both a positive and a negative"));
//! ```
//!
//! Nothing is computed for it unless it is asked for. It reads from the device, and keeps no graph.

mod finite;
mod geometry;

use core::fmt::{self, Display};

use burn::prelude::*;
use serde::{Deserialize, Serialize};

pub(crate) use geometry::Surveyed;

/// Counts of what a loss can learn from a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// The number of rows of the batch.
    pub rows: usize,
    /// The number of rows with a NaN or an infinity in an embedding. The counts below the terms
    /// are of the other rows.
    pub non_finite_rows: usize,
    /// The number of terms of the loss; each loss defines its terms under *Terms*.
    pub terms: usize,
    /// The number of terms larger than 0.
    pub active_terms: usize,
    /// Rows that have a positive as well as a negative; `None` where a batch names both, or neither.
    pub valid_anchors: Option<usize>,
    /// Pairs of an anchor and a document that would be compared as negatives but have the same id;
    /// `None` for a batch without ids.
    pub masked_negatives: Option<usize>,
    /// Candidates that the loss takes for positives nobody has marked, by their scores, and leaves out
    /// ([`FalseNegatives`](crate::losses::FalseNegatives)); `None` for a loss that does not.
    pub false_negatives: Option<usize>,
    /// Hard negatives that a [mask](crate::batch::RetrievalBatch::with_negative_mask) leaves out;
    /// `None` for a batch without one.
    pub missing_negatives: Option<usize>,
    /// Mean cosine of an anchor and its positive, for labelled batches the hardest; in `[-1, 1]`.
    ///
    /// Of pairs, those with a label above ½. `None` where there is no positive.
    pub positive_similarity: Option<f64>,
    /// Mean cosine of an anchor and its hardest negative, in `[-1, 1]`.
    ///
    /// Of pairs, the mean of those with a label of ½ at most. `None` where there is no negative.
    pub negative_similarity: Option<f64>,
}

impl Diagnostics {
    /// Looks at a batch without a graph, and at the terms that a loss computes from it.
    pub(crate) fn of<B: Surveyed>(batch: &B, terms: Tensor<1>) -> Self {
        let finite = finite::rows(batch);
        let non_finite_rows = finite.iter().filter(|&&finite| !finite).count();
        let seen = finite::only(batch.clone(), &finite).map(|finite| finite.survey());
        let seen = seen.unwrap_or_default();
        let [count] = terms.dims();
        Self {
            rows: finite.len(),
            non_finite_rows,
            terms: count,
            active_terms: terms.into_data().iter::<f64>().filter(|&term| term > 0.0).count(),
            valid_anchors: seen.valid_anchors,
            masked_negatives: seen.masked_negatives,
            false_negatives: None,
            missing_negatives: seen.missing_negatives,
            positive_similarity: seen.positive,
            negative_similarity: seen.negative,
        }
    }

    /// Why there is nothing to learn from the batch; `None` if there is.
    pub fn dead(&self) -> Option<DeadBatch> {
        match (self.valid_anchors, self.active_terms) {
            _ if self.non_finite_rows > 0 => Some(DeadBatch::NotFinite),
            (Some(0), _) if self.rows == 1 => Some(DeadBatch::SingleRow),
            (Some(0), _) => Some(DeadBatch::NoValidAnchor),
            (_, 0) => Some(DeadBatch::NoActiveTerm),
            _ => None,
        }
    }
}

/// Why a batch teaches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeadBatch {
    /// An embedding has a NaN or an infinity, and spoils the loss or its gradients.
    NotFinite,
    /// There is one row, and nothing to compare it with.
    SingleRow,
    /// All rows are of one class or id, or each is alone in its class.
    NoValidAnchor,
    /// All terms are 0: the margin is reached everywhere, or no two labels differ.
    NoActiveTerm,
}

impl Display for DeadBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => {
                "some embeddings are NaN or infinite: look for the step at which the encoder's \
                 parameters became so, and try a smaller learning rate or clipped gradients"
            }
            Self::SingleRow => {
                "the batch has one row, and nothing to compare it with: larger batches are needed, \
                 and a last batch that is too small can be left out"
            }
            Self::NoValidAnchor => {
                "no row has both a positive and a negative in its batch: sample batches by label, \
                 several rows of several labels (`sampler::GroupByLabel`), or ids that differ"
            }
            Self::NoActiveTerm => {
                "all terms are 0: the margin is reached everywhere, so harder negatives, a larger \
                 batch or a larger margin are needed to learn more; for CoSENTLoss and AnglELoss, \
                 no two labels differ"
            }
        })
    }
}

impl Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} terms active", self.active_terms, self.terms)?;
        if self.non_finite_rows > 0 {
            write!(f, ", {} of {} rows not finite", self.non_finite_rows, self.rows)?;
        }
        if let Some(anchors) = self.valid_anchors {
            write!(f, ", {anchors} valid anchors")?;
        }
        if let Some(masked) = self.masked_negatives {
            write!(f, ", {masked} false negatives masked")?;
        }
        if let Some(found) = self.false_negatives {
            write!(f, ", {found} candidates too similar for negatives")?;
        }
        if let Some(missing) = self.missing_negatives {
            write!(f, ", {missing} hard negatives missing")?;
        }
        let cosines =
            [("positives", self.positive_similarity), ("negatives", self.negative_similarity)];
        for (name, cosine) in cosines {
            if let Some(cosine) = cosine {
                write!(f, ", cosine of {name} {cosine:.3}")?;
            }
        }
        Ok(())
    }
}

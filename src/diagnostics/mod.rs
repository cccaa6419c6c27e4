//! What a batch gives a loss to learn from.
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

mod geometry;

use core::fmt::{self, Display};

use burn::prelude::*;
use serde::{Deserialize, Serialize};

pub(crate) use geometry::{Geometry, Surveyed};

/// What a loss saw in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// How many terms the loss has: what a term is, each loss says under *Terms*.
    pub terms: usize,
    /// How many of them are larger than 0.
    pub active_terms: usize,
    /// Rows that have a positive as well as a negative; `None` where a batch names both, or neither.
    pub valid_anchors: Option<usize>,
    /// Pairs of an anchor and a document that would be compared as negatives but have the same id;
    /// `None` for a batch without ids.
    pub masked_negatives: Option<usize>,
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
    pub(crate) fn new(terms: Tensor<1>, geometry: Geometry) -> Self {
        let Geometry { valid_anchors, masked_negatives, positive, negative } = geometry;
        let [count] = terms.dims();
        let active_terms = terms.into_data().iter::<f64>().filter(|&term| term > 0.0).count();
        Self {
            terms: count,
            active_terms,
            valid_anchors,
            masked_negatives,
            positive_similarity: positive,
            negative_similarity: negative,
        }
    }

    /// Why there is nothing to learn from the batch; `None` if there is.
    pub fn dead(&self) -> Option<DeadBatch> {
        match (self.valid_anchors, self.active_terms) {
            (Some(0), _) => Some(DeadBatch::NoValidAnchor),
            (_, 0) => Some(DeadBatch::NoActiveTerm),
            _ => None,
        }
    }
}

/// Why a batch teaches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeadBatch {
    /// All rows are of one class or id, or each is alone in its class.
    NoValidAnchor,
    /// All terms are 0: the margin is reached everywhere.
    NoActiveTerm,
}

impl Display for DeadBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoValidAnchor => {
                "no row has both a positive and a negative in its batch: sample batches by label, \
                 several rows of several labels (`sampler::GroupByLabel`), or ids that differ"
            }
            Self::NoActiveTerm => {
                "all terms are 0: what the margin asks for is reached, so harder negatives, a \
                 larger batch or a larger margin are needed to learn more"
            }
        })
    }
}

impl Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} terms active", self.active_terms, self.terms)?;
        if let Some(anchors) = self.valid_anchors {
            write!(f, ", {anchors} valid anchors")?;
        }
        if let Some(masked) = self.masked_negatives {
            write!(f, ", {masked} false negatives masked")?;
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

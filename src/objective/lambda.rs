//! Pairs of documents of a list that should be in the order of their labels, weighed by what their order
//! means for NDCG.

use core::ops::Range;

use burn::prelude::*;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::hinge::log_one_plus_exp;
use crate::batch::ListBatch;
use crate::blocks::{self, Blocks};
use crate::reduction::{Reduced, Reduction};
use crate::select::{places_by_rank, ranks};

/// Differences of scores beyond this count as this.
const LARGEST_DIFFERENCE: f64 = 1e8;

/// Tensors of a block, forward and backward, in numbers per pair.
const NUMBERS_PER_PAIR: usize = 40;

/// Memory that the pairs of one document need, in bytes, for lists of this shape and type.
pub fn pair_bytes(logits: &Tensor<2>) -> usize {
    logits.dims()[1] * NUMBERS_PER_PAIR * logits.dtype().size()
}

/// The weight of a pair of documents: the weighting schemes of LambdaLoss.
///
/// `Gᵢ = (2^yᵢ − 1) / maxDCG` is the gain of document `i`, `Dᵢ = log₂(1 + rᵢ)` the discount of its rank.
/// A negative label has gain 0.
///
/// In JSON, Python's class names: `"NDCGLoss2PPScheme"`, `{"name": "NDCGLoss2PPScheme", "mu": 10.0}`, or
/// `null` for none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PairWeights {
    /// 1: RankNet.
    One,
    /// `Gᵢ / Dᵢ` for all pairs of documents, also those with equal labels and a document with itself.
    NdcgLoss1,
    /// `|1/D(|rᵢ − rⱼ|) − 1/D(|rᵢ − rⱼ| + 1)| · |Gᵢ − Gⱼ|`.
    NdcgLoss2,
    /// `|1/Dᵢ − 1/Dⱼ| · |Gᵢ − Gⱼ|`: by how much NDCG changes if the two change places.
    LambdaRank,
    /// `mu · NdcgLoss2 + LambdaRank`.
    NdcgLoss2PlusPlus {
        /// The weight of the first part; not negative. 10 in the paper.
        mu: f64,
    },
}

impl PairWeights {
    /// Whether all pairs of documents count, not only those of different labels.
    fn takes_all_pairs(self) -> bool {
        self == Self::NdcgLoss1
    }

    /// The weight of document `i` above document `j`; `None` for 1.
    fn of(self, i: &Documents, j: &Documents) -> Option<Tensor<2>> {
        let gains = || (i.gain.clone() - j.gain.clone()).abs();
        let swap = || (i.inverse_discount() - j.inverse_discount()).abs() * gains();
        let step = || {
            // A document is in no pair with itself.
            let apart = (i.rank.clone() - j.rank.clone()).abs().clamp_min(1.0);
            let next = inverse_discount(apart.clone().add_scalar(1.0));
            (inverse_discount(apart) - next).abs() * gains()
        };
        match self {
            Self::One => None,
            Self::NdcgLoss1 => Some(i.gain.clone() * i.inverse_discount()),
            Self::NdcgLoss2 => Some(step()),
            Self::LambdaRank => Some(swap()),
            Self::NdcgLoss2PlusPlus { mu } => Some(step().mul_scalar(mu) + swap()),
        }
    }
}

impl Serialize for PairWeights {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match *self {
            Self::One => "NoWeightingScheme",
            Self::NdcgLoss1 => "NDCGLoss1Scheme",
            Self::NdcgLoss2 => "NDCGLoss2Scheme",
            Self::LambdaRank => "LambdaRankScheme",
            Self::NdcgLoss2PlusPlus { mu } => {
                let name = "NDCGLoss2PPScheme".to_owned();
                return Scheme { name, mu: Some(mu) }.serialize(serializer);
            }
        };
        serializer.serialize_str(name)
    }
}

/// A weighting scheme with its options.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scheme {
    name: String,
    mu: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NamedScheme {
    Name(String),
    Options(Scheme),
}

impl<'de> Deserialize<'de> for PairWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Scheme { name, mu } = match Option::<NamedScheme>::deserialize(deserializer)? {
            None => return Ok(Self::One),
            Some(NamedScheme::Name(name)) => Scheme { name, mu: None },
            Some(NamedScheme::Options(scheme)) => scheme,
        };
        let class = name.rsplit('.').next().unwrap_or_default();
        match (class, mu) {
            ("NoWeightingScheme", None) => Ok(Self::One),
            ("NDCGLoss1Scheme", None) => Ok(Self::NdcgLoss1),
            ("NDCGLoss2Scheme", None) => Ok(Self::NdcgLoss2),
            ("LambdaRankScheme", None) => Ok(Self::LambdaRank),
            ("NDCGLoss2PPScheme", mu) => Ok(Self::NdcgLoss2PlusPlus { mu: mu.unwrap_or(10.0) }),
            (class, mu) => Err(D::Error::custom(format!(
                "`weighting_scheme` must be NoWeightingScheme, NDCGLoss1Scheme, NDCGLoss2Scheme, \
                 LambdaRankScheme, NDCGLoss2PPScheme (the only one with `mu`) or null, got {class}{}",
                if mu.is_some() { " with `mu`" } else { "" }
            ))),
        }
    }
}

/// The logarithm in which pairs are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogBase {
    /// `log₂`.
    #[serde(alias = "binary")]
    Binary,
    /// `ln`.
    #[serde(alias = "natural")]
    Natural,
}

/// Which pairs of documents are compared, with which weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LambdaRule {
    /// The weight of a pair.
    pub weights: PairWeights,
    /// Pairs count if one of their documents is among the best `k` by score; all pairs if `None`.
    pub k: Option<usize>,
    /// Factor on differences of scores.
    pub sigma: f64,
    /// The least maximal DCG of a list that its gains are divided by.
    pub eps: f64,
    /// The logarithm.
    pub base: LogBase,
}

/// `−Σ w_ij log σ(σ (sᵢ − sⱼ)) / #{pairs}` over all pairs of documents of the same list with `yᵢ > yⱼ`, one
/// number for the batch; 0 if there is no pair.
///
/// # Numerical behavior
///
/// Pairs are compared a block of documents at a time; `blocks` divides a number of documents. With `k`, only the best `k` documents of a list are
/// compared with the others. Gains are relative to the largest label of a list, so large labels do not
/// overflow.
pub fn lambda_pairs(
    batch: ListBatch,
    rule: LambdaRule,
    blocks: impl Fn(usize) -> Blocks,
) -> Reduced {
    let ListBatch { logits, labels, exists } = batch;
    let [lists, longest] = logits.dims();
    let k = rule.k.map_or(longest, |k| k.min(longest));
    let all = blocks(lists * longest);
    let weighed = rule.weights != PairWeights::One;
    let rank = ranks(logits.clone(), exists.clone(), all);
    let gain = match weighed {
        true => {
            let ideal_rank = ranks(labels.clone(), exists.clone(), all);
            gains(labels.clone(), ideal_rank, exists.clone(), [k as f64, rule.eps])
        }
        false => labels.zeros_like(),
    };
    let others = Lists { labels, rank: rank.clone(), gain, exists };
    let best = places_by_rank(rank).slice([0..lists, 0..k]);
    let anchors = others.gather(&best);

    let part = |range: Range<usize>, [scores]: [Tensor<2>; 1]| {
        let list = Tensor::<1, Int>::arange(range.start as i64..range.end as i64, &scores.device())
            .div_scalar(k as i64);
        let i = anchors.elements(range.clone());
        let j = others.rows(list.clone());
        let of_i = scores.clone().gather(1, best.clone()).reshape([lists * k, 1]);
        let apart = of_i.slice([range, 0..1]) - scores.select(0, list);
        let apart = apart.clamp(-LARGEST_DIFFERENCE, LARGEST_DIFFERENCE).mul_scalar(rule.sigma);
        let (value, count) = i.above(&j, apart.clone(), rule.weights, None);
        if k == longest {
            return (value, count);
        }
        // Pairs whose better document alone is not among the best.
        let beyond = j.rank.clone().greater_elem(k as f64);
        let (below, more) = j.above(&i, apart.neg(), rule.weights, Some(beyond));
        (value + below, count + more)
    };
    let (sum, counts) = blocks::sum_with([logits], blocks(lists * k), part);
    let count = Tensor::cat(counts, 0).sum();
    let base = if rule.base == LogBase::Binary { 2f64.ln().recip() } else { 1.0 };
    Reduced::of_sum(sum.mul_scalar(base), count, Reduction::Mean)
}

/// Labels, ranks and gains of all documents, `[lists, longest]` each.
struct Lists {
    labels: Tensor<2>,
    rank: Tensor<2>,
    gain: Tensor<2>,
    exists: Tensor<2, Bool>,
}

impl Lists {
    /// The documents at these places of their lists.
    fn gather(&self, places: &Tensor<2, Int>) -> Self {
        let gather = |x: &Tensor<2>| x.clone().gather(1, places.clone());
        Self {
            labels: gather(&self.labels),
            rank: gather(&self.rank),
            gain: gather(&self.gain),
            exists: self.exists.clone().int().gather(1, places.clone()).bool(),
        }
    }

    /// Some elements of the flattened matrices, `[elements, 1]` each.
    fn elements(&self, range: Range<usize>) -> Documents {
        let count = self.labels.shape().num_elements();
        let of = |x: &Tensor<2>| x.clone().reshape([count, 1]).slice([range.clone(), 0..1]);
        Documents {
            label: of(&self.labels),
            rank: of(&self.rank),
            gain: of(&self.gain),
            exists: self.exists.clone().reshape([count, 1]).slice([range.clone(), 0..1]),
        }
    }

    /// Some rows, `[elements, longest]` each.
    fn rows(&self, list: Tensor<1, Int>) -> Documents {
        let of = |x: &Tensor<2>| x.clone().select(0, list.clone());
        Documents {
            label: of(&self.labels),
            rank: of(&self.rank),
            gain: of(&self.gain),
            exists: self.exists.clone().int().select(0, list.clone()).bool(),
        }
    }
}

/// One side of the pairs of a block: a column for the documents that are compared, or rows for all others
/// of their lists.
struct Documents {
    label: Tensor<2>,
    rank: Tensor<2>,
    gain: Tensor<2>,
    exists: Tensor<2, Bool>,
}

impl Documents {
    fn inverse_discount(&self) -> Tensor<2> {
        inverse_discount(self.rank.clone())
    }

    /// Pairs in which these documents should be above `others`, given how far they are: the weighted sum,
    /// `[1]`, and the number of pairs, `[1]`. With `only`, other pairs do not count.
    fn above(
        &self,
        others: &Self,
        apart: Tensor<2>,
        weights: PairWeights,
        only: Option<Tensor<2, Bool>>,
    ) -> (Tensor<1>, Tensor<1>) {
        let exist = |side: &Self| side.exists.clone().expand(apart.dims());
        let mut counts = exist(self).bool_and(exist(others));
        if !weights.takes_all_pairs() {
            counts = counts.bool_and(self.label.clone().greater(others.label.clone()));
        }
        if let Some(only) = only {
            counts = counts.bool_and(only);
        }
        let count = counts.clone().float().cast(apart.dtype()).sum();
        let missed = log_one_plus_exp(apart.neg());
        let missed = match weights.of(self, others) {
            Some(weights) => missed * weights,
            None => missed,
        };
        (missed.mask_fill(counts.bool_not(), 0.0).sum(), count)
    }
}

/// `1 / log₂(1 + r)`.
fn inverse_discount(rank: Tensor<2>) -> Tensor<2> {
    rank.add_scalar(1.0).log().recip().mul_scalar(2f64.ln())
}

/// `(2^max(y, 0) − 1) / max(maxDCG, eps)` of every document, `[lists, longest]`; `maxDCG` is the DCG of the best `k`
/// documents in the order of their labels.
fn gains(
    labels: Tensor<2>,
    ideal_rank: Tensor<2>,
    exists: Tensor<2, Bool>,
    [k, eps]: [f64; 2],
) -> Tensor<2> {
    let grade = labels.clamp_min(0.0).mask_fill(exists.bool_not(), 0.0);
    let largest = grade.clone().max_dim(1);
    let power = |x: Tensor<2>| x.mul_scalar(2f64.ln()).exp();
    // Everything is divided by the largest power of 2, which may not fit the type.
    let unit = power(largest.clone().neg());
    let gain = power(grade - largest) - unit.clone();
    let counted = ideal_rank.clone().lower_equal_elem(k);
    let discounted = gain.clone() * inverse_discount(ideal_rank);
    let dcg = discounted.mask_fill(counted.bool_not(), 0.0).sum_dim(1);
    let divisor = dcg.max_pair(unit.mul_scalar(eps));
    let none = divisor.clone().equal_elem(0.0);
    gain / divisor.mask_fill(none, 1.0)
}

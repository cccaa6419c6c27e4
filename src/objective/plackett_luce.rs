//! The likelihood of an order of documents, drawn one after another with probabilities by their scores.

use burn::prelude::*;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::log_sum_exp::{log_of_zero, remaining_log_sum_exp, running_log_sum_exp};
use crate::numeric::zero;

/// Added to a sum of weights before dividing by it, as the reference does.
const WEIGHT_EPS: f64 = 1e-10;

/// The exponent of the largest weight.
const LARGEST_POWER: f64 = 127.0;

/// The weight of each place of a list.
///
/// In JSON, `null` for [`Equal`](Self::Equal), Python's class name `"PListMLELambdaWeight"` for
/// [`Exponential`](Self::Exponential), and `{"rank_weights": [..]}`.
#[derive(Debug, Clone, PartialEq)]
pub enum RankWeights {
    /// 1 each, without being divided by their sum.
    Equal,
    /// `2^(n − r) − 1` for rank `r` of `n`, divided by their sum.
    Exponential,
    /// The weight of the first place, of the second and so on, divided by the sum of those that a list has;
    /// not negative.
    Custom(Vec<f64>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Custom {
    rank_weights: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Custom(Custom),
}

impl Serialize for RankWeights {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Equal => serializer.serialize_none(),
            Self::Exponential => serializer.serialize_str("PListMLELambdaWeight"),
            Self::Custom(weights) => Custom { rank_weights: weights.clone() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RankWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<Named>::deserialize(deserializer)? {
            None => Ok(Self::Equal),
            Some(Named::Name(name)) if name.ends_with("PListMLELambdaWeight") => {
                Ok(Self::Exponential)
            }
            Some(Named::Name(name)) => Err(D::Error::custom(format!(
                "`lambda_weight` must be PListMLELambdaWeight, {{\"rank_weights\": [..]}} or null, got {name}"
            ))),
            Some(Named::Custom(Custom { rank_weights })) => Ok(Self::Custom(rank_weights)),
        }
    }
}

impl RankWeights {
    /// The weight of every place, `[lists, longest]`: 0 where there is no document. `None` for 1.
    ///
    /// # Panics
    ///
    /// If there are fewer custom weights than places; the message names `owner`.
    #[track_caller]
    pub fn of_places(
        &self,
        owner: &str,
        exists: Tensor<2, Bool>,
        like: &Tensor<2>,
    ) -> Option<Tensor<2>> {
        let [lists, longest] = exists.dims();
        let one_each = exists.clone().float().cast(like.dtype());
        let weights = match self {
            Self::Equal => return None,
            Self::Exponential => exponential(one_each),
            Self::Custom(weights) => {
                let got = weights.len();
                assert!(
                    got >= longest,
                    "{owner}: `rank_weights` must be at least {longest}, the places of a list, got {got}"
                );
                let place = (&like.device(), like.dtype());
                let weights = Tensor::<1>::from_data(&weights[..longest], place).inner();
                let place = one_each.cumsum(1).sub_scalar(1.0).clamp_min(0.0).int();
                weights.unsqueeze_dim::<2>(0).repeat_dim(0, lists).gather(1, place)
            }
        };
        let weights = weights.mask_fill(exists.bool_not(), 0.0);
        let sum = weights.clone().sum_dim(1).add_scalar(WEIGHT_EPS);
        Some(weights / sum)
    }
}

/// `2^(n − r) − 1` for every document, given 1 where there is one and 0 elsewhere; lists of more than 127
/// documents divide it by a power of 2, so that weights and their sum are finite.
fn exponential(one_each: Tensor<2>) -> Tensor<2> {
    let [lists, longest] = one_each.dims();
    let (count, rank) = (one_each.clone().sum_dim(1), one_each.clone().cumsum(1));
    let excess = count.clone().sub_scalar(LARGEST_POWER).clamp_min(0.0);
    // Powers of 2 from a table, since an exponential of so large a number has few digits.
    let least = -(longest as i32);
    let powers: Vec<f64> = (least..=LARGEST_POWER as i32).map(|e| 2f64.powi(e)).collect();
    let powers = Tensor::<1>::from_data(&powers[..], (&one_each.device(), one_each.dtype()));
    let powers = powers.inner();
    let power = |exponent: Tensor<2>| {
        let place = exponent.sub_scalar(f64::from(least)).int();
        let [_, columns] = place.dims();
        powers.clone().select(0, place.reshape([-1])).reshape([lists, columns])
    };
    power(count - rank - excess.clone()) - power(excess.neg())
}

/// `−Σ_r w_r (s_r − ln Σ_{t ≥ r} exp(s_t))` for every list, `[lists]`: scores `[lists, longest]` in the order
/// that should come out, and the weight of each place, 1 if there is none. Places without a document are
/// left out, wherever they are.
///
/// # Numerical behavior
///
/// Running log-sum-exps, `n log n`, and the gradient in closed form; both stay in the log domain.
pub fn plackett_luce(
    scores: Tensor<2>,
    exists: Tensor<2, Bool>,
    weights: Option<Tensor<2>>,
) -> Tensor<1> {
    let absent = exists.bool_not();
    let nothing = log_of_zero(scores.dims(), &scores.clone().inner());
    let s = scores.clone().inner().mask_where(absent.clone(), nothing.clone());
    let rest = remaining_log_sum_exp(s.clone());
    let weights = weights.unwrap_or_else(|| s.ones_like());
    let weights = weights.mask_fill(absent.clone(), 0.0);
    let log_p = (s.clone() - rest.clone()).mask_fill(absent, 0.0);
    let value = (log_p * weights.clone()).sum_dim(1).neg();
    if !scores.is_tracked() {
        return value.squeeze_dim(1);
    }
    // Σ_{r ≤ t} w_r exp(s_t) / Σ_{u ≥ r} exp(s_u) − w_t
    let none = weights.clone().equal_elem(0.0);
    let log_share = weights.clone().mask_fill(none.clone(), 1.0).log() - rest;
    let log_share = log_share.mask_where(none, nothing);
    let slope = (s + running_log_sum_exp(log_share)).exp() - weights;
    ((zero(scores) * slope).sum_dim(1) + value).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;

    use super::*;

    fn rows(values: [[f64; 4]; 2]) -> Tensor<2> {
        Tensor::from_data(values, (&Device::flex().autodiff(), DType::F64)).require_grad()
    }

    fn exists() -> Tensor<2, Bool> {
        let exists = [[true, true, true, true], [true, true, false, false]];
        Tensor::from_bool(exists, &Device::flex())
    }

    #[test]
    fn the_gradient_is_that_of_the_plain_sum() {
        let values = [[0.3, -1.2, 2.0, 0.1], [1.5, -0.5, 7.0, 7.0]];
        for weights in [RankWeights::Equal, RankWeights::Exponential] {
            let x = rows(values);
            let weights = weights.of_places("test", exists(), &x);
            let value = plackett_luce(x.clone(), exists(), weights.clone());
            let slope: Vec<f64> =
                x.grad(&value.sum().backward()).unwrap().try_into_vec_as().unwrap();

            let y = rows(values);
            let w: Vec<f64> = match weights {
                Some(weights) => weights.try_into_vec_as().unwrap(),
                None => vec![1.0; 8],
            };
            let mut plain = Tensor::<1>::zeros([1], (&y.device(), DType::F64));
            for (list, length) in [(0, 4), (1, 2)] {
                for r in 0..length {
                    let at = |range| y.clone().slice([list..list + 1, range]);
                    let log_p = at(r..r + 1).sum() - at(r..length).exp().sum().log();
                    plain = plain - log_p.mul_scalar(w[list * 4 + r]);
                }
            }
            let expected: Vec<f64> = y.grad(&plain.backward()).unwrap().try_into_vec_as().unwrap();
            for (got, expected) in slope.iter().zip(&expected) {
                assert!((got - expected).abs() < 1e-12, "{slope:?} is not {expected:?}");
            }
        }
    }

    #[test]
    fn a_document_far_below_the_first_still_counts() {
        let x = rows([[1000.0, 0.0, 1.0, 0.0], [0.0; 4]]);
        let value = plackett_luce(x, exists(), None);
        let value: Vec<f64> = value.try_into_vec_as().unwrap();
        // ln(e⁰ + e¹ + e⁰) + (ln(e¹ + e⁰) − 1); the first document is certain.
        let expected = (2.0 + 1f64.exp()).ln() + (1.0 + 1f64.exp()).ln() - 1.0;
        assert!((value[0] - expected).abs() < 1e-12);
        assert!((value[1] - 2f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn weights_of_a_long_list_are_finite_and_add_up_to_one() {
        let exists = Tensor::<2, Bool>::from_bool([[true; 300]], &Device::flex());
        let like = Tensor::<2>::zeros([1, 300], &Device::flex());
        let weights = RankWeights::Exponential.of_places("test", exists, &like).unwrap();
        let weights: Vec<f32> = weights.try_into_vec_as().unwrap();
        assert!((weights[0] - 0.5).abs() < 1e-6 && weights[299] >= 0.0);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

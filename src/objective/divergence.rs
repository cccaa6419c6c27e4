//! Distributions that should equal a target.

use burn::prelude::*;

use crate::geometry::Similarity;
use crate::kernels::{log_sum_exp, row_products_sum};
use crate::numeric::{lowest_number, zero};

/// `t² Σₖ pₖ (ln pₖ − ln qₖ)` of every row, `[n]`: the Kullback-Leibler divergence of `q = softmax(scores / t)` from
/// `p = softmax(teacher / t′)`, for scores `[n, m]`, those of the teacher `[n, m]`, and the two temperatures.
///
/// # Numerical behavior
///
/// Everything stays in the log domain. The gradient with respect to the scores, `t (q − p)`, is known in closed
/// form. A teacher's score of −∞ is the probability 0.
pub fn kl_divergence(
    scores: Tensor<2>,
    teacher: Tensor<2>,
    [temperature, of_teacher]: [f64; 2],
) -> Tensor<1> {
    let q = log_softmax(scores.clone().inner().mul_scalar(1.0 / temperature));
    let p = log_softmax(teacher.inner().mul_scalar(1.0 / of_teacher));
    let (lowest, chosen) = (lowest_number(p.dtype()), p.clone().exp());
    let divergence = (chosen.clone() * (p.clamp_min(lowest) - q.clone())).sum_dim(1);
    let slope = (q.exp() - chosen).mul_scalar(temperature);
    let pull = (zero(scores) * slope).sum_dim(1);
    (pull + divergence.mul_scalar(temperature * temperature)).squeeze_dim(1)
}

/// The same, summed and multiplied by a weight, `[1]`, of the scores that rows of queries, `[n, dim]`, have with the
/// same row of each matrix of documents: prepared rows of a similarity that is their dot product.
pub(crate) fn kl_divergence_sum(
    query: Tensor<2>,
    documents: Vec<Tensor<2>>,
    teacher: Tensor<2>,
    [temperature, of_teacher]: [f64; 2],
    weight: f64,
) -> Tensor<1> {
    let of_row = |teacher: &[f32], scores: &mut [f64]| {
        let teacher = || teacher.iter().map(|&score| f64::from(score) / of_teacher);
        let given = log_sum(teacher());
        let own = log_sum(scores.iter().map(|score| score / temperature));
        let mut divergence = 0.0;
        for (score, teacher) in scores.iter_mut().zip(teacher()) {
            let (q, p) = (*score / temperature - own, teacher - given);
            let chosen = p.exp();
            divergence += if chosen > 0.0 { chosen * (p - q) } else { 0.0 };
            *score = temperature * (q.exp() - chosen);
        }
        temperature * temperature * divergence
    };
    row_products_sum([&query, &teacher], &documents, weight, &of_row, || {
        let of_document = |rows: &Tensor<2>| Similarity::Dot.paired(query.clone(), rows.clone());
        let scores = Tensor::stack(documents.iter().map(of_document).collect(), 1);
        let temperatures = [temperature, of_teacher];
        kl_divergence(scores, teacher.clone(), temperatures).mul_scalar(weight).sum()
    })
}

/// `ln Σ exp x`.
fn log_sum(x: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = x.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + x.map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// The logarithm of the softmax of every row.
fn log_softmax(x: Tensor<2>) -> Tensor<2> {
    let normalizer = log_sum_exp(vec![x.clone()]);
    x - normalizer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divergence(scores: [f32; 2], teacher: [f32; 2]) -> f32 {
        let row = |row: [f32; 2]| Tensor::<2>::from_floats([row], &Device::flex());
        kl_divergence(row(scores), row(teacher), [1.0, 1.0]).into_scalar()
    }

    #[test]
    fn equal_distributions_do_not_diverge() {
        assert_eq!(divergence([3.0, 1.0], [3.0, 1.0]), 0.0);
        assert!(divergence([3.0, 1.0], [5.0, 3.0]).abs() < 1e-6);
    }

    #[test]
    fn a_document_that_the_teacher_rules_out_has_no_term() {
        // ln q of the other document
        let expected = 1f32.exp().ln_1p();
        assert!((divergence([0.0, 1.0], [0.0, f32::NEG_INFINITY]) - expected).abs() < 1e-6);
    }

    #[test]
    fn scores_far_apart_stay_finite() {
        assert_eq!(divergence([0.0, 1e30], [0.0, -1e30]), 1e30);
    }
}

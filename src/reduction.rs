//! From the terms of a loss to the one number that is minimised.

use burn::prelude::*;
use derive_new::new;
use serde::{Deserialize, Serialize};

/// How the terms of a loss become one number. What a term is, each loss says under *Terms*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reduction {
    /// The sum of the terms divided by the number of terms that count; 0 if none does.
    #[serde(alias = "mean")]
    Mean,
    /// The sum of the terms.
    #[serde(alias = "sum")]
    Sum,
}

impl Reduction {
    /// What each of `terms` terms is multiplied with before they are added; as if there were one if
    /// there is none.
    pub(crate) fn weight(self, terms: usize) -> f64 {
        match self {
            Self::Mean => 1.0 / terms.max(1) as f64,
            Self::Sum => 1.0,
        }
    }
}

/// The terms of a loss, and how many of them count when that depends on the data.
#[derive(Debug, Clone, new)]
pub struct Terms {
    /// One value a term, shape `[terms]`; a term that does not count is 0.
    values: Tensor<1>,
    /// The number of terms that count, shape `[1]`, carrying no gradient.
    /// `None`: every term counts.
    #[new(into)]
    count: Option<Tensor<1>>,
}

impl Terms {
    /// Terms that all count, `[terms]`.
    pub fn all(values: Tensor<1>) -> Self {
        Self::new(values, None)
    }

    /// The terms as they are, shape `[terms]`.
    pub fn into_values(self) -> Tensor<1> {
        self.values
    }

    /// One number, shape `[1]`.
    ///
    /// # Numerical behavior
    ///
    /// A mean scales each term before adding, so that a mean which fits the type does not
    /// overflow in its sum.
    pub fn reduce(self, reduction: Reduction) -> Tensor<1> {
        let Self { values, count } = self;
        match (reduction, count) {
            (Reduction::Sum, _) => values.sum(),
            (Reduction::Mean, Some(count)) => (values / count.clamp_min(1)).sum(),
            (mean, None) => {
                let weight = mean.weight(values.dims()[0]);
                values.mul_scalar(weight).sum()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(values: [f32; 3]) -> Tensor<1> {
        Tensor::from_floats(values, &Device::flex())
    }

    #[test]
    fn mean_of_counted_terms_divides_by_the_count() {
        let count = Tensor::from_floats([2.0], &Device::flex());
        let mean = Terms::new(terms([1.0, 3.0, 0.0]), count).reduce(Reduction::Mean);
        assert_eq!(mean.into_scalar::<f32>(), 2.0);
    }

    #[test]
    fn mean_of_no_counted_term_is_zero() {
        let count = Tensor::from_floats([0.0], &Device::flex());
        let mean = Terms::new(terms([0.0; 3]), count).reduce(Reduction::Mean);
        assert_eq!(mean.into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn mean_that_fits_does_not_overflow_on_the_way() {
        let mean = Terms::all(terms([3e38; 3])).reduce(Reduction::Mean);
        assert!((mean.into_scalar::<f32>() / 3e38 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn sum_adds_every_term() {
        assert_eq!(
            Terms::all(terms([1.0, 2.0, 4.0])).reduce(Reduction::Sum).into_scalar::<f32>(),
            7.0
        );
    }
}

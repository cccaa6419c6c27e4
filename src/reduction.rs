//! From the terms of a loss to the one number that is minimised.

use burn::prelude::*;
use burn::tensor::DType;
use derive_new::new;
use serde::{Deserialize, Serialize};

/// How the terms of a loss become one number. Each loss defines its terms under *Terms*.
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
    /// The factor of each of `terms` terms before they are added; 1 if there is no term.
    pub fn weight(self, terms: usize) -> f64 {
        match self {
            Self::Mean => 1.0 / terms.max(1) as f64,
            Self::Sum => 1.0,
        }
    }

    /// The factor of each term, `[terms]`, for weighted terms: a mean divides by the sum of the weights.
    pub(crate) fn factors(self, weights: Tensor<1>) -> Tensor<1> {
        match self {
            Self::Mean => weights.clone() / one_if_zero(weights.sum()),
            Self::Sum => weights,
        }
    }
}

/// The count, or 1 if it is 0.
fn one_if_zero(count: Tensor<1>) -> Tensor<1> {
    let none = count.clone().equal_elem(0.0);
    count.mask_fill(none, 1.0)
}

/// The terms of a loss, and how many of them count when that depends on the data.
#[derive(Debug, Clone, new)]
pub struct Terms {
    /// One value a term, shape `[terms]`; a term that does not count is 0.
    values: Tensor<1>,
    /// The number of terms that count (or the sum of their weights), `[1]`, without a gradient. `None`
    /// if every term counts.
    #[new(into)]
    count: Option<Tensor<1>>,
}

impl Terms {
    /// Terms that all count, `[terms]`.
    pub fn all(values: Tensor<1>) -> Self {
        Self::new(values, None)
    }

    /// Terms, `[terms]`, times their weights, `[terms]`, if there are any; a mean divides by the sum of the
    /// weights.
    pub fn weighted(values: Tensor<1>, weights: Option<Tensor<1>>) -> Self {
        match weights {
            Some(weights) => Self::new(values * weights.clone(), weights.sum()),
            None => Self::all(values),
        }
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
    pub fn reduce(self, reduction: Reduction) -> Reduced {
        let Self { values, count } = self;
        Reduced(match (reduction, count) {
            (Reduction::Sum, _) => values.sum(),
            (Reduction::Mean, Some(count)) => (values / one_if_zero(count)).sum(),
            (mean, None) => {
                let weight = mean.weight(values.dims()[0]);
                values.mul_scalar(weight).sum()
            }
        })
    }
}

/// The loss of a whole batch as one number: reduced terms, or a loss that has no terms of its own rows.
#[derive(Debug, Clone)]
pub struct Reduced(Tensor<1>);

impl Reduced {
    /// A number that is the loss of the batch, `[1]`.
    pub fn new(value: Tensor<1>) -> Self {
        Self(value)
    }

    /// A sum of terms, `[1]`, reduced by the number of terms that count, `[1]`.
    pub fn of_sum(sum: Tensor<1>, count: Tensor<1>, reduction: Reduction) -> Self {
        Self(match reduction {
            Reduction::Sum => sum,
            Reduction::Mean => sum / one_if_zero(count),
        })
    }

    /// The number times a weight.
    pub(crate) fn weighted(self, weight: f64) -> Self {
        Self(self.0.mul_scalar(weight))
    }

    /// The same number in another type.
    pub(crate) fn cast(self, dtype: DType) -> Self {
        Self(self.0.cast(dtype))
    }

    /// The number, `[1]`.
    pub fn into_value(self) -> Tensor<1> {
        self.0
    }
}

/// A loss that is the sum of named parts, each `[1]`, for logs and dashboards.
#[derive(Debug, Clone, Default)]
pub struct Parts(Vec<(&'static str, Tensor<1>)>);

impl Parts {
    /// The same parts and one more.
    pub fn with(mut self, name: &'static str, value: Reduced) -> Self {
        self.0.push((name, value.into_value()));
        self
    }

    /// The same parts and those of another loss.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Every part times a weight.
    pub(crate) fn weighted(self, weight: f64) -> Self {
        Self(self.0.into_iter().map(|(name, value)| (name, value.mul_scalar(weight))).collect())
    }

    /// Name and value of each part.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Tensor<1>)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// The sum of all parts.
    ///
    /// # Panics
    ///
    /// If there is no part.
    pub fn total(self) -> Reduced {
        let values = self.0.into_iter().map(|(_, value)| value);
        Reduced(
            values.reduce(|sum, value| sum + value).expect("Parts: there must be a part, got none"),
        )
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
        let mean = Terms::new(terms([1.0, 3.0, 0.0]), count).reduce(Reduction::Mean).into_value();
        assert_eq!(mean.into_scalar::<f32>(), 2.0);
    }

    #[test]
    fn mean_of_no_counted_term_is_zero() {
        let count = Tensor::from_floats([0.0], &Device::flex());
        let mean = Terms::new(terms([0.0; 3]), count).reduce(Reduction::Mean).into_value();
        assert_eq!(mean.into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn mean_that_fits_does_not_overflow_on_the_way() {
        let mean = Terms::all(terms([3e38; 3])).reduce(Reduction::Mean).into_value();
        assert!((mean.into_scalar::<f32>() / 3e38 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn sum_adds_every_term() {
        assert_eq!(
            Terms::all(terms([1.0, 2.0, 4.0]))
                .reduce(Reduction::Sum)
                .into_value()
                .into_scalar::<f32>(),
            7.0
        );
    }
}

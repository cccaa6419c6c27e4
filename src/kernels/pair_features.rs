//! The features of a pair of rows that a classifier gets.

use burn::prelude::*;

/// The features of two rows `u` and `v` that a classifier gets, in this order; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairFeatures {
    /// `u` and `v`.
    pub rows: bool,
    /// `|u − v|`.
    pub difference: bool,
    /// `u ∘ v`.
    pub product: bool,
}

impl PairFeatures {
    /// Whether `u`, `v`, `|u − v|` and `u ∘ v` are among the features.
    pub fn included(self) -> [bool; 4] {
        [self.rows, self.rows, self.difference, self.product]
    }

    /// The number of features, each a vector of the size of a row.
    pub fn parts(self) -> usize {
        self.included().into_iter().filter(|&included| included).count()
    }

    /// The features of the pairs of rows, side by side.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim] → [n, parts · dim]`
    ///
    /// # Panics
    ///
    /// If no feature is included.
    pub fn of(self, left: Tensor<2>, right: Tensor<2>) -> Tensor<2> {
        let mut parts = Vec::with_capacity(4);
        if self.rows {
            parts.extend([left.clone(), right.clone()]);
        }
        if self.difference {
            parts.push((left.clone() - right.clone()).abs());
        }
        if self.product {
            parts.push(left * right);
        }
        Tensor::cat(parts, 1)
    }
}

//! What a classifier sees of two rows.

use burn::prelude::*;

/// What of two rows `u` and `v` is seen, in this order; at least one of them.
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
    /// Whether `u`, `v`, `|u − v|` and `u ∘ v` are seen.
    pub fn seen(self) -> [bool; 4] {
        [self.rows, self.rows, self.difference, self.product]
    }

    /// How many vectors of the size of a row are seen.
    pub fn parts(self) -> usize {
        self.seen().into_iter().filter(|&seen| seen).count()
    }

    /// All that is seen, side by side.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim] → [n, parts · dim]`
    ///
    /// # Panics
    ///
    /// If nothing is seen.
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

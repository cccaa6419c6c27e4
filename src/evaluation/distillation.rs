//! Distance of embeddings from the teacher's embeddings that they imitate.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::scores::{read, share};
use super::search::search;
use crate::batch::shape::{require_rows, same_shape};
use crate::error::BatchError;
use crate::geometry::Similarity;
use crate::numeric::widen;

/// The mean of the squared differences of all numbers, 0 or more.
///
/// The reference reports it times −100, as `negative_mse`.
///
/// # Shapes
///
/// `[n, dim]`, `[n, dim]`
///
/// # Errors
///
/// If it is not finite.
///
/// # Panics
///
/// If there is no row or no column, or the shapes differ.
///
/// # References
///
/// `MSEEvaluator` of sentence-transformers.
#[track_caller]
pub fn mean_squared_error(target: Tensor<2>, embeddings: Tensor<2>) -> Result<f64, BatchError> {
    const OWNER: &str = "mean_squared_error";
    require_rows(OWNER, "target", target.dims());
    same_shape(OWNER, "embeddings", embeddings.dims(), target.dims());
    let difference = widen(target.inner()) - widen(embeddings.inner());
    Ok(read(OWNER, difference.square().mean())?[0])
}

/// Shares of texts whose nearest text in the other language is their translation, in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TranslationAccuracy {
    /// From source to target.
    pub source_to_target: f64,
    /// From target to source.
    pub target_to_source: f64,
}

/// The share of rows whose most similar row on the other side, by cosine, has their index.
///
/// The first of equally similar rows is taken.
///
/// # Shapes
///
/// `[n, dim]`, `[n, dim]`
///
/// # Differences
///
/// The reference also accepts another row with the same text.
///
/// # Errors
///
/// If a similarity is not finite.
///
/// # Panics
///
/// If there is no row or no column, the shapes differ, or as [`search`] for `memory_budget`.
///
/// # References
///
/// `TranslationEvaluator` of sentence-transformers.
#[track_caller]
pub fn translation_accuracy(
    source: Tensor<2>,
    target: Tensor<2>,
    memory_budget: Option<usize>,
) -> Result<TranslationAccuracy, BatchError> {
    const OWNER: &str = "translation_accuracy";
    require_rows(OWNER, "source", source.dims());
    same_shape(OWNER, "target", target.dims(), source.dims());
    let accuracy = |from: &Tensor<2>, to: &Tensor<2>| {
        let hits = search(from.clone(), to.clone(), 1, Similarity::Cosine, memory_budget)?;
        let own = hits.iter().enumerate().filter(|(row, hits)| hits[0].index == *row);
        Ok(share(own.count(), hits.len()))
    };
    Ok(TranslationAccuracy {
        source_to_target: accuracy(&source, &target)?,
        target_to_source: accuracy(&target, &source)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ways_may_differ() {
        let device = Device::flex();
        let source = Tensor::from_floats([[1.0, 0.0], [1.0, 0.1]], &device);
        let target = Tensor::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
        let seen = translation_accuracy(source.clone(), target.clone(), None).unwrap();
        assert_eq!((seen.source_to_target, seen.target_to_source), (0.5, 1.0));
        let error = mean_squared_error(target, source).unwrap();
        assert!((error - (1.0 + 0.81) / 4.0).abs() < 1e-6, "{error}");
    }
}

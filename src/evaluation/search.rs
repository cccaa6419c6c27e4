//! The most similar rows, by comparing all, a block at a time.

use core::cmp::Ordering;
use std::collections::BinaryHeap;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::scores::descending_order;
use crate::batch::shape::require_rows;
use crate::budget::budget_of;
use crate::error::BatchError;
use crate::geometry::Similarity;
use crate::numeric::{accumulate, widen};

/// Memory for one similarity: in the widest type, in the type of the embeddings, and on the host.
const BYTES_PER_PAIR: usize = 24;

/// A row of the corpus, found by a query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Its index.
    pub index: usize,
    /// Its similarity to the query.
    pub similarity: f64,
}

/// The `k` rows of the corpus that are most similar to each query, best first; all of them if there
/// are fewer.
///
/// Rows that are equally similar to the 24 bits of an `f32` come in the order of the corpus.
///
/// # Shapes
///
/// `[n, dim]`, `[m, dim]` → n lists
///
/// # Numerical behavior
///
/// Computed in `f64` where the device has it, so that equal rows are equally similar wherever they
/// stand. The similarities of a block of queries with a block of the corpus keep to `memory_budget`
/// bytes (if `None`, [`DEFAULT_BUDGET`](crate::blocks::DEFAULT_BUDGET) on a CPU and
/// [`DEFAULT_GPU_BUDGET`](crate::blocks::DEFAULT_GPU_BUDGET) elsewhere); of a query no more than `k` rows are kept from block to block.
///
/// # Errors
///
/// If a similarity is not finite.
///
/// # Panics
///
/// If `queries` or `corpus` has no row or no column, their columns differ, `k` is 0, or
/// `memory_budget` is too small for one pair of rows.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::Similarity;
/// use burn_embedding_losses::evaluation::search;
///
/// # let device = Device::flex();
/// let queries = Tensor::from_floats([[1.0, 0.0]], &device);
/// let corpus = Tensor::from_floats([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]], &device);
/// let hits = search(queries, corpus, 2, Similarity::Cosine, None)?;
/// assert_eq!(hits[0].iter().map(|hit| hit.index).collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), burn_embedding_losses::BatchError>(())
/// ```
#[track_caller]
pub fn search(
    queries: Tensor<2>,
    corpus: Tensor<2>,
    k: usize,
    similarity: Similarity,
    memory_budget: Option<usize>,
) -> Result<Vec<Vec<Hit>>, BatchError> {
    require_rows("search", "queries", queries.dims());
    require_rows("search", "corpus", corpus.dims());
    let (dim, got) = (queries.dims()[1], corpus.dims()[1]);
    assert!(got == dim, "search: `corpus` must have {dim} columns, got {got}");
    assert!(k > 0, "search: `k` must be at least 1, got 0");
    let [queries, corpus] =
        [queries, corpus].map(|rows| similarity.prepare(accumulate(rows.inner())));
    let [rows, columns] = block_shape(&queries, &corpus, similarity, memory_budget);
    let mut found = Vec::with_capacity(queries.dims()[0]);
    for queries in queries.split(rows, 0) {
        let mut best = vec![Best::of(k); queries.dims()[0]];
        for (block, corpus) in corpus.clone().split(columns, 0).into_iter().enumerate() {
            add_block(&mut best, similarities(similarity, &queries, corpus), block * columns)?;
        }
        found.extend(best.into_iter().map(Best::into_hits));
    }
    Ok(found)
}

/// Queries and rows of the corpus that are compared at once.
#[track_caller]
fn block_shape(
    queries: &Tensor<2>,
    corpus: &Tensor<2>,
    similarity: Similarity,
    memory_budget: Option<usize>,
) -> [usize; 2] {
    let bytes = BYTES_PER_PAIR + similarity.difference_bytes(queries, false);
    let budget = memory_budget.unwrap_or_else(|| budget_of(&queries.device()).max(bytes));
    assert!(budget >= bytes, "search: `memory_budget` must be at least {bytes}, got {budget}");
    let pairs = budget / bytes;
    let columns = pairs.isqrt().clamp(1, corpus.dims()[0]);
    [(pairs / columns).clamp(1, queries.dims()[0]), columns]
}

fn similarities(similarity: Similarity, queries: &Tensor<2>, corpus: Tensor<2>) -> Tensor<2> {
    if !similarity.is_bilinear() {
        return similarity.pairwise_prepared(queries.clone(), corpus, 1.0);
    }
    // A product rounds equal rows differently in different places.
    let dtype = queries.dtype();
    widen(queries.clone()).matmul(widen(corpus).transpose()).cast(dtype)
}

fn add_block(best: &mut [Best], block: Tensor<2>, start: usize) -> Result<(), BatchError> {
    let columns = block.dims()[1];
    let data = block.into_data();
    let mut values = data.iter::<f64>();
    for best in best {
        for index in start..start + columns {
            let similarity = values.next().map_or(f64::NAN, single_precision);
            if !similarity.is_finite() {
                let message = format!(
                    "search: `similarity` must be finite, with row {index} of the corpus it is {similarity}"
                );
                return Err(BatchError::new(message));
            }
            best.add(Hit { index, similarity });
        }
    }
    Ok(())
}

/// The nearest number of 24 bits, in the range of an `f64`.
fn single_precision(value: f64) -> f64 {
    const DROPPED: u32 = f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS;
    if !value.is_finite() {
        return value;
    }
    let rounded = (value.to_bits() + (1 << (DROPPED - 1))) >> DROPPED << DROPPED;
    f64::from_bits(rounded)
}

/// The best hits so far of a query that sees the corpus in order.
#[derive(Clone)]
struct Best {
    k: usize,
    /// The worst is on top.
    hits: BinaryHeap<Ranked>,
}

impl Best {
    fn of(k: usize) -> Self {
        Self { k, hits: BinaryHeap::new() }
    }

    fn add(&mut self, hit: Hit) {
        if self.hits.len() < self.k {
            self.hits.push(Ranked(hit));
        } else if let Some(mut worst) = self.hits.peek_mut()
            && Ranked(hit) < *worst
        {
            *worst = Ranked(hit);
        }
    }

    fn into_hits(self) -> Vec<Hit> {
        self.hits.into_sorted_vec().into_iter().map(|ranked| ranked.0).collect()
    }
}

/// The better hit is less: more similar, or as similar and earlier.
#[derive(Clone)]
struct Ranked(Hit);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (&self.0, &other.0);
        let by_similarity = descending_order(left.similarity, right.similarity);
        by_similarity.then(left.index.cmp(&right.index))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Similarity; 4] =
        [Similarity::Cosine, Similarity::Dot, Similarity::Euclidean, Similarity::Manhattan];

    fn indices(hits: Vec<Vec<Hit>>) -> Vec<Vec<usize>> {
        hits.iter().map(|hits| hits.iter().map(|hit| hit.index).collect()).collect()
    }

    #[test]
    fn equal_rows_come_in_their_order_whatever_the_blocks() {
        let device = Device::flex();
        let few = Tensor::<2>::random([5, 37], burn::tensor::Distribution::Default, &device);
        // 300 rows of five kinds: each query finds the first 20 of one kind.
        let corpus = Tensor::cat(vec![few.clone(); 60], 0);
        for similarity in ALL {
            let found = |budget| {
                let found = search(few.clone(), corpus.clone(), 60, similarity, budget).unwrap();
                indices(found)
            };
            let expected = found(None);
            if similarity != Similarity::Dot {
                for (row, hits) in expected.iter().enumerate() {
                    let own: Vec<usize> = (0..60).map(|copy| row + 5 * copy).collect();
                    assert_eq!(*hits, own, "{similarity:?}");
                }
            }
            for budget in [2_000, 20_000] {
                assert_eq!(found(Some(budget)), expected, "{similarity:?} in {budget} bytes");
            }
        }
    }

    #[test]
    fn a_small_corpus_is_found_whole() {
        let rows = Tensor::<2>::from_floats([[0.0], [3.0], [1.0]], &Device::flex());
        let hits = search(rows.clone().narrow(0, 0, 1), rows, 9, Similarity::Manhattan, None);
        let hits = hits.unwrap().remove(0);
        assert_eq!(hits[2], Hit { index: 1, similarity: -3.0 });
        assert_eq!(indices(vec![hits]), [[0, 2, 1]]);
    }

    #[test]
    fn numbers_of_single_precision_stay() {
        for value in [0.1_f32, -3.5, f32::MAX, f32::MIN_POSITIVE, 0.0] {
            assert_eq!(single_precision(value.into()), f64::from(value));
        }
        assert_eq!(single_precision(1.0 + 1e-12), 1.0);
    }

    #[test]
    fn rows_that_are_no_numbers_are_errors() {
        let rows = Tensor::<2>::from_floats([[1.0], [f32::NAN]], &Device::flex());
        let error =
            search(rows.clone().narrow(0, 0, 1), rows, 1, Similarity::Dot, None).unwrap_err();
        assert!(error.to_string().contains("with row 1 of the corpus it is NaN"), "{error}");
    }

    #[test]
    #[should_panic(expected = "search: `memory_budget` must be at least 24, got 8")]
    fn one_pair_must_fit() {
        let rows = Tensor::<2>::ones([2, 3], &Device::flex());
        let _ = search(rows.clone(), rows, 1, Similarity::Dot, Some(8));
    }
}

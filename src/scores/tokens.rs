//! Scores of texts by their tokens.

use core::ops::Range;

use burn::prelude::*;

use super::{Comparison, Scores, Side};
use crate::batch::{ColumnMapper, Columns, Role, TokenEmbeddings};
use crate::blocks::Accumulated;
use crate::budget::AnchorRows;
use crate::geometry::TokenSimilarity;
use crate::kernels::{BestTokens, best_tokens, best_tokens_backward, best_tokens_bytes};

/// The similarity to a document without a token.
pub(super) const NO_TOKEN: f64 = -1e9;

/// The scores of queries with documents, each with an embedding for each token.
#[derive(Debug, Clone)]
pub(crate) struct TokenScores {
    similarity: TokenSimilarity,
    pub(super) queries: Tokens,
    pub(super) documents: Tokens,
}

/// The tokens of texts below each other.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// `[texts · tokens, dim]`.
    pub rows: Tensor<2>,
    /// Where there is a token, `[texts, tokens]`.
    pub mask: Tensor<2, Bool>,
}

impl Tokens {
    /// The texts of all columns, those of a column below those of the one before it. Shorter columns are filled up.
    fn of(columns: Vec<TokenEmbeddings>) -> Self {
        let longest = columns.iter().map(|column| column.dims()[1]).max().expect("a column");
        let filled = columns.into_iter().map(|column| {
            let [n, tokens, dim] = column.dims();
            let (embeddings, mask) = column.into_parts();
            if tokens == longest {
                return (embeddings, mask);
            }
            let (device, more) = (embeddings.device(), longest - tokens);
            let zeros = Tensor::zeros([n, more, dim], (&device, embeddings.dtype()));
            let nowhere = Tensor::<2, Int>::zeros([n, more], &mask.device()).bool();
            (Tensor::cat(vec![embeddings, zeros], 1), Tensor::cat(vec![mask, nowhere], 1))
        });
        let (embeddings, masks): (Vec<_>, Vec<_>) = filled.unzip();
        Self { rows: below_each_other(embeddings).flatten(0, 1), mask: below_each_other(masks) }
    }

    pub fn texts(&self) -> usize {
        self.mask.dims()[0]
    }

    /// The rows of the tokens of some texts.
    fn places(&self, texts: &Range<usize>) -> Range<usize> {
        let tokens = self.mask.dims()[1];
        texts.start * tokens..texts.end * tokens
    }

    /// True for texts without a token, `[texts]`.
    pub fn without_token(&self) -> Tensor<1, Bool> {
        self.mask.clone().any_dim(1).bool_not().squeeze_dim(1)
    }
}

/// The tensors below each other; a single one is not copied.
fn below_each_other<const D: usize, K: burn::tensor::kind::Basic>(
    mut tensors: Vec<Tensor<D, K>>,
) -> Tensor<D, K> {
    match tensors.len() {
        1 => tensors.remove(0),
        _ => Tensor::cat(tensors, 0),
    }
}

/// What counts in the scores of a block.
#[derive(Debug)]
pub(crate) struct Matched {
    /// The place of the most similar token of each document, `[queries · tokens, documents]`.
    pub(super) place: Tensor<2, Int>,
    /// Whether a token of the query counts for a document, `[queries, tokens, documents]`.
    pub(super) counts: Tensor<3, Bool>,
    /// What the sum over the tokens is divided by, `[queries, documents]` or `[queries, 1]`; `None` for 1.
    pub(super) divisor: Option<Tensor<2>>,
}

impl TokenScores {
    /// The scores of queries with the documents of all columns.
    pub fn new(
        similarity: TokenSimilarity,
        query: TokenEmbeddings,
        documents: Vec<TokenEmbeddings>,
    ) -> Self {
        Self { similarity, queries: Tokens::of(vec![query]), documents: Tokens::of(documents) }
    }

    /// The queries, all of which are anchors.
    pub fn anchors(&self) -> AnchorRows {
        let ([n, tokens], [_, dim]) = (self.queries.mask.dims(), self.queries.rows.dims());
        AnchorRows { device: self.queries.rows.device(), rows: 0..n, dim: tokens * dim }
    }

    pub(super) fn top_k(&self) -> Option<usize> {
        match self.similarity {
            TokenSimilarity::Xtr { top_k } => Some(top_k),
            _ => None,
        }
    }

    /// The best tokens of all documents for the tokens of some queries.
    pub(super) fn best(&self, queries: &Range<usize>) -> BestTokens {
        let rows = self.queries.rows.clone().slice([self.queries.places(queries)]);
        let documents = self.documents.rows.clone();
        best_tokens(rows, documents, &self.documents.mask, self.top_k())
    }

    /// The similarities of the best tokens that count for some queries, and what counts.
    pub(super) fn matched(&self, best: BestTokens, queries: &Range<usize>) -> (Tensor<3>, Matched) {
        let BestTokens { similarity, place, retrieved } = best;
        let mask = self.queries.mask.clone().slice([queries.clone()]);
        let ([n, tokens], [_, count]) = (mask.dims(), similarity.dims());
        let shape = [n, tokens, count];
        let dtype = similarity.dtype();
        let mut counts = mask.clone().unsqueeze_dim::<3>(2).expand(shape);
        if let Some(retrieved) = retrieved {
            counts = counts.bool_and(retrieved.reshape(shape));
        }
        let divisor = match self.similarity {
            TokenSimilarity::MaxSim => None,
            TokenSimilarity::MeanMaxSim => Some(mask.float().sum_dim(1)),
            TokenSimilarity::Xtr { .. } => Some(counts.clone().float().sum_dim(1).squeeze_dim(1)),
        };
        let divisor = divisor.map(|count| count.cast(dtype).clamp_min(1.0));
        let similarity = similarity.reshape(shape).mask_fill(counts.clone().bool_not(), 0.0);
        (similarity, Matched { place, counts, divisor })
    }

    /// True for documents without a token, `[queries, documents]`.
    fn without_token(&self, queries: usize) -> Tensor<2, Bool> {
        let count = self.documents.texts();
        self.documents.without_token().unsqueeze_dim::<2>(0).expand([queries, count])
    }
}

impl Columns for TokenScores {
    fn map_columns<M: ColumnMapper>(mut self, mapper: &mut M) -> Self {
        self.queries.rows = mapper.map(Role::Anchor, "queries", self.queries.rows);
        self.documents.rows = mapper.map(Role::Other, "documents", self.documents.rows);
        self
    }
}

/// Queries are compared with documents, and in no other way.
impl Scores for TokenScores {
    type Trace = Matched;

    fn rows(&self, side: Side) -> usize {
        match side {
            Side::Queries => self.queries.texts(),
            Side::Documents => self.documents.texts(),
        }
    }

    fn traced(
        &self,
        comparison: Comparison,
        range: Range<usize>,
        factor: f64,
    ) -> (Tensor<2>, Matched) {
        debug_assert_eq!(comparison, Comparison::QUERY_TO_DOCUMENT);
        let (similarity, matched) = self.matched(self.best(&range), &range);
        let sums = similarity.sum_dim(1).squeeze_dim::<2>(1);
        let mut scores = sums.mask_fill(self.without_token(range.len()), NO_TOKEN);
        if let Some(divisor) = &matched.divisor {
            scores = scores / divisor.clone();
        }
        (scores.mul_scalar(factor), matched)
    }

    fn bytes_per_score(&self) -> usize {
        let [_, of_query] = self.queries.mask.dims();
        let [_, of_document] = self.documents.mask.dims();
        let limited = self.top_k().is_some();
        of_query * best_tokens_bytes(&self.queries.rows, of_document, limited)
    }

    fn closed_form(&self) -> Option<[Tensor<2>; 2]> {
        Some([self.queries.rows.clone(), self.documents.rows.clone()])
    }

    fn backward(
        &self,
        _: Comparison,
        range: &Range<usize>,
        slope: Tensor<2>,
        Matched { place, counts, divisor }: Matched,
        [of_queries, of_documents]: &mut [Option<Accumulated>; 2],
    ) {
        let (shape @ [n, tokens, count], places) = (counts.dims(), self.queries.places(range));
        let mut slope = slope.mask_fill(self.without_token(n), 0.0);
        if let Some(divisor) = divisor {
            slope = slope / divisor;
        }
        let slope = slope.unsqueeze_dim::<3>(1).expand(shape).mask_fill(counts.bool_not(), 0.0);
        let rows = self.queries.rows.clone().slice([places.clone()]);
        let [by_rows, by_documents] = best_tokens_backward(
            [&rows, &self.documents.rows],
            place,
            slope.reshape([n * tokens, count]),
            [of_queries.is_some(), of_documents.is_some()],
        );
        if let Some((sum, gradient)) = of_queries.as_mut().zip(by_rows) {
            sum.add_anchors(&places, gradient);
        }
        if let Some((sum, gradient)) = of_documents.as_mut().zip(by_documents) {
            sum.add(gradient);
        }
    }
}

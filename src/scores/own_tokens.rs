//! Scores of queries with documents of their own by their tokens.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::tokens::{Matched, NO_TOKEN, TokenScores, Tokens};
use crate::batch::Columns;
use crate::blocks::Blocks;
use crate::kernels::{BestTokens, best_own_tokens, best_tokens_bytes};
use crate::numeric::zero;

/// The scores of each query with its own document of each column. The most similar tokens were searched for without a
/// graph; once they are known, a score is linear in the tokens.
///
/// Where several tokens of a query match the same token of a document, they are added up before they are multiplied by
/// the gradient of the score, so that a large gradient does not give NaN.
#[derive(Debug)]
pub(crate) struct OwnScores {
    /// The tokens of the queries, `[n, tokens, 1, dim]`, in their graph.
    rows: Tensor<4>,
    /// Shares of the most similar tokens, `[n, tokens, columns, dim]`; 0 for tokens that do not count.
    best: Tensor<4>,
    /// Zeros that carry the gradients of documents, `[n, columns]`.
    carried: Tensor<2>,
    /// What a score has where the document has no token, and else 0, `[n, columns]`.
    offset: Tensor<2>,
}

impl OwnScores {
    /// The columns of all parts, which are of the same queries.
    pub fn cat(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let rows = parts[0].rows.clone();
        let (mut best, mut carried, mut offset) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            best.push(part.best);
            carried.push(part.carried);
            offset.push(part.offset);
        }
        Self {
            rows,
            best: Tensor::cat(best, 2),
            carried: Tensor::cat(carried, 1),
            offset: Tensor::cat(offset, 1),
        }
    }

    /// The scores, `[n, columns]`.
    pub fn scores(self) -> Tensor<2> {
        let [n, _, columns, _] = self.best.dims();
        let products = (self.rows * self.best).sum_dim(3).sum_dim(1).reshape([n, columns]);
        products + self.carried + self.offset
    }

    /// The score with the document of the first column less that of each other, `[n, columns − 1]`. Tokens are
    /// subtracted before they are compared, so that a small margin does not cancel.
    pub fn margins(self) -> Tensor<2> {
        let Self { rows, best, carried, offset } = self;
        let columns = best.dims()[2];
        let best = best.clone().narrow(2, 0, 1) - best.narrow(2, 1, columns - 1);
        let less = |x: Tensor<2>| x.clone().narrow(1, 0, 1) - x.narrow(1, 1, columns - 1);
        Self { rows, best, carried: less(carried), offset: less(offset) }.scores()
    }
}

impl TokenScores {
    /// The scores of each query with its own document of each column. The most similar tokens are searched for a
    /// block of queries at a time.
    pub fn own(&self, blocks: Blocks) -> OwnScores {
        let fixed = self.clone().without_graph();
        let found = blocks.ranges().map(|range| fixed.best_of_own(&range)).collect();
        let Matched { place, counts, divisor } = Matched::cat(found);
        let [n, tokens, columns] = counts.dims();
        let (dim, dtype) = (fixed.queries.rows.dims()[1], fixed.queries.rows.dtype());
        let places = fixed.rows_of(place);
        let mut shares = counts.float().cast(dtype);
        let mut offset = fixed.offset();
        if let Some(divisor) = divisor {
            shares = shares / divisor.clone().unsqueeze_dim::<3>(1);
            offset = offset / divisor;
        }
        let shares = shares.unsqueeze_dim::<4>(3);
        let best = fixed.documents.rows.select(0, places.clone());
        let rows = self.queries.rows.clone().reshape([n, tokens, 1, dim]);
        OwnScores {
            best: best.reshape([n, tokens, columns, dim]) * shares.clone(),
            carried: self.carried(places, rows.clone().inner() * shares),
            offset,
            rows,
        }
    }

    /// Memory for the search of one query, in bytes.
    pub fn bytes_per_own(&self) -> usize {
        let limited = self.top_k().is_some();
        let [[n, of_query], [texts, of_document]] =
            [&self.queries, &self.documents].map(|side| side.mask.dims());
        let searched = if limited { texts } else { texts / n };
        of_query * searched * best_tokens_bytes(&self.queries.rows, of_document, limited)
    }

    /// [`NO_TOKEN`] for documents without a token, and else 0, `[n, columns]`.
    fn offset(&self) -> Tensor<2> {
        let (n, columns) = (self.queries.texts(), self.columns());
        let without_token = self.documents.without_token().reshape([columns, n]).transpose();
        without_token.float().cast(self.queries.rows.dtype()).mul_scalar(NO_TOKEN)
    }

    /// Zeros with the gradients of documents, `[n, columns]`: those of the tokens at `places` are the `parts`,
    /// `[n, tokens, columns, dim]`.
    fn carried(&self, places: Tensor<1, Int>, parts: Tensor<4>) -> Tensor<2> {
        let rows = self.documents.rows.clone();
        let ([n, tokens, columns, dim], [all, _]) = (parts.dims(), rows.dims());
        let parts = parts.reshape([n * tokens * columns, dim]);
        let slope = Tensor::<2>::zeros([all, dim], (&parts.device(), parts.dtype()));
        let slope = slope.select_assign(0, places, parts, IndexingUpdateOp::Add);
        let products = (zero(rows) * slope).sum_dim(1).reshape([columns, n, all / (n * columns)]);
        products.sum_dim(2).squeeze_dim::<2>(2).transpose()
    }

    /// What counts in the scores of some queries with their own documents.
    fn best_of_own(&self, range: &Range<usize>) -> Matched {
        let best = match self.top_k() {
            // All documents compete for a token of a query.
            Some(_) => self.own_of_all(self.best(range), range),
            None => {
                let (rows, _) = self.queries.own(range, 1);
                let (documents, mask) = self.documents.own(range, self.columns());
                best_own_tokens(rows, documents, mask)
            }
        };
        self.matched(best, range).1
    }

    /// The number of columns of documents.
    fn columns(&self) -> usize {
        self.documents.texts() / self.queries.texts()
    }

    /// The best tokens of the queries' own documents among those of all.
    fn own_of_all(&self, best: BestTokens, range: &Range<usize>) -> BestTokens {
        let BestTokens { similarity, place, retrieved } = best;
        let own = self.own_documents(range).flatten(0, 1);
        BestTokens {
            similarity: similarity.gather(1, own.clone()),
            place: place.gather(1, own.clone()),
            // Burn 0.22.1 gathers flags on Flex into a type that no other flags have.
            retrieved: retrieved
                .map(|retrieved| retrieved.float().gather(1, own).greater_elem(0.5)),
        }
    }

    /// For each token of some queries the numbers of their own documents, `[queries, tokens, columns]`.
    fn own_documents(&self, range: &Range<usize>) -> Tensor<3, Int> {
        let ([n, tokens], columns) = (self.queries.mask.dims(), self.columns());
        let device = self.queries.mask.device();
        let numbers = |range: Range<usize>| {
            Tensor::<1, Int>::arange(range.start as i64..range.end as i64, &device)
        };
        let first = numbers(0..columns).mul_scalar(n as i64).reshape([1, 1, columns]);
        let queries = numbers(range.clone()).reshape([range.len(), 1, 1]);
        (queries + first).expand([range.len(), tokens, columns])
    }

    /// The rows of tokens of all queries' own documents, given their places, `[n · tokens, columns]`.
    fn rows_of(&self, place: Tensor<2, Int>) -> Tensor<1, Int> {
        let tokens = self.documents.mask.dims()[1] as i64;
        let own = self.own_documents(&(0..self.queries.texts())).flatten::<2>(0, 1);
        (own.mul_scalar(tokens) + place).reshape([-1])
    }
}

impl Tokens {
    /// The tokens of the own texts of some queries, `[queries, columns · tokens, dim]`, and where there is one,
    /// `[queries, columns, tokens]`.
    fn own(&self, range: &Range<usize>, columns: usize) -> (Tensor<3>, Tensor<3, Bool>) {
        let ([texts, tokens], dim) = (self.mask.dims(), self.rows.dims()[1]);
        let (n, all) = (texts / columns, 0..columns);
        let rows = self.rows.clone().reshape([columns, n, tokens, dim]);
        let rows = rows.slice([all.clone(), range.clone()]).swap_dims(0, 1);
        let mask = self.mask.clone().reshape([columns, n, tokens]);
        let mask = mask.slice([all, range.clone()]).swap_dims(0, 1);
        (rows.reshape([range.len(), columns * tokens, dim]), mask)
    }
}

impl Matched {
    /// What counts for the queries of all parts.
    fn cat(parts: Vec<Self>) -> Self {
        let (mut places, mut counts, mut divisors) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            places.push(part.place);
            counts.push(part.counts);
            divisors.extend(part.divisor);
        }
        let divisor = (!divisors.is_empty()).then(|| Tensor::cat(divisors, 0));
        Self { place: Tensor::cat(places, 0), counts: Tensor::cat(counts, 0), divisor }
    }
}

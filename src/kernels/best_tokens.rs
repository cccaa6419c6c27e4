//! The most similar token of each document, and the gradients through it.

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use crate::numeric::lowest_number;

/// For each row, a token of a query, the most similar token of each document.
#[derive(Debug, Clone)]
pub(crate) struct BestTokens {
    /// Its similarity, `[rows, documents]`; the lowest number where a document has no token.
    pub similarity: Tensor<2>,
    /// Its place in the document, the first of equally similar ones, `[rows, documents]`.
    pub place: Tensor<2, Int>,
    /// Whether it is among the `top_k` most similar tokens of all documents, `[rows, documents]`; `None` without
    /// such a limit.
    pub retrieved: Option<Tensor<2, Bool>>,
}

/// The most similar token of each document for each of the `rows`, `[rows, dim]`, in their graph. Documents have
/// embeddings, `[documents · tokens, dim]`, and a mask of their tokens, `[documents, tokens]`.
///
/// All tokens that are as similar as the last of `top_k` count as retrieved.
pub(crate) fn best_tokens(
    rows: Tensor<2>,
    documents: Tensor<2>,
    mask: &Tensor<2, Bool>,
    top_k: Option<usize>,
) -> BestTokens {
    let ([count, tokens], n) = (mask.dims(), rows.dims()[0]);
    let products = rows.matmul(documents.transpose());
    let lowest = lowest_number(products.dtype());
    let absent = mask.clone().bool_not().reshape([1, count * tokens]);
    let products = products.mask_fill(absent.expand([n, count * tokens]), lowest);
    let last = top_k.map(|k| {
        let k = k.min(count * tokens);
        products.clone().inner().topk(k, 1).narrow(1, k - 1, 1)
    });
    let (similarity, place) = products.reshape([n, count, tokens]).max_dim_with_indices(2);
    let similarity = similarity.squeeze_dim::<2>(2);
    let retrieved = last.map(|last| {
        let fixed = similarity.clone().inner();
        let exists = fixed.clone().greater_elem(lowest);
        fixed.greater_equal(last.expand([n, count])).bool_and(exists)
    });
    BestTokens { similarity, place: place.squeeze_dim(2), retrieved }
}

/// The most similar token of each of their own documents for the tokens of queries, `[queries, tokens, dim]`, as
/// [`best_tokens`] gives them. Documents have embeddings, `[queries, documents · tokens, dim]`, and a mask,
/// `[queries, documents, tokens]`.
pub(crate) fn best_own_tokens(
    queries: Tensor<3>,
    documents: Tensor<3>,
    mask: Tensor<3, Bool>,
) -> BestTokens {
    let ([n, rows, _], [_, count, tokens]) = (queries.dims(), mask.dims());
    let products = queries.matmul(documents.swap_dims(1, 2));
    let absent = mask.bool_not().reshape([n, 1, count * tokens]).expand(products.dims());
    let lowest = lowest_number(products.dtype());
    let products = products.mask_fill(absent, lowest).reshape([n * rows, count, tokens]);
    let (similarity, place) = products.max_dim_with_indices(2);
    BestTokens {
        similarity: similarity.squeeze_dim(2),
        place: place.squeeze_dim(2),
        retrieved: None,
    }
}

/// The gradients with respect to rows, `[rows, dim]`, and documents, `[documents · tokens, dim]`, where they are
/// `wanted`, given those of the similarities, `[rows, documents]`, and the places of the tokens. No graph.
pub(crate) fn best_tokens_backward(
    [rows, documents]: [&Tensor<2>; 2],
    place: Tensor<2, Int>,
    slope: Tensor<2>,
    wanted: [bool; 2],
) -> [Option<Tensor<2>>; 2] {
    let [n, count] = slope.dims();
    let all = documents.dims()[0];
    let spread = Tensor::<3>::zeros([n, count, all / count], (&slope.device(), slope.dtype()));
    let (place, slope) = (place.unsqueeze_dim(2), slope.unsqueeze_dim(2));
    let spread = spread.scatter(2, place, slope, IndexingUpdateOp::Add).reshape([n, all]);
    let [of_rows, of_documents] = wanted;
    [
        of_rows.then(|| spread.clone().matmul(documents.clone())),
        of_documents.then(|| spread.transpose().matmul(rows.clone())),
    ]
}

/// Memory for the similarities of a row with all tokens of a document, and for the gradients, in bytes: products,
/// masked products and the gradient's places; with a limit also sorted products. Beside them the best token with its
/// similarity, share and slope.
pub(crate) fn best_tokens_bytes(rows: &Tensor<2>, tokens: usize, limited: bool) -> usize {
    let (size, matrices) = (rows.dtype().size(), if limited { 5 } else { 3 });
    size * (matrices * tokens + 4) + size_of::<i64>()
}

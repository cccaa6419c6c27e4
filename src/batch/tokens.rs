use burn::prelude::*;
use burn::tensor::DType;

use super::columns::{ColumnMapper, Role};
use super::shape::same_shape;
use crate::numeric::accumulate;

/// The embeddings of the tokens of texts, one column of a multi-vector batch.
///
/// Texts of different lengths lie in one tensor. The mask says which places hold a token that counts: padding, and
/// tokens such as punctuation that are left out of comparisons, may be anywhere, hold anything, and change no number.
/// A text may have no token at all.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TokenEmbeddings;
///
/// let device = Device::flex();
/// // Two texts, with three tokens and with one.
/// let embeddings = Tensor::<3>::ones([2, 3, 8], &device);
/// let mask = Tensor::from_bool([[true, true, true], [true, false, false]], &device);
/// let tokens = TokenEmbeddings::new(embeddings, mask);
/// assert_eq!(tokens.embeddings().dims(), [2, 3, 8]);
/// assert_eq!(tokens.embeddings().clone().sum().into_scalar::<f32>(), 4.0 * 8.0);
/// ```
#[derive(Debug, Clone)]
pub struct TokenEmbeddings {
    /// `[n, tokens, dim]`, 0 where there is no token.
    embeddings: Tensor<3>,
    /// `[n, tokens]`.
    mask: Tensor<2, Bool>,
}

impl TokenEmbeddings {
    /// Embeddings, `[n, tokens, dim]`, and where there is a token, `[n, tokens]`.
    ///
    /// # Panics
    ///
    /// If there is no text, no place for a token or no coordinate, or `mask` is not `[n, tokens]`.
    #[track_caller]
    pub fn new(embeddings: Tensor<3>, mask: Tensor<2, Bool>) -> Self {
        const NAME: &str = "TokenEmbeddings";
        let dims @ [n, tokens, _] = embeddings.dims();
        assert!(
            dims.iter().all(|&size| size > 0),
            "{NAME}: `embeddings` must have at least one text, token and coordinate, got {dims:?}"
        );
        same_shape(NAME, "mask", mask.dims(), [n, tokens]);
        let mask = mask.inner();
        let padding = mask.clone().bool_not().unsqueeze_dim::<3>(2).expand(dims);
        Self { embeddings: accumulate(embeddings).mask_fill(padding, 0.0), mask }
    }

    /// Embeddings, `[n, tokens, dim]`, all of which are tokens.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn unmasked(embeddings: Tensor<3>) -> Self {
        let [n, tokens, _] = embeddings.dims();
        let mask = Tensor::<2, Int>::ones([n, tokens], &embeddings.device().inner()).bool();
        Self::new(embeddings, mask)
    }

    /// The embeddings, `[n, tokens, dim]`; 0 where there is no token.
    pub fn embeddings(&self) -> &Tensor<3> {
        &self.embeddings
    }

    /// Where there is a token, `[n, tokens]`.
    pub fn mask(&self) -> &Tensor<2, Bool> {
        &self.mask
    }

    /// Embeddings and mask.
    pub fn into_parts(self) -> (Tensor<3>, Tensor<2, Bool>) {
        (self.embeddings, self.mask)
    }

    /// The number of texts, of places for a token of each, and of dimensions.
    pub(crate) fn dims(&self) -> [usize; 3] {
        self.embeddings.dims()
    }

    /// The type of the embeddings.
    pub(crate) fn dtype(&self) -> DType {
        self.embeddings.dtype()
    }

    /// See [`Columns::map_columns`](super::Columns::map_columns).
    #[track_caller]
    pub(super) fn map<M: ColumnMapper>(self, role: Role, name: &str, mapper: &mut M) -> Self {
        let embeddings = mapper.map(role, name, self.embeddings);
        Self::new(embeddings, mapper.map_flags("mask", self.mask))
    }
}

impl From<(Tensor<3>, Tensor<2, Bool>)> for TokenEmbeddings {
    #[track_caller]
    fn from((embeddings, mask): (Tensor<3>, Tensor<2, Bool>)) -> Self {
        Self::new(embeddings, mask)
    }
}

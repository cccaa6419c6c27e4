use burn::prelude::*;
use burn::tensor::DType;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::values::check_finite;
use crate::error::BatchError;
use crate::numeric::accumulate;

const NAME: &str = "ReconstructionBatch";

/// What a sparse auto-encoder (CSR) made of the embeddings of a column of texts, `[n, dim]` each, by the names that
/// sentence-transformers gives them.
#[derive(Debug, Clone)]
pub struct Reconstruction {
    /// The dense embeddings that went in.
    pub sentence_embedding_backbone: Tensor<2>,
    /// What was decoded from the `k` largest latents.
    pub decoded_embedding_k: Tensor<2>,
    /// What was decoded from the `4k` largest latents.
    pub decoded_embedding_4k: Tensor<2>,
    /// What was decoded from latents that are seldom active; `None` if the auto-encoder trains none.
    pub decoded_embedding_aux: Option<Tensor<2>>,
    /// `decoded_embedding_k` without the bias of the decoder. A constant: it gets no gradient.
    pub decoded_embedding_k_pre_bias: Tensor<2>,
}

impl Reconstruction {
    /// All matrices, by name.
    fn named(&self) -> impl Iterator<Item = (&'static str, &Tensor<2>)> {
        [
            ("sentence_embedding_backbone", Some(&self.sentence_embedding_backbone)),
            ("decoded_embedding_k", Some(&self.decoded_embedding_k)),
            ("decoded_embedding_4k", Some(&self.decoded_embedding_4k)),
            ("decoded_embedding_aux", self.decoded_embedding_aux.as_ref()),
            ("decoded_embedding_k_pre_bias", Some(&self.decoded_embedding_k_pre_bias)),
        ]
        .into_iter()
        .filter_map(|(name, matrix)| Some((name, matrix?)))
    }

    fn widened(self) -> Self {
        Self {
            sentence_embedding_backbone: accumulate(self.sentence_embedding_backbone),
            decoded_embedding_k: accumulate(self.decoded_embedding_k),
            decoded_embedding_4k: accumulate(self.decoded_embedding_4k),
            decoded_embedding_aux: self.decoded_embedding_aux.map(accumulate),
            decoded_embedding_k_pre_bias: accumulate(self.decoded_embedding_k_pre_bias).inner(),
        }
    }

    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let mut map = |name, matrix| mapper.map(Role::Other, name, matrix);
        Self {
            sentence_embedding_backbone: map(
                "sentence_embedding_backbone",
                self.sentence_embedding_backbone,
            ),
            decoded_embedding_k: map("decoded_embedding_k", self.decoded_embedding_k),
            decoded_embedding_4k: map("decoded_embedding_4k", self.decoded_embedding_4k),
            decoded_embedding_aux: self
                .decoded_embedding_aux
                .map(|matrix| map("decoded_embedding_aux", matrix)),
            decoded_embedding_k_pre_bias: mapper
                .map_numbers("decoded_embedding_k_pre_bias", self.decoded_embedding_k_pre_bias),
        }
    }
}

/// Embeddings and what a sparse auto-encoder decoded in their place, for one or more columns of texts: the batch of
/// CSRReconstructionLoss.
#[derive(Debug, Clone)]
pub struct ReconstructionBatch {
    pub(crate) columns: Vec<Reconstruction>,
}

impl ReconstructionBatch {
    /// One reconstruction for each column of texts.
    ///
    /// # Panics
    ///
    /// If there is no column, or a matrix has another shape or type than the first, or no row or no coordinate.
    #[track_caller]
    pub fn new(columns: Vec<Reconstruction>) -> Self {
        match Self::checked(NAME, columns) {
            Ok(batch) => batch,
            Err(error) => panic!("{error}"),
        }
    }

    /// The batch; errors name the `owner`.
    pub(crate) fn checked(owner: &str, columns: Vec<Reconstruction>) -> Result<Self, BatchError> {
        let refuse = |field: &str, rule: &str, got: &str| {
            Err(BatchError::new(format!("{owner}: `{field}` must {rule}, got {got}")))
        };
        let columns: Vec<_> = columns.into_iter().map(Reconstruction::widened).collect();
        let Some(first) = columns.first() else {
            return refuse("reconstructions", "hold at least one column", "none");
        };
        let leader = of(&first.sentence_embedding_backbone);
        if leader.0.contains(&0) {
            let rule = "have at least one row and one coordinate";
            return refuse("sentence_embedding_backbone", rule, &format!("{:?}", leader.0));
        }
        match Self::misfit(&columns, leader) {
            Some((field, matrix)) => {
                refuse(&field, &format!("be {}", described(leader)), &described(matrix))
            }
            None => Ok(Self { columns }),
        }
    }

    /// The name, shape and type of the first matrix that is not like the `leader`.
    fn misfit(columns: &[Reconstruction], leader: ShapeAndType) -> Option<(String, ShapeAndType)> {
        let all = columns.iter().enumerate();
        let mut all = all.flat_map(|(k, column)| column.named().map(move |named| (k, named)));
        let found = all.find(|(_, (_, matrix))| of(matrix) != leader);
        found.map(|(k, (name, matrix))| (format!("reconstructions[{k}].{name}"), of(matrix)))
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.columns[0].sentence_embedding_backbone.dims()[0]
    }

    /// The type of the numbers.
    pub(crate) fn dtype(&self) -> DType {
        self.columns[0].sentence_embedding_backbone.dtype()
    }

    /// The reconstruction of each column of texts.
    pub fn columns(&self) -> &[Reconstruction] {
        &self.columns
    }

    /// The reconstruction of each column of texts.
    pub fn into_parts(self) -> Vec<Reconstruction> {
        self.columns
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If a number is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

type ShapeAndType = ([usize; 2], DType);

fn of(matrix: &Tensor<2>) -> ShapeAndType {
    (matrix.dims(), matrix.dtype())
}

fn described((shape, dtype): ShapeAndType) -> String {
    format!("{} {shape:?}", dtype.name())
}

impl Columns for ReconstructionBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let columns = self.columns.into_iter();
        Self::new(columns.map(|column| column.map_columns(mapper)).collect())
    }
}

impl Batch for ReconstructionBatch {}

impl From<Reconstruction> for ReconstructionBatch {
    #[track_caller]
    fn from(column: Reconstruction) -> Self {
        Self::new(vec![column])
    }
}

impl From<Vec<Reconstruction>> for ReconstructionBatch {
    #[track_caller]
    fn from(columns: Vec<Reconstruction>) -> Self {
        Self::new(columns)
    }
}

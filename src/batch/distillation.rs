use burn::prelude::*;

use super::shape::{check_finite, following, leading, same_shape};
use crate::error::BatchError;
use crate::numeric::accumulate;

/// The embeddings of a teacher.
#[derive(Debug, Clone)]
pub enum TeacherTargets {
    /// One target a row, the same for every column of texts, `[n, teacher_dim]`.
    Shared(Tensor<2>),
    /// One target a row and column, `[n, columns, teacher_dim]`.
    EachColumn(Tensor<3>),
}

impl From<Tensor<2>> for TeacherTargets {
    fn from(targets: Tensor<2>) -> Self {
        Self::Shared(targets)
    }
}

impl From<Tensor<3>> for TeacherTargets {
    fn from(targets: Tensor<3>) -> Self {
        Self::EachColumn(targets)
    }
}

/// Embeddings of one or more columns of texts with a teacher's embeddings: the batch of MSELoss.
#[derive(Debug, Clone)]
pub struct DistillationBatch {
    /// The student's embeddings, one `[n, dim]` a column of texts.
    pub columns: Vec<Tensor<2>>,
    /// The teacher's embeddings, one `[n, teacher_dim]` a column of texts, without a gradient.
    pub targets: Vec<Tensor<2>>,
}

impl DistillationBatch {
    /// Columns `[n, dim]` and targets `[n, teacher_dim]` or `[n, columns, teacher_dim]`.
    ///
    /// # Panics
    ///
    /// If there is no column, the columns differ in shape, or `targets` does not have `n` rows and
    /// (where given a column each) as many columns.
    #[track_caller]
    pub fn new(columns: Vec<Tensor<2>>, targets: impl Into<TeacherTargets>) -> Self {
        const NAME: &str = "DistillationBatch";
        assert!(!columns.is_empty(), "{NAME}: `columns` must hold at least one column, got none");
        let shape = columns[0].dims();
        let widen = |(k, column): (usize, Tensor<2>)| match k {
            0 => leading(NAME, "columns[0]", column),
            _ => following(NAME, &format!("columns[{k}]"), column, shape),
        };
        let columns: Vec<_> = columns.into_iter().enumerate().map(widen).collect();

        let dtype = columns[0].dtype();
        let targets = per_column(targets.into(), shape[0], columns.len());
        let targets = targets.into_iter().map(|t| accumulate(t).cast(dtype).inner()).collect();
        Self { columns, targets }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        let check = |field, tensor| check_finite("DistillationBatch", field, tensor);
        self.columns.iter().try_for_each(|column| check("columns", column))?;
        self.targets.iter().try_for_each(|target| check("targets", target))
    }
}

#[track_caller]
fn per_column(targets: TeacherTargets, n: usize, columns: usize) -> Vec<Tensor<2>> {
    const NAME: &str = "DistillationBatch";
    match targets {
        TeacherTargets::Shared(targets) => {
            let [_, dim] = targets.dims();
            same_shape(NAME, "targets", targets.dims(), [n, dim]);
            vec![targets; columns]
        }
        TeacherTargets::EachColumn(targets) => {
            let [_, _, dim] = targets.dims();
            same_shape(NAME, "targets", targets.dims(), [n, columns, dim]);
            targets.iter_dim(1).map(|target| target.squeeze_dim(1)).collect()
        }
    }
}

impl<T: Into<TeacherTargets>> From<(Tensor<2>, T)> for DistillationBatch {
    #[track_caller]
    fn from((embeddings, targets): (Tensor<2>, T)) -> Self {
        Self::new(vec![embeddings], targets)
    }
}

impl<T: Into<TeacherTargets>> From<(Vec<Tensor<2>>, T)> for DistillationBatch {
    #[track_caller]
    fn from((columns, targets): (Vec<Tensor<2>>, T)) -> Self {
        Self::new(columns, targets)
    }
}

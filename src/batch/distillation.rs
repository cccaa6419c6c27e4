use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::{Leader, same_shape};
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "DistillationBatch";

/// The embeddings of a teacher.
#[derive(Debug, Clone)]
pub enum TeacherTargets {
    /// One target for each row, the same for every column of texts, `[n, teacher_dim]`.
    Shared(Tensor<2>),
    /// One target for each row and column, `[n, columns, teacher_dim]`.
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

/// Embeddings of one or more columns of texts with a teacher's embeddings: the batch of EmbedDistillLoss and
/// MSELoss.
#[derive(Debug, Clone)]
pub struct DistillationBatch {
    pub(crate) columns: Vec<Tensor<2>>,
    pub(crate) targets: Vec<Tensor<2>>,
}

impl DistillationBatch {
    /// Columns `[n, dim]` and targets `[n, teacher_dim]` or `[n, columns, teacher_dim]`.
    ///
    /// # Panics
    ///
    /// If there is no column, the columns differ in shape or type, or `targets` does not have `n`
    /// rows and (where each column has its own) as many columns.
    #[track_caller]
    pub fn new(columns: Vec<Tensor<2>>, targets: impl Into<TeacherTargets>) -> Self {
        assert!(!columns.is_empty(), "{NAME}: `columns` must hold at least one column, got none");
        let targets = per_column(targets.into(), columns[0].dims()[0], columns.len());
        Self::checked(columns, targets)
    }

    /// Columns, of which there is at least one, and a target for each.
    #[track_caller]
    fn checked(columns: Vec<Tensor<2>>, mut targets: Vec<Tensor<2>>) -> Self {
        let (leader, columns) = Leader::of_columns(NAME, columns);
        let n = columns[0].dims()[0];
        for target in &mut targets {
            let [_, dim] = target.dims();
            *target = leader.numbers("targets", target.clone(), [n, dim]);
        }
        Self { columns, targets }
    }

    /// The student's embeddings, one `[n, dim]` for each column of texts.
    pub fn columns(&self) -> &[Tensor<2>] {
        &self.columns
    }

    /// The teacher's embeddings, one `[n, teacher_dim]` for each column of texts, without a
    /// gradient.
    pub fn targets(&self) -> &[Tensor<2>] {
        &self.targets
    }

    /// The student's and the teacher's embeddings, one of each for each column of texts.
    pub fn into_parts(self) -> (Vec<Tensor<2>>, Vec<Tensor<2>>) {
        (self.columns, self.targets)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

#[track_caller]
fn per_column(targets: TeacherTargets, n: usize, columns: usize) -> Vec<Tensor<2>> {
    match targets {
        TeacherTargets::Shared(targets) => vec![targets; columns],
        TeacherTargets::EachColumn(targets) => {
            let [_, _, dim] = targets.dims();
            same_shape(NAME, "targets", targets.dims(), [n, columns, dim]);
            targets.iter_dim(1).map(|target| target.squeeze_dim(1)).collect()
        }
    }
}

impl Columns for DistillationBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let Self { columns, targets } = self;
        let columns = columns.into_iter().map(|rows| mapper.map(Role::Other, "columns", rows));
        let columns = columns.collect();
        let targets = targets.into_iter().map(|rows| mapper.map(Role::Target, "targets", rows));
        Self::checked(columns, targets.collect())
    }
}

impl Batch for DistillationBatch {}

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

//! Labels of a case as the tensors that a batch takes.

use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::{ClassTargets, MarginTargets, TeacherTargets};

use crate::case::{LabelType, Labels};

/// Labels on a device in a precision.
pub struct LabelTensors<'a> {
    labels: Option<&'a Labels>,
    device: Device,
    dtype: DType,
}

impl<'a> LabelTensors<'a> {
    /// The labels of a case, if it has some.
    pub fn new(labels: Option<&'a Labels>, device: Device, dtype: DType) -> Self {
        Self { labels, device, dtype }
    }

    fn given(&self) -> Result<&Labels, String> {
        self.labels.ok_or_else(|| "the loss needs labels, the case has none".into())
    }

    /// One class a row.
    pub fn classes(&self) -> Result<Tensor<1, Int>, String> {
        let data: Vec<i64> = self.given()?.data.data.iter().map(|&x| x as i64).collect();
        let n = data.len();
        Ok(Tensor::from_data(TensorData::new(data, [n]), &self.device))
    }

    /// One number a row.
    pub fn numbers(&self) -> Result<Tensor<1>, String> {
        let data = self.given()?.data.data.clone();
        let n = data.len();
        Ok(Tensor::from_data(TensorData::new(data, [n]), (&self.device, self.dtype)))
    }

    /// Class indices, or probabilities if the labels are real numbers in rows.
    pub fn class_targets(&self) -> Result<ClassTargets, String> {
        let labels = self.given()?;
        match labels.dtype {
            LabelType::Int => Ok(self.classes()?.into()),
            LabelType::Float => Ok(self.ranked::<2>()?.into()),
        }
    }

    /// Margins or scores.
    pub fn margins(&self) -> Result<MarginTargets, String> {
        match self.given()?.data.shape.len() {
            1 => Ok(self.ranked::<1>()?.into()),
            _ => Ok(self.ranked::<2>()?.into()),
        }
    }

    /// Embeddings of a teacher.
    pub fn teacher(&self) -> Result<TeacherTargets, String> {
        match self.given()?.data.shape.len() {
            3 => Ok(self.ranked::<3>()?.into()),
            _ => Ok(self.ranked::<2>()?.into()),
        }
    }

    fn ranked<const D: usize>(&self) -> Result<Tensor<D>, String> {
        self.given()?
            .data
            .tensor(&self.device, self.dtype)
            .map_err(|error| format!("labels: {error}"))
    }
}

//! Labels of a case as the tensors that a batch takes.

use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::{ClassTargets, MarginTargets, TeacherTargets};

use crate::case::{LabelType, Labels};
use crate::nested::Nested;

/// Labels on a device, in every form that a loss may ask for.
#[derive(Clone)]
pub struct LabelTensors {
    dtype: LabelType,
    classes: Tensor<1, Int>,
    numbers: Tensor<1>,
    shape: Vec<usize>,
}

impl LabelTensors {
    /// Puts labels on the device, real ones in a precision.
    pub fn new(labels: &Labels, device: &Device, dtype: DType) -> Self {
        let Nested { shape, data } = &labels.data;
        let flat = [data.len()];
        let integers: Vec<i64> = data.iter().map(|&x| x as i64).collect();
        Self {
            dtype: labels.dtype,
            classes: Tensor::from_data(TensorData::new(integers, flat), device),
            numbers: Tensor::from_data(TensorData::new(data.clone(), flat), (device, dtype)),
            shape: shape.clone(),
        }
    }

    /// One class a row.
    pub fn classes(self) -> Tensor<1, Int> {
        self.classes
    }

    /// One number a row.
    pub fn numbers(self) -> Tensor<1> {
        self.numbers
    }

    /// Class indices, or probabilities if the labels are real numbers in rows.
    ///
    /// # Errors
    ///
    /// If the labels have another form.
    pub fn class_targets(self) -> Result<ClassTargets, String> {
        match self.dtype {
            LabelType::Int => Ok(self.classes.into()),
            LabelType::Float => Ok(self.ranked::<2>()?.into()),
        }
    }

    /// Margins or scores.
    ///
    /// # Errors
    ///
    /// If the labels have another form.
    pub fn margins(self) -> Result<MarginTargets, String> {
        match self.shape.len() {
            1 => Ok(self.numbers.into()),
            _ => Ok(self.ranked::<2>()?.into()),
        }
    }

    /// Embeddings of a teacher.
    ///
    /// # Errors
    ///
    /// If the labels have another form.
    pub fn teacher(self) -> Result<TeacherTargets, String> {
        match self.shape.len() {
            3 => Ok(self.ranked::<3>()?.into()),
            _ => Ok(self.ranked::<2>()?.into()),
        }
    }

    fn ranked<const D: usize>(self) -> Result<Tensor<D>, String> {
        let shape: Result<[usize; D], _> = self.shape.clone().try_into();
        let shape = shape.map_err(|shape| format!("labels of rank {D} expected, got {shape:?}"))?;
        Ok(self.numbers.reshape(shape))
    }
}

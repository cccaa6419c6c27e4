//! Nested JSON lists of numbers as a shape and a flat list.

use burn::prelude::*;
use burn::tensor::DType;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

/// Numbers of any rank, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// All numbers.
    pub data: Vec<f64>,
}

impl Nested {
    /// The numbers as a tensor of rank `D` in `dtype`.
    ///
    /// # Errors
    ///
    /// If the rank is not `D`.
    pub fn tensor<const D: usize>(
        &self,
        device: &Device,
        dtype: DType,
    ) -> Result<Tensor<D>, String> {
        if self.shape.len() != D {
            return Err(format!("expected rank {D}, got shape {:?}", self.shape));
        }
        let data = TensorData::new(self.data.clone(), self.shape.clone());
        Ok(Tensor::from_data(data, (device, dtype)))
    }

    /// The same numbers as a matrix with a row for each of the first axis.
    pub fn as_matrix(mut self) -> Self {
        let rows = self.shape.first().copied().unwrap_or_default();
        self.shape = vec![rows, self.data.len() / rows.max(1)];
        self
    }

    /// The numbers as a mask: true where they are not 0.
    ///
    /// # Errors
    ///
    /// If the rank is not 2.
    pub fn mask(&self, device: &Device) -> Result<Tensor<2, Bool>, String> {
        let mask: Vec<bool> = self.data.iter().map(|&x| x != 0.0).collect();
        match self.shape[..] {
            [rows, columns] => {
                Ok(Tensor::from_data(TensorData::new(mask, [rows, columns]), device))
            }
            _ => Err(format!("expected a mask of rank 2, got shape {:?}", self.shape)),
        }
    }

    /// The numbers rounded to `f32`: what inputs are meant to be.
    pub fn rounded_to_f32(mut self) -> Self {
        self.data.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        self
    }

    fn push(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        match value {
            Value::Array(items) => {
                if self.shape.len() == depth && self.data.is_empty() {
                    self.shape.push(items.len());
                }
                if self.shape.get(depth) != Some(&items.len()) {
                    return Err(format!("a list of {} among others of another form", items.len()));
                }
                items.iter().try_for_each(|item| self.push(item, depth + 1))
            }
            Value::Number(number) if depth == self.shape.len() => {
                self.data.push(number.as_f64().ok_or("a number out of range")?);
                Ok(())
            }
            _ => Err(format!("expected nested lists of numbers, found {value}")),
        }
    }
}

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut nested = Self { shape: Vec::new(), data: Vec::new() };
        nested.push(&Value::deserialize(deserializer)?, 0).map_err(D::Error::custom)?;
        Ok(nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_lists_are_refused() {
        for text in ["[[1, 2], [3]]", "[1, [2]]", "[[1], 2]", "[\"1\"]", "[null]"] {
            assert!(serde_json::from_str::<Nested>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_keep_their_shape() {
        let nested: Nested = serde_json::from_str("[[[1], [2], [3]], [[4], [5], [6]]]").unwrap();
        assert_eq!(nested.shape, [2, 3, 1]);
        assert_eq!(nested.data, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

//! Texts as a rectangle of token ids.

use std::iter::repeat;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::tokenizer::Tokenizer;

/// Texts as token ids, all as long as the longest one.
#[derive(Debug, Clone)]
pub struct TokenBatch {
    /// The ids, `[texts, tokens]`.
    pub ids: Tensor<2, Int>,
    /// True for ids that only fill a row up, `[texts, tokens]`.
    pub padding: Tensor<2, Bool>,
}

impl TokenBatch {
    /// Pads the rows to a common length.
    pub fn new(rows: &[&[u32]], device: &Device) -> Self {
        let length = longest(rows);
        let padding = rows.iter().flat_map(|row| (0..length).map(|index| index >= row.len()));
        let padding = TensorData::new(padding.collect(), [rows.len(), length]);
        Self {
            ids: padded(rows, Tokenizer::PADDING_ID, device),
            padding: Tensor::from_data(padding, device),
        }
    }
}

/// Rows filled up with the id `padding`, `[rows, longest row]`.
pub fn padded(rows: &[&[u32]], padding: u32, device: &Device) -> Tensor<2, Int> {
    let length = longest(rows);
    let ids = rows.iter().flat_map(|row| row.iter().copied().chain(repeat(padding)).take(length));
    let ids = ids.map(|id| id as i32);
    Tensor::from_data(TensorData::new(ids.collect(), [rows.len(), length]), device)
}

fn longest(rows: &[&[u32]]) -> usize {
    rows.iter().map(|row| row.len()).max().unwrap_or(1).max(1)
}

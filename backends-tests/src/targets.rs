//! Labels of a case as the targets that a batch takes.

use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::catalog::{BatchKind, Targets};

use crate::case::{Case, LabelType, Labels};
use crate::nested::Nested;

/// The labels of the case, or its guide, as targets of a batch of this kind, real numbers in a precision.
///
/// Python holds some numbers as integers and passes labels to losses that ignore them.
///
/// # Errors
///
/// If the labels have a rank that no batch takes, there is no guide for a batch with one, or lists come without
/// their lengths.
pub fn targets(
    case: &Case,
    kind: BatchKind,
    device: &Device,
    dtype: DType,
) -> Result<Targets, String> {
    if kind == BatchKind::GuidedRankings {
        let guide = case.guide_columns.as_ref().ok_or("the case has no `guide_columns`")?;
        let columns = guide.iter().map(|column| column.tensor(device, dtype));
        return Ok(Targets::Guide(columns.collect::<Result<_, _>>()?));
    }
    let without = matches!(
        kind,
        BatchKind::Triplets
            | BatchKind::PositivePairs
            | BatchKind::Rankings
            | BatchKind::AnyTexts
            | BatchKind::Reconstructions
            | BatchKind::TwoEncoderTexts
            | BatchKind::TokenRankings
            | BatchKind::Candidates
    );
    let Some(Labels { dtype: of, data }) = case.labels.as_ref().filter(|_| !without) else {
        return Ok(Targets::None);
    };
    if kind == BatchKind::Lists {
        let lengths = case.lengths.clone().ok_or("the case lacks `lengths`")?;
        return Ok(Targets::Lists { labels: data.tensor(device, dtype)?, lengths });
    }
    let classes = matches!(
        kind,
        BatchKind::LabeledRows | BatchKind::ClassifiedPairs | BatchKind::ClassLogits
    );
    let number = match kind {
        BatchKind::LabeledRows
        | BatchKind::BinaryPairs
        | BatchKind::ScoredPairs
        | BatchKind::ScoredTuples
        | BatchKind::TwoEncoderPairs
        | BatchKind::Logits => true,
        _ => classes && *of == LabelType::Int,
    };
    // A column of numbers is one a row.
    let shape = if number { vec![data.data.len()] } else { data.shape.clone() };
    let data = &Nested { shape, data: data.data.clone() };
    match (of, data.shape.len()) {
        (LabelType::Int, 1) if classes => Ok(Targets::Classes(integers(data, device))),
        (_, 1) => Ok(Targets::Numbers(data.tensor(device, dtype)?)),
        (_, 2) => Ok(Targets::Matrix(data.tensor(device, dtype)?)),
        _ => Ok(Targets::EachColumn(data.tensor(device, dtype)?)),
    }
}

fn integers(Nested { shape, data }: &Nested, device: &Device) -> Tensor<1, Int> {
    let integers: Vec<i64> = data.iter().map(|&x| x as i64).collect();
    Tensor::from_data(TensorData::new(integers, shape.clone()), device)
}

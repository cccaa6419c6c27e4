//! What may be changed about a batch without changing its loss.

use backends_tests::case::Case;
use backends_tests::nested::Nested;
use backends_tests::subject::{Inputs, numbers};
use burn::prelude::*;
use burn_embedding_losses::catalog::Entry;
use serde_json::json;

use super::{Place, close, same};

/// Reversing and interleaving the rows permutes the gradients and leaves the loss.
pub fn permutes(place: &Place, case: &Case) -> Result<(), String> {
    let n = case.columns[0].shape[0];
    let order: Vec<usize> = (0..n).map(|i| (i * 3 + 2) % n).rev().collect();
    let mut permuted = case.clone();
    let labels = permuted.labels.iter_mut().map(|labels| &mut labels.data);
    let guide = permuted.guide_columns.iter_mut().flatten();
    let masks = permuted.masks.iter_mut().flatten();
    permuted
        .columns
        .iter_mut()
        .chain(labels)
        .chain(guide)
        .chain(masks)
        .for_each(|rows| *rows = take(rows, &order));

    if let Some(lengths) = &mut permuted.lengths {
        *lengths = order.iter().map(|&row| lengths[row]).collect();
    }

    let (loss, gradients) = place.run(case);
    let moved = |(data, column): (Vec<f64>, &Nested)| {
        take(&Nested { shape: column.shape.clone(), data }, &order).data
    };
    let moved = gradients.into_iter().zip(&case.columns).map(moved).collect();
    same(&(loss, moved), &place.run(&permuted), place.rounding(case))
}

fn take(rows: &Nested, order: &[usize]) -> Nested {
    let width = rows.data.len() / rows.shape[0];
    let row = |&i: &usize| rows.data[i * width..(i + 1) * width].iter().copied();
    Nested { shape: rows.shape.clone(), data: order.iter().flat_map(row).collect() }
}

/// Scaling every row by its own positive number changes nothing.
pub fn ignores_lengths(place: &Place, case: &Case) -> Result<(), String> {
    let mut scaled = case.clone();
    for column in &mut scaled.columns {
        let dim = column.shape[1];
        for (i, row) in column.data.chunks_mut(dim).enumerate() {
            let length = [1e-6, 0.5, 3.0, 1e7][i % 4];
            row.iter_mut().for_each(|x| *x *= length);
        }
    }
    close("loss", place.run(&scaled).0, place.run(case).0, place.rounding(case))
}

/// The sum of `forward_no_reduction` and `Reduction::Sum` agree in value and gradient; a loss that
/// is one number for the whole batch has no terms, but may have parts that add up to it.
pub fn terms_sum_to_the_sum(place: &Place, case: &Case) -> Result<(), String> {
    let mut summed = case.clone();
    let one_number = Entry::of(&case.loss).is_ok_and(|entry| entry.one_number);
    if !one_number {
        summed.config["reduction"] = json!("Sum");
    }
    let inputs = Inputs::new(&summed, &place.device, place.dtype(case))?;
    let parts = inputs.parts()?;
    if !parts.is_empty() {
        close("parts", parts.values().sum(), place.run(&summed).0, place.rounding(case))?;
    }
    let Some(terms) = inputs.terms()? else {
        return one_number.then_some(()).ok_or_else(|| "no terms".into());
    };
    let found = terms.clone().sum().backward();
    let gradient = |column: &Tensor<2>| column.grad(&found).map_or_else(Vec::new, numbers);
    let gradients = inputs.columns().iter().map(gradient).collect();
    let terms = numbers(terms);
    if terms.len() < case.columns[0].shape[0] {
        return Err(format!("only {} terms", terms.len()));
    }
    let of_terms = (terms.iter().sum(), gradients);
    same(&of_terms, &place.run(&summed), place.rounding(case))
}

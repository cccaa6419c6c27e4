//! What the memory budget of an in-batch loss may change.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backends_tests::case::Case;
use burn::tensor::DType;
use serde_json::json;

use super::{Place, same};

/// A budget for one anchor at a time gives what one block gives; a smaller one is refused, naming the
/// smallest.
///
/// In the finest precision and in `f32`, which has kernels of its own on Flex.
pub fn changes_nothing(place: &Place, case: &Case) -> Result<(), String> {
    // A zero row has no direction, and is searched for in another way.
    let mut with_zero_row = case.clone();
    let dim = case.columns[0].shape[1];
    with_zero_row.columns[0].data[..dim].fill(0.0);
    let cases = [("as they are", case), ("with a zero row", &with_zero_row)];
    cases.into_iter().try_for_each(|(rows, case)| {
        let finest = place.dtype(case);
        let types = if finest == DType::F32 { &[finest][..] } else { &[finest, DType::F32] };
        types.iter().try_for_each(|&dtype| {
            let wrong = |why| format!("{rows}, {}: {why}", dtype.name());
            in_type(place, case, dtype).map_err(wrong)
        })
    })
}

fn in_type(place: &Place, case: &Case, dtype: DType) -> Result<(), String> {
    let with_budget = |bytes: usize| {
        let mut case = case.clone();
        case.config["memory_budget"] = json!(bytes);
        case
    };
    let smallest = refused(place, &with_budget(1), dtype)?;
    let just_less = refused(place, &with_budget(smallest - 1), dtype)?;
    if just_less != smallest {
        return Err(format!("{smallest} and {just_less} are the smallest budget"));
    }
    let whole = place.run_in(case, dtype);
    let rounding = if dtype == DType::F32 { 1e-5 } else { place.rounding(case) };
    [1, 3, 4].into_iter().try_for_each(|rows| {
        same(&place.run_in(&with_budget(rows * smallest), dtype), &whole, rounding)
    })
}

/// The smallest budget, as the refusal of a smaller one names it.
fn refused(place: &Place, case: &Case, dtype: DType) -> Result<usize, String> {
    let panic = catch_unwind(AssertUnwindSafe(|| place.run_in(case, dtype)));
    let panic = panic.err().ok_or("a budget that is too small is taken")?;
    let message = panic.downcast_ref::<String>().ok_or("a panic without a message")?;
    let (owner, rest) = message.split_once(": `memory_budget` must be at least ").ok_or(message)?;
    // The catalog knows a loss of another kind of model by a longer name.
    if !case.loss.ends_with(owner) {
        return Err(message.clone());
    }
    let digits = rest.split(' ').next().unwrap_or_default();
    digits.parse().map_err(|_| message.clone())
}

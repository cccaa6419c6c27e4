//! What the memory budget of an in-batch loss may change.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backends_tests::case::Case;
use serde_json::json;

use super::{Place, same};

/// A budget for one anchor at a time gives what one block gives; a smaller one is refused, naming the
/// smallest.
pub fn changes_nothing(place: &Place, case: &Case) -> Result<(), String> {
    let with_budget = |bytes: usize| {
        let mut case = case.clone();
        case.config["memory_budget"] = json!(bytes);
        case
    };
    let smallest = refused(place, &with_budget(1))?;
    let just_less = refused(place, &with_budget(smallest - 1))?;
    if just_less != smallest {
        return Err(format!("{smallest} and {just_less} are the smallest budget"));
    }
    let whole = place.run(case);
    [1, 3, 4].into_iter().try_for_each(|rows| {
        same(&place.run(&with_budget(rows * smallest)), &whole, place.rounding(case))
    })
}

/// The smallest budget, as the refusal of a smaller one names it.
fn refused(place: &Place, case: &Case) -> Result<usize, String> {
    let panic = catch_unwind(AssertUnwindSafe(|| place.run(case)));
    let panic = panic.err().ok_or("a budget that is too small is taken")?;
    let message = panic.downcast_ref::<String>().ok_or("a panic without a message")?;
    let expected = format!("{}: `memory_budget` must be at least ", case.loss);
    let rest = message.strip_prefix(&expected).ok_or(message)?;
    let digits = rest.split(' ').next().unwrap_or_default();
    digits.parse().map_err(|_| message.clone())
}

//! The laws, one function each: what must hold for a case, or why it does not.

pub mod degenerate;
pub mod derivative;
pub mod symmetry;

use backends_tests::case::Case;
use backends_tests::subject;
use burn::prelude::*;
use burn::tensor::DType;

/// A value and its gradient for each column.
pub type Outcome = (f64, Vec<Vec<f64>>);

/// Applies a law to every case and reports all that break it.
pub fn check(cases: Vec<Case>, law: impl Fn(&Case) -> Result<(), String>) {
    assert!(!cases.is_empty(), "a law about nothing");
    let broken: Vec<String> = cases
        .iter()
        .filter_map(|case| law(case).err().map(|why| format!("{}: {why}", case.id)))
        .collect();
    assert!(broken.is_empty(), "{} of {} cases:\n{}", broken.len(), cases.len(), broken.join("\n"));
}

/// Loss and gradients in `f64`.
pub fn run(case: &Case) -> Outcome {
    run_in(case, DType::F64)
}

/// Loss and gradients in a precision.
pub fn run_in(case: &Case, dtype: DType) -> Outcome {
    let answer = subject::run(case, &Device::flex(), dtype).expect("a case that fits its loss");
    (answer.loss, answer.gradients)
}

/// `a ≈ b`, relative to the larger, as an error that says what is off.
pub fn close(what: &str, a: f64, b: f64, tolerance: f64) -> Result<(), String> {
    let within = (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0);
    within.then_some(()).ok_or_else(|| format!("{what}: {a:e} is not {b:e}"))
}

/// Values and gradients of two outcomes are equal up to `tolerance`.
pub fn same(a: &Outcome, b: &Outcome, tolerance: f64) -> Result<(), String> {
    close("loss", a.0, b.0, tolerance)?;
    let (a, b) = (a.1.concat(), b.1.concat());
    a.iter().zip(&b).try_for_each(|(&a, &b)| close("gradient", a, b, tolerance))
}

/// Panics unless the outcomes are the [`same`].
pub fn assert_close(what: &str, a: &Outcome, b: &Outcome, tolerance: f64) {
    if let Err(why) = same(a, b, tolerance) {
        panic!("{what}: {why}");
    }
}

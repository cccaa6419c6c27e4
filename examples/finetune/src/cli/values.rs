//! Readers of the values of options, which say what is expected.

use std::num::NonZeroUsize;

pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number above zero".to_string()),
        Ok(number) => Ok(number),
    }
}

/// More threads than this are a slip.
const WORKERS: usize = 1024;

pub(super) fn workers(text: &str) -> Result<usize, String> {
    at_most(WORKERS, text).map(NonZeroUsize::get)
}

/// More numbers than this in an embedding are a slip.
const DIMENSIONS: usize = 1 << 16;

pub(super) fn dimension(text: &str) -> Result<NonZeroUsize, String> {
    at_most(DIMENSIONS, text)
}

fn at_most(most: usize, text: &str) -> Result<NonZeroUsize, String> {
    let number = NonZeroUsize::new(positive(text)?).filter(|number| number.get() <= most);
    number.ok_or_else(|| format!("expected at most {most}"))
}

/// Every epoch is drawn once before training, so that the learning rate knows the number of steps.
const EPOCHS: usize = 1_000_000;

pub(super) fn epochs(text: &str) -> Result<usize, String> {
    match positive(text)? {
        number if number > EPOCHS => Err(format!("expected at most {EPOCHS}")),
        number => Ok(number),
    }
}

pub(super) fn at_least_two(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0 | 1) | Err(_) => Err("expected a whole number of at least 2".to_string()),
        Ok(number) => Ok(number),
    }
}

pub(crate) fn above_zero(text: &str) -> Result<f64, String> {
    // Training computes in `f32`.
    let fits = |number: f64| number as f32 > 0.0 && (number as f32).is_finite();
    number(text, "a number above zero, and at most 3.4e38", fits)
}

pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "a number of at least zero", |number| number >= 0.0 && number.is_finite())
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to 1", |number| (0.0..=1.0).contains(&number))
}

pub(super) fn below_one(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to below 1", |number| (0.0..1.0).contains(&number))
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    number(text, "a number", f64::is_finite)
}

fn number(text: &str, expected: &str, fits: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| fits(*number));
    number.ok_or_else(|| format!("expected {expected}"))
}

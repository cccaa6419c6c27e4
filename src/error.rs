//! Errors of configurations and of batches.

use core::fmt::{self, Display};

/// A configuration that no loss can be built from.
///
/// The message names the loss, the field, the rule and the value:
/// ``TripletLoss: `margin` must be finite, got NaN``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// `Ok` if the rule holds, else the error that names loss, field, rule and value.
    pub(crate) fn unless(
        holds: bool,
        loss: &str,
        field: &str,
        rule: &str,
        got: impl Display,
    ) -> Result<(), Self> {
        if holds {
            return Ok(());
        }
        Err(Self(format!("{loss}: `{field}` {rule}, got {got}")))
    }

    /// The rule for the sizes of a layer that a loss owns: `inputs` are given, `got` is the value of `field`.
    pub(crate) fn unless_layer_fits(
        loss: &str,
        field: &str,
        inputs: usize,
        got: usize,
    ) -> Result<(), Self> {
        let rule = format!("must be at most {} with {inputs} inputs", LAYER / inputs.max(1));
        Self::unless(inputs.saturating_mul(got) <= LAYER, loss, field, &rule, got)
    }

    /// The rule that every scale and temperature shares.
    pub(crate) fn unless_positive(loss: &str, field: &str, value: f64) -> Result<(), Self> {
        let positive = value > 0.0 && value.is_finite();
        Self::unless(positive, loss, field, "must be positive", value)
    }

    /// The rule that every margin, strength and weight shares.
    pub(crate) fn unless_finite(loss: &str, field: &str, value: f64) -> Result<(), Self> {
        Self::unless(value.is_finite(), loss, field, "must be finite", value)
    }
}

/// The most weights of a layer that a loss owns: 1 GiB in `f32`.
const LAYER: usize = 1 << 28;

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ConfigError {}

/// Turns a broken rule into the panic that `init` documents.
#[track_caller]
pub(crate) fn expect_valid(check: Result<(), ConfigError>) {
    if let Err(error) = check {
        panic!("{error}");
    }
}

/// Values in a batch that no loss can learn from, found by a batch's `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError(String);

impl BatchError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for BatchError {}

//! The parts of a description of a network.

use crate::transformer::{Activation, check_size};

/// The heads of attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Heads {
    /// Number of heads.
    pub query: usize,
    /// Number of keys and values, each for as many heads; divides the number of heads.
    pub key_value: usize,
    /// Size of a head; even.
    pub size: usize,
    /// What queries are multiplied by.
    pub scale: f64,
    /// Whether one matrix makes queries, keys and values.
    pub fused: bool,
    /// Whether queries, keys and values have biases.
    pub bias: bool,
    /// Whether the result has a bias.
    pub output_bias: bool,
    /// Whether queries and keys are normalised.
    pub norms: bool,
    /// Scores are kept below this.
    pub soft_cap: Option<f64>,
}

/// The feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gate {
    pub activation: Activation,
    /// Whether one matrix makes both halves.
    pub fused: bool,
    /// Whether the half that goes through the activation comes last in it.
    pub is_last: bool,
    /// Whether the halves have biases.
    pub bias: bool,
    /// Whether the result has a bias.
    pub output_bias: bool,
}

/// Shares of numbers that are dropped out while training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Dropouts {
    pub embeddings: f64,
    /// Of attention.
    pub weights: f64,
    /// Of the result of attention.
    pub attention: f64,
    /// Between the halves of the feed-forward part.
    pub inner: f64,
    /// Of the result of the feed-forward part.
    pub feed_forward: f64,
}

/// Where the normalisations of hidden states are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// Before each half of a layer, and at the end.
    Before,
    /// Before each half of a layer and after it, and at the end.
    BeforeAndAfter,
    /// Of the sum of each half of a layer and what it was given.
    OfSum,
}

impl Heads {
    /// Heads that each have their own keys and values.
    pub fn new(number: usize, size: usize) -> Self {
        Self {
            query: number,
            key_value: number,
            size,
            scale: (size as f64).powf(-0.5),
            fused: false,
            bias: false,
            output_bias: false,
            norms: false,
            soft_cap: None,
        }
    }

    /// The sizes of all queries, keys and values of a token.
    pub fn widths(self) -> [usize; 3] {
        [self.query * self.size, self.key_value * self.size, self.key_value * self.size]
    }

    pub fn check(self) -> Result<(), String> {
        if !self.query.is_multiple_of(self.key_value) {
            let (heads, shared) = (self.query, self.key_value);
            return Err(format!("`num_key_value_heads` {shared} does not divide {heads} heads"));
        }
        check_size("head_dim", self.size, 1 << 10)?;
        if !self.size.is_multiple_of(2) {
            return Err(format!(
                "`head_dim` is {}, but positions turn pairs of numbers",
                self.size
            ));
        }
        Ok(())
    }
}

impl Gate {
    /// A matrix for each half, without biases.
    pub fn new(activation: Activation) -> Self {
        Self { activation, fused: false, is_last: false, bias: false, output_bias: false }
    }
}

impl Places {
    pub fn before(self) -> bool {
        self != Self::OfSum
    }

    pub fn of_result(self) -> bool {
        self == Self::BeforeAndAfter
    }

    pub fn after_sum(self) -> bool {
        self == Self::OfSum
    }

    pub fn at_the_end(self) -> bool {
        self != Self::OfSum
    }
}

//! A model that tells a loss which texts are no negatives.

use std::fmt;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use burn_embedding_losses::catalog::BatchKind;
use burn_embedding_models::{SentenceTransformer, TextEncoder, Tokenizer};

use super::evaluation::Embedder;
use super::finite::{NOT_FINITE, is_finite};
use crate::cli::Args;
use crate::data::task::Example;
use crate::data::{Text, Texts};
use crate::error::Error;

/// Embeddings of texts of columns, without gradients, `[n, dim]`.
type Embed = dyn Fn(&[(usize, Text)], &Texts) -> Result<Tensor<2>, Error>;

/// A model with a tokenizer and dimension of its own, which embeds the texts of a batch as a loss wants it,
/// without gradients.
pub struct Guide {
    embed: Box<Embed>,
}

impl fmt::Debug for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guide")
    }
}

impl Guide {
    /// A model of sentence-transformers.
    pub fn open(directory: &Path, device: &Device) -> Result<Self, Error> {
        let device = device.clone().without_autodiff();
        let SentenceTransformer { encoder, tokenizer, .. } =
            SentenceTransformer::open(directory, &device)?;
        if !is_finite(&encoder) {
            return Err(Error::read(directory, NOT_FINITE));
        }
        Ok(Self::of(tokenizer, &encoder, device))
    }

    /// An encoder with its tokenizer.
    pub fn of<E: TextEncoder + 'static>(tokenizer: Tokenizer, encoder: &E, device: Device) -> Self {
        let (encoder, routes) = (encoder.clone(), tokenizer.into());
        let embed = move |texts: &[(usize, Text)], all: &Texts| {
            Embedder::new(&routes, &encoder, std::slice::from_ref(&device)).tensor(texts, all)
        };
        Self { embed: Box::new(embed) }
    }

    /// Its embeddings of some examples, a matrix for each column.
    pub(super) fn columns(
        &self,
        examples: &[Example],
        all: &Texts,
        rows: &[usize],
    ) -> Result<Vec<Tensor<2>>, Error> {
        let columns = examples[rows[0]].texts.len();
        let text = move |column: usize, row: usize| (column, examples[row].texts[column]);
        let column = |column: usize| rows.iter().map(move |&row| text(column, row));
        let texts: Vec<_> = (0..columns).flat_map(column).collect();
        Ok((self.embed)(&texts, all)?.chunk(columns, 0))
    }
}

/// Refuses a loss that needs a guide and has none, and a guide that the loss does not need.
pub(super) fn check(args: &Args, loss: &str, takes: BatchKind) -> Result<(), Error> {
    let reason = match (takes == BatchKind::GuidedRankings, &args.guide) {
        (true, None) => format!("{loss} needs a model of sentence-transformers: --guide DIR"),
        (false, Some(_)) => format!("{loss} has no guide; GISTEmbedLoss has one"),
        _ => return Ok(()),
    };
    Err(Error::option("--guide", reason))
}

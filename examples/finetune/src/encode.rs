//! `finetune encode`: the lines of a file to embeddings.

use std::io::{self, Write};
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;

use crate::cli::EncodeArgs;
use crate::console::Console;
use crate::encoder::{TextEncoder, TokenBatch};
use crate::error::Error;
use crate::model::{Pretrained, SentenceEncoder};
use crate::{data, npy, output};

/// The file formats of embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Npy,
    Jsonl,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Error> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => Ok(Self::Npy),
            Some("jsonl") => Ok(Self::Jsonl),
            _ => Err(Error::output(path, "the extension names no format: use .npy or .jsonl")),
        }
    }
}

/// The embeddings of a list of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// All values, text by text.
    pub values: Vec<f32>,
    /// Values of one text.
    pub dimension: usize,
    /// How many texts were longer than the model reads.
    pub cut: usize,
}

impl Embedded {
    /// The embeddings, one by one.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(self.dimension)
    }
}

/// Does what the command line asks for.
pub fn run(args: &EncodeArgs, console: &Console) -> Result<(), Error> {
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    let format = match &args.out {
        Some(path) => {
            output::check(path)?;
            Format::of(path)?
        }
        None => Format::Jsonl,
    };
    let lines = data::lines(&args.file)?;
    let model = Pretrained::load_with(&args.model, args.adjustments(), &device)?;
    let prompt = model.prompt(args.prompt.as_deref())?;
    let texts: Vec<_> = lines.iter().map(|line| format!("{prompt}{line}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let embedded = embed(&model, &texts, args.batch_size, &device)?;
    if embedded.cut > 0 {
        let (cut, limit) = (embedded.cut, model.max_tokens);
        console.note(format_args!("{cut} of {} texts cut to {limit} tokens", texts.len()));
    }
    let write = |out: &mut dyn Write| match format {
        Format::Npy => npy::write(out, &embedded.values, embedded.dimension),
        Format::Jsonl => write_jsonl(out, &lines, &embedded),
    };
    match &args.out {
        Some(path) => output::write(path, write),
        // A reader that went away (`finetune encode | head`) has what it wants.
        None => match write(&mut io::BufWriter::new(io::stdout().lock())) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::output(Path::new("standard output"), error))
            }
            _ => Ok(()),
        },
    }
}

/// The embeddings of `texts` in their order, `batch_size` at a time.
pub fn embed(
    model: &Pretrained,
    texts: &[&str],
    batch_size: usize,
    device: &Device,
) -> Result<Embedded, Error> {
    let encoder = model.encoder.valid();
    let encoded = model.tokenizer.encode_counting(texts.to_vec(), model.max_tokens)?;
    // Texts of like length share a batch, so that little of it is padding.
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(encoded.rows[index].len()));
    let dimension = model.dimension;
    let mut values = vec![0.0; texts.len() * dimension];
    for batch in order.chunks(batch_size) {
        let ids: Vec<_> = batch.iter().map(|&index| encoded.rows[index].as_slice()).collect();
        let rows = forward(&encoder, &ids, &device.clone().without_autodiff());
        for (&index, row) in batch.iter().zip(rows.chunks(dimension)) {
            values[index * dimension..][..dimension].copy_from_slice(row);
        }
    }
    Ok(Embedded { values, dimension, cut: encoded.cut })
}

fn forward(encoder: &SentenceEncoder, ids: &[&[u32]], device: &Device) -> Vec<f32> {
    encoder.forward(TokenBatch::new(ids, device)).into_data().iter().collect()
}

/// A line of JSON output.
#[derive(Serialize)]
struct Row<'a> {
    text: &'a str,
    embedding: &'a [f32],
}

fn write_jsonl(out: &mut dyn Write, texts: &[String], embedded: &Embedded) -> io::Result<()> {
    for (text, embedding) in texts.iter().zip(embedded.rows()) {
        serde_json::to_writer(&mut *out, &Row { text, embedding })?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

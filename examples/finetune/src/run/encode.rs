//! `finetune encode`: the lines of a file to embeddings.

use std::io::{self, Write};
use std::path::Path;

use burn_embedding_models::SentenceTransformer;
use serde::Serialize;

use crate::cli::EncodeArgs;
use crate::data;
use crate::error::Error;
use crate::report::console::Console;
use crate::report::{npy, output};

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

    /// The format of a file that can be written, or of the lines on stdout.
    fn of_output(out: Option<&Path>) -> Result<Self, Error> {
        out.map_or(Ok(Self::Jsonl), |path| {
            output::check(path)?;
            Self::of(path)
        })
    }
}

/// Lines with their embeddings.
struct Embedded {
    lines: Vec<String>,
    /// The values of all embeddings, line by line.
    values: Vec<f32>,
    dimension: usize,
}

/// Does what the command line asks for.
pub fn encode(args: &EncodeArgs, console: &Console) -> Result<(), Error> {
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    let format = Format::of_output(args.out.as_deref())?;
    if let Some(out) = &args.out {
        output::check_apart(out, &args.file)?;
    }
    let lines = data::lines(&args.file)?;
    let model = args.open_options().open(&args.model, &device)?;
    let embedded = embed(&model, lines, args, console)?;
    let write = |out: &mut dyn Write| match format {
        Format::Npy => npy::write(out, &embedded.values, embedded.dimension),
        Format::Jsonl => embedded.write_jsonl(out),
    };
    match &args.out {
        Some(path) => output::write(path, write),
        None => print(write),
    }
}

fn embed(
    model: &SentenceTransformer,
    lines: Vec<String>,
    args: &EncodeArgs,
    console: &Console,
) -> Result<Embedded, Error> {
    let tokens = model.tokenize(&lines, args.prompt.as_deref())?;
    if tokens.cut > 0 {
        let (cut, limit) = (tokens.cut, model.tokenizer.max_tokens());
        console.note(format_args!("{cut} of {} texts cut to {limit} tokens", lines.len()));
    }
    let values: Vec<f32> = model.embed(&tokens, args.batch_size).into_data().iter().collect();
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        let (line, value) = (place / model.dimension() + 1, values[place]);
        let reason = format!(
            "the model gives {value} in the embedding of line {line} of {}: its weights are damaged or \
             not finite",
            args.file.display()
        );
        return Err(Error::option("--model", reason));
    }
    Ok(Embedded { lines, values, dimension: model.dimension() })
}

/// Writes to stdout. A reader that went away (`finetune encode | head`) has what it wants.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    match write(&mut io::BufWriter::new(io::stdout().lock())) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::output(Path::new("standard output"), error))
        }
        _ => Ok(()),
    }
}

/// A line of JSON output.
#[derive(Serialize)]
struct Row<'a> {
    text: &'a str,
    embedding: &'a [f32],
}

impl Embedded {
    fn write_jsonl(&self, out: &mut dyn Write) -> io::Result<()> {
        for (text, embedding) in self.lines.iter().zip(self.values.chunks(self.dimension)) {
            serde_json::to_writer(&mut *out, &Row { text, embedding })?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

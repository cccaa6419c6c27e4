//! `finetune encode`: the lines of a file to embeddings.

use std::io::{self, Write};
use std::path::Path;

use burn::tensor::{Device, Tensor};
use burn_embedding_models::{SentenceTransformer, TextEncoder, Tokenizer, Tokens};
use serde::Serialize;

use super::save;
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
    let embedded = match save::is_small_encoder(&args.model) {
        true => embed_small(lines, args, &device, console)?,
        false => {
            let model = args.open_options().open(&args.model, &device)?;
            embed(&model, lines, args, console)?
        }
    };
    embedded.check(args)?;
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
    say_cut(&tokens, &model.tokenizer, console);
    Ok(Embedded::new(lines, model.embed(&tokens, args.batch_size)))
}

/// With the encoder of a run from scratch, which has no options.
fn embed_small(
    lines: Vec<String>,
    args: &EncodeArgs,
    device: &Device,
    console: &Console,
) -> Result<Embedded, Error> {
    let given = [
        ("--pooling", args.pooling.is_some()),
        ("--prompt", args.prompt.is_some()),
        ("--route", args.route.is_some()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        let reason = "an encoder that was trained from scratch has none";
        return Err(Error::option(option, reason.to_string()));
    }
    let (encoder, tokenizer) = save::load(&args.model, device)?;
    let tokens = tokenizer.encode(lines.iter().map(String::as_str).collect())?;
    say_cut(&tokens, &tokenizer, console);
    let whole = encoder.embed_in_batches(&tokens.slices(), args.batch_size, device);
    let [_, size] = whole.dims();
    let kept = args.truncate_dim.map_or(size, |dimension| size.min(dimension.get()));
    Ok(Embedded::new(lines, whole.narrow(1, 0, kept)))
}

fn say_cut(tokens: &Tokens, tokenizer: &Tokenizer, console: &Console) {
    let (cut, all, limit) = (tokens.cut, tokens.rows.len(), tokenizer.max_tokens());
    if cut > 0 {
        console.note(format_args!("{cut} of {all} texts cut to {limit} tokens"));
    }
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
    fn new(lines: Vec<String>, embeddings: Tensor<2>) -> Self {
        let [_, dimension] = embeddings.dims();
        Self { lines, values: embeddings.into_data().iter().collect(), dimension }
    }

    /// Refuses embeddings that no file can hold.
    fn check(&self, args: &EncodeArgs) -> Result<(), Error> {
        let Some(place) = self.values.iter().position(|value| !value.is_finite()) else {
            return Ok(());
        };
        let (line, value) = (place / self.dimension + 1, self.values[place]);
        let reason = format!(
            "the model gives {value} in the embedding of line {line} of {}: its weights are damaged or \
             not finite",
            args.file.display()
        );
        Err(Error::option("--model", reason))
    }

    fn write_jsonl(&self, out: &mut dyn Write) -> io::Result<()> {
        for (text, embedding) in self.lines.iter().zip(self.values.chunks(self.dimension)) {
            serde_json::to_writer(&mut *out, &Row { text, embedding })?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

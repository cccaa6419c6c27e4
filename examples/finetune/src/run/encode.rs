//! `finetune encode`: the lines of a file to embeddings.

use std::io::{self, Write};
use std::path::Path;

use burn::tensor::{Device, Tensor};
use burn_embedding_models::{SentenceTransformer, TextEncoder, Tokenizer};
use serde::Serialize;

use super::encoder::Encoder;
use super::save;
use crate::cli::EncodeArgs;
use crate::data::Lines;
use crate::error::Error;
use crate::report::console::Console;
use crate::report::npy;
use crate::report::output::{self, Stopped};

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

/// Does what the command line asks for.
pub fn encode(args: &EncodeArgs, console: &Console) -> Result<(), Error> {
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    let format = Format::of_output(args.out.as_deref())?;
    if let Some(out) = &args.out {
        output::check_apart(out, &args.file)?;
    }
    let lines = Lines::of(&args.file)?;
    let work = Work { args, format, model: Model::open(args, &device)?, lines };
    let cut = output::fill(args.out.as_deref(), |out| work.write(out))?;
    if cut > 0 {
        let (all, limit) = (work.lines.count, work.model.tokenizer().max_tokens());
        console.note(format_args!("{cut} of {all} texts cut to {limit} tokens"));
    }
    Ok(())
}

/// The lines of a file to embeddings.
struct Work<'a> {
    args: &'a EncodeArgs,
    format: Format,
    model: Model,
    lines: Lines,
}

impl Work<'_> {
    /// Writes the embeddings, a group of lines at a time; returns how many of the lines were cut.
    fn write(&self, out: &mut dyn Write) -> Result<usize, Stopped> {
        let (mut done, mut cut) = (0, 0);
        for lines in self.lines.groups()? {
            let lines = lines?;
            let embedded = self.model.embed(&lines, self.args)?;
            self.check(&embedded, done)?;
            match self.format {
                Format::Npy => {
                    if done == 0 {
                        npy::write_header(out, [self.lines.count, embedded.dimension])?;
                    }
                    npy::write_rows(out, &embedded.values)?;
                }
                Format::Jsonl => embedded.write_jsonl(&lines, out)?,
            }
            done += lines.len();
            cut += embedded.cut;
        }
        Ok(cut)
    }

    /// Refuses embeddings that no file can hold, which follow `done` others.
    fn check(&self, embedded: &Embedded, done: usize) -> Result<(), Error> {
        let values = &embedded.values;
        let Some(place) = values.iter().position(|value| !value.is_finite()) else {
            return Ok(());
        };
        let (line, value) = (done + place / embedded.dimension + 1, values[place]);
        let reason = format!(
            "the model gives {value} in the embedding of line {line} of {}: its weights are damaged or \
             not finite",
            self.args.file.display()
        );
        Err(Error::option("--model", reason))
    }
}

/// The model that embeds texts.
enum Model {
    /// A model of sentence-transformers.
    Whole(Box<SentenceTransformer>),
    /// The encoder of a run from scratch, which has no options.
    Small(Box<(Encoder, Tokenizer)>, Device),
}

impl Model {
    fn open(args: &EncodeArgs, device: &Device) -> Result<Self, Error> {
        if !save::is_small_encoder(&args.model) {
            let model = args.open_options().open(&args.model, device)?;
            return Ok(Self::Whole(Box::new(model)));
        }
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
        Ok(Self::Small(Box::new((encoder, tokenizer)), device.clone()))
    }

    fn tokenizer(&self) -> &Tokenizer {
        match self {
            Self::Whole(model) => &model.tokenizer,
            Self::Small(model, _) => &model.1,
        }
    }

    fn embed(&self, texts: &[String], args: &EncodeArgs) -> Result<Embedded, Error> {
        match self {
            Self::Whole(model) => {
                let tokens = model.tokenize(texts, args.prompt.as_deref())?;
                Ok(Embedded::new(model.embed(&tokens, args.batch_size), tokens.cut))
            }
            Self::Small(model, device) => {
                let (encoder, tokenizer) = &**model;
                let tokens = tokenizer.encode(texts.iter().map(String::as_str).collect())?;
                let whole = encoder.embed_in_batches(&tokens.slices(), args.batch_size, device);
                let [_, size] = whole.dims();
                let kept = args.truncate_dim.map_or(size, |dimension| size.min(dimension.get()));
                Ok(Embedded::new(whole.narrow(1, 0, kept), tokens.cut))
            }
        }
    }
}

/// The embeddings of some lines.
struct Embedded {
    /// The values of all embeddings, line by line.
    values: Vec<f32>,
    dimension: usize,
    /// The number of lines of which only the first tokens were embedded.
    cut: usize,
}

/// A line of JSON output.
#[derive(Serialize)]
struct Row<'a> {
    text: &'a str,
    embedding: &'a [f32],
}

impl Embedded {
    fn new(embeddings: Tensor<2>, cut: usize) -> Self {
        let [_, dimension] = embeddings.dims();
        Self { values: embeddings.into_data().iter().collect(), dimension, cut }
    }

    fn write_jsonl(&self, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
        for (text, embedding) in lines.iter().zip(self.values.chunks(self.dimension)) {
            output::json_line(out, &Row { text, embedding })?;
        }
        Ok(())
    }
}

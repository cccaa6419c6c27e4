//! `finetune inspect`: shows the contents of a data file, and the losses that it fits.

use std::collections::BTreeMap;

use burn_embedding_losses::catalog::BatchKind;

use clap::ValueEnum;

use crate::cli::{FilesArgs, InspectArgs};
use crate::data::Dataset;
use crate::data::task::{self, kind_of};
use crate::error::Error;
use crate::report::console::Console;
use crate::report::printable;
use crate::shell;

/// At most this many classes are listed.
const CLASSES: usize = 20;

/// Does what the command line asks for.
pub fn inspect(args: &InspectArgs, console: &Console) -> Result<(), Error> {
    let data = args.files.read()?;
    console.say(format_args!("{}: {}", data.name(), data.contents()));
    for note in &data.notes {
        console.say(printable::line(note));
    }
    for (kind, classes) in classes(&data) {
        let counts = classes.iter().take(CLASSES).map(|(class, rows)| format!("{class} ({rows})"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let more = classes.len().saturating_sub(CLASSES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        console.say(printable::line(format_args!("classes of {kind}: {counts}{more}")));
    }
    losses(args, &data, console)
}

fn losses(args: &InspectArgs, data: &Dataset, console: &Console) -> Result<(), Error> {
    let files = args.files.files.iter().map(|file| shell::word(&file.display().to_string()));
    let files = files.chain(options(&args.files)).collect::<Vec<_>>().join(" ");
    let mut fits = false;
    let mut show = |loss: &str, reranks: bool| -> Result<(), Error> {
        let name = task::name_for(loss, reranks)?;
        let takes = kind_of(&name)?;
        let examples = task::examples_of(&name, takes, data).len();
        if examples > 0 {
            fits = true;
            let model = match takes {
                _ if reranks => " --model CROSS_ENCODER",
                BatchKind::DamagedTexts => " --model DIR",
                BatchKind::GuidedRankings => " --guide DIR",
                _ => "",
            };
            let command = format!("finetune{model} --data {files} --loss {loss}");
            console.say(format_args!("{examples:>8} examples  {command}"));
        }
        Ok(())
    };
    task::losses().into_iter().try_for_each(|loss| show(loss, false))?;
    task::reranking_losses().into_iter().try_for_each(|loss| show(loss, true))?;
    if !fits {
        console.say("it fits no loss");
    }
    Ok(())
}

/// The options by which the files were read.
fn options(files: &FilesArgs) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(format) = files.format.and_then(|format| format.to_possible_value()) {
        words.push(format!("--format {}", format.get_name()));
    }
    if let Some(range) = files.how.score_range {
        words.push(format!("--score-range {range}"));
    }
    if !files.how.columns.is_empty() {
        let columns: Vec<_> = files.how.columns.iter().map(ToString::to_string).collect();
        words.push(format!("--columns {}", shell::word(&columns.join(","))));
    }
    words
}

/// The number of rows of each class, for each kind of rows that has classes.
fn classes(data: &Dataset) -> Vec<(&'static str, BTreeMap<&str, usize>)> {
    let pairs = data.pairs.iter().filter_map(|pair| pair.class.as_deref());
    let texts = data.sentences.iter().map(|row| row.class.as_str());
    let kinds = [("pairs", count(pairs)), ("texts", count(texts))];
    kinds.into_iter().filter(|(_, classes)| !classes.is_empty()).collect()
}

fn count<'a>(classes: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for class in classes {
        *counts.entry(class).or_default() += 1;
    }
    counts
}

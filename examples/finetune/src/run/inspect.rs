//! `finetune inspect`: shows the contents of a data file, and the losses that it fits.

use std::collections::BTreeMap;

use burn_embedding_losses::catalog::BatchKind;

use crate::cli::InspectArgs;
use crate::data::task::{self, kind_of};
use crate::data::{self, Dataset, Hints, Spill};
use crate::error::Error;
use crate::report::console::Console;

/// At most this many classes are listed.
const CLASSES: usize = 20;

/// Does what the command line asks for.
pub fn inspect(args: &InspectArgs, console: &Console) -> Result<(), Error> {
    let directory = std::env::temp_dir();
    let hints = Hints { spill: Some(Spill::to(&directory)), ..args.how.hints() };
    let data = data::read(&args.files, args.format, hints)?;
    console.say(format_args!("{}: {}", data.name(), data.contents()));
    for note in &data.notes {
        console.say(note);
    }
    for (kind, classes) in classes(&data) {
        let counts = classes.iter().take(CLASSES).map(|(class, rows)| format!("{class} ({rows})"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let more = classes.len().saturating_sub(CLASSES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        console.say(format_args!("classes of {kind}: {counts}{more}"));
    }
    losses(args, &data, console)
}

fn losses(args: &InspectArgs, data: &Dataset, console: &Console) -> Result<(), Error> {
    let mut fitting = Vec::new();
    for loss in task::losses() {
        let examples = task::examples_of(loss, kind_of(loss)?, data).len();
        if examples > 0 {
            fitting.push((loss, examples));
        }
    }
    if fitting.is_empty() {
        console.say("it fits no loss");
    }
    let files: Vec<_> = args.files.iter().map(|file| word(&file.display().to_string())).collect();
    for (loss, examples) in fitting {
        let model = match kind_of(loss)? {
            BatchKind::DamagedTexts => " --model DIR",
            BatchKind::GuidedRankings => " --guide DIR",
            _ => "",
        };
        let command = format!("finetune{model} --data {} --loss {loss}", files.join(" "));
        console.say(format_args!("{examples:>8} examples  {command}"));
    }
    Ok(())
}

/// A word of a command line, quoted where a shell would take it for something else.
fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,=:@%".contains(letter);
    match text.chars().all(plain) {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
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

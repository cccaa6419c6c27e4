//! `finetune score` and `finetune rank`: what a CrossEncoder says of pairs of texts.

use std::borrow::Cow;
use std::io::Write;

use burn::tensor::Device;
use burn_embedding_models::{CrossEncoder, OpenOptions};
use serde::Serialize;

use crate::cli::{RankArgs, ScoreArgs, ScorerArgs};
use crate::data::{self, Dataset, Lines, List, Ranking, Text};
use crate::error::Error;
use crate::report::console::Console;
use crate::report::output::{self, Stopped};

/// Pairs that are read and scored before a line is written.
const READ: usize = 1 << 11;

/// A line of what `rank` finds.
#[derive(Serialize)]
struct Found<'a> {
    /// The number of the line in the file, counted from one.
    line: usize,
    score: f32,
    text: &'a str,
}

/// Ranks the lines of a file for a query.
pub fn rank(args: &RankArgs, console: &Console) -> Result<(), Error> {
    let reranker = Reranker::open(&args.scorer)?;
    let lines = Lines::of(&args.file)?;
    let mut best: Vec<(f32, usize, String)> = Vec::new();
    let (mut done, mut cut) = (0, 0);
    for group in lines.groups()? {
        let group = group?;
        let pairs: Vec<_> = group.iter().map(|line| (args.query.as_str(), line.as_str())).collect();
        let (scores, more) = reranker.score(&pairs)?;
        cut += more;
        let first = done + 1;
        done += group.len();
        let numbered = scores.into_iter().zip(first..).zip(group);
        best.extend(numbered.map(|((score, line), text)| (score, line, text)));
        // Of equal scores the first line goes before the others.
        best.sort_by(|one, other| other.0.total_cmp(&one.0));
        best.truncate(args.top_k);
    }
    reranker.tell_of_cut(cut, lines.count, console);
    output::fill(None, |out| {
        for (score, line, text) in &best {
            output::json_line(out, &Found { line: *line, score: *score, text })?;
        }
        Ok(())
    })
}

/// Scores the pairs of a data file.
pub fn score(args: &ScoreArgs, console: &Console) -> Result<(), Error> {
    if let Some(out) = &args.out {
        output::check(out)?;
        let files = data::expand(&args.files.files)?;
        files.iter().try_for_each(|file| output::check_apart(out, file))?;
    }
    let data = args.files.read()?;
    for note in &data.notes {
        console.note(format_args!("{}: {note}", data.name()));
    }
    if data.pairs.is_empty() && data.rankings.is_empty() && data.lists.is_empty() {
        let reason = format!("it has {}, and no pairs of texts", data.contents());
        return Err(Error::read(&data.path, reason));
    }
    let reranker = Reranker::open(&args.scorer)?;
    let (pairs, cut) = output::fill(args.out.as_deref(), |out| scores(&reranker, &data, out))?;
    reranker.tell_of_cut(cut, pairs, console);
    Ok(())
}

/// Writes a line for each row; returns the number of pairs, and of those that were cut.
fn scores(
    reranker: &Reranker,
    data: &Dataset,
    out: &mut dyn Write,
) -> Result<(usize, usize), Stopped> {
    let (mut pairs, mut cut) = (0, 0);
    let of_pairs = data.pairs.iter().map(|pair| Row::Pair(pair.left, pair.right));
    // All lines have the same columns.
    let negatives = data.rankings.iter().any(|ranking| !ranking.negatives.is_empty());
    let of_rankings = data.rankings.iter().map(|ranking| Row::of(ranking, negatives));
    let rows: Vec<_> =
        of_pairs.chain(of_rankings).chain(data.lists.iter().map(Row::List)).collect();
    let mut start = 0;
    while start < rows.len() {
        let mut group = 0;
        let some = rows[start..].iter().take_while(|row| {
            let room = group == 0 || group + row.pairs() <= READ;
            group += row.pairs();
            room
        });
        let some = &rows[start..start + some.count()];
        start += some.len();
        let texts = some
            .iter()
            .flat_map(Row::texts)
            .map(|(one, other)| Ok((data.text(one)?, data.text(other)?)));
        let texts = texts.collect::<Result<Vec<_>, Error>>()?;
        let borrowed: Vec<_> = texts.iter().map(|(one, other)| (&**one, &**other)).collect();
        let (scores, more) = reranker.score(&borrowed)?;
        (pairs, cut) = (pairs + scores.len(), cut + more);
        let (mut texts, mut scores) = (&texts[..], &scores[..]);
        for row in some {
            row.write(&texts[..row.pairs()], &scores[..row.pairs()], out)?;
            (texts, scores) = (&texts[row.pairs()..], &scores[row.pairs()..]);
        }
    }
    Ok((pairs, cut))
}

/// What is scored of a row.
enum Row<'a> {
    Pair(Text, Text),
    /// With negatives, if it has some.
    Ranking(&'a Ranking),
    /// A query with documents.
    List(&'a List),
}

/// A line for two texts, as `--data` reads it.
#[derive(Serialize)]
struct Scored<'a> {
    sentence1: &'a str,
    sentence2: &'a str,
    score: f32,
}

/// A line for a query with negatives, as `--data` reads it for losses that learn from a teacher.
#[derive(Serialize)]
struct Taught<'a> {
    query: &'a str,
    pos: [&'a str; 1],
    neg: Vec<&'a str>,
    pos_scores: [f32; 1],
    neg_scores: &'a [f32],
}

/// A line for a query with documents, as `--data` reads it for losses of lists.
#[derive(Serialize)]
struct Listed<'a> {
    query: &'a str,
    docs: Vec<&'a str>,
    labels: &'a [f32],
}

impl<'a> Row<'a> {
    fn of(ranking: &'a Ranking, negatives: bool) -> Self {
        match negatives {
            true => Self::Ranking(ranking),
            false => Self::Pair(ranking.anchor, ranking.positive),
        }
    }

    fn pairs(&self) -> usize {
        match self {
            Self::Pair(..) => 1,
            Self::Ranking(row) => 1 + row.negatives.len(),
            Self::List(row) => row.documents.len(),
        }
    }

    fn texts(&self) -> Vec<(Text, Text)> {
        match self {
            Self::Pair(left, right) => vec![(*left, *right)],
            Self::Ranking(row) => {
                let documents = std::iter::once(&row.positive).chain(&row.negatives);
                documents.map(|document| (row.anchor, *document)).collect()
            }
            Self::List(row) => {
                row.documents.iter().map(|document| (row.query, *document)).collect()
            }
        }
    }

    fn write(
        &self,
        texts: &[(Cow<str>, Cow<str>)],
        scores: &[f32],
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let (query, first) = (&*texts[0].0, &*texts[0].1);
        match self {
            Self::Pair(..) => output::json_line(
                out,
                &Scored { sentence1: query, sentence2: first, score: scores[0] },
            ),
            Self::Ranking(_) => {
                let neg = texts[1..].iter().map(|(_, document)| &**document).collect();
                let (pos_scores, neg_scores) = ([scores[0]], &scores[1..]);
                let line = Taught { query, pos: [first], neg, pos_scores, neg_scores };
                output::json_line(out, &line)
            }
            Self::List(_) => {
                let docs = texts.iter().map(|(_, document)| &**document).collect();
                output::json_line(out, &Listed { query, docs, labels: scores })
            }
        }
    }
}

/// A CrossEncoder with one score for a pair.
pub(super) struct Reranker {
    model: CrossEncoder,
    batch_size: usize,
}

impl Reranker {
    pub(super) fn open(args: &ScorerArgs) -> Result<Self, Error> {
        let device: Device = named_device::open(&args.device)
            .map_err(|error| Error::option("--device", error.to_string()))?;
        let model = OpenOptions::new().open_cross_encoder(&args.model, &device)?;
        match model.labels() {
            1 => Ok(Self { model, batch_size: args.batch_size }),
            labels => {
                let reason = format!(
                    "the model has {labels} labels; a score of a pair needs a model with 1"
                );
                Err(Error::option("--model", reason))
            }
        }
    }

    /// The score of each pair, and how many pairs were cut.
    pub(super) fn score(&self, pairs: &[(&str, &str)]) -> Result<(Vec<f32>, usize), Error> {
        let tokens = self.model.tokenize(pairs)?;
        let scores: Vec<f32> =
            self.model.score(&tokens, self.batch_size).into_data().iter().collect();
        match scores.iter().position(|score| !score.is_finite()) {
            None => Ok((scores, tokens.cut)),
            Some(place) => {
                let text: String = pairs[place].1.chars().take(60).collect();
                let reason = format!(
                    "the model gives {} for {text:?}: its weights are damaged or not finite",
                    scores[place]
                );
                Err(Error::option("--model", reason))
            }
        }
    }

    fn tell_of_cut(&self, cut: usize, all: usize, console: &Console) {
        if cut > 0 {
            let limit = self.model.tokenizer.max_tokens();
            console.note(format_args!("{cut} of {all} pairs cut to {limit} tokens"));
        }
    }
}

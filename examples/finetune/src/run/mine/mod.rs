//! `finetune mine`: hard negatives for queries, as sentence-transformers' `mine_hard_negatives` finds them.

mod embeddings;
mod lines;
mod rules;

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

use burn::tensor::Device;
use burn_embedding_losses::evaluation::{Hit, search};
use rand::SeedableRng;
use rand::rngs::StdRng;

use self::embeddings::Embeddings;
use self::lines::{Found, Lines};
use self::rules::{Candidate, LeftOut, Rules};
use super::score::Reranker;
use crate::cli::{MineArgs, ScorerArgs};
use crate::data::task;
use crate::data::{self, Dataset, Lines as FileLines};
use crate::error::Error;
use crate::report::console::Console;
use crate::report::output::{self, Stopped};

/// Queries whose documents are found at a time.
const SEARCHED: usize = 1 << 12;

/// Does what the command line asks for.
pub fn mine(args: &MineArgs, console: &Console) -> Result<(), Error> {
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    if let Some(out) = &args.out {
        output::check(out)?;
        let files = data::expand(&args.files.files)?;
        let mut read = files.iter().chain(&args.corpus);
        read.try_for_each(|file| output::check_apart(out, file))?;
    }
    let given = args.rules;
    let bounds = [given.max_score, given.min_score, given.absolute_margin, given.relative_margin];
    if args.reranker.is_some() && bounds.iter().all(Option::is_none) {
        let reason = "its scores only count for a bound: give --min-score, --max-score, --absolute-margin or \
                      --relative-margin";
        return Err(Error::option("--reranker", reason));
    }
    let data = args.files.read()?;
    for note in &data.notes {
        console.note(format_args!("{}: {note}", data.name()));
    }
    let texts = Corpus::read(&data, args)?;
    let rules = Rules::new(args.rules, texts.most_positives(), args.reranker.is_some())?;
    let work = Work { args, texts: &texts, rules, device };
    work.run(console)
}

/// The queries, the documents, and which belong together. Each different text is there once.
struct Corpus {
    queries: Vec<String>,
    documents: Vec<String>,
    /// The places of the documents of each query.
    positives: Vec<Vec<usize>>,
}

impl Corpus {
    /// The documents of a file go before the texts that belong to queries.
    fn read(data: &Dataset, args: &MineArgs) -> Result<Self, Error> {
        let rows = task::positive_pairs(data);
        if rows.is_empty() {
            let reason = format!("it has {}, and no texts that belong together", data.contents());
            return Err(Error::read(&data.path, reason));
        }
        let (mut queries, mut documents) = (Distinct::default(), Distinct::default());
        if let Some(file) = &args.corpus {
            for group in FileLines::of(file)?.groups()? {
                group?.iter().filter(|line| !line.trim().is_empty()).for_each(|line| {
                    documents.add(line);
                });
            }
        }
        let mut positives: Vec<Vec<usize>> = Vec::new();
        for row in &rows {
            let query = queries.add(&data.text(row.texts[0])?);
            let document = documents.add(&data.text(row.texts[1])?);
            positives.resize(queries.texts.len(), Vec::new());
            if !positives[query].contains(&document) {
                positives[query].push(document);
            }
        }
        Ok(Self { queries: queries.texts, documents: documents.texts, positives })
    }

    fn most_positives(&self) -> usize {
        self.positives.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// Texts in the order in which they came first.
#[derive(Default)]
struct Distinct {
    texts: Vec<String>,
    places: HashMap<String, usize>,
}

impl Distinct {
    /// The place of a text.
    fn add(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.places.insert(text.to_string(), self.texts.len());
        self.texts.push(text.to_string());
        self.texts.len() - 1
    }
}

/// What is told of a run.
#[derive(Default)]
struct Told {
    lines: usize,
    positives: Vec<f64>,
    negatives: Vec<f64>,
    left_out: LeftOut,
    /// Queries with fewer negatives than were asked for.
    short: usize,
}

struct Work<'a> {
    args: &'a MineArgs,
    texts: &'a Corpus,
    rules: Rules,
    device: Device,
}

impl Work<'_> {
    fn run(&self, console: &Console) -> Result<(), Error> {
        let Corpus { queries, documents, .. } = self.texts;
        let scorer = |directory: &PathBuf| {
            let (batch_size, device) = (self.args.batch_size, self.args.device.clone());
            Reranker::open(&ScorerArgs { model: directory.clone(), batch_size, device })
        };
        let reranker = self.args.reranker.as_ref().map(scorer).transpose()?;
        console.note(format_args!("{} queries, {} documents", queries.len(), documents.len()));
        let embeddings = Embeddings::of(self.args, queries, documents, &self.device)?;
        if embeddings.cut > 0 {
            console.note(format_args!("{} texts cut to the model's limit", embeddings.cut));
        }
        let told = output::fill(self.args.out.as_deref(), |out| {
            self.write(&embeddings, reranker.as_ref(), out)
        })?;
        self.tell(&told, console);
        Ok(())
    }

    /// Writes the lines of all queries.
    fn write(
        &self,
        embeddings: &Embeddings,
        reranker: Option<&Reranker>,
        out: &mut dyn Write,
    ) -> Result<Told, Stopped> {
        let lines = Lines {
            shape: self.args.output_format,
            scores: self.args.output_scores,
            num_negatives: self.args.rules.num_negatives,
            corpus: &self.texts.documents,
        };
        let (mut told, mut rng) = (Told::default(), StdRng::seed_from_u64(self.args.rules.seed));
        let count = self.texts.queries.len();
        for start in (0..count).step_by(SEARCHED) {
            let range = start..count.min(start + SEARCHED);
            let hits = self.search(embeddings, range.clone())?;
            for (query, hits) in range.zip(hits) {
                let random = (&mut told, &mut rng);
                let found = self.found(query, hits, embeddings, reranker, random)?;
                told.lines += lines.write(&found, out)?;
            }
        }
        Ok(told)
    }

    fn search(&self, embeddings: &Embeddings, range: Range<usize>) -> Result<Vec<Vec<Hit>>, Error> {
        let queries = embeddings.queries.clone().slice([range]);
        let count = self.rules.searched().min(self.texts.documents.len());
        let hits =
            search(queries, embeddings.documents.clone(), count, embeddings.similarity, None);
        hits.map_err(|error| {
            Error::option("--model", format!("its embeddings are not finite: {error}"))
        })
    }

    /// The negatives of a query, and the scores of its positives.
    fn found<'a>(
        &'a self,
        query: usize,
        hits: Vec<Hit>,
        embeddings: &Embeddings,
        reranker: Option<&Reranker>,
        (told, rng): (&mut Told, &mut StdRng),
    ) -> Result<Found<'a>, Error> {
        let (text, places) = (self.texts.queries[query].as_str(), &self.texts.positives[query]);
        let document = |place: usize| self.texts.documents[place].as_str();
        let candidate = |hit: Hit| Candidate { document: hit.index, score: hit.similarity };
        let mut candidates: Vec<_> = hits.into_iter().map(candidate).collect();
        let mut high = embeddings.scores(query, places);
        if let Some(reranker) = reranker {
            let found = candidates.iter().map(|candidate| candidate.document);
            let pairs = found.chain(places.iter().copied()).map(|place| (text, document(place)));
            let (scores, _) = reranker.score(&pairs.collect::<Vec<_>>())?;
            let mut scores = scores.into_iter().map(f64::from);
            candidates.iter_mut().zip(scores.by_ref()).for_each(|(it, score)| it.score = score);
            high = scores.collect();
        }
        let least = high.iter().copied().fold(f64::INFINITY, f64::min);
        let negatives = self.rules.negatives(&candidates, (places, least), &mut told.left_out, rng);
        told.short += usize::from(negatives.len() < self.args.rules.num_negatives);
        told.positives.extend(&high);
        told.negatives.extend(negatives.iter().map(|negative| negative.score));
        let positives = places.iter().map(|&place| document(place)).zip(high).collect();
        Ok(Found { query: text, positives, negatives })
    }

    fn tell(&self, told: &Told, console: &Console) {
        let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        console.note(format_args!(
            "{} rows; {} negatives with a mean score of {:.4}, {} positives with {:.4}",
            told.lines,
            told.negatives.len(),
            mean(&told.negatives),
            told.positives.len(),
            mean(&told.positives)
        ));
        let LeftOut { margins, bounds } = told.left_out;
        if margins + bounds > 0 {
            console.note(format_args!(
                "documents left out: {margins} by the margins, {bounds} by --min-score and --max-score"
            ));
        }
        if told.short > 0 {
            console.note(format_args!(
                "{} of {} queries have fewer than {} negatives: a larger --range-max, or looser bounds, find more",
                told.short,
                self.texts.queries.len(),
                self.args.rules.num_negatives
            ));
        }
    }
}

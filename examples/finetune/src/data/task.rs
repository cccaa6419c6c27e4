//! Which rows of a data set a loss trains on.
//!
//! | Loss | Examples |
//! | :-- | :-- |
//! | `AnglELoss` | scored pairs, or else triplets |
//! | `BatchAllTripletLoss`, `BatchHardTripletLoss`, `BatchHardSoftMarginTripletLoss`, `BatchSemiHardTripletLoss`, `CircleLoss`, `MultiSimilarityLoss`, `SupConLoss` | labelled texts |
//! | `ContrastiveLoss`, `OnlineContrastiveLoss` | pairs that belong together or not |
//! | `CoSENTLoss`, `CosineSimilarityLoss` | scored pairs |
//! | `DenoisingAutoEncoderLoss` | any texts |
//! | `DistillKLDivLoss`, `MarginMSELoss` | triplets with a margin |
//! | `GlobalOrthogonalRegularizationLoss` | any texts |
//! | `GISTEmbedLoss` | as `MultipleNegativesRankingLoss` |
//! | `AdaptiveLayerLoss`, `MatryoshkaLoss`, `Matryoshka2dLoss` | those of the loss inside |
//! | `MegaBatchMarginLoss` | positive pairs |
//! | `EmbedDistillLoss`, `MSELoss` | texts with a teacher's embedding |
//! | `MultipleNegativesRankingLoss`, `MultipleNegativesSymmetricRankingLoss`, both `Cached…`, and `SigLipLoss` | positive pairs, with negatives where there are some |
//! | `SoftmaxLoss` | classified pairs |
//! | `TripletLoss` | triplets |
//!
//! A reranker reads a query and a document together:
//!
//! | Loss | Examples |
//! | :-- | :-- |
//! | `BinaryCrossEntropyLoss`, `MSELoss` | scored pairs, or pairs that belong together or not; lists as such |
//! | `CrossEntropyLoss` | classified pairs |
//! | `MultipleNegativesRankingLoss`, also cached | positive pairs, with negatives where there are some |
//! | `MarginMSELoss` | triplets with a margin |
//! | `LambdaLoss`, `RankNetLoss`, `ListNetLoss`, `ListMLELoss`, `PListMLELoss`, `ADRMSELoss` | queries with labelled documents, or with a positive and negatives, which have a teacher's scores or 1 and 0 |

use std::collections::{BTreeMap, HashMap, HashSet};

use burn_embedding_losses::catalog::{BatchKind, Entry, LossConfig, ModelKind};

use super::derive::class_places;
use super::texts::{Text, Vector};
use super::{Classes, Dataset, List};
use crate::error::Error;

/// What an example tells the loss besides its texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Nothing: the columns say it all.
    None,
    /// A score, a margin, or 0 and 1.
    Number(f32),
    /// The index of a class.
    Class(usize),
    /// A teacher's scores of the documents of a query.
    Scores(Vec<f32>),
    /// A teacher's embedding.
    Embedding(Vector),
}

impl Target {
    /// The index of a class, if it is one.
    pub fn class(&self) -> Option<usize> {
        match self {
            Self::Class(class) => Some(*class),
            _ => None,
        }
    }
}

/// One row of a batch: a text for each column, and what to learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// One text for each column of the loss.
    pub texts: Vec<Text>,
    /// What the loss compares with.
    pub target: Target,
}

/// The loss that learns from bare texts.
pub const DENOISING: &str = "DenoisingAutoEncoderLoss";

/// The Python names of the losses that this program trains with.
pub fn losses() -> Vec<&'static str> {
    let trained = |entry: &Entry| {
        entry.model == ModelKind::SentenceEncoder && !takes_two_encoders(entry.takes)
    };
    let entries = LossConfig::ENTRIES.into_iter().filter(trained);
    let mut names: Vec<_> = entries.map(|entry| entry.name).collect();
    names.sort_unstable();
    names
}

/// What a name of the catalog has before the name of a reranker's loss.
const RERANKING: &str = "cross_encoder.";

/// The Python names of the losses that rerankers are trained with.
pub fn reranking_losses() -> Vec<&'static str> {
    let entries = LossConfig::ENTRIES.into_iter();
    let names = entries.filter_map(|entry| entry.name.strip_prefix(RERANKING));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// The Python name of a loss of the catalog.
pub fn short_name(loss: &str) -> &str {
    loss.strip_prefix(RERANKING).unwrap_or(loss)
}

/// The name in the catalog of a loss for a reranker, or for an encoder of texts.
///
/// # Errors
///
/// If the loss is for the other kind of model.
pub fn name_for(loss: &str, reranks: bool) -> Result<String, Error> {
    let known = reranking_losses();
    let short = short_name(loss);
    let failed = |reason: String| Err(Error::option("--loss", reason));
    match reranks {
        true if known.contains(&short) => Ok(format!("{RERANKING}{short}")),
        true => failed(format!(
            "{loss} compares embeddings, and the model scores pairs of texts: it learns with {}",
            known.join(", ")
        )),
        false if short != loss || (known.contains(&loss) && entry_of(loss).is_err()) => {
            failed(format!(
                "{loss} needs a model that scores pairs of texts: name a CrossEncoder with --model, or say --task rerank"
            ))
        }
        false => Ok(loss.to_string()),
    }
}

/// Whether a batch of this kind holds what a reranker says of pairs.
pub fn is_of_pairs(kind: BatchKind) -> bool {
    is_of_logits(kind) || is_of_candidates(kind)
}

fn is_of_logits(kind: BatchKind) -> bool {
    matches!(kind, BatchKind::Logits | BatchKind::ClassLogits)
}

/// Whether it holds the logits of several documents of a query in one matrix.
pub fn is_of_candidates(kind: BatchKind) -> bool {
    matches!(kind, BatchKind::Candidates | BatchKind::ScoredCandidates | BatchKind::Lists)
}

/// Names that Python has for one of these losses with options fixed, or cached.
pub fn aliases() -> Vec<&'static str> {
    let losses = losses();
    let aliases = LossConfig::ALIASES.into_iter().filter(|alias| losses.contains(&alias.loss));
    aliases.map(|alias| alias.name).collect()
}

/// Whether a batch holds the embeddings of two encoders, of which this program trains one.
pub fn takes_two_encoders(kind: BatchKind) -> bool {
    matches!(kind, BatchKind::TwoEncoderPairs | BatchKind::TwoEncoderTexts)
}

/// The batch that the loss of this name takes, if this program trains with it.
pub fn kind_of(loss: &str) -> Result<BatchKind, Error> {
    entry_of(loss).map(|entry| entry.takes)
}

/// The row of the catalog for the loss of this name, if this program trains with it.
pub fn entry_of(loss: &str) -> Result<&'static Entry, Error> {
    let entry = Entry::of(loss).map_err(|error| Error::option("--loss", error.to_string()))?;
    let needed = match entry.model {
        ModelKind::SentenceEncoder | ModelKind::CrossEncoder => return Ok(entry),
        ModelKind::SparseEncoder => "a sparse encoder, with a dimension for each word",
        _ => "a multi-vector encoder, with an embedding for each token",
    };
    Err(Error::option(
        "--loss",
        format!(
            "{loss} needs {needed}; this program trains sentence encoders and rerankers, with {}",
            losses().join(", ")
        ),
    ))
}

/// Whether the other rows of a batch of this kind are negatives.
pub fn is_ranked(kind: BatchKind) -> bool {
    matches!(kind, BatchKind::PositivePairs | BatchKind::Rankings | BatchKind::GuidedRankings)
}

/// How many pairs a loss that learns from positive pairs leaves out; `None` if it uses all.
pub fn left_out(kind: BatchKind, data: &Dataset) -> Option<String> {
    let pairs = data.pairs.len();
    let right = data.verdicts().filter(|(_, verdict)| *verdict).count();
    let some = (is_ranked(kind) || kind == BatchKind::Candidates) && right < pairs;
    some.then(|| {
        format!(
            "{} of {pairs} pairs are left out: a positive pair has a score of at least 4 of 5, or the label 1, \
             entailment or relevant",
            pairs - right
        )
    })
}

fn description(kind: BatchKind) -> &'static str {
    match kind {
        BatchKind::LabeledRows => {
            "texts with a class (text, label), at least two of each of two classes"
        }
        BatchKind::ScoredPairs => "scored pairs (sentence1, sentence2, score)",
        BatchKind::ScoredTuples => {
            "scored pairs (sentence1, sentence2, score) with different scores, or triplets \
             (anchor, positive, negative)"
        }
        BatchKind::BinaryPairs => {
            "pairs labelled 1 and 0 (sentence1, sentence2, label), or entailment and \
             contradiction, or with scores of at least 4 and at most 1 of 5, some of each"
        }
        BatchKind::ClassifiedPairs => {
            "classified pairs (sentence1, sentence2, label) of at least two classes"
        }
        kind if is_ranked(kind) => {
            "at least two pairs that belong together (anchor, positive), or classified as \
             entailment or 1, or with a score of at least 4 of 5"
        }
        BatchKind::Triplets => {
            "triplets (anchor, positive, negative), or sentences with an entailed and a \
             contradicting partner"
        }
        BatchKind::Logits => {
            "pairs with a score or labelled 1 and 0 (sentence1, sentence2, score or label), or triplets \
             (anchor, positive, negative), or documents with labels (query, docs, labels)"
        }
        BatchKind::ClassLogits => {
            "classified pairs (sentence1, sentence2, label) of at least two classes"
        }
        BatchKind::Candidates => "at least two pairs that belong together (anchor, positive)",
        BatchKind::Lists => {
            "queries with documents and labels (query, docs, labels), or with a positive and negatives \
             (anchor, positive, negative)"
        }
        BatchKind::ScoredRankings | BatchKind::TeacherScores | BatchKind::ScoredCandidates => {
            "triplets with a margin (anchor, positive, negative, label), or sentences with \
             two partners of different scores"
        }
        BatchKind::TeacherEmbeddings => {
            "texts with a teacher's embedding (text, label: a list of numbers)"
        }
        BatchKind::AnyTexts | BatchKind::DamagedTexts => "texts",
        kind if takes_two_encoders(kind) => {
            "embeddings by two encoders, of which this program trains one"
        }
        _ => "data that this program does not read",
    }
}

/// The loss that learns which of two scores is higher, so nothing from equal ones.
const ORDER: &str = "CoSENTLoss";

/// The examples in `data` for batches of a kind, which the loss called `loss` takes; none if it has not enough
/// of them.
pub fn examples_of(loss: &str, kind: BatchKind, data: &Dataset) -> Vec<Example> {
    let examples = match kind {
        BatchKind::LabeledRows => labelled_texts(data),
        BatchKind::ScoredPairs => scored_pairs(data),
        BatchKind::ScoredTuples => scored_tuples(data),
        BatchKind::BinaryPairs => binary_pairs(data),
        BatchKind::ClassifiedPairs => classified_pairs(data),
        BatchKind::PositivePairs => positive_pairs(data),
        BatchKind::Rankings | BatchKind::GuidedRankings => rankings(data),
        BatchKind::Triplets => triplets(data),
        BatchKind::ScoredRankings => margin_triplets(data),
        BatchKind::TeacherScores => scored_documents(data),
        BatchKind::TeacherEmbeddings => teacher_targets(data),
        BatchKind::AnyTexts | BatchKind::DamagedTexts => texts(data),
        BatchKind::Logits => judged_pairs(data),
        BatchKind::ClassLogits => classified_pairs(data),
        BatchKind::Candidates => rankings(data),
        BatchKind::ScoredCandidates => margin_triplets(data),
        BatchKind::Lists => lists(data),
        _ => Vec::new(),
    };
    let enough = suffices(kind, &examples) && (loss != ORDER || several_targets(&examples));
    if enough { examples } else { Vec::new() }
}

fn several_targets(examples: &[Example]) -> bool {
    examples.iter().any(|row| row.target != examples[0].target)
}

fn suffices(kind: BatchKind, examples: &[Example]) -> bool {
    match kind {
        BatchKind::LabeledRows => {
            let mut sizes = BTreeMap::new();
            for example in examples {
                if let Target::Class(class) = example.target {
                    *sizes.entry(class).or_insert(0) += 1;
                }
            }
            sizes.values().filter(|&&size| size >= 2).count() >= 2
        }
        BatchKind::BinaryPairs | BatchKind::ClassifiedPairs | BatchKind::ClassLogits => {
            several_targets(examples)
        }
        BatchKind::Candidates => examples.len() >= 2,
        kind if is_ranked(kind) => examples.len() >= 2,
        _ => !examples.is_empty(),
    }
}

/// The examples for batches of a kind, which the loss called `loss` takes, or what the data lacks for it.
pub fn examples(loss: &str, kind: BatchKind, data: &Dataset) -> Result<Vec<Example>, Error> {
    let examples = examples_of(loss, kind, data);
    if !examples.is_empty() {
        return match loss {
            PROBABILITIES => probabilities(data).map(|()| examples),
            OF_LOGITS => Ok(as_given(examples, data)),
            _ => Ok(examples),
        };
    }
    if kind == BatchKind::BinaryPairs {
        not_binary(loss, data)?;
    }
    let known = if is_of_pairs(kind) { reranking_losses() } else { losses() };
    let feeds = |name: &&&str| {
        let name = if is_of_pairs(kind) { format!("{RERANKING}{name}") } else { name.to_string() };
        kind_of(&name).is_ok_and(|kind| !examples_of(&name, kind, data).is_empty())
    };
    let fitting: Vec<_> = known.iter().filter(feeds).copied().collect();
    let fits = match fitting.as_slice() {
        [] => "It fits no loss.".to_string(),
        names => format!("It fits {}.", names.join(", ")),
    };
    Err(Error::DataDoesNotFit {
        loss: loss.to_string(),
        needs: match loss {
            ORDER => "scored pairs (sentence1, sentence2, score) with different scores",
            _ => description(kind),
        },
        data: data.name(),
        has: data.contents(),
        fits,
    })
}

/// The loss of a reranker whose labels are probabilities.
const PROBABILITIES: &str = "cross_encoder.BinaryCrossEntropyLoss";

/// The loss of a reranker that takes a teacher's scores as they are, like the logits that learn from them.
const OF_LOGITS: &str = "cross_encoder.MSELoss";

/// The examples with the scores of pairs on the scale of the file.
fn as_given(mut examples: Vec<Example>, data: &Dataset) -> Vec<Example> {
    let scored = data.pairs.iter().any(|pair| pair.score.is_some());
    if let Some(range) = data.scale.filter(|_| scored) {
        for example in &mut examples {
            if let Target::Number(score) = &mut example.target {
                *score = range.given(*score);
            }
        }
    }
    examples
}

/// Refuses labels that are no probabilities, such as a teacher's scores.
fn probabilities(data: &Dataset) -> Result<(), Error> {
    let pairs = data.similarities().map(|(pair, score)| (&pair.place, score));
    let lists = data.all_lists();
    let documents =
        lists.iter().flat_map(|list| list.rows().map(|(_, label)| (&list.place, label)));
    match pairs.chain(documents).find(|(_, label)| !(0.0..=1.0).contains(label)) {
        Some((place, label)) => {
            let name = short_name(PROBABILITIES);
            Err(place
                .error(format!("label {label} is out of range: {name} takes 0 to 1, MSELoss any")))
        }
        None => Ok(()),
    }
}

/// Whole numbers beside 0 and 1 are more likely a mistake than a data set of another kind.
fn not_binary(loss: &str, data: &Dataset) -> Result<(), Error> {
    let number = |class: &str| class.parse::<i64>().is_ok_and(|number| !(0..=1).contains(&number));
    let wrong = data.pairs.iter().find_map(|pair| {
        let class = pair.class.as_deref().filter(|class| number(class))?;
        Some((&pair.place, class))
    });
    match wrong {
        Some((place, class)) => {
            let reason = format!("label {class} is out of range: {loss} takes 0 and 1");
            Err(place.error(reason))
        }
        None => Ok(()),
    }
}

fn labelled_texts(data: &Dataset) -> Vec<Example> {
    let classes = data.sentence_classes();
    let places: HashMap<_, _> = classes.into_iter().zip(0..).collect();
    let rows = data.sentences.iter().filter_map(|row| {
        let target = Target::Class(*places.get(row.class.as_str())?);
        Some(Example { texts: vec![row.text], target })
    });
    rows.collect()
}

fn classified_pairs(data: &Dataset) -> Vec<Example> {
    let places = class_places(&data.pair_classes());
    let rows = data.pairs.iter().filter_map(|pair| {
        let target = Target::Class(*places.get(pair.class.as_deref()?)?);
        Some(Example { texts: vec![pair.left, pair.right], target })
    });
    rows.collect()
}

/// The classified pairs of `data`, with the places of their classes.
///
/// # Errors
///
/// If a pair has another class.
pub fn examples_of_classes(classes: &Classes, data: &Dataset) -> Result<Vec<Example>, Error> {
    let rows = classes.places(data)?.into_iter().map(|(pair, place)| Example {
        texts: vec![pair.left, pair.right],
        target: Target::Class(place),
    });
    Ok(rows.collect())
}

fn scored_pairs(data: &Dataset) -> Vec<Example> {
    let rows = data.similarities().map(|(pair, score)| Example {
        texts: vec![pair.left, pair.right],
        target: Target::Number(score),
    });
    rows.collect()
}

/// Scored pairs, of which some are more similar than others, or else triplets.
fn scored_tuples(data: &Dataset) -> Vec<Example> {
    let pairs = scored_pairs(data);
    if several_targets(&pairs) { pairs } else { triplets(data) }
}

fn binary_pairs(data: &Dataset) -> Vec<Example> {
    let rows = data.verdicts().map(|(pair, verdict)| Example {
        texts: vec![pair.left, pair.right],
        target: Target::Number(if verdict { 1.0 } else { 0.0 }),
    });
    rows.collect()
}

/// Pairs with a score, or 1 and 0 where it is known whether they belong together.
fn judged_pairs(data: &Dataset) -> Vec<Example> {
    let pairs = scored_pairs(data);
    let pairs = if pairs.is_empty() { binary_pairs(data) } else { pairs };
    if !pairs.is_empty() {
        return pairs;
    }
    let lists = data.all_lists();
    let rows = lists.iter().flat_map(|list| {
        list.rows().map(|(document, label)| Example {
            texts: vec![list.query, document],
            target: Target::Number(label),
        })
    });
    rows.collect()
}

/// Queries with documents and labels; with a positive and negatives, these have a teacher's scores or 1 and 0.
fn lists(data: &Dataset) -> Vec<Example> {
    let lists = data.all_lists().into_iter().filter(|list| list.documents.len() > 1);
    let rows = lists.map(|List { query, documents, labels, .. }| Example {
        texts: std::iter::once(query).chain(documents).collect(),
        target: Target::Scores(labels),
    });
    rows.collect()
}

fn rankings(data: &Dataset) -> Vec<Example> {
    let explicit = data.all_rankings().map(|row| {
        [row.anchor, row.positive].into_iter().chain(row.negatives.iter().copied()).collect()
    });
    let judged = data.verdicts().filter(|(_, verdict)| *verdict);
    let judged = judged.map(|(pair, _)| vec![pair.left, pair.right]);
    let rows = explicit.chain(judged).map(|texts| Example { texts, target: Target::None });
    rows.collect()
}

/// Two texts that belong together, row by row.
pub fn positive_pairs(data: &Dataset) -> Vec<Example> {
    let mut examples = rankings(data);
    for example in &mut examples {
        example.texts.truncate(2);
    }
    examples
}

fn triplets(data: &Dataset) -> Vec<Example> {
    let rows = data.triplets().into_iter().map(|triplet| Example {
        texts: vec![triplet.anchor, triplet.positive, triplet.negative],
        target: Target::None,
    });
    rows.collect()
}

fn margin_triplets(data: &Dataset) -> Vec<Example> {
    let rows = data.margin_triplets().into_iter().filter_map(|triplet| {
        Some(Example {
            texts: vec![triplet.anchor, triplet.positive, triplet.negative],
            target: Target::Number(triplet.margin?),
        })
    });
    rows.collect()
}

/// Triplets with two scores that differ by the margin: what scores have in common does not matter.
fn scored_documents(data: &Dataset) -> Vec<Example> {
    let mut examples = margin_triplets(data);
    for example in &mut examples {
        if let Target::Number(margin) = example.target {
            example.target = Target::Scores(vec![margin, 0.0]);
        }
    }
    examples
}

fn teacher_targets(data: &Dataset) -> Vec<Example> {
    let rows = data
        .teacher_targets
        .iter()
        .map(|row| Example { texts: vec![row.text], target: Target::Embedding(row.embedding) });
    rows.collect()
}

/// Every text once.
fn texts(data: &Dataset) -> Vec<Example> {
    let mut known = HashSet::new();
    let texts = data.all_texts().filter(|text| known.insert(*text));
    texts.map(|text| Example { texts: vec![text], target: Target::None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read_bytes;

    #[test]
    fn a_class_for_each_row_is_found_at_once() {
        let rows = 300_000;
        let lines: String = (0..rows).map(|row| format!("text {row},class {row}\n")).collect();
        let data = read_bytes("a.csv", format!("text,label\n{lines}").as_bytes()).unwrap();
        let start = std::time::Instant::now();
        let found = labelled_texts(&data);
        assert_eq!(found.len(), rows);
        let classes = data.sentence_classes();
        assert_eq!(
            found[rows - 1].target.class().map(|class| classes[class]),
            Some("class 299999")
        );
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}

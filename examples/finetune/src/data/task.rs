//! Which rows of a data set a loss trains on.
//!
//! | Loss | Examples |
//! | :-- | :-- |
//! | `BatchAllTripletLoss`, `BatchHardTripletLoss`, `BatchHardSoftMarginTripletLoss`, `BatchSemiHardTripletLoss` | labelled texts |
//! | `ContrastiveLoss`, `OnlineContrastiveLoss` | pairs that belong together or not |
//! | `CosineSimilarityLoss` | scored pairs |
//! | `DenoisingAutoEncoderLoss` | any texts |
//! | `MarginMSELoss` | triplets with a margin |
//! | `MegaBatchMarginLoss` | positive pairs |
//! | `MSELoss` | texts with a teacher's embedding |
//! | `MultipleNegativesRankingLoss` | positive pairs, with negatives where there are some |
//! | `SoftmaxLoss` | classified pairs |
//! | `TripletLoss` | triplets |

use std::collections::{BTreeMap, HashSet};

use burn_embedding_losses::sentence_transformers::LossConfig;

use super::Dataset;
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
    /// A teacher's embedding.
    Embedding(Vec<f32>),
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
pub struct Example<'d> {
    /// One text for each column of the loss.
    pub texts: Vec<&'d str>,
    /// What the loss compares with.
    pub target: Target,
}

/// The kind of examples that a loss learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A text and its class, several of each of several classes in a batch.
    LabelledTexts,
    /// Two texts and a similarity.
    ScoredPairs,
    /// Two texts and 1 or 0.
    BinaryPairs,
    /// Two texts and the index of their class.
    ClassifiedPairs,
    /// Two texts that belong together.
    PositivePairs,
    /// Two texts that belong together and any number that do not.
    Rankings,
    /// Anchor, positive, negative.
    Triplets,
    /// Anchor, positive, negative, and by how much the positive should score higher.
    MarginTriplets,
    /// A text and a teacher's embedding.
    TeacherTargets,
    /// A text.
    Texts,
}

/// The loss that learns from bare texts.
pub const DENOISING: &str = "DenoisingAutoEncoderLoss";

/// The Python names of all losses.
pub fn losses() -> Vec<&'static str> {
    let mut names = LossConfig::NAMES.to_vec();
    names.sort_unstable();
    names
}

impl Need {
    /// What the loss of this name needs; `None` for a name that no loss has.
    pub fn of(loss: &str) -> Option<Self> {
        Some(match loss {
            "BatchAllTripletLoss"
            | "BatchHardTripletLoss"
            | "BatchHardSoftMarginTripletLoss"
            | "BatchSemiHardTripletLoss" => Self::LabelledTexts,
            "ContrastiveLoss" | "OnlineContrastiveLoss" => Self::BinaryPairs,
            "CosineSimilarityLoss" => Self::ScoredPairs,
            DENOISING => Self::Texts,
            "MarginMSELoss" => Self::MarginTriplets,
            "MegaBatchMarginLoss" => Self::PositivePairs,
            "MSELoss" => Self::TeacherTargets,
            "MultipleNegativesRankingLoss" => Self::Rankings,
            "SoftmaxLoss" => Self::ClassifiedPairs,
            "TripletLoss" => Self::Triplets,
            _ => return None,
        })
    }

    fn description(self) -> &'static str {
        match self {
            Self::LabelledTexts => {
                "texts with a class (text, label), at least two of each of two classes"
            }
            Self::ScoredPairs => "scored pairs (sentence1, sentence2, score)",
            Self::BinaryPairs => {
                "pairs labelled 1 and 0 (sentence1, sentence2, label), or entailment and \
                 contradiction, or with scores of at least 4 and at most 1 of 5, some of each"
            }
            Self::ClassifiedPairs => {
                "classified pairs (sentence1, sentence2, label) of at least two classes"
            }
            Self::PositivePairs | Self::Rankings => {
                "at least two pairs that belong together (anchor, positive), or classified as \
                 entailment or 1, or with a score of at least 4 of 5"
            }
            Self::Triplets => {
                "triplets (anchor, positive, negative), or sentences with an entailed and a \
                 contradicting partner"
            }
            Self::MarginTriplets => {
                "triplets with a margin (anchor, positive, negative, label), or sentences with \
                 two partners of different scores"
            }
            Self::TeacherTargets => {
                "texts with a teacher's embedding (text, label: a list of numbers)"
            }
            Self::Texts => "texts",
        }
    }

    /// The examples in `data`; none if it cannot feed a loss with this need.
    pub fn examples(self, data: &Dataset) -> Vec<Example<'_>> {
        let examples = match self {
            Self::LabelledTexts => labelled_texts(data),
            Self::ScoredPairs => scored_pairs(data),
            Self::BinaryPairs => binary_pairs(data),
            Self::ClassifiedPairs => classified_pairs(data),
            Self::PositivePairs => positive_pairs(data),
            Self::Rankings => rankings(data),
            Self::Triplets => triplets(data),
            Self::MarginTriplets => margin_triplets(data),
            Self::TeacherTargets => teacher_targets(data),
            Self::Texts => texts(data),
        };
        if self.suffices(&examples) { examples } else { Vec::new() }
    }

    fn suffices(self, examples: &[Example]) -> bool {
        let several_targets = || examples.iter().any(|row| row.target != examples[0].target);
        match self {
            Self::LabelledTexts => {
                let mut sizes = BTreeMap::new();
                for example in examples {
                    if let Target::Class(class) = example.target {
                        *sizes.entry(class).or_insert(0) += 1;
                    }
                }
                sizes.values().filter(|&&size| size >= 2).count() >= 2
            }
            Self::BinaryPairs | Self::ClassifiedPairs => several_targets(),
            Self::PositivePairs | Self::Rankings => examples.len() >= 2,
            _ => !examples.is_empty(),
        }
    }
}

/// The examples that the loss called `loss` learns from, or what the data lacks for it.
pub fn examples<'d>(loss: &str, data: &'d Dataset) -> Result<Vec<Example<'d>>, Error> {
    let need = Need::of(loss).ok_or_else(|| unknown_loss(loss))?;
    let examples = need.examples(data);
    if !examples.is_empty() {
        return Ok(examples);
    }
    if need == Need::BinaryPairs {
        not_binary(loss, data)?;
    }
    let feeds = |name: &&&str| Need::of(name).is_some_and(|need| !need.examples(data).is_empty());
    let fitting: Vec<_> = losses().iter().filter(feeds).copied().collect();
    let fits = match fitting.as_slice() {
        [] => "It fits no loss.".to_string(),
        names => format!("It fits {}.", names.join(", ")),
    };
    Err(Error::DataDoesNotFit {
        loss: loss.to_string(),
        needs: need.description(),
        data: data.name(),
        has: data.contents(),
        fits,
    })
}

/// The message for a name that no loss has.
pub fn unknown_loss(name: &str) -> Error {
    let names = losses().join(", ");
    Error::option("--loss", format!("`{name}` is no loss; the losses are {names}"))
}

/// Whole numbers beside 0 and 1 are more likely a mistake than a data set of another kind.
fn not_binary(loss: &str, data: &Dataset) -> Result<(), Error> {
    let number = |class: &str| class.parse::<i64>().is_ok_and(|number| !(0..=1).contains(&number));
    let wrong = data.pairs.iter().find_map(|pair| {
        let class = pair.class.as_deref().filter(|class| number(class))?;
        Some((pair.line, class))
    });
    match wrong {
        Some((line, class)) => {
            let reason = format!("label {class} is out of range: {loss} takes 0 and 1");
            Err(Error::row(&data.path, line, reason))
        }
        None => Ok(()),
    }
}

fn class_index(classes: &[&str], class: &str) -> Option<Target> {
    let index = classes.iter().position(|it| *it == class);
    index.map(Target::Class)
}

fn labelled_texts(data: &Dataset) -> Vec<Example<'_>> {
    let classes = data.sentence_classes();
    let example =
        |text, class| Some(Example { texts: vec![text], target: class_index(&classes, class)? });
    let rows = data.sentences.iter();
    rows.filter_map(|row| example(row.text.as_str(), &row.class)).collect()
}

fn classified_pairs(data: &Dataset) -> Vec<Example<'_>> {
    let classes = data.pair_classes();
    let rows = data.pairs.iter().filter_map(|pair| {
        Some(Example {
            texts: vec![&pair.left, &pair.right],
            target: class_index(&classes, pair.class.as_deref()?)?,
        })
    });
    rows.collect()
}

fn scored_pairs(data: &Dataset) -> Vec<Example<'_>> {
    let rows = data.pairs.iter().filter_map(|pair| {
        Some(Example { texts: vec![&pair.left, &pair.right], target: Target::Number(pair.score?) })
    });
    rows.collect()
}

fn binary_pairs(data: &Dataset) -> Vec<Example<'_>> {
    let rows = data.verdicts().map(|(pair, verdict)| Example {
        texts: vec![pair.left.as_str(), &pair.right],
        target: Target::Number(if verdict { 1.0 } else { 0.0 }),
    });
    rows.collect()
}

fn rankings(data: &Dataset) -> Vec<Example<'_>> {
    let explicit = data.rankings.iter().map(|row| {
        let negatives = row.negatives.iter().map(String::as_str);
        [row.anchor.as_str(), &row.positive].into_iter().chain(negatives).collect()
    });
    let judged = data.verdicts().filter(|(_, verdict)| *verdict);
    let judged = judged.map(|(pair, _)| vec![pair.left.as_str(), &pair.right]);
    let rows = explicit.chain(judged).map(|texts| Example { texts, target: Target::None });
    rows.collect()
}

fn positive_pairs(data: &Dataset) -> Vec<Example<'_>> {
    let mut examples = rankings(data);
    for example in &mut examples {
        example.texts.truncate(2);
    }
    examples
}

fn triplets(data: &Dataset) -> Vec<Example<'_>> {
    let rows = data.triplets().into_iter().map(|triplet| Example {
        texts: vec![triplet.anchor, triplet.positive, triplet.negative],
        target: Target::None,
    });
    rows.collect()
}

fn margin_triplets(data: &Dataset) -> Vec<Example<'_>> {
    let rows = data.margin_triplets().into_iter().filter_map(|triplet| {
        Some(Example {
            texts: vec![triplet.anchor, triplet.positive, triplet.negative],
            target: Target::Number(triplet.margin?),
        })
    });
    rows.collect()
}

fn teacher_targets(data: &Dataset) -> Vec<Example<'_>> {
    let rows = data.teacher_targets.iter().map(|row| Example {
        texts: vec![row.text.as_str()],
        target: Target::Embedding(row.embedding.clone()),
    });
    rows.collect()
}

/// Every text once.
fn texts(data: &Dataset) -> Vec<Example<'_>> {
    let mut known = HashSet::new();
    let texts = data.texts().filter(|text| known.insert(*text));
    texts.map(|text| Example { texts: vec![text], target: Target::None }).collect()
}

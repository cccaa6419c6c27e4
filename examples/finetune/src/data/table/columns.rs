//! The meaning of columns, by the names that people give them.

use std::collections::HashSet;
use std::str::FromStr;

use super::Table;
use crate::error::Error;

/// Two texts of which neither comes first.
const PAIRS: [[&str; 2]; 7] = [
    ["sentence1", "sentence2"],
    ["sentence_a", "sentence_b"],
    ["premise", "hypothesis"],
    ["question1", "question2"],
    ["text1", "text2"],
    ["sent1", "sent2"],
    ["text_a", "text_b"],
];
const ANCHORS: [&str; 5] = ["anchor", "query", "question", "source", "english"];
const POSITIVES: [&str; 6] =
    ["positive", "pos", "positives", "positive_passages", "target", "non_english"];
/// What may belong to an anchor; next to labels, these say whether it does.
const ANSWERS: [&str; 4] = ["answer", "passage", "document", "response"];
/// Several documents in a row, with as many labels.
const DOCUMENTS: [&str; 4] = ["docs", "documents", "passages", "answers"];
const TEXTS: [&str; 5] = ["text", "sentence", "question", "query", "content"];
const SCORES: [&str; 5] =
    ["score", "scores", "similarity", "similarity_score", "relatedness_score"];
const LABELS: [&str; 10] = [
    "label",
    "labels",
    "class",
    "gold_label",
    "entailment_judgment",
    "entailment_label",
    "is_duplicate",
    "category",
    "coarse_label",
    "topic",
];
const EMBEDDINGS: [&str; 2] = ["embedding", "embeddings"];

/// The columns that [`Columns`] looks for, in the words of `--columns`.
const ROLES: [&str; 10] = [
    "sentence1",
    "sentence2",
    "anchor",
    "positive",
    "negative",
    "text",
    "score",
    "label",
    "embedding",
    "set",
];

/// A column under a name of the user's choice, as in `anchor=question`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    role: String,
    name: String,
}

impl FromStr for Renamed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected ROLE=COLUMN, with one of {}", ROLES.join(", "));
        let (role, name) = text.split_once('=').ok_or_else(expected)?;
        let (role, name) = (role.trim().to_string(), name.trim().to_string());
        let known = ROLES.contains(&role.as_str()) || negative_number(&role).is_some();
        if known && !name.is_empty() { Ok(Self { role, name }) } else { Err(expected()) }
    }
}

/// The texts of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Texts {
    /// Two texts, with a score, a class or neither.
    Pair(String, String),
    /// A query or anchor, and what belongs to it.
    Ranking(String, String),
    /// A query, and what may belong to it: a label or a score may say so.
    Answer(String, String),
    /// A query, and a list of documents with as many labels.
    List(String, String),
    /// One text.
    Single(String),
    /// A list of texts that belong together.
    Set(String),
}

/// The columns that are read, by their names in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The columns of texts.
    pub texts: Texts,
    /// The columns of negatives, in the order of their numbers.
    pub negatives: Vec<String>,
    /// The column of scores.
    pub score: Option<String>,
    /// The column of classes; decimal numbers in it are scores.
    pub label: Option<String>,
    /// The column of a teacher's embeddings.
    pub embedding: Option<String>,
    /// A teacher's scores of the positives and of the negatives.
    pub teacher_scores: Option<[String; 2]>,
    /// The columns that are not read.
    pub unused: Vec<String>,
}

impl Columns {
    /// The columns of a table.
    pub fn of(table: &Table, renamed: &[Renamed]) -> Result<Self, Error> {
        let names = Names::of(table, renamed)?;
        let texts = names.texts().ok_or_else(|| {
            let found = names.all.join(", ");
            let reason = format!(
                "expected the columns sentence1, sentence2; anchor, positive; or text, found {found}; \
                 name them with --columns, such as --columns anchor={}",
                names.all.first().map_or("question", String::as_str)
            );
            table.error(reason)
        })?;
        let mut columns = Self {
            texts,
            negatives: Vec::new(),
            score: names.find(&SCORES),
            label: names.find(&LABELS),
            embedding: names.find(&EMBEDDINGS),
            teacher_scores: names
                .find(&["pos_scores"])
                .zip(names.find(&["neg_scores"]))
                .map(<[_; 2]>::from),
            unused: Vec::new(),
        };
        if matches!(columns.texts, Texts::Ranking(..)) {
            columns.negatives = names.negatives();
        }
        let read: HashSet<&String> = columns.read().collect();
        let unused = names.all.iter().filter(|name| !read.contains(name));
        columns.unused = unused.cloned().collect();
        Ok(columns)
    }

    /// The columns that are read.
    pub fn read(&self) -> impl Iterator<Item = &String> {
        let texts = match &self.texts {
            Texts::Pair(a, b) | Texts::Ranking(a, b) | Texts::Answer(a, b) | Texts::List(a, b) => {
                vec![a, b]
            }
            Texts::Single(text) | Texts::Set(text) => vec![text],
        };
        let given = [&self.score, &self.label, &self.embedding].into_iter().flatten();
        let scores = self.teacher_scores.iter().flatten();
        texts.into_iter().chain(&self.negatives).chain(given).chain(scores)
    }
}

/// The names of the columns, and the roles that the user gives some of them.
struct Names<'a> {
    all: &'a [String],
    renamed: &'a [Renamed],
}

impl<'a> Names<'a> {
    fn of(table: &'a Table, renamed: &'a [Renamed]) -> Result<Self, Error> {
        let all = &table.names;
        match renamed.iter().find(|renamed| !all.contains(&renamed.name)) {
            None => Ok(Self { all, renamed }),
            Some(Renamed { name, .. }) => {
                let reason =
                    format!("--columns names `{name}`; the columns are {}", all.join(", "));
                Err(table.error(reason))
            }
        }
    }

    /// The role of a column: given by the user, or its own name.
    fn role(&self, name: &str) -> String {
        let given = self.renamed.iter().find(|renamed| renamed.name == name);
        given.map_or_else(|| plain(name), |renamed| renamed.role.clone())
    }

    /// The column with the first of these roles that there is.
    fn find(&self, roles: &[&str]) -> Option<String> {
        roles.iter().find_map(|role| self.all.iter().find(|name| self.role(name) == *role).cloned())
    }

    fn texts(&self) -> Option<Texts> {
        let pair = PAIRS.iter().find_map(|[left, right]| {
            self.find(&[left])
                .zip(self.find(&[right]))
                .map(|(left, right)| Texts::Pair(left, right))
        });
        let ranking = || {
            let both = self.find(&ANCHORS).zip(self.find(&POSITIVES));
            both.map(|(anchor, positive)| Texts::Ranking(anchor, positive))
        };
        let list = || {
            let both = self.find(&ANCHORS).zip(self.find(&DOCUMENTS));
            both.map(|(query, documents)| Texts::List(query, documents))
        };
        let judged = self.find(&LABELS).or_else(|| self.find(&SCORES)).is_some();
        let answered = || {
            let (anchor, answer) = self.find(&ANCHORS).zip(self.find(&ANSWERS))?;
            Some(match judged && self.negatives().is_empty() {
                true => Texts::Answer(anchor, answer),
                false => Texts::Ranking(anchor, answer),
            })
        };
        let single = || self.find(&TEXTS).map(Texts::Single);
        let set = || self.find(&["set"]).map(Texts::Set);
        let two = pair.or_else(ranking).or_else(list).or_else(answered);
        two.or_else(single).or_else(set)
    }

    fn negatives(&self) -> Vec<String> {
        let numbered = |name: &String| Some((negative_number(&self.role(name))?, name.clone()));
        let mut negatives: Vec<_> = self.all.iter().filter_map(numbered).collect();
        negatives.sort();
        negatives.into_iter().map(|(_, name)| name).collect()
    }
}

/// A name as the lists above have it.
fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['-', ' '], "_")
}

/// The number in the name of a column of negatives, 0 without one; `None` if it is another column.
fn negative_number(name: &str) -> Option<usize> {
    let name = name.strip_prefix("hard_").unwrap_or(name);
    let rest =
        ["negatives", "negative", "negs", "neg"].iter().find_map(|it| name.strip_prefix(it))?;
    let kinds = ["_passages", "_passage", "_documents", "_document", "_docs", "_doc"];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind)).unwrap_or(rest);
    let digits = rest.trim_start_matches('_');
    if digits.is_empty() { rest.is_empty().then_some(0) } else { digits.parse().ok() }
}

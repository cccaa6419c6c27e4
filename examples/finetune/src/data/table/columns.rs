//! The meaning of columns, by the names that people give them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use super::Table;
use super::cell::{self, RECORDS};
use crate::error::Error;
use crate::shell;

/// Two texts of which neither comes first.
const PAIRS: [[&str; 2]; 11] = [
    ["sentence1", "sentence2"],
    ["sentence_1", "sentence_2"],
    ["sentence_a", "sentence_b"],
    ["premise", "hypothesis"],
    ["question1", "question2"],
    ["question_1", "question_2"],
    ["text1", "text2"],
    ["text_1", "text_2"],
    ["sent1", "sent2"],
    ["sent_1", "sent_2"],
    ["text_a", "text_b"],
];
const ANCHORS: [&str; 5] = ["anchor", "query", "question", "source", "english"];
const POSITIVES: [&str; 7] = [
    "positive",
    "pos",
    "positives",
    "positive_passages",
    "positive_ctxs",
    "positive_ctx",
    "non_english",
];
/// A text and its translation; beside other texts, a target is a class.
const TRANSLATION: [&str; 2] = ["source", "target"];
/// What may belong to an anchor; next to labels, these say whether it does.
const ANSWERS: [&str; 4] = ["answer", "passage", "document", "response"];
/// A question, and a text that may hold its answer.
const QUESTIONS: [&str; 2] = ["query", "question"];
const READ_FOR_ANSWERS: [&str; 3] = ["context", "sentence", "text"];
/// Several documents in a row, with as many labels.
const DOCUMENTS: [&str; 4] = ["docs", "documents", "passages", "answers"];
const TEXTS: [&str; 5] = ["text", "sentence", "question", "query", "content"];
const SCORES: [&str; 8] = [
    "score",
    "scores",
    "similarity",
    "similarity_score",
    "relatedness_score",
    "sim",
    "sts_score",
    "relevance",
];
const LABELS: [&str; 11] = [
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
    "target",
];
const EMBEDDINGS: [&str; 2] = ["embedding", "embeddings"];

/// The columns that [`Columns`] looks for, in the words of `--columns`.
const ROLES: [&str; 14] = [
    "sentence1",
    "sentence2",
    "anchor",
    "positive",
    "negative",
    "text",
    "docs",
    "score",
    "label",
    "pos_scores",
    "neg_scores",
    "embedding",
    "set",
    UNUSED,
];

/// The role of a column that is not read.
const UNUSED: &str = "unused";

/// Those of them that stand for texts.
const TEXT_ROLES: [&str; 7] =
    ["sentence1", "sentence2", "anchor", "positive", "text", "docs", "set"];

/// A column under a name of the user's choice, as in `anchor=question`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    role: String,
    name: String,
}

impl Renamed {
    /// The name of the column in the file.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Renamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.role, self.name)
    }
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

impl Texts {
    /// The columns of texts, but for negatives.
    pub fn columns(&self) -> Vec<&String> {
        match self {
            Self::Pair(a, b) | Self::Ranking(a, b) | Self::Answer(a, b) | Self::List(a, b) => {
                vec![a, b]
            }
            Self::Single(text) | Self::Set(text) => vec![text],
        }
    }
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
            if names.all.iter().any(|name| name == "data") {
                return table.error(format!("its rows are within `data`{RECORDS}"));
            }
            let reason = format!(
                "expected the columns sentence1, sentence2; anchor, positive; or text, found {found}; \
                 name them with --columns, such as --columns {}",
                shell::column("anchor", names.all.first().map_or("question", String::as_str))
            );
            table.error(reason)
        })?;
        let label = names.find(&LABELS).filter(|label| !texts.columns().contains(&label));
        let mut columns = Self {
            texts,
            negatives: Vec::new(),
            score: names.find(&SCORES),
            label,
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
        columns.leave_labels(&names, table);
        let read: HashSet<&String> = columns.read().collect();
        let unused = names.all.iter().filter(|name| !read.contains(name));
        columns.unused = unused.cloned().collect();
        Ok(columns)
    }

    /// Refuses what may be the score of two texts: without it, all pairs would count as equal in meaning.
    fn check_scores(&self, table: &Table, names: &Names) -> Result<(), Error> {
        let judged = self.score.is_some() || self.label.is_some() || self.embedding.is_some();
        if judged || !matches!(self.texts, Texts::Pair(..)) {
            return Ok(());
        }
        let mut unnamed = self.unused.iter().filter(|name| names.role(name) != UNUSED);
        match unnamed.find(|name| table.may_be_scores(name)) {
            None => Ok(()),
            Some(name) => Err(table.error(format!(
                "the column `{name}` has a number for each pair, which may be its score: say --columns {}, {} or {}",
                shell::column("score", name),
                shell::column("label", name),
                shell::column(UNUSED, name),
            ))),
        }
    }

    /// Refuses further texts that are not read: nobody leaves these out on purpose, without naming the others.
    pub fn check(&self, table: &Table, renamed: &[Renamed]) -> Result<(), Error> {
        let names = Names::of(table, renamed)?;
        let ranked = matches!(self.texts, Texts::Ranking(..) | Texts::Answer(..));
        let guessed = ranked && !renamed.iter().any(|it| TEXT_ROLES.contains(&it.role.as_str()));
        let further = |name: &&String| {
            names.is_further_text(name) || (guessed && names.may_be_positive(name))
        };
        match self.unused.iter().find(further) {
            Some(name) => {
                let read = self.read().map(|name| format!("`{name}`"));
                Err(table.error(format!(
                    "the column `{name}` is not read beside {}: name the columns with --columns, or take it out \
                     of the file",
                    read.collect::<Vec<_>>().join(", ")
                )))
            }
            None => self.check_scores(table, &names),
        }
    }

    /// Leaves out the labels and scores that such texts have no use for.
    fn leave_labels(&mut self, names: &Names, table: &Table) {
        match &self.texts {
            Texts::Ranking(..) if !self.negatives.is_empty() => {
                // Next to negatives, a label is a teacher's margin, not a topic or the name of a class.
                let margins = |name: &String| {
                    let first = table.first.as_ref().and_then(|row| row.get(name));
                    ["label", "labels"].contains(&&names.role(name)[..])
                        && first.is_none_or(|cell| cell.is_array() || cell::number(cell).is_some())
                };
                self.label = self.label.take().filter(margins);
                if self.teacher_scores.is_some() {
                    (self.label, self.score) = (None, None);
                } else if self.label.is_some() {
                    self.score = None;
                }
            }
            Texts::List(..) => {
                self.teacher_scores = None;
                if self.label.is_some() {
                    self.score = None;
                }
            }
            Texts::Single(_) | Texts::Set(_) => (self.score, self.teacher_scores) = (None, None),
            Texts::Pair(..) | Texts::Ranking(..) | Texts::Answer(..) => self.teacher_scores = None,
        }
    }

    /// The columns that are read.
    pub fn read(&self) -> impl Iterator<Item = &String> {
        let texts = self.texts.columns();
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

    /// The role of a column: given by the user, or its own name, unless the user gives that to another.
    fn role(&self, name: &str) -> String {
        let given = self.renamed.iter().find(|renamed| renamed.name == name);
        let own = plain(name);
        let taken = self.renamed.iter().any(|renamed| renamed.role == own);
        match given {
            Some(renamed) => renamed.role.clone(),
            None if taken => String::new(),
            None => own,
        }
    }

    /// Whether all columns are read to which the user gives the role of texts.
    fn reads_given(&self, texts: &Texts) -> bool {
        let read = texts.columns();
        self.renamed.iter().all(|Renamed { role, name }| match negative_number(role) {
            Some(_) => matches!(texts, Texts::Ranking(..)),
            None => !TEXT_ROLES.contains(&&role[..]) || read.contains(&name),
        })
    }

    /// Whether a name is that of another positive or of negatives.
    fn is_further_text(&self, name: &str) -> bool {
        let role = self.role(name);
        let further = ["positive_", "pos_"].iter().filter_map(|start| role.strip_prefix(start));
        let mut further = further.filter(|rest| rest.parse::<usize>().is_ok());
        negative_number(&role).is_some() || further.next().is_some()
    }

    /// Whether a column could be the positive of an anchor as well.
    fn may_be_positive(&self, name: &str) -> bool {
        let role = self.role(name);
        let mut roles = POSITIVES.iter().chain(&ANSWERS).chain(&READ_FOR_ANSWERS);
        roles.any(|known| *known == role)
    }

    /// The column with the first of these roles that there is.
    fn find(&self, roles: &[&str]) -> Option<String> {
        roles.iter().find_map(|role| self.all.iter().find(|name| self.role(name) == *role).cloned())
    }

    fn texts(&self) -> Option<Texts> {
        let both = |left: &[&str], right: &[&str]| self.find(left).zip(self.find(right));
        let compared = !self.negatives().is_empty();
        let alone = self.renamed.iter().any(|renamed| renamed.role == "text");
        let judged = self.find(&LABELS).or_else(|| self.find(&SCORES)).is_some();
        let answer = |(query, answer)| match judged && !compared {
            true => Texts::Answer(query, answer),
            false => Texts::Ranking(query, answer),
        };
        let pair = |(left, right)| match compared {
            true => Texts::Ranking(left, right),
            false => Texts::Pair(left, right),
        };
        let list = |(query, documents)| Texts::List(query, documents);
        let ranking = |(anchor, positive)| Texts::Ranking(anchor, positive);
        let [source, target] = TRANSLATION;
        let pairs = PAIRS.iter().filter_map(|[left, right]| both(&[left], &[right])).map(pair);
        let others = [
            both(&ANCHORS, &POSITIVES).map(answer),
            both(&[source], &[target]).map(ranking),
            both(&ANCHORS, &DOCUMENTS).map(list),
            both(&ANCHORS, &ANSWERS).map(answer),
            both(&QUESTIONS, &READ_FOR_ANSWERS).map(answer),
            both(&TEXTS, &POSITIVES).filter(|_| !alone).map(answer),
            self.find(&TEXTS).map(Texts::Single),
            self.find(&["set"]).map(Texts::Set),
        ];
        pairs.chain(others.into_iter().flatten()).find(|texts| self.reads_given(texts))
    }

    fn negatives(&self) -> Vec<String> {
        let numbered = |name: &String| Some((negative_number(&self.role(name))?, name.clone()));
        let mut negatives: Vec<_> = self.all.iter().filter_map(numbered).collect();
        negatives.sort();
        negatives.into_iter().map(|(_, name)| name).collect()
    }
}

/// Whether a column is called as classes are.
pub fn is_label(name: &str) -> bool {
    LABELS.contains(&plain(name).as_str())
}

/// A name as the lists above have it.
pub fn plain(name: &str) -> String {
    let seen = if name.is_ascii() { Cow::Borrowed(name) } else { seen(name) };
    seen.trim().to_ascii_lowercase().replace(['-', ' '], "_")
}

/// A name without the marks that spreadsheets leave and nobody sees.
fn seen(name: &str) -> Cow<'_, str> {
    let unseen = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];
    name.replace(unseen, "").replace('\u{a0}', " ").into()
}

/// The number in the name of a column of negatives, 0 without one; `None` if it is another column.
fn negative_number(name: &str) -> Option<usize> {
    let name = name.strip_prefix("hard_").unwrap_or(name);
    let rest =
        ["negatives", "negative", "negs", "neg"].iter().find_map(|it| name.strip_prefix(it))?;
    let kinds = [
        "_passages",
        "_passage",
        "_ctxs",
        "_ctx",
        "_documents",
        "_document",
        "_docs",
        "_doc",
        "_sentences",
        "_sentence",
        "_texts",
        "_text",
    ];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind)).unwrap_or(rest);
    let digits = rest.trim_start_matches('_');
    if digits.is_empty() { rest.is_empty().then_some(0) } else { digits.parse().ok() }
}

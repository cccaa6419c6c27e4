use core::fmt::{self, Display};
use core::ops::RangeInclusive;

use burn::prelude::*;

use super::AnyBatch;
use crate::batch::integers::signed;
use crate::batch::*;
use crate::error::BatchError;

/// The batch that a loss takes: how many columns of texts, and what each row is compared with.
///
/// | Kind | columns | targets |
/// | :-- | :-- | :-- |
/// | `LabeledRows` | 1 | classes |
/// | `BinaryPairs` | 2 | numbers or classes: 1 for a positive pair, 0 for a negative one |
/// | `ScoredPairs` | 2 | numbers (or classes, taken as numbers) |
/// | `ScoredTuples` | 2, or anchor, positive and any number of negatives | numbers (or classes, taken as numbers); with negatives also none |
/// | `TwoEncoderPairs` | 2: the same or other texts by two encoders | numbers or classes: 1 for the same text, 0 for another |
/// | `TwoEncoderTexts` | 2: the same texts by two encoders | none, or ids |
/// | `ClassifiedPairs` | 2 | classes, or a matrix of probabilities `[n, classes]` |
/// | `PositivePairs` | 2 | none, or ids |
/// | `Rankings` | 2 or more: anchor, positive, negatives | none, or ids |
/// | `GuidedRankings` | 2 or more: anchor, positive, negatives | a guide's embeddings, one matrix `[n, guide_dim]` for each column |
/// | `Triplets` | 3: anchor, positive, negative | none |
/// | `ScoredRankings` | 3 or more: query, positive, k negatives | margins: numbers for one negative, or a matrix `[n, k]`; or scores `[n, k + 1]` |
/// | `TeacherScores` | 3 or more: query, documents | a matrix of scores, `[n, documents]` |
/// | `TeacherEmbeddings` | 1 or more | a matrix `[n, teacher_dim]` for all columns, or one for each column, `[n, columns, teacher_dim]` |
/// | `AnyTexts` | 1 or more | none |
/// | `DamagedTexts` | 1 | tokens of the original texts, `[n, len]` |
/// | `Logits` | 1: logits `[n, 1]` | numbers (or classes, taken as numbers) |
/// | `ClassLogits` | 1: logits `[n, classes]` | classes, or a matrix of probabilities `[n, classes]` |
/// | `Candidates` | 1: logits `[n, candidates]`, the positive first | none |
/// | `ScoredCandidates` | 1: logits `[n, 1 + k]`, the positive first | as `ScoredRankings` |
/// | `Lists` | 1: logits `[lists, longest]` | labels and lengths |
/// | `Reconstructions` | 0: reconstructions instead | none |
/// | `TokenRankings` | 2 or more, of [token embeddings](Self::token_batch): query, positive, negatives | none |
/// | `ScoredTokenRankings` | 3 or more, of token embeddings: query, positive, k negatives | as `ScoredRankings` |
/// | `TokenTeacherScores` | 3 or more, of token embeddings: query, documents | a matrix of scores, `[n, documents]` |
/// | `Inner` | 1 or more | as the loss inside |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchKind {
    /// Texts with a class each: [`LabeledBatch`].
    LabeledRows,
    /// Pairs that belong together or not: [`PairBatch`].
    BinaryPairs,
    /// Pairs with a similarity score: [`PairBatch`].
    ScoredPairs,
    /// Pairs with a similarity score, or anchor, positive and negatives with a score or none:
    /// [`PairBatch`].
    ScoredTuples,
    /// Pairs of which each text has an encoder of its own, of the same text or not: [`PairBatch`].
    TwoEncoderPairs,
    /// The same texts by two encoders: [`RetrievalBatch`].
    TwoEncoderTexts,
    /// Pairs with a class: [`ClassifiedPairBatch`].
    ClassifiedPairs,
    /// Pairs that belong together: [`RetrievalBatch`].
    PositivePairs,
    /// Pairs that belong together, with hard negatives where there are some: [`RetrievalBatch`].
    Rankings,
    /// The same with a guide's embeddings: [`GuidedBatch`].
    GuidedRankings,
    /// Anchor, positive and negative: [`TripletBatch`].
    Triplets,
    /// Query, positive and negatives with a teacher's margins or scores: [`MarginBatch`].
    ScoredRankings,
    /// Query and documents with a teacher's scores: [`TeacherScoresBatch`].
    TeacherScores,
    /// Texts with a teacher's embeddings: [`DistillationBatch`].
    TeacherEmbeddings,
    /// Texts: [`EmbeddingsBatch`].
    AnyTexts,
    /// Embeddings of damaged texts with the tokens of the original ones: [`DenoisingBatch`].
    DamagedTexts,
    /// A reranker's logit for each pair, with a label: [`LogitBatch`].
    Logits,
    /// A reranker's logits for the classes of each pair: [`ClassLogitBatch`].
    ClassLogits,
    /// A reranker's logits for the candidates of each query: [`CandidateBatch`].
    Candidates,
    /// The same with a teacher's margins or scores: [`CandidateMarginBatch`].
    ScoredCandidates,
    /// A reranker's logits for the list of each query, with labels: [`ListBatch`].
    Lists,
    /// What a sparse auto-encoder decoded from each column of texts: [`ReconstructionBatch`], made by
    /// [`TrainingLoss::reconstructed`](super::TrainingLoss::reconstructed).
    Reconstructions,
    /// Token embeddings of pairs that belong together, with hard negatives where there are some:
    /// [`TokenRetrievalBatch`].
    TokenRankings,
    /// Token embeddings of query, positive and negatives with a teacher's margins or scores: [`TokenMarginBatch`].
    ScoredTokenRankings,
    /// Token embeddings of query and documents with a teacher's scores: [`TokenTeacherScoresBatch`].
    TokenTeacherScores,
    /// Those of the loss inside a wrapper, which [`LossConfig::takes`](super::LossConfig::takes) names.
    Inner,
}

/// The targets of the rows of a batch.
#[derive(Debug, Clone, Default)]
pub enum Targets {
    /// Nothing: the columns say it all.
    #[default]
    None,
    /// The index of a class for each row, `[n]`.
    Classes(Tensor<1, Int>),
    /// A score, a margin, or 1 and 0 for each row, `[n]`.
    Numbers(Tensor<1>),
    /// Several numbers for each row, `[n, k]`: margins, scores, probabilities, or an embedding.
    Matrix(Tensor<2>),
    /// An embedding for each row and column, `[n, columns, dim]`.
    EachColumn(Tensor<3>),
    /// Which rows belong together: rows of equal id are no negatives of each other.
    Ids {
        /// An id for each anchor and its positive, `[n]`.
        rows: Tensor<1, Int>,
        /// An id for each hard negative, `[n]` per column, or no column at all.
        negatives: Vec<Tensor<1, Int>>,
    },
    /// The embeddings of a guide, another model, for each column, `[n, guide_dim]`.
    Guide(Vec<Tensor<2>>),
    /// Token ids for each row, `[n, len]`.
    Tokens(Tensor<2, Int>),
    /// Labels of the documents of each list, `[lists, longest]`, and the lengths of the lists.
    Lists {
        /// A label for each document, and anything beyond the end of a list.
        labels: Tensor<2>,
        /// The number of documents in each list.
        lengths: Vec<usize>,
    },
}

impl Targets {
    /// The number of rows, and the shape; `None` if there are no targets.
    fn shape(&self) -> Option<Vec<usize>> {
        Some(match self {
            Self::None => return None,
            Self::Classes(classes) => classes.dims().to_vec(),
            Self::Numbers(numbers) => numbers.dims().to_vec(),
            Self::Matrix(matrix) => matrix.dims().to_vec(),
            Self::EachColumn(embeddings) => embeddings.dims().to_vec(),
            Self::Ids { rows, .. } => rows.dims().to_vec(),
            Self::Guide(columns) => columns.first()?.dims().to_vec(),
            Self::Tokens(tokens) => tokens.dims().to_vec(),
            Self::Lists { labels, .. } => labels.dims().to_vec(),
        })
    }
}

impl Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::None => "none",
            Self::Classes(_) => "classes",
            Self::Numbers(_) => "numbers",
            Self::Matrix(_) => "a matrix",
            Self::EachColumn(_) => "embeddings",
            Self::Ids { .. } => "ids",
            Self::Guide(_) => "a guide's embeddings",
            Self::Tokens(_) => "tokens",
            Self::Lists { .. } => "labels of lists",
        };
        f.write_str(kind)?;
        self.shape().map_or(Ok(()), |shape| write!(f, " {shape:?}"))
    }
}

impl BatchKind {
    /// The number of columns of texts in the batch.
    pub fn columns(self) -> RangeInclusive<usize> {
        match self {
            Self::Reconstructions => 0..=0,
            Self::LabeledRows | Self::DamagedTexts => 1..=1,
            Self::Logits | Self::ClassLogits | Self::Lists => 1..=1,
            Self::Candidates | Self::ScoredCandidates => 1..=1,
            Self::BinaryPairs | Self::ScoredPairs => 2..=2,
            Self::TwoEncoderPairs | Self::TwoEncoderTexts => 2..=2,
            Self::ClassifiedPairs | Self::PositivePairs => 2..=2,
            Self::Rankings | Self::GuidedRankings | Self::ScoredTuples => 2..=usize::MAX,
            Self::TokenRankings => 2..=usize::MAX,
            Self::Triplets => 3..=3,
            Self::ScoredRankings | Self::TeacherScores => 3..=usize::MAX,
            Self::ScoredTokenRankings | Self::TokenTeacherScores => 3..=usize::MAX,
            Self::TeacherEmbeddings | Self::AnyTexts | Self::Inner => 1..=usize::MAX,
        }
    }

    /// The batch of this kind for the loss called `loss`, from one embedding matrix per column of
    /// texts, `[n, dim]` each, and the targets of the rows.
    ///
    /// # Errors
    ///
    /// If columns or targets do not fit; the message names loss, field, rule and value.
    pub fn batch(
        self,
        loss: &str,
        columns: Vec<Tensor<2>>,
        targets: Targets,
    ) -> Result<AnyBatch, BatchError> {
        let check = Check { loss };
        let from_columns = self != Self::Reconstructions;
        check.rule(from_columns, "columns", "be reconstructions", columns.len())?;
        check.count(self, columns.len())?;
        check.tokens(self, false)?;
        check.columns(&columns)?;
        let n = columns[0].dims()[0];
        check.rows(&targets, n)?;
        let (count, mut columns) = (columns.len(), columns.into_iter());
        let mut next = || columns.next().expect("counted above");
        Ok(match (self, targets) {
            (Self::LabeledRows, Targets::Classes(classes)) => {
                LabeledBatch::new(next(), classes).into()
            }
            (
                Self::BinaryPairs | Self::ScoredPairs | Self::TwoEncoderPairs,
                Targets::Numbers(numbers),
            ) => PairBatch::new(next(), next(), numbers).into(),
            (
                Self::BinaryPairs | Self::ScoredPairs | Self::TwoEncoderPairs,
                Targets::Classes(classes),
            ) => PairBatch::from((next(), next(), classes)).into(),
            (Self::ScoredTuples, Targets::Numbers(numbers)) => {
                PairBatch::of_rankings(next(), next(), columns.collect(), Some(numbers)).into()
            }
            (Self::ScoredTuples, Targets::Classes(classes)) => {
                let numbers = Some(signed(classes).float());
                PairBatch::of_rankings(next(), next(), columns.collect(), numbers).into()
            }
            (Self::ScoredTuples, Targets::None) if count > 2 => {
                PairBatch::of_rankings(next(), next(), columns.collect(), None).into()
            }
            (Self::ClassifiedPairs, Targets::Classes(classes)) => {
                ClassifiedPairBatch::new(next(), next(), classes).into()
            }
            (Self::ClassifiedPairs, Targets::Matrix(probabilities)) => {
                ClassifiedPairBatch::new(next(), next(), probabilities).into()
            }
            (Self::PositivePairs | Self::Rankings | Self::TwoEncoderTexts, Targets::None) => {
                RetrievalBatch::new(next(), next(), columns.collect()).into()
            }
            (
                Self::PositivePairs | Self::Rankings | Self::TwoEncoderTexts,
                Targets::Ids { rows, negatives },
            ) => {
                check.negative_ids(&negatives, [n, count - 2])?;
                let (anchor, positive) = (next(), next());
                let batch = RetrievalBatch::new(anchor, positive, columns.collect());
                match negatives.is_empty() {
                    true => batch.with_ids(rows).into(),
                    false => batch.with_ids(rows).with_negative_ids(negatives).into(),
                }
            }
            (Self::GuidedRankings, Targets::Guide(guide)) => {
                check.guide(&guide, [n, count])?;
                let (anchor, positive) = (next(), next());
                let batch = RetrievalBatch::new(anchor, positive, columns.collect());
                GuidedBatch::new(batch, guide).into()
            }
            (Self::Triplets, Targets::None) => TripletBatch::new(next(), next(), next()).into(),
            (Self::ScoredRankings, Targets::Numbers(margin)) => {
                check.margins(count - 2, 1)?;
                MarginBatch::new(next(), next(), vec![next()], margin).into()
            }
            (Self::ScoredRankings, Targets::Matrix(margins)) => {
                check.margins(count - 2, margins.dims()[1])?;
                let (query, positive) = (next(), next());
                MarginBatch::new(query, positive, columns.collect(), margins).into()
            }
            (Self::TeacherScores, Targets::Matrix(scores)) => {
                check.scores(count - 1, &scores)?;
                TeacherScoresBatch::new(next(), columns.collect(), scores).into()
            }
            (Self::TeacherEmbeddings, Targets::Matrix(embeddings)) => {
                DistillationBatch::new(columns.collect(), embeddings).into()
            }
            (Self::TeacherEmbeddings, Targets::EachColumn(embeddings)) => {
                let got = embeddings.dims()[1];
                check.rule(got == count, "targets", format_args!("be for {count} columns"), got)?;
                DistillationBatch::new(columns.collect(), embeddings).into()
            }
            (Self::AnyTexts, Targets::None) => EmbeddingsBatch::new(columns.collect()).into(),
            (Self::DamagedTexts, Targets::Tokens(tokens)) => {
                let len = tokens.dims()[1];
                check.rule(len >= 2, "targets", "have at least two tokens per row", len)?;
                DenoisingBatch::new(next(), tokens).into()
            }
            (Self::Logits, Targets::Numbers(labels)) => {
                LogitBatch::of_columns(check.one_logit(next())?, labels.unsqueeze_dim(1)).into()
            }
            (Self::Logits, Targets::Classes(labels)) => {
                let labels = labels.float().unsqueeze_dim(1);
                LogitBatch::of_columns(check.one_logit(next())?, labels).into()
            }
            (Self::ClassLogits, Targets::Classes(classes)) => {
                ClassLogitBatch::new(next(), classes).into()
            }
            (Self::ClassLogits, Targets::Matrix(probabilities)) => {
                let logits = next();
                let ([_, classes], [_, got]) = (logits.dims(), probabilities.dims());
                let rule = format_args!("be {classes} probabilities per row");
                check.rule(got == classes, "targets", rule, got)?;
                ClassLogitBatch::new(logits, probabilities).into()
            }
            (Self::Candidates, Targets::None) => CandidateBatch::new(next()).into(),
            (Self::ScoredCandidates, Targets::Numbers(margin)) => {
                let logits = next();
                check.margins(check.negatives(&logits)?, 1)?;
                CandidateMarginBatch::new(logits, margin).into()
            }
            (Self::ScoredCandidates, Targets::Matrix(margins)) => {
                let logits = next();
                check.margins(check.negatives(&logits)?, margins.dims()[1])?;
                CandidateMarginBatch::new(logits, margins).into()
            }
            (Self::Lists, Targets::Lists { labels, lengths }) => {
                let logits = next();
                check.lists(&logits, &labels, &lengths)?;
                ListBatch::new(logits, labels, &lengths).into()
            }
            (kind, targets) => return Err(check.wrong(kind, &targets)),
        })
    }

    /// The targets it takes, for a message.
    fn targets(self) -> &'static str {
        match self {
            Self::LabeledRows => "classes",
            Self::BinaryPairs | Self::ScoredPairs | Self::TwoEncoderPairs => "numbers or classes",
            Self::ScoredTuples => "numbers or classes, or with three columns and more none",
            Self::ClassifiedPairs => "classes, or a matrix of probabilities",
            Self::PositivePairs | Self::Rankings | Self::TwoEncoderTexts => "none, or ids",
            Self::GuidedRankings => "a guide's embeddings for each column",
            Self::Triplets | Self::AnyTexts => "none",
            Self::ScoredRankings => "numbers, or a matrix of margins or scores",
            Self::ScoredTokenRankings => "numbers, or a matrix of margins or scores",
            Self::TeacherScores | Self::TokenTeacherScores => "a matrix of scores",
            Self::TeacherEmbeddings => "a matrix, or embeddings for each column",
            Self::DamagedTexts => "tokens",
            Self::Logits => "numbers or classes",
            Self::ClassLogits => "classes, or a matrix of probabilities",
            Self::Candidates | Self::TokenRankings => "none",
            Self::ScoredCandidates => "numbers, or a matrix of margins or scores",
            Self::Lists => "labels of lists",
            Self::Reconstructions => "none",
            Self::Inner => "those of the loss inside",
        }
    }
}

/// The rules of columns and targets, with the loss that the messages name.
pub(super) struct Check<'a> {
    pub loss: &'a str,
}

impl Check<'_> {
    pub fn rule(
        &self,
        holds: bool,
        field: impl Display,
        rule: impl Display,
        got: impl Display,
    ) -> Result<(), BatchError> {
        let error = || BatchError::new(format!("{}: `{field}` must {rule}, got {got}", self.loss));
        if holds { Ok(()) } else { Err(error()) }
    }

    pub fn wrong(&self, kind: BatchKind, targets: &Targets) -> BatchError {
        let rule = format_args!("be {}", kind.targets());
        self.rule(false, "targets", rule, targets).expect_err("it does not hold")
    }

    /// As many as the kind has.
    pub fn count(&self, kind: BatchKind, count: usize) -> Result<(), BatchError> {
        let range = kind.columns();
        let at_least = if range.end() > range.start() { "at least " } else { "" };
        let rule = format_args!("be {at_least}{}", range.start());
        self.rule(range.contains(&count), "columns", rule, count)
    }

    /// Token embeddings, or one embedding for each text, as the kind takes them.
    pub fn tokens(&self, kind: BatchKind, given: bool) -> Result<(), BatchError> {
        let name = |tokens| match tokens {
            true => "token embeddings (`token_batch`)",
            false => "one embedding for each text (`batch`)",
        };
        let wanted = kind.takes_tokens();
        self.rule(given == wanted, "columns", format_args!("be {}", name(wanted)), name(given))
    }

    /// Alike, with at least one row and one coordinate.
    fn columns(&self, columns: &[Tensor<2>]) -> Result<(), BatchError> {
        let (shape, dtype) = (columns[0].dims(), columns[0].dtype());
        let rule = "have at least one row and one coordinate";
        self.rule(shape.iter().all(|&size| size > 0), "columns[0]", rule, format!("{shape:?}"))?;
        columns.iter().enumerate().try_for_each(|(index, column)| {
            let (got, of) = (column.dims(), column.dtype());
            self.rule(
                got == shape && of == dtype,
                format_args!("columns[{index}]"),
                format_args!("be {} {shape:?}", dtype.name()),
                format_args!("{} {got:?}", of.name()),
            )
        })
    }

    pub fn rows(&self, targets: &Targets, n: usize) -> Result<(), BatchError> {
        let fits = targets.shape().is_none_or(|shape| shape[0] == n);
        self.rule(fits, "targets", format_args!("have {n} rows"), targets)
    }

    /// Logits of one score a row.
    fn one_logit(&self, logits: Tensor<2>) -> Result<Tensor<2>, BatchError> {
        let got = logits.dims()[1];
        self.rule(got == 1, "columns[0]", "be one logit per row", got)?;
        Ok(logits)
    }

    /// The number of negatives of every row of logits, at least 1.
    fn negatives(&self, logits: &Tensor<2>) -> Result<usize, BatchError> {
        let got = logits.dims()[1];
        let rule = "be a positive and at least one negative per row";
        self.rule(got > 1, "columns[0]", rule, got).map(|()| got - 1)
    }

    /// Labels in the shape of the logits, and a length for each list that fits.
    fn lists(
        &self,
        logits: &Tensor<2>,
        labels: &Tensor<2>,
        lengths: &[usize],
    ) -> Result<(), BatchError> {
        let ([lists, longest], got) = (logits.dims(), labels.dims());
        let rule = format_args!("have the shape [{lists}, {longest}] of the logits");
        self.rule(got == [lists, longest], "targets", rule, format!("{got:?}"))?;
        let rule = format_args!("be {lists}");
        self.rule(lengths.len() == lists, "lengths", rule, lengths.len())?;
        let most = lengths.iter().max().copied().unwrap_or_default();
        self.rule(most <= longest, "lengths", format_args!("be at most {longest}"), most)
    }

    /// Margins of `k` negatives, or scores of the positive and them.
    pub fn margins(&self, k: usize, got: usize) -> Result<(), BatchError> {
        let rule = format_args!("be {k} margins or {} scores per row", k + 1);
        self.rule(got == k || got == k + 1, "targets", rule, got)
    }

    /// A score for each of the documents.
    pub fn scores(&self, documents: usize, scores: &Tensor<2>) -> Result<(), BatchError> {
        let got = scores.dims()[1];
        let rule = format_args!("be {documents} scores per row");
        self.rule(got == documents, "targets", rule, got)
    }

    /// A matrix for each of the `columns`, all of them with these `rows`, one width and one type.
    fn guide(&self, guide: &[Tensor<2>], [rows, columns]: [usize; 2]) -> Result<(), BatchError> {
        let rule = format_args!("have a guide's embeddings of {columns} columns");
        self.rule(guide.len() == columns, "targets", rule, guide.len())?;
        let ([_, width], dtype) = (guide[0].dims(), guide[0].dtype());
        self.rule(width > 0, "targets", "have at least one coordinate", width)?;
        guide.iter().try_for_each(|column| {
            let (got, of) = (column.dims(), column.dtype());
            let rule = format_args!("be {} [{rows}, {width}] per column", dtype.name());
            let fits = got == [rows, width] && of == dtype;
            self.rule(fits, "targets", rule, format_args!("{} {got:?}", of.name()))
        })
    }

    /// None, or ids of all `rows` for each of the `columns` of negatives.
    fn negative_ids(
        &self,
        ids: &[Tensor<1, Int>],
        [rows, columns]: [usize; 2],
    ) -> Result<(), BatchError> {
        let rule = format_args!("have ids for none or all of {columns} columns of negatives");
        self.rule(ids.is_empty() || ids.len() == columns, "targets", rule, ids.len())?;
        ids.iter().try_for_each(|ids| {
            let got = ids.dims()[0];
            self.rule(got == rows, "targets", format_args!("have {rows} ids per column"), got)
        })
    }
}

//! Case files: inputs, a configuration, and what sentence-transformers answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn_embedding_losses::catalog::ModelKind;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::nested::Nested;

/// The version of the file format that is understood.
const FORMAT: u32 = 1;

/// One batch for one loss, with the answer of the reference.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique name.
    pub id: String,
    /// The kind of model that the loss trains.
    #[serde(default)]
    pub family: Family,
    /// The Python class; once read, the name in the catalog, which has the family in front.
    pub loss: String,
    /// Python's constructor arguments.
    pub config: serde_json::Value,
    /// Weights of a loss that owns some, by PyTorch's names and in its layout.
    pub params: Option<BTreeMap<String, Nested>>,
    /// One `[n, dim]` a column of texts; with `layer_columns`, those of the layers, one after another; of a
    /// cross-encoder, its logits as the only column; with `token_columns`, `[n, tokens · dim]`.
    #[serde(default)]
    pub columns: Vec<Nested>,
    /// One `[n, tokens, dim]` a column of texts.
    #[serde(default)]
    token_columns: Vec<Nested>,
    /// Where there is a token, one `[n, tokens]` for each of the token columns.
    pub masks: Option<Vec<Nested>>,
    /// One `[n, dim]` a column of texts after each layer, the final layer last.
    #[serde(default)]
    layer_columns: Vec<Vec<Nested>>,
    /// The number of layers, once the columns are in `columns`; 0 without layers.
    #[serde(skip)]
    pub layers: usize,
    /// What a sparse auto-encoder decoded from each column of texts: columns after those of latents, once read.
    #[serde(default)]
    matrices: Vec<Matrices>,
    /// For each column of texts with matrices, whether the auxiliary one is among them.
    #[serde(skip)]
    pub reconstructions: Vec<bool>,
    /// The embeddings of a guide, one `[n, guide_dim]` a column of texts.
    pub guide_columns: Option<Vec<Nested>>,
    /// A cross-encoder's raw scores: the only column, once read.
    #[serde(default)]
    logits: Option<Nested>,
    /// The number of documents of each list.
    #[serde(default)]
    pub lengths: Option<Vec<usize>>,
    /// The documents that Python drew as negatives, whose scores are among the logits.
    #[serde(default, rename = "negative_indices")]
    _negative_indices: IgnoredAny,
    /// How Python's answer orders equal keys.
    #[serde(default, rename = "ties")]
    _ties: IgnoredAny,
    /// Labels or targets.
    pub labels: Option<Labels>,
    /// The layers before the final one that a step drew.
    pub sampled_layers: Option<Vec<usize>>,
    /// The dimensions that a step drew, for each layer if there are several.
    pub sampled_dims: Option<Vec<Vec<usize>>>,
    /// The answer in float64.
    pub expected: Expected,
    /// How far the reference itself is from that answer in float32.
    pub reference_f32: ReferenceError,
}

/// Named matrices of a column of texts, or their gradients.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrices {
    sentence_embedding_backbone: Nested,
    decoded_embedding_k: Nested,
    decoded_embedding_4k: Nested,
    decoded_embedding_k_pre_bias: Nested,
    decoded_embedding_aux: Option<Nested>,
}

impl Matrices {
    /// All of them; the auxiliary one, which may be missing, comes last.
    fn into_columns(self) -> impl Iterator<Item = Nested> {
        let always = [
            self.sentence_embedding_backbone,
            self.decoded_embedding_k,
            self.decoded_embedding_4k,
            self.decoded_embedding_k_pre_bias,
        ];
        always.into_iter().chain(self.decoded_embedding_aux)
    }
}

/// The kind of model that a loss trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// One embedding per text.
    #[default]
    SentenceTransformer,
    /// Scores of two texts.
    CrossEncoder,
    /// Embeddings over a vocabulary.
    SparseEncoder,
    /// One embedding per token.
    MultiVectorEncoder,
}

impl Family {
    fn model(self) -> ModelKind {
        match self {
            Self::SentenceTransformer => ModelKind::SentenceEncoder,
            Self::CrossEncoder => ModelKind::CrossEncoder,
            Self::SparseEncoder => ModelKind::SparseEncoder,
            Self::MultiVectorEncoder => ModelKind::MultiVectorEncoder,
        }
    }
}

/// Labels or targets as they are in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Whether Python holds them as integers.
    pub dtype: LabelType,
    /// Of rank 1, 2 or 3.
    pub data: Nested,
}

/// Python's type of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelType {
    /// `int64`.
    Int,
    /// `float32`.
    Float,
}

/// The answer of the reference.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The loss.
    pub loss: f64,
    /// Its gradient with respect to each column.
    #[serde(default)]
    pub gradients: Vec<Nested>,
    /// Its gradient with respect to each matrix: gradients of columns, once read.
    #[serde(default)]
    matrix_gradients: Vec<Matrices>,
    /// Its gradient with respect to each weight.
    pub param_gradients: Option<BTreeMap<String, Nested>>,
    /// The parts of a loss that has some.
    pub parts: Option<BTreeMap<String, f64>>,
}

impl Expected {
    /// An answer without parts.
    pub fn new(
        loss: f64,
        gradients: Vec<Nested>,
        param_gradients: BTreeMap<String, Nested>,
    ) -> Self {
        Self { loss, gradients, param_gradients: Some(param_gradients), ..Self::default() }
    }
}

/// Errors of the reference in float32 against its own float64.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceError {
    /// Absolute.
    pub loss_error: f64,
    /// Relative, over all columns together.
    pub gradient_error: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    #[allow(dead_code, reason = "says where the answers are from; nothing depends on it")]
    reference: serde_json::Value,
    cases: Vec<Case>,
}

/// Why a case file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a case file.
    #[error("{path}: not a case file: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        source: serde_json::Error,
    },
    /// The parts of a case do not fit together.
    #[error("{path}: case {id}: {why}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The case.
        id: String,
        /// What does not fit.
        why: String,
    },
    /// The file is of another version.
    #[error("{path}: format {format} is not supported, only {FORMAT} is")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its version.
        format: u32,
    },
}

/// Reads all cases of a file.
///
/// # Errors
///
/// If the file cannot be read, is not JSON of the right form, is of another version, or the parts
/// of a case do not fit together.
pub fn read(path: &Path) -> Result<Vec<Case>, CaseError> {
    let path = path.to_path_buf();
    let text = std::fs::read_to_string(&path)
        .map_err(|source| CaseError::Read { path: path.clone(), source })?;
    let file: File = serde_json::from_str(&text)
        .map_err(|source| CaseError::Parse { path: path.clone(), source })?;
    if file.format != FORMAT {
        return Err(CaseError::Format { path, format: file.format });
    }
    let settle = |case: Case| {
        let case = case.with_one_list_of_columns();
        case.check_shapes().map_err(|why| {
            let id = case.id.clone();
            CaseError::Shape { path: path.clone(), id, why }
        })?;
        Ok(case.with_f32_inputs())
    };
    file.cases.into_iter().map(settle).collect()
}

impl Case {
    /// A case without inputs that expects nothing, of the loss with this name in the catalog.
    pub fn new(id: impl Into<String>, loss: &str, config: serde_json::Value) -> Self {
        Self {
            id: id.into(),
            family: Family::default(),
            loss: loss.into(),
            config,
            params: None,
            columns: Vec::new(),
            token_columns: Vec::new(),
            masks: None,
            layer_columns: Vec::new(),
            layers: 0,
            matrices: Vec::new(),
            reconstructions: Vec::new(),
            guide_columns: None,
            logits: None,
            lengths: None,
            _negative_indices: IgnoredAny,
            _ties: IgnoredAny,
            labels: None,
            sampled_layers: None,
            sampled_dims: None,
            expected: Expected::default(),
            reference_f32: ReferenceError { loss_error: 0.0, gradient_error: 0.0 },
        }
    }

    /// The columns of all layers, those of tokens, the logits of a cross-encoder, or matrices become columns; the name says the
    /// family.
    fn with_one_list_of_columns(mut self) -> Self {
        self.loss = format!("{}{}", self.family.model().prefix(), self.loss);
        self.layers = self.layer_columns.len();
        self.columns.extend(std::mem::take(&mut self.layer_columns).into_iter().flatten());
        self.columns
            .extend(std::mem::take(&mut self.token_columns).into_iter().map(Nested::as_matrix));
        if let Some(mut logits) = self.logits.take() {
            if logits.shape.len() == 1 {
                logits.shape.push(1);
            }
            self.columns.push(logits);
        }
        let matrices = std::mem::take(&mut self.matrices);
        let has_aux = |matrices: &Matrices| matrices.decoded_embedding_aux.is_some();
        self.reconstructions = matrices.iter().map(has_aux).collect();
        self.columns.extend(matrices.into_iter().flat_map(Matrices::into_columns));
        let gradients = std::mem::take(&mut self.expected.matrix_gradients);
        self.expected.gradients.extend(gradients.into_iter().flat_map(Matrices::into_columns));
        self
    }

    /// The number of columns that are matrices of an auto-encoder: the last ones.
    pub fn matrix_count(&self) -> usize {
        self.reconstructions.iter().map(|&aux| if aux { 5 } else { 4 }).sum()
    }

    fn check_shapes(&self) -> Result<(), String> {
        let shape = match self.columns.first() {
            Some(Nested { shape, .. }) if shape.len() == 2 && shape.iter().all(|&n| n > 0) => shape,
            _ => return Err("`columns` must be matrices with at least one row and column".into()),
        };
        match &self.masks {
            Some(masks) => self.check_tokens(masks)?,
            None => self.check_alike()?,
        }
        match &self.labels {
            Some(Labels { data, .. })
                // One a row, however they lie, or rows of them.
                if data.data.len() != shape[0] && data.shape.first() != Some(&shape[0]) =>
            {
                Err(format!("{} rows, but labels of shape {:?}", shape[0], data.shape))
            }
            _ => Ok(()),
        }
    }

    /// One shape for all columns, and one for all matrices of an auto-encoder.
    fn check_alike(&self) -> Result<(), String> {
        let (columns, matrices) = self.columns.split_at(self.columns.len() - self.matrix_count());
        for (name, alike) in [("columns", columns), ("matrices", matrices)] {
            let differ = alike.windows(2).find(|two| two[0].shape != two[1].shape);
            if let Some([one, other]) = differ {
                let (one, other) = (&one.shape, &other.shape);
                return Err(format!("`{name}` differ in shape: {one:?} and {other:?}"));
            }
        }
        Ok(())
    }

    /// A mask for each column, with a place for each of its tokens, which have one dimension.
    fn check_tokens(&self, masks: &[Nested]) -> Result<(), String> {
        if masks.len() != self.columns.len() {
            return Err(format!("{} columns, but {} masks", self.columns.len(), masks.len()));
        }
        let dim = |column: &Nested, mask: &Nested| match mask.shape[..] {
            [rows, tokens] if tokens > 0 && rows == column.shape[0] => {
                column.shape[1].is_multiple_of(tokens).then(|| column.shape[1] / tokens)
            }
            _ => None,
        };
        let dims: Vec<_> = self.columns.iter().zip(masks).map(|(c, m)| dim(c, m)).collect();
        let fits = dims[0].is_some() && dims.iter().all(|&dim| dim == dims[0]);
        fits.then_some(()).ok_or_else(|| "`masks` do not fit `token_columns`".into())
    }

    /// Inputs are printed as the shortest decimal of an `f32`.
    fn with_f32_inputs(mut self) -> Self {
        self.columns = rounded(self.columns);
        self.guide_columns = self.guide_columns.map(rounded);
        self.params = self.params.map(|params| {
            params.into_iter().map(|(name, value)| (name, value.rounded_to_f32())).collect()
        });
        if let Some(labels) = &mut self.labels
            && labels.dtype == LabelType::Float
        {
            labels.data = labels.data.clone().rounded_to_f32();
        }
        self
    }
}

fn rounded(columns: Vec<Nested>) -> Vec<Nested> {
    columns.into_iter().map(Nested::rounded_to_f32).collect()
}

//! Reading the table: as sentence-transformers saves it, or as model2vec does, in parts.

use std::path::Path;

use burn::module::Param;
use burn::nn::Embedding;
use burn::tensor::{Device, TensorData};

use super::{StaticConfig, StaticEmbedding};
use crate::directory::Directory;
use crate::error::Error;
use crate::weights::{self, Tensors};

/// The table, as sentence-transformers calls it.
const TABLE: &str = "embedding.weight";
/// The table, as model2vec calls it.
const ROWS: &str = "embeddings";
/// For each token its row of model2vec's table; without it, token i has row i.
const ROW_OF: &str = "mapping";
/// For each token a factor of its row; without it, 1.
const FACTOR: &str = "weights";

/// A table in parts may become this large, in values.
const FREE: usize = 1 << 26;
/// Beyond that, this many times as large as its rows: tokens share rows, but not many of them.
const SHARED: usize = 100;

/// The table of the module in the directory `module`.
pub fn read(
    directory: &Directory,
    module: &Path,
    device: &Device,
) -> Result<(StaticConfig, StaticEmbedding), Error> {
    let (path, found) = weights::tensors(directory, module)?;
    let table = table(&found).map_err(|reason| Error::read(&path, reason))?;
    let config = StaticConfig { tokens: table.rows(), dimension: table.dimension };
    let data = TensorData::new(table.values, [config.tokens, config.dimension]);
    let embedding = Embedding { weight: Param::from_data(data, device) };
    Ok((config, StaticEmbedding { embedding }))
}

/// Rows of numbers.
struct Table {
    values: Vec<f32>,
    dimension: usize,
}

impl Table {
    fn rows(&self) -> usize {
        self.values.len() / self.dimension
    }

    fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.dimension..][..self.dimension]
    }
}

fn table(found: &Tensors) -> Result<Table, String> {
    let whole = matrix(found, TABLE)?;
    let Some(table) = whole.map_or_else(|| matrix(found, ROWS), |table| Ok(Some(table)))? else {
        return Err(format!("it has neither `{TABLE}` nor `{ROWS}`, a table of vectors"));
    };
    match found.contains_key(TABLE) {
        true => Ok(table),
        false => folded(&table, vector(found, ROW_OF)?, vector(found, FACTOR)?),
    }
}

/// A row for each token, from the parts that model2vec saves.
fn folded(
    table: &Table,
    row_of: Option<Vec<f64>>,
    factors: Option<Vec<f64>>,
) -> Result<Table, String> {
    let tokens = row_of.as_ref().map_or(table.rows(), Vec::len);
    let given = factors.as_ref().map_or(tokens, Vec::len);
    if given != tokens || tokens == 0 {
        return Err(format!("`{FACTOR}` has {given} values for {tokens} tokens"));
    }
    let length = tokens.saturating_mul(table.dimension);
    if length > FREE.max(table.values.len().saturating_mul(SHARED)) {
        let rows = table.rows();
        return Err(format!(
            "`{ROW_OF}` has {tokens} tokens that share {rows} rows of `{ROWS}`: the table would be \
             more than {SHARED} times as large as its file"
        ));
    }
    let mut values = Vec::with_capacity(length);
    for token in 0..tokens {
        let row = row_of.as_ref().map_or(token as f64, |rows| rows[token]);
        if !(0.0..table.rows() as f64).contains(&row) {
            let rows = table.rows();
            return Err(format!("`{ROW_OF}` names row {row}, but `{ROWS}` has {rows} rows"));
        }
        let factor = factors.as_ref().map_or(1.0, |factors| factors[token] as f32);
        values.extend(table.row(row as usize).iter().map(|value| value * factor));
    }
    Ok(Table { values, dimension: table.dimension })
}

fn matrix(found: &Tensors, name: &str) -> Result<Option<Table>, String> {
    let Some(tensor) = found.get(name) else { return Ok(None) };
    match tensor.shape.as_slice() {
        &[rows, dimension] if rows.min(dimension) > 0 => {
            let values = weights::data(tensor)?.iter().collect();
            Ok(Some(Table { values, dimension }))
        }
        other => Err(format!("`{name}` is {other:?}, expected rows of at least one value")),
    }
}

fn vector(found: &Tensors, name: &str) -> Result<Option<Vec<f64>>, String> {
    let Some(tensor) = found.get(name) else { return Ok(None) };
    match tensor.shape.as_slice() {
        [_] => Ok(Some(weights::data(tensor)?.iter().collect())),
        other => Err(format!("`{name}` is {other:?}, expected one value for each token")),
    }
}

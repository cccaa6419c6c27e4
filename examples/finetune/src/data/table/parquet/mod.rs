//! Parquet files, read row by row. The line of a row is its number.
//!
//! A file may be damaged, or made to do harm. Memory and time are taken for what it says that it holds, so that is checked
//! first: by `footer` for the schema and the groups of rows, by `pages` and `group` for the columns.

mod footer;
mod format;
mod group;
mod names;
mod pages;
mod quiet;
mod thrift;

use std::path::Path;
use std::sync::{Arc, Mutex};

use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result as ReadResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use serde_json::{Number, Value};

use super::{Row, Source, Table};
use crate::data::Place;
use crate::data::contents::{Contents, unpacked_limit};
use crate::error::Error;
use group::Groups;
use pages::{Budget, TOO_LARGE};

/// The first and the last bytes of a file.
pub const MAGIC: &[u8; 4] = b"PAR1";

/// A file may have this many values, whatever its size.
const FREE_VALUES: u64 = 4 << 20;
/// Beyond that, this many for each of its bytes. Texts take several bytes, columns of one value next to none.
const VALUES_PER_BYTE: u64 = 4;

/// A file whose footer has been read.
#[derive(Debug, Clone)]
pub struct File {
    contents: Contents,
    metadata: Arc<ParquetMetaData>,
}

impl File {
    /// The rows of one pass over the file. Memory holds a page of each column.
    pub fn rows(&self) -> Result<Rows, Error> {
        let size = self.contents.size();
        let (bytes, values) = (unpacked_limit(size), most_values(size));
        let groups = Groups {
            contents: self.contents.clone(),
            metadata: self.metadata.clone(),
            budget: Arc::new(Mutex::new(Budget { bytes, values })),
        };
        let rows = RowIter::from_file_into(Box::new(groups));
        Ok(Rows { file: self.contents.path().clone(), rows, number: 0, bytes_left: bytes })
    }
}

/// Reads a table.
pub fn parse(contents: Contents) -> Result<Table, Error> {
    let footer = footer::footer(&contents)?;
    let metadata = guarded(contents.path(), || {
        let metadata = ParquetMetaDataReader::decode_metadata(&footer)?;
        check_sizes(&metadata, contents.size()).map(|()| metadata)
    })?;
    if let Some(reason) = packed_otherwise(&metadata) {
        return Err(Error::read(contents.path(), reason));
    }
    let class_names = names::of_classes(&metadata);
    let file = File { contents, metadata: Arc::new(metadata) };
    Ok(Table { class_names, ..Table::of(Source::Parquet(file), true)? })
}

/// What the crate reads, or what is wrong with the file.
fn guarded<T>(file: &Path, work: impl FnOnce() -> ReadResult<T>) -> Result<T, Error> {
    let reason = match quiet::catch(work) {
        Some(Ok(done)) => return Ok(done),
        // The crate has asserts, and kinds of columns that it has not implemented.
        None => "its columns contradict themselves or are of a rare kind".to_string(),
        Some(Err(ParquetError::General(reason))) if reason == TOO_LARGE => {
            return Err(Error::read(file, reason));
        }
        Some(Err(ParquetError::General(reason))) => reason,
        Some(Err(ParquetError::External(error))) => match error.downcast() {
            Ok(error) => return Err(*error),
            Err(error) => error.to_string(),
        },
        Some(Err(error)) => error.to_string(),
    };
    let reason =
        format!("damaged, or not read as Parquet: {reason}; try to write it again with pandas");
    Err(Error::read(file, reason))
}

fn most_values(size: u64) -> u64 {
    size.saturating_mul(VALUES_PER_BYTE).max(FREE_VALUES)
}

/// Refuses more rows than a file of this size can have, and columns that share bytes.
fn check_sizes(metadata: &ParquetMetaData, size: u64) -> ReadResult<()> {
    let columns = metadata.file_metadata().schema_descr().num_columns().max(1) as u64;
    let (mut cells, mut bytes) = (0_u64, 0_u64);
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows())?;
        cells = cells.saturating_add(rows.saturating_mul(columns));
        for column in group.columns() {
            bytes = bytes.saturating_add(column.byte_range().1);
        }
    }
    if cells > most_values(size) {
        return Err(ParquetError::General(TOO_LARGE.into()));
    }
    if bytes > size {
        return Err(ParquetError::General("its columns are larger than the file".into()));
    }
    Ok(())
}

/// The rows of a file, in their order.
pub struct Rows {
    file: Arc<Path>,
    rows: RowIter<'static>,
    /// How many have been read.
    number: usize,
    /// A dictionary gives long texts for a few bits: the bytes that texts may still have.
    bytes_left: u64,
}

impl Rows {
    fn next_row(&mut self) -> Result<Option<Row>, Error> {
        let Some(row) = guarded(&self.file, || self.rows.next().transpose())? else {
            return Ok(None);
        };
        self.number += 1;
        let cells = row.into_columns().into_iter().map(|(name, field)| (name, cell(field)));
        let row = Row { place: Place::new(self.file.clone(), self.number), cells: cells.collect() };
        let length = row.cells.values().map(length).sum();
        let left = self.bytes_left.checked_sub(length);
        self.bytes_left = left.ok_or_else(|| Error::read(&self.file, TOO_LARGE))?;
        Ok(Some(row))
    }
}

impl Iterator for Rows {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

/// What to do about a column that is packed in a way that is not read.
fn packed_otherwise(metadata: &ParquetMetaData) -> Option<String> {
    let columns = metadata.row_groups().iter().flat_map(|rows| rows.columns());
    let mut packed = columns.map(|column| column.compression());
    let read = |packed: &Compression| {
        matches!(packed, Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_))
    };
    let packed = packed.find(|packed| !read(packed))?.to_string();
    let packed = packed.split('(').next().unwrap_or_default();
    Some(format!(
        "its columns are packed with {packed}; only Snappy and Zstandard are read: write it again, in Python with \
         pandas.read_parquet(FILE).to_parquet(\"new.parquet\")"
    ))
}

fn length(cell: &Value) -> u64 {
    match cell {
        Value::String(text) => text.len() as u64,
        Value::Array(cells) => cells.iter().map(length).sum(),
        Value::Object(cells) => cells.values().map(length).sum(),
        _ => 0,
    }
}

/// A cell as the other formats have it. Bytes that are no text, as of pictures, are left out.
fn cell(field: Field) -> Value {
    let number = |number: f64| Number::from_f64(number).map_or(Value::Null, Value::Number);
    match field {
        Field::Null => Value::Null,
        Field::Bool(truth) => truth.into(),
        Field::Byte(number) => number.into(),
        Field::Short(number) => number.into(),
        Field::Int(number) => number.into(),
        Field::Long(number) => number.into(),
        Field::UByte(number) => number.into(),
        Field::UShort(number) => number.into(),
        Field::UInt(number) => number.into(),
        Field::ULong(number) => number.into(),
        Field::Float16(value) => number(value.into()),
        Field::Float(value) => number(value.into()),
        Field::Double(value) => number(value),
        Field::Str(text) => text.into(),
        Field::Bytes(bytes) => bytes.as_utf8().map_or(Value::Null, Value::from),
        Field::Group(row) => {
            row.into_columns().into_iter().map(|(name, field)| (name, cell(field))).collect()
        }
        Field::ListInternal(list) => list.elements().iter().cloned().map(cell).collect(),
        // Decimals, dates, times, maps.
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests;

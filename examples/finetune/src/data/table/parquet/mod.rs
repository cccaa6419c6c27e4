//! Parquet files, read row by row.
//!
//! A file may be damaged, or made to do harm. Memory and time are taken for what it says that it holds, so that is checked
//! first: by `footer` for the schema and the groups of rows, by `pages` and `group` for the columns.

mod footer;
mod format;
mod group;
mod pages;
mod quiet;
mod thrift;

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::RowGroupReader;
use parquet::record::Field;
use serde_json::{Number, Value};

use super::{Row, Source, Table};
use crate::data::Place;
use crate::data::contents::unpacked_limit;
use crate::error::Error;
use group::Rows;
use pages::{Budget, TOO_LARGE};

/// The first and the last bytes of a file.
pub const MAGIC: &[u8; 4] = b"PAR1";

/// A file may have this many values, whatever its size.
const FREE_VALUES: u64 = 4 << 20;
/// Beyond that, this many for each of its bytes. Texts take several bytes, columns of one value next to none.
const VALUES_PER_BYTE: u64 = 4;

/// Reads a table. The line of a row is its number.
pub fn parse(file: &Arc<Path>, bytes: &[u8]) -> Result<Table, Error> {
    let footer = footer::footer(bytes).map_err(|reason| Error::read(file, reason))?;
    let read = quiet::catch(|| -> Result<_, ParquetError> {
        let metadata = ParquetMetaDataReader::decode_metadata(footer)?;
        Ok(match packed_otherwise(&metadata) {
            Some(reason) => Err(Error::read(file, reason)),
            None => Ok(rows(file, bytes, &metadata)?),
        })
    });
    let not_read = |reason: &str| {
        let reason =
            format!("damaged, or not read as Parquet: {reason}; try to write it again with pandas");
        Error::read(file, reason)
    };
    match read {
        // The crate has asserts, and kinds of columns that it has not implemented.
        None => Err(not_read("its columns contradict themselves or are of a rare kind")),
        Some(Err(ParquetError::General(reason))) if reason == TOO_LARGE => {
            Err(Error::read(file, reason))
        }
        Some(Err(ParquetError::General(reason))) => Err(not_read(&reason)),
        Some(Err(error)) => Err(not_read(&error.to_string())),
        Some(Ok(rows)) => Table::of(Source::Rows(rows?), true),
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

fn rows(
    file: &Arc<Path>,
    bytes: &[u8],
    metadata: &ParquetMetaData,
) -> Result<Vec<Row>, ParquetError> {
    let size = bytes.len() as u64;
    let values = size.saturating_mul(VALUES_PER_BYTE).max(FREE_VALUES);
    let mut bytes_left = unpacked_limit(size);
    let budget = Arc::new(Mutex::new(Budget { bytes: bytes_left, values }));
    let too_large = || ParquetError::General(TOO_LARGE.into());
    let columns = metadata.file_metadata().schema_descr().num_columns().max(1) as u64;
    let cells = metadata.row_groups().iter().try_fold(0_u64, |cells, group| {
        let rows = u64::try_from(group.num_rows()).ok()?;
        cells.checked_add(rows.checked_mul(columns)?)
    });
    cells.filter(|cells| *cells <= values).ok_or_else(too_large)?;
    let bytes = Bytes::copy_from_slice(bytes);
    let mut rows = Vec::new();
    for metadata in metadata.row_groups() {
        let group = Rows { bytes: &bytes, metadata, budget: budget.clone() };
        for row in group.get_row_iter(None)? {
            let cells = row?.into_columns().into_iter().map(|(name, field)| (name, cell(field)));
            let row =
                Row { place: Place::new(file.clone(), rows.len() + 1), cells: cells.collect() };
            // A dictionary gives long texts for a few bits.
            let length = row.cells.values().map(length).sum();
            bytes_left = bytes_left.checked_sub(length).ok_or_else(too_large)?;
            rows.push(row);
        }
    }
    Ok(rows)
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

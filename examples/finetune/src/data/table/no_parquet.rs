//! Takes the place of the reader of Parquet files in a build without the cargo feature `parquet`.

use super::{Row, Table};
use crate::data::contents::Contents;
use crate::error::Error;

/// The first bytes of a file.
pub const MAGIC: &[u8; 4] = b"PAR1";

/// A file that is read; there is none.
#[derive(Debug, Clone)]
pub enum File {}

impl File {
    /// Its rows.
    pub fn rows(&self) -> Result<std::iter::Empty<Result<Row, Error>>, Error> {
        match *self {}
    }
}

/// Refuses the file, and says how to read it.
pub fn parse(contents: Contents) -> Result<Table, Error> {
    let reason = "a Parquet file, which this build does not read: build the program with \
                  `cargo build --release -p finetune --features parquet`, or convert the file to JSON Lines, in \
                  Python with pandas.read_parquet(FILE).to_json(\"train.jsonl\", orient=\"records\", lines=True)";
    Err(Error::read(contents.path(), reason))
}

#[cfg(test)]
mod tests {
    use crate::data::read_bytes;

    #[test]
    fn the_way_to_read_a_parquet_file_is_named() {
        for name in ["train.parquet", "train.csv"] {
            let message = read_bytes(name, b"PAR1\x15\x04").unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("cannot read {name}: a Parquet file")),
                "{message}"
            );
            assert!(message.contains("cargo build --release -p finetune --features parquet"));
            assert!(message.contains("read_parquet"), "{message}");
        }
        let message = read_bytes("train.parquet", b"<html>").unwrap_err().to_string();
        assert!(message.contains("no Parquet file, which would begin with PAR1"), "{message}");
    }
}

//! Takes the place of the reader of Parquet files in a build without the cargo feature `parquet`.

use std::path::Path;
use std::sync::Arc;

use super::Table;
use crate::error::Error;

/// The first bytes of a file.
pub const MAGIC: &[u8; 4] = b"PAR1";

/// Refuses the file, and says how to read it.
pub fn parse(file: &Arc<Path>, _bytes: &[u8]) -> Result<Table, Error> {
    let reason = "a Parquet file, which this build does not read: build the program with \
                  `cargo build --release -p finetune --features parquet`, or convert the file to JSON Lines, in \
                  Python with pandas.read_parquet(FILE).to_json(\"train.jsonl\", orient=\"records\", lines=True)";
    Err(Error::read(file, reason))
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

//! The text of a file: unpacked if it is gzip, and refused if it is no text.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::Error;

const GZIP: &[u8] = &[0x1f, 0x8b];

/// The first bytes of files that are no text, and the way out.
const REFUSED: [(&[u8], &str); 4] = [
    (
        b"PAR1",
        "a Parquet file, which holds no text: if it is packed with gzip, unpack it with gunzip first",
    ),
    (b"PK\x03\x04", "a zip archive or a workbook: unpack it, or save the sheet as CSV (UTF-8)"),
    (b"\xff\xfe", UTF16),
    (b"\xfe\xff", UTF16),
];

const UTF16: &str = "it is UTF-16: convert it with iconv -f UTF-16 -t UTF-8 FILE > NEW";

/// Unpacked text may have this many bytes, whatever the size of the file.
const FREE: u64 = 64 << 20;

/// Beyond that, this many bytes for each byte of the file. Texts rarely reach 20; a file made to fill
/// memory reaches 1000.
const RATIO: u64 = 100;

/// The bytes of a file, as they are.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    if path.is_dir() {
        let files = path.join("*.jsonl");
        let reason = format!(
            "it is a directory: name a file in it, or several by a pattern, --data '{}'",
            files.display()
        );
        return Err(Error::read(path, reason));
    }
    std::fs::read(path).map_err(|error| Error::read(path, error))
}

/// The text that the bytes of a file stand for, without a byte order mark.
pub fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, str>, Error> {
    if !bytes.starts_with(GZIP) {
        return utf8(path, bytes).map(Cow::Borrowed);
    }
    let mut unpacked = unpack(path, bytes)?;
    let mark = unpacked.len() - utf8(path, &unpacked)?.len();
    unpacked.drain(..mark);
    String::from_utf8(unpacked).map(Cow::Owned).map_err(|error| Error::read(path, error))
}

/// The largest size of what is unpacked from these bytes.
pub fn unpacked_limit(bytes: &[u8]) -> u64 {
    (bytes.len() as u64).saturating_mul(RATIO).max(FREE)
}

fn unpack(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let limit = unpacked_limit(bytes);
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(limit + 1);
    reader.read_to_end(&mut unpacked).map_err(|error| {
        let reason = format!("damaged or cut short, as gzip: {error}; copy or download it again");
        Error::read(path, reason)
    })?;
    if unpacked.len() as u64 > limit {
        let reason = format!(
            "it unpacks to more than {RATIO} times its size, which texts do not: if it is right, \
             unpack it with gunzip first"
        );
        return Err(Error::read(path, reason));
    }
    Ok(unpacked)
}

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Error> {
    if let Some((_, reason)) = REFUSED.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(Error::read(path, reason));
    }
    let at = |end: usize, reason| {
        let line = 1 + bytes[..end].iter().filter(|&&byte| byte == b'\n').count();
        Err(Error::row(path, line, reason))
    };
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        return at(end, "a zero byte: this is no text file, or one in UTF-16; save it as UTF-8");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => at(error.valid_up_to(), "not UTF-8: convert the file to UTF-8 first"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::data::read_bytes;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn refused(name: &str, bytes: &[u8]) -> String {
        read_bytes(name, bytes).unwrap_err().to_string()
    }

    #[test]
    fn gzip_is_recognised_by_its_contents() {
        let table = "sentence1,sentence2,score\na,b,0.5\n";
        for name in ["a.csv.gz", "a.csv", "a.CSV.GZ"] {
            let packed = read_bytes(name, &gzip(table.as_bytes())).unwrap();
            // A name alone does not make it gzip.
            let plain = read_bytes(name, table.as_bytes()).unwrap();
            assert_eq!(plain.pairs.len(), 1);
            assert_eq!(packed.pairs, plain.pairs, "{name}");
        }
        let lines = "{\"anchor\":\"a\",\"positive\":\"b\"}\n";
        let both = [gzip(lines.as_bytes()), gzip(lines.as_bytes())].concat();
        assert_eq!(read_bytes("a.jsonl.gz", &both).unwrap().rankings.len(), 2);
        let message = refused("a.csv.gz", &gzip(b"sentence1,sentence2,score\na,b,0.5\nc,d\n"));
        assert!(message.starts_with("a.csv.gz:3: expected 3 columns"), "{message}");
    }

    #[test]
    fn damaged_gzip_is_refused() {
        let whole = gzip("sentence1,sentence2,score\na,b,0.5\n".repeat(99).as_bytes());
        let mut wrong_sum = whole.clone();
        let sum = whole.len() - 8;
        wrong_sum[sum] ^= 1;
        for bytes in [&whole[..whole.len() - 9], &whole[..12], &whole[..2], &wrong_sum] {
            let message = refused("a.csv.gz", bytes);
            assert!(message.starts_with("cannot read a.csv.gz: damaged or cut short"), "{message}");
        }
    }

    #[test]
    fn gzip_that_would_fill_memory_is_refused() {
        let bomb = gzip(&vec![b'a'; FREE as usize + 1]);
        assert!(refused("a.csv.gz", &bomb).contains("more than 100 times its size"));
    }

    #[test]
    fn files_that_are_no_text_are_refused_with_the_way_out() {
        for (bytes, message) in [
            (&gzip(b"PAR1\x15\x04")[..], "cannot read a.csv: a Parquet file, which holds no text"),
            (b"PK\x03\x04\x14\0", "cannot read a.csv: a zip archive"),
            (b"\xff\xfea\0,\0", "cannot read a.csv: it is UTF-16: convert it with iconv"),
            (b"a,b\nc,\0\n", "a.csv:2: a zero byte"),
            (b"a,b\nc,d\ne,\xe9\n", "a.csv:3: not UTF-8"),
        ] {
            let found = refused("a.csv", bytes);
            assert!(found.starts_with(message), "{found}");
        }
        let directory = read(&std::env::temp_dir()).unwrap_err().to_string();
        assert!(directory.contains("it is a directory: name a file in it"), "{directory}");
    }
}

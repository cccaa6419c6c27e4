//! The text of a file: unpacked if it is gzip, and refused if it is no text.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use flate2::bufread::MultiGzDecoder;

use crate::error::Error;

const GZIP: &[u8; 2] = &[0x1f, 0x8b];

/// The byte order mark of UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// The bytes of a file that are read at a time.
const BUFFER: usize = 1 << 16;

/// The first bytes of files that are no text, and the way out.
const REFUSED: [(&[u8], &str); 7] = [
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd: unpack it with zstd -d, or pack it with gzip"),
    (b"\xfd7zXZ", "it is packed with xz: unpack it with unxz, or pack it with gzip"),
    (b"BZh", "it is packed with bzip2: unpack it with bunzip2, or pack it with gzip"),
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

/// Bytes in any order.
pub trait Raw: BufRead + Seek {}

impl<R: BufRead + Seek> Raw for R {}

/// What a file holds, read anew for each pass over its rows, so that memory does not hold it as a whole.
#[derive(Debug, Clone)]
pub struct Contents {
    path: Arc<Path>,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// A file, with its length and the time of its last change.
    File(u64, Option<SystemTime>),
    Bytes(Arc<[u8]>),
}

impl Contents {
    /// Those of a file.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::read(path, error);
        let metadata = fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            let files = path.join("*.jsonl");
            let reason = format!(
                "it is a directory: name a file in it, or several by a pattern, --data '{}'",
                files.display()
            );
            return Err(Error::read(path, reason));
        }
        if !metadata.is_file() {
            // A pipe is read once.
            return Ok(Self::of_bytes(path, &fs::read(path).map_err(failed)?));
        }
        let source = Source::File(metadata.len(), metadata.modified().ok());
        Ok(Self { path: path.into(), source })
    }

    /// Those of a file called `path`.
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Self {
        Self { path: path.into(), source: Source::Bytes(bytes.into()) }
    }

    /// The file, as the user named it.
    pub fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Whether its bytes, as they are, begin with these.
    pub fn starts_with(&self, start: &[u8]) -> Result<bool, Error> {
        let mut first = Vec::new();
        let read = self.raw()?.take(start.len() as u64).read_to_end(&mut first);
        read.map_err(|error| self.unreadable(error))?;
        Ok(first == start)
    }

    /// The number of its bytes, as they are.
    pub fn size(&self) -> u64 {
        match &self.source {
            Source::File(length, _) => *length,
            Source::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Some of its bytes, as they are; `None` if it has not so many.
    pub fn range(&self, start: u64, length: u64) -> Result<Option<Vec<u8>>, Error> {
        if start.checked_add(length).is_none_or(|end| end > self.size()) {
            return Ok(None);
        }
        let Some(reader) = self.starting_at(start)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = reader.take(length).read_to_end(&mut bytes);
        read.map_err(|error| self.unreadable(error))?;
        Ok(Some(bytes))
    }

    /// Its bytes from one on, as they are; `None` if there are not so many.
    pub fn starting_at(&self, start: u64) -> Result<Option<Box<dyn Raw>>, Error> {
        if start > self.size() {
            return Ok(None);
        }
        let mut reader = self.raw()?;
        let moved = reader.seek(SeekFrom::Start(start));
        moved.map_err(|error| self.unreadable(error))?;
        Ok(Some(reader))
    }

    /// Refuses what is no text.
    pub fn check(&self) -> Result<(), Error> {
        let mut reader = self.unpacked()?;
        let (mut line, mut number, mut size) = (Vec::new(), 0, 0);
        while reader.read_until(b'\n', &mut line).map_err(|error| self.unreadable(error))? > 0 {
            number += 1;
            size += line.len() as u64;
            self.check_line(number, &line)?;
            line.clear();
        }
        if self.is_packed()? && size > unpacked_limit(self.size()) {
            let reason = format!(
                "it unpacks to more than {RATIO} times its size, which texts do not: if it is right, \
                 unpack it with gunzip first"
            );
            return Err(Error::read(&self.path, reason));
        }
        Ok(())
    }

    fn check_line(&self, number: usize, line: &[u8]) -> Result<(), Error> {
        let refused = REFUSED.iter().find(|(start, _)| number == 1 && line.starts_with(start));
        if let Some((_, reason)) = refused {
            return Err(Error::read(&self.path, reason));
        }
        let reason = if line.contains(&0) {
            "a zero byte: this is no text file, or one in UTF-16; save it as UTF-8"
        } else if std::str::from_utf8(line).is_err() {
            "not UTF-8: convert the file to UTF-8 first"
        } else {
            return Ok(());
        };
        Err(Error::row(&self.path, number, reason))
    }

    /// Its text, without a byte order mark.
    pub fn text(&self) -> Result<impl BufRead + use<>, Error> {
        let mut reader = self.unpacked()?;
        if reader.fill_buf().map_err(|error| self.unreadable(error))?.starts_with(MARK) {
            reader.consume(MARK.len());
        }
        Ok(reader)
    }

    /// Its lines and their numbers, counted from one, without the line breaks.
    pub fn lines(&self) -> Result<impl Iterator<Item = Result<(usize, String), Error>>, Error> {
        let lines = self.text()?.lines().enumerate();
        Ok(lines.map(move |(index, line)| {
            let mut line = line.map_err(|error| self.unreadable(error))?;
            if line.ends_with('\r') {
                line.pop();
            }
            Ok((index + 1, line))
        }))
    }

    /// The first line with something in it.
    pub fn first_line(&self) -> Result<Option<String>, Error> {
        let filled = |(_, line): (usize, String)| (!line.trim().is_empty()).then_some(line);
        self.lines()?.find_map(|line| line.map(filled).transpose()).transpose()
    }

    /// Says why it cannot be read.
    pub fn unreadable(&self, error: io::Error) -> Error {
        match self.is_packed() {
            Ok(true) => {
                let reason =
                    format!("damaged or cut short, as gzip: {error}; copy or download it again");
                Error::read(&self.path, reason)
            }
            _ => Error::read(&self.path, error),
        }
    }

    fn is_packed(&self) -> Result<bool, Error> {
        let mut first = [0; GZIP.len()];
        Ok(self.raw()?.read_exact(&mut first).is_ok() && first == *GZIP)
    }

    /// Its text, with lines that end as everywhere.
    fn unpacked(&self) -> Result<Box<dyn BufRead>, Error> {
        let mut text = self.unpacked_as_is()?;
        let start = text.fill_buf().map_err(|error| self.unreadable(error))?;
        let alone = start.windows(2).any(|two| two[0] == b'\r') && !start.contains(&b'\n');
        Ok(match alone {
            true => Box::new(BufReader::with_capacity(BUFFER, OldMac(text))),
            false => text,
        })
    }

    fn unpacked_as_is(&self) -> Result<Box<dyn BufRead>, Error> {
        let raw = self.raw()?;
        if !self.is_packed()? {
            return Ok(raw);
        }
        let unpacked = MultiGzDecoder::new(raw).take(unpacked_limit(self.size()) + 1);
        Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked)))
    }

    /// Its bytes, as they are. A file must be as it was at first: the passes go together.
    fn raw(&self) -> Result<Box<dyn Raw>, Error> {
        let (length, modified) = match &self.source {
            Source::Bytes(bytes) => return Ok(Box::new(Cursor::new(bytes.clone()))),
            Source::File(length, modified) => (*length, *modified),
        };
        let failed = |error| Error::read(&self.path, error);
        let file = File::open(&self.path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.len() != length || metadata.modified().ok() != modified {
            let reason = "it changed while it was read: start again when nothing writes to it";
            return Err(Error::read(&self.path, reason));
        }
        Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
    }
}

/// A text whose lines end with a carriage return alone, as old Macs and some spreadsheets write it.
struct OldMac<R>(R);

impl<R: Read> Read for OldMac<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(out)?;
        let returns = out[..length].iter_mut().filter(|byte| **byte == b'\r');
        returns.for_each(|byte| *byte = b'\n');
        Ok(length)
    }
}

/// The largest size of what is unpacked from this many bytes.
pub fn unpacked_limit(size: u64) -> u64 {
    size.saturating_mul(RATIO).max(FREE)
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
        let directory = Contents::of_file(&std::env::temp_dir()).unwrap_err().to_string();
        assert!(directory.contains("it is a directory: name a file in it"), "{directory}");
    }

    #[test]
    fn a_file_that_changes_between_two_passes_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"text\nfirst\n").unwrap();
        let contents = Contents::of_file(file.path()).unwrap();
        assert_eq!(contents.lines().unwrap().count(), 2);
        file.write_all(b"second\n").unwrap();
        let message = contents.lines().err().unwrap().to_string();
        assert!(message.contains("it changed while it was read"), "{message}");
    }
}

//! The texts and the teacher's embeddings of a data set, each once: in memory, or in a temporary file if they are large.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// A text of a data set, by its number there. Equal texts have equal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(pub(super) u32);

/// A teacher's embedding, by its number among the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector {
    number: Text,
    width: usize,
}

impl Vector {
    /// How many numbers it has.
    pub fn width(self) -> usize {
        self.width
    }
}

/// Where texts go for which memory is not meant.
#[derive(Debug, Clone, Copy)]
pub struct Spill<'a> {
    /// The directory of the temporary file, which has no name there and ends with the program.
    pub directory: &'a Path,
    /// The bytes of texts that stay in memory.
    pub above: usize,
}

impl<'a> Spill<'a> {
    /// Texts of this many bytes stay in memory.
    const ABOVE: usize = 64 << 20;

    /// To this directory, if the texts are large.
    pub fn to(directory: &'a Path) -> Self {
        Self { directory, above: Self::ABOVE }
    }
}

/// The different texts of a data set.
#[derive(Default)]
pub struct Texts {
    kept: Kept,
    /// Where each text ends among all, one after the other.
    ends: Vec<u64>,
    /// A hash of all.
    hash: u64,
}

enum Kept {
    Memory(Vec<u8>),
    File(PathBuf, Mutex<File>),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
}

impl Texts {
    /// The text with this number.
    ///
    /// # Errors
    ///
    /// If the temporary file cannot be read.
    pub fn get(&self, text: Text) -> Result<Cow<'_, str>, Error> {
        let text = match self.bytes(text)? {
            Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed),
            Cow::Owned(bytes) => {
                String::from_utf8(bytes).map(Cow::Owned).map_err(|error| error.utf8_error())
            }
        };
        text.map_err(|error| self.failed(error))
    }

    /// The numbers of an embedding.
    ///
    /// # Errors
    ///
    /// If the temporary file cannot be read.
    pub fn vector(&self, Vector { number, .. }: Vector) -> Result<Vec<f32>, Error> {
        let bytes = self.bytes(number)?;
        let (numbers, _) = bytes.as_chunks();
        Ok(numbers.iter().map(|&number| f32::from_le_bytes(number)).collect())
    }

    fn bytes(&self, Text(number): Text) -> Result<Cow<'_, [u8]>, Error> {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |last| self.ends[last]);
        let end = self.ends[number];
        match &self.kept {
            Kept::Memory(all) => Ok(Cow::Borrowed(&all[start as usize..end as usize])),
            Kept::File(_, file) => {
                let bytes = read(file, start, (end - start) as usize);
                bytes.map(Cow::Owned).map_err(|error| self.failed(error))
            }
        }
    }

    fn failed(&self, reason: impl fmt::Display) -> Error {
        let directory = match &self.kept {
            Kept::Memory(_) => Path::new("memory"),
            Kept::File(directory, _) => directory,
        };
        Error::read(directory, format!("the texts of the data, in a temporary file: {reason}"))
    }

    /// A hash of all texts, in the order of their numbers.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("count", &self.ends.len()).finish_non_exhaustive()
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.hash == other.hash
    }
}

fn read(file: &Mutex<File>, start: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Takes the texts of a data set as they are read.
pub struct Collector<'a> {
    spill: Option<Spill<'a>>,
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
    ends: Vec<u64>,
    hasher: DefaultHasher,
    /// The numbers of texts by two hashes with random keys, so that no two texts have the same.
    known: HashMap<[u64; 2], Text>,
    keys: [RandomState; 2],
}

impl<'a> Collector<'a> {
    /// Texts stay in memory if there is no other place.
    pub fn new(spill: Option<Spill<'a>>) -> Self {
        Self {
            spill,
            memory: Vec::new(),
            file: None,
            ends: Vec::new(),
            hasher: DefaultHasher::new(),
            known: HashMap::new(),
            keys: [RandomState::new(), RandomState::new()],
        }
    }

    /// The number of this text.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    pub fn add(&mut self, text: &str) -> Result<Text, Error> {
        self.keep(text, text.as_bytes())
    }

    /// A teacher's embedding.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    pub fn add_vector(&mut self, numbers: &[f32]) -> Result<Vector, Error> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Ok(Vector { number: self.keep(&bytes[..], &bytes)?, width: numbers.len() })
    }

    /// The number of these bytes. Texts and embeddings hash in different ways, so none is taken for the other.
    fn keep(&mut self, hashed: impl Hash + Copy, bytes: &[u8]) -> Result<Text, Error> {
        let key = [0, 1].map(|place: usize| self.keys[place].hash_one(hashed));
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let number = u32::try_from(self.ends.len());
        let number = number.map_err(|_| self.failed("more than 4,294,967,296 different texts"))?;
        self.write(bytes).map_err(|error| self.failed(with_way_out(&error)))?;
        hashed.hash(&mut self.hasher);
        let end = self.ends.last().copied().unwrap_or(0) + bytes.len() as u64;
        self.ends.push(end);
        self.known.insert(key, Text(number));
        Ok(Text(number))
    }

    /// The numbers of these texts.
    ///
    /// # Errors
    ///
    /// If there is no room for them.
    pub fn add_all(&mut self, texts: &[String]) -> Result<Vec<Text>, Error> {
        texts.iter().map(|text| self.add(text)).collect()
    }

    /// All texts.
    ///
    /// # Errors
    ///
    /// If the last of them cannot be written.
    pub fn finish(mut self) -> Result<Texts, Error> {
        let kept = match (self.file.take(), self.spill) {
            (Some(file), Some(spill)) => {
                let file = file.into_inner();
                let file = file.map_err(|error| self.failed(with_way_out(error.error())))?;
                Kept::File(spill.directory.to_path_buf(), Mutex::new(file))
            }
            _ => Kept::Memory(std::mem::take(&mut self.memory)),
        };
        Ok(Texts { kept, ends: self.ends, hash: self.hasher.finish() })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match (&mut self.file, self.spill) {
            (Some(file), _) => file.write_all(bytes),
            (None, Some(spill)) if self.memory.len() + bytes.len() > spill.above => {
                let mut file = BufWriter::new(tempfile::tempfile_in(spill.directory)?);
                file.write_all(&std::mem::take(&mut self.memory))?;
                file.write_all(bytes)?;
                self.file = Some(file);
                Ok(())
            }
            (None, _) => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn failed(&self, reason: impl fmt::Display) -> Error {
        let directory = self.spill.map_or(Path::new("memory"), |spill| spill.directory);
        Error::output(directory, format!("the texts of the data, in a temporary file: {reason}"))
    }
}

fn with_way_out(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            format!(
                "{error}; the file grows as large as the texts: free some space, or choose another place"
            )
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn texts_are_the_same_in_memory_and_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let texts = ["", "a", "bé", "a", "", "ccc"];
        let collect = |spill| {
            let mut collector = Collector::new(spill);
            let numbers = texts.map(|text| collector.add(text).unwrap());
            (numbers, collector.finish().unwrap())
        };
        let (expected, memory) = collect(None);
        assert_eq!(expected.map(|Text(number)| number), [0, 1, 2, 1, 0, 3]);
        for above in [0, 1, 3, 100] {
            let (numbers, kept) = collect(Some(Spill { directory: directory.path(), above }));
            assert_eq!(matches!(kept.kept, Kept::File(..)), above < 7, "{above}");
            assert_eq!(numbers, expected);
            assert_eq!(numbers.map(|number| kept.get(number).unwrap().into_owned()), texts);
            assert_eq!(kept, memory);
            // It has no name that could stay.
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn embeddings_are_the_same_in_memory_and_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let spill = Spill { directory: directory.path(), above: 6 };
        for spill in [None, Some(spill)] {
            let mut collector = Collector::new(spill);
            // A text of the bytes of an embedding is no embedding.
            let text = collector.add("\0\0\0\0").unwrap();
            let rows = [vec![0.0], vec![1.5, -2.0e-40], vec![0.0]];
            let vectors = rows.clone().map(|row| collector.add_vector(&row).unwrap());
            let kept = collector.finish().unwrap();
            assert_eq!(vectors.map(|vector| kept.vector(vector).unwrap()), rows);
            assert_eq!(vectors.map(Vector::width), [1, 2, 1]);
            assert_eq!(vectors[0], vectors[2]);
            assert!(vectors[0].number != text && kept.get(text).unwrap() == "\0\0\0\0");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let spill = Spill { directory: Path::new("no/such/place"), above: 0 };
        let error = Collector::new(Some(spill)).add("a").unwrap_err().to_string();
        let expected =
            "cannot write no/such/place: the texts of the data, in a temporary file: No such";
        assert!(error.starts_with(expected), "{error}");
    }
}

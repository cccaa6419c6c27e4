//! Pages: the pieces of a column that are unpacked one at a time. Each says how large it is, which is checked before
//! any memory is taken.

use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::footer::LENGTH;
use super::format::{DATA_PAGE_HEADER, DATA_PAGE_HEADER_V2, DICTIONARY_PAGE_HEADER, PAGE_HEADER};
use super::thrift::{Kind, Thrift};
use crate::data::contents::{Contents, Raw};
use crate::error::Error;

/// The reason to refuse a file that is made to fill memory.
pub const TOO_LARGE: &str =
    "it holds much more than its size lets expect; if it is right, convert it to JSON Lines";

/// What may still be unpacked.
#[derive(Debug)]
pub struct Budget {
    /// Bytes.
    pub bytes: u64,
    /// Cells, and elements of lists in them.
    pub values: u64,
}

impl Budget {
    fn take(&mut self, page: &Page) -> Option<()> {
        self.bytes = self.bytes.checked_sub(page.unpacked)?;
        self.values = self.values.checked_sub(page.values)?;
        Some(())
    }
}

/// The pages of one column.
pub struct Pages {
    contents: Contents,
    budget: Arc<Mutex<Budget>>,
    /// Where the contents of the last page begin: the crate may come back to them before it goes on.
    after_header: Mutex<Option<u64>>,
}

impl Pages {
    /// Those of a file.
    pub fn new(contents: Contents, budget: Arc<Mutex<Budget>>) -> Self {
        Self { contents, budget, after_header: Mutex::new(None) }
    }

    /// The header at this place, of which these bytes are known. A larger one is read as far as a footer may go.
    fn header(&self, start: u64, known: &[u8]) -> Result<Page> {
        let rest = self.contents.size() - start;
        let page = match Page::of(known) {
            None if rest > known.len() as u64 => {
                let more = self.contents.range(start, rest.min(LENGTH as u64)).map_err(failed)?;
                more.and_then(|more| Page::of(&more))
            }
            page => page,
        };
        page.ok_or_else(|| ParquetError::General("a page is damaged".into()))
    }
}

/// The error of the file, through the hands of the crate.
fn failed(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.contents.size()
    }
}

impl ChunkReader for Pages {
    type T = Box<dyn Raw>;

    /// Is called at the header of a page, and once more at its contents if the crate had only looked at the header.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let reader = self.contents.starting_at(start).map_err(failed)?;
        let mut reader = reader.ok_or_else(|| ParquetError::EOF("a page is missing".into()))?;
        let mut after = self.after_header.lock().unwrap_or_else(PoisonError::into_inner);
        if *after != Some(start) {
            let page = self.header(start, reader.fill_buf()?)?;
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            budget.take(&page).ok_or_else(|| ParquetError::General(TOO_LARGE.into()))?;
            // The next header may follow at once.
            *after = (page.packed > 0).then_some(start + page.header);
        }
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.contents.range(start, length as u64).map_err(failed)?;
        bytes.map(Bytes::from).ok_or_else(|| ParquetError::EOF("a page is cut short".into()))
    }
}

/// The header of a page.
#[derive(Debug, PartialEq)]
struct Page {
    /// Its own length.
    header: u64,
    packed: u64,
    unpacked: u64,
    values: u64,
}

impl Page {
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut numbers = [-1; 3];
        let mut values = 0;
        let mut thrift = Thrift::new(bytes);
        thrift.fields(&PAGE_HEADER, |thrift, field| {
            let kinds: &[Kind] = match field {
                1..=3 => {
                    numbers[field - 1] = thrift.int()?;
                    return Some(true);
                }
                5 => &DATA_PAGE_HEADER,
                7 => &DICTIONARY_PAGE_HEADER,
                8 => &DATA_PAGE_HEADER_V2,
                _ => return Some(false),
            };
            thrift.fields(kinds, |thrift, field| {
                if field == 1 {
                    values = values.max(u64::try_from(thrift.int()?).ok()?);
                }
                Some(field == 1)
            })?;
            Some(true)
        })?;
        let [kind, unpacked, packed] = numbers;
        // Data, a dictionary, or data in the second version.
        [0, 2, 3].contains(&kind).then_some(())?;
        Some(Self {
            header: (bytes.len() - thrift.left()) as u64,
            packed: u64::try_from(packed).ok()?,
            unpacked: u64::try_from(unpacked).ok()?,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A number as the protocol has it.
    fn number(value: i32) -> Vec<u8> {
        let mut rest = u64::from((value as u32) << 1);
        let mut bytes = Vec::new();
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    }

    /// The header of a page of data, and its contents of three bytes.
    fn page(kind: i32, unpacked: i32, values: i32) -> Vec<u8> {
        let mut bytes = vec![0x15];
        bytes.extend(number(kind));
        bytes.push(0x15);
        bytes.extend(number(unpacked));
        bytes.extend([0x15, 6, 0x2c, 0x15]);
        bytes.extend(number(values));
        bytes.extend([0x15, 0, 0x15, 6, 0x15, 6, 0, 0, 1, 2, 3]);
        bytes
    }

    fn pages(bytes: Vec<u8>) -> Pages {
        let budget = Budget { bytes: 1000, values: 100 };
        let contents = Contents::of_bytes(Path::new("a.parquet"), &bytes);
        Pages::new(contents, Arc::new(Mutex::new(budget)))
    }

    fn refused(pages: &Pages, start: usize) -> String {
        pages.get_read(start as u64).err().unwrap().to_string()
    }

    #[test]
    fn pages_are_refused_before_they_take_more_memory_than_they_may() {
        let first = page(0, 900, 90);
        let second = first.len();
        let both = pages([first.clone(), page(0, 100, 10)].concat());
        assert!(both.get_read(0).is_ok());
        // The crate comes back to the contents, and goes on to the next page.
        assert!(both.get_read(second as u64 - 3).is_ok());
        assert!(both.get_read(second as u64).is_ok());
        for more in [page(0, 101, 1), page(3, 1, 11), page(0, i32::MAX, 0), page(0, 0, i32::MAX)] {
            let pages = pages([first.clone(), more].concat());
            assert!(pages.get_read(0).is_ok());
            assert!(refused(&pages, second).contains(TOO_LARGE));
        }
        // Contents that are looked at as a header are one.
        assert!(pages(page(0, 9, 9)).get_read(1).is_err());
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        let whole = page(0, 9, 9);
        let end = whole.len() - 3;
        let twice = [&whole[..end - 1], &[0x05, 4], &number(5000), &[0, 1, 2, 3]].concat();
        let other_kind = [&[0x16], &whole[1..]].concat();
        let index = page(1, 9, 9);
        // Statistics whose number of nulls is a long list of booleans.
        let nulls = [0x1c, 0x39, 0xf1, 0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0];
        let hiding = [&whole[..end - 2], &nulls].concat();
        assert!(refused(&pages(twice), 0).contains(TOO_LARGE), "the last of two sizes counts");
        let cut = whole[..end - 1].to_vec();
        for bytes in [other_kind, index, hiding, cut, vec![0xff; 64], vec![]] {
            assert!(refused(&pages(bytes), 0).contains("a page is damaged"));
        }
        assert!(refused(&pages(whole.clone()), 99).contains("a page is missing"));
        assert!(pages(whole).get_bytes(4, usize::MAX).is_err());
    }
}

//! The end of a Parquet file, which says where everything is.

use super::MAGIC;
use super::format::{FILE_META_DATA, SCHEMA_ELEMENT};
use super::thrift::Thrift;
use crate::data::contents::Contents;
use crate::error::Error;

/// Columns within columns. The crate that reads the schema would go as deep as the file says.
const DEPTH: usize = 32;
/// A thousand columns in a thousand groups of rows need less.
pub const LENGTH: usize = 16 << 20;

const CUT: &str = "damaged or cut short, as Parquet: copy or download it again";

/// The bytes of the footer, whose fields are of their kinds, with a schema that is not larger than it claims to be; or
/// what is wrong.
pub fn footer(contents: &Contents) -> Result<Vec<u8>, Error> {
    let refused = |reason| Error::read(contents.path(), reason);
    let end = contents.size().checked_sub(8).ok_or_else(|| refused(CUT))?;
    let last = contents.range(end, 8)?.unwrap_or_default();
    let length = length(&last).map_err(refused)?;
    let start = end.checked_sub(length).filter(|start| *start >= MAGIC.len() as u64);
    let footer = match start {
        Some(start) => contents.range(start, length)?.unwrap_or_default(),
        None => return Err(refused(CUT)),
    };
    match walk(&footer) {
        Some(()) => Ok(footer),
        None => Err(refused(CUT)),
    }
}

/// The length of the footer, in the last bytes of the file.
fn length(last: &[u8]) -> Result<u64, &'static str> {
    let (length, magic) = last.split_first_chunk::<4>().ok_or(CUT)?;
    match magic {
        b"PARE" => {
            return Err(
                "an encrypted Parquet file, which is not read: write it without encryption",
            );
        }
        magic if magic == MAGIC => {}
        _ => return Err(CUT),
    }
    let length = u32::from_le_bytes(*length);
    if length as usize > LENGTH {
        return Err(
            "a Parquet file whose footer is larger than 16 MiB: write it with fewer columns or groups of rows",
        );
    }
    Ok(length.into())
}

fn walk(footer: &[u8]) -> Option<()> {
    Thrift::new(footer).fields(&FILE_META_DATA, |thrift, field| match field {
        2 => schema(thrift).map(|()| true),
        _ => Some(false),
    })
}

/// Walks the columns, each of which is followed by those in it.
fn schema(thrift: &mut Thrift) -> Option<()> {
    let columns = thrift.structures()?;
    // How many columns are still to come, on each level.
    let mut open: Vec<usize> = Vec::new();
    for _ in 0..columns {
        let mut children = 0;
        thrift.fields(&SCHEMA_ELEMENT, |thrift, field| {
            if field == 5 {
                children = usize::try_from(thrift.int()?).ok()?;
            }
            Some(field == 5)
        })?;
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        if children > columns || open.len() > DEPTH {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let contents = Contents::of_bytes(Path::new("a.parquet"), bytes);
        footer(&contents).map_err(|error| error.to_string())
    }

    /// A file whose schema has these numbers of columns within columns, and these groups of rows.
    fn file_of(children: &[u8], groups: &[u8]) -> Vec<u8> {
        let mut footer = vec![0x15, 2, 0x19, 0xfc, children.len() as u8];
        for children in children {
            // A group or a required text, each with the name `a`.
            match children {
                1.. => footer.extend([0x48, 1, b'a', 0x15, children * 2, 0]),
                0 => footer.extend([0x15, 12, 0x25, 0, 0x18, 1, b'a', 0]),
            }
        }
        footer.extend([0x16, 0, 0x19]);
        footer.extend(groups);
        footer.push(0);
        let length = (footer.len() as u32).to_le_bytes();
        [&MAGIC[..], &footer, &length, MAGIC].concat()
    }

    fn file(children: &[u8]) -> Vec<u8> {
        file_of(children, &[0x0c])
    }

    /// A file with one group of one column, whose statistics hold this.
    fn file_with(statistics: &[u8]) -> Vec<u8> {
        // The column at byte 4, with two encodings, not packed; no values, and its first page at byte 4.
        let encodings = [0x15, 12, 0x19, 0x25, 0, 6, 0x19, 0x18, 1, b'a', 0x15, 0];
        let sizes = [0x16, 0, 0x16, 0, 0x16, 0, 0x26, 8, 0x3c];
        let column = [&[0x19, 0x1c, 0x26, 8, 0x1c][..], &encodings, &sizes, statistics].concat();
        let group = [&[0x1c][..], &column, &[0, 0, 0], &[0x16, 0, 0x16, 0, 0]].concat();
        file_of(&[1, 0], &group)
    }

    #[test]
    fn fields_of_another_kind_are_refused() {
        assert!(read(&file_with(&[0x18, 1, b'z', 0x18, 1, b'a', 0x16, 0])).is_ok());
        // Bytes in the place of the number of nulls: the crate takes the first two for it, and the others for a field
        // that it passes over, a list of two thousand million booleans.
        let long = [0xf1, 0xff, 0xff, 0xff, 0xff, 7];
        let hidden = [&[0x39, 0x93, 0, 0x09, 50][..], &long].concat();
        let unknown = [&[0x09, 100][..], &long].concat();
        // A set of texts, a map, and a truth in the place of a text.
        let (set, map, truth) = (vec![0x0a, 100, 0x18, 0], vec![0x0b, 100, 0], vec![0x11]);
        for statistics in [hidden, unknown, set, map, truth] {
            let bytes = file_with(&statistics);
            assert!(read(&bytes).unwrap_err().contains("damaged or cut short"), "{bytes:x?}");
        }
    }

    #[test]
    fn a_schema_is_as_large_as_it_claims_to_be() {
        assert!(read(&file(&[2, 0, 1, 0])).is_ok());
        // Deeper than any stack, or larger than any memory.
        let deep: Vec<_> = [1; 40].into_iter().chain([0]).collect();
        for bytes in [file(&deep), file(&[63, 0])] {
            assert!(read(&bytes).unwrap_err().contains("damaged or cut short"));
        }
    }

    #[test]
    fn footers_that_are_none_are_refused() {
        let whole = file(&[1, 0]);
        let end = whole.len();
        let encrypted = [&whole[..end - 4], b"PARE"].concat();
        assert!(read(&encrypted).unwrap_err().contains("encrypted"));
        let long = [&whole[..end - 8], &(17_u32 << 20).to_le_bytes(), MAGIC].concat();
        assert!(read(&long).unwrap_err().contains("16 MiB"));
        let longer_than_the_file = [&whole[..end - 8], &9999_u32.to_le_bytes(), MAGIC].concat();
        for bytes in [&longer_than_the_file[..], &whole[..end - 1], &whole[..4], b"PAR1PAR1", b""] {
            assert!(read(bytes).is_err());
        }
    }
}

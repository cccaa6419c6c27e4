//! The end of a Parquet file, which says where everything is.

use super::MAGIC;
use super::thrift::{BINARY, INT, LIST, LONG, STRUCT, Thrift};

/// Columns within columns. The crate that reads the schema would go as deep as the file says.
const DEPTH: usize = 32;
/// A thousand columns in a thousand groups of rows need less.
const LENGTH: usize = 16 << 20;

/// The bytes of the footer, with a schema that is not larger than it claims to be; or what is wrong.
pub fn footer(bytes: &[u8]) -> Result<&[u8], &'static str> {
    const CUT: &str = "damaged or cut short, as Parquet: copy or download it again";
    let (rest, magic) = bytes.split_last_chunk::<4>().ok_or(CUT)?;
    match magic {
        b"PARE" => {
            return Err(
                "an encrypted Parquet file, which is not read: write it without encryption",
            );
        }
        magic if magic == MAGIC => {}
        _ => return Err(CUT),
    }
    let (rest, length) = rest.split_last_chunk::<4>().ok_or(CUT)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > LENGTH {
        return Err(
            "a Parquet file whose footer is larger than 16 MiB: write it with fewer columns or groups of rows",
        );
    }
    let start = rest.len().checked_sub(length).filter(|start| *start >= MAGIC.len()).ok_or(CUT)?;
    let footer = &rest[start..];
    let kinds = [INT, LIST, LONG, LIST, LIST, BINARY, LIST, STRUCT, BINARY];
    let walked = Thrift::new(footer).fields(&kinds, |thrift, field| match field {
        2 => schema(thrift).map(|()| true),
        _ => Some(false),
    });
    walked.map(|()| footer).ok_or(CUT)
}

/// Walks the columns, each of which is followed by those in it.
fn schema(thrift: &mut Thrift) -> Option<()> {
    let (STRUCT, columns) = thrift.list()? else { return None };
    // How many columns are still to come, on each level.
    let mut open: Vec<usize> = Vec::new();
    for _ in 0..columns {
        let mut children = 0;
        let kinds = [INT, INT, INT, BINARY, INT, INT, INT, INT, INT, STRUCT];
        thrift.fields(&kinds, |thrift, field| {
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
    use super::*;

    /// A file whose schema has these numbers of columns within columns.
    fn file(children: &[u8]) -> Vec<u8> {
        let mut footer = vec![0x15, 2, 0x19, 0xfc, children.len() as u8];
        for children in children {
            // Its name is `a`.
            footer.extend([0x48, 1, b'a', 0x15, children * 2, 0]);
        }
        footer.extend([0x16, 0, 0x19, 0x0c, 0]);
        let length = (footer.len() as u32).to_le_bytes();
        [&MAGIC[..], &footer, &length, MAGIC].concat()
    }

    #[test]
    fn a_schema_is_as_large_as_it_claims_to_be() {
        assert!(footer(&file(&[2, 0, 1, 0])).is_ok());
        // Deeper than any stack, or larger than any memory.
        let deep: Vec<_> = [1; 40].into_iter().chain([0]).collect();
        for bytes in [file(&deep), file(&[63, 0])] {
            assert!(footer(&bytes).unwrap_err().contains("damaged or cut short"));
        }
    }

    #[test]
    fn footers_that_are_none_are_refused() {
        let whole = file(&[1, 0]);
        let end = whole.len();
        let encrypted = [&whole[..end - 4], b"PARE"].concat();
        assert!(footer(&encrypted).unwrap_err().contains("encrypted"));
        let long = [&whole[..end - 8], &(17_u32 << 20).to_le_bytes(), MAGIC].concat();
        assert!(footer(&long).unwrap_err().contains("16 MiB"));
        let longer_than_the_file = [&whole[..end - 8], &9999_u32.to_le_bytes(), MAGIC].concat();
        for bytes in [&longer_than_the_file[..], &whole[..end - 1], &whole[..4], b"PAR1PAR1", b""] {
            assert!(footer(bytes).is_err());
        }
    }
}

//! The lines of a text file, one text each, in groups that fit in memory.

use std::path::Path;

use super::contents::Contents;
use crate::error::Error;

/// A group has no more lines than this.
const MOST: usize = 8192;
/// A group takes no further line once its texts have this many bytes.
const BYTES: usize = 16 << 20;

/// The lines of a file that has been looked through; a line may be empty.
#[derive(Debug)]
pub struct Lines {
    contents: Contents,
    /// Their number, which is not 0.
    pub count: usize,
}

impl Lines {
    /// Those of a file in UTF-8.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no text, or has no lines.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let contents = Contents::of_file(path)?;
        contents.check()?;
        let mut count = 0;
        for line in contents.lines()? {
            line?;
            count += 1;
        }
        if count == 0 {
            return Err(Error::read(path, "it has no lines"));
        }
        Ok(Self { contents, count })
    }

    /// All lines, group after group.
    ///
    /// # Errors
    ///
    /// If the file has changed.
    pub fn groups(&self) -> Result<impl Iterator<Item = Result<Vec<String>, Error>>, Error> {
        let mut lines = self.contents.lines()?;
        Ok(std::iter::from_fn(move || group(&mut lines).transpose()))
    }
}

fn group(
    lines: &mut impl Iterator<Item = Result<(usize, String), Error>>,
) -> Result<Option<Vec<String>>, Error> {
    let (mut group, mut bytes) = (Vec::new(), 0);
    while group.len() < MOST && bytes < BYTES {
        let Some((_, line)) = lines.next().transpose()? else { break };
        bytes += line.len();
        group.push(line);
    }
    Ok((!group.is_empty()).then_some(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_end_by_the_number_and_by_the_size_of_their_lines() {
        let long = "a".repeat(BYTES);
        let lines = ["b", &long, "", "c"].into_iter().chain(["d"; MOST + 1]);
        let mut lines = lines.map(|line| Ok((1, line.to_string())));
        let mut lengths = Vec::new();
        while let Some(group) = group(&mut lines).unwrap() {
            lengths.push(group.len());
        }
        assert_eq!(lengths, [2, MOST, 3]);
    }
}

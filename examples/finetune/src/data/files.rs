//! The files that the user names, one by one or by a pattern.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::error::Error;

/// As shells have it: `*` leaves hidden files out.
const LIKE_SHELLS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that these names and patterns stand for, those of a pattern sorted by name.
pub fn expand(patterns: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut known = HashSet::new();
    let mut files = Vec::new();
    for pattern in patterns {
        for file in matches(pattern)? {
            // Also by another path, or through a link.
            if !known.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                let reason =
                    "it is named twice, so each of its rows would count twice: name it once";
                return Err(Error::read(&file, reason));
            }
            files.push(file);
        }
    }
    Ok(files)
}

/// The name of several files in messages.
pub fn name(files: &[PathBuf]) -> PathBuf {
    let first = files.first().cloned().unwrap_or_default();
    match files.len() {
        0 | 1 => first,
        2 => format!("{} and 1 more file", first.display()).into(),
        all => format!("{} and {} more files", first.display(), all - 1).into(),
    }
}

/// The file of this name if there is one, otherwise those that match it as a pattern.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>, Error> {
    let text = pattern.to_str().filter(|text| text.contains(['*', '?', '[']));
    let Some(text) = text.filter(|_| !pattern.exists()) else {
        return Ok(vec![pattern.to_path_buf()]);
    };
    let paths = glob::glob_with(text, LIKE_SHELLS)
        .map_err(|error| Error::read(pattern, format!("not a pattern: {error}")))?;
    let paths: Result<Vec<_>, _> = paths.collect();
    let mut files = paths.map_err(|error| Error::read(error.path(), error.error()))?;
    files.retain(|path| !path.is_dir());
    files.sort();
    if files.is_empty() {
        return Err(Error::read(pattern, "no file matches this pattern"));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn expand_in(directory: &Path, patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<_> = patterns.iter().map(|pattern| directory.join(pattern)).collect();
        let files = expand(&patterns).map_err(|error| error.to_string())?;
        let relative = |file: &PathBuf| file.strip_prefix(directory).unwrap().display().to_string();
        Ok(files.iter().map(relative).collect())
    }

    #[test]
    fn patterns_stand_for_the_files_that_match_sorted() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", "c.tsv", ".d.csv", "[e].csv", "f*.csv"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        fs::create_dir(directory.path().join("dir.csv")).unwrap();
        fs::write(directory.path().join("dir.csv/g.csv"), "").unwrap();
        let found = |patterns: &[&str]| expand_in(directory.path(), patterns).unwrap();
        assert_eq!(found(&["?.csv"]), ["a.csv", "b.csv"]);
        assert_eq!(found(&["c.tsv", "[ab].csv"]), ["c.tsv", "a.csv", "b.csv"]);
        assert_eq!(found(&["*/*.csv"]), ["dir.csv/g.csv"]);
        assert_eq!(found(&["*.tsv", "missing.csv"]), ["c.tsv", "missing.csv"]);
        // A file of just this name is no pattern.
        assert_eq!(found(&["[e].csv", "f*.csv"]), ["[e].csv", "f*.csv"]);
        let refused = |patterns: &[&str]| expand_in(directory.path(), patterns).unwrap_err();
        assert!(refused(&["*.json"]).ends_with("*.json: no file matches this pattern"));
        assert!(refused(&["*.csv[", "a.csv"]).contains("not a pattern"));
        assert!(refused(&["?.csv", "a.csv"]).contains("a.csv: it is named twice"));
        assert!(refused(&["a.csv", "dir.csv/../a.csv"]).contains("it is named twice"));
    }

    #[test]
    fn several_files_go_by_the_first() {
        let files = ["dir/a.csv", "b.csv", "c.csv"].map(PathBuf::from);
        assert_eq!(name(&files[..1]), Path::new("dir/a.csv"));
        assert_eq!(name(&files[..2]), Path::new("dir/a.csv and 1 more file"));
        assert_eq!(name(&files), Path::new("dir/a.csv and 2 more files"));
    }
}

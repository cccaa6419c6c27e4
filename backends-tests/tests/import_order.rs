//! The library is built in floors: a module imports only from floors below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/`, bottom first.
const FLOORS: [&str; 23] = [
    "error",
    "numeric",
    "reduction",
    "budget",
    "batch",
    "kernels",
    "blocks",
    "geometry",
    "scores",
    "select",
    "objective",
    "decoder",
    "diagnostics",
    "losses",
    "catalog",
    "sentence_transformers",
    "parallel",
    "sampler",
    "noise",
    "evaluation",
    "guide",
    "prelude",
    "lib",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")
}

/// Every Rust file below a folder, without tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("a readable entry").path()) {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        match path.is_dir() {
            _ if stem == "tests" => {}
            true => files.extend(self::files(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                files.push(path)
            }
            false => {}
        }
    }
    files.sort();
    files
}

/// The module of `src/` that a file belongs to.
fn module_of(file: &Path) -> String {
    let path = file.strip_prefix(source()).expect("a file of the library");
    let first = path.components().next().expect("a file name").as_os_str();
    Path::new(first).file_stem().expect("a name").to_string_lossy().into_owned()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|&floor| floor == module)
}

/// The modules that code outside of tests imports, each with its line number.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(number, line)| {
        let paths = line.split("crate::").skip(1);
        paths.map(move |path| {
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
            (number + 1, path[..end].to_string())
        })
    })
    .collect()
}

/// The imports of a file that run upwards, as messages with file and line.
fn upward(file: &Path, text: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(own) = floor(&module) else {
        return vec![format!("{}: `{module}` has no floor, add it to the list", file.display())];
    };
    let above = |(line, import): (usize, String)| match floor(&import) {
        Some(floor) if floor > own => {
            Some(format!("{}:{line}: `{module}` imports `{import}`, above it", file.display()))
        }
        _ => None,
    };
    imports(text).into_iter().filter_map(above).collect()
}

#[test]
fn every_import_runs_down() {
    let files = files(&source());
    assert!(files.len() > 80, "the library is found");
    let read = |file: &PathBuf| upward(file, &fs::read_to_string(file).expect("readable code"));
    let broken: Vec<_> =
        files.iter().filter(|file| !file.ends_with("lib.rs")).flat_map(read).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn an_import_that_runs_up_is_found_with_file_and_line() {
    let file = source().join("kernels/softmax.rs");
    let text = "use crate::numeric::zero;\n// crate::losses in a comment\nuse crate::losses::Anchors;\n\
                #[cfg(test)]\nmod tests { use crate::objective; }\n";
    let found = upward(&file, text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("softmax.rs:3: `kernels` imports `losses`"), "{found:?}");
}

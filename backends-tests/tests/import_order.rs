//! The library is built in floors: a module imports only from floors below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/`, bottom first.
const FLOORS: [&str; 24] = [
    "error",
    "config",
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

/// How many modules a file is below the root of the crate.
fn depth(file: &Path) -> usize {
    let path = file.strip_prefix(source()).expect("a file of the library");
    path.components().count() - usize::from(path.ends_with("mod.rs"))
}

/// What code outside of tests imports from the root of the crate, each name with its line number: `crate::name`, or
/// `super::super::name` in a module of depth 2. The name is empty where there is none, as in `crate::{a, b}`.
fn imports(file: &Path, text: &str) -> Vec<(usize, String)> {
    let supers = "super::".repeat(depth(file));
    let supers = supers.as_str();
    let code = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(number, line)| {
        let paths = line.split("crate::").skip(1).chain(line.split(supers).skip(1));
        paths.map(move |path| {
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
            (number + 1, path[..end].to_string())
        })
    })
    .collect()
}

/// The imports of a file that run upwards or name no module, as messages with file and line.
fn upward(file: &Path, text: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(own) = floor(&module) else {
        return vec![format!("{}: `{module}` has no floor, add it to the list", file.display())];
    };
    let fault = |(line, import): (usize, String)| {
        let what = match floor(&import) {
            Some(floor) if floor <= own => return None,
            Some(_) => format!("imports `{import}`, above it"),
            None => format!("imports `crate::{import}`, which does not begin with a module"),
        };
        Some(format!("{}:{line}: `{module}` {what}", file.display()))
    };
    imports(file, text).into_iter().filter_map(fault).collect()
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

#[test]
fn an_import_that_hides_its_module_is_found_as_well() {
    let file = source().join("kernels/softmax.rs");
    let text = "use super::flex;\nuse crate::GradCache;\nuse crate::{losses, numeric};\n\
                use super::super::losses;\n";
    let found = upward(&file, text);
    let expected = [
        "softmax.rs:2: `kernels` imports `crate::GradCache`, which",
        "softmax.rs:3: `kernels` imports `crate::`, which",
        "softmax.rs:4: `kernels` imports `losses`, above it",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn the_guide_lists_the_same_order() {
    let guide = source().join("../docs/architecture.md");
    let text = fs::read_to_string(guide).expect("the guide");
    let rows = text.lines().skip_while(|line| *line != "## Import order");
    let rows = rows.skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with("| `"));
    let first_cells = rows.filter_map(|row| row.split('|').nth(1));
    let listed: Vec<_> = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    // The root of the crate is above all of them.
    assert_eq!(listed, FLOORS[..FLOORS.len() - 1]);
}

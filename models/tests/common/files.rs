//! Files of tests, here and in `examples/finetune`.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Changes fields of a file.
pub type Change<'a> = (&'a str, &'a [(&'a str, Value)]);

/// Changes fields of a JSON file in `directory`, by their pointers; null removes one.
pub fn set(directory: &Path, (file, fields): Change) {
    let path = directory.join(file);
    let mut content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (pointer, value) in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = content.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => parent.remove(name),
            value => parent.insert((*name).to_string(), value.clone()),
        };
    }
    fs::write(path, content.to_string()).unwrap();
}

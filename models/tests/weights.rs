//! Files of parameters: in several files, by PyTorch, in other types; read, and saved as one.

mod common;

use std::fs;
use std::io::Write;
use std::panic::catch_unwind;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{assert_close, change_header, copy, expected, golden, open, rows, texts};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const PICKLE: &str = "pytorch_model.bin";

/// A copy of a tiny model without its parameters.
fn without_weights(family: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    fs::remove_file(directory.path().join(WEIGHTS)).unwrap();
    directory
}

fn error(directory: &Path) -> String {
    let error = SentenceTransformer::open(directory, &Device::flex()).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// The embeddings are Python's, also after the model is saved, as one file.
fn assert_reads(directory: &Path, family: &str) {
    let model = open(directory);
    let embeddings = rows(model.encode(&texts()).unwrap());
    assert_close(&embeddings, &expected(family), 1e-5, family);
    let saved = TempDir::new().unwrap();
    model.save(saved.path().join("saved")).unwrap();
    let again = rows(open(&saved.path().join("saved")).encode(&texts()).unwrap());
    assert_eq!(embeddings, again);
    let files = burn_embedding_models::directory::names(&saved.path().join("saved")).unwrap();
    let weights: Vec<_> = files.iter().filter(|name| name.contains("model.")).collect();
    assert_eq!(weights, [WEIGHTS]);
}

/// Writes the parameters of a tiny model into two files with an index.
fn shard(family: &str, directory: &Path) {
    let bytes = fs::read(golden(family).join(WEIGHTS)).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header.remove("__metadata__");
    let mut weight_map = json!({});
    for shard in 0..2 {
        let file = format!("model-{:05}-of-00002.safetensors", shard + 1);
        let (mut part, mut data) = (json!({}), Vec::new());
        for (name, tensor) in header.iter().skip(shard).step_by(2) {
            let place = |index: usize| tensor["data_offsets"][index].as_u64().unwrap() as usize;
            let values = &bytes[8 + length..][place(0)..place(1)];
            part[name] = tensor.clone();
            part[name]["data_offsets"] = json!([data.len(), data.len() + values.len()]);
            data.extend_from_slice(values);
            weight_map[name] = json!(file);
        }
        let part = part.to_string().into_bytes();
        let length = (part.len() as u64).to_le_bytes();
        fs::write(directory.join(file), [&length[..], &part, &data].concat()).unwrap();
    }
    fs::write(directory.join(INDEX), json!({"weight_map": weight_map}).to_string()).unwrap();
}

#[test]
fn parameters_in_several_files_are_read_together() {
    for family in ["bert", "mpnet", "qwen3"] {
        let directory = without_weights(family);
        shard(family, directory.path());
        assert_reads(directory.path(), family);
    }
}

#[test]
fn shards_are_beside_their_index() {
    let directory = without_weights("bert");
    shard("bert", directory.path());
    let index = directory.path().join(INDEX);
    for path in ["/etc/passwd", "../model.safetensors", "a/../../b", "C:\\x"] {
        fs::write(&index, json!({"weight_map": {"a": path}}).to_string()).unwrap();
        let error = error(directory.path());
        assert!(error.contains(INDEX) && error.contains("leaves the directory"), "{error}");
    }
    fs::write(&index, json!({"weight_map": {"a": ""}}).to_string()).unwrap();
    assert!(error(directory.path()).contains("it is not a regular file"));
}

#[test]
fn a_shard_that_is_missing_or_damaged_is_named() {
    let directory = without_weights("bert");
    shard("bert", directory.path());
    let path = directory.path().join("model-00002-of-00002.safetensors");
    fs::write(&path, "no header").unwrap();
    let damaged = error(directory.path());
    assert!(damaged.contains("00002-of-00002") && damaged.contains("damaged"), "{damaged}");
    fs::remove_file(path).unwrap();
    let missing = error(directory.path());
    assert!(missing.contains("00002-of-00002") && missing.contains("No such file"), "{missing}");
    fs::write(directory.path().join(INDEX), "{}").unwrap();
    assert!(error(directory.path()).contains("missing field `weight_map`"));
}

#[test]
fn pickles_of_pytorch_are_read() {
    for file in [PICKLE, "legacy.bin"] {
        let directory = without_weights("bert");
        fs::copy(golden("files").join(file), directory.path().join(PICKLE)).unwrap();
        assert_reads(directory.path(), "bert");
    }
    let directory = without_weights("bert");
    fs::copy(golden("files").join(PICKLE), directory.path().join("part.bin")).unwrap();
    let index = json!({"weight_map": {"embeddings.word_embeddings.weight": "part.bin"}});
    fs::write(directory.path().join("pytorch_model.bin.index.json"), index.to_string()).unwrap();
    assert_reads(directory.path(), "bert");
}

#[test]
fn numbers_of_half_precision_are_read_from_every_file() {
    let file = fs::read(golden("files/half.json")).unwrap();
    let expected: Map<String, Value> = serde_json::from_slice(&file).unwrap();
    for (kind, expected) in expected {
        let expected: Vec<Vec<f32>> = serde_json::from_value(expected).unwrap();
        let source = golden("files").join(&kind);
        for start in [WEIGHTS, "pytorch_model"] {
            let directory = without_weights("bert");
            let names = burn_embedding_models::directory::names(&source).unwrap();
            for name in names.iter().filter(|name| name.starts_with(start)) {
                fs::copy(source.join(name), directory.path().join(name)).unwrap();
            }
            let found = rows(open(directory.path()).encode(&texts()).unwrap());
            assert_close(&found, &expected, 1e-5, &kind);
        }
    }
}

#[test]
fn numbers_of_other_types_are_refused_with_the_way_out() {
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    let path = directory.path().join(WEIGHTS);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, change_header(&bytes, |header| header.replacen("F32", "I32", 1))).unwrap();
    assert!(error(directory.path()).contains("holds I32"), "{}", error(directory.path()));
    let header =
        json!({"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}).to_string();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&path, [&length[..], header.as_bytes(), &[0; 4]].concat()).unwrap();
    let error = error(directory.path());
    assert!(error.contains("F8_E4M3; it has numbers that are not read here: save"), "{error}");
}

/// The weights of a tiny model, and a parameter once more under another name, its numbers times `factor`.
fn with_second_name(family: &str, name: &str, other: &str, factor: f32) -> TempDir {
    let directory = without_weights(family);
    let bytes = fs::read(golden(family).join(WEIGHTS)).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let mut data = bytes[8 + length..].to_vec();
    let mut tensor = header[name].clone();
    let [start, end] = [0, 1].map(|end| tensor["data_offsets"][end].as_u64().unwrap() as usize);
    let numbers = data[start..end].chunks_exact(4);
    let numbers = numbers.map(|number| f32::from_le_bytes(number.try_into().unwrap()) * factor);
    let numbers: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
    tensor["data_offsets"] = json!([data.len(), data.len() + numbers.len()]);
    header.insert(other.to_string(), tensor);
    data.extend(numbers);
    let header = serde_json::to_vec(&header).unwrap();
    let file = [&(header.len() as u64).to_le_bytes(), &header[..], &data].concat();
    fs::write(directory.path().join(WEIGHTS), file).unwrap();
    directory
}

#[test]
fn a_parameter_under_two_names_must_be_the_same() {
    let name = "embeddings.LayerNorm.weight";
    let same = with_second_name("bert", name, &format!("bert.{name}"), 1.0);
    assert_reads(same.path(), "bert");
    let different = error(with_second_name("bert", name, &format!("bert.{name}"), 0.5).path());
    let expected = format!("`bert.{name}` and `{name}` are the same parameter with other numbers");
    assert!(different.contains(&expected), "{different}");
}

#[test]
fn safetensors_go_before_a_pickle() {
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    fs::write(directory.path().join(PICKLE), "damaged").unwrap();
    assert_reads(directory.path(), "bert");
}

#[test]
fn damaged_pickles_are_refused() {
    let directory = without_weights("bert");
    let path = directory.path().join(PICKLE);
    for contents in ["", "PK\u{3}\u{4}", "no pickle", "\u{80}\u{2}cos\nsystem\n(S'ls'\ntR."] {
        fs::write(&path, contents).unwrap();
        let error = error(directory.path());
        assert!(error.contains("damaged or no PyTorch file"), "{error}");
    }
    for file in [PICKLE, "legacy.bin"] {
        let whole = fs::read(golden("files").join(file)).unwrap();
        for place in (0..80).map(|step| step * whole.len() / 80) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            for bytes in [&whole[..place], &flipped] {
                fs::write(&path, bytes).unwrap();
                let open =
                    || SentenceTransformer::open(directory.path(), &Device::flex()).map(|_| ());
                let outcome = catch_unwind(open);
                assert!(outcome.is_ok(), "{file}: a panic by damage at byte {place}");
            }
        }
    }
}

#[test]
fn a_pickle_that_unpacks_to_far_more_than_its_file_is_refused() {
    let directory = without_weights("bert");
    let path = directory.path().join(PICKLE);
    let mut archive = ZipWriter::new(fs::File::create(&path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    archive.start_file("archive/data.pkl", options).unwrap();
    archive.write_all(&vec![b'N'; 9 << 20]).unwrap();
    archive.finish().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1 << 15);
    let message = error(directory.path());
    assert!(message.contains("the pickle in it has 9437184 bytes, more than"), "{message}");
}

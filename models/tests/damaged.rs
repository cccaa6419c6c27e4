//! Model directories that are damaged, or made to do damage: an error, and never a panic.

mod common;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burn::tensor::Device;
use burn_embedding_models::{CrossEncoder, Error, SentenceTransformer};
use common::{FAMILIES, change_header, copy, golden};
use tempfile::TempDir;

fn load(directory: &Path) -> Result<(), Error> {
    let model = SentenceTransformer::open(directory, &Device::flex())?;
    let texts = ["The cat sits.", "dog [PAD] x ü雨 À ’", ""];
    let tokens = model.tokenizer.encode(texts.to_vec())?;
    model.embed(&tokens, 2).into_data();
    Ok(())
}

/// Loads a model after a change of one of its files, which must be refused with `message`.
fn refused(family: &str, file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>, message: &str) {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    let path = directory.path().join(file);
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    let error = load(directory.path()).unwrap_err().to_string();
    assert!(error.contains(message), "{error}\n  does not contain\n{message}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

fn replaced(family: &str, file: &str, from: &str, to: &str, message: &str) {
    let change = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        text.replacen(from, to, 1).into_bytes()
    };
    refused(family, file, change, message);
}

/// Changes the header of the weights.
fn header(from: &str, to: &str, message: &str) {
    let change = |bytes: Vec<u8>| {
        change_header(&bytes, |header| {
            assert!(header.contains(from), "{header}");
            header.replacen(from, to, 1)
        })
    };
    refused("bert", "model.safetensors", change, message);
}

#[test]
fn parts_that_are_not_supported_are_named() {
    let pooling = "sentence_transformers.models.Pooling";
    let lstm = "sentence_transformers.models.LSTM";
    replaced("bert", "modules.json", pooling, lstm, "models.LSTM\" is not supported; supported");
    replaced("bert", "modules.json", pooling, "evil.Pooling", "\"evil.Pooling\" is not supported");
    let config = "config.json";
    for other in ["xmod", "mobilebert", "deberta", "longt5"] {
        let message = format!("\"{other}\" is not supported; supported are bert, ");
        replaced("bert", config, "\"bert\"", &format!("\"{other}\""), &message);
    }
    replaced(
        "bert",
        config,
        "\"gelu\"",
        "\"prelu\"",
        "`hidden_act`: unknown variant `prelu`, expected one of `gelu`",
    );
    replaced("mpnet", "1_Pooling/config.json", "\"mean\"", "\"middle\"", "supported are cls, max");
    let normalize = "2_Normalize/config.json";
    replaced(
        "mpnet",
        normalize,
        "\"sentence_embedding\"",
        "\"all_layer_embeddings\"",
        "supported are \"sentence_embedding\" and \"token_embeddings\"",
    );
}

#[test]
fn paths_that_leave_the_directory_are_refused() {
    for path in ["/etc", "../bert/1_Pooling", "a/../../b", "..", "C:\\\\x"] {
        let message = "leaves the directory";
        replaced("bert", "modules.json", "1_Pooling", path, message);
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leaves_the_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    let model = directory.path().join("model");
    copy(&golden("bert"), &model);
    fs::rename(model.join("1_Pooling"), directory.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", model.join("1_Pooling")).unwrap();
    let error = load(&model).unwrap_err().to_string();
    assert!(error.contains("\"1_Pooling\" leaves the directory"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_a_link_out_of_the_directory_is_refused() {
    use std::os::unix::fs::symlink;
    let directory = TempDir::new().unwrap();
    let model = directory.path().join("model");
    let secret = directory.path().join("secret");
    for file in ["config.json", "tokenizer.json", "model.safetensors", "merges.txt"] {
        let _ = fs::remove_dir_all(&model);
        copy(&golden("bert"), &model);
        let path = model.join(file);
        fs::write(&secret, fs::read(&path).unwrap_or_default()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(&secret, &path).unwrap();
        let error = load(&model).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("is a link that leaves"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn no_file_of_any_model_may_be_a_link_out_of_the_directory() {
    let directory = TempDir::new().unwrap();
    let model = directory.path().join("model");
    let secret = directory.path().join("secret");
    copy(&golden("bert"), &directory.path().join("bert"));
    let further = ["vocab.txt", "special_tokens_map.json"].map(PathBuf::from);
    for family in ["bert", "cross-bert", "lora"] {
        let golden = golden(family);
        let relative = |path: PathBuf| path.strip_prefix(&golden).unwrap().to_path_buf();
        let own = files(&golden).into_iter().map(relative);
        for file in own.chain(further.clone()) {
            let _ = fs::remove_dir_all(&model);
            copy(&golden, &model);
            let path = model.join(&file);
            fs::write(&secret, fs::read(&path).unwrap_or("{}".into())).unwrap();
            let _ = fs::remove_file(&path);
            std::os::unix::fs::symlink(&secret, &path).unwrap();
            let opened = match family {
                "cross-bert" => CrossEncoder::open(&model, &Device::flex()).map(drop),
                _ => load(&model),
            };
            let what = format!("{family}, {}", file.display());
            let error = opened.expect_err(&what).to_string();
            let named = error.contains(file.to_str().unwrap());
            assert!(named && error.contains("is a link that leaves"), "{what}: {error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_links_of_a_hubs_cache_are_followed() {
    use std::os::unix::fs::symlink;
    let directory = TempDir::new().unwrap();
    let model = directory.path().join("models--x/snapshots/1");
    let blobs = directory.path().join("models--x/blobs");
    copy(&golden("bert"), &model);
    fs::create_dir(&blobs).unwrap();
    for (file, up) in [("model.safetensors", "../../"), ("1_Pooling/config.json", "../../../")] {
        let blob = file.replace('/', "-");
        fs::rename(model.join(file), blobs.join(&blob)).unwrap();
        symlink(Path::new(up).join("blobs").join(blob), model.join(file)).unwrap();
    }
    load(&model).unwrap();
}

#[test]
fn sizes_that_cannot_be_are_refused_before_memory_is_taken() {
    let config = "config.json";
    let size = "\"hidden_size\": 16";
    replaced("bert", config, size, "\"hidden_size\": 99999999999", "`hidden_size` is 99999999999");
    replaced("bert", config, size, "\"hidden_size\": 18", "18 is no multiple of 4 attention heads");
    replaced("bert", config, size, "\"hidden_size\": -1", "invalid value");
    let size = "\"intermediate_size\": 24";
    let wide = "\"intermediate_size\": 131072";
    replaced(
        "bert",
        config,
        size,
        wide,
        "`encoder.layer.0.intermediate.dense.weight` is [24, 16], exp",
    );
    let layers = "\"num_hidden_layers\": 2";
    replaced("bert", config, layers, "\"num_hidden_layers\": 256", "and 4059 more");
    let limit = "\"max_seq_length\": 24";
    let file = "sentence_bert_config.json";
    replaced("bert", file, limit, "\"max_seq_length\": 2", "2 special tokens leave no room");
    replaced("bert", file, limit, "\"max_seq_length\": 0", "`max_seq_length` is 0");
}

#[test]
fn weights_that_do_not_fit_are_listed() {
    let name = "embeddings.LayerNorm.bias";
    header(name, "embeddings.LayerNorm.bios", "`embeddings.LayerNorm.bias` [16] is missing");
    header("[16]", "[4,4]", "is [4, 4], expected [16]");
    header("\"F32\"", "\"I32\"", "holds I32, expected floats");
}

#[test]
fn headers_that_lie_are_refused() {
    header("[16]", "[17]", "the file is damaged");
    header("\"F32\"", "\"F64\"", "the file is damaged");
    header("\"data_offsets\":[0,64]", "\"data_offsets\":[0,6400000000]", "the file is damaged");
    header("\"data_offsets\":[0,64]", "\"data_offsets\":[4,68]", "the file is damaged");
    header("[16]", "[18446744073709551615,4]", "the file is damaged");
    for length in [u64::MAX, 1 << 40, 99_000_000, 0] {
        let change = |bytes: Vec<u8>| [&length.to_le_bytes(), &bytes[8..]].concat();
        refused("bert", "model.safetensors", change, "the file is damaged");
    }
    refused("bert", "model.safetensors", |_| Vec::new(), "the file is damaged");
}

#[test]
fn a_tokenizer_of_another_model_is_refused_when_it_is_used() {
    let tokenizer = fs::read(golden("roberta").join("tokenizer.json")).unwrap();
    let message =
        "it gives the id 55 (\"T\") in the text \"The cat sits.\", but the model has 44 word";
    refused("bert", "tokenizer.json", |_| tokenizer.clone(), message);
}

#[test]
fn tables_of_sentence_piece_that_lead_nowhere_are_refused() {
    let file = fs::read_to_string(golden("xlm-roberta").join("tokenizer.json")).unwrap();
    let (_, table) = file.split_once("\"precompiled_charsmap\": \"").unwrap();
    let (table, _) = table.split_once('"').unwrap();
    let bytes = STANDARD.decode(table).unwrap();
    let of = |bytes: &[u8]| STANDARD.encode(bytes);
    let lie = [&u32::MAX.to_le_bytes(), &bytes[4..]].concat();
    let cut = &bytes[..bytes.len() - 9];
    // The first unit of the trie: an offset behind its end.
    let astray = [&bytes[..4], &0x7FFF_FC00_u32.to_le_bytes(), &bytes[8..]].concat();
    for damaged in ["!".to_string(), String::new(), of(&lie), of(cut), of(&astray)] {
        let message = "`precompiled_charsmap` is damaged";
        replaced("xlm-roberta", "tokenizer.json", table, &damaged, message);
    }
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        let changed = file.replacen(table, &of(&flipped), 1);
        let directory = TempDir::new().unwrap();
        copy(&golden("xlm-roberta"), directory.path());
        fs::write(directory.path().join("tokenizer.json"), changed).unwrap();
        let outcome = catch_unwind(|| load(directory.path()).is_ok());
        assert!(outcome.is_ok(), "a panic by damage at byte {place} of the table");
    }
}

#[test]
fn files_that_are_missing_are_named() {
    for file in ["modules.json", "config.json", "tokenizer.json", "model.safetensors"] {
        let directory = TempDir::new().unwrap();
        copy(&golden("bert"), directory.path());
        fs::remove_file(directory.path().join(file)).unwrap();
        let error = load(directory.path()).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("No such file"), "{error}");
    }
}

/// Where to damage a file of `length` bytes: all along it, and closely at its start.
fn places(length: usize) -> impl Iterator<Item = usize> {
    (0..16).chain((1..20).map(move |step| step * length / 20)).filter(move |&it| it < length)
}

/// The address space that the process has ever taken, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The files of a model, those of its modules too.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let given = |path: &PathBuf| {
        ["expected.json", "gradients.json", "module_gradients.json"]
            .iter()
            .any(|name| path.ends_with(name))
    };
    let own = files.into_iter().filter(|path| !given(path));
    own.chain(directories.iter().flat_map(|directory| self::files(directory))).collect()
}

#[test]
fn no_damage_anywhere_panics_or_takes_much_memory() {
    load(&golden("bert")).unwrap();
    let before = peak();
    let mut damaged = 0;
    for family in FAMILIES {
        let directory = TempDir::new().unwrap();
        copy(&golden(family), directory.path());
        for path in files(directory.path()) {
            let file = path.file_name().unwrap().to_string_lossy();
            let whole = fs::read(&path).unwrap();
            for place in places(whole.len()) {
                let mut flipped = whole.clone();
                flipped[place] ^= 1 << (place % 8);
                for bytes in [&whole[..place], &flipped] {
                    fs::write(&path, bytes).unwrap();
                    let outcome = catch_unwind(|| load(directory.path()).is_ok());
                    assert!(outcome.is_ok(), "{family}/{file}: a panic by damage at byte {place}");
                    damaged += 1;
                }
            }
            fs::write(&path, whole).unwrap();
        }
    }
    assert!(damaged > 2000, "{damaged}");
    let taken = peak() - before;
    assert!(taken < 1 << 20, "{taken} KiB more address space than before");
}

//! What the targets share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn::tensor::Device;
use burn_embedding_models::directory::Directory;
use burn_embedding_models::fuzzing::network;
use burn_embedding_models::static_embedding::StaticConfig;
use burn_embedding_models::{NetworkConfig, SentenceTransformer, weights};
use finetune::data::read_bytes;
use finetune::data::task::{examples, kind_of, losses};
use tempfile::TempDir;

/// Ends a file in an input that stands for several: no text file has this byte in it.
const END: u8 = 0;

/// The directory of a tiny model of the tests.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/goldens").join(name)
}

/// Reads a data file of this name, if it is one, and takes from it the examples of every loss.
pub fn examples_of_all(name: &str, bytes: &[u8]) {
    let Ok(data) = read_bytes(name, bytes) else { return };
    data.contents();
    for loss in losses() {
        let kind = kind_of(loss).expect("the name of a loss");
        let _ = examples(loss, kind, &data);
    }
}

/// A directory in which a target writes some files anew for each input.
pub struct Model {
    directory: TempDir,
}

impl Model {
    /// An empty directory.
    pub fn empty() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    /// A copy of a tiny model of the tests.
    pub fn golden(name: &str) -> Self {
        let model = Self::empty();
        copy(&golden(name), model.path());
        model
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).expect("a file that can be written");
    }

    /// Writes files of these names, which one input stands for; the last takes what is left.
    pub fn write_all(&self, names: &[&str], input: &[u8]) {
        let mut parts = input.splitn(names.len(), |byte| *byte == END);
        for name in names {
            self.write(name, parts.next().unwrap_or_default());
        }
    }

    /// Opens the model, if it can be read, and embeds texts.
    pub fn embed(&self) {
        let Ok(model) = SentenceTransformer::open(self.path(), &Device::flex()) else { return };
        if let Ok(embeddings) = model.encode(&["The cat sits.", ""]) {
            assert_eq!(embeddings.dims(), [2, model.dimension()]);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("a readable directory").path();
        let target = to.join(path.file_name().expect("a file name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, target).expect("a file that can be copied");
        }
    }
}

/// Configurations of networks whose tokenizers are built in different ways.
pub static NETWORKS: LazyLock<Vec<NetworkConfig>> = LazyLock::new(|| {
    let families = [
        "bert",
        "roberta",
        "xlm-roberta",
        "albert",
        "deberta-v3",
        "t5",
        "modernbert",
        "qwen2",
        "qwen3",
        "llama",
        "gemma",
    ];
    let config = |family: &&str| {
        let file = fs::read(golden(family).join("config.json")).expect("a configuration");
        network(&file, &Device::flex()).expect("a valid network").0
    };
    let table = NetworkConfig::Static(StaticConfig { tokens: 44, dimension: 8 });
    families.iter().map(config).chain([table]).collect()
});

/// The configuration of an even smaller BERT, so that an input is mostly header.
pub const SMALL_BERT: &str = r#"{
    "model_type": "bert", "vocab_size": 3, "hidden_size": 2, "num_hidden_layers": 1,
    "num_attention_heads": 1, "intermediate_size": 3, "max_position_embeddings": 4,
    "type_vocab_size": 1
}"#;

/// Reads an input as the weights of a network, in a file of this name.
pub fn read_weights(config: &NetworkConfig, name: &str, input: &[u8]) {
    std::thread_local! {
        static MODEL: Model = Model::empty();
    }
    MODEL.with(|model| {
        model.write(name, input);
        let directory = Directory::open(model.path()).expect("a directory");
        let _ = weights::load(&directory, Path::new(""), config, &Device::flex());
    });
}

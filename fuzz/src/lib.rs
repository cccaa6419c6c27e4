//! What the targets share.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use burn::tensor::Device;
use burn_embedding_models::NetworkConfig;
use burn_embedding_models::directory::Directory;
use burn_embedding_models::fuzzing::network;
use burn_embedding_models::weights;
use tempfile::TempDir;

/// Ends a file in an input that stands for several: no text file has this byte in it.
const END: u8 = 0;

/// The files that an input stands for; the last one takes what is left.
pub fn files<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut parts = input.splitn(N, |byte| *byte == END);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A directory that a target fills anew for each input.
pub struct Model {
    directory: TempDir,
}

impl Model {
    /// A directory with these files.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let model = Self { directory: TempDir::new().expect("a temporary directory") };
        for (name, bytes) in files {
            model.write(name, bytes);
        }
        model
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file in the directory"))
            .and_then(|()| fs::write(path, bytes))
            .expect("a file that can be written");
    }
}

macro_rules! golden {
    ($family:literal, $file:literal) => {
        include_bytes!(concat!("../../models/goldens/", $family, "/", $file))
    };
}

/// The files of a tiny BERT.
pub const BERT: [(&str, &[u8]); 7] = [
    ("modules.json", golden!("bert", "modules.json")),
    ("config.json", golden!("bert", "config.json")),
    ("sentence_bert_config.json", golden!("bert", "sentence_bert_config.json")),
    ("1_Pooling/config.json", golden!("bert", "1_Pooling/config.json")),
    ("tokenizer.json", golden!("bert", "tokenizer.json")),
    ("tokenizer_config.json", golden!("bert", "tokenizer_config.json")),
    ("model.safetensors", golden!("bert", "model.safetensors")),
];

/// Configurations of networks whose tokenizers are built in different ways.
pub static NETWORKS: LazyLock<Vec<NetworkConfig>> = LazyLock::new(|| {
    let files: [&[u8]; 11] = [
        golden!("bert", "config.json"),
        golden!("roberta", "config.json"),
        golden!("xlm-roberta", "config.json"),
        golden!("albert", "config.json"),
        golden!("deberta-v3", "config.json"),
        golden!("t5", "config.json"),
        golden!("modernbert", "config.json"),
        golden!("qwen2", "config.json"),
        golden!("qwen3", "config.json"),
        golden!("llama", "config.json"),
        golden!("gemma", "config.json"),
    ];
    let configs = files.map(|file| network(file, &Device::flex()).expect("a valid network").0);
    configs.into()
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
        static MODEL: Model = Model::new(&[]);
    }
    MODEL.with(|model| {
        model.write(name, input);
        let directory = Directory::open(model.path()).expect("a directory");
        let _ = weights::load(&directory, Path::new(""), config, &Device::flex());
    });
}

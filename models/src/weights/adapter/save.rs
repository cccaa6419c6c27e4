//! Writing an adapter as `peft` does.

use std::path::Path;

use burn::module::Module;
use burn_store::{BurnToPyTorchAdapter, KeyRemapper, ModuleSnapshot, SafetensorsStore};
use serde_json::{Value, json};

use super::PREFIX;
use crate::error::Error;
use crate::lora::LoraConfig;
use crate::network::Network;
use crate::shape::Names;

/// The parameters of an adapter, in its directory.
pub const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";

/// The `adapter_config.json` of the adapters beside `layers`, for the model in the directory `base`.
pub fn config(config: &LoraConfig, layers: &[String], base: &str) -> Value {
    json!({
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": base,
        "r": config.r,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "target_modules": layers,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
    })
}

/// Writes the matrices of the adapters in a network.
pub fn weights(path: &Path, network: &Network, names: Names) -> Result<(), Error> {
    let mut store = SafetensorsStore::from_file(path)
        .with_regex(r"\.lora\.[ab]\.weight$")
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata("format", "pt")
        .remap(in_peft(names))
        .with_to_adapter(BurnToPyTorchAdapter);
    network.valid().save_into(&mut store).map_err(|error| Error::write(path, error))
}

/// From the paths of the matrices to peft's names: in between, they end as those of a parameter.
fn in_peft(names: Names) -> KeyRemapper {
    let mut remapper = KeyRemapper::new();
    let rule = |remapper: KeyRemapper, from: &str, to: &str| {
        remapper.add_pattern(from, to).expect("the pattern is a constant")
    };
    remapper = rule(remapper, r"\.weight\.lora\.([ab])\.weight$", ".lora$1");
    remapper.patterns.extend(names.writing().patterns);
    for (part, name) in [("loraa", "lora_A"), ("lorab", "lora_B")] {
        let (from, to) = (format!(r"^(.*)\.{part}$"), format!("{PREFIX}$1.{name}.weight"));
        remapper = rule(remapper, &from, &to);
    }
    remapper
}

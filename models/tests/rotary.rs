//! `config.json` of models with rotary positions: the spellings that it has had, and what is refused.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{copy, golden, rows, texts};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Opens a tiny model in whose `config.json` some fields are set, or taken away by `null`.
fn changed(family: &str, fields: &Value) -> Result<SentenceTransformer, String> {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    let path = directory.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        let config = config.as_object_mut().unwrap();
        config.remove(name);
        if !value.is_null() {
            config.insert(name.clone(), value.clone());
        }
    }
    fs::write(path, config.to_string()).unwrap();
    let model = SentenceTransformer::open(directory.path(), &Device::flex());
    model.map_err(|error| error.to_string())
}

/// Python gives the same embeddings for both spellings.
fn same(family: &str, fields: &Value) {
    let model = changed(family, fields).unwrap();
    let expected = fs::read(golden(family).join("expected.json")).unwrap();
    let expected: Vec<Vec<f32>> = serde_json::from_slice(&expected).unwrap();
    let found = rows(model.encode(&texts()).unwrap());
    for (found, expected) in found.concat().iter().zip(expected.concat()) {
        assert!((found - expected).abs() <= 1e-5, "{family}, {fields}: {found}, not {expected}");
    }
}

fn refused(family: &str, fields: &Value, message: &str) {
    let error = changed(family, fields).map(|_| ()).unwrap_err();
    assert!(error.contains(message), "{error}\n  does not contain\n{message}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn positions_have_old_and_new_names() {
    let none = Value::Null;
    same("qwen2", &json!({"rope_parameters": none, "rope_theta": 10000.0, "rope_scaling": none}));
    same(
        "gte",
        &json!({
            "rope_parameters": none, "rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2},
        }),
    );
    same(
        "llama",
        &json!({
            "rope_parameters": none, "rope_theta": 100, "rope_scaling": {
                "type": "llama3", "factor": 4, "low_freq_factor": 1, "high_freq_factor": 4,
                "original_max_position_embeddings": 32,
            },
        }),
    );
    same(
        "modernbert",
        &json!({
            "global_rope_theta": none, "local_rope_theta": none,
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 900.0},
                "sliding_attention": {"rope_theta": 20.0},
            },
        }),
    );
    same(
        "gemma3",
        &json!({
            "rope_parameters": none, "rope_theta": 3000.0, "rope_local_base_freq": 30.0,
            "rope_scaling": {"rope_type": "linear", "factor": 2.0},
        }),
    );
}

#[test]
fn types_of_layers_are_named_or_follow_a_pattern() {
    let none = Value::Null;
    same("qwen2", &json!({"layer_types": none}));
    same("gemma2", &json!({"layer_types": none}));
    same("gemma3-causal", &json!({"layer_types": none, "sliding_window_pattern": 2}));
    same(
        "modernbert",
        &json!({
            "global_attn_every_n_layers": none,
            "layer_types": ["full_attention", "sliding_attention", "full_attention"],
        }),
    );
    let types = json!(["full_attention", "chunked_attention"]);
    refused("qwen2", &json!({"layer_types": types}), "`layer_types` has \"chunked_attention\"");
    refused("qwen2", &json!({"layer_types": ["full_attention"]}), "has 1 types for 2 layers");
    refused("qwen2", &json!({"use_sliding_window": false}), "`sliding_window` is not set");
}

#[test]
fn fields_of_the_first_nomic_models_are_understood() {
    let none = Value::Null;
    let old = json!({
        "hidden_size": none, "num_hidden_layers": none, "num_attention_heads": none, "head_dim": none,
        "intermediate_size": none, "layer_norm_eps": none, "hidden_act": none, "rope_parameters": none,
        "max_position_embeddings": none, "hidden_dropout_prob": none,
        "attention_probs_dropout_prob": none, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_inner": 24,
        "layer_norm_epsilon": 1e-12, "activation_function": "swiglu", "rotary_emb_base": 1000,
        "rotary_emb_fraction": 1.0, "resid_pdrop": 0.0, "attn_pdrop": 0.0, "embd_pdrop": 0.0,
        "prenorm": false, "causal": false, "use_rms_norm": false, "qkv_proj_bias": false,
        "rotary_scaling_factor": none, "n_positions": 8192, "max_trained_positions": 2048,
    });
    same("nomic_bert", &old);
    let family = "nomic_bert";
    refused(family, &json!({"moe_every_n_layers": 2}), "`moe_every_n_layers` 2 is not supported");
    refused(family, &json!({"prenorm": true}), "`prenorm` true is not supported; only false is");
    refused(family, &json!({"rotary_scaling_factor": 2}), "`rotary_scaling_factor` 2 is not");
    refused(family, &json!({"rotary_emb_fraction": 0.5}), "`rotary_emb_fraction` 0.5 is not");
}

#[test]
fn the_first_gemma_has_an_activation_under_another_name() {
    same("gemma", &json!({"hidden_act": "gelu"}));
}

#[test]
fn what_would_be_computed_otherwise_is_refused() {
    let scaled = |kind: &str| json!({"rope_parameters": {"rope_type": kind, "factor": 2.0}});
    refused("qwen3", &scaled("dynamic"), "the longest text of its batch");
    refused("qwen3", &scaled("yarn"), "\"yarn\" are not supported; supported are default, linear");
    refused("qwen3", &json!({"partial_rotary_factor": 0.5}), "`partial_rotary_factor` 0.5 is not");
    let by_type = json!({"rope_parameters": {"full_attention": {"rope_theta": 9.0}}});
    refused("llama", &by_type, "differ by type of layer");
    let bidirectional = json!({"use_bidirectional_attention": true});
    for family in ["gemma", "gemma2"] {
        refused(family, &bidirectional, "`use_bidirectional_attention` true is not supported");
    }
    let family = "new";
    refused(family, &json!({"logn_attention_scale": true}), "`logn_attention_scale` true is not");
    refused(family, &json!({"pack_qkv": false}), "`pack_qkv` false is not supported");
    refused(family, &json!({"layer_norm_type": "rms_norm"}), "`layer_norm_type` \"rms_norm\" is");
    let mixed = json!({"rope_scaling": {"type": "ntk", "factor": 8, "mixed_b": 0.5}});
    refused(family, &mixed, "`mixed_b` 0.5 is not supported");
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let message = "`num_key_value_heads` 3 does not divide 4 heads";
    refused("qwen3", &json!({"num_key_value_heads": 3}), message);
    refused("qwen3", &json!({"num_key_value_heads": 0}), "`num_key_value_heads` is 0, expected 1");
    refused("qwen3", &json!({"head_dim": 5}), "`head_dim` is 5, but positions turn pairs");
    refused("qwen3", &json!({"head_dim": 99999999}), "`head_dim` is 99999999, expected 1 to 1024");
    refused("qwen3", &json!({"num_hidden_layers": 9999999999_u64}), "expected 1 to 256");
    refused("modernbert", &json!({"hidden_size": 18}), "18 is no multiple of 4 attention heads");
    refused("modernbert", &json!({"global_attn_every_n_layers": 0}), "n_layers` is 0, expected 1");
    refused("gemma3-causal", &json!({"sliding_window": 0}), "`sliding_window` is 0, expected 1");
    refused(
        "gemma2",
        &json!({"attn_logit_softcapping": 0.0}),
        "softcapping` is 0, expected above 0",
    );
    refused("mistral", &json!({"rms_norm_eps": -1.0}), "`rms_norm_eps` is -1, expected 0 to 0.1");
    let theta = json!({"rope_parameters": {"rope_theta": -5.0}});
    refused("mistral", &theta, "`rope_theta` is -5, expected above 0");
    refused("mistral", &json!({"hidden_size": null}), "it has no `hidden_size`");
    refused(
        "mistral",
        &json!({"hidden_act": "unheard"}),
        "`hidden_act`: unknown variant `unheard`",
    );
}

//! What classes of `transformers` build around the byte pairs of a `tokenizer.json`, in place of what
//! the file has.

use serde_json::{Value, json};

use crate::directory::{ClassTokenizer, TokenizerClass};

/// Letters, single digits, signs and spaces: how Qwen cuts texts.
const QWEN_WORDS: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Builds the steps of a `tokenizer.json` with byte pairs as the class does.
pub fn rebuild(file: &mut Value, tokenizer: &ClassTokenizer) {
    let ClassTokenizer { class, options } = tokenizer;
    let prefix = options.add_prefix_space;
    let (normalizer, pre_tokenizer) = match class {
        TokenizerClass::Gemma => {
            (replace(" ", "▁"), split(json!({"String": " "}), "MergedWithPrevious"))
        }
        TokenizerClass::Llama if !has_byte_level(file) => {
            (Value::Null, spaces(prefix, options.legacy))
        }
        TokenizerClass::Qwen2 => (json!({"type": "NFC"}), qwen_words(prefix.unwrap_or(false))),
        _ => return,
    };
    file["normalizer"] = normalizer;
    file["pre_tokenizer"] = pre_tokenizer;
    let bytes = *class != TokenizerClass::Qwen2;
    let unknown = options.token("unk").unwrap_or("<unk>");
    let model = &mut file["model"];
    let unknown = (*class == TokenizerClass::Gemma).then_some(unknown);
    model["unk_token"] = json!(unknown.filter(|token| model["vocab"].get(token).is_some()));
    for name in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
        model[name] = Value::Null;
    }
    for (name, on) in [("fuse_unk", bytes), ("byte_fallback", bytes), ("ignore_merges", false)] {
        model[name] = on.into();
    }
}

/// Builds the steps of a `tokenizer.json` as `HerbertTokenizer` does, with BERT's words and with ids that are the
/// class's own.
pub fn herbert(file: &mut Value, tokenizer: &ClassTokenizer) {
    let named =
        |name: &str, usual: &str| tokenizer.options.token(name).unwrap_or(usual).to_string();
    file["normalizer"] = json!({
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": false, "lowercase": false,
    });
    file["pre_tokenizer"] = json!({"type": "BertPreTokenizer"});
    file["decoder"] = json!({"type": "BPEDecoder", "suffix": "</w>"});
    file["post_processor"] = json!({
        "type": "BertProcessing", "sep": [named("sep", "</s>"), 2], "cls": [named("cls", "<s>"), 0],
    });
    let model = &mut file["model"];
    model["unk_token"] = named("unk", "<unk>").into();
    model["end_of_word_suffix"] = "</w>".into();
    for name in ["dropout", "continuing_subword_prefix"] {
        model[name] = Value::Null;
    }
    for name in ["fuse_unk", "byte_fallback", "ignore_merges"] {
        model[name] = false.into();
    }
}

/// transformers keeps such a file for Llama: its own steps would not fit.
pub fn has_byte_level(file: &Value) -> bool {
    let is_one = |step: &Value| step["type"] == "ByteLevel";
    ["pre_tokenizer", "decoder", "post_processor"].iter().any(|part| {
        let part = &file[*part];
        let steps = ["pretokenizers", "decoders", "processors"];
        let steps = steps.iter().filter_map(|name| part.get(name)?.as_array()).flatten();
        is_one(part) || steps.into_iter().any(is_one)
    })
}

fn replace(pattern: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"String": pattern}, "content": content})
}

fn split(pattern: Value, behavior: &str) -> Value {
    json!({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": false})
}

fn spaces(prefix: Option<bool>, legacy: Option<bool>) -> Value {
    let scheme = match (prefix.unwrap_or(true), legacy.unwrap_or(false)) {
        (true, true) => "always",
        (true, false) => "first",
        (false, _) => "never",
    };
    json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": false})
}

fn qwen_words(prefix: bool) -> Value {
    let bytes = json!({
        "type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": false,
    });
    let words = split(json!({"Regex": QWEN_WORDS}), "Isolated");
    json!({"type": "Sequence", "pretokenizers": [words, bytes]})
}

//! What classes of `transformers` build around the vocabulary of a `tokenizer.json`, in place of what
//! the file has.

use serde_json::{Value, json};

use super::byte_pairs;
use crate::directory::{ClassTokenizer, TokenizerClass};

/// Refuses a vocabulary of another kind than the class takes: transformers would build something else of it.
pub fn check(file: &Value, tokenizer: &ClassTokenizer) -> Result<(), String> {
    let kind = file.pointer("/model/type").and_then(Value::as_str);
    let expected: &[&str] = match tokenizer.class {
        TokenizerClass::Gemma
        | TokenizerClass::Gpt2
        | TokenizerClass::GptNeoX
        | TokenizerClass::Herbert
        | TokenizerClass::Llama
        | TokenizerClass::Qwen2 => &["BPE"],
        TokenizerClass::Roberta => &["BPE", "Unigram"],
        _ => &["Unigram"],
    };
    fits(kind, expected)
}

/// Whether the kind of a vocabulary, if the file tells it, is one of these.
pub fn fits(kind: Option<&str>, expected: &[&str]) -> Result<(), String> {
    match kind.filter(|kind| !expected.contains(kind)) {
        None => Ok(()),
        Some(kind) => Err(format!(
            "its vocabulary is of the kind {kind}, and the tokenizer's class takes {}; if the file is right, set \
             `tokenizer_class` to \"PreTrainedTokenizerFast\" in tokenizer_config.json",
            expected.join(" or ")
        )),
    }
}

/// Builds the steps of a `tokenizer.json` as the class does.
pub fn rebuild(file: &mut Value, tokenizer: &ClassTokenizer) {
    let kind = file.pointer("/model/type").and_then(Value::as_str);
    let pieces = matches!(kind, None | Some("Unigram")) && file["model"]["vocab"].is_array();
    let pairs = matches!(kind, None | Some("BPE")) && file["model"]["vocab"].is_object();
    match (kind, tokenizer.class) {
        (_, TokenizerClass::Gemma | TokenizerClass::Llama | TokenizerClass::Qwen2) if pairs => {
            byte_pairs::rebuild(file, tokenizer);
        }
        (_, TokenizerClass::Gemma | TokenizerClass::Llama | TokenizerClass::Qwen2) => {}
        (Some("BPE"), TokenizerClass::Gpt2 | TokenizerClass::GptNeoX | TokenizerClass::Roberta) => {
            byte_level(file, tokenizer);
        }
        (Some("BPE"), TokenizerClass::Herbert) => byte_pairs::herbert(file, tokenizer),
        (_, TokenizerClass::Gpt2 | TokenizerClass::GptNeoX | TokenizerClass::Herbert) => {}
        (_, class) if pieces => {
            let class = match class {
                TokenizerClass::Roberta => TokenizerClass::XlmRoberta,
                class => class,
            };
            sentence_piece(file, &ClassTokenizer { class, ..tokenizer.clone() });
        }
        _ => {}
    }
}

/// The steps around byte pairs.
fn byte_level(file: &mut Value, tokenizer: &ClassTokenizer) {
    let space = tokenizer.options.add_prefix_space.unwrap_or(false);
    file["normalizer"] = match tokenizer.class {
        TokenizerClass::GptNeoX => json!({"type": "NFC"}),
        _ => Value::Null,
    };
    file["pre_tokenizer"] = json!(
        {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": true, "use_regex": true}
    );
    for name in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"] {
        file["model"][name] = Value::Null;
    }
    for name in ["fuse_unk", "byte_fallback", "ignore_merges"] {
        file["model"][name] = false.into();
    }
    if tokenizer.class == TokenizerClass::GptNeoX {
        file["post_processor"] = Value::Null;
    }
    if let Some(template) = template(file, tokenizer) {
        file["post_processor"] = template;
    }
}

/// The steps around the pieces of SentencePiece.
fn sentence_piece(file: &mut Value, tokenizer: &ClassTokenizer) {
    let replacements = precompiled(&file["normalizer"]).cloned();
    file["normalizer"] = normalizer(tokenizer, replacements);
    file["pre_tokenizer"] = pre_tokenizer(tokenizer);
    if let Some(id) = unknown(file, tokenizer) {
        file["model"]["unk_id"] = id.into();
    }
    file["model"]["byte_fallback"] = false.into();
    if let Some(template) = template(file, tokenizer) {
        file["post_processor"] = template;
    }
}

/// The table of replacements in a normalizer.
fn precompiled(normalizer: &Value) -> Option<&Value> {
    let steps = normalizer.get("normalizers").and_then(Value::as_array);
    let steps = steps.map_or(std::slice::from_ref(normalizer), Vec::as_slice);
    steps.iter().find(|step| step["type"] == "Precompiled")
}

fn normalizer(tokenizer: &ClassTokenizer, replacements: Option<Value>) -> Value {
    let ClassTokenizer { class, options } = tokenizer;
    let mut steps = Vec::new();
    let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
    match class {
        TokenizerClass::Albert => {
            steps.push(replace(json!({"String": "``"}), "\""));
            steps.push(replace(json!({"String": "''"}), "\""));
            if !options.keep_accents.unwrap_or(false) {
                steps.extend([json!({"type": "NFKD"}), json!({"type": "StripAccents"})]);
            }
            if options.do_lower_case.unwrap_or(true) {
                steps.push(json!({"type": "Lowercase"}));
            }
            steps.extend(replacements);
        }
        TokenizerClass::BigBird => {
            steps.push(replace(json!({"Regex": " {2,}"}), "▁"));
        }
        TokenizerClass::Deberta | TokenizerClass::Barthez => {
            if *class == TokenizerClass::Deberta && options.do_lower_case.unwrap_or(false) {
                steps.push(json!({"type": "Lowercase"}));
            }
            steps.push(replace(json!({"Regex": r"\s{2,}|[\n\r\t]"}), " "));
            steps.push(json!({"type": "NFC"}));
            steps.push(json!({"type": "Strip", "strip_left": false, "strip_right": true}));
        }
        _ => steps.extend(replacements),
    }
    json!({"type": "Sequence", "normalizers": steps})
}

fn pre_tokenizer(tokenizer: &ClassTokenizer) -> Value {
    let ClassTokenizer { class, options } = tokenizer;
    let scheme = match (class, options.add_prefix_space) {
        (TokenizerClass::T5, _) | (_, None | Some(true)) => "always",
        (TokenizerClass::Deberta, _) => "first",
        _ => "never",
    };
    let mut steps = Vec::new();
    match class {
        TokenizerClass::Deberta if options.split_by_punct.unwrap_or(false) => {
            steps.push(json!({"type": "Punctuation", "behavior": "Isolated"}));
        }
        TokenizerClass::Barthez | TokenizerClass::BigBird | TokenizerClass::Deberta => {}
        _ => steps.push(json!({"type": "WhitespaceSplit"})),
    }
    let spaces =
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true});
    steps.push(spaces);
    json!({"type": "Sequence", "pretokenizers": steps})
}

/// The id of unknown words.
fn unknown(file: &Value, tokenizer: &ClassTokenizer) -> Option<usize> {
    let ClassTokenizer { class, options } = tokenizer;
    let vocabulary = file["model"]["vocab"].as_array()?;
    let find = |token: &str| vocabulary.iter().position(|row| row[0] == token);
    let id = match class {
        TokenizerClass::Albert => 1,
        TokenizerClass::BigBird => {
            let found = find(options.token("unk").unwrap_or("<unk>"));
            found.filter(|id| vocabulary[*id][1].as_f64() == Some(0.0)).unwrap_or(100)
        }
        TokenizerClass::Camembert => find(options.token("unk").unwrap_or("<unk>")).unwrap_or(0),
        TokenizerClass::Deberta => {
            let found = find(options.token("unk").unwrap_or("[UNK]"));
            let found = found.filter(|id| vocabulary[*id][1].as_f64() == Some(0.0));
            found.or(options.unk_id).unwrap_or(1)
        }
        TokenizerClass::T5 => 2,
        TokenizerClass::Barthez | TokenizerClass::Roberta | TokenizerClass::XlmRoberta => 3,
        // Their vocabularies are no lists.
        TokenizerClass::Gemma
        | TokenizerClass::Gpt2
        | TokenizerClass::GptNeoX
        | TokenizerClass::Herbert
        | TokenizerClass::Llama
        | TokenizerClass::Qwen2 => return None,
    };
    (id < vocabulary.len()).then_some(id)
}

/// The special tokens around a text, unless the class takes those of the file.
fn template(file: &Value, tokenizer: &ClassTokenizer) -> Option<Value> {
    let ClassTokenizer { class, options } = tokenizer;
    let named = |name: &str, usual: &str| options.token(name).unwrap_or(usual).to_string();
    let (before, after) = match class {
        TokenizerClass::Albert if !file["post_processor"].is_null() => return None,
        TokenizerClass::Barthez | TokenizerClass::Gpt2 | TokenizerClass::GptNeoX => return None,
        TokenizerClass::Albert => (Some("[CLS]".to_string()), "[SEP]".to_string()),
        TokenizerClass::Roberta => (Some(named("cls", "<s>")), named("sep", "</s>")),
        TokenizerClass::BigBird | TokenizerClass::Deberta => {
            (Some(named("cls", "[CLS]")), named("sep", "[SEP]"))
        }
        TokenizerClass::T5 => (None, "</s>".to_string()),
        _ => (Some(named("bos", "<s>")), named("eos", "</s>")),
    };
    let mut special = json!({});
    for token in before.iter().chain([&after]) {
        let id = id(file, token)?;
        special[token] = json!({"id": token, "ids": [id], "tokens": [token]});
    }
    let token = |token: &String| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let around = |id: &str| before.iter().map(token).chain([text(id), token(&after)]);
    let pair: Vec<Value> = around("A").chain(around("B")).collect();
    let single: Vec<Value> = around("A").collect();
    let template = json!({"single": single, "pair": pair, "special_tokens": special});
    let mut template = template.as_object()?.clone();
    template.insert("type".to_string(), "TemplateProcessing".into());
    Some(Value::Object(template))
}

/// The id of a token: among those that were added, or its place in the vocabulary.
pub fn id(file: &Value, token: &str) -> Option<u64> {
    let added = file["added_tokens"].as_array().into_iter().flatten();
    let added = added.filter(|row| row["content"] == token).find_map(|row| row["id"].as_u64());
    let vocabulary = &file["model"]["vocab"];
    let place = || vocabulary.as_array()?.iter().position(|row| row[0] == token);
    added.or_else(|| vocabulary[token].as_u64()).or_else(|| place().map(|place| place as u64))
}

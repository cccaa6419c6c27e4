//! What BERT's tokenizers build around a vocabulary of word pieces.

use serde_json::{Value, json};

use super::rebuilt::id;
use crate::directory::ClassOptions;

/// Builds the steps of a `tokenizer.json` as the class does, if it has word pieces.
pub fn rebuild(file: &mut Value, options: &ClassOptions) {
    if file.pointer("/model/type").is_some_and(|kind| kind != "WordPiece")
        || !file["model"]["vocab"].is_object()
    {
        return;
    }
    let vocabulary = &file["model"]["vocab"];
    let of_mpnet = are_of_mpnet(options, |token| vocabulary.get(token).is_some());
    let [cls, sep] = if of_mpnet { ["<s>", "</s>"] } else { ["[CLS]", "[SEP]"] };
    let token = |task: &str, usual: &str| options.token(task).unwrap_or(usual).to_string();
    let [cls, sep, unknown] = [token("cls", cls), token("sep", sep), token("unk", "[UNK]")];
    build(file, [&cls, &sep, &unknown], of_mpnet);
}

/// Whether the tokenizer is MPNet's, by its class or its vocabulary.
pub fn are_of_mpnet(options: &ClassOptions, has: impl Fn(&str) -> bool) -> bool {
    options.is_of_mpnet() || (!has("[CLS]") && has("<s>"))
}

/// Builds the steps around the vocabulary of a file. The special tokens around a text stay as they are if the
/// vocabulary lacks one.
pub fn build(file: &mut Value, [cls, sep, unknown]: [&str; 3], of_mpnet: bool) {
    file["normalizer"] = json!({
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": null, "lowercase": true,
    });
    file["pre_tokenizer"] = json!({"type": "BertPreTokenizer"});
    file["decoder"] = json!({"type": "WordPiece", "prefix": "##", "cleanup": true});
    file["model"]["type"] = "WordPiece".into();
    file["model"]["unk_token"] = unknown.into();
    file["model"]["continuing_subword_prefix"] = "##".into();
    file["model"]["max_input_chars_per_word"] = 100.into();
    let mut special = json!({});
    for token in [cls, sep] {
        let Some(id) = id(file, token) else { return };
        special[token] = json!({"id": token, "ids": [id], "tokens": [token]});
    }
    let token = |token: &str, kind: u8| json!({"SpecialToken": {"id": token, "type_id": kind}});
    let text = |id: &str, kind: u8| json!({"Sequence": {"id": id, "type_id": kind}});
    let single = [token(cls, 0), text("A", 0), token(sep, 0)];
    let second = match of_mpnet {
        true => vec![token(sep, 0), text("B", 0), token(sep, 0)],
        false => vec![text("B", 1), token(sep, 1)],
    };
    let pair: Vec<Value> = single.iter().cloned().chain(second).collect();
    file["post_processor"] = json!({
        "type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special,
    });
}

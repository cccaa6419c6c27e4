//! A `tokenizer.json` put together from older files: `vocab.txt`, or `vocab.json` and `merges.txt`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::directory::{ClassOptions, Directory, Limits, TOKENIZER_LIMIT, TokenizerClass};
use crate::error::Error;

const WORD_PIECES: &str = "vocab.txt";
const BYTE_PAIRS: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// SentencePiece's files, by the names that models have for them.
const SENTENCE_PIECE: [&str; 4] =
    ["sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model"];

/// The special tokens of BERT and its like, and of RoBERTa and its like.
const SPECIAL: [&str; 10] =
    ["[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", "<s>", "</s>", "<unk>", "<pad>", "<mask>"];

/// The `tokenizer.json` that the directory `module` stands for without one.
///
/// # Errors
///
/// If there are no such files, they are damaged, or the class of the tokenizer needs more.
pub(crate) fn assembled(
    directory: &Directory,
    module: &Path,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let options: ClassOptions = directory.json(&module.join("tokenizer_config.json"))?;
    let files = Files { directory, module };
    let there = |name: &str| directory.path().join(module).join(name).exists();
    let class = limits.class.as_ref().map(|tokenizer| tokenizer.class);
    let pairs = matches!(class, Some(TokenizerClass::Roberta | TokenizerClass::Qwen2));
    let file = if there(WORD_PIECES) && limits.word_pieces {
        files.word_pieces(&options)?
    } else if there(BYTE_PAIRS) && there(MERGES) && pairs {
        files.byte_pairs()?
    } else {
        let found = SENTENCE_PIECE.iter().chain(&[WORD_PIECES, BYTE_PAIRS]);
        return Err(files.missing(found.copied().find(|name| there(name))));
    };
    Ok(file.to_string().into_bytes())
}

/// The files of a tokenizer.
struct Files<'a> {
    directory: &'a Directory,
    module: &'a Path,
}

/// A token beside the vocabulary, as tokenizer_config.json has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Added {
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

/// The field of tokenizer_config.json with such tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AddedTokens {
    added_tokens_decoder: BTreeMap<u32, Added>,
}

impl Files<'_> {
    fn word_pieces(&self, options: &ClassOptions) -> Result<Value, Error> {
        let text = self.text(WORD_PIECES)?;
        let tokens = text.lines().enumerate();
        let vocabulary: Map<String, Value> =
            tokens.map(|(id, token)| (token.to_string(), id.into())).collect();
        let named = |name: &str, usual: [&str; 2]| {
            let usual = usual.into_iter().find(|token| vocabulary.contains_key(*token));
            options.token(name).or(usual).map(String::from).ok_or_else(|| {
                self.error(WORD_PIECES, format!("it has no token for the task {name:?}"))
            })
        };
        let cls = named("cls", ["[CLS]", "<s>"])?;
        let sep = named("sep", ["[SEP]", "</s>"])?;
        let unknown = named("unk", ["[UNK]", "<unk>"])?;
        let mut special = json!({});
        for token in [&cls, &sep] {
            let id = vocabulary.get(token).ok_or_else(|| {
                self.error(WORD_PIECES, format!("it has no {token:?}, a special token"))
            })?;
            special[token] = json!({"id": token, "ids": [id], "tokens": [token]});
        }
        let token = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
        let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
        Ok(json!({
            "version": "1.0",
            "added_tokens": self.added(&vocabulary)?,
            "normalizer": {
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [token(&cls), text("A"), token(&sep)],
                "pair": [token(&cls), text("A"), token(&sep), text("B"), token(&sep)],
                "special_tokens": special,
            },
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
            "model": {
                "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocabulary,
            },
        }))
    }

    /// What is around the byte pairs, the class adds.
    fn byte_pairs(&self) -> Result<Value, Error> {
        let vocabulary: Map<String, Value> = serde_json::from_str(&self.text(BYTE_PAIRS)?)
            .map_err(|error| self.error(BYTE_PAIRS, error.to_string()))?;
        let text = self.text(MERGES)?;
        let merges = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
        let merges: Vec<&str> = merges.collect();
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
        Ok(json!({
            "version": "1.0",
            "added_tokens": self.added(&vocabulary)?,
            "normalizer": null,
            "pre_tokenizer": bytes,
            "post_processor": null,
            "decoder": bytes,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
        }))
    }

    /// The tokens that are never cut, by their ids: special ones of the vocabulary, and those that
    /// added_tokens.json and tokenizer_config.json have beside it.
    fn added(&self, vocabulary: &Map<String, Value>) -> Result<Vec<Value>, Error> {
        let id = |token: &str| vocabulary.get(token)?.as_u64().and_then(|id| id.try_into().ok());
        let special = SPECIAL.iter().filter_map(|token| Some((id(token)?, added(token, true))));
        let mut tokens: BTreeMap<u32, Added> = special.collect();
        let own: BTreeMap<String, u32> =
            self.directory.json(&self.module.join("added_tokens.json"))?;
        tokens.extend(own.iter().map(|(token, id)| (*id, added(token, false))));
        let config: AddedTokens =
            self.directory.json(&self.module.join("tokenizer_config.json"))?;
        tokens.extend(config.added_tokens_decoder);
        let row = |(id, token): (u32, Added)| {
            json!({
                "id": id, "content": token.content, "single_word": token.single_word,
                "lstrip": token.lstrip, "rstrip": token.rstrip, "normalized": token.normalized,
                "special": token.special,
            })
        };
        Ok(tokens.into_iter().map(row).collect())
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        let bytes = self.directory.required(&self.module.join(name), TOKENIZER_LIMIT)?;
        String::from_utf8(bytes).map_err(|error| self.error(name, error.to_string()))
    }

    fn error(&self, name: &str, reason: String) -> Error {
        Error::read(&self.directory.path().join(self.module).join(name), reason)
    }

    /// `found` is a file that the tokenizer cannot be built from.
    fn missing(&self, found: Option<&str>) -> Error {
        let reason = "No such file or directory".to_string();
        let reason = match found {
            None => reason,
            Some(found) => format!(
                "{reason}; it cannot be built from {found} here: write it in Python with \
                 `AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)`"
            ),
        };
        self.error("tokenizer.json", reason)
    }
}

fn added(token: &str, special: bool) -> Added {
    Added { content: token.to_string(), special, normalized: !special, ..Added::default() }
}

//! A `tokenizer.json` put together from older files: `vocab.txt`, `vocab.json` and `merges.txt`, or the file of a
//! SentencePiece model.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::sentence_piece::{self, SentencePieces};
use super::special::Special;
use super::usual::Usual;
use super::word_pieces;
use crate::directory::{
    Added, AddedTokens, CONFIG, ClassOptions, ClassTokenizer, Directory, Limits, TOKENIZER_LIMIT,
    TokenizerClass,
};
use crate::error::Error;

const WORD_PIECES: &str = "vocab.txt";
const BYTE_PAIRS: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// SentencePiece's files, by the names that models have for them.
const SENTENCE_PIECE: [&str; 4] =
    ["sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model"];

/// The tokens of T5 for gaps in a text, if the files do not say how many.
const EXTRA_IDS: usize = 100;
const MOST_EXTRA_IDS: usize = 1 << 16;

/// The classes whose byte pairs may be in files of their own.
const CLASSES_OF_PAIRS: [TokenizerClass; 3] =
    [TokenizerClass::Herbert, TokenizerClass::Qwen2, TokenizerClass::Roberta];

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
    let files = Files { directory, module, added: &limits.added };
    let there = |name: &str| directory.path().join(module).join(name).exists();
    let class = limits.class.as_ref().map(|tokenizer| tokenizer.class);
    let class_of_pairs = class.filter(|class| CLASSES_OF_PAIRS.contains(class));
    let file = if there(WORD_PIECES)
        && let Some(options) = &limits.word_pieces
    {
        files.word_pieces(options)?
    } else if let Some(class) = class_of_pairs.filter(|_| there(BYTE_PAIRS) && there(MERGES)) {
        files.byte_pairs(class)?
    } else if let Some((class, name)) = pieces_of(limits).filter(|(_, name)| there(name)) {
        files.pieces(class, name)?
    } else {
        let found = SENTENCE_PIECE.iter().chain(&[WORD_PIECES, BYTE_PAIRS]);
        return Err(files.missing(found.copied().find(|name| there(name))));
    };
    Ok(file.to_string().into_bytes())
}

/// The class of a tokenizer of SentencePiece, and the name of its file.
fn pieces_of(limits: &Limits) -> Option<(&ClassTokenizer, &'static str)> {
    let class = limits.class.as_ref()?;
    let name = match class.class {
        TokenizerClass::Camembert | TokenizerClass::Roberta | TokenizerClass::XlmRoberta => {
            "sentencepiece.bpe.model"
        }
        TokenizerClass::Albert | TokenizerClass::T5 => "spiece.model",
        TokenizerClass::Deberta => "spm.model",
        _ => return None,
    };
    Some((class, name))
}

/// The files of a tokenizer.
struct Files<'a> {
    directory: &'a Directory,
    module: &'a Path,
    added: &'a AddedTokens,
}

impl Files<'_> {
    fn word_pieces(&self, options: &ClassOptions) -> Result<Value, Error> {
        let text = self.text(WORD_PIECES)?;
        let tokens = text.lines().enumerate();
        let vocabulary: Map<String, Value> =
            tokens.map(|(id, token)| (token.to_string(), id.into())).collect();
        let has = |token: &str| vocabulary.contains_key(token);
        let of_mpnet = word_pieces::are_of_mpnet(options, has);
        let tokens = Special::new(self.added, Usual::of_word_pieces(of_mpnet), Vec::new());
        let named = |task: &str| {
            tokens.named(task).map(String::from).ok_or_else(|| {
                self.error(WORD_PIECES, format!("no file names a token for the task {task:?}"))
            })
        };
        let [cls, sep, unknown] = [named("cls")?, named("sep")?, named("unk")?];
        let added = numbered(tokens, &vocabulary);
        let mut file = json!({
            "version": "1.0", "added_tokens": added, "model": {"type": "WordPiece", "vocab": vocabulary},
        });
        word_pieces::build(&mut file, [&cls, &sep, &unknown], of_mpnet);
        Ok(file)
    }

    /// What is around the byte pairs, the class adds.
    fn byte_pairs(&self, class: TokenizerClass) -> Result<Value, Error> {
        let vocabulary: Map<String, Value> = serde_json::from_str(&self.text(BYTE_PAIRS)?)
            .map_err(|error| self.error(BYTE_PAIRS, error.to_string()))?;
        let text = self.text(MERGES)?;
        let merges = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
        let merges: Vec<&str> = merges.collect();
        let tokens = Special::new(self.added, Usual::of_class(class), Vec::new());
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
        Ok(json!({
            "version": "1.0",
            "added_tokens": numbered(tokens, &vocabulary),
            "normalizer": null,
            "pre_tokenizer": bytes,
            "post_processor": null,
            "decoder": bytes,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": merges},
        }))
    }

    /// What is around the pieces, the class adds.
    fn pieces(&self, tokenizer: &ClassTokenizer, name: &str) -> Result<Value, Error> {
        let bytes = self.directory.required(&self.module.join(name), TOKENIZER_LIMIT)?;
        let model =
            sentence_piece::read(&bytes).map_err(|reason| self.error(name, reason.into()))?;
        let class = self.class_of_pieces(tokenizer.class)?;
        let extra = match class {
            TokenizerClass::T5 => tokenizer.options.extra_ids.unwrap_or(EXTRA_IDS),
            _ => 0,
        };
        if extra > MOST_EXTRA_IDS {
            let reason = format!("`extra_ids` is {extra}, expected at most {MOST_EXTRA_IDS}");
            return Err(self.error("tokenizer_config.json", reason));
        }
        let extra: Vec<String> = (0..extra).map(|id| format!("<extra_id_{id}>")).collect();
        let whole = model.pieces.iter().filter(|piece| piece.is_whole()).map(|piece| {
            if piece.is_control() { Added::special(&piece.text) } else { Added::whole(&piece.text) }
        });
        let more = whole.chain(extra.iter().map(|text| Added::special(text))).collect();
        let tokens = Special::new(self.added, Usual::of_class(class), more);
        let rows = vocabulary(class, &model, &tokens, &extra);
        let ids: HashMap<&str, u64> = rows.iter().map(|(text, _)| text.as_str()).zip(0..).collect();
        let added = tokens.numbered(rows.len() as u64, |token| ids.get(token).copied());
        let table = STANDARD.encode(&model.replacements);
        let replaced = (!model.replacements.is_empty())
            .then(|| json!({"type": "Precompiled", "precompiled_charsmap": table}));
        Ok(json!({
            "version": "1.0",
            "added_tokens": added,
            "normalizer": replaced,
            "pre_tokenizer": null,
            "post_processor": null,
            "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
            "model": {"type": "Unigram", "vocab": rows, "unk_id": 0},
        }))
    }

    /// RoBERTa's relatives with pieces have classes of their own, by the `model_type`.
    fn class_of_pieces(&self, class: TokenizerClass) -> Result<TokenizerClass, Error> {
        if class != TokenizerClass::Roberta {
            return Ok(class);
        }
        let config: Map<String, Value> = self.directory.json(&self.module.join(CONFIG))?;
        let camembert = config.get("model_type").is_some_and(|kind| kind == "camembert");
        Ok(if camembert { TokenizerClass::Camembert } else { TokenizerClass::XlmRoberta })
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

/// The tokens with their ids in a vocabulary.
fn numbered(tokens: Special, vocabulary: &Map<String, Value>) -> Vec<Value> {
    let ids = vocabulary.values().filter_map(Value::as_u64);
    let size = ids.max().map_or(0, |highest| highest + 1);
    tokens.numbered(size, |token| vocabulary.get(token)?.as_u64())
}

/// The pieces with their scores, as the class numbers them.
fn vocabulary(
    class: TokenizerClass,
    model: &SentencePieces,
    tokens: &Special,
    extra: &[String],
) -> Vec<(String, f64)> {
    let named = |task: &str| (tokens.named(task).unwrap_or_default().to_string(), 0.0);
    let text = |text: &str, score: f64| (text.to_string(), score);
    let pieces = model.pieces.iter().map(|piece| (piece.text.clone(), f64::from(piece.score)));
    match class {
        TokenizerClass::XlmRoberta => {
            let before = ["bos", "pad", "eos", "unk"].map(named);
            before.into_iter().chain(pieces.skip(3)).chain([named("mask")]).collect()
        }
        TokenizerClass::Camembert => {
            let [pad, unknown, mask] = ["pad", "unk", "mask"].map(named);
            let [bos, eos] = ["<s>NOTUSED", "</s>NOTUSED"].map(|name| text(name, 0.0));
            let before = [bos, pad, eos, unknown, text("<unk>NOTUSED", -100.0)];
            before.into_iter().chain(pieces.skip(1)).chain([mask]).collect()
        }
        _ => pieces.chain(extra.iter().rev().map(|name| text(name, 0.0))).collect(),
    }
}

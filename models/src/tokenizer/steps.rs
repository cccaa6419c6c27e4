//! Steps and byte pairs of a `tokenizer.json`, checked before they are used.
//!
//! The tokenizer crate takes it for granted that they are sound: a step could make a text so long that
//! it fills memory, or never end.

use serde_json::Value;

use super::charsmap;

/// Replacements may make a text this many times as long.
const GROWTH: usize = 1 << 12;
/// All regular expressions together may have this many bytes: the crate builds each several times.
const PATTERNS: usize = 1 << 13;
/// A word that is looked up piece by piece takes time that grows with the square of its length.
const LONGEST_WORD: u64 = 1 << 10;

/// Checks the normalizer, the pre-tokenizer and the model of a `tokenizer.json`.
pub fn check(tokenizer: &Value) -> Result<(), String> {
    let normalizers = steps(&tokenizer["normalizer"], "normalizers");
    let pre_tokenizers = steps(&tokenizer["pre_tokenizer"], "pretokenizers");
    let all = || normalizers.iter().chain(&pre_tokenizers);
    let growth = all().fold(1_usize, |all, step| all.saturating_mul(growth(step)));
    if growth > GROWTH {
        return Err(format!(
            "its steps may make a text {growth} times as long, more than {GROWTH} times"
        ));
    }
    let patterns = all().filter_map(|step| step["pattern"]["Regex"].as_str());
    let length: usize = patterns.map(str::len).sum();
    if length > PATTERNS {
        return Err(format!("its patterns have {length} bytes, expected at most {PATTERNS}"));
    }
    if pre_tokenizers.iter().any(|step| step["length"] == 0) {
        return Err("its pre-tokenizer cuts texts into pieces of length 0".to_string());
    }
    check_model(&tokenizer["model"])
}

/// Writes `\pL` in patterns as `pL`: to Python's engine a `p` without braces is a letter, to the one here a category.
pub fn as_in_python(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(pattern) if name == "Regex" => *pattern = letters(pattern),
                    value => as_in_python(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(as_in_python),
        _ => {}
    }
}

fn letters(pattern: &str) -> String {
    let mut rest = pattern.chars().peekable();
    let mut out = String::new();
    while let Some(letter) = rest.next() {
        let escaped = if letter == '\\' { rest.next() } else { None };
        let category = matches!(escaped, Some('p' | 'P'));
        if !category || rest.peek() == Some(&'{') {
            out.push(letter);
        }
        out.extend(escaped);
    }
    out
}

/// A step and all within it.
fn steps<'a>(step: &'a Value, inner: &str) -> Vec<&'a Value> {
    let mut all = vec![step];
    let mut next = 0;
    while let Some(&step) = all.get(next) {
        all.extend(step.get(inner).and_then(Value::as_array).into_iter().flatten());
        next += 1;
    }
    all
}

/// How many times as long a text may become by a step; what is put before it is taken for a factor.
fn growth(step: &Value) -> usize {
    let length = |text: &Value| text.as_str().map_or(0, str::len);
    let replaced = length(&step["pattern"]["String"]).max(1);
    let inserted = length(&step["content"]).div_ceil(replaced).max(length(&step["prepend"]));
    match (step.get("precompiled_charsmap"), step["type"].as_str()) {
        (Some(_), _) => charsmap::LONGEST,
        // A byte may become a character of two.
        (None, Some("ByteLevel")) => 2,
        _ => inserted.max(1),
    }
}

fn check_model(model: &Value) -> Result<(), String> {
    let longest = model["max_input_chars_per_word"].as_u64().unwrap_or(0);
    if longest > LONGEST_WORD {
        return Err(format!(
            "`max_input_chars_per_word` is {longest}, expected at most {LONGEST_WORD}"
        ));
    }
    let prefix = model["continuing_subword_prefix"].as_str().unwrap_or("");
    for merge in model["merges"].as_array().into_iter().flatten() {
        let pair = match merge {
            Value::String(pair) => pair.split_once(' '),
            pair => pair[0].as_str().zip(pair[1].as_str()),
        };
        // Anything else is refused as it is read.
        let Some((first, second)) = pair else { continue };
        let merged = second.get(prefix.len()..).map(|rest| format!("{first}{rest}"));
        if merged.is_none_or(|merged| model["vocab"].get(merged).is_none()) {
            return Err(format!(
                "the merge of {first:?} and {second:?} gives a token that is not in the vocabulary"
            ));
        }
    }
    Ok(())
}

//! SentencePiece's table of replacements in a `tokenizer.json`, checked before it is used.
//!
//! The table is a double-array trie of replaced texts, and the replacements one after the other.
//! The tokenizer crate follows its numbers as they are: a damaged one would lead out of the table.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The longest replacement, in bytes: Unicode has none of more than 33.
pub const LONGEST: usize = 1 << 6;
/// Nodes that follow one another differ in one byte.
const BYTE: usize = 0xFF;

/// Checks every table in the normaliser of a `tokenizer.json`.
pub fn check(tokenizer: &Value) -> Result<(), String> {
    let mut steps: Vec<&Value> = tokenizer.get("normalizer").into_iter().collect();
    while let Some(step) = steps.pop() {
        steps.extend(step.get("normalizers").and_then(Value::as_array).into_iter().flatten());
        let table = step.get("precompiled_charsmap");
        if table.is_some() || step.get("type").is_some_and(|kind| kind == "Precompiled") {
            let bytes = table.and_then(|text| STANDARD.decode(text.as_str()?).ok());
            bytes.and_then(|bytes| Table::read(&bytes)?.check()).ok_or_else(damaged)?;
        }
    }
    Ok(())
}

fn damaged() -> String {
    "`precompiled_charsmap` is damaged: fetch the file again".to_string()
}

/// The trie, and the replacements with a zero byte after each.
struct Table<'a> {
    units: Vec<usize>,
    replacements: &'a str,
}

impl<'a> Table<'a> {
    /// The length of the trie in bytes, the trie, the replacements.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (trie, replacements) = rest.split_at_checked(length)?;
        let (units, odd) = trie.as_chunks::<4>();
        let units = units.iter().map(|unit| u32::from_le_bytes(*unit) as usize).collect();
        let replacements = std::str::from_utf8(replacements).ok()?;
        odd.is_empty().then_some(Self { units, replacements })
    }

    /// Follows every text in the trie, and looks at each replacement.
    fn check(&self) -> Option<()> {
        let root = offset(*self.units.first()?);
        let mut seen = vec![false; self.units.len()];
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            // Whatever byte comes next, its unit is one of these.
            if node | BYTE >= self.units.len() {
                return None;
            }
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            for byte in 1..=BYTE {
                let unit = self.units[node ^ byte];
                if label(unit) == byte {
                    let next = node ^ byte ^ offset(unit);
                    if has_value(unit) {
                        self.check_value(*self.units.get(next)?)?;
                    }
                    open.push(next);
                }
            }
        }
        Some(())
    }

    fn check_value(&self, unit: usize) -> Option<()> {
        let start = unit & ((1 << 31) - 1);
        let text = self.replacements.get(start..)?.bytes().take_while(|byte| *byte != 0);
        (text.take(LONGEST + 1).count() <= LONGEST).then_some(())
    }
}

// The parts of a unit, as the double-array trie of SentencePiece packs them.

fn offset(unit: usize) -> usize {
    (unit >> 10) << ((unit & (1 << 9)) >> 6)
}

fn label(unit: usize) -> usize {
    unit & ((1 << 31) | BYTE)
}

fn has_value(unit: usize) -> bool {
    (unit >> 8) & 1 == 1
}

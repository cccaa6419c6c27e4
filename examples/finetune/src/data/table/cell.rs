//! One cell of a row, whatever type its file gives it.

use serde_json::Value;

use super::Row;
use crate::data::required_text;
use crate::error::Error;

/// Spellings of a class that a row does not have.
const NO_CLASS: [&str; 3] = ["", "-", "-1"];

/// Spellings of a cell with nothing in it, as pandas and the datasets of Python read them.
const NOTHING: [&str; 10] =
    ["#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"];

impl Row {
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        self.place.error(reason)
    }

    /// The cell, unless it is empty.
    pub(super) fn get(&self, column: &str) -> Option<&Value> {
        self.cells.get(column).filter(|cell| !is_empty(cell))
    }

    fn required(&self, column: &str) -> Result<&Value, Error> {
        match self.cells.get(column) {
            None => Err(self.error(format!("the column `{column}` is missing"))),
            Some(Value::Null) => Err(self.error(format!(
                "`{column}` has no text (null, nan, None and N/A stand for none): write one, or take the row out"
            ))),
            Some(cell) => Ok(cell),
        }
    }

    pub(super) fn text(&self, column: &str) -> Result<String, Error> {
        self.as_text(column, self.required(column)?)
    }

    /// A text, or each text of a list. A passage may be an object with a text and a title in it.
    pub(super) fn texts(&self, column: &str) -> Result<Vec<String>, Error> {
        match self.get(column) {
            None => Ok(Vec::new()),
            Some(Value::Array(cells)) => {
                cells.iter().map(|cell| self.as_text(column, cell)).collect()
            }
            Some(cell) => Ok(vec![self.as_text(column, cell)?]),
        }
    }

    fn as_text(&self, column: &str, cell: &Value) -> Result<String, Error> {
        let text = match cell {
            Value::Object(passage) => passage.get("text").and_then(Value::as_str),
            cell => cell.as_str(),
        };
        match (text, title(cell)) {
            (Some(text), None) => required_text(&self.place, column, text),
            (Some(text), Some(title)) => {
                required_text(&self.place, column, &format!("{title} {text}"))
            }
            (None, _) => {
                let hint = if is_by_row(cell) { RECORDS } else { "" };
                Err(self.error(format!("`{column}` must be a text, found {cell}{hint}")))
            }
        }
    }

    /// A number, or each number of a list.
    pub(super) fn numbers(&self, column: &str) -> Result<Vec<f64>, Error> {
        let Some(cell) = self.get(column) else {
            return Ok(Vec::new());
        };
        let list = cell.as_array().map_or(std::slice::from_ref(cell), Vec::as_slice);
        list.iter().map(|cell| self.as_number(column, cell)).collect()
    }

    /// How much higher one score is than another.
    pub(super) fn margin(&self, high: f64, low: f64) -> Result<f32, Error> {
        let margin = (high - low) as f32;
        match margin.is_finite() {
            true => Ok(margin),
            false => {
                Err(self.error(format!("the margin between {high:e} and {low:e} is not finite")))
            }
        }
    }

    pub(super) fn number(&self, column: &str) -> Result<Option<f64>, Error> {
        let cell = self.get(column).filter(|cell| !is_nothing(cell));
        cell.map(|cell| self.as_number(column, cell)).transpose()
    }

    fn as_number(&self, column: &str, cell: &Value) -> Result<f64, Error> {
        let Some(number) = number(cell) else {
            let hint = cell.as_str().map_or(String::new(), number_hint);
            return Err(self.error(format!("`{column}` must be a number, found {cell}{hint}")));
        };
        // Losses are computed in `f32`.
        match (number as f32).is_finite() {
            true => Ok(number),
            false => Err(self.error(format!(
                "`{column}` is {cell}, and must be between -{max:e} and {max:e}",
                max = f32::MAX
            ))),
        }
    }

    /// A class: a text, an integer, or true and false for 1 and 0; `None` for the spellings of none.
    pub(super) fn class(&self, column: &str) -> Result<Option<String>, Error> {
        let class = match self.cells.get(column) {
            None | Some(Value::Null) => return Ok(None),
            Some(cell) if is_nothing(cell) => return Ok(None),
            Some(Value::String(class)) => match truth(class) {
                Some(class) => u8::from(class).to_string(),
                None => integer(class.trim()).unwrap_or(class.trim()).to_string(),
            },
            Some(Value::Bool(class)) => u8::from(*class).to_string(),
            Some(cell) => {
                let number = cell.as_number().map(ToString::to_string);
                let class = number.as_deref().and_then(integer).map(String::from);
                class.ok_or_else(|| {
                    let rule = "must be a class (a text or an integer)";
                    self.error(format!("`{column}` {rule}, found {cell}"))
                })?
            }
        };
        Ok((!NO_CLASS.contains(&class.as_str())).then_some(class))
    }
}

/// What to do about a table that is one object.
pub const RECORDS: &str =
    "; write an object for each row, as pandas does with to_json(orient=\"records\", lines=True)";

/// Whether a cell has the values of a whole column by the numbers of their rows.
fn is_by_row(cell: &Value) -> bool {
    cell.as_object().is_some_and(|cells| cells.keys().all(|row| row.parse::<u64>().is_ok()))
}

/// Whether a cell is a text that was a list before some program wrote it, as `['a', 'b']` or `[0, 3]`.
pub fn is_written_list(cell: &Value) -> bool {
    let inside = cell.as_str().and_then(|text| text.trim().strip_prefix('[')?.strip_suffix(']'));
    inside.is_some_and(|inside| {
        let first = inside.trim_start().chars().next();
        first.is_none_or(|letter| matches!(letter, '\'' | '"' | '-' | '0'..='9'))
    })
}

/// Whether a cell is a text that was bytes before Python wrote it, as `b'a'`.
pub fn is_written_bytes(cell: &Value) -> bool {
    let inside = |quote| {
        let text = cell.as_str()?.trim().strip_prefix('b')?;
        text.strip_prefix(quote)?.strip_suffix(quote)
    };
    inside('\'').or_else(|| inside('"')).is_some()
}

/// Whether a cell is a passage with a title, or has one in it.
pub fn has_title(cell: &Value) -> bool {
    title(cell).is_some() || cell.as_array().is_some_and(|cells| cells.iter().any(has_title))
}

fn title(passage: &Value) -> Option<&str> {
    let title = passage.get("title").and_then(Value::as_str).map(str::trim);
    title.filter(|title| !title.is_empty())
}

/// Whether a cell has nothing in it.
pub fn is_empty(cell: &Value) -> bool {
    match cell {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// What to do about a text that is no number.
fn number_hint(text: &str) -> String {
    match invisible(text) {
        Some(letter) => {
            let code = u32::from(letter);
            format!(", with the invisible character U+{code:04X}; remove it")
        }
        None if text.contains([',', '%', '/', '$', '€']) => {
            "; write digits with a decimal point alone, such as 0.8".to_string()
        }
        None => String::new(),
    }
}

/// The first letter of a text that a reader cannot see, beside spaces and tabs.
fn invisible(text: &str) -> Option<char> {
    let unseen = |letter: &char| match *letter {
        ' ' | '\t' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' => {
            true
        }
        '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        letter => letter.is_whitespace() || letter.is_control(),
    };
    text.chars().find(unseen)
}

/// The number in a cell, also if it is written as text.
pub fn number(cell: &Value) -> Option<f64> {
    match cell {
        Value::Number(number) => number.as_f64(),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => match truth(text) {
            Some(truth) => Some(f64::from(u8::from(truth))),
            None => text.trim().parse().ok(),
        },
        _ => None,
    }
}

fn truth(text: &str) -> Option<bool> {
    text.trim().to_ascii_lowercase().parse().ok()
}

/// The integer in a text, also where a program has written it with decimals, as `1.0`.
fn integer(text: &str) -> Option<&str> {
    let whole = text.split_once('.').filter(|(_, rest)| rest.chars().all(|digit| digit == '0'));
    let whole = whole.map_or(text, |(whole, _)| whole);
    whole.parse::<i128>().is_ok().then_some(whole)
}

fn is_nothing(cell: &Value) -> bool {
    cell.as_str().is_some_and(is_spelled_nothing)
}

/// Whether a text stands for none in a file without types.
pub fn is_spelled_nothing(text: &str) -> bool {
    NOTHING.contains(&text.trim())
}

/// Whether a cell is a number with a decimal point, which no class has.
pub fn is_decimal(cell: &Value) -> bool {
    match cell {
        Value::Number(number) => number.is_f64(),
        Value::String(text) => {
            let text = text.trim();
            text.parse::<f64>().is_ok_and(f64::is_finite) && text.parse::<i64>().is_err()
        }
        _ => false,
    }
}

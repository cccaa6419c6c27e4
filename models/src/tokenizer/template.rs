//! The template around each text in a `tokenizer.json`, checked before it is used.
//!
//! The tokenizer crate takes it for granted that the template names only what there is.

use serde_json::Value;

/// Checks every template in the post-processor of a `tokenizer.json`.
pub fn check(tokenizer: &Value) -> Result<(), String> {
    let mut steps: Vec<&Value> = tokenizer.get("post_processor").into_iter().collect();
    while let Some(step) = steps.pop() {
        steps.extend(step.get("processors").and_then(Value::as_array).into_iter().flatten());
        for (name, sequences) in [("single", &["A"][..]), ("pair", &["A", "B"])] {
            let pieces = step.get(name).and_then(Value::as_array);
            for piece in pieces.into_iter().flatten() {
                check_piece(piece, &step["special_tokens"], (name, sequences))?;
            }
        }
    }
    Ok(())
}

fn check_piece(
    piece: &Value,
    special_tokens: &Value,
    (template, sequences): (&str, &[&str]),
) -> Result<(), String> {
    let name = |kind: &str| piece.get(kind).and_then(|it| it.get("id")).and_then(Value::as_str);
    if let Some(token) = name("SpecialToken")
        && special_tokens.get(token).is_none()
    {
        return Err(format!("its template names {token:?}, which is not in `special_tokens`"));
    }
    match name("Sequence") {
        Some(other) if !sequences.contains(&other) => {
            Err(format!("its template `{template}` names the sequence {other:?}"))
        }
        _ => Ok(()),
    }
}

//! The template around each text in a `tokenizer.json`, checked before it is used.
//!
//! The tokenizer crate takes it for granted that the template names only what there is.

use serde_json::Value;

/// Checks every template in the post-processor of a `tokenizer.json`.
pub fn check(tokenizer: &Value) -> Result<(), String> {
    let mut steps: Vec<&Value> = tokenizer.get("post_processor").into_iter().collect();
    while let Some(step) = steps.pop() {
        steps.extend(step.get("processors").and_then(Value::as_array).into_iter().flatten());
        let pieces = step.get("single").and_then(Value::as_array);
        for piece in pieces.into_iter().flatten() {
            check_piece(piece, &step["special_tokens"])?;
        }
    }
    Ok(())
}

fn check_piece(piece: &Value, special_tokens: &Value) -> Result<(), String> {
    let name = |kind: &str| piece.get(kind).and_then(|it| it.get("id")).and_then(Value::as_str);
    if let Some(token) = name("SpecialToken")
        && special_tokens.get(token).is_none()
    {
        return Err(format!("its template names {token:?}, which is not in `special_tokens`"));
    }
    match name("Sequence") {
        None | Some("A") => Ok(()),
        Some(other) => Err(format!("its template for one text names the sequence {other:?}")),
    }
}

//! The options of a case as the catalog reads them.

use burn_embedding_losses::catalog::Entry;
use serde_json::{Value, json};

use crate::case::Case;

/// The options of the case, for embeddings of a width: with what Python asks the model for, and the loss inside a
/// wrapper as the catalog writes it.
pub fn complete(case: &Case, width: usize) -> Value {
    with_inner(&case.loss, case.config.clone(), width)
}

/// `inner`, `{"loss", "config"}` in a case, is `loss` in the catalog.
fn with_inner(loss: &str, mut options: Value, width: usize) -> Value {
    let Value::Object(fields) = &mut options else {
        return options;
    };
    if let Some(inner) = fields.remove("inner") {
        let name = inner["loss"].as_str().unwrap_or_default();
        fields
            .insert("loss".into(), json!({name: with_inner(name, inner["config"].clone(), width)}));
    }
    // Some losses need to know the size of the embeddings, which Python takes from the model.
    if Entry::of(loss).is_ok_and(Entry::has_linear_layer) {
        fields.entry("embedding_dimension").or_insert(width.into());
    }
    options
}

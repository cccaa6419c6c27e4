//! The options of a case as the catalog reads them.

use burn_embedding_losses::catalog::Entry;
use serde_json::{Value, json};

use crate::case::Case;

/// The options of the case, for embeddings of a width: with what Python asks the model for, and the loss inside a
/// wrapper as the catalog writes it.
pub fn complete(case: &Case, width: usize) -> Value {
    with_inner(&case.loss, case.config.clone(), width)
}

/// The options that are losses, by their names in a case and in the catalog.
const LOSSES: [(&str, &str); 3] = [
    ("inner", "loss"),
    ("document_regularizer", "document_regularizer"),
    ("query_regularizer", "query_regularizer"),
];

/// The options of the loss, with losses inside as the catalog writes them.
fn with_inner(loss: &str, mut options: Value, width: usize) -> Value {
    let Value::Object(fields) = &mut options else {
        return options;
    };
    let family = loss.rfind('.').map_or("", |dot| &loss[..=dot]);
    for (of_case, of_catalog) in LOSSES {
        if let Some(inside) = fields.remove(of_case) {
            fields.insert(of_catalog.into(), named(family, inside, width));
        }
    }
    // Some losses need to know the size of the embeddings, which Python takes from the model.
    if Entry::of(loss).is_ok_and(Entry::has_linear_layer) {
        fields.entry("embedding_dimension").or_insert(width.into());
    }
    options
}

/// `{"loss", "config"}` in a case, a loss of the family, is `{name: options}` in the catalog.
fn named(family: &str, inside: Value, width: usize) -> Value {
    let Some(name) = inside["loss"].as_str() else {
        return inside;
    };
    let name = format!("{family}{name}");
    let options = with_inner(&name, inside["config"].clone(), width);
    json!({ name: options })
}

//! The names that Hugging Face's `datasets` gives to the numbers of classes.

use std::collections::BTreeMap;

use parquet::file::metadata::ParquetMetaData;
use serde_json::Value;

/// The names of the classes of each column that has some.
pub fn of_classes(metadata: &ParquetMetaData) -> BTreeMap<String, Vec<String>> {
    let known = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let text = known.filter(|pair| pair.key == "huggingface").find_map(|pair| pair.value.as_ref());
    let described: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let features = described.as_ref().and_then(|all| all["info"]["features"].as_object());
    let of_column = |(column, feature): (&String, &Value)| Some((column.clone(), names(feature)?));
    features.into_iter().flatten().filter_map(of_column).collect()
}

fn names(feature: &Value) -> Option<Vec<String>> {
    let names = feature["names"].as_array().filter(|_| feature["_type"] == "ClassLabel")?;
    names.iter().map(|name| name.as_str().map(String::from)).collect()
}

//! The model card: what a model is and how it was trained.

use std::fmt::Write;

/// What a card says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card {
    /// The model that training started from.
    pub base: String,
    /// The Python name of the loss.
    pub loss: String,
    /// The data that was trained on.
    pub data: String,
    /// How many examples it gave.
    pub examples: usize,
    /// The size of an embedding.
    pub dimension: usize,
    /// The longest text that is read, in tokens.
    pub max_tokens: usize,
    /// How embeddings are meant to be compared.
    pub similarity: String,
    /// The options of the run: name and value.
    pub options: Vec<(String, String)>,
    /// What was measured: name, before, after.
    pub results: Vec<(String, f64, f64)>,
}

impl Card {
    /// The card as Markdown, with the front matter that model hubs read.
    pub fn markdown(&self) -> String {
        let mut card = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut card);
        card
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { examples, dimension, max_tokens, .. } = self;
        let [base, loss, data] = [&self.base, &self.loss, &self.data].map(|text| plain(text));
        write!(
            out,
            "\
---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags:
- sentence-transformers
- sentence-similarity
- feature-extraction
- dataset_size:{examples}
- loss:{loss}
---

# Sentence encoder trained with {loss}

This model maps texts to vectors of {dimension} numbers. It was finetuned from `{base}` with
`{loss}` on {examples} examples from `{data}`, by the program `finetune` of burn-embedding-losses.

- Longest text: {max_tokens} tokens
- Similarity: {similarity}

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(\"path/to/this/directory\")
embeddings = model.encode([\"a text\", \"another text\"])
```

## Training

| Option | Value |
| :-- | :-- |
",
            similarity = plain(&self.similarity),
        )?;
        for (name, value) in &self.options {
            writeln!(out, "| {} | `{}` |", plain(name), plain(value))?;
        }
        writeln!(out, "\n## Evaluation\n\n| Measure | Before | After |\n| :-- | --: | --: |")?;
        for (name, before, after) in &self.results {
            writeln!(out, "| {} | {before:.4} | {after:.4} |", plain(name))?;
        }
        Ok(())
    }
}

/// A text that ends no line, cell or code span.
fn plain(text: &str) -> String {
    text.replace(|letter: char| letter.is_control() || "|`".contains(letter), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_break_no_table() {
        let options = vec![("data".to_string(), "a|b`\n# c".to_string())];
        let card = Card { options, loss: "TripletLoss".to_string(), ..Card::default() };
        let card = card.markdown();
        assert!(card.contains("| data | `a b  # c` |\n"), "{card}");
        assert!(card.contains("- loss:TripletLoss\n"), "{card}");
    }
}

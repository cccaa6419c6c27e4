//! The model card: which model it is, and how it was trained.

use std::fmt::Write;

/// The file of a model card, in the directory of the model.
pub const CARD: &str = "README.md";

/// What a model gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Usage {
    /// Embeddings of texts.
    Embeddings {
        /// The similarity that they are made for.
        similarity: String,
    },
    /// Scores of pairs of texts.
    Scores {
        /// The number of scores of a pair.
        labels: usize,
    },
}

impl Default for Usage {
    fn default() -> Self {
        Self::Embeddings { similarity: "cosine".to_string() }
    }
}

/// What a card says about a use.
struct Words {
    pipeline: &'static str,
    tags: &'static str,
    title: &'static str,
    maps: String,
    similarity: String,
    code: &'static str,
}

impl Usage {
    fn words(&self, dimension: usize) -> Words {
        match self {
            Self::Embeddings { similarity } => Words {
                pipeline: "sentence-similarity",
                tags: "- sentence-similarity\n- feature-extraction",
                title: "Sentence encoder",
                maps: format!("maps texts to vectors of {dimension} numbers"),
                similarity: format!("- Similarity: {}\n", plain(similarity)),
                code: "\
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(\"path/to/this/directory\")
embeddings = model.encode([\"a text\", \"another text\"])",
            },
            Self::Scores { labels } => Words {
                pipeline: if *labels == 1 { "text-ranking" } else { "text-classification" },
                tags: match labels {
                    1 => "- cross-encoder\n- reranker",
                    _ => "- cross-encoder",
                },
                title: if *labels == 1 { "Reranker" } else { "Classifier of text pairs" },
                maps: match labels {
                    1 => "gives a score to a pair of texts".to_string(),
                    labels => format!("gives a pair of texts a score for each of {labels} classes"),
                },
                similarity: String::new(),
                code: "\
from sentence_transformers import CrossEncoder

model = CrossEncoder(\"path/to/this/directory\")
scores = model.predict([(\"a query\", \"a document\")])",
            },
        }
    }
}

/// The contents of a card.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card {
    /// The model that training started from.
    pub base: String,
    /// The Python name of the loss.
    pub loss: String,
    /// The data that was trained on.
    pub data: String,
    /// The number of its examples.
    pub examples: usize,
    /// The size of an embedding.
    pub dimension: usize,
    /// The longest text that is read, in tokens.
    pub max_tokens: usize,
    /// What the model is used for.
    pub usage: Usage,
    /// The options of the run: name and value.
    pub options: Vec<(String, String)>,
    /// The measures: name, before, after.
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
        let Self { examples, dimension, .. } = self;
        let longest = match self.max_tokens {
            usize::MAX => "any".to_string(),
            tokens => format!("{tokens} tokens"),
        };
        let [base, loss, data] = [&self.base, &self.loss, &self.data].map(|text| plain(text));
        let Words { pipeline, tags, title, maps, similarity, code } = self.usage.words(*dimension);
        write!(
            out,
            "\
---
library_name: sentence-transformers
pipeline_tag: {pipeline}
tags:
- sentence-transformers
{tags}
- dataset_size:{examples}
- loss:{loss}
---

# {title} trained with {loss}

This model {maps}. It was finetuned from `{base}` with
`{loss}` on {examples} examples from `{data}`, by the program `finetune` of burn-embedding-losses.

- Longest text: {longest}
{similarity}
```python
{code}
```
",
        )?;
        self.write_tables(out)
    }

    fn write_tables(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## Training\n\n| Option | Value |\n| :-- | :-- |")?;
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

/// The text without anything that would end a line, cell or code span.
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

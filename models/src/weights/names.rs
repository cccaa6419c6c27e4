//! The names of parameters in a file of `transformers`, and in this crate.

use burn_store::KeyRemapper;

use crate::transformer::Family;

/// A family's names for the parts of a block: here, there.
type Parts = [(&'static str, &'static str); 8];

const BERT: Parts = [
    ("attention.query", "attention.self.query"),
    ("attention.key", "attention.self.key"),
    ("attention.value", "attention.self.value"),
    ("attention.output", "attention.output.dense"),
    ("attention_norm", "attention.output.LayerNorm"),
    ("intermediate", "intermediate.dense"),
    ("output", "output.dense"),
    ("output_norm", "output.LayerNorm"),
];

const MPNET: Parts = [
    ("attention.query", "attention.attn.q"),
    ("attention.key", "attention.attn.k"),
    ("attention.value", "attention.attn.v"),
    ("attention.output", "attention.attn.o"),
    ("attention_norm", "attention.LayerNorm"),
    ("intermediate", "intermediate.dense"),
    ("output", "output.dense"),
    ("output_norm", "output.LayerNorm"),
];

/// Parts outside the blocks: here, there.
const OUTSIDE: [(&str, &str); 6] = [
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.token_types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("relative_bias", "encoder.relative_attention_bias"),
    ("pooler", "pooler.dense"),
];

/// The names of one family's parameters.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    parts: &'static Parts,
    prefix: &'static str,
}

impl Names {
    /// The names that `family` uses.
    pub fn of(family: Family) -> Self {
        match family {
            Family::Bert => Self { parts: &BERT, prefix: "bert" },
            Family::Roberta => Self { parts: &BERT, prefix: "roberta" },
            Family::Mpnet => Self { parts: &MPNET, prefix: "mpnet" },
        }
    }

    /// From the names in a file to those of this crate.
    ///
    /// A file that was saved with a head for another task has the family's name before each name.
    pub fn reading(self) -> KeyRemapper {
        let start = (format!(r"^{}\.", self.prefix), String::new());
        let outside = OUTSIDE.iter().map(|(here, there)| rule(there, here));
        let parts = self.parts.iter().map(|(here, there)| part_rule(ENCODER, there, LAYERS, here));
        remapper(std::iter::once(start).chain(outside).chain(parts))
    }

    /// From the names of this crate to those of a file.
    pub fn writing(self) -> KeyRemapper {
        let outside = OUTSIDE.iter().map(|(here, there)| rule(here, there));
        let parts = self.parts.iter().map(|(here, there)| part_rule(LAYERS, here, ENCODER, there));
        remapper(outside.chain(parts))
    }
}

/// One name, as a remapper gives it.
pub fn renamed(remapper: &KeyRemapper, name: &str) -> String {
    let rules = remapper.patterns.iter();
    rules.fold(name.to_string(), |name, (from, to)| from.replace(&name, to).into_owned())
}

const ENCODER: &str = "encoder.layer";
const LAYERS: &str = "layers";

fn rule(from: &str, to: &str) -> (String, String) {
    (format!(r"^{}\.([a-z]+)$", from.replace('.', r"\.")), format!("{to}.$1"))
}

fn part_rule(list: &str, from: &str, to_list: &str, to: &str) -> (String, String) {
    let (list, from) = (list.replace('.', r"\."), from.replace('.', r"\."));
    (format!(r"^{list}\.([0-9]+)\.{from}\.([a-z]+)$"), format!("{to_list}.$1.{to}.$2"))
}

fn remapper(rules: impl Iterator<Item = (String, String)>) -> KeyRemapper {
    rules.fold(KeyRemapper::new(), |remapper, (from, to)| {
        remapper.add_pattern(from, to).expect("the patterns of this file are valid")
    })
}

//! The architectures that can be read.

/// A family of transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT, and the MiniLM models made from it.
    Bert,
    /// RoBERTa and XLM-RoBERTa: positions are counted from the padding token's id.
    Roberta,
    /// MPNet: a learned bias for the distance of two tokens, and no token types.
    Mpnet,
}

impl Family {
    /// Each family by the `model_type` of its configuration.
    const NAMES: [(&str, Self); 4] = [
        ("bert", Self::Bert),
        ("roberta", Self::Roberta),
        ("xlm-roberta", Self::Roberta),
        ("mpnet", Self::Mpnet),
    ];

    /// The family with this `model_type`, or what is supported instead.
    pub(super) fn of(model_type: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == model_type);
        found.map(|(_, family)| *family).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name).join(", ");
            format!("`model_type` {model_type:?} is not supported; supported are {names}")
        })
    }
}

//! What the scores of a model stand for.

/// The scores that a new model gives to a pair of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// So many, which have no names: 1 for how well the texts fit together.
    Count(usize),
    /// One for each of these classes, in this order.
    Named(Vec<String>),
}

impl From<usize> for Labels {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl Labels {
    /// The number of scores.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Count(count) => *count,
            Self::Named(names) => names.len(),
        }
    }

    /// Their names; those without any have the names that transformers gives them.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Count(count) => (0..*count).map(usual_name).collect(),
            Self::Named(names) => names.clone(),
        }
    }
}

/// The name of a score that has no other.
pub(super) fn usual_name(index: usize) -> String {
    format!("LABEL_{index}")
}

//! What goes from one module to the next.

use burn::tensor::{Bool, Int, Tensor};

/// The vectors of texts and of their tokens, on their way through the modules.
#[derive(Debug, Clone)]
pub struct Features {
    /// A vector for each token, `[texts, tokens, size]`.
    pub tokens: Tensor<3>,
    /// True for tokens that only fill a row up, `[texts, tokens]`.
    pub padding: Tensor<2, Bool>,
    /// The tokens' vectors before the first layer of the network and after each layer; empty if no
    /// module asks for them.
    pub layers: Vec<Tensor<3>>,
    /// A vector for each text, `[texts, size]`, once there is one.
    pub texts: Option<Tensor<2>>,
}

/// The sizes of vectors, before a module or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Of a token's vector; `None` for a model without vectors of tokens in the light of each other.
    pub tokens: Option<usize>,
    /// The number of [`Features::layers`].
    pub layers: usize,
    /// Of a text's vector, once there is one.
    pub texts: Option<usize>,
}

/// The vectors that a module works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vectors {
    /// Those of the tokens.
    Tokens,
    /// Those of the texts.
    Texts,
}

impl Vectors {
    /// The vectors that a module called these names reads and writes.
    ///
    /// # Errors
    ///
    /// If the names are unknown, or the module writes other vectors than it reads.
    pub fn named(input: Option<&str>, output: Option<&str>) -> Result<Self, String> {
        let input = input.unwrap_or("sentence_embedding");
        let vectors = match input {
            "token_embeddings" => Self::Tokens,
            "sentence_embedding" => Self::Texts,
            _ => {
                return Err(format!(
                    "`module_input_name` is {input:?}; supported are \"sentence_embedding\" and \
                     \"token_embeddings\""
                ));
            }
        };
        match output {
            Some(output) if output != input => Err(format!(
                "`module_output_name` is {output:?}; only that of the input, {input:?}, is supported"
            )),
            _ => Ok(vectors),
        }
    }
}

impl Features {
    /// Vectors of texts, `[texts, size]`, without tokens.
    pub fn of_texts(texts: Tensor<2>) -> Self {
        let ([count, size], device) = (texts.dims(), texts.device());
        Self {
            tokens: Tensor::zeros([count, 1, size], &device),
            padding: Tensor::<2, Int>::zeros([count, 1], &device).bool(),
            layers: Vec::new(),
            texts: Some(texts),
        }
    }

    /// Applies `change` to the rows of the vectors, `[rows, size]` to `[rows, any size]`.
    pub(super) fn map(self, vectors: Vectors, change: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        match vectors {
            Vectors::Texts => Self { texts: self.texts.map(change), ..self },
            Vectors::Tokens => {
                let [texts, tokens, size] = self.tokens.dims();
                let changed = change(self.tokens.reshape([texts * tokens, size]));
                let size = changed.dims()[1];
                Self { tokens: changed.reshape([texts, tokens, size]), ..self }
            }
        }
    }
}

impl Sizes {
    /// The size of the vectors that a module needs.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn of(self, vectors: Vectors) -> Result<usize, String> {
        match vectors {
            Vectors::Tokens => self.tokens.ok_or(
                "it needs the vectors of tokens, which the model \
                                                  does not have"
                    .to_string(),
            ),
            Vectors::Texts => self.texts.ok_or(
                "it needs the vectors of texts, but no pooling is \
                                                before it"
                    .to_string(),
            ),
        }
    }

    /// The sizes after a module that gives the vectors another one.
    pub(super) fn with(self, vectors: Vectors, size: usize) -> Self {
        match vectors {
            Vectors::Tokens => Self { tokens: Some(size), ..self },
            Vectors::Texts => Self { texts: Some(size), ..self },
        }
    }

    /// Refuses vectors of another size than the configuration of the module names.
    pub(super) fn expect(self, vectors: Vectors, name: &str, size: usize) -> Result<(), String> {
        let there = self.of(vectors)?;
        match there == size {
            true => Ok(()),
            false => Err(format!("`{name}` is {size}, but its input has {there} values")),
        }
    }
}

//! The tokens that classes of transformers have for the tasks, where no file names others.

use serde_json::Value;

use super::{byte_pairs, rebuilt, word_pieces};
use crate::directory::{Added, AddedTokens, Limits, TASKS, TokenizerClass};

/// The tokens of a class.
#[derive(Debug, Clone, Copy)]
pub struct Usual {
    /// In the order of [`TASKS`]: bos, eos, unk, sep, pad, cls, mask. Empty if there is none.
    tokens: [&'static str; TASKS.len()],
    /// Whether the mask takes the spaces before it.
    greedy_mask: bool,
}

const NONE: Usual = Usual::new(["", "", "", "", "", "", ""]);
const BERT: Usual = Usual::new(["", "", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]);
const MPNET: Usual =
    Usual::new(["<s>", "</s>", "[UNK]", "</s>", "<pad>", "<s>", "<mask>"]).with_greedy_mask();
const ROBERTA: Usual = Usual::new(["<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"]);
const ALBERT: Usual = Usual::new(["[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]"]);
const BIG_BIRD: Usual =
    Usual::new(["<s>", "</s>", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]"]).with_greedy_mask();
const DEBERTA: Usual = Usual::new(["[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]);
const GEMMA: Usual = Usual::new(["<bos>", "<eos>", "<unk>", "", "<pad>", "", "<mask>"]);
const GPT2: Usual = Usual::new([END, END, END, "", "", "", ""]);
const GPT_NEO_X: Usual = Usual::new([END, END, END, "", "<|padding|>", "", ""]);
const HERBERT: Usual = Usual::new(["", "", "<unk>", "</s>", "<pad>", "<s>", "<mask>"]);
const LLAMA: Usual = Usual::new(["<s>", "</s>", "<unk>", "", "", "", ""]);
const QWEN: Usual = Usual::new(["", END, END, "", END, "", ""]);
const T5: Usual = Usual::new(["", "</s>", "<unk>", "", "<pad>", "", ""]);

const END: &str = "<|endoftext|>";

impl Usual {
    const fn new(tokens: [&'static str; TASKS.len()]) -> Self {
        Self { tokens, greedy_mask: false }
    }

    const fn with_greedy_mask(self) -> Self {
        Self { greedy_mask: true, ..self }
    }

    /// Those of the class that makes a tokenizer of a `tokenizer.json`.
    pub fn of(file: &Value, limits: &Limits) -> Self {
        let has = |token: &str| rebuilt::id(file, token).is_some();
        let class = limits.class.as_ref().map(|tokenizer| tokenizer.class);
        match (&limits.word_pieces, class) {
            (Some(options), _) => Self::of_word_pieces(word_pieces::are_of_mpnet(options, has)),
            (None, Some(TokenizerClass::Llama)) if byte_pairs::has_byte_level(file) => NONE,
            (None, Some(class)) => Self::of_class(class),
            (None, None) => NONE,
        }
    }

    /// Those of BERT's classes, or of MPNet's.
    pub fn of_word_pieces(of_mpnet: bool) -> Self {
        if of_mpnet { MPNET } else { BERT }
    }

    /// Those of a class.
    pub fn of_class(class: TokenizerClass) -> Self {
        match class {
            TokenizerClass::Albert => ALBERT,
            TokenizerClass::Barthez | TokenizerClass::Camembert => ROBERTA.with_greedy_mask(),
            TokenizerClass::BigBird => BIG_BIRD,
            TokenizerClass::Deberta => DEBERTA,
            TokenizerClass::Gemma => GEMMA,
            TokenizerClass::Gpt2 => GPT2,
            TokenizerClass::GptNeoX => GPT_NEO_X,
            TokenizerClass::Herbert => HERBERT,
            TokenizerClass::Llama => LLAMA,
            TokenizerClass::Qwen2 => QWEN,
            TokenizerClass::Roberta | TokenizerClass::XlmRoberta => ROBERTA,
            TokenizerClass::T5 => T5,
        }
    }

    /// The tokens with a task, in the order of [`TASKS`]: as the files have them, or the usual ones. Null is none.
    pub fn tokens(&self, added: &AddedTokens) -> [Option<Added>; TASKS.len()] {
        std::array::from_fn(|task| {
            let name = TASKS[task];
            let token = match added.of_task(name) {
                Some(token) => Added::of(token)?,
                None => Some(self.tokens[task]).filter(|it| !it.is_empty()).map(Added::special)?,
            };
            let is_text = added.of_task(name).is_none_or(|token| token.is_string());
            let greedy = self.greedy_mask && is_text && name == "mask";
            Some(Added { lstrip: token.lstrip || greedy, ..token })
        })
    }
}

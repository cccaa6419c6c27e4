//! The classes of `transformers` that take only the vocabulary of `tokenizer.json`, and build what is
//! around it themselves.

use serde::Deserialize;
use serde_json::Value;

/// Such a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenizerClass {
    /// `AlbertTokenizer`.
    Albert,
    /// `BarthezTokenizer`.
    Barthez,
    /// `BigBirdTokenizer`.
    BigBird,
    /// `CamembertTokenizer`.
    Camembert,
    /// `DebertaV2Tokenizer`.
    Deberta,
    /// `GemmaTokenizer`, for byte pairs.
    Gemma,
    /// `GPT2Tokenizer`, for byte pairs.
    Gpt2,
    /// `GPTNeoXTokenizer`, for byte pairs.
    GptNeoX,
    /// `HerbertTokenizer`, for byte pairs.
    Herbert,
    /// `LlamaTokenizer`, for byte pairs.
    Llama,
    /// `Qwen2Tokenizer`, for byte pairs.
    Qwen2,
    /// `RobertaTokenizer`; or, with a vocabulary of SentencePiece, `XLMRobertaTokenizer`.
    Roberta,
    /// `T5Tokenizer`.
    T5,
    /// `XLMRobertaTokenizer`.
    XlmRoberta,
}

impl TokenizerClass {
    const NAMES: [(&str, Self); 19] = [
        ("AlbertTokenizer", Self::Albert),
        ("BarthezTokenizer", Self::Barthez),
        ("BartTokenizer", Self::Roberta),
        ("BigBirdTokenizer", Self::BigBird),
        ("CamembertTokenizer", Self::Camembert),
        ("CodeGenTokenizer", Self::Gpt2),
        ("DebertaV2Tokenizer", Self::Deberta),
        ("GPT2Tokenizer", Self::Gpt2),
        ("GPTNeoXTokenizer", Self::GptNeoX),
        ("GemmaTokenizer", Self::Gemma),
        ("HerbertTokenizer", Self::Herbert),
        ("LEDTokenizer", Self::Roberta),
        ("LlamaTokenizer", Self::Llama),
        ("LongformerTokenizer", Self::Roberta),
        ("MvpTokenizer", Self::Roberta),
        ("Qwen2Tokenizer", Self::Qwen2),
        ("RobertaTokenizer", Self::Roberta),
        ("T5Tokenizer", Self::T5),
        ("XLMRobertaTokenizer", Self::XlmRoberta),
    ];

    /// The class with this name, which may end in "Fast"; the others keep what tokenizer.json has.
    fn named(name: &str) -> Option<Self> {
        let name = name.trim_end_matches("Fast");
        Self::NAMES.iter().find(|(class, _)| *class == name).map(|(_, class)| *class)
    }
}

/// Further classes that do not take `tokenizer.json` as it is: they build steps of their own, or tokenize in Python.
const NOT_SUPPORTED: [&str; 39] = [
    "BartphoTokenizer",
    "BertGenerationTokenizer",
    "BertJapaneseTokenizer",
    "BertweetTokenizer",
    "BioGptTokenizer",
    "BlenderbotTokenizer",
    "ByT5Tokenizer",
    "CLIPTokenizer",
    "CanineTokenizer",
    "CodeLlamaTokenizer",
    "CohereTokenizer",
    "DebertaTokenizer",
    "EsmTokenizer",
    "FlaubertTokenizer",
    "FunnelTokenizer",
    "LayoutLMv2Tokenizer",
    "LayoutLMv3Tokenizer",
    "LayoutXLMTokenizer",
    "LukeTokenizer",
    "M2M100Tokenizer",
    "MBart50Tokenizer",
    "MBartTokenizer",
    "MLukeTokenizer",
    "MarianTokenizer",
    "MarkupLMTokenizer",
    "NllbTokenizer",
    "OpenAIGPTTokenizer",
    "PegasusTokenizer",
    "PerceiverTokenizer",
    "PhobertTokenizer",
    "ProphetNetTokenizer",
    "Qwen3_5Tokenizer",
    "ReformerTokenizer",
    "RemBertTokenizer",
    "RoCBertTokenizer",
    "SplinterTokenizer",
    "XGLMTokenizer",
    "XLMTokenizer",
    "XLNetTokenizer",
];

/// Refuses a class that would tokenize otherwise than `tokenizer.json`.
pub fn check_class(name: Option<&str>) -> Result<(), String> {
    match name.filter(|name| NOT_SUPPORTED.contains(&name.trim_end_matches("Fast"))) {
        None => Ok(()),
        Some(name) => Err(format!(
            "the tokenizer {name} is not supported: transformers does not take the steps of tokenizer.json for it; if \
             those are right, set `tokenizer_class` to \"PreTrainedTokenizerFast\" in tokenizer_config.json"
        )),
    }
}

/// The class of a tokenizer, and its options.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassTokenizer {
    /// The class.
    pub class: TokenizerClass,
    /// Its options.
    pub options: ClassOptions,
}

/// The fields of `tokenizer_config.json` that such classes use.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClassOptions {
    tokenizer_class: Option<String>,
    /// Whether letters become lower case; the class decides if it is not said.
    pub do_lower_case: Option<bool>,
    /// Whether accents stay: ALBERT.
    pub keep_accents: Option<bool>,
    /// Whether the first word has a space before it.
    pub add_prefix_space: Option<bool>,
    /// Whether punctuation is a word: DeBERTa.
    pub split_by_punct: Option<bool>,
    /// The id of unknown words: DeBERTa.
    pub unk_id: Option<usize>,
    /// How many tokens such as `<extra_id_0>` the vocabulary has beside its pieces: T5.
    pub extra_ids: Option<usize>,
    /// Whether each part between special tokens has a space before it too: Llama.
    pub legacy: Option<bool>,
    bos_token: Option<Value>,
    eos_token: Option<Value>,
    cls_token: Option<Value>,
    sep_token: Option<Value>,
    unk_token: Option<Value>,
}

impl ClassOptions {
    /// The options with the class that they name, or that of the model's family, if it is one of
    /// these.
    pub fn with_class(self, of_family: Option<TokenizerClass>) -> Option<ClassTokenizer> {
        let class = match self.tokenizer_class.as_deref() {
            Some(name) => TokenizerClass::named(name),
            None => of_family,
        };
        class.map(|class| ClassTokenizer { class, options: self })
    }

    /// Whether the class is MPNet's.
    pub fn is_of_mpnet(&self) -> bool {
        self.tokenizer_class.as_deref().is_some_and(|class| class.starts_with("MPNet"))
    }

    /// The text of a special token, if it is given: `bos`, `eos`, `cls`, `sep` or `unk`.
    pub fn token(&self, name: &str) -> Option<&str> {
        let token = match name {
            "bos" => &self.bos_token,
            "eos" => &self.eos_token,
            "cls" => &self.cls_token,
            "sep" => &self.sep_token,
            _ => &self.unk_token,
        };
        let token = token.as_ref()?;
        token.get("content").unwrap_or(token).as_str()
    }
}

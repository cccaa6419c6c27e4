//! Settings in small files: the longest text, prompts, the similarity.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::added::AddedTokens;
use super::classes::check_class;
use super::given::or_default;
use super::{ClassOptions, ClassTokenizer, Directory, TransformerSettings};
use crate::error::Error;
use crate::fields::parsed;
use crate::shape::Shape;

/// The fields of `config_sentence_transformers.json` that this crate uses.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Prompts by name: each is put before a text.
    #[serde(deserialize_with = "or_default")]
    pub prompts: BTreeMap<String, Option<String>>,
    /// The prompt that is used where none is named.
    pub default_prompt_name: Option<String>,
    /// The similarity that the embeddings are made for: cosine, dot, euclidean or manhattan.
    pub similarity_fn_name: Option<String>,
}

/// The file of [`Settings`].
pub const SETTINGS: &str = "config_sentence_transformers.json";

/// The ways to compare embeddings that sentence-transformers has.
const SIMILARITIES: [&str; 4] = ["cosine", "dot", "euclidean", "manhattan"];

impl Settings {
    /// Reads the settings; all have defaults.
    pub fn read(directory: &Directory) -> Result<Self, Error> {
        let settings: Self = directory.json(Path::new(SETTINGS))?;
        let failed = |reason| Err(Error::read(&directory.path().join(SETTINGS), reason));
        if let Some(name) = &settings.default_prompt_name
            && !settings.prompts.contains_key(name)
        {
            return failed(format!("`default_prompt_name` {name:?} is not among the prompts"));
        }
        match &settings.similarity_fn_name {
            Some(name) if !SIMILARITIES.contains(&name.as_str()) => {
                let names = SIMILARITIES.join(", ");
                failed(format!("`similarity_fn_name` is {name:?}, expected one of {names}"))
            }
            _ => Ok(settings),
        }
    }

    /// The text of the prompt called `name`, or of the default one; empty if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPrompt`] if no prompt has this name.
    pub fn prompt(&self, name: Option<&str>) -> Result<&str, Error> {
        let Some(name) = name.or(self.default_prompt_name.as_deref()) else {
            return Ok("");
        };
        let prompt = self.prompts.get(name).ok_or_else(|| Error::UnknownPrompt {
            name: name.to_string(),
            known: self.prompts.keys().cloned().collect(),
        })?;
        Ok(prompt.as_deref().unwrap_or(""))
    }
}

/// The fields of `tokenizer_config.json` that this crate uses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct TokenizerSettings {
    /// A number as large as 1e30 stands for "no limit".
    model_max_length: Option<f64>,
    tokenizer_class: Option<String>,
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    truncation_side: Option<Side>,
    padding_side: Option<Side>,
    /// A text, or an object with the text in it.
    pad_token: Option<Value>,
    /// What the tokenizer gives to the model.
    model_input_names: Option<Vec<String>>,
    split_special_tokens: Option<bool>,
    /// A template, or several with names.
    chat_template: Option<Value>,
}

impl TokenizerSettings {
    /// Whether the class is one of BERT's.
    fn has_word_pieces(&self, network: &dyn Shape) -> bool {
        match self.tokenizer_class.as_deref() {
            Some(class) => OWN_NORMALIZER.contains(&class.trim_end_matches("Fast")),
            // Then transformers takes the class of the model's family.
            None => network.bert_normalizer(),
        }
    }

    /// The normalizer of the classes that build their own; the others keep the one of tokenizer.json.
    fn normalization(&self, network: &dyn Shape) -> Option<Normalization> {
        self.has_word_pieces(network).then(|| Normalization {
            lower_case: self.do_lower_case.unwrap_or(true),
            strip_accents: self.strip_accents,
            chinese_characters: self.tokenize_chinese_chars.unwrap_or(true),
        })
    }

    /// Whether the tokenizer tells the model which tokens are of the second text of a pair.
    fn gives_types(&self, network: &dyn Shape) -> bool {
        let class = self.tokenizer_class.as_deref();
        match (&self.model_input_names, class) {
            (Some(names), _) => names.iter().any(|name| name == "token_type_ids"),
            (None, Some(class)) => GIVE_TYPES.contains(&class.trim_end_matches("Fast")),
            (None, None) => network.tokenizer_gives_types(),
        }
    }

    /// Refuses what would give other tokens than Python's.
    fn check(
        &self,
        directory: &Directory,
        module: &Path,
        transformer: &TransformerSettings,
    ) -> Result<(), Error> {
        let (within, module) = (module.join(TOKENIZER_CONFIG), directory.path().join(module));
        let file = module.join("chat_template.jinja");
        let template = match (&self.chat_template, file.exists()) {
            (_, true) => Some(file),
            (Some(_), _) => Some(directory.path().join(&within)),
            (None, false) => None,
        };
        if let Some(file) = template.filter(|_| transformer.uses_chat_template()) {
            let reason = "a chat template is not supported, and Python would write each text into this one: to embed \
                          texts as they are, remove it, and `message` from `modality_config` in \
                          sentence_bert_config.json";
            return Err(Error::read(&file, reason));
        }
        let within = directory.path().join(within);
        if let Some(names) = &self.model_input_names
            && !names.iter().any(|name| name == "attention_mask")
        {
            let reason = "`model_input_names` lacks \"attention_mask\": Python would let texts look at the padding after \
                          them, so that embeddings would depend on the other texts of a batch; add it";
            return Err(Error::read(&within, reason));
        }
        match self.split_special_tokens {
            Some(true) => {
                let reason = "`split_special_tokens` true is not supported; only false is";
                Err(Error::read(&within, reason))
            }
            _ => Ok(()),
        }
    }

    fn pad_token(&self) -> Option<String> {
        let token = self.pad_token.as_ref()?;
        token.get("content").unwrap_or(token).as_str().map(String::from)
    }
}

/// The tokenizers of transformers that make a normalizer of tokenizer_config.json, whatever
/// tokenizer.json has.
const OWN_NORMALIZER: [&str; 8] = [
    "BertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "LayoutLMTokenizer",
    "LxmertTokenizer",
    "MPNetTokenizer",
    "MobileBertTokenizer",
    "SqueezeBertTokenizer",
];

/// The tokenizers of transformers that give the types of tokens unless a file says otherwise.
const GIVE_TYPES: [&str; 5] = [
    "BertTokenizer",
    "DebertaV2Tokenizer",
    "ElectraTokenizer",
    "LayoutLMTokenizer",
    "LxmertTokenizer",
];

pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// The fields of `tokenizer_config.json` in the directory `module`. As in Python, those of
/// `special_tokens_map.json` go before them, unless it names tokens by their ids.
pub fn tokenizer_fields(directory: &Directory, module: &Path) -> Result<Map<String, Value>, Error> {
    let mut fields: Map<String, Value> = directory.json(&module.join(TOKENIZER_CONFIG))?;
    if !fields.contains_key("added_tokens_decoder") {
        let tokens: Map<String, Value> = directory.json(&module.join("special_tokens_map.json"))?;
        fields.extend(tokens);
    }
    Ok(fields)
}

/// A side of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The beginning.
    Left,
    /// The end.
    Right,
}

/// The options of BERT's normalizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normalization {
    /// Whether letters become lower case.
    pub lower_case: bool,
    /// Whether accents are removed; with the case, if not said.
    pub strip_accents: Option<bool>,
    /// Whether each Chinese character is a word.
    pub chinese_characters: bool,
}

/// How texts are prepared for the transformer.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The longest text, in tokens with the special ones.
    pub max_tokens: usize,
    /// The longest pair of texts of a model that is made of this transformer: what Python gives a CrossEncoder,
    /// whatever texts alone may have.
    pub pair_tokens: usize,
    /// Whether texts are lower-cased first.
    pub lower_case: bool,
    /// The normalizer, if it is not the one of tokenizer.json.
    pub normalization: Option<Normalization>,
    /// The options of the tokenizer if it is one of BERT's, whose vocabulary may be vocab.txt.
    pub word_pieces: Option<ClassOptions>,
    /// The class that builds what is around the vocabulary, if there is one.
    pub class: Option<ClassTokenizer>,
    /// The side that long texts are cut on, if not the one of tokenizer.json.
    pub truncation_side: Option<Side>,
    /// The side that short texts are filled on, if not the one of tokenizer.json.
    pub padding_side: Option<Side>,
    /// Whether padding before a text would change its embedding.
    pub positions_count_padding: bool,
    /// The token that fills short texts.
    pub pad_token: Option<String>,
    /// The tokens that are added to the vocabulary.
    pub added: AddedTokens,
    /// Whether the model is told which tokens are of the second text of a pair.
    pub gives_types: bool,
}

impl Limits {
    /// Reads the limits of the transformer in the directory `module`, of which `transformer` is said. The class in
    /// `config.json` counts where the tokenizer's own file names none.
    pub fn read(
        directory: &Directory,
        module: &Path,
        (transformer, class): (&TransformerSettings, Option<&str>),
        network: &dyn Shape,
    ) -> Result<Self, Error> {
        let mut fields = tokenizer_fields(directory, module)?;
        fields.extend(transformer.processor_kwargs.clone());
        fill(&mut fields, class);
        let tokenizer_file = directory.path().join(module).join(TOKENIZER_CONFIG);
        let tokenizer: TokenizerSettings = of_fields(&fields, &tokenizer_file)?;
        tokenizer.check(directory, module, transformer)?;
        let rebuilds = !network.keeps_tokenizer();
        let named = tokenizer.tokenizer_class.as_deref();
        check_class(named.filter(|_| rebuilds && !network.insists_on_class()))
            .map_err(|reason| Error::read(&tokenizer_file, reason))?;
        let options: ClassOptions = of_fields(&fields, &tokenizer_file)?;
        let word_pieces = (rebuilds && tokenizer.has_word_pieces(network)).then(|| options.clone());
        let class = match network.tokenizer_class() {
            Some(class) if network.insists_on_class() => Some(ClassTokenizer { class, options }),
            class => options.with_class(class),
        };
        // Numbers that are too large become the largest there is.
        let by_argument = transformer.processor_kwargs.get("model_max_length");
        let by_argument = by_argument.and_then(Value::as_f64).filter(|length| *length >= 1.0);
        let by_transformer =
            by_argument.or(transformer.max_seq_length).map(|length| length as usize);
        let by_tokenizer = tokenizer.model_max_length.filter(|length| *length >= 1.0);
        let by_tokenizer = by_tokenizer.map(|length| length as usize);
        let usual = by_tokenizer.into_iter().chain(network.usual_tokens()).min();
        let most = network.max_tokens().unwrap_or(usize::MAX);
        let within = |asked: Option<usize>| asked.unwrap_or(usize::MAX).min(most);
        Ok(Self {
            max_tokens: within(by_transformer.or(usual)),
            pair_tokens: within(usual),
            lower_case: transformer.do_lower_case,
            normalization: tokenizer.normalization(network).filter(|_| rebuilds),
            word_pieces,
            class: class.filter(|_| rebuilds),
            truncation_side: tokenizer.truncation_side,
            padding_side: tokenizer.padding_side,
            positions_count_padding: network.positions_count_padding(),
            pad_token: tokenizer.pad_token(),
            added: AddedTokens::read(directory, module, &fields)?,
            gives_types: tokenizer.gives_types(network),
        })
    }
}

/// Gives fields their newer names, and the class that `config.json` names.
fn fill(fields: &mut Map<String, Value>, class: Option<&str>) {
    if let Some(length) = fields.get("max_len").cloned() {
        fields.entry("model_max_length").or_insert(length);
    }
    if let Some(class) = class
        && fields.get("tokenizer_class").is_none_or(Value::is_null)
    {
        fields.insert("tokenizer_class".to_string(), class.into());
    }
}

/// What the fields of the file at `path` say.
fn of_fields<T: DeserializeOwned>(fields: &Map<String, Value>, path: &Path) -> Result<T, Error> {
    let value = Value::Object(fields.clone());
    parsed(value).map_err(|reason| Error::read(path, reason))
}

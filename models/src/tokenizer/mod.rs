//! Texts to token ids.

mod byte_pairs;
mod charsmap;
mod excerpt;
mod rebuilt;
mod sentence_piece;
mod special;
mod steps;
mod template;
mod train;
mod usual;
mod vocabulary;
mod word_pieces;

use std::path::Path;

use serde_json::Value;
use tokenizers::normalizers::utils::{Lowercase, Sequence};
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::utils::padding::{PaddingDirection, PaddingParams};
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{Encoding, NormalizedString, Normalizer, PostProcessor, TruncationParams};

use special::Special;
use usual::Usual;
pub(crate) use vocabulary::assembled;

use crate::cross_encoder::SECOND;
use crate::directory::{Directory, Limits, Side, TOKENIZER_LIMIT};
use crate::error::Error;

const UNKNOWN: &str = "[UNK]";

/// The longest text that is read as a whole, in bytes.
const LONGEST_WHOLE: usize = 1 << 24;

/// The number of a text's letters that an error shows.
const SHOWN: usize = 60;

/// Splits texts into the token ids that an encoder embeds.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Ids are below this.
    rows: usize,
    max_tokens: usize,
    padding_id: Option<u32>,
    /// Whether texts get the special tokens that the tokenizer adds.
    special: bool,
    /// Whether the tokens of the second text of a pair are marked.
    gives_types: bool,
    /// The id that stands for a text without tokens, where these come from no pretrained model.
    of_nothing: Option<u32>,
}

/// Token ids of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The ids of each text. There may be none, of a text without a token that the tokenizer knows.
    pub rows: Vec<Vec<u32>>,
    /// The first ids of each text that are a prompt and are left out of the pooling.
    pub prompt: usize,
    /// How many texts were longer than the limit.
    pub cut: usize,
}

impl Tokens {
    /// The ids of each text, borrowed.
    pub fn slices(&self) -> Vec<&[u32]> {
        self.rows.iter().map(Vec::as_slice).collect()
    }
}

impl Tokenizer {
    /// The id that fills rows up to the longest one of a batch.
    pub const PADDING_ID: u32 = 0;

    /// The id of the token that fills short texts, if there is one. The model does not look at it.
    pub fn padding_id(&self) -> Option<u32> {
        self.padding_id
    }

    /// The number of token ids.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The longest text that is read, in tokens with the special ones.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The token ids of each text, cut to the limit. Of a text that is longer than 2 MiB and has fewer tokens than
    /// the limit there, no more is read.
    ///
    /// # Errors
    ///
    /// If the tokenizer fails, or gives an id that the model has no embedding for; if there is no limit and a text is
    /// longer than 16 MiB.
    pub fn encode(&self, texts: Vec<&str>) -> Result<Tokens, Error> {
        self.check_lengths(&texts)?;
        let encodings = self.encodings(&texts)?;
        let limit = self.max_tokens;
        let cut = encodings.iter().zip(&texts);
        let cut =
            cut.filter(|((encoding, part), text)| self.is_cut(encoding) || part.len() < text.len());
        let cut = cut.count();
        let encodings = encodings.into_iter().map(|(encoding, _)| encoding);
        let rows = encodings.map(|encoding| match encoding.get_ids() {
            [] => self.of_nothing.into_iter().collect(),
            ids => ids[..ids.len().min(limit)].to_vec(),
        });
        let rows: Vec<_> = rows.collect();
        match rows.iter().enumerate().find_map(|(row, ids)| Some((row, self.too_high(ids)?))) {
            Some((row, id)) => Err(self.no_embedding(id, texts[row])),
            None => Ok(Tokens { rows, prompt: 0, cut }),
        }
    }

    /// The token ids of text pairs, each pair cut to the limit by taking tokens from the longer text. The ids
    /// of tokens of the second type, those of the second text, have their highest bit set where the tokenizer
    /// gives types to its model; `types` is the number of types that the model knows. Of long texts only the parts are
    /// read that the tokens come from, as in [`encode`](Self::encode).
    ///
    /// # Errors
    ///
    /// If the tokenizer fails, or gives an id or a type that the model does not know.
    pub fn encode_pairs(&self, pairs: Vec<(&str, &str)>, types: usize) -> Result<Tokens, Error> {
        let parts =
            pairs.iter().map(|pair| self.pair_parts(*pair)).collect::<Result<Vec<_>, _>>()?;
        let encodings = self.inner.encode_batch_fast(parts, self.special).map_err(failed)?;
        let cut = encodings.iter().filter(|encoding| self.is_cut(encoding)).count();
        let unknown = self.inner.token_to_id(UNKNOWN).unwrap_or(Self::PADDING_ID);
        let row = |(encoding, pair): (&Encoding, &(&str, &str))| {
            if encoding.get_ids().is_empty() {
                // Of empty texts, where the tokenizer adds no tokens.
                return Ok(vec![unknown]);
            }
            if let Some(id) = self.too_high(encoding.get_ids()) {
                let place = encoding.get_ids().iter().position(|known| *known == id);
                let of_second =
                    place.and_then(|place| encoding.token_to_sequence(place)) == Some(1);
                return Err(self.no_embedding(id, if of_second { pair.1 } else { pair.0 }));
            }
            let typed = encoding.get_ids().iter().zip(encoding.get_type_ids());
            let typed = typed.map(|(id, kind)| match *kind {
                _ if types == 0 || !self.gives_types => Ok(*id),
                0 => Ok(*id),
                1 if types > 1 => Ok(id | SECOND),
                kind => Err(Error::Tokenizer(format!(
                    "it gives tokens of type {kind}, counted from 0, and the model knows {types} types, of \
                     which the first two are for text pairs"
                ))),
            });
            typed.take(self.max_tokens).collect::<Result<Vec<_>, _>>()
        };
        let rows = encodings.iter().zip(&pairs).map(row).collect::<Result<_, _>>()?;
        Ok(Tokens { rows, prompt: 0, cut })
    }

    /// The parts of two texts that the tokens of the pair come from.
    fn pair_parts<'a>(
        &self,
        (one, other): (&'a str, &'a str),
    ) -> Result<(&'a str, &'a str), Error> {
        let size = excerpt::sizes(self.max_tokens).next().unwrap_or(usize::MAX);
        if one.len() <= size && other.len() <= size {
            return Ok((one, other));
        }
        let found = self.encodings(&[one, other])?;
        let both = found.iter().all(|(encoding, _)| self.is_cut(encoding));
        // Where both are cut, the longer one has the odd token.
        Ok(match both && one.len().max(other.len()) <= excerpt::LONGEST {
            true => (one, other),
            false => (found[0].1, found[1].1),
        })
    }

    /// Refuses a text that would take gigabytes of memory, where all of it is read.
    fn check_lengths(&self, texts: &[&str]) -> Result<(), Error> {
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        if self.max_tokens < usize::MAX || longest <= LONGEST_WHOLE {
            return Ok(());
        }
        Err(Error::Tokenizer(format!(
            "a text has {longest} bytes, and the model reads whole texts, of at most {LONGEST_WHOLE} bytes: split it"
        )))
    }

    /// The tokens of each text, and the part of it that they are taken from.
    fn encodings<'a>(&self, texts: &[&'a str]) -> Result<Vec<(Encoding, &'a str)>, Error> {
        let direction = self.inner.get_truncation().map(|truncation| truncation.direction);
        let direction = direction.unwrap_or(TruncationDirection::Right);
        let mut sizes = excerpt::sizes(self.max_tokens);
        let mut size = sizes.next().unwrap_or(usize::MAX);
        let parts: Vec<_> = texts.iter().map(|text| excerpt::part(text, size, direction)).collect();
        let encodings =
            self.inner.encode_batch_fast(parts.clone(), self.special).map_err(failed)?;
        let mut found: Vec<_> = encodings.into_iter().zip(parts).collect();
        let is_short = |(encoding, part): &(Encoding, &str), text: &str| {
            part.len() < text.len() && !self.is_cut(encoding)
        };
        while found.iter().zip(texts).any(|(found, text)| is_short(found, text)) {
            let Some(larger) = sizes.next() else { break };
            size = larger;
            for (found, text) in found.iter_mut().zip(texts) {
                if is_short(found, text) {
                    let part = excerpt::part(text, size, direction);
                    let encoding = self.inner.encode_fast(part, self.special).map_err(failed)?;
                    *found = (encoding, part);
                }
            }
        }
        Ok(found)
    }

    fn is_cut(&self, encoding: &Encoding) -> bool {
        encoding.get_ids().len() > self.max_tokens || !encoding.get_overflowing().is_empty()
    }

    fn too_high(&self, ids: &[u32]) -> Option<u32> {
        ids.iter().copied().find(|id| *id as usize >= self.rows)
    }

    fn no_embedding(&self, id: u32, text: &str) -> Error {
        let token = self.inner.id_to_token(id).unwrap_or_default();
        let text: String = text.chars().take(SHOWN).collect();
        Error::Tokenizer(format!(
            "it gives the id {id} ({token:?}) in the text {text:?}, but the model has {} word \
             embeddings: the tokenizer is of another model, or has tokens that the model was \
             never resized for",
            self.rows
        ))
    }

    /// Reads a `tokenizer.json` that [`save`](Self::save) wrote, for texts of at most `max_tokens`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn load(path: &Path, max_tokens: usize) -> Result<Self, Error> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = Directory::open(parent.unwrap_or(Path::new(".")))?;
        let name = path.file_name().unwrap_or_default();
        let bytes = directory.required(Path::new(name), TOKENIZER_LIMIT)?;
        let file = serde_json::from_slice(&bytes).map_err(|error| Error::read(path, error))?;
        let inner = built(path, &file)?;
        check_added(&inner).map_err(|reason| Error::read(path, reason))?;
        Ok(Self::of(inner, max_tokens))
    }

    /// A tokenizer whose every id has an embedding.
    fn of(inner: tokenizers::Tokenizer, max_tokens: usize) -> Self {
        let (rows, padding_id) = (inner.get_vocab_size(true), padding_id(&inner, None));
        let of_nothing = Some(inner.token_to_id(UNKNOWN).unwrap_or(Self::PADDING_ID));
        Self { inner, rows, max_tokens, padding_id, special: true, gives_types: false, of_nothing }
    }

    /// The tokenizer of a model with `rows` word embeddings, from the bytes of the file at `path`.
    ///
    /// Texts are cut to the model's limit, in which the special tokens count and are kept, on the side that
    /// the files name. As in Python, tokenizer_config.json goes before tokenizer.json.
    pub(crate) fn pretrained(
        path: &Path,
        bytes: &[u8],
        limits: &Limits,
        rows: usize,
    ) -> Result<Self, Error> {
        let mut inner = read(path, bytes, limits)?;
        check(&inner, limits).map_err(|reason| Error::read(path, reason))?;
        let failed = |error: tokenizers::Error| Error::read(path, error);
        normalize(&mut inner, limits).map_err(failed)?;
        if limits.lower_case {
            let former = inner.get_normalizer().cloned();
            let steps = std::iter::once(Lowercase.into()).chain(former).collect();
            inner.with_normalizer(Some(Sequence::new(steps))).map_err(failed)?;
        }
        check_added(&inner).map_err(|reason| Error::read(path, reason))?;
        if limits.gives_types {
            check_types(&inner).map_err(|reason| Error::read(path, reason))?;
        }
        let max_tokens = limits.max_tokens;
        let direction = truncation_direction(&inner, limits);
        let truncation =
            TruncationParams { max_length: max_tokens, direction, ..Default::default() };
        inner.with_truncation(Some(truncation)).map_err(failed)?;
        let padding_id = padding_id(&inner, limits.pad_token.as_deref());
        let padding_id = padding_id.filter(|id| (*id as usize) < rows);
        inner.with_padding(None);
        let gives_types = limits.gives_types;
        Ok(Self {
            inner,
            rows,
            max_tokens,
            padding_id,
            special: true,
            gives_types,
            of_nothing: None,
        })
    }

    /// The tokenizer of a table with `rows` vectors, as the file at `path` describes it: no special
    /// tokens are added, and texts are cut only if the file says so.
    pub(crate) fn of_table(path: &Path, bytes: &[u8], rows: usize) -> Result<Self, Error> {
        let file = serde_json::from_slice(bytes).map_err(|error| Error::read(path, error))?;
        let mut inner = built(path, &file)?;
        check_added(&inner).map_err(|reason| Error::read(path, reason))?;
        inner.with_padding(None);
        let max_tokens = inner.get_truncation().map_or(usize::MAX, |it| it.max_length);
        let padding_id = padding_id(&inner, None);
        Ok(Self {
            inner,
            rows,
            max_tokens,
            padding_id,
            special: false,
            gives_types: false,
            of_nothing: None,
        })
    }

    /// The same tokenizer for a table with a vector for each of its ids.
    pub(crate) fn for_table(mut self) -> Result<Self, Error> {
        let highest = self.inner.get_vocab(true).into_values().max();
        let highest = highest.ok_or_else(|| Error::Tokenizer("it has no tokens".to_string()))?;
        self.inner.with_truncation(None).map_err(failed)?;
        self.inner.with_padding(None);
        let rows = highest as usize + 1;
        Ok(Self { rows, max_tokens: usize::MAX, special: false, of_nothing: None, ..self })
    }

    /// The same tokenizer for pairs of at most `max_tokens`.
    pub(crate) fn for_pairs(mut self, max_tokens: usize) -> Result<Self, Error> {
        let special = self.inner.get_post_processor().map_or(0, |it| it.added_tokens(true));
        if special >= max_tokens {
            let reason =
                format!("{special} special tokens leave no room in pairs of {max_tokens} tokens");
            return Err(Error::Tokenizer(reason));
        }
        let truncation = self.inner.get_truncation().cloned().unwrap_or_default();
        let truncation = TruncationParams { max_length: max_tokens, ..truncation };
        self.inner.with_truncation(Some(truncation)).map_err(failed)?;
        Ok(Self { max_tokens, ..self })
    }

    /// The number of rows that a table of vectors needs.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The contents of its `tokenizer.json`.
    pub(crate) fn to_json(&self) -> Result<String, Error> {
        self.inner.to_string(true).map_err(failed)
    }

    /// The number of tokens that `prompt` has before a text, as Python counts it: those of the prompt
    /// alone, without the special token at its end.
    pub(crate) fn prompt_length(&self, prompt: &str) -> Result<usize, Error> {
        let tokens = self.encode(vec![prompt])?;
        let ids = tokens.rows.first().map_or(&[][..], Vec::as_slice);
        let added = self.inner.get_added_tokens_decoder();
        let special = |id: &u32| added.get(id).is_some_and(|token| token.special);
        Ok(ids.len() - usize::from(ids.last().is_some_and(special)))
    }

    /// Writes `tokenizer.json`, which every `tokenizers` library can read.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.inner.save(path, true).map_err(|error| Error::write(path, error))
    }
}

/// The tokenizer as the file describes it, or its class.
fn read(path: &Path, bytes: &[u8], limits: &Limits) -> Result<tokenizers::Tokenizer, Error> {
    let mut file = serde_json::from_slice(bytes).map_err(|error| Error::read(path, error))?;
    check_tables(path, &file)?;
    let usual = Usual::of(&file, limits);
    Special::new(&limits.added, usual, Vec::new()).add_to(&mut file);
    if let Some(tokenizer) = &limits.class {
        rebuilt::check(&file, tokenizer).map_err(|reason| Error::read(path, reason))?;
        rebuilt::rebuild(&mut file, tokenizer);
    } else if let Some(options) = &limits.word_pieces {
        let kind = file.pointer("/model/type").and_then(Value::as_str);
        rebuilt::fits(kind, &["WordPiece"]).map_err(|reason| Error::read(path, reason))?;
        word_pieces::rebuild(&mut file, options);
    }
    built(path, &file)
}

/// Builds what was checked, not the bytes of the file, which may have a field twice.
fn built(path: &Path, file: &Value) -> Result<tokenizers::Tokenizer, Error> {
    check_tables(path, file)?;
    let mut file = file.clone();
    for step in ["normalizer", "pre_tokenizer"] {
        steps::as_in_python(&mut file[step]);
    }
    tokenizers::Tokenizer::from_bytes(file.to_string()).map_err(|error| Error::read(path, error))
}

/// The tokenizer crate takes it for granted that these tables are sound.
fn check_tables(path: &Path, file: &Value) -> Result<(), Error> {
    let checks = [charsmap::check, template::check, steps::check];
    checks.iter().try_for_each(|check| check(file)).map_err(|reason| Error::read(path, reason))
}

/// Refuses added tokens that the tokenizer crate cannot find in all texts: spaces that take those
/// before them, where another token takes those after it.
fn check_added(inner: &tokenizers::Tokenizer) -> Result<(), String> {
    let added = inner.get_added_tokens_decoder();
    if !added.values().any(|token| token.rstrip) {
        return Ok(());
    }
    for token in added.values().filter(|token| token.lstrip) {
        let mut text = NormalizedString::from(token.content.as_str());
        if let (true, Some(normalizer)) = (token.normalized, inner.get_normalizer()) {
            normalizer.normalize(&mut text).map_err(|error| error.to_string())?;
        }
        if text.get().trim().is_empty() {
            let name = &token.content;
            return Err(format!("the added token {name:?} is only spaces, and `lstrip` is set"));
        }
    }
    Ok(())
}

/// Refuses a tokenizer that the model cannot be used with.
fn check(inner: &tokenizers::Tokenizer, limits: &Limits) -> Result<(), String> {
    let special = inner.get_post_processor().map_or(0, |it| it.added_tokens(false));
    if special >= limits.max_tokens {
        let limit = limits.max_tokens;
        return Err(format!("{special} special tokens leave no room in texts of {limit}"));
    }
    if limits.positions_count_padding && pads_left(inner, limits) {
        return Err(
            "texts are padded on the left, so that their embeddings would depend on the other \
                    texts of a batch; set `padding_side` in tokenizer_config.json to \"right\""
                .to_string(),
        );
    }
    Ok(())
}

/// Refuses types of tokens within one text, which Python passes to the network.
fn check_types(inner: &tokenizers::Tokenizer) -> Result<(), String> {
    let types = inner.encode("a", true).map_err(|error| error.to_string())?;
    match types.get_type_ids().iter().all(|&type_id| type_id == 0) {
        true => Ok(()),
        false => Err(
            "its post-processor gives tokens of a single text another type than 0, which is not supported: write 0 \
             there, and train the model with it"
                .to_string(),
        ),
    }
}

fn pads_left(inner: &tokenizers::Tokenizer, limits: &Limits) -> bool {
    match limits.padding_side {
        Some(side) => side == Side::Left,
        None => {
            let left = |it: &PaddingParams| matches!(it.direction, PaddingDirection::Left);
            inner.get_padding().is_some_and(left)
        }
    }
}

fn truncation_direction(inner: &tokenizers::Tokenizer, limits: &Limits) -> TruncationDirection {
    match limits.truncation_side {
        Some(Side::Left) => TruncationDirection::Left,
        Some(Side::Right) => TruncationDirection::Right,
        None => inner.get_truncation().map_or(TruncationDirection::Right, |it| it.direction),
    }
}

/// Sets the options of BERT's normalizer, if the tokenizer has one.
fn normalize(inner: &mut tokenizers::Tokenizer, limits: &Limits) -> Result<(), tokenizers::Error> {
    let (Some(asked), Some(NormalizerWrapper::BertNormalizer(there))) =
        (limits.normalization, inner.get_normalizer())
    else {
        return Ok(());
    };
    let normalizer = BertNormalizer::new(
        there.clean_text,
        asked.chinese_characters,
        asked.strip_accents,
        asked.lower_case,
    );
    inner.with_normalizer(Some(normalizer))?;
    Ok(())
}

/// The id of the padding token: as named, of the file's padding, or under its usual names.
fn padding_id(inner: &tokenizers::Tokenizer, named: Option<&str>) -> Option<u32> {
    let of_file = inner.get_padding().map(|padding| padding.pad_token.as_str());
    let names = [named, of_file, Some("[PAD]"), Some("<pad>")];
    names.into_iter().flatten().find_map(|name| inner.token_to_id(name))
}

fn failed(error: tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}

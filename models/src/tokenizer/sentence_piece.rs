//! The file of a SentencePiece model: a message of Protocol Buffers, of which a few fields are read.

/// Pieces of words, and the table of what is replaced in texts before.
#[derive(Debug, Default, PartialEq)]
pub struct SentencePieces {
    /// The pieces, in the order of their numbers.
    pub pieces: Vec<Piece>,
    /// The table, as `precompiled_charsmap` has it; it may be empty.
    pub replacements: Vec<u8>,
}

/// A piece with the logarithm of its probability.
#[derive(Debug, Default, PartialEq)]
pub struct Piece {
    /// Its letters.
    pub text: String,
    /// The higher, the likelier.
    pub score: f32,
    /// Its purpose.
    pub kind: u64,
}

impl Piece {
    /// The kind of `<s>` and its like, which are in no text.
    const CONTROL: u64 = 3;
    /// The kind of pieces that the maker of the model named.
    const USER_DEFINED: u64 = 4;

    /// Whether no text is cut into this piece.
    pub fn is_control(&self) -> bool {
        self.kind == Self::CONTROL
    }

    /// Whether it is found in texts as a whole.
    pub fn is_whole(&self) -> bool {
        self.is_control() || self.kind == Self::USER_DEFINED
    }
}

/// Unigram among the kinds of models, the default.
const UNIGRAM: u64 = 1;
/// An ordinary piece among the kinds of pieces, the default.
const NORMAL: u64 = 1;

/// The pieces in a file, or what is wrong with it.
pub fn read(file: &[u8]) -> Result<SentencePieces, &'static str> {
    let mut model = SentencePieces::default();
    let mut kind = UNIGRAM;
    let mut message = Message(file);
    let damaged = "it is damaged, or no model of SentencePiece: copy or download it again";
    while let Some((number, value)) = message.next_field().ok_or(damaged)? {
        match (number, value) {
            (1, Value::Bytes(bytes)) => model.pieces.push(piece(bytes).ok_or(damaged)?),
            (2, Value::Bytes(bytes)) => {
                kind = number_in(bytes, 3).ok_or(damaged)?.unwrap_or(UNIGRAM)
            }
            (3, Value::Bytes(bytes)) => {
                model.replacements =
                    bytes_in(bytes, 2).ok_or(damaged)?.unwrap_or_default().to_vec();
            }
            _ => {}
        }
    }
    match kind {
        _ if model.pieces.is_empty() => Err(damaged),
        UNIGRAM => Ok(model),
        _ => Err("its pieces are those of another kind than Unigram"),
    }
}

fn piece(bytes: &[u8]) -> Option<Piece> {
    let mut piece = Piece { kind: NORMAL, ..Piece::default() };
    let mut message = Message(bytes);
    while let Some((number, value)) = message.next_field()? {
        match (number, value) {
            (1, Value::Bytes(text)) => piece.text = String::from_utf8(text.to_vec()).ok()?,
            (2, Value::Four(bytes)) => piece.score = f32::from_le_bytes(bytes),
            (3, Value::Number(kind)) => piece.kind = kind,
            _ => {}
        }
    }
    piece.score.is_finite().then_some(piece)
}

/// A number in a message, the last with this number of a field.
fn number_in(message: &[u8], field: u64) -> Option<Option<u64>> {
    let mut message = Message(message);
    let mut found = None;
    while let Some((number, value)) = message.next_field()? {
        if let (true, Value::Number(value)) = (number == field, value) {
            found = Some(value);
        }
    }
    Some(found)
}

/// Bytes in a message, likewise.
fn bytes_in(message: &[u8], field: u64) -> Option<Option<&[u8]>> {
    let mut message = Message(message);
    let mut found = None;
    while let Some((number, value)) = message.next_field()? {
        if let (true, Value::Bytes(value)) = (number == field, value) {
            found = Some(value);
        }
    }
    Some(found)
}

/// The rest of a message.
struct Message<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight,
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The next field with its number; `Some(None)` at the end, `None` if it is damaged.
    fn next_field(&mut self) -> Option<Option<(u64, Value<'a>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.take(8).map(|_| Value::Eight)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Four(self.take(4)?.try_into().ok()?),
            _ => return None,
        };
        Some(Some((key >> 3, value)))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take(1)?.try_into().ok()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, value.len() as u8], value].concat()
    }

    fn piece_of(text: &str, score: f32, kind: u8) -> Vec<u8> {
        let score = [&[2 << 3 | 5][..], &score.to_le_bytes()].concat();
        bytes(1, &[bytes(1, text.as_bytes()), score, vec![3 << 3, kind]].concat())
    }

    #[test]
    fn pieces_and_replacements_are_read() {
        let kind = |kind| bytes(2, &[bytes(7, b"name"), vec![3 << 3, kind]].concat());
        let table =
            bytes(3, &[bytes(1, b"nmt_nfkc"), bytes(2, b"table"), vec![3 << 3, 1]].concat());
        let pieces = [piece_of("<s>", 0.0, 3), piece_of("\u{2581}a", -1.5, 1)].concat();
        let file = |kind: Vec<u8>| [pieces.clone(), kind, table.clone()].concat();
        let found = read(&file(kind(1))).unwrap();
        assert_eq!(found.replacements, b"table");
        let [control, normal] = &found.pieces[..] else { panic!("{found:?}") };
        assert!(control.is_control() && control.is_whole() && !normal.is_whole());
        assert_eq!((&normal.text[..], normal.score), ("\u{2581}a", -1.5));
        assert_eq!(read(&file(Vec::new())).unwrap(), found, "Unigram is the default");
        assert!(read(&file(kind(2))).unwrap_err().contains("another kind"));
    }

    #[test]
    fn no_damage_makes_it_panic() {
        let whole = [piece_of("abc", -1.0, 4), bytes(3, &bytes(2, b"table"))].concat();
        for place in 0..whole.len() {
            assert!(read(&whole[..place]).is_err() || place == piece_of("abc", 0.0, 4).len());
            for value in [0, 0x7f, 0xff, whole[place] ^ 1] {
                let mut bytes = whole.clone();
                bytes[place] = value;
                let _ = read(&bytes);
            }
        }
        assert!(read(&piece_of("a", f32::NAN, 1)).is_err());
    }
}

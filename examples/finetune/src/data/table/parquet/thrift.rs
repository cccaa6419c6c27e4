//! Thrift's compact protocol, in which Parquet writes its headers.
//!
//! The crate that reads a file takes a field for what its number says, and passes over the other fields by their kinds:
//! over a list of booleans without reading a byte, however long it claims to be. A field of another kind would let the
//! two run apart, so every field of a known number must be of its kind.

/// The kind of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Bool,
    Byte,
    Short,
    Int,
    Long,
    Double,
    Binary,
    /// Values of one kind.
    List(&'static Kind),
    /// Fields, the first of which have these kinds.
    Struct(&'static [Kind]),
}

/// Codes of kinds that can be passed over.
mod code {
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const SHORT: u8 = 4;
    pub const INT: u8 = 5;
    pub const LONG: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const STRUCT: u8 = 12;
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Bool => code::TRUE,
            Self::Byte => code::BYTE,
            Self::Short => code::SHORT,
            Self::Int => code::INT,
            Self::Long => code::LONG,
            Self::Double => code::DOUBLE,
            Self::Binary => code::BINARY,
            Self::List(_) => code::LIST,
            Self::Struct(_) => code::STRUCT,
        }
    }
}

/// Values within values of unknown kinds.
const DEPTH: usize = 32;

/// Bytes of the protocol. `None` is what cannot be read.
pub struct Thrift<'a> {
    rest: &'a [u8],
}

impl<'a> Thrift<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The number of bytes that are not read yet.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    pub fn int(&mut self) -> Option<i32> {
        let number = self.number()?;
        let magnitude = i64::try_from(number >> 1).ok()?;
        i32::try_from(if number & 1 == 0 { magnitude } else { -magnitude - 1 }).ok()
    }

    /// The number of the structures in a list.
    pub fn structures(&mut self) -> Option<usize> {
        let (kind, length) = self.list()?;
        (length == 0 || kind == code::STRUCT).then_some(length)
    }

    /// Walks the fields of a structure, of which the first have these kinds. `visit` reads the value of a field, by its
    /// number, or returns false to leave that to the walk.
    pub fn fields(
        &mut self,
        kinds: &[Kind],
        mut visit: impl FnMut(&mut Self, usize) -> Option<bool>,
    ) -> Option<()> {
        let mut last = 0;
        while let (number, code @ 1..) = self.field(last)? {
            last = number;
            let number = usize::try_from(number).ok()?;
            let known = number.checked_sub(1).and_then(|place| kinds.get(place));
            if known.is_some_and(|known| known.code() != code) {
                return None;
            }
            if !visit(self, number)? {
                match known {
                    Some(kind) => self.value(*kind)?,
                    None => self.skip(code, DEPTH)?,
                }
            }
        }
        Some(())
    }

    /// Walks a value of a known kind.
    fn value(&mut self, kind: Kind) -> Option<()> {
        match kind {
            Kind::Struct(kinds) => self.fields(kinds, |_, _| Some(false)),
            Kind::List(kind) => {
                let (code, length) = self.list()?;
                (length == 0 || code == kind.code()).then_some(())?;
                (0..length).try_for_each(|_| self.value(*kind))
            }
            kind => self.skip(kind.code(), DEPTH),
        }
    }

    /// The code and the number of the elements of a list, each of which takes a byte at least.
    fn list(&mut self) -> Option<(u8, usize)> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => usize::try_from(self.number()?).ok()?,
            length => usize::from(length),
        };
        (length <= self.left()).then_some((head & 15, length))
    }

    /// The number and the code of the next field; the code 0 is the end of the structure.
    fn field(&mut self, last: i16) -> Option<(i16, u8)> {
        let head = self.byte()?;
        let code = match head & 15 {
            0 => return Some((last, 0)),
            code::FALSE => code::TRUE,
            code => code,
        };
        let number = match head >> 4 {
            0 => i16::try_from(self.int()?).ok()?,
            step => last.checked_add(i16::from(step))?,
        };
        Some((number, code))
    }

    /// Passes over a value. Parquet has neither sets nor maps nor lists of booleans, which the crate would read otherwise.
    fn skip(&mut self, code: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match code {
            // The code is the value.
            code::TRUE => Some(()),
            code::BYTE => self.bytes(1),
            code::SHORT..=code::LONG => self.number().map(|_| ()),
            code::DOUBLE => self.bytes(8),
            code::BINARY => {
                let length = usize::try_from(self.number()?).ok()?;
                self.bytes(length)
            }
            code::LIST => {
                let (code, length) = self.list()?;
                let booleans = [code::TRUE, code::FALSE].contains(&code);
                (length == 0 || !booleans).then_some(())?;
                (0..length).try_for_each(|_| self.skip(code, depth))
            }
            code::STRUCT => {
                let mut last = 0;
                while let (number, code @ 1..) = self.field(last)? {
                    last = number;
                    self.skip(code, depth)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> Option<()> {
        self.rest = self.rest.get(count..)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
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

    /// Walks a structure whose first field is a list of numbers, the second a structure of a number.
    fn walk(bytes: &[u8]) -> Option<usize> {
        let mut thrift = Thrift::new(bytes);
        let kinds = [Kind::List(&Kind::Int), Kind::Struct(&[Kind::Int])];
        thrift.fields(&kinds, |_, _| Some(false)).map(|()| thrift.left())
    }

    #[test]
    fn values_are_walked_to_their_end() {
        // Two numbers; a structure with an unknown field; unknown: a text, a list of lists, an empty list of booleans.
        let lists = [0x19, 0x29, 0x13, 7, 0x13, 7];
        let known = [0x19, 0x25, 2, 4, 0x1c, 0x15, 8, 0x11, 0];
        let all = [&known[..], &[0x18, 2, b'a', b'b'], &lists, &[0x19, 0x01, 0, 9, 9]].concat();
        assert_eq!(walk(&all), Some(2));
        for end in 0..all.len() - 2 {
            assert_eq!(walk(&all[..end]), None, "{end}");
        }
    }

    #[test]
    fn values_of_another_kind_are_refused_before_any_loop() {
        let most = [0xff, 0xff, 0xff, 0xff, 7];
        let long = |head: &[u8]| [head, &most, &[0; 9]].concat();
        for bytes in [
            // A number, and a list of texts, in the place of a list of numbers.
            vec![0x15, 2, 0],
            vec![0x19, 0x18, 0, 0],
            // A list, and a structure with a list, in the place of a structure with a number.
            vec![0x29, 0x15, 2, 0],
            vec![0x2c, 0x19, 0x15, 2, 0, 0],
            // Two thousand million numbers, and in an unknown field booleans of either code, or lists of them.
            long(&[0x19, 0xf5]),
            long(&[0x59, 0xf1]),
            long(&[0x59, 0xf2]),
            [&[0x59, 0x29][..], &long(&[0xf1])].concat(),
            vec![0x59, 0x11, 1, 0],
            // A set of numbers, and a map of booleans.
            vec![0x5a, 0x15, 2, 0],
            [&[0x5b][..], &most, &[0x11, 0]].concat(),
            // Lists in lists.
            [&[0x59][..], &[0x19; 40], &[0x05, 0]].concat(),
        ] {
            assert_eq!(walk(&bytes), None, "{bytes:x?}");
        }
    }
}

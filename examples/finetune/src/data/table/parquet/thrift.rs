//! The numbers in Thrift's compact protocol, in which Parquet writes its headers: as far as limits need them. What
//! Parquet has no use for ends the walk, so that nothing is read otherwise than by the reader of the file.

/// Kinds of values.
pub const BOOL: u8 = 1;
pub const INT: u8 = 5;
pub const LONG: u8 = 6;
pub const BINARY: u8 = 8;
pub const LIST: u8 = 9;
pub const STRUCT: u8 = 12;

/// Structures within structures.
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

    /// The kind and the number of the elements of a list.
    pub fn list(&mut self) -> Option<(u8, usize)> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => usize::try_from(self.number()?).ok()?,
            length => usize::from(length),
        };
        Some((head & 15, length))
    }

    /// Walks the fields of a structure. The kinds of the first are given. `visit` reads the value of a field, by its
    /// number, or returns false to skip it.
    pub fn fields(
        &mut self,
        kinds: &[u8],
        mut visit: impl FnMut(&mut Self, usize) -> Option<bool>,
    ) -> Option<()> {
        let mut last = 0;
        while let (number, kind @ 1..) = self.field(last)? {
            last = number;
            let number = usize::try_from(number).ok()?;
            let known = number.checked_sub(1).and_then(|place| kinds.get(place));
            if known.is_some_and(|known| *known != kind) {
                return None;
            }
            if !visit(self, number)? {
                self.skip(kind, DEPTH)?;
            }
        }
        Some(())
    }

    /// The number and the kind of the next field; the kind 0 is the end of the structure.
    fn field(&mut self, last: i16) -> Option<(i16, u8)> {
        let head = self.byte()?;
        let kind = match head & 15 {
            0 => return Some((last, 0)),
            1 | 2 => BOOL,
            kind => kind,
        };
        let number = match head >> 4 {
            0 => i16::try_from(self.int()?).ok()?,
            step => last.checked_add(i16::from(step))?,
        };
        Some((number, kind))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // The kind is the value.
            BOOL => Some(()),
            3 => self.bytes(1),
            4..=6 => self.number().map(|_| ()),
            7 => self.bytes(8),
            BINARY => {
                let length = usize::try_from(self.number()?).ok()?;
                self.bytes(length)
            }
            LIST => {
                let (kind, length) = self.list()?;
                let skipped = kind != BOOL && kind != 2;
                (0..length).try_for_each(|_| if skipped { self.skip(kind, depth) } else { None })
            }
            STRUCT => {
                let mut last = 0;
                while let (number, kind @ 1..) = self.field(last)? {
                    last = number;
                    self.skip(kind, depth)?;
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

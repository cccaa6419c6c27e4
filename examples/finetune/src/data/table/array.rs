//! One array of rows in JSON, read an element at a time.

use std::io::{self, BufRead, Read};

use serde_json::{Deserializer, Value};

use super::Row;
use super::json::{not_json, row};
use crate::data::contents::Contents;
use crate::error::Error;

/// The elements of an array. Memory holds one of them.
pub struct Elements<'a> {
    contents: &'a Contents,
    reader: Box<dyn BufRead>,
    /// The bytes of the last element, and the spaces around it.
    element: Vec<u8>,
    /// The place of the next byte.
    place: Position,
    /// What ended the last element: a comma, or the bracket that ends the array.
    end: u8,
    read: bool,
}

/// A place in a text. Lines are counted from one, bytes of a line from zero.
#[derive(Debug, Clone, Copy)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn after(self, bytes: &[u8]) -> Self {
        match bytes.iter().rposition(|&byte| byte == b'\n') {
            None => Self { column: self.column + bytes.len(), ..self },
            Some(last) => {
                let line = self.line + bytes.iter().filter(|&&byte| byte == b'\n').count();
                Self { line, column: bytes.len() - last - 1 }
            }
        }
    }
}

/// What has been opened at a place within an element.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether this byte ends the element.
    fn ends(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.in_text,
            b'"' => self.in_text = !self.in_text,
            _ if self.in_text => {}
            b'[' | b'{' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

/// Whether a file is one array with nothing after it.
pub fn is_whole(contents: &Contents) -> Result<bool, Error> {
    let mut bytes = contents.text()?.bytes();
    let mut next = || bytes.next().transpose().map_err(|error| contents.unreadable(error));
    let mut nesting = Nesting::default();
    let mut began = false;
    while let Some(byte) = next()? {
        match (began, byte) {
            (false, b'[') => began = true,
            (false, byte) if byte.is_ascii_whitespace() => {}
            (false, _) => return Ok(false),
            (true, byte) => {
                if nesting.ends(byte) && byte == b']' {
                    break;
                }
            }
        }
    }
    while let Some(byte) = next()? {
        if !byte.is_ascii_whitespace() {
            return Ok(false);
        }
    }
    Ok(began)
}

impl<'a> Elements<'a> {
    /// Those of a file that begins with a bracket.
    pub fn of(contents: &'a Contents) -> Result<Self, Error> {
        let mut reader: Box<dyn BufRead> = Box::new(contents.text()?);
        let mut start = Vec::new();
        reader.read_until(b'[', &mut start).map_err(|error| contents.unreadable(error))?;
        let place = Position { line: 1, column: 0 }.after(&start);
        Ok(Self { contents, reader, element: Vec::new(), place, end: b',', read: false })
    }

    fn next_row(&mut self) -> Result<Option<Row>, Error> {
        if self.end == b']' {
            return self.nothing_more().map(|()| None);
        }
        let end = self.read_element().map_err(|error| self.contents.unreadable(error))?;
        let blank = self.element.trim_ascii_start();
        let start = self.place.after(&self.element[..self.element.len() - blank.len()]);
        self.place = self.place.after(&self.element);
        self.place.column += usize::from(end.is_some());
        let first = !std::mem::replace(&mut self.read, true);
        match (blank.is_empty(), end) {
            (false, Some(end)) => self.end = end,
            (true, Some(b']')) if first => {
                self.end = b']';
                return self.next_row();
            }
            (true, Some(end)) => return Err(self.unexpected(start, char::from(end), "a row")),
            (true, None) => return Err(self.cut_short()),
            // Says what is wrong within the element, if it is not whole.
            (false, None) => return self.value(start).and_then(|_| Err(self.cut_short())),
        }
        row(self.contents.path(), start.line, self.value(start)?).map(Some)
    }

    /// Reads up to the end of an element, which is returned; `None` at the end of the file.
    fn read_element(&mut self) -> io::Result<Option<u8>> {
        self.element.clear();
        let mut nesting = Nesting::default();
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let end = bytes.iter().position(|&byte| nesting.ends(byte));
            let length = end.unwrap_or(bytes.len());
            self.element.extend_from_slice(&bytes[..length]);
            let end = end.map(|end| bytes[end]);
            self.reader.consume(length + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    /// The value in the element, which begins at `start`.
    fn value(&self, start: Position) -> Result<Value, Error> {
        let element = self.element.trim_ascii();
        let mut values = Deserializer::from_slice(element).into_iter();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(self.not_json(start, &error)),
            None => return Err(self.cut_short()),
        };
        let after = &element[values.byte_offset()..];
        let rest = after.trim_ascii_start();
        match String::from_utf8_lossy(rest).chars().next() {
            None => Ok(value),
            Some(found) => {
                let at = start.after(&element[..element.len() - rest.len()]);
                Err(self.unexpected(at, found, "a comma or the end of the array"))
            }
        }
    }

    fn not_json(&self, start: Position, error: &serde_json::Error) -> Error {
        let lines = error.line().saturating_sub(1);
        let indent = if lines == 0 { start.column } else { 0 };
        not_json(self.contents.path(), start.line + lines, indent + error.column(), error)
    }

    fn nothing_more(&mut self) -> Result<(), Error> {
        let mut rest = Vec::new();
        loop {
            rest.clear();
            let read = self.reader.read_until(b'\n', &mut rest);
            read.map_err(|error| self.contents.unreadable(error))?;
            let found = String::from_utf8_lossy(rest.trim_ascii_start()).chars().next();
            match found {
                Some(found) => {
                    return Err(self.unexpected(self.place, found, "nothing after the array"));
                }
                None if rest.is_empty() => return Ok(()),
                None => self.place = self.place.after(&rest),
            }
        }
    }

    fn unexpected(&self, at: Position, found: char, expected: &str) -> Error {
        let reason = format!("not JSON: expected {expected}, found `{found}`");
        Error::row(self.contents.path(), at.line, reason)
    }

    /// The error of a file that ends here, in its last line with something in it.
    fn cut_short(&self) -> Error {
        let Position { line, column } = self.place;
        let reason = "not JSON: the array has no end; is the file cut short?";
        Error::row(self.contents.path(), line - usize::from(column == 0 && line > 1), reason)
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

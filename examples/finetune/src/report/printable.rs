//! Text from files and file names, as it may be shown on a terminal.

use std::fmt::{self, Display, Write};

/// Shows a text without what would steer a terminal: control characters are escaped, as are those that
/// cannot be seen.
pub struct Printable<T>(pub T);

impl<T: Display> Display for Printable<T> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(Escape(out), "{}", self.0)
    }
}

/// Escapes what is written to it.
struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            // Our own tables have lines.
            match letter != '\n' && is_hidden(letter) {
                true => write!(self.0, "{}", letter.escape_unicode())?,
                false => self.0.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Control characters, those that change the direction of a text, and those without a width.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// The letters that a message has at most, and those at its end: it names the way out.
const LONGEST: usize = 700;
const END: usize = 250;

/// A message as one line that fits on a screen.
pub fn line(message: impl Display) -> String {
    let message = Printable(message).to_string().replace('\n', "\\n");
    let letters = message.chars().count();
    if letters <= LONGEST {
        return message;
    }
    let start: String = message.chars().take(LONGEST - END).collect();
    let end: String = message.chars().skip(letters - END).collect();
    format!("{start} … {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_steered() {
        let text = "9\x1b[2J\x1b]0;owned\x07 t\u{202e}\u{61c}\u{200b}é雨\tx";
        let shown = "9\\u{1b}[2J\\u{1b}]0;owned\\u{7} t\\u{202e}\\u{61c}\\u{200b}é雨\\u{9}x";
        assert_eq!(Printable(text).to_string(), shown);
        assert_eq!(Printable("a\nb").to_string(), "a\nb");
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        assert_eq!(line("one\nerror: forged"), "one\\nerror: forged");
        let long = line(format!("start {} end", "x".repeat(100_000)));
        assert!(long.chars().count() < LONGEST + 10, "{long}");
        assert!(long.starts_with("start xxx") && long.ends_with("xxx end"), "{long}");
    }
}

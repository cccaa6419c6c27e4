//! Command lines in messages.

/// A word of a command line, quoted where a shell would take it for something else.
pub fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,=:@%".contains(letter);
    match text.chars().all(plain) {
        true => text.to_string(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// The word for `--columns` by which a column has a role.
pub fn column(role: &str, name: &str) -> String {
    word(&format!("{role}={name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(word("anchor=question"), "anchor=question");
        assert_eq!(word("anchor=My question"), "'anchor=My question'");
        assert_eq!(word("a=it's $HOME"), r"'a=it'\''s $HOME'");
    }
}

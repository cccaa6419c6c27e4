//! Text in a page.

/// Text as text, also within an attribute.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Neither HTML nor XML has a way to write these.
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// A list of colours and what they stand for.
pub fn legend(entries: &[(usize, String)]) -> String {
    let entry = |(kind, name): &(usize, String)| {
        format!("<li><i class=\"k{kind}\"></i>{}</li>", escaped(name))
    };
    format!("<ul class=\"legend\">{}</ul>", entries.iter().map(entry).collect::<String>())
}

/// A drawing with what it shows.
pub fn figure(svg: &str, caption: &str) -> String {
    let caption = escaped(caption);
    let svg = svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{caption}\" "), 1);
    format!("<figure>{svg}<figcaption>{caption}</figcaption></figure>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<b a='1'>\"&\u{1}"), "&lt;b a=&#39;1&#39;&gt;&quot;&amp;\u{fffd}");
        assert!(legend(&[(2, "<script>".into())]).contains("class=\"k2\"></i>&lt;script&gt;</li>"));
    }
}

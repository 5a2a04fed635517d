//! Text for the inside of HTML.

use std::fmt::Write;

/// Escapes text for element contents and for quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "&#{};", u32::from(letter));
            }
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_an_element_or_an_attribute() {
        assert_eq!(escape("<a b='c'>\"&"), "&#60;a b=&#39;c&#39;&#62;&#34;&#38;");
        assert_eq!(escape("Ελένη"), "Ελένη");
    }
}

//! Writes JSON straight into a byte vector. Pages are spliced from prepared bytes, so the hot path never
//! builds a `serde_json::Value`.

/// Appends `text` as a quoted JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Appends `text` escaped for the inside of a JSON string, without the quotes.
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // Without an early exit the compiler looks at many bytes at once; nearly all texts are plain.
    if !bytes
        .iter()
        .fold(false, |found, byte| found | needs_escape(*byte))
    {
        out.extend_from_slice(bytes);
        return;
    }
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !needs_escape(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[start..at]);
        escape_byte(out, byte);
        start = at + 1;
    }
    out.extend_from_slice(&bytes[start..]);
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        control => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(control >> 4)]);
            out.push(HEX[usize::from(control & 15)]);
        }
    }
}

/// Undoes [`escape`]. Input comes from [`escape`] only, so no other escapes occur.
pub(crate) fn unescape(escaped: &[u8]) -> std::borrow::Cow<'_, str> {
    let text = std::str::from_utf8(escaped).unwrap_or_default();
    if !escaped.contains(&b'\\') {
        return text.into();
    }
    serde_json::from_str::<String>(&format!("\"{text}\""))
        .unwrap_or_default()
        .into()
}

/// Appends a decimal number.
pub(crate) fn integer(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a comma unless the container was only just opened.
pub(crate) fn comma(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{' | b'[')) {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_is_undone_by_unescaping() {
        for text in ["", "plain", "a \"quoted\" \\ line\nnext\ttab\u{1}", "Ελένη 🚀"] {
            let mut out = Vec::new();
            escape(&mut out, text);
            assert_eq!(unescape(&out), text);
        }
    }

    #[test]
    fn integers_are_written_in_full() {
        let mut out = Vec::new();
        for number in [0, 7, 10, u64::MAX] {
            integer(&mut out, number);
            out.push(b' ');
        }
        assert_eq!(out, b"0 7 10 18446744073709551615 ");
    }
}

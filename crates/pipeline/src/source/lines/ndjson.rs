//! One JSON object a line.

use std::io::{self, BufRead, Read as _};

use bytes::Bytes;

use super::{BYTE_ORDER_MARK, Content, Decoder, LONGEST_ROW, Piece, Problem, not_utf8, too_long};

/// Reads line by line.
pub(super) struct Lines;

impl Decoder for Lines {
    fn next(&mut self, input: &mut dyn BufRead) -> io::Result<Option<Piece>> {
        let mut line = Vec::new();
        input.take(LONGEST_ROW as u64 + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let ended = line.ends_with(b"\n");
        Ok(Some(Piece {
            bytes: line.len() as u64,
            lines: u64::from(ended),
            ended,
            content: content(line, ended),
        }))
    }
}

fn content(line: Vec<u8>, ended: bool) -> Content {
    if line.len() > LONGEST_ROW {
        return Content::Bad(too_long());
    }
    let line = Bytes::from(line);
    let text = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line).trim_ascii();
    if text.is_empty() {
        return Content::Nothing;
    }
    if simdutf8::basic::from_utf8(text).is_err() {
        return Content::Bad(not_utf8(text));
    }
    // A complete object is one, whether or not its line ends; half of one is no JSON.
    if !ended && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err() {
        return Content::Bad(Problem::Unfinished("its last line is not complete".to_owned()));
    }
    Content::Row(line.slice_ref(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(mut text: &[u8]) -> Vec<Piece> {
        std::iter::from_fn(|| Lines.next(&mut text).unwrap()).collect()
    }

    fn row(text: &'static str) -> Content {
        Content::Row(Bytes::from(text))
    }

    #[test]
    fn lines_are_rows_and_blank_ones_are_not() {
        let pieces = pieces(b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n {\"a\":2}\n");
        let contents: Vec<_> = pieces.iter().map(|piece| &piece.content).collect();
        assert_eq!(
            contents,
            [
                &row(r#"{"a":1}"#),
                &Content::Nothing,
                &Content::Nothing,
                &row(r#"{"a":2}"#)
            ]
        );
        assert_eq!(
            pieces.iter().map(|piece| piece.bytes).collect::<Vec<_>>(),
            [12, 1, 3, 9]
        );
    }

    #[test]
    fn a_last_line_without_an_end_is_a_row_when_it_is_whole() {
        let whole = &pieces(br#"{"a":1}"#)[0];
        assert_eq!(
            (&whole.content, whole.ended, whole.lines),
            (&row(r#"{"a":1}"#), false, 0)
        );
        let half = &pieces(br#"{"a":1,"b"#)[0];
        assert!(
            matches!(half.content, Content::Bad(Problem::Unfinished(_))),
            "{half:?}"
        );
    }

    #[test]
    fn another_encoding_is_told() {
        let bad = |text| match pieces(text).remove(0).content {
            Content::Bad(problem) => problem,
            other => panic!("{other:?}"),
        };
        assert!(matches!(bad(b"{\"a\":\"\xe9\"}\n"), Problem::Line(why) if why.contains("UTF-8")));
        assert!(matches!(bad(b"\xff\xfe{\0}\0\n"), Problem::All { why, .. } if why.contains("UTF-16")));
    }
}

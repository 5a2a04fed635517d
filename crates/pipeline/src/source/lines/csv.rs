//! Rows of cells, the first one with the names of the columns.

use std::io::{self, BufRead};
use std::str;

use bytes::Bytes;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{BYTE_ORDER_MARK, Content, Decoder, LONGEST_ROW, Piece, Problem, not_utf8, too_long};
use crate::source::rows::Object;

/// What stands between cells, and around those that hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) struct CsvDialect {
    /// One character between two cells.
    pub(in crate::source) delimiter: u8,
    /// One character around a cell that holds delimiters, line ends or quotes; a quote within is doubled.
    pub(in crate::source) quote: u8,
}

/// Reads row by row.
pub(super) struct Rows {
    reader: Reader,
    header: Option<Vec<String>>,
    cells: Vec<u8>,
    ends: Vec<usize>,
    at_start: bool,
}

impl Rows {
    pub(super) fn new(dialect: CsvDialect) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .build();
        Self {
            reader,
            header: None,
            cells: vec![0; 4096],
            ends: vec![0; 64],
            at_start: true,
        }
    }

    /// The cells of the next row, in `self.cells` and `self.ends`.
    fn read(&mut self, input: &mut dyn BufRead) -> io::Result<Read> {
        let mut read = Read {
            bytes: self.skip_mark(input)?,
            ..Read::default()
        };
        loop {
            let buffer = input.fill_buf()?;
            read.at_end = buffer.is_empty();
            if read.at_end && !read.begun {
                return Ok(read);
            }
            // A line end shows whether the last row is whole: within quotes it is one more character of a cell.
            let text = if read.at_end { b"\n" } else { buffer };
            let lines = self.reader.line();
            let (result, taken, written, cells) = self.reader.read_record(
                text,
                &mut self.cells[read.written..],
                &mut self.ends[read.cells..],
            );
            let taken_text = &text[..taken];
            read.begun |= taken_text.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
            let carriage_return = taken_text.ends_with(b"\r");
            (read.written, read.cells) = (read.written + written, read.cells + cells);
            if !read.at_end {
                read.bytes += taken as u64;
                read.lines += self.reader.line() - lines;
                input.consume(taken);
            }
            match result {
                ReadRecordResult::OutputFull if read.written > LONGEST_ROW => return Ok(read),
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End if read.at_end => return Ok(read),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                ReadRecordResult::Record => {
                    read.whole = true;
                    if carriage_return {
                        read.take_line_feed(input)?;
                    }
                    return Ok(read);
                }
            }
        }
    }

    fn skip_mark(&mut self, input: &mut dyn BufRead) -> io::Result<u64> {
        let marked = self.at_start && input.fill_buf()?.starts_with(BYTE_ORDER_MARK);
        self.at_start = false;
        let length = if marked { BYTE_ORDER_MARK.len() } else { 0 };
        input.consume(length);
        Ok(length as u64)
    }

    fn content(&mut self, read: &Read) -> Content {
        if read.written > LONGEST_ROW {
            return Content::Bad(too_long());
        }
        if !read.whole {
            return Content::Bad(Problem::Unfinished("a quoted cell does not end".to_owned()));
        }
        let ends = &self.ends[..read.cells];
        let length = ends.last().copied().unwrap_or(0);
        let Ok(text) = str::from_utf8(&self.cells[..length]) else {
            return Content::Bad(not_utf8(&self.cells[..length]));
        };
        match &self.header {
            None => match header(text, ends) {
                Ok(names) => {
                    self.header = Some(names);
                    Content::Nothing
                }
                Err(problem) => Content::Bad(problem),
            },
            Some(names) => match row(names, text, ends) {
                Ok(json) => Content::Row(json),
                Err(problem) if !read.at_end => Content::Bad(problem),
                Err(_) => Content::Bad(Problem::Unfinished("its last line is not complete".to_owned())),
            },
        }
    }
}

/// How a row was read.
#[derive(Default)]
struct Read {
    bytes: u64,
    lines: u64,
    /// Bytes of all cells.
    written: usize,
    cells: usize,
    /// There was more than blank lines.
    begun: bool,
    /// The text ends here, for now.
    at_end: bool,
    /// No quoted cell is open.
    whole: bool,
}

impl Read {
    /// The reader ends a row at its carriage return, and would count the line with the next row.
    fn take_line_feed(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        if input.fill_buf()?.first() == Some(&b'\n') {
            input.consume(1);
            self.bytes += 1;
            self.lines += 1;
        }
        Ok(())
    }
}

impl Decoder for Rows {
    fn next(&mut self, input: &mut dyn BufRead) -> io::Result<Option<Piece>> {
        let read = self.read(input)?;
        if !read.begun {
            return Ok(None);
        }
        Ok(Some(Piece {
            bytes: read.bytes,
            lines: read.lines,
            ended: !read.at_end,
            content: self.content(&read),
        }))
    }
}

fn cells<'a>(text: &'a str, ends: &'a [usize]) -> impl Iterator<Item = Option<&'a str>> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    // Cells that came in several pieces of UTF-8 are no cells.
    starts.zip(ends).map(|(start, end)| text.get(start..*end))
}

/// The names of the columns.
fn header(text: &str, ends: &[usize]) -> Result<Vec<String>, Problem> {
    let unusable = |why: String, hint: &str| Problem::All {
        why,
        hint: hint.to_owned(),
    };
    let mut names: Vec<String> = Vec::new();
    for (index, name) in cells(text, ends).enumerate() {
        let name = name.unwrap_or_default().trim();
        if name.is_empty() {
            let why = format!("column {} has no name", index + 1);
            return Err(unusable(why, "the first line must name every column"));
        }
        if names.iter().any(|known| known == name) {
            let why = format!("two columns are called `{name}`");
            return Err(unusable(why, "give each column a name of its own"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The JSON object of a row. An empty cell is null.
fn row(names: &[String], text: &str, ends: &[usize]) -> Result<Bytes, Problem> {
    if names.len() != ends.len() {
        let (has, wants) = (ends.len(), names.len());
        return Err(Problem::line(format!(
            "it has {has} cells, and the header names {wants} columns"
        )));
    }
    let mut json = Object::new();
    for (name, cell) in names.iter().zip(cells(text, ends)) {
        match cell {
            Some("") => json.put(name, "null"),
            Some(cell) => json.put_text(name, cell),
            None => return Err(not_utf8(text.as_bytes())),
        }
    }
    Ok(json.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: CsvDialect = CsvDialect {
        delimiter: b',',
        quote: b'"',
    };

    /// The pieces of `text`, read through a buffer of a few bytes.
    fn pieces(dialect: CsvDialect, text: &[u8]) -> Vec<Piece> {
        [1, 3, 8192]
            .map(|buffer| {
                let (mut rows, mut input) = (
                    Rows::new(dialect),
                    io::BufReader::with_capacity(buffer.max(3), text),
                );
                std::iter::from_fn(|| rows.next(&mut input).unwrap()).collect::<Vec<_>>()
            })
            .into_iter()
            .reduce(|a, b| {
                assert_eq!(
                    format!("{a:?}"),
                    format!("{b:?}"),
                    "whatever the size of the buffer"
                );
                b
            })
            .unwrap()
    }

    fn shown(dialect: CsvDialect, text: &[u8]) -> Vec<String> {
        let pieces = pieces(dialect, text);
        let bytes: u64 = pieces.iter().map(|piece| piece.bytes).sum();
        assert!(bytes <= text.len() as u64);
        let show = |piece: Piece| match piece.content {
            Content::Nothing => "-".to_owned(),
            Content::Row(json) => String::from_utf8(json.to_vec()).unwrap(),
            Content::Bad(problem) => format!("{problem:?}"),
        };
        pieces.into_iter().map(show).collect()
    }

    #[test]
    fn cells_become_texts_and_empty_ones_null() {
        let text = b"\xef\xbb\xbfid, name \r\n1,\"A, \"\"B\"\"\r\nC\"\r\n\r\n2,\r\n";
        assert_eq!(
            shown(USUAL, text),
            [
                "-",
                r#"{"id":"1","name":"A, \"B\"\r\nC"}"#,
                r#"{"id":"2","name":null}"#
            ]
        );
    }

    #[test]
    fn offsets_and_lines_lead_to_the_next_row() {
        let text = b"id,n\r\n1,\"a\nb\"\r\n2,c\n";
        let pieces = pieces(USUAL, text);
        let (mut offset, mut line) = (0, 0);
        let places: Vec<_> = pieces
            .iter()
            .map(|piece| {
                (offset, line) = (offset + piece.bytes, line + piece.lines);
                (offset, line)
            })
            .collect();
        assert_eq!(places, [(6, 1), (15, 3), (19, 4)]);
    }

    #[test]
    fn another_dialect_is_read() {
        let dialect = CsvDialect {
            delimiter: b';',
            quote: b'\'',
        };
        assert_eq!(
            shown(dialect, b"a;b\n1;'x;\"y'\n"),
            ["-", r#"{"a":"1","b":"x;\"y"}"#]
        );
    }

    #[test]
    fn a_row_of_another_length_is_bad_and_the_next_one_is_not() {
        let shown = shown(USUAL, b"a,b\n1\n2,3,4\n5,6\n");
        assert!(
            shown[1].contains("it has 1 cells, and the header names 2 columns"),
            "{shown:?}"
        );
        assert!(shown[2].contains("it has 3 cells"), "{shown:?}");
        assert_eq!(shown[3], r#"{"a":"5","b":"6"}"#);
    }

    #[test]
    fn the_last_row_may_be_half_written() {
        let last = |text: &[u8]| pieces(USUAL, text).pop().unwrap();
        let half = last(b"a,b\n1,2\n3");
        assert!(
            matches!(half.content, Content::Bad(Problem::Unfinished(_))),
            "{half:?}"
        );
        let whole = last(b"a,b\n1,2\n3,4");
        assert_eq!(
            (whole.content, whole.ended),
            (Content::Row(Bytes::from(r#"{"a":"3","b":"4"}"#)), false)
        );
        let quoted = last(b"a,b\n1,\"2\n3,4\n");
        assert!(matches!(quoted.content, Content::Bad(Problem::Unfinished(why)) if why.contains("quoted")));
    }

    #[test]
    fn a_header_that_names_nothing_or_twice_the_same_is_refused() {
        assert!(shown(USUAL, b"a,,b\n")[0].contains("column 2 has no name"));
        assert!(shown(USUAL, b"a,b,a\n")[0].contains("two columns are called `a`"));
        assert!(shown(USUAL, b"a,\xe9\n")[0].contains("UTF-8"));
    }

    #[test]
    fn many_and_long_cells_fit() {
        let names: Vec<_> = (0..300).map(|n| format!("c{n}")).collect();
        let cell = "x".repeat(10_000);
        let text = format!("{}\n{}\n", names.join(","), vec![cell; 300].join(","));
        let rows = pieces(USUAL, text.as_bytes());
        assert!(matches!(&rows[1].content, Content::Row(json) if json.len() > 3_000_000));
    }
}

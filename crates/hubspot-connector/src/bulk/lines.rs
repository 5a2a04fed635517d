//! Which row HubSpot means by the line of an error.
//!
//! `lineNumber` is documented as "the 1-indexed line number of this row in the source file". Whether a row that spans
//! lines counts once, or the header at all, is not said. The cells that come along tell which reading is right.

use hubspot_client::ImportError;

use super::file::File;

/// The lines of a file.
pub(super) struct Lines<'f, T> {
    file: &'f File<T>,
    /// The line that each row begins in, where rows span lines.
    begin: Vec<u64>,
}

/// The line of the first row, after the header.
const FIRST: u64 = 2;

impl<'f, T> Lines<'f, T> {
    pub(super) fn of(file: &'f File<T>) -> Self {
        let mut next = FIRST;
        let begin = file.rows().iter().map(|row| {
            let this = next;
            let breaks = |(_, value): &(String, String)| value.matches('\n').count() as u64;
            next += 1 + row.values.iter().map(breaks).sum::<u64>();
            this
        });
        Self {
            begin: begin.collect(),
            file,
        }
    }

    /// The place of the row that an error is about.
    pub(super) fn row(&self, error: &ImportError) -> Option<usize> {
        let readings = self.readings(error.line());
        if error.row().is_empty() {
            return readings[0];
        }
        let fitting = readings.iter().flatten().find(|place| self.fits(**place, error));
        fitting.copied().or(readings[0])
    }

    /// A row is a line; a line is a line; the header is none. The likeliest first.
    fn readings(&self, line: u64) -> [Option<usize>; 3] {
        let place = |line: u64, first: u64| {
            let place = usize::try_from(line.checked_sub(first)?).ok()?;
            (place < self.file.len()).then_some(place)
        };
        [
            place(line, FIRST),
            self.begin.binary_search(&line).ok(),
            place(line, FIRST - 1),
        ]
    }

    fn fits(&self, place: usize, error: &ImportError) -> bool {
        self.file.cells(&self.file.rows()[place]) == error.row()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Row;
    use super::*;

    fn file() -> File<()> {
        let mut file = File::default();
        for (line, note) in [(1, "one"), (2, "two\nlines"), (3, "three"), (4, "four")] {
            let values = vec![("note".to_owned(), note.to_owned())];
            let origin = ();
            file.add(Row { line, origin, values }, None);
        }
        file
    }

    fn error(line: u64, row: &[&str]) -> ImportError {
        let error = serde_json::json!({"errorType": "X", "sourceData": {"lineNumber": line, "rowData": row}});
        serde_json::from_value(error).expect("an error")
    }

    #[test]
    fn the_cells_tell_how_lines_are_counted() {
        let file = file();
        let lines = Lines::of(&file);
        let rows = [
            (4, "three", Some(2), "a row is a line"),
            (5, "three", Some(2), "a line is a line"),
            (3, "three", Some(2), "the header is none"),
            (5, "four", Some(3), "a row is a line"),
            (6, "four", Some(3), "a line is a line"),
            (4, "hidden", Some(2), "the likeliest, when no reading fits"),
            (9, "four", None, "beyond the file"),
        ];
        for (line, cell, place, why) in rows {
            assert_eq!(lines.row(&error(line, &[cell])), place, "{why}: {line} {cell}");
        }
        assert_eq!(lines.row(&error(2, &[])), Some(0));
        assert_eq!(lines.row(&error(0, &[])), None, "the whole file");
    }
}

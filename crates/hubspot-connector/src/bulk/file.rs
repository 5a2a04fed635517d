//! One file of an import: rows, the columns that they need, and how large it is.

use std::collections::{HashMap, HashSet};

use super::{FileLimits, Row};

/// Rows that go up together.
#[derive(Debug)]
pub(super) struct File<T> {
    rows: Vec<Row<T>>,
    /// In the order in which they were first seen.
    columns: Vec<String>,
    places: HashMap<String, usize>,
    keys: HashSet<String>,
    /// Bytes of the cells; separators are counted when asked.
    cells: usize,
}

/// What tells a row's record from others, as HubSpot compares it: without regard to case and blanks around it.
pub(super) fn key_of<T>(row: &Row<T>, property: Option<&str>) -> Option<String> {
    let value = row.value(property?)?.trim();
    (!value.is_empty()).then(|| value.to_lowercase())
}

impl<T> Default for File<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            columns: Vec::new(),
            places: HashMap::new(),
            keys: HashSet::new(),
            cells: 0,
        }
    }
}

impl<T> File<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn has_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    pub(super) fn rows(&self) -> &[Row<T>] {
        &self.rows
    }

    pub(super) fn into_rows(self) -> Vec<Row<T>> {
        self.rows
    }

    /// Whether the file stays within limits with one row more.
    pub(super) fn has_room(&self, row: &Row<T>, limits: FileLimits) -> bool {
        let new = row
            .values
            .iter()
            .filter(|(name, _)| !self.places.contains_key(name));
        let columns = self.columns.len() + new.clone().count();
        let names: usize = new.map(|(name, _)| cell_bytes(name)).sum();
        let lines = self.rows.len() + 2;
        let bytes = self.cells + names + row_bytes(row) + lines * columns;
        self.rows.len() < limits.rows && bytes <= limits.bytes
    }

    pub(super) fn add(&mut self, row: Row<T>, key: Option<String>) {
        for (name, _) in &row.values {
            if !self.places.contains_key(name) {
                self.places.insert(name.clone(), self.columns.len());
                self.columns.push(name.clone());
                self.cells += cell_bytes(name);
            }
        }
        self.cells += row_bytes(&row);
        self.keys.extend(key);
        self.rows.push(row);
    }

    /// The cells of a row, in the order of the columns.
    pub(super) fn cells<'r>(&self, row: &'r Row<T>) -> Vec<&'r str> {
        let mut cells = vec![""; self.columns.len()];
        for (name, value) in &row.values {
            if let Some(place) = self.places.get(name) {
                cells[*place] = value;
            }
        }
        cells
    }

    /// The file as it goes up.
    pub(super) fn csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let lines = self.rows.iter().map(|row| self.cells(row));
        for line in std::iter::once(self.columns().collect()).chain(lines) {
            writer
                .write_record(line)
                .expect("writing to memory does not fail");
        }
        writer.into_inner().expect("writing to memory does not fail")
    }
}

/// With quotes around it, and those inside doubled.
fn cell_bytes(cell: &str) -> usize {
    cell.len() + 2 + cell.matches('"').count()
}

fn row_bytes<T>(row: &Row<T>) -> usize {
    row.values.iter().map(|(_, value)| cell_bytes(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn row(line: u64, values: &[(&str, &str)]) -> Row {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Row {
            line,
            origin: (),
            values: values.iter().map(pair).collect(),
        }
    }

    const NO_LIMITS: FileLimits = FileLimits {
        rows: usize::MAX,
        bytes: usize::MAX,
    };

    #[test]
    fn a_file_has_the_columns_of_all_its_rows() {
        let mut file = File::default();
        file.add(
            row(1, &[("email", "a@b.c"), ("note", "say \"hi\",\nplease")]),
            None,
        );
        file.add(row(2, &[("size", "M"), ("email", "d@e.f")]), None);
        assert_eq!(
            String::from_utf8(file.csv()).unwrap(),
            "email,note,size\na@b.c,\"say \"\"hi\"\",\nplease\",\nd@e.f,,M\n"
        );
    }

    #[test]
    fn a_file_is_never_larger_than_was_thought() {
        let rows = [
            row(1, &[("email", "a@b.c"), ("note", "\"\"\"")]),
            row(2, &[("size", ""), ("other", "x\ny")]),
            row(3, &[("email", "d@e.f")]),
        ];
        for bytes in 0..120 {
            let (mut file, limits) = (File::default(), FileLimits { bytes, ..NO_LIMITS });
            for row in &rows {
                if file.has_room(row, limits) {
                    file.add(row.clone(), None);
                    assert!(file.csv().len() <= bytes, "{bytes}");
                }
            }
        }
        let mut file = File::default();
        for row in &rows {
            let one = FileLimits { rows: 1, ..NO_LIMITS };
            if file.has_room(row, one) {
                file.add(row.clone(), None);
            }
        }
        assert_eq!(file.len(), 1);
    }

    #[test]
    fn keys_are_compared_as_hubspot_compares_them() {
        let key = |value| key_of(&row(1, &[("email", value)]), Some("email"));
        assert_eq!(key(" Ann@X.example "), Some("ann@x.example".to_owned()));
        assert_eq!(key("  "), None);
        assert_eq!(key_of(&row(1, &[]), Some("email")), None);
    }
}

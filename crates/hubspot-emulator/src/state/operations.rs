//! Which operations an object type has (hubspot-api notes §1.1, column "Ops").

/// One operation of the objects API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Get,
    Create,
    Update,
    Archive,
    Search,
    Merge,
    GdprDelete,
    BatchRead,
    BatchCreate,
    BatchUpdate,
    BatchUpsert,
    BatchArchive,
}

use Operation as Op;

const NAMES: [(Op, &str); 13] = [
    (Op::List, "list"),
    (Op::Get, "get"),
    (Op::Create, "create"),
    (Op::Update, "update"),
    (Op::Archive, "archive"),
    (Op::Search, "search"),
    (Op::BatchRead, "batch_read"),
    (Op::BatchCreate, "batch_create"),
    (Op::BatchUpdate, "batch_update"),
    (Op::BatchUpsert, "batch_upsert"),
    (Op::BatchArchive, "batch_archive"),
    (Op::Merge, "merge"),
    (Op::GdprDelete, "gdpr"),
];

/// `full` stands for the names before `merge`.
const FULL: usize = 11;

/// The operations that a type has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operations(Vec<Operation>);

impl Operations {
    /// Reads `full merge` or `list get batch_read`; unknown words are left out.
    pub(crate) fn parse(words: &str) -> Self {
        let one = |word: &str| match NAMES.iter().position(|(_, name)| *name == word) {
            _ if word == "full" => &NAMES[..FULL],
            Some(at) => &NAMES[at..=at],
            None => &[],
        };
        let operations = words.split_whitespace().flat_map(one);
        Self(operations.map(|(operation, _)| *operation).collect())
    }

    pub(crate) fn has(&self, operation: Operation) -> bool {
        self.0.contains(&operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_is_everything_but_merge_and_gdpr_delete() {
        let full = Operations::parse("full");
        assert!(full.has(Op::List) && full.has(Op::BatchArchive));
        assert!(!full.has(Op::Merge) && !full.has(Op::GdprDelete));
        assert!(Operations::parse("full merge").has(Op::Merge));
        assert!(!Operations::parse("list get").has(Op::Search));
    }
}

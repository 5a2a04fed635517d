//! Lists of records that are less orderly than connectors would like.

use super::habits::Habits;
use crate::data::draw::mix;
use crate::failure::Failure;
use crate::state::record::Record;

impl Habits {
    /// The place of a record in a list. Pages go on behind a place.
    pub(crate) fn place(self, id: u64) -> u64 {
        if self.disordered_pages {
            mix(11, id, 5) >> 1
        } else {
            id
        }
    }

    /// The records of a disordered page and one more, of those that a list has.
    pub(crate) fn page<'r>(
        self,
        records: impl Iterator<Item = &'r Record>,
        from: u64,
        limit: usize,
    ) -> Vec<&'r Record> {
        let mut page: Vec<_> = records.filter(|record| self.place(record.id) >= from).collect();
        page.sort_unstable_by_key(|record| self.place(record.id));
        page.truncate(limit + 1);
        page
    }

    /// The paging token that leads to this place.
    pub(crate) fn token(self, place: u64) -> String {
        match self.paging_key {
            0 => place.to_string(),
            key => format!("{key}-{place}"),
        }
    }

    /// The place that a paging token leads to.
    pub(crate) fn place_of(self, token: &str) -> Result<u64, Failure> {
        let place = match self.paging_key {
            0 => Some(token),
            key => token.strip_prefix(&format!("{key}-")),
        };
        place
            .and_then(|place| place.parse().ok())
            .ok_or_else(|| Failure::validation(format!("Invalid value for after: {token}")))
    }

    /// The text of a list, with as many escapes as JSON allows where that is the habit.
    pub(crate) fn written(self, body: Vec<u8>) -> Vec<u8> {
        if !self.escaped_lists {
            return body;
        }
        let mut out = Vec::with_capacity(body.len() * 2);
        let mut units = [0; 2];
        for character in String::from_utf8_lossy(&body).chars() {
            match character {
                '/' => out.extend_from_slice(b"\\/"),
                plain if plain.is_ascii() => out.push(u8::try_from(plain).unwrap_or(b'?')),
                other => {
                    for unit in other.encode_utf16(&mut units) {
                        out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_means_what_it_meant() {
        let habits = Habits {
            escaped_lists: true,
            ..Habits::default()
        };
        let text = r#"{"a":"https://x/ö \\/ 😀 \" \n"}"#;
        let written = habits.written(text.as_bytes().to_vec());
        assert!(written.is_ascii() && !written.windows(3).any(|three| three == b"s:/"));
        let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&written), value(text.as_bytes()));
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        let [none, one, two] = [0, 1, 2].map(|paging_key| Habits {
            paging_key,
            ..Habits::default()
        });
        assert_eq!(one.place_of(&one.token(17)).unwrap(), 17);
        assert_eq!(none.place_of("17").unwrap(), 17);
        for (habits, token) in [(two, one.token(17)), (one, "17".into()), (none, one.token(17))] {
            assert_eq!(habits.place_of(&token).unwrap_err().status, 400);
        }
    }
}

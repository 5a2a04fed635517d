//! The owners of a seeded account: people, two of them gone, and one queue.

use super::draw::Draw;
use super::words;
use crate::state::owners::{OWNERS, Owner, owner_id, user_id};

const TEAMS: [(u64, &str); 3] = [
    (300_001, "Sales DACH"),
    (300_002, "Sales Americas"),
    (300_003, "Support"),
];

pub(crate) fn owners(seed: u64) -> Vec<Owner> {
    (0..OWNERS).map(|place| owner(seed, place)).collect()
}

fn owner(seed: u64, place: u64) -> Owner {
    let mut draw = Draw::of(seed, 99, place);
    let (first, ascii) = draw.pick(words::LATIN_FIRST).split_once(':').unwrap_or_default();
    let (last, _) = draw
        .pick(words::ACCENTED_LAST)
        .split_once(':')
        .unwrap_or_default();
    let queue = place == OWNERS - 1;
    let created = 1_546_300_800_000 + i64::try_from(place).unwrap_or(0) * 9_876_543_210;
    Owner {
        id: owner_id(place),
        user_id: user_id(place),
        email: format!("{ascii}.{place}@staff.example.com"),
        first_name: if queue { "Support".into() } else { first.into() },
        last_name: if queue { "Queue".into() } else { last.into() },
        queue,
        archived: place % 11 == 5,
        created,
        updated: created,
        team: (place % 4 != 3).then(|| TEAMS[draw.place(TEAMS.len())]),
    }
}

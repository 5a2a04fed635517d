//! Owners: the people (and queues) of the account. Read-only. The owner `id` goes into `hubspot_owner_id`; the
//! `userId` is another number, and archived owners have none (hubspot-api notes §2.4).

use crate::time::Millis;

#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) id: u64,
    pub(crate) user_id: u64,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) queue: bool,
    pub(crate) archived: bool,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) team: Option<(u64, &'static str)>,
}

/// How many owners an account has.
pub(crate) const OWNERS: u64 = 24;

/// The id of the owner at a place; the places are `0..OWNERS`.
pub(crate) fn owner_id(place: u64) -> u64 {
    41_629_700 + place * 137
}

/// The user id of the owner at a place.
pub(crate) fn user_id(place: u64) -> u64 {
    9_586_500 + place * 61
}

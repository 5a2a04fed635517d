//! The person, place and company behind a record, so that its values fit together.

use super::draw::{Draw, mix};
use super::words::{self, Place};

#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    first_ascii: &'static str,
    last_ascii: &'static str,
    pub(crate) rocket: bool,
    pub(crate) place: &'static Place,
    /// The id of the company whose name and domain are used.
    pub(crate) company: u64,
    seed: u64,
    id: u64,
}

impl Persona {
    pub(crate) fn draw(draw: &mut Draw, seed: u64, id: u64, company: Option<u64>) -> Self {
        let (firsts, lasts) = script(draw.below(100));
        let (first, first_ascii) = both(draw.pick(firsts));
        let (last, last_ascii) = both(draw.pick(lasts));
        let rocket = draw.below(200) == 0;
        let place = &words::PLACES[draw.place(words::PLACES.len())];
        let company = company.unwrap_or_else(|| 101 + draw.below(10_000));
        Self {
            first,
            last,
            first_ascii,
            last_ascii,
            rocket,
            place,
            company,
            seed,
            id,
        }
    }

    /// Unique, because it carries the record's id.
    pub(crate) fn write_email(&self, out: &mut String) {
        let id = self.id.to_string();
        for part in [self.first_ascii, ".", self.last_ascii, ".", &id, "@"] {
            out.push_str(part);
        }
        write_domain(out, self.seed, self.company);
    }

    pub(crate) fn write_company(&self, out: &mut String) {
        write_company(out, self.seed, self.company);
    }

    pub(crate) fn write_domain(&self, out: &mut String) {
        write_domain(out, self.seed, self.company);
    }
}

type Names = &'static [&'static str];

fn script(percent: u64) -> (Names, Names) {
    match percent {
        0..70 => (words::LATIN_FIRST, words::LATIN_LAST),
        70..86 => (words::ACCENTED_FIRST, words::ACCENTED_LAST),
        86..90 => words::GREEK,
        90..94 => words::CYRILLIC,
        94..97 => words::CHINESE,
        _ => words::ARABIC,
    }
}

fn both(name: &'static str) -> (&'static str, &'static str) {
    name.split_once(':').unwrap_or((name, name))
}

fn pick(list: &[&'static str], number: u64) -> &'static str {
    list[usize::try_from(number % list.len() as u64).unwrap_or(0)]
}

/// The name of the company with an id; anyone may ask, so that contacts can name their company.
pub(crate) fn write_company(out: &mut String, seed: u64, id: u64) {
    let number = mix(seed, id, 11);
    out.push_str(pick(words::COMPANY_FIRST, number));
    out.push(' ');
    out.push_str(pick(words::COMPANY_SECOND, number >> 16));
    let last = pick(words::COMPANY_LAST, number >> 32);
    if !last.is_empty() {
        out.push(' ');
        out.push_str(last);
    }
}

/// The domain of the company with an id, in a zone that nobody can own.
pub(crate) fn write_domain(out: &mut String, seed: u64, id: u64) {
    let number = mix(seed, id, 11);
    let first = pick(words::COMPANY_FIRST, number)
        .chars()
        .filter(char::is_ascii_alphanumeric);
    out.extend(first.map(|letter| letter.to_ascii_lowercase()));
    out.push_str(&id.to_string());
    out.push('.');
    out.push_str(pick(words::ZONES, number >> 48));
}

//! How seeded values of a property are made: the last column of `data/properties/*.txt`, such as
//! `60 decimal 0 900` (in 60 of 100 records, a decimal number between 0 and 900).

use super::draw::Draw;
use super::persona::Persona;
use super::words;
use crate::state::owners::{OWNERS, owner_id, user_id};
use crate::state::property::Choice;
use crate::time::{DAY, Millis, days_from_civil, write_date, write_iso};

#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    percent: u64,
    fill: Fill,
}

#[derive(Debug, Clone)]
enum Fill {
    FirstName,
    LastName,
    FullName,
    Email,
    EmailDomain,
    MoreEmails,
    JobTitle,
    CompanyName,
    Domain,
    Website,
    City,
    State,
    Country,
    CountryCode,
    Zip,
    Street,
    Phone,
    Coordinates,
    Choice,
    Choices,
    Integer(i64, i64),
    Decimal(i64, i64),
    /// A number property in which a few records hold text.
    LegacyNumber(i64, i64),
    Bool,
    Date(i64, i64),
    DateTime(i64, i64),
    /// Within so many days after creation.
    AfterCreation(i64),
    Owner,
    User,
    Sentence,
    LongText,
    Url,
    Uuid,
    /// Seventeen digits: more than a double holds.
    BigId,
    /// The record's own id in other clothes, unique by prefix.
    Numbered(String),
    Constant(String),
    Empty,
    DealName,
    TicketSubject,
    ProductName,
    Sku,
}

/// What a recipe may draw on besides chance.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) id: u64,
    pub(crate) created: Millis,
    pub(crate) persona: &'a Persona,
}

impl Recipe {
    /// The recipe with numbers alone where a few records would hold text.
    pub(crate) fn cleaned(mut self) -> Self {
        if let Fill::LegacyNumber(low, high) = self.fill {
            self.fill = Fill::Integer(low, high);
        }
        self
    }

    /// Reads `60 decimal 0 900`; `None` for an empty column.
    pub(crate) fn parse(column: &str) -> Option<Self> {
        let mut words = column.split_whitespace();
        let percent = words.next()?.parse().ok()?;
        let fill = Fill::parse(words.next()?, &words.collect::<Vec<_>>())?;
        Some(Self { percent, fill })
    }

    /// Writes a value, or returns false when this record has none.
    pub(crate) fn write(
        &self,
        out: &mut String,
        draw: &mut Draw,
        subject: &Subject<'_>,
        choices: &[Choice],
    ) -> bool {
        if !draw.percent(self.percent) {
            return false;
        }
        self.fill.write(out, draw, subject, choices);
        true
    }
}

impl Fill {
    fn parse(name: &str, words: &[&str]) -> Option<Self> {
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<i64>().ok());
        let text = || words.join(" ");
        Some(match name {
            "first_name" => Self::FirstName,
            "last_name" => Self::LastName,
            "full_name" => Self::FullName,
            "email" => Self::Email,
            "email_domain" => Self::EmailDomain,
            "more_emails" => Self::MoreEmails,
            "job_title" => Self::JobTitle,
            "company_name" => Self::CompanyName,
            "domain" => Self::Domain,
            "website" => Self::Website,
            "city" => Self::City,
            "state" => Self::State,
            "country" => Self::Country,
            "country_code" => Self::CountryCode,
            "zip" => Self::Zip,
            "street" => Self::Street,
            "phone" => Self::Phone,
            "coordinates" => Self::Coordinates,
            "choice" => Self::Choice,
            "choices" => Self::Choices,
            "int" => Self::Integer(number(0)?, number(1)?),
            "decimal" => Self::Decimal(number(0)?, number(1)?),
            "legacy_number" => Self::LegacyNumber(number(0)?, number(1)?),
            "bool" => Self::Bool,
            "date" => Self::Date(number(0)?, number(1)?),
            "datetime" => Self::DateTime(number(0)?, number(1)?),
            "after_creation" => Self::AfterCreation(number(0)?),
            "owner" => Self::Owner,
            "user" => Self::User,
            "sentence" => Self::Sentence,
            "long_text" => Self::LongText,
            "url" => Self::Url,
            "uuid" => Self::Uuid,
            "big_id" => Self::BigId,
            "numbered" => Self::Numbered(text()),
            "constant" => Self::Constant(text()),
            "empty" => Self::Empty,
            "deal_name" => Self::DealName,
            "ticket_subject" => Self::TicketSubject,
            "product_name" => Self::ProductName,
            "sku" => Self::Sku,
            _ => return None,
        })
    }

    fn write(&self, out: &mut String, draw: &mut Draw, subject: &Subject<'_>, choices: &[Choice]) {
        let persona = subject.persona;
        match self {
            Self::FirstName => {
                out.push_str(persona.first);
                if persona.rocket {
                    out.push_str(" 🚀");
                }
            }
            Self::LastName => out.push_str(persona.last),
            Self::FullName => push_all(out, &[persona.first, " ", persona.last]),
            Self::Email => persona.write_email(out),
            Self::EmailDomain | Self::Domain => persona.write_domain(out),
            Self::MoreEmails => more_emails(out, draw, subject.id),
            Self::JobTitle => out.push_str(draw.pick(words::JOB_TITLES)),
            Self::CompanyName => persona.write_company(out),
            Self::Website => {
                out.push_str("https://www.");
                persona.write_domain(out);
            }
            Self::City => out.push_str(persona.place.0),
            Self::State => out.push_str(persona.place.1),
            Self::Country => out.push_str(persona.place.2),
            Self::CountryCode => out.push_str(persona.place.3),
            Self::Zip => {
                out.push_str(persona.place.4);
                digits(out, draw.below(1000), 3);
            }
            Self::Street => {
                push_integer(out, draw.between(1, 299));
                out.push(' ');
                out.push_str(draw.pick(words::STREETS));
            }
            Self::Phone => {
                out.push_str(persona.place.5);
                digits(out, draw.below(10_000), 4);
            }
            Self::Coordinates => coordinates(out, draw, persona),
            Self::Choice => push_choice(out, draw, choices),
            Self::Choices => push_choices(out, draw, choices),
            Self::Integer(low, high) => push_integer(out, draw.between(*low, *high)),
            Self::Decimal(low, high) => push_decimal(out, draw, *low, *high),
            Self::LegacyNumber(low, high) => {
                if draw.below(150) == 0 {
                    out.push_str(draw.pick(words::NOT_NUMBERS));
                } else {
                    push_integer(out, draw.between(*low, *high));
                }
            }
            Self::Bool => out.push_str(if draw.percent(50) { "true" } else { "false" }),
            Self::Date(low, high) => push_bytes(out, |bytes| write_date(bytes, in_years(draw, *low, *high))),
            Self::DateTime(low, high) => {
                push_bytes(out, |bytes| write_iso(bytes, in_years(draw, *low, *high)));
            }
            Self::AfterCreation(days) => {
                let at = subject.created + draw.between(0, *days) * DAY + draw.between(0, DAY - 1);
                push_bytes(out, |bytes| write_iso(bytes, at));
            }
            Self::Owner => push_unsigned(out, owner_id(draw.below(OWNERS))),
            Self::User => push_unsigned(out, user_id(draw.below(OWNERS))),
            Self::Sentence => sentence(out, draw, 8),
            Self::LongText => long_text(out, draw),
            Self::Url => {
                out.push_str("https://www.example.com/p/");
                push_unsigned(out, draw.below(100_000));
                out.push_str("?utm_source=a&q=%C3%A9");
            }
            Self::Uuid => uuid(out, draw),
            Self::BigId => push_unsigned(out, 10_000_000_000_000_000 + draw.bits() % 80_000_000_000_000_000),
            Self::Numbered(prefix) => {
                out.push_str(prefix);
                push_unsigned(out, subject.id);
            }
            Self::Constant(text) => out.push_str(text),
            Self::Empty => {}
            Self::DealName => {
                persona.write_company(out);
                push_all(out, &[" – ", draw.pick(words::DEAL_WORDS)]);
            }
            Self::TicketSubject => {
                push_all(out, &[draw.pick(words::TICKET_SUBJECTS), " #"]);
                push_unsigned(out, subject.id);
            }
            Self::ProductName => {
                push_all(out, &[draw.pick(words::PRODUCTS), " "]);
                push_unsigned(out, subject.id);
            }
            Self::Sku => {
                out.push_str("SKU-");
                digits(out, draw.below(1_000_000), 6);
            }
        }
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

/// Appends what one of the byte writers writes; they only write ASCII.
fn push_bytes(out: &mut String, write: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = Vec::with_capacity(24);
    write(&mut bytes);
    out.push_str(std::str::from_utf8(&bytes).unwrap_or_default());
}

fn push_unsigned(out: &mut String, number: u64) {
    push_bytes(out, |bytes| crate::json::integer(bytes, number));
}

fn push_integer(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    push_unsigned(out, number.unsigned_abs());
}

fn digits(out: &mut String, number: u64, width: usize) {
    for place in (0..width).rev() {
        let digit = number / 10_u64.pow(u32::try_from(place).unwrap_or(0)) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

fn push_decimal(out: &mut String, draw: &mut Draw, low: i64, high: i64) {
    push_integer(out, draw.between(low, high));
    if draw.percent(60) {
        out.push('.');
        digits(out, draw.below(100), 2);
    }
}

fn push_choice(out: &mut String, draw: &mut Draw, choices: &[Choice]) {
    if !choices.is_empty() {
        out.push_str(&choices[draw.place(choices.len())].value);
    }
}

fn push_choices(out: &mut String, draw: &mut Draw, choices: &[Choice]) {
    let first = draw.place(choices.len().max(1));
    let count = 1 + draw.place(3.min(choices.len()).max(1));
    for (at, choice) in choices.iter().cycle().skip(first).take(count).enumerate() {
        if at > 0 {
            out.push(';');
        }
        out.push_str(&choice.value);
    }
}

fn in_years(draw: &mut Draw, low: i64, high: i64) -> Millis {
    let days = draw.between(days_from_civil(low, 1, 1), days_from_civil(high, 12, 31));
    days * DAY + draw.between(0, DAY - 1)
}

fn more_emails(out: &mut String, draw: &mut Draw, id: u64) {
    for at in 0..=draw.below(2) {
        push_all(
            out,
            &[
                if at > 0 { ";" } else { "" },
                "alias",
                if at > 0 { "b" } else { "a" },
                ".",
            ],
        );
        push_unsigned(out, id);
        out.push_str("@mail.example.org");
    }
}

fn coordinates(out: &mut String, draw: &mut Draw, persona: &Persona) {
    push_integer(out, persona.place.6.into());
    out.push('.');
    digits(out, draw.below(100_000), 5);
    out.push_str(", ");
    push_integer(out, persona.place.7.into());
    out.push('.');
    digits(out, draw.below(100_000), 5);
}

fn sentence(out: &mut String, draw: &mut Draw, longest: usize) {
    for at in 0..3 + draw.place(longest) {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(draw.pick(words::WORDS));
    }
}

/// Several lines with quotes, backslashes and trailing blanks, as people paste them.
fn long_text(out: &mut String, draw: &mut Draw) {
    for line in 0..2 + draw.below(4) {
        if line > 0 {
            out.push('\n');
        }
        if draw.percent(20) {
            out.push_str("> \"");
            sentence(out, draw, 8);
            out.push('"');
        } else {
            sentence(out, draw, 20);
        }
        if draw.percent(5) {
            out.push_str(" C:\\temp\\list.csv\t");
        }
    }
}

fn uuid(out: &mut String, draw: &mut Draw) {
    let (high, low) = (draw.bits(), draw.bits());
    let hex = format!("{high:016x}{low:016x}");
    push_all(
        out,
        &[
            &hex[..8],
            "-",
            &hex[8..12],
            "-4",
            &hex[13..16],
            "-a",
            &hex[17..20],
            "-",
            &hex[20..],
        ],
    );
}

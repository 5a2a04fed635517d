//! What a cell means: imports take dates in an order of their own, and labels and addresses where other writes want
//! values and ids.

use std::borrow::Cow;

use super::plan::DateOrder;
use super::problem::Problem;
use crate::state::portal::Portal;
use crate::state::property::{Kind, Property};
use crate::time::parse_date;

/// The value that a write takes. What is not understood stays, for the write to refuse.
pub(super) fn value<'c>(
    portal: &Portal,
    property: &Property,
    cell: &'c str,
    dates: DateOrder,
) -> Result<Cow<'c, str>, Problem> {
    match property.kind {
        Kind::Enumeration if property.references.as_deref() == Some("OWNER") => owner(portal, cell),
        Kind::Enumeration => Ok(options(property, cell).into()),
        Kind::Date | Kind::DateTime => Ok(date(cell, dates)),
        _ => Ok(cell.into()),
    }
}

/// Owners by id or address.
fn owner<'c>(portal: &Portal, cell: &'c str) -> Result<Cow<'c, str>, Problem> {
    let live = || portal.owners.iter().filter(|owner| !owner.archived);
    if let Some(owner) = live().find(|owner| owner.email.eq_ignore_ascii_case(cell)) {
        return Ok(owner.id.to_string().into());
    }
    if live().any(|owner| owner.id.to_string() == cell) {
        return Ok(cell.into());
    }
    let message = format!("No owner was found for {cell}");
    Err(Problem::new("COULD_NOT_FIND_OWNER", message))
}

/// Options by value or label; `;` before them adds them to those that are chosen.
fn options(property: &Property, cell: &str) -> String {
    let one = |text: &str| {
        let text = text.trim();
        let is_value = property.choices.iter().any(|choice| choice.value == text);
        let labelled = property
            .choices
            .iter()
            .find(|choice| choice.label.eq_ignore_ascii_case(text));
        match labelled {
            Some(choice) if !is_value => choice.value.clone(),
            _ => text.to_owned(),
        }
    };
    let several = property.is_multiple();
    let parts: Vec<String> = match several {
        true => cell.split(';').map(one).collect(),
        false => vec![one(cell)],
    };
    parts.join(";")
}

/// `31.01.2026`, `1/31/2026` or `2026-01-31` as `2026-01-31`.
fn date(cell: &str, order: DateOrder) -> Cow<'_, str> {
    let parts: Vec<&str> = cell.trim().split(['-', '/', '.']).collect();
    let [first, second, third] = parts[..] else {
        return cell.into();
    };
    let (year, month, day) = match order {
        DateOrder::DayMonthYear => (third, second, first),
        DateOrder::MonthDayYear => (third, first, second),
        DateOrder::YearMonthDay => (first, second, third),
    };
    let iso = format!("{year:0>4}-{month:0>2}-{day:0>2}");
    match parse_date(&iso) {
        Some(_) => iso.into(),
        None => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_the_order_that_the_request_names() {
        let rows = [
            ("31.01.2026", DateOrder::DayMonthYear, "2026-01-31"),
            ("1/31/2026", DateOrder::MonthDayYear, "2026-01-31"),
            ("2026-01-31", DateOrder::YearMonthDay, "2026-01-31"),
            ("31/01/2026", DateOrder::MonthDayYear, "31/01/2026"),
            ("1769817600000", DateOrder::MonthDayYear, "1769817600000"),
            ("soon", DateOrder::DayMonthYear, "soon"),
        ];
        for (cell, order, meant) in rows {
            assert_eq!(date(cell, order), meant, "{cell}");
        }
    }
}

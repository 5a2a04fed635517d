//! What is allowed, and hardly what was meant.

use hubspot_connector::objects::UnknownObject;
use hubspot_connector::query::{Column, Kind, Literal};

/// What to tell about a comparison of a column with a value.
pub(crate) fn about(column: &Column, literal: &Literal) -> Option<String> {
    let Literal::Text(text) = literal else { return None };
    let name = &column.name;
    match column.kind {
        Kind::Boolean if text == "true" || text == "false" => {
            let number = i32::from(text == "true");
            Some(format!(
                "note: `{name}` is 0 or 1, and never the text '{text}': write `{name} = {number}`"
            ))
        }
        Kind::Choice if !text.is_empty() && !column.options.is_empty() && !column.options.contains(text) => {
            let unknown = UnknownObject::new(text, column.options.iter().map(String::as_str));
            Some(match unknown.nearest() {
                Some(nearest) => format!("note: `{name}` has no option '{text}'; did you mean '{nearest}'?"),
                None => format!("note: `{name}` has no option '{text}'"),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_be_is_told() {
        let column = |kind| Column {
            name: "c".to_owned(),
            property: "c".to_owned(),
            kind,
            keeps_empty: false,
            always_set: false,
            options: vec!["closedwon".to_owned()],
        };
        let text = |text: &str| Literal::Text(text.to_owned());
        let told = |kind, literal| about(&column(kind), &literal).unwrap_or_default();
        assert!(told(Kind::Boolean, text("true")).contains("write `c = 1`"));
        assert!(told(Kind::Choice, text("ClosedWon")).contains("did you mean 'closedwon'?"));
        assert_eq!(told(Kind::Choice, text("closedwon")), "");
        assert_eq!(told(Kind::Boolean, Literal::Integer(1)), "");
    }
}

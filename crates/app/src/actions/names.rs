//! Rules for the internal names of what is made, checked before anything is sent.

use crate::exit::{Failure, Outcome};

/// The longest name of a property (hubspot-api notes §2.1).
const LONGEST: usize = 100;

/// Properties and their groups: lower-case letters, digits and `_`, beginning with a letter, at most 100
/// (hubspot-api notes §2.1).
pub(super) fn check_property(what: &str, name: &str) -> Outcome {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && name.chars().all(inside) && name.len() <= LONGEST {
        return Ok(());
    }
    let rule = "lower-case letters, digits and `_`, beginning with a letter, at most 100 of them";
    Err(refused(what, name, rule, &name.to_lowercase()))
}

/// Custom objects may have capitals too.
pub(super) fn check_schema(name: &str) -> Outcome {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && name.chars().all(inside) && name.len() <= LONGEST {
        return Ok(());
    }
    Err(refused(
        "a custom object",
        name,
        "letters, digits and `_`, beginning with a letter",
        name,
    ))
}

fn refused(what: &str, name: &str, rule: &str, folded: &str) -> Failure {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let proposal: String = folded.chars().map(allowed).take(LONGEST).collect();
    let proposal = proposal.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let such = if proposal.is_empty() {
        String::new()
    } else {
        format!(", such as `{proposal}`")
    };
    Failure::usage(format!("`{name}` is no name for {what}")).hint(format!("write {rule}{such}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_rule_and_a_bad_one_is_told_with_a_good_one() {
        assert!(check_property("a property", "favourite_food_2").is_ok());
        for (bad, proposal) in [
            ("Favourite Food", "`favourite_food`"),
            ("2nd_name", "`nd_name`"),
            ("größe", "`gr__e`"),
        ] {
            let failure = format!("{:?}", check_property("a property", bad).unwrap_err());
            assert!(failure.contains(proposal), "{failure}");
        }
        assert!(check_property("a property", &"x".repeat(101)).is_err());
        assert!(check_schema("Cars").is_ok() && check_schema("my cars").is_err());
    }
}

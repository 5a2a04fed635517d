//! The tables that a statement names, each occurrence under a name of its own.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use opencdc::Result;
use sqlparser::ast::{
    Cte, Ident, ObjectName, Query, TableAlias, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::wrong;

/// The names of the tables that are read, in the order in which they stand.
pub(crate) fn tables(query: &Query) -> Result<Vec<String>> {
    struct Names {
        own: BTreeSet<String>,
        found: Vec<String>,
    }
    impl Visitor for Names {
        type Break = String;

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
            match factor {
                TableFactor::Table { name, args, .. } => {
                    let name = name_of(name);
                    if args.is_some() {
                        return ControlFlow::Break(format!("`{name}(…)` is not a table of HubSpot"));
                    }
                    if !self.own.contains(&name.to_lowercase()) {
                        self.found.push(name);
                    }
                }
                TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {}
                other => return ControlFlow::Break(format!("`{other}` is not a table of HubSpot")),
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names {
        own: common(query),
        found: Vec::new(),
    };
    match query.visit(&mut names) {
        ControlFlow::Break(message) => Err(wrong(message)),
        ControlFlow::Continue(()) => Ok(names.found),
    }
}

/// Gives each occurrence of a table the name in its place among `names`, and the name that it had as its alias.
pub(crate) fn rename(query: &mut Query, names: &[String]) {
    struct Renamer<'a> {
        own: BTreeSet<String>,
        names: std::slice::Iter<'a, String>,
    }
    impl VisitorMut for Renamer<'_> {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            let TableFactor::Table { name, alias, .. } = factor else {
                return ControlFlow::Continue(());
            };
            if self.own.contains(&name_of(name).to_lowercase()) {
                return ControlFlow::Continue(());
            }
            let Some(new) = self.names.next() else {
                return ControlFlow::Break(());
            };
            let was = name
                .0
                .last()
                .and_then(|part| part.as_ident())
                .map(|ident| ident.value.clone());
            let quoted = |text: &str| Ident::with_quote('"', text);
            alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: quoted(&was.unwrap_or_default()),
                columns: Vec::new(),
                at: None,
            });
            *name = ObjectName::from(quoted(new));
            ControlFlow::Continue(())
        }
    }
    let mut renamer = Renamer {
        own: common(query),
        names: names.iter(),
    };
    let _ = query.visit(&mut renamer);
}

/// `crm.contacts` is the name that Conduit's connector has for `contacts`.
pub(crate) fn name_of(name: &ObjectName) -> String {
    let parts = name.0.iter().map(|part| {
        part.as_ident()
            .map_or_else(|| part.to_string(), |ident| ident.value.clone())
    });
    parts.collect::<Vec<_>>().join(".")
}

/// The names that the statement itself gives to tables, with `WITH`.
fn common(query: &Query) -> BTreeSet<String> {
    struct Common(BTreeSet<String>);
    impl Visitor for Common {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let all = query.with.iter().flat_map(|with| &with.cte_tables);
            self.0
                .extend(all.map(|Cte { alias, .. }| alias.name.value.to_lowercase()));
            ControlFlow::Continue(())
        }
    }
    let mut common = Common(BTreeSet::new());
    let _ = query.visit(&mut common);
    common.0
}

/// Every word of the statement that could be the name of a column, in lower case.
pub(crate) fn words(query: &Query) -> BTreeSet<String> {
    struct Words(BTreeSet<String>);
    impl Visitor for Words {
        type Break = ();

        fn pre_visit_ident(&mut self, ident: &Ident) -> ControlFlow<()> {
            self.0.insert(ident.value.to_lowercase());
            ControlFlow::Continue(())
        }
    }
    let mut words = Words(BTreeSet::new());
    let _ = query.visit(&mut words);
    words.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::sql;

    #[test]
    fn each_occurrence_gets_a_name_of_its_own_and_keeps_the_old_one_as_alias() {
        let text = "WITH big AS (SELECT * FROM deals) SELECT contacts.email FROM contacts \
                    JOIN crm.contacts AS c ON 1 JOIN big WHERE id IN (SELECT id FROM \"0-1\")";
        let mut query = sql(text).unwrap();
        assert_eq!(
            tables(&query).unwrap(),
            ["deals", "contacts", "crm.contacts", "0-1"]
        );
        rename(&mut query, &["t1", "t2", "t3", "t4"].map(str::to_owned));
        assert_eq!(
            query.to_string(),
            "WITH big AS (SELECT * FROM \"t1\" AS \"deals\") SELECT contacts.email FROM \"t2\" AS \"contacts\" \
             JOIN \"t3\" AS c ON 1 JOIN big WHERE id IN (SELECT id FROM \"t4\" AS \"0-1\")"
        );
        assert!(tables(&sql("SELECT * FROM pragma_table_info('x')").unwrap()).is_err());
    }

    #[test]
    fn words_are_all_that_may_be_columns() {
        let query = sql("SELECT c.Email FROM contacts c JOIN d USING (Name) WHERE lower(x) = 'y'").unwrap();
        let words = words(&query);
        assert!(
            ["email", "name", "x"].iter().all(|word| words.contains(*word)),
            "{words:?}"
        );
    }
}

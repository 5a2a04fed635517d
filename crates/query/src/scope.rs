//! One `SELECT` and the tables that it reads: what follows from its conditions for each of them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use hubspot_connector::query::{Column, Condition};
use sqlparser::ast::{
    BinaryOperator, Expr, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, TableFactor, TableWithJoins, Visit, Visitor,
};

use crate::implied::{bare, implied, literal};
use crate::names::name_of;
use crate::notes;
use crate::read::{Edge, Read};

/// Works out conditions and edges of every read table, wherever its `SELECT` stands. A row that fails the condition of its
/// table is in no result of its `SELECT`.
pub(crate) fn conditions(query: &Query, reads: &mut [Read], notes: &mut Vec<String>) {
    each_select(query, &mut |select| {
        if let Some(scope) = Scope::of(select, reads) {
            let found: Vec<_> = (0..scope.entries.len())
                .filter_map(|n| scope.entry(n, reads))
                .collect();
            for (index, condition, edges) in found {
                reads[index].condition = condition;
                reads[index].edges = edges;
            }
            for n in 0..scope.entries.len() {
                scope.keep_local(n, reads);
            }
            notes.extend(scope.notes(reads));
        }
    });
}

/// Which tables are wanted with all their columns.
pub(crate) fn whole(query: &Query, reads: &mut [Read]) {
    each_select(query, &mut |select| {
        let mut entries = Vec::new();
        let natural = from(select, reads, &mut entries).is_none_or(|joins| joins.natural);
        let wants = |entry: &Entry| {
            natural
                || select
                    .projection
                    .iter()
                    .any(|item| is_star_of(item, &entry.alias))
        };
        for index in entries
            .iter()
            .filter(|entry| wants(entry))
            .filter_map(|entry| entry.read)
        {
            reads[index].whole = true;
        }
    });
}

fn is_star_of(item: &SelectItem, alias: &str) -> bool {
    match item {
        SelectItem::Wildcard(_) => true,
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            name_of(name).eq_ignore_ascii_case(alias)
        }
        _ => false,
    }
}

fn each_select(query: &Query, found: &mut dyn FnMut(&Select)) {
    struct Selects<'a>(&'a mut dyn FnMut(&Select));
    impl Visitor for Selects<'_> {
        type Break = ();

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            (self.0)(select);
            ControlFlow::Continue(())
        }
    }
    let _ = query.visit(&mut Selects(found));
}

/// A table of a `FROM`.
#[derive(Debug)]
struct Entry {
    alias: String,
    /// Its place among the tables that are read; `None` for one that the statement makes itself.
    read: Option<usize>,
    /// Whether an outer join may put a row without values in its place.
    nullable: bool,
}

/// A condition that must be true, and of which entries that says something whatever else is true.
struct Conjunct<'a> {
    expression: &'a Expr,
    /// The entries on the far side of the outer join that it belongs to; `None`: it holds for every row of the result.
    far: Option<Vec<usize>>,
}

struct Scope<'a> {
    entries: Vec<Entry>,
    conjuncts: Vec<Conjunct<'a>>,
    /// Columns that a join makes equal by name: of the entries before, and of the one that is joined.
    using: Vec<(Vec<usize>, usize, String, bool)>,
}

impl<'a> Scope<'a> {
    fn of(select: &'a Select, reads: &[Read]) -> Option<Self> {
        let mut entries = Vec::new();
        let joins = from(select, reads, &mut entries)?;
        if joins.natural {
            return None;
        }
        let mut conjuncts = joins.conjuncts;
        if let Some(selection) = &select.selection {
            split(selection, None, &mut conjuncts);
        }
        Some(Self {
            entries,
            conjuncts,
            using: joins.using,
        })
    }

    /// What follows for one entry.
    fn entry(&self, n: usize, reads: &[Read]) -> Option<(usize, Condition, Vec<Edge>)> {
        let index = self.entries[n].read?;
        let mut conditions = Vec::new();
        let mut edges = Vec::new();
        for conjunct in &self.conjuncts {
            conditions.push(self.implied(n, conjunct, reads).unwrap_or(Condition::Unknown));
            if conjunct.far.as_ref().is_none_or(|far| far.contains(&n)) {
                edges.extend(self.edge(n, conjunct.expression, reads));
            }
        }
        edges.extend(self.using_edges(n, reads));
        Some((index, Condition::all(conditions), edges))
    }

    /// What a conjunct implies for the rows of one entry; `None` where leaving out rows that fail it could make others appear:
    /// a row without values that comes into their place may satisfy what they do not.
    fn implied(&self, n: usize, conjunct: &Conjunct<'_>, reads: &[Read]) -> Option<Condition> {
        let find = |expression: &Expr| {
            self.column(expression, reads)
                .filter(|(of, _)| *of == n)
                .map(|(_, column)| column)
        };
        let condition = implied(conjunct.expression, true, &find);
        let (applies, is_safe) = match &conjunct.far {
            // Beyond a single table, a row without values may be joined in already.
            Some(far) => (far.contains(&n), far.len() == 1),
            None => (true, !self.entries[n].nullable),
        };
        (applies && (is_safe || !condition.may_hold_without_values())).then_some(condition)
    }

    /// Remembers which conditions can be decided by the rows of one entry alone.
    fn keep_local(&self, n: usize, reads: &mut [Read]) {
        let Some(index) = self.entries[n].read else { return };
        let is_local = |conjunct: &&Conjunct<'_>| {
            let holds = self.implied(n, conjunct, reads).is_some();
            holds && self.is_about(n, conjunct.expression, reads)
        };
        let local = self.conjuncts.iter().filter(is_local);
        let local: Vec<_> = local
            .map(|conjunct| format!("({})", conjunct.expression))
            .collect();
        reads[index].alias.clone_from(&self.entries[n].alias);
        reads[index].local = local;
    }

    /// Whether an expression names columns of one entry and nothing else.
    fn is_about(&self, n: usize, expression: &Expr, reads: &[Read]) -> bool {
        struct Names<'a>(&'a dyn Fn(&Expr) -> bool);
        impl Visitor for Names<'_> {
            type Break = ();

            fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
                let is_name = matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                match is_name && !(self.0)(expression) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            }

            fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
                ControlFlow::Break(())
            }
        }
        let mine = |name: &Expr| self.column(name, reads).is_some_and(|(of, _)| of == n);
        expression.visit(&mut Names(&mine)).is_continue()
    }

    /// Comparisons that can hardly be what was meant.
    fn notes(&self, reads: &[Read]) -> BTreeSet<String> {
        struct Equalities<'a>(&'a mut dyn FnMut(&Expr, &Expr));
        impl Visitor for Equalities<'_> {
            type Break = ();

            fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
                if let Expr::BinaryOp {
                    left,
                    op: BinaryOperator::Eq,
                    right,
                } = expression
                {
                    (self.0)(bare(left), right);
                }
                ControlFlow::Continue(())
            }
        }
        let mut found = BTreeSet::new();
        let mut note = |left: &Expr, right: &Expr| {
            let column = self.column(left, reads).map(|(_, column)| column);
            found.extend(
                column
                    .zip(literal(right))
                    .and_then(|(column, literal)| notes::about(&column, &literal)),
            );
        };
        for conjunct in &self.conjuncts {
            let _ = conjunct.expression.visit(&mut Equalities(&mut note));
        }
        found
    }

    /// `this.column = other.column`
    fn edge(&self, n: usize, expression: &Expr, reads: &[Read]) -> Option<Edge> {
        let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = bare(expression)
        else {
            return None;
        };
        let (left, right) = (self.column(bare(left), reads)?, self.column(bare(right), reads)?);
        let (mine, (other, column)) = match (left, right) {
            ((of, mine), other) if of == n => (mine, other),
            (other, (of, mine)) if of == n => (mine, other),
            _ => return None,
        };
        let other = self.entries[other].read.filter(|_| other != n)?;
        Some(Edge {
            column: mine,
            other,
            of_other: column.name,
        })
    }

    fn using_edges(&self, n: usize, reads: &[Read]) -> Vec<Edge> {
        let edge = |(before, joined, name, inner): &(Vec<usize>, usize, String, bool)| {
            let has = |n: &&usize| {
                self.entries[**n]
                    .read
                    .and_then(|read| reads[read].table.column(name))
                    .is_some()
            };
            let mut with = before.iter().filter(has);
            let (first, None) = (*with.next()?, with.next()) else {
                return None;
            };
            let other = match n {
                n if n == *joined => first,
                n if n == first && *inner => *joined,
                _ => return None,
            };
            let column = reads[self.entries[n].read?].table.column(name)?;
            let other = self.entries[other].read?;
            let of_other = reads[other].table.column(name)?.name;
            Some(Edge {
                column,
                other,
                of_other,
            })
        };
        self.using.iter().filter_map(edge).collect()
    }

    /// The entry and the column that an expression names. A name without a table belongs to the only table of this `FROM`
    /// that has such a column; if a table that the statement makes had one too, SQLite would have refused the name.
    fn column(&self, expression: &Expr, reads: &[Read]) -> Option<(usize, Column)> {
        let of = |n: usize, name: &str| Some((n, reads[self.entries[n].read?].table.column(name)?));
        match expression {
            Expr::Identifier(name) => {
                let mut all = (0..self.entries.len()).filter_map(|n| of(n, &name.value));
                let first = all.next()?;
                all.next().is_none().then_some(first)
            }
            Expr::CompoundIdentifier(parts) => {
                let [table, name] = &**parts else { return None };
                let named = |entry: &Entry| entry.alias.eq_ignore_ascii_case(&table.value);
                of(self.entries.iter().position(named)?, &name.value)
            }
            _ => None,
        }
    }
}

/// What the joins of a `FROM` say.
#[derive(Default)]
struct Joins<'a> {
    conjuncts: Vec<Conjunct<'a>>,
    using: Vec<(Vec<usize>, usize, String, bool)>,
    natural: bool,
}

/// The tables and joins of a `FROM`; `None` when it has a join of which nothing is known.
fn from<'a>(select: &'a Select, reads: &[Read], entries: &mut Vec<Entry>) -> Option<Joins<'a>> {
    let mut joins = Joins::default();
    let mut known = true;
    for tables in &select.from {
        known &= joined(tables, reads, entries, &mut joins).is_some();
    }
    known.then_some(joins)
}

fn joined<'a>(
    tables: &'a TableWithJoins,
    reads: &[Read],
    entries: &mut Vec<Entry>,
    joins: &mut Joins<'a>,
) -> Option<()> {
    let begin = entries.len();
    let mut known = factor(&tables.relation, reads, entries, joins).is_some();
    for join in &tables.joins {
        let right = entries.len();
        known &= factor(&join.relation, reads, entries, joins).is_some();
        known &= operator(join, begin, right, entries, joins).is_some();
    }
    known.then_some(())
}

/// The two sides of a join: entries from `begin` on, of which those from `right` on are the right one.
fn operator<'a>(
    join: &'a Join,
    begin: usize,
    right: usize,
    entries: &mut [Entry],
    joins: &mut Joins<'a>,
) -> Option<()> {
    let end = entries.len();
    let (constraint, far, nullable) = match &join.join_operator {
        JoinOperator::Join(on)
        | JoinOperator::Inner(on)
        | JoinOperator::CrossJoin(on)
        | JoinOperator::StraightJoin(on) => (on, None, end..end),
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (on, Some(right..end), right..end),
        JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (on, Some(begin..right), begin..right),
        JoinOperator::FullOuter(on) => (on, Some(end..end), begin..end),
        _ => return None,
    };
    for entry in &mut entries[nullable] {
        entry.nullable = true;
    }
    let is_inner = far.is_none();
    let far: Option<Vec<_>> = far.map(Iterator::collect);
    let drives_right = far.as_ref().is_none_or(|far| far.contains(&right));
    match constraint {
        JoinConstraint::On(on) => split(on, far, &mut joins.conjuncts),
        JoinConstraint::Using(names) if drives_right && end == right + 1 => {
            let one = |name| ((begin..right).collect(), right, name_of(name), is_inner);
            joins.using.extend(names.iter().map(one));
        }
        JoinConstraint::Natural => joins.natural = true,
        JoinConstraint::Using(_) | JoinConstraint::UsingAlias(..) | JoinConstraint::None => {}
    }
    Some(())
}

fn factor<'a>(
    factor: &'a TableFactor,
    reads: &[Read],
    entries: &mut Vec<Entry>,
    joins: &mut Joins<'a>,
) -> Option<()> {
    let (alias, read) = match factor {
        TableFactor::NestedJoin {
            table_with_joins,
            alias: None,
        } => {
            return joined(table_with_joins, reads, entries, joins);
        }
        TableFactor::Table { name, alias, .. } => {
            let name = name_of(name);
            (alias, reads.iter().position(|read| read.scratch == name))
        }
        TableFactor::Derived { alias, .. } => (alias, None),
        _ => return None,
    };
    entries.push(Entry {
        alias: alias
            .as_ref()
            .map(|alias| alias.name.value.clone())
            .unwrap_or_default(),
        read,
        nullable: false,
    });
    Some(())
}

fn split<'a>(expression: &'a Expr, far: Option<Vec<usize>>, conjuncts: &mut Vec<Conjunct<'a>>) {
    match bare(expression) {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            split(left, far.clone(), conjuncts);
            split(right, far, conjuncts);
        }
        expression => conjuncts.push(Conjunct { expression, far }),
    }
}

//! `/_emulator/mutate`: changes to an account as people and integrations would make them, drawn from a seed.

mod account;
mod asked;
mod links;
mod pick;
mod records;
mod things;

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::data::draw::Draw;
use crate::data::seeding::generator;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::state::associations::TypeIndex;
use crate::state::portal::{Moment, Portal};
use asked::{Change, KINDS, Pace};
use pick::Picker;
use things::{Stage, Things};

pub(crate) use asked::Mutation;

/// Changes are made in so many steps, between which a millisecond passes.
const STEPS: usize = 100;

const STEP: Duration = Duration::from_millis(1);

/// Makes the changes and answers with what each kind touched. Between two steps others have their turn.
pub(crate) async fn run(inner: &Inner, mutation: &Mutation) -> Result<Value, Failure> {
    let mut run = Run::start(inner, mutation)?;
    while run.step() {
        if run.pace == Pace::Steps {
            tokio::time::sleep(STEP).await;
        }
    }
    Ok(run.report())
}

/// Makes the changes at once: the emulator's clock moves on by itself.
pub(crate) fn run_now(inner: &Inner, mutation: &Mutation) -> Result<Value, Failure> {
    let mut run = Run::start(inner, mutation)?;
    while run.step() {
        if run.pace == Pace::Steps {
            inner.clock.advance(STEP);
        }
    }
    Ok(run.report())
}

/// What is changed, and what may be drawn for it.
enum Target {
    Records(TypeIndex, Picker),
    /// With the numbers that were drawn, if each may be drawn only once.
    Things(Things, Option<HashSet<u64>>),
}

impl Target {
    fn of(inner: &Inner, mutation: &Mutation) -> Result<Self, Failure> {
        let (name, portal) = (&mutation.object_type, inner.portal());
        if let Some(things) = Things::named(name) {
            let refused = mutation.asked().find(|kind| !things.allow(kind.change));
            return match refused {
                Some(kind) => Err(Failure::validation(format!(
                    "`{}` is nothing that happens to {name}",
                    kind.name
                ))),
                None => Ok(Self::Things(things, mutation.distinct.then(HashSet::new))),
            };
        }
        let of = portal.type_index(name)?;
        if mutation.calculated > 0 && !generator(&portal, &inner.recipes, of).has_calculated() {
            return Err(Failure::validation(format!("{name} have no calculated values")));
        }
        Ok(Self::Records(of, Picker::new(&portal, of, mutation.distinct)))
    }

    /// Tells the streams of chance of different types and states apart.
    fn draw(&self, portal: &Portal, seed: u64) -> Draw {
        match self {
            Self::Records(of, _) => Draw::of(seed, 7777 + *of as u64, portal.store(*of).len() as u64),
            Self::Things(..) => Draw::of(seed, 7776, 0),
        }
    }
}

/// A mutation under way.
struct Run<'a> {
    inner: &'a Inner,
    target: Target,
    pace: Pace,
    silent: bool,
    start: Moment,
    changes: Vec<usize>,
    made: usize,
    draw: Draw,
    touched: Vec<Vec<Value>>,
}

/// What one change works with.
struct Scene<'a> {
    inner: &'a Inner,
    portal: &'a mut Portal,
    of: TypeIndex,
    draw: &'a mut Draw,
    picker: &'a mut Picker,
    now: Moment,
}

impl Scene<'_> {
    /// Makes a change and tells what was touched; `None`: there was nothing to change.
    fn make(&mut self, change: Change) -> Option<Value> {
        match change {
            Change::Create => Some(self.create()),
            Change::Update => self.update(),
            Change::Archive => self.archive(),
            Change::Restore => self.restore(),
            Change::Merge => self.merge(),
            Change::Purge => self.purge(),
            Change::Recalculate => self.recalculate(),
            Change::Associate => self.associate(),
            Change::Disassociate => self.disassociate(),
            Change::Label => self.label(),
        }
    }
}

impl<'a> Run<'a> {
    fn start(inner: &'a Inner, mutation: &Mutation) -> Result<Self, Failure> {
        inner.catch_up_imports();
        inner.catch_up_bin();
        let target = Target::of(inner, mutation)?;
        Ok(Self {
            inner,
            pace: mutation.pace()?,
            silent: mutation.silent,
            start: inner.clock.now(),
            changes: mutation.changes()?,
            made: 0,
            draw: target.draw(&inner.portal(), mutation.seed),
            target,
            touched: KINDS.iter().map(|_| Vec::new()).collect(),
        })
    }

    /// Makes some of the changes; whether there are more.
    fn step(&mut self) -> bool {
        let until = self.made + self.changes.len().div_ceil(STEPS);
        let until = until.min(self.changes.len());
        let inner = self.inner;
        let mut portal = inner.portal_mut();
        if let Pace::Over(whole) = self.pace {
            let passed = self.share(whole, self.made);
            inner
                .clock
                .advance(self.share(whole, until).saturating_sub(passed));
        }
        let now = inner.clock.now();
        for at in self.made..until {
            self.make(&mut portal, at, now);
        }
        self.made = until;
        until < self.changes.len()
    }

    fn make(&mut self, portal: &mut Portal, at: usize, now: Moment) {
        let (kind, now) = (self.changes[at], self.moment(at, now));
        let (inner, draw, change) = (self.inner, &mut self.draw, KINDS[kind].change);
        let touched = match &mut self.target {
            Target::Records(of, picker) => {
                let mut scene = Scene {
                    inner,
                    portal,
                    of: *of,
                    draw,
                    picker,
                    now,
                };
                scene.make(change)
            }
            Target::Things(things, drawn) => {
                let mut stage = Stage {
                    inner,
                    portal,
                    draw,
                    now,
                    drawn: drawn.as_mut(),
                };
                things.make(&mut stage, change)
            }
        };
        self.touched[kind].extend(touched);
    }

    /// When a change happens: never later than now, and never before an earlier one.
    fn moment(&self, at: usize, now: Moment) -> Moment {
        let moment = match self.pace {
            Pace::Steps => now,
            Pace::Together => self.start,
            Pace::Over(whole) => self.start.after(self.share(whole, at + 1)),
        };
        Moment {
            silent: self.silent,
            ..moment
        }
    }

    /// How much of the whole time has passed when so many changes are made.
    fn share(&self, whole: Duration, made: usize) -> Duration {
        let parts = self.changes.len().max(1) as u128;
        let nanos = whole.as_nanos() * made as u128 / parts;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn report(self) -> Value {
        let names = KINDS.iter().map(|kind| kind.name.to_owned());
        let lists = self.touched.into_iter().map(Value::Array);
        Value::Object(names.zip(lists).collect::<Map<String, Value>>())
    }
}

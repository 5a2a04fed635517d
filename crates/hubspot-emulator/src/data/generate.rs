//! Makes seeded records: each is a function of (seed, type, id), so any of them can be made again, in any
//! order and on any thread.

use super::draw::{Draw, mix};
use super::persona::Persona;
use super::recipe::{Recipe, Subject};
use crate::json;
use crate::state::pipelines::Pipeline;
use crate::state::property::{Property, PropertySet, Source};
use crate::state::record::{Life, Record};
use crate::state::values::{PropertyIndex, Values, push_value};
use crate::time::{DAY, Millis};

/// Seeded records were created from 2019-01-01 and last changed before 2026-07-01.
const EARLIEST: Millis = 1_546_300_800_000;
const LATEST: Millis = 1_782_864_000_000;

/// The instant of the bulk import: 2025-03-14T02:30:00.123Z.
pub(crate) const IMPORT: Millis = 1_741_919_400_123;

/// Makes the records of one type.
#[derive(Debug)]
pub(crate) struct Generator<'a> {
    pub(crate) seed: u64,
    /// Tells the types' streams apart.
    pub(crate) salt: u64,
    pub(crate) properties: &'a PropertySet,
    pub(crate) recipes: &'a [(PropertyIndex, Recipe)],
    pub(crate) pipelines: Vec<&'a Pipeline>,
    pub(crate) pipeline_property: Option<(PropertyIndex, PropertyIndex)>,
}

/// Buffers that are used again from record to record.
#[derive(Debug, Default)]
struct Scratch {
    packed: Vec<u8>,
    text: String,
    escaped: Vec<u8>,
}

/// The ids of `count` new records: runs of ten with gaps between, as in an account from which things were deleted.
pub(crate) fn ids(first: u64, count: u64) -> impl Iterator<Item = u64> + Clone {
    (0..count).map(move |at| first + at + 7 * (at / 10))
}

impl Generator<'_> {
    /// Makes many records, on as many threads as the machine has.
    pub(crate) fn records(&self, ids: &[u64], company: impl Fn(u64) -> Option<u64> + Sync) -> Vec<Record> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = ids.len().div_ceil(threads).max(1000);
        let company = &company;
        if ids.len() <= share {
            return self.part(ids, company);
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> = ids
                .chunks(share)
                .map(|part| scope.spawn(move || self.part(part, company)))
                .collect();
            parts
                .into_iter()
                .flat_map(|part| part.join().expect("making a record does not panic"))
                .collect()
        })
    }

    fn part(&self, ids: &[u64], company: impl Fn(u64) -> Option<u64>) -> Vec<Record> {
        let mut scratch = Scratch::default();
        ids.iter()
            .map(|id| self.record(*id, company(*id), &mut scratch))
            .collect()
    }

    fn record(&self, id: u64, company: Option<u64>, scratch: &mut Scratch) -> Record {
        let mut draw = Draw::of(self.seed, self.salt, id);
        let (created, updated) = Self::times(&mut draw, id);
        let life = if mix(self.seed, id, self.salt ^ 0xA5).is_multiple_of(50) {
            Life::Archived { at: updated }
        } else {
            Life::Live
        };
        let values = self.fill(&mut draw, id, created, company, scratch);
        Record {
            id,
            created,
            updated,
            life,
            values,
        }
    }

    /// One record in ten came with the bulk import, all in one millisecond.
    fn times(draw: &mut Draw, id: u64) -> (Millis, Millis) {
        let created = EARLIEST + draw.between(0, 2700) * DAY + draw.between(0, DAY - 1);
        let days_left = (LATEST - created) / DAY;
        let updated = created + draw.between(0, days_left - 1) * DAY + draw.between(0, DAY - 1);
        if is_imported(id) {
            (created.min(IMPORT), IMPORT)
        } else {
            (created, updated)
        }
    }

    /// The values of a record that comes into being later, while the emulator runs.
    pub(crate) fn values(&self, id: u64, created: Millis) -> Values {
        let mut draw = Draw::of(self.seed, self.salt, id);
        self.fill(&mut draw, id, created, None, &mut Scratch::default())
    }

    fn fill(
        &self,
        draw: &mut Draw,
        id: u64,
        created: Millis,
        company: Option<u64>,
        scratch: &mut Scratch,
    ) -> Values {
        let persona = Persona::draw(draw, self.seed, id, company);
        let subject = Subject {
            id,
            created,
            persona: &persona,
        };
        let stage = self.draw_stage(draw);
        scratch.packed.clear();
        for (property, recipe) in self.recipes {
            scratch.text.clear();
            let choices = &self.properties.get(*property).choices;
            if !recipe.write(&mut scratch.text, draw, &subject, choices) {
                continue;
            }
            if let Some(text) = self.pipeline_text(*property, stage) {
                scratch.text.clear();
                scratch.text.push_str(text);
            }
            scratch.escaped.clear();
            json::escape(&mut scratch.escaped, &scratch.text);
            push_value(&mut scratch.packed, *property, &scratch.escaped);
        }
        Values::from_packed(&scratch.packed)
    }

    /// A stage, and the pipeline that it belongs to.
    fn draw_stage(&self, draw: &mut Draw) -> Option<(&str, &str)> {
        let pipeline = self
            .pipelines
            .get(usize::from(draw.percent(25)).min(self.pipelines.len().saturating_sub(1)))?;
        let stage = pipeline.stages.get(draw.place(pipeline.stages.len().max(1)))?;
        Some((&pipeline.id, &stage.id))
    }

    fn pipeline_text<'s>(
        &self,
        property: PropertyIndex,
        stage: Option<(&'s str, &'s str)>,
    ) -> Option<&'s str> {
        let ((pipeline, of_stage), (pipeline_id, stage_id)) = (self.pipeline_property?, stage?);
        if property == pipeline {
            Some(pipeline_id)
        } else {
            (property == of_stage).then_some(stage_id)
        }
    }

    /// Whether the records of this type hold calculated values.
    pub(crate) fn has_calculated(&self) -> bool {
        let mut made = self.recipes.iter();
        made.any(|(index, _)| is_calculated(self.properties.get(*index)))
    }

    /// A new value for one of the properties that are wanted, or `None` when there is nothing to draw.
    pub(crate) fn change(
        &self,
        draw: &mut Draw,
        id: u64,
        created: Millis,
        wanted: fn(&Property) -> bool,
    ) -> Option<(PropertyIndex, String)> {
        let made = self.recipes.iter();
        let wanted: Vec<&(PropertyIndex, Recipe)> = made
            .filter(|(index, _)| wanted(self.properties.get(*index)))
            .collect();
        let persona = Persona::draw(draw, self.seed, id, None);
        let (property, recipe) = wanted.get(draw.place(wanted.len().max(1)))?;
        let mut text = String::new();
        recipe.write(
            &mut text,
            draw,
            &Subject {
                id,
                created,
                persona: &persona,
            },
            &self.properties.get(*property).choices,
        );
        if let Some(stage) = self.pipeline_text(*property, self.draw_stage(draw)) {
            stage.clone_into(&mut text);
        }
        Some((*property, text))
    }
}

/// Whether people may write a property, and as often as they like with the same value.
pub(crate) fn is_writable(property: &Property) -> bool {
    !property.read_only && !property.unique && property.source == Source::Stored && property.name != "email"
}

/// Whether HubSpot calculates a property that records hold a value of.
pub(crate) fn is_calculated(property: &Property) -> bool {
    property.calculated && property.source == Source::Stored
}

/// Whether a seeded record came with the bulk import.
pub(crate) fn is_imported(id: u64) -> bool {
    (400..600).contains(&(id % 2000))
}

//! Changes to associations, which never count as modifications of a record.

use serde_json::{Value, json};

use super::Scene;
use crate::data::draw::Draw;
use crate::state::associations::{Definition, Link, LinkKind, TypeIndex};

/// An association type whose pairs can lose or gain it: every pair keeps the plain one.
fn is_second(definition: &Definition) -> bool {
    definition.kind != LinkKind::Plain
}

impl Scene<'_> {
    /// Links a random record to a random record of a type that it can be linked to.
    pub(super) fn associate(&mut self) -> Option<Value> {
        let portal = &self.portal;
        let partners =
            self.types(|to| portal.associations.plain(self.of, to).is_some() && portal.store(to).len() > 0);
        let to = one_of(self.draw, &partners)?;
        let (from, other) = (self.live_id()?, self.any_live_id(to)?);
        let associations = &mut self.portal.associations;
        let plain = associations.plain(self.of, to)?.type_id;
        let primary = associations
            .definitions(self.of, to)
            .find(|definition| definition.kind == LinkKind::Primary)
            .map(|primary| primary.type_id);
        let primary = primary.filter(|_| self.draw.percent(30));
        let type_id = primary.unwrap_or(plain);
        let link = Link {
            from,
            to: other,
            type_id,
        };
        associations.link(self.of, to, link);
        Some(self.told_link(to, link))
    }

    /// Removes everything between a random pair.
    pub(super) fn disassociate(&mut self) -> Option<Value> {
        let linked = self.types(|to| self.portal.associations.are_linked(self.of, to));
        let to = one_of(self.draw, &linked)?;
        let link = self.random_link(to)?;
        self.portal.associations.unlink(self.of, to, (link.from, link.to));
        Some(self.told_link(to, link))
    }

    /// Gives a random pair a second association type, or takes it away.
    pub(super) fn label(&mut self) -> Option<Value> {
        let associations = &self.portal.associations;
        let has_second = |to| associations.definitions(self.of, to).any(is_second);
        let labelled = self.types(|to| associations.are_linked(self.of, to) && has_second(to));
        let to = one_of(self.draw, &labelled)?;
        let pair = self.random_link(to)?;
        let associations = &mut self.portal.associations;
        let second: Vec<u32> = associations
            .definitions(self.of, to)
            .filter(|definition| is_second(definition))
            .map(|definition| definition.type_id)
            .collect();
        let type_id = one_of(self.draw, &second)?;
        let link = Link { type_id, ..pair };
        let had = associations.has(self.of, to, link);
        if had {
            associations.unlink_one(self.of, to, link);
        } else {
            associations.link(self.of, to, link);
        }
        let mut told = self.told_link(to, link);
        told["added"] = json!(!had);
        Some(told)
    }

    fn types(&self, fits: impl Fn(TypeIndex) -> bool) -> Vec<TypeIndex> {
        (0..self.portal.stores.len()).filter(|to| fits(*to)).collect()
    }

    /// A link of a random pair, the plain one if there is one: the next after a random place.
    fn random_link(&mut self, to: TypeIndex) -> Option<Link> {
        let place = Link {
            from: self.any_live_id(self.of)?,
            to: self.any_live_id(to)?,
            type_id: 0,
        };
        let associations = &self.portal.associations;
        let mut found = associations.all_above(self.of, to, Some(place));
        let link = found
            .next()
            .or_else(|| associations.all_above(self.of, to, None).next())?;
        let plain = associations.plain(self.of, to).map(|plain| Link {
            type_id: plain.type_id,
            ..link
        });
        Some(
            plain
                .filter(|plain| associations.has(self.of, to, *plain))
                .unwrap_or(link),
        )
    }

    fn told_link(&self, to: TypeIndex, link: Link) -> Value {
        let side = self.portal.associations.definition(self.of, to, link.type_id);
        json!({
            "fromId": link.from.to_string(),
            "toType": self.portal.store(to).object_type.plural,
            "toId": link.to.to_string(),
            "typeId": side.map(|side| side.number),
            "category": side.map(|side| side.category),
        })
    }
}

fn one_of<T: Copy>(draw: &mut Draw, list: &[T]) -> Option<T> {
    list.get(draw.place(list.len().max(1))).copied()
}

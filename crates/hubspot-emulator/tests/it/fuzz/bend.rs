//! Bodies that nearly make sense: a member is missing, of another kind, doubled; or the text itself is broken.

use serde_json::Value;

use super::calls::VALUES;
use super::chance::Chance;

/// The bytes of a body made from one that makes sense; `""` is no body.
pub(super) fn body(chance: &mut Chance, template: &str) -> Vec<u8> {
    if chance.percent(3) {
        return vec![b'['; 1 << chance.below(16)];
    }
    let mut text = template.as_bytes().to_vec();
    if let Ok(mut value) = serde_json::from_str::<Value>(template) {
        for _ in 0..chance.below(4) {
            bend(chance, &mut value);
        }
        text = value.to_string().into_bytes();
    }
    if chance.percent(5) {
        scratch(chance, &mut text);
    }
    text
}

/// Changes one place of a value: walks down and stops somewhere.
fn bend(chance: &mut Chance, value: &mut Value) {
    let leaf = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => true,
    };
    if leaf || chance.percent(15) {
        *value = replacement(chance, value);
        return;
    }
    match value {
        Value::Array(items) => bend_items(chance, items),
        Value::Object(members) => {
            let at = chance.below(members.len());
            let Some(key) = members.keys().nth(at).cloned() else {
                return;
            };
            match chance.below(10) {
                0 => drop(members.remove(&key)),
                1 => drop(members.insert(key + "x", Value::Null)),
                _ => members
                    .get_mut(&key)
                    .into_iter()
                    .for_each(|member| bend(chance, member)),
            }
        }
        _ => {}
    }
}

fn bend_items(chance: &mut Chance, items: &mut Vec<Value>) {
    let at = chance.below(items.len());
    match chance.below(10) {
        0 => drop(items.remove(at)),
        1 => items.push(items[at].clone()),
        2 => *items = vec![items[at].clone(); 1 << chance.below(12)],
        _ => bend(chance, &mut items[at]),
    }
}

fn replacement(chance: &mut Chance, old: &Value) -> Value {
    match chance.below(8) {
        0 => Value::Array(vec![old.clone()]),
        1 => Value::String("x".repeat(1 << chance.below(17))),
        _ => serde_json::from_str(chance.pick(VALUES)).unwrap_or(Value::Null),
    }
}

/// Breaks the text: a byte is another, or the end is missing.
fn scratch(chance: &mut Chance, text: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    let at = chance.below(text.len());
    match chance.below(3) {
        0 => text.truncate(at),
        1 => text[at] = chance.byte(),
        _ => text.insert(at, chance.byte()),
    }
}

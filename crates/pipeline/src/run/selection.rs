//! What is wanted of a catalog: the selected streams with the selected fields.

use opencdc::{Catalog, Error, ErrorKind, Field, Result, SelectedStream, Selection, Stream, Until};

/// The selection of a run: what the pipeline names, or everything.
///
/// # Errors
/// [`ErrorKind::Configuration`] when the catalog has no such stream or field.
pub(crate) fn choose(
    wanted: Option<&[SelectedStream]>,
    catalog: &Catalog,
    until: Until,
) -> Result<Selection> {
    let Some(wanted) = wanted else {
        let everything = Selection::everything(catalog);
        return Ok(Selection { until, ..everything });
    };
    wanted.iter().try_for_each(|stream| check(stream, catalog))?;
    Ok(Selection {
        streams: wanted.to_vec(),
        until,
    })
}

/// The selection once the catalog has changed: whoever names no streams wants the new ones too.
pub(super) fn renewed(wanted: Option<&[SelectedStream]>, before: &Selection, catalog: &Catalog) -> Selection {
    match wanted {
        Some(_) => before.clone(),
        None => Selection {
            until: before.until,
            ..Selection::everything(catalog)
        },
    }
}

fn check(wanted: &SelectedStream, catalog: &Catalog) -> Result<()> {
    let Some(stream) = catalog.stream(wanted.name.as_str()) else {
        let names: Vec<_> = catalog
            .streams
            .iter()
            .map(|stream| stream.name.as_str())
            .collect();
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("there is no stream `{}`", wanted.name),
        )
        .with_hint(format!("the source offers `{}`", names.join("`, `"))));
    };
    let mut fields = wanted.fields.iter().flatten();
    match fields.find(|name| stream.field(name).is_none()) {
        None => Ok(()),
        Some(missing) => Err(Error::new(
            ErrorKind::Configuration,
            format!("stream `{}` has no field `{missing}`", stream.name),
        )
        .with_hint("leave it out of the pipeline's fields, or correct its name")),
    }
}

/// The part of `catalog` that `selection` wants. A stream that is gone from the catalog is left out.
pub(crate) fn apply(selection: &Selection, catalog: &Catalog) -> Catalog {
    let chosen = selection.streams.iter().filter_map(|wanted| {
        let stream = catalog.stream(wanted.name.as_str())?;
        Some(match &wanted.fields {
            None => stream.clone(),
            Some(names) => only(stream, names),
        })
    });
    Catalog::new(chosen.collect())
}

/// The stream with these fields and those that merging cannot do without.
fn only(stream: &Stream, names: &[String]) -> Stream {
    let needed = |field: &&Field| {
        let name = &field.name;
        names.contains(name)
            || stream.key.contains(name)
            || stream.version.as_ref() == Some(name)
            || stream.archived.as_ref() == Some(name)
    };
    Stream {
        fields: stream.fields.iter().filter(needed).cloned().collect(),
        ..stream.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencdc::DataType;

    fn catalog() -> Catalog {
        let text = |name: &str| Field::new(name, DataType::String, [name]);
        let fields = ["id", "email", "city", "updated", "gone"].map(text).to_vec();
        let mut contacts = Stream::new("contacts", ["id"], fields);
        contacts.version = Some("updated".into());
        contacts.archived = Some("gone".into());
        Catalog::new(vec![contacts])
    }

    fn wanted(stream: &str, fields: &[&str]) -> Vec<SelectedStream> {
        let fields = fields.iter().map(ToString::to_string).collect();
        vec![SelectedStream {
            name: stream.into(),
            fields: Some(fields),
        }]
    }

    #[test]
    fn chosen_fields_keep_key_version_and_archived() {
        let wanted = wanted("contacts", &["city"]);
        let selection = choose(Some(&wanted), &catalog(), Until::Dropped).unwrap();
        let chosen = apply(&selection, &catalog());
        let names: Vec<_> = chosen.streams[0]
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(names, ["id", "city", "updated", "gone"]);
    }

    #[test]
    fn a_stream_that_appears_later_is_wanted_unless_the_streams_are_named() {
        let before = choose(None, &Catalog::default(), Until::Dropped).unwrap();
        let renewed_to = |wanted| renewed(wanted, &before, &catalog()).streams.len();
        assert_eq!((renewed_to(None), renewed_to(Some(&[][..]))), (1, 0));
    }

    #[test]
    fn what_the_catalog_has_not_is_refused_by_name() {
        let refused = |stream, field| {
            let wanted = wanted(stream, &[field]);
            choose(Some(&wanted), &catalog(), Until::CaughtUp)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(refused("deals", "id"), "there is no stream `deals`");
        assert_eq!(
            refused("contacts", "town"),
            "stream `contacts` has no field `town`"
        );
    }
}

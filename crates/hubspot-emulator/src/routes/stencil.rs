//! The properties of a page's records, cut out once and filled record by record: what a page costs is how many
//! pieces it is copied from, so everything between two values is one piece.

use crate::state::property::{Projection, PropertySet, Source};
use crate::state::record::Record;
use crate::state::store::write_own_field;
use crate::state::values::PropertyIndex;

/// Wanted properties, all of them null, and where each one's value goes.
#[derive(Debug, Default)]
pub(crate) struct Stencil {
    /// `,"a":null,"b":null`.
    nulls: Vec<u8>,
    /// The cut of each property of the type; [`UNWANTED`] where it is not shown.
    cuts: Vec<Cut>,
    /// Wanted properties that stand for a record's own fields.
    own: Vec<(Cut, Source)>,
}

/// Where a property's `null` stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    from: usize,
    to: usize,
}

const UNWANTED: Cut = Cut { from: 0, to: 0 };

impl Stencil {
    pub(crate) fn new(properties: &PropertySet, wanted: &Projection) -> Self {
        let mut stencil = Self {
            nulls: Vec::with_capacity(wanted.0.len() * 32),
            cuts: vec![UNWANTED; wanted.0.last().map_or(0, |last| usize::from(*last) + 1)],
            own: Vec::new(),
        };
        for &index in &wanted.0 {
            stencil.add(index, properties);
        }
        stencil
    }

    fn add(&mut self, index: PropertyIndex, properties: &PropertySet) {
        self.nulls.extend_from_slice(&properties.fragment(index).null);
        let to = self.nulls.len();
        let cut = Cut {
            from: to - b"null".len(),
            to,
        };
        self.cuts[usize::from(index)] = cut;
        let source = properties.source(index);
        if source != Source::Stored {
            self.own.push((cut, source));
        }
    }

    /// How many bytes a record without long values takes, roughly.
    pub(crate) fn size(&self) -> usize {
        self.nulls.len() + self.nulls.len() / 4
    }

    /// Appends a record's properties without the braces. Values, cuts and own fields all ascend by property.
    pub(crate) fn fill(&self, out: &mut Vec<u8>, record: &Record) {
        let mut own = self.own.as_slice();
        // The first property goes without its comma.
        let mut copied = self.nulls.len().min(1);
        let mut values = record.values.iter();
        while let Some((index, within, length)) = values.next_within() {
            let cut = self.cuts.get(usize::from(index)).copied().unwrap_or(UNWANTED);
            if cut == UNWANTED {
                continue;
            }
            while let [(place, source), rest @ ..] = own
                && place.from <= cut.from
            {
                // A stored value goes before the field it stands for.
                if *place != cut {
                    self.fill_own(out, &mut copied, *place, *source, record);
                }
                own = rest;
            }
            self.copy_to(out, &mut copied, cut);
            append::<32>(out, within, length);
            out.push(b'"');
        }
        for (place, source) in own {
            self.fill_own(out, &mut copied, *place, *source, record);
        }
        out.extend_from_slice(&self.nulls[copied..]);
    }

    fn fill_own(&self, out: &mut Vec<u8>, copied: &mut usize, place: Cut, source: Source, record: &Record) {
        self.copy_to(out, copied, place);
        write_own_field(out, source, record);
        out.push(b'"');
    }

    /// Appends everything up to a value and its opening quote.
    fn copy_to(&self, out: &mut Vec<u8>, copied: &mut usize, cut: Cut) {
        append::<64>(out, &self.nulls[*copied..], cut.from - *copied);
        out.push(b'"');
        *copied = cut.to;
    }
}

/// Appends the first bytes of a slice. Nearly all pieces are shorter than `N`: then `N` bytes are copied and the
/// surplus is cut off, which costs less than to find out how to copy so few.
fn append<const N: usize>(out: &mut Vec<u8>, from: &[u8], length: usize) {
    match from.first_chunk::<N>() {
        Some(chunk) if length <= N => {
            out.extend_from_slice(chunk);
            out.truncate(out.len() - (N - length));
        }
        _ => out.extend_from_slice(&from[..length]),
    }
}

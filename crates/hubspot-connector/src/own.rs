//! The streams that are no CRM objects, as data: tables that are read whole, again and again, and compared.

use crate::objects;

/// A stream that is no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnStream {
    Owners,
    Pipelines,
    PipelineStages,
    Properties,
    Schemas,
    Lists,
    ListMemberships,
}

impl OwnStream {
    pub(crate) const ALL: [Self; 7] = [
        Self::Owners,
        Self::Pipelines,
        Self::PipelineStages,
        Self::Properties,
        Self::Schemas,
        Self::Lists,
        Self::ListMemberships,
    ];

    /// The names of all, in the same order.
    pub(crate) const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut n = 0;
        while n < names.len() {
            names[n] = Self::ALL[n].name();
            n += 1;
        }
        names
    };

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Owners => "owners",
            Self::Pipelines => "pipelines",
            Self::PipelineStages => "pipeline_stages",
            Self::Properties => "properties",
            Self::Schemas => "schemas",
            Self::Lists => "lists",
            Self::ListMemberships => "list_memberships",
        }
    }

    /// The fields that identify a row.
    pub(crate) const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Owners | Self::Schemas | Self::Lists => &["id"],
            Self::Pipelines => &["object_type", "id"],
            Self::PipelineStages => &["object_type", "pipeline_id", "id"],
            Self::Properties => &["object_type", "name"],
            Self::ListMemberships => &["list_id", "record_id"],
        }
    }

    /// The scope that reading it needs, where it is one of its own.
    pub(crate) const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Owners => Some("crm.objects.owners.read"),
            Self::Schemas => Some("crm.schemas.custom.read"),
            Self::Lists | Self::ListMemberships => Some("crm.lists.read"),
            Self::Pipelines | Self::PipelineStages | Self::Properties => None,
        }
    }

    /// The stream that a person means.
    pub(crate) fn called(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|own| objects::same_name(own.name(), name))
    }
}

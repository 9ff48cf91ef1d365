//! What travels: requests and answers of the interface, as JSON has them.
//!
//! Owns: their names, shapes and words; `docs/format/studio-api.json` is made of them. Refuses to know: what the studio's own types look like
//! inside; each is converted by hand where it leaves.

pub mod desk;
pub mod jobs;
pub mod library;
pub mod productions;
pub mod titles;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most items of a page.
pub const LIMIT_MAX: u32 = 500;

/// A part of a list, in its order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What `after` is to be for the items after these; null at the end.
    #[schema(required)]
    pub next: Option<String>,
    /// How many there are in all, or of those that were looked for.
    pub total: i64,
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct PageQuery {
    /// What `next` of the part before was.
    pub after: Option<String>,
    /// How many items at most, from 1 to 500; 100 where it isn't said.
    pub limit: Option<u32>,
    /// What names are to contain.
    pub query: Option<String>,
}

impl PageQuery {
    /// How many items at most.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(100).clamp(1, LIMIT_MAX)
    }
}

/// A new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// From 1 to 200 characters.
    pub name: String,
}

/// An error (RFC 9457), as `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// A bare word that names the kind of error.
    pub r#type: String,
    /// What it is, for a person.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time; null where the title says it all.
    #[schema(required)]
    pub detail: Option<String>,
}

//! Productions: documents that somebody edits.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A production in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductionSummary {
    /// 32 hex digits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// Counts its changes, from 1.
    pub revision: i64,
    /// How many scenes it has.
    pub scenes: i64,
}

/// A production with its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct Production {
    /// 32 hex digits.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// A production document (`docs/format/production.schema.json`), whole or under way.
    #[schema(value_type = Object)]
    pub document: Value,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// Counts its changes, from 1; the entity tag is `"<revision>"`.
    pub revision: i64,
}

/// A new production.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduction {
    /// What it is called.
    pub name: String,
    /// Its document; an empty one where there is none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub document: Option<Value>,
    /// A story to make its scenes of, by rules; Markdown or plain text.
    #[serde(default)]
    pub story: Option<String>,
}

/// A changed production.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditedProduction {
    /// What it is called from now on; as before where it isn't said.
    #[serde(default)]
    pub name: Option<String>,
    /// Its document.
    #[schema(value_type = Object)]
    pub document: Value,
}

/// A story.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Markdown or plain text, at most 2 MiB.
    pub story: String,
}

/// What a story's scenes are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scenes {
    /// What the story is called, if it says so.
    #[schema(required)]
    pub title: Option<String>,
    /// Scenes of a production document.
    #[schema(value_type = Vec<Object>)]
    pub scenes: Vec<Value>,
}

/// Which moment to show.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StillRequest {
    /// Microseconds from the beginning of the video, or of `scene` where that is said.
    pub at_us: u64,
    /// A scene by its number from 0, intro and outro aside.
    pub scene: Option<usize>,
    /// A document that isn't kept yet; the production's own where there is none.
    #[schema(value_type = Option<Object>)]
    pub document: Option<Value>,
}

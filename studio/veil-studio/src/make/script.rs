//! From a story to scenes.
//!
//! Owns: what a script provider is ([`ScriptProvider`]). [`rules`] is the one that needs nothing, [`chat`] asks a model. Refuses to know:
//! voices and pictures.

pub mod chat;
mod markdown;
pub mod rules;

use futures_util::future::BoxFuture;

use super::document::Scene;
use super::error::MakeError;

/// The longest story, in bytes.
pub const STORY_BYTES_MAX: usize = 2 << 20;

/// Makes scenes of a story.
pub trait ScriptProvider: Send + Sync {
    /// The scenes, in order, and a title if the story has one.
    ///
    /// # Errors
    /// [`MakeError`] where a service fails.
    fn scenes<'a>(&'a self, story: &'a str) -> BoxFuture<'a, Result<Script, MakeError>>;
}

/// What was made of a story.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What it is called.
    pub title: Option<String>,
    /// Its scenes.
    pub scenes: Vec<Scene>,
}

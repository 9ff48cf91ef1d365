//! Making a video from a story: the production document, and all that becomes of it.
//!
//! [`make()`](make()) does the work and knows no command line. A story becomes scenes (`script`), a document is read (`document`, `limits`, `merge`), its files
//! are looked at (`media`), scenes are spoken (`voice`, `speaking`), words get times (`words`) and become captions (`captions`, `cueing`), each scene is
//! rendered apart (`scenes`), the sound is laid, mixed and levelled (`sounding`, `sound`), and everything is joined (`making`, the only place that knows
//! the order). Every step is kept by the BLAKE3 of what it was made of (`cache`). Specification: `docs/format/production.md`.
//!
//! Refuses to know: FFmpeg's arguments (`veil-ffmpeg`), the environment, where the video is published.
//!
//! Invariants: a document names files and voices, never addresses or keys; nothing of a run is left but what the cache keeps.

pub mod cache;
pub mod captions;
mod cueing;
pub mod document;
mod error;
mod limits;
mod making;
mod media;
pub mod merge;
mod plan;
pub mod preview;
mod scenes;
pub mod script;
pub mod service;
pub mod sound;
mod sounding;
mod speaking;
pub mod story;
pub mod table;
pub mod voice;
pub mod words;

pub use error::{Fault, MakeError};
pub use making::{Made, MakeProgress, MakeRequest, Services, make};

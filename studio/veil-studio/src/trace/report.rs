//! What a trace came to, as JSON.
//!
//! Specification: `docs/guides/tracing.md`. Owns: the words. Refuses to know: how it came about.
//!
//! Invariant: nothing in it is a key, or tells what copy anybody else was given.

use serde::{Deserialize, Serialize};

/// The version that this build writes.
pub const VERSION: u32 = 1;

/// What a trace came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// At least one viewer's copy it is, within the bound.
    Named,
    /// The title's mark is there, and too little of it to name anybody.
    NotEnough,
    /// The title is known, and its mark is not there.
    NoMark,
    /// It is no title that was marked here.
    UnknownTitle,
}

/// All that a trace found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub v: u32,
    /// When it was examined, RFC 3339.
    pub examined: String,
    /// With what.
    pub program: String,
    /// What was examined.
    pub leak: Leak,
    /// The title that it is of; null where none was found.
    pub title: Option<TitleFound>,
    /// What it came to.
    pub verdict: Verdict,
    /// The highest probability with which an innocent viewer may be named.
    pub epsilon: f64,
    /// How sure it is that the mark is there; null where none was looked for.
    pub presence: Option<Presence>,
    /// Where the title's picture lies in the leak's; null as `presence`.
    pub geometry: Option<GeometryFound>,
    /// How much of the mark was read; null as `presence`.
    pub slots: Option<Slots>,
    /// About how many more seconds of the leak would be enough; null where that isn't the question.
    pub needed_s: Option<u64>,
    /// All grants that the title ever had, the likeliest first.
    pub viewers: Vec<Viewer>,
    /// What was read, in the leak's order.
    pub evidence: Vec<Evidence>,
    /// What else is worth knowing, for a person.
    pub notes: Vec<String>,
}

/// The file that was examined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Its name, without folders.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Its BLAKE3 in hex.
    pub blake3: String,
    /// How long it lasts, in microseconds.
    pub duration_us: u64,
    /// Its width in pixels, upright.
    pub width: u32,
    /// Its height in pixels, upright.
    pub height: u32,
}

/// A title.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TitleFound {
    /// Its id in hex.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// How alike the leak looks, from -1 to 1; null where the title was named by who asked, or found by its mark.
    pub likeness: Option<f64>,
}

/// Whether the mark is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// By how many standard deviations it stands out from keys that it was not marked with.
    pub z: f64,
    /// From which `z` on it counts as there.
    pub threshold: f64,
}

/// Where the title's picture lies in the leak's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeometryFound {
    /// How much of the title's width the leak shows; above 1 there are bars beside it.
    pub scale_x: f64,
    /// The same of its height.
    pub scale_y: f64,
    /// How far the leak's left edge lies from the title's, in widths of the title.
    pub x: f64,
    /// How far its upper edge lies from the title's, in heights of the title.
    pub y: f64,
    /// By how much it is turned, in degrees.
    pub rotation_deg: f64,
    /// Left and right are exchanged.
    pub mirrored: bool,
}

/// How much was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// Slots of the title.
    pub in_title: u32,
    /// Slots that were read in the leak.
    pub read: u32,
    /// The length of one in microseconds.
    pub slot_us: u64,
}

/// A grant, as a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Viewer {
    /// Its id in hex.
    pub grant: String,
    /// What was written on it.
    pub label: String,
    /// `link` or `recipient`.
    pub kind: String,
    /// When it was given, RFC 3339.
    pub created: String,
    /// When it was taken back, RFC 3339; null when it wasn't.
    pub revoked: Option<String>,
    /// How well it agrees with what was read.
    pub score: f64,
    /// At most how probable it is that anybody innocent agrees as well as this, over all candidates.
    pub p_value: f64,
    /// The bound is held: this viewer's copy is the leak's source, or one of them.
    pub named: bool,
}

/// A slot that was read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its number in the title.
    pub slot: u32,
    /// Where it lies in the leak, in microseconds.
    pub leak_us: u64,
    /// What was read, 0 or 1.
    pub symbol: u8,
    /// From 0, a guess, to 1, certain.
    pub confidence: f64,
}

impl Report {
    /// The result in a sentence or two, for a person.
    #[must_use]
    pub fn sentence(&self) -> String {
        let title = self.title.as_ref().map_or("", |title| title.name.as_str());
        match self.verdict {
            Verdict::Named => {
                let named: Vec<String> = self.named().map(Viewer::called).collect();
                let (whose, names) = match named.as_slice() {
                    [one] => ("the copy that was given to", one.clone()),
                    many => ("made of the copies that were given to", many.join(", ")),
                };
                format!("this is “{title}”, {whose} {names}")
            }
            Verdict::NotEnough => {
                let more = match self.needed_s {
                    Some(needed_s) => {
                        format!("; about {needed_s} more seconds of it would be needed")
                    }
                    None => String::new(),
                };
                format!(
                    "this is “{title}” with its mark, and not enough evidence to name anybody{more}"
                )
            }
            Verdict::NoMark => format!("no mark of “{title}” was found in it"),
            Verdict::UnknownTitle => "it is no title that was marked in this studio".to_owned(),
        }
    }

    /// The viewers that are named.
    pub fn named(&self) -> impl Iterator<Item = &Viewer> {
        self.viewers.iter().filter(|viewer| viewer.named)
    }
}

impl Viewer {
    /// What a person knows the viewer by: the label, else the kind and the beginning of the id.
    #[must_use]
    pub fn called(&self) -> String {
        if self.label.is_empty() {
            format!("{} {}", self.kind, self.grant.get(..8).unwrap_or(&self.grant))
        } else {
            format!("“{}”", self.label)
        }
    }
}

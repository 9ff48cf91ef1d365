//! Marked titles: what they are marked with, and which variants a viewer gets.
//!
//! Formats: `docs/format/key-schedule.md` (Variants), `docs/format/mark.md`. Owns the two secrets of a marked title, which leave the
//! catalogue for a moment and are granted to nobody. Refuses to know pictures.

use std::str::FromStr;

use rand_core::Rng as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use veil_ffmpeg::{Packaging, Plan, Slots, SourceInfo};
use veil_seal::grant::pattern;
use veil_seal::id::GrantId;
use veil_seal::object::Variant;
use veil_seal::secret::Secret;
use veil_seal::variants::{ListKey, MarkKey, VariantList};
use veil_stego::mark::{Label, Marker, Strength, TracingKey};
use veil_stego::{Depth, Picture};
use zeroize::Zeroizing;

use crate::catalogue::Title;
use crate::catalogue::marks::MarksRow;
use crate::keystore::os_rng;
use crate::manifest::TitleManifest;
use crate::pipeline::Encoder;
use crate::stages::mark::Marked;
use crate::trace::likeness::Onlooker;
use crate::tracks::{MarkedRuns, Runs};
use crate::{Studio, StudioError};

/// How strongly a picture is marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MarkStrength {
    /// Nobody sees it; read out of what was encoded again and scaled down.
    #[default]
    Standard,
    /// For short leaks and hard encoding; dark, smooth pictures may show it.
    Strong,
}

impl MarkStrength {
    /// Its name in the catalogue and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Strong => "strong",
        }
    }

    pub(crate) fn strength(self) -> Strength {
        match self {
            Self::Standard => Strength::Standard,
            Self::Strong => Strength::Strong,
        }
    }
}

impl FromStr for MarkStrength {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Standard, Self::Strong].into_iter().find(|one| one.name() == text);
        found.ok_or_else(|| format!("`{text}` is neither standard nor strong"))
    }
}

/// What a marked title is traced by.
pub struct Marking {
    /// How strongly it is marked.
    pub strength: MarkStrength,
    /// Length of a slot in microseconds, rounded down.
    pub slot_us: u64,
    /// How many slots there are.
    pub slot_count: u32,
    /// Where the mark lies, and who got which variants.
    pub tracing: TracingKey,
}

/// All of a marked title's secrets.
pub(crate) struct Marks {
    pub(crate) marking: Marking,
    pub(crate) key: MarkKey,
}

/// The secrets of a title that is being marked.
pub(crate) struct Secrets {
    strength: MarkStrength,
    mark_key: Secret<32>,
    tracing_key: Zeroizing<[u8; TracingKey::BYTES]>,
}

impl Secrets {
    /// Draws them.
    pub(crate) fn random(strength: MarkStrength) -> Self {
        let mut rng = os_rng();
        let mut tracing_key = Zeroizing::new([0; TracingKey::BYTES]);
        rng.fill_bytes(tracing_key.as_mut_slice());
        Self { strength, mark_key: Secret::random(&mut rng), tracing_key }
    }

    /// What names and opens variants.
    pub(crate) fn mark_key(&self) -> MarkKey {
        MarkKey::new(Secret::new(*self.mark_key.expose()))
    }

    fn tracing_key(&self) -> TracingKey {
        TracingKey::new(*self.tracing_key)
    }
}

impl Encoder {
    /// Starts the runs of an import: three with the marking between them, where there is something to mark with.
    pub(crate) async fn start(
        &self,
        source: &SourceInfo,
        plan: &Plan,
        secrets: Option<&Secrets>,
    ) -> Result<Runs, StudioError> {
        let Self { launcher, tools, .. } = self;
        let (Some(secrets), Some(slots)) = (secrets, plan.slots) else {
            return Ok(Runs::Plain(Packaging::start(launcher, tools, source, plan).await?));
        };
        let (width, height) = plan.frame_size();
        // The ladder has 8 bits in the limited range, whatever the source has.
        let picture = Picture::new(width, height, Depth::Eight, true);
        let picture = picture.map_err(|_| StudioError::NothingToMark)?;
        let strength = secrets.strength.strength();
        let marked = Marked {
            marker: Marker::new(&secrets.tracing_key(), picture, strength),
            onlooker: Onlooker::new(picture),
            slots,
            luma_bytes: width as usize * height as usize,
            frame_bytes: plan.frame_bytes(),
        };
        let runs = MarkedRuns {
            source: Packaging::start_source(launcher, tools, source, plan).await?,
            variants: [
                Packaging::start_ladder(launcher, tools, source, plan).await?,
                Packaging::start_ladder(launcher, tools, source, plan).await?,
            ],
            marked,
        };
        Ok(Runs::Marked(Box::new(runs)))
    }
}

/// What a viewer of a marked title gets.
pub(crate) struct Copy {
    /// The grant record's `pattern`.
    pub(crate) pattern: String,
    pub(crate) key: ListKey,
    pub(crate) list: VariantList,
}

impl Marks {
    /// The variants of the viewer who gets this grant.
    pub(crate) fn copy_for(&self, title: &Title, grant: GrantId) -> Result<Copy, StudioError> {
        let labels = self.marking.tracing.labels(&grant.0, self.marking.slot_count);
        let variant = |label: Label| match label {
            Label::First => Variant::A,
            Label::Second => Variant::B,
        };
        let chosen: Vec<Variant> = labels.into_iter().map(variant).collect();
        let list = self.key.list(title.id, (0..).zip(chosen.iter().copied()))?;
        Ok(Copy { pattern: pattern(&chosen), key: ListKey::random(&mut os_rng()), list })
    }
}

impl Studio {
    /// Notes what a title was marked with, before it can be seen. All renditions of its picture have the same slots.
    pub(crate) async fn note_marks(
        &self,
        title: &Title,
        secrets: &Secrets,
        plan: &Plan,
        manifest: &TitleManifest,
    ) -> Result<(), StudioError> {
        let marked = manifest.renditions.iter().filter(|rendition| rendition.marked);
        let mut counts = marked.map(|rendition| rendition.segments.len());
        let slot_count = counts.next().ok_or(StudioError::NothingToMark)?;
        if counts.any(|count| count != slot_count) {
            return Err(StudioError::Unequal);
        }
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let sealed_keys = self.keystore().seal_marks(
            title.id,
            title.epoch,
            &secrets.mark_key(),
            &secrets.tracing_key,
        )?;
        let marks = MarksRow {
            strength: secrets.strength.name().to_owned(),
            slot_us: number(plan.slots.map_or(0, Slots::duration_us)),
            slot_count: number(slot_count as u64),
            sealed_keys,
        };
        self.catalogue().insert_marks(title.id, &marks).await
    }

    /// What a title is traced by; `None` for one that isn't marked.
    ///
    /// # Errors
    /// [`StudioError::Catalogue`], [`StudioError::Seal`] or [`StudioError::Damaged`].
    pub async fn marking(&self, title: &Title) -> Result<Option<Marking>, StudioError> {
        Ok(self.marks(title).await?.map(|marks| marks.marking))
    }

    pub(crate) async fn marks(&self, title: &Title) -> Result<Option<Marks>, StudioError> {
        let Some(row) = self.catalogue().marks(title.id).await? else {
            return match title.facts.marked {
                true => Err(damaged(title)),
                false => Ok(None),
            };
        };
        let (key, tracing) =
            self.keystore().unseal_marks(title.id, title.epoch, &row.sealed_keys)?;
        let marking = read(&row, TracingKey::new(*tracing)).ok_or_else(|| damaged(title))?;
        Ok(Some(Marks { marking, key }))
    }
}

fn damaged(title: &Title) -> StudioError {
    StudioError::Damaged { what: "the marks", id: title.id.to_string() }
}

fn read(row: &MarksRow, tracing: TracingKey) -> Option<Marking> {
    Some(Marking {
        strength: row.strength.parse().ok()?,
        slot_us: u64::try_from(row.slot_us).ok()?,
        slot_count: u32::try_from(row.slot_count).ok()?,
        tracing,
    })
}

#[cfg(test)]
mod tests {
    use veil_ffmpeg::SHORT_SLOTS_MAX;
    use veil_seal::chunks::sealed_len;
    use veil_seal::grant::MAX_RECORD_BYTES;
    use veil_seal::variants::ENTRY_BYTES;

    use super::*;

    /// What a viewer's list may be.
    const LIST_BYTES_MAX: u64 = 160_000;

    #[test]
    fn a_viewers_list_stays_below_160_kb_for_short_slots_and_two_hours_of_long_ones() {
        let sealed = |slots: u64| sealed_len(slots * ENTRY_BYTES as u64).unwrap();
        assert!(sealed(SHORT_SLOTS_MAX) <= LIST_BYTES_MAX, "{}", sealed(SHORT_SLOTS_MAX));
        assert!(sealed(2 * 3600 / 2) <= 134_500, "{}", sealed(3600));
    }

    #[test]
    fn the_pattern_of_the_most_slots_fits_into_a_record() {
        let chosen = vec![Variant::B; veil_hls::marked::SLOTS_MAX];
        // An envelope in base64url and the other members take less than 3 KiB.
        assert!(pattern(&chosen).len() + 3 * 1024 <= MAX_RECORD_BYTES);
    }

    #[test]
    fn each_strength_is_known_by_its_name() {
        for strength in [MarkStrength::Standard, MarkStrength::Strong] {
            assert_eq!(strength.name().parse(), Ok(strength));
            assert_eq!(strength.strength().name(), strength.name());
        }
        assert!("loud".parse::<MarkStrength>().is_err());
    }
}

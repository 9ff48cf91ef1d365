//! The order of a trace: the only place that knows it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;
use veil_ffmpeg::SourceInfo;
use veil_stego::mark::{Accusation, Heard as Slot, PRESENCE_THRESHOLD, Reading, Suspect, accuse};

use super::hearing::{self, Heard, is_present};
use super::leak::{Leak, Told, blocking};
use super::matching::ALIKE;
use super::report::{Evidence, Presence, Report, Slots, TitleFound, VERSION, Verdict, Viewer};
use super::scout::{self, Candidate, Pieces};
use super::{EPSILON_MAX, TraceProgress, TraceRequest};
use crate::catalogue::audit::{Action, Event};
use crate::catalogue::{GrantRow, Title};
use crate::marking::Marking;
use crate::pipeline::Encoder;
use crate::turns::{FrameSize, Resources};
use crate::{Studio, StudioError, time};

/// What errors and reports call this program.
const PROGRAM: &str = concat!("veilcast ", env!("CARGO_PKG_VERSION"));

/// A title whose mark is read.
struct Marked {
    title: Title,
    likeness: Option<f64>,
    marking: Arc<Marking>,
}

impl Studio {
    /// Finds out which viewer's copy a leak was made of, and notes in the audit trail that it was asked.
    ///
    /// # Errors
    /// [`StudioError::Ffmpeg`] for what is no video, [`StudioError::NotMarked`], [`StudioError::Epsilon`], and others that are not the leak's fault. That
    /// nothing was found is no error, but a [`Verdict`].
    pub async fn trace(
        &self,
        request: &TraceRequest,
        encoder: &Encoder,
        progress: &watch::Sender<TraceProgress>,
        now: Timestamp,
    ) -> Result<Report, StudioError> {
        if !(request.epsilon > 0.0 && request.epsilon <= EPSILON_MAX) {
            return Err(StudioError::Epsilon(request.epsilon));
        }
        progress.send_replace(TraceProgress { step: "reading the file", ..Default::default() });
        let named = match &request.title {
            Some(title) => Some(self.named(title).await?),
            None => None,
        };
        let leak = Leak::open(encoder, &request.leak).await?;
        progress.send_replace(TraceProgress { step: "waiting", ..Default::default() });
        let _turn = encoder.turn(cost(&leak.source, encoder.processors)).await?;
        let marked = match named {
            Some(marked) => Some(marked),
            None => self.recognised(&leak, encoder, progress).await?,
        };
        let blank = blank(&leak, request.epsilon, now);
        let report = match marked {
            Some(marked) => self.read(blank, &leak, encoder, (marked, progress)).await?,
            None => blank,
        };
        self.note_trace(&report, now).await?;
        Ok(report)
    }

    /// The title that who asks has named.
    async fn named(&self, title: &str) -> Result<Marked, StudioError> {
        let title = self.catalogue().find_title(title).await?;
        let marking = self.marking(&title).await?;
        let marking = marking.ok_or_else(|| StudioError::NotMarked(title.name.clone()))?;
        Ok(Marked { title, likeness: None, marking: Arc::new(marking) })
    }

    /// The title whose look or mark the leak has; `None` where there is none.
    async fn recognised(
        &self,
        leak: &Leak,
        encoder: &Encoder,
        progress: &watch::Sender<TraceProgress>,
    ) -> Result<Option<Marked>, StudioError> {
        let total_us = scout::pieces_us(leak.facts.duration_us);
        let told = Told { step: "looking", before_us: 0, total_us, progress };
        let pieces = scout::pieces(leak, encoder, told).await?;
        progress.send_replace(TraceProgress { step: "comparing", ..Default::default() });
        let candidates = self.candidates(&pieces).await?;
        let (alike, others): (Vec<Candidate>, _) =
            candidates.into_iter().partition(|one| one.alike.is_some());
        // A look that is alike is believed when no title's mark says otherwise.
        let likest = alike.first().copied();
        if let Some(found) = self.whose_mark(&alike, &pieces).await? {
            return Ok(Some(found));
        }
        let is_sure = likest.and_then(|one| one.alike).is_some_and(|alike| alike.score >= ALIKE);
        if !is_sure && let Some(found) = self.whose_mark(&others, &pieces).await? {
            return Ok(Some(found));
        }
        match likest {
            Some(likest) => self.marked(likest).await,
            None => Ok(None),
        }
    }

    /// The first candidate whose mark is in the pieces.
    async fn whose_mark(
        &self,
        candidates: &[Candidate],
        pieces: &Pieces,
    ) -> Result<Option<Marked>, StudioError> {
        for candidate in candidates {
            let Some(marked) = self.marked(*candidate).await? else { continue };
            if hearing::is_in(pieces, &marked.marking).await? {
                return Ok(Some(marked));
            }
        }
        Ok(None)
    }

    async fn marked(&self, candidate: Candidate) -> Result<Option<Marked>, StudioError> {
        let title = self.catalogue().find_title(&candidate.title.to_string()).await?;
        let Some(marking) = self.marking(&title).await? else { return Ok(None) };
        let likeness = candidate.alike.map(|alike| f64::from(alike.score));
        Ok(Some(Marked { title, likeness, marking: Arc::new(marking) }))
    }

    /// Reads a title's mark and judges what it says.
    async fn read(
        &self,
        blank: Report,
        leak: &Leak,
        encoder: &Encoder,
        (marked, progress): (Marked, &watch::Sender<TraceProgress>),
    ) -> Result<Report, StudioError> {
        let heard = hearing::hear(leak, encoder, &marked.marking, progress).await?;
        let Heard { reading, geometry, broke_off } = heard;
        progress.send_replace(TraceProgress { step: "judging", ..Default::default() });
        let grants = self.catalogue().grants(Some(marked.title.id)).await?;
        let (there, z) = (is_present(&reading), reading.presence);
        let evidence = evidence(&reading);
        let accusation = match there {
            true => {
                let ids = grants.iter().map(|grant| Ok(grant.grant_id()?.0));
                let ids: Vec<[u8; 16]> = ids.collect::<Result<_, StudioError>>()?;
                let (marking, epsilon) = (Arc::clone(&marked.marking), blank.epsilon);
                let judged =
                    blocking(move || accuse(&marking.tracing, &reading, &ids, epsilon)).await?;
                Some(judged)
            }
            false => None,
        };
        let viewers = accusation.as_ref().map(|judged| viewers(judged, &grants));
        let viewers = viewers.unwrap_or_default();
        let verdict = match there {
            false => Verdict::NoMark,
            true if viewers.iter().any(|viewer| viewer.named) => Verdict::Named,
            true => Verdict::NotEnough,
        };
        let needed_us = accusation.as_ref().and_then(|judged| judged.more_slots);
        let needed_us = needed_us.filter(|_| verdict == Verdict::NotEnough);
        let needed_s =
            needed_us.map(|slots| (u64::from(slots) * marked.marking.slot_us).div_ceil(1_000_000));
        let slots = Slots {
            in_title: marked.marking.slot_count,
            read: u32::try_from(evidence.len()).unwrap_or(u32::MAX),
            slot_us: marked.marking.slot_us,
        };
        let notes = broke_off
            .map(|why| format!("the file is damaged, and was read as far as it goes: {why}"));
        Ok(Report {
            title: Some(TitleFound {
                id: marked.title.id.to_string(),
                name: marked.title.name,
                likeness: marked.likeness,
            }),
            verdict,
            presence: Some(Presence { z, threshold: PRESENCE_THRESHOLD }),
            geometry: there.then_some(geometry),
            slots: Some(slots),
            needed_s,
            viewers,
            evidence: if there { evidence } else { Vec::new() },
            notes: notes.into_iter().collect(),
            ..blank
        })
    }

    /// Notes that somebody has asked, and what came of it.
    async fn note_trace(&self, report: &Report, now: Timestamp) -> Result<(), StudioError> {
        let named: Vec<&str> = report.named().map(|viewer| viewer.grant.as_str()).collect();
        let details = json!({
            "epsilon": report.epsilon,
            "named": named,
            "sha256": report.leak.sha256,
            "verdict": report.verdict,
        });
        let subject = report.title.as_ref().map_or("", |title| title.id.as_str());
        let at = time::text(now);
        self.catalogue().note(Event { action: Action::Trace, subject, details, at: &at }).await
    }
}

/// A report before anything was found.
fn blank(leak: &Leak, epsilon: f64, now: Timestamp) -> Report {
    Report {
        v: VERSION,
        examined: time::text(now),
        program: PROGRAM.to_owned(),
        leak: leak.facts.clone(),
        title: None,
        verdict: Verdict::UnknownTitle,
        epsilon,
        presence: None,
        geometry: None,
        slots: None,
        needed_s: None,
        viewers: Vec::new(),
        evidence: Vec::new(),
        notes: Vec::new(),
    }
}

fn evidence(reading: &Reading) -> Vec<Evidence> {
    let one = |heard: &Slot| Evidence {
        slot: heard.slot,
        leak_us: heard.leak_us,
        symbol: u8::from(heard.one >= 0.5),
        confidence: heard.confidence,
    };
    reading.slots.iter().map(one).collect()
}

/// The candidates in the order of the accusation.
fn viewers(judged: &Accusation, grants: &[GrantRow]) -> Vec<Viewer> {
    let one = |suspect: &Suspect| {
        let grant = grants.get(suspect.viewer)?;
        Some(Viewer {
            grant: grant.id.clone(),
            label: grant.label.clone(),
            kind: grant.kind.clone(),
            created: grant.created_at.clone(),
            revoked: grant.revoked_at.clone(),
            score: suspect.score,
            p_value: suspect.p_value,
            named: suspect.is_named,
        })
    };
    judged.suspects.iter().filter_map(one).collect()
}

fn cost(source: &SourceInfo, processors: usize) -> Resources {
    let size = source.video.as_ref().map_or(FrameSize::of_8_bit_420(0, 0), |video| {
        FrameSize::of_8_bit_420(video.width, video.height)
    });
    Resources::of_tracing(size, processors)
}

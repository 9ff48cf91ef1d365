//! Which title a piece of video is of, by what both look like.
//!
//! Owns: the search over titles, times, speeds and the mirror. Refuses to know: marks; whoever asks confirms what is found here by the mark, so
//! that a wrong answer costs time and nothing else.
//!
//! A piece of a leak is a [`Run`] of steps. For each speed the run's steps are laid along the title, and the likeness is the mean correlation of
//! the steps that meet. The best place of each run counts by itself, so that cuts between runs do no harm.

use super::likeness::{ACROSS, Likeness, STEP_US, Step};

/// Speeds that a leak may have against its title.
const SPEEDS: [f32; 7] = [1.0, 0.98, 1.02, 0.96, 1.04, 0.94, 1.06];

/// Steps of a run.
pub const RUN_STEPS: usize = 16;

/// Correlation from which a title is worth looking at: true ones have 0.7 with 15 % of the picture cut off, and 0.95 without.
pub const WORTH: f32 = 0.6;

/// Correlation from which a likeness is believed by itself.
pub const ALIKE: f32 = 0.88;

/// Steps with less contrast than this tell nothing: the sum of squares of their fields.
const POWER_MIN: i32 = 144;

/// A piece of a leak.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it looks like.
    pub steps: Vec<Step>,
}

/// How much a title is like a leak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// The mean over runs of their best correlation, from -1 to 1.
    pub score: f32,
    /// The left and right of the leak are exchanged.
    pub mirrored: bool,
    /// Where the first run begins in the title, in microseconds.
    pub starts_us: u64,
}

/// How much `title` is like the leak that `runs` are of; `None` where either tells nothing.
#[must_use]
pub fn compare(runs: &[Run], title: &Likeness) -> Option<Match> {
    let (plain, flipped) = (best(runs, title, false), best(runs, title, true));
    match (plain, flipped) {
        (Some(plain), Some(flipped)) if flipped.score > plain.score => Some(flipped),
        (plain, flipped) => plain.or(flipped),
    }
}

fn best(runs: &[Run], title: &Likeness, mirrored: bool) -> Option<Match> {
    let mut starts_us = None;
    let mut scores = Vec::new();
    for run in runs {
        let steps: Vec<Step> = match mirrored {
            true => run.steps.iter().map(mirror).collect(),
            false => run.steps.clone(),
        };
        let Some((score, at)) = place(&steps, title) else { continue };
        starts_us = starts_us.or(Some(at as u64 * STEP_US));
        scores.push(score);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of runs")]
    let score = scores.iter().sum::<f32>() / scores.len() as f32;
    Some(Match { score, mirrored, starts_us: starts_us? })
}

/// The best place of a run in a title: its correlation and the step at which it begins.
fn place(run: &[Step], title: &Likeness) -> Option<(f32, usize)> {
    let length = title.steps.len();
    let powers: Vec<f32> = title.steps.iter().map(power).collect();
    // Rows: steps of the run that tell something; columns: steps of the title.
    let rows: Vec<(usize, Vec<f32>)> = run
        .iter()
        .enumerate()
        .filter(|(_, step)| power(step) > 0.0)
        .map(|(index, step)| (index, correlations(step, &title.steps, &powers)))
        .collect();
    if rows.is_empty() || length == 0 {
        return None;
    }
    let (told, mut best) = (rows.len(), None::<(f32, usize)>);
    for speed in SPEEDS {
        for from in 0..length {
            let (mut sum, mut met) = (0.0, 0_u16);
            for (index, row) in &rows {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a few steps"
                )]
                let along = (*index as f32 * speed).round() as usize;
                let Some(one) = row.get(from + along) else { break };
                sum += one;
                met += 1;
            }
            // A run may reach over the title's end a little, but not lie beyond it.
            if usize::from(met) * 4 < told * 3 {
                break;
            }
            let score = sum / f32::from(met);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, from));
            }
        }
    }
    best
}

/// The correlation of a step with each of a title's.
fn correlations(step: &Step, title: &[Step], powers: &[f32]) -> Vec<f32> {
    let own = power(step);
    #[expect(clippy::cast_precision_loss, reason = "at most 144 times 49")]
    let one = |other: &Step| dot(step, other) as f32;
    title.iter().zip(powers).map(|(other, power)| one(other) * own * power).collect()
}

fn dot(one: &Step, two: &Step) -> i32 {
    one.iter().zip(two).map(|(one, two)| i32::from(i16::from(*one) * i16::from(*two))).sum()
}

/// One over the length of a step as a vector; 0 for one that tells nothing.
fn power(step: &Step) -> f32 {
    let squares = dot(step, step);
    #[expect(clippy::cast_precision_loss, reason = "at most 144 times 49")]
    if squares < POWER_MIN { 0.0 } else { 1.0 / (squares as f32).sqrt() }
}

fn mirror(step: &Step) -> Step {
    let mut mirrored = *step;
    mirrored.chunks_mut(ACROSS).for_each(<[i8]>::reverse);
    mirrored
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of made-up pictures, small and positive"
)]
mod tests {
    use super::*;
    use crate::trace::likeness::FIELDS;

    /// A film whose picture changes every few seconds and moves meanwhile.
    fn film(seed: u32, steps: usize) -> Likeness {
        let noise = |a: u32, b: u32| {
            let mut state = a.wrapping_mul(0x9e37_79b9) ^ b.wrapping_mul(0x85eb_ca6b) ^ seed;
            for _ in 0..4 {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
            }
            (state >> 8) as f32 / (1 << 24) as f32
        };
        let step = |at: usize| -> Step {
            let shot = (at / 7) as u32;
            std::array::from_fn(|field| {
                let (x, y) = ((field % ACROSS) as f32, (field / ACROSS) as f32);
                let (a, b) = (noise(shot, 1) * 1.5, noise(shot, 2) * 1.5);
                let phase = noise(shot, 3) * 6.0 + at as f32 * 0.2 * (noise(shot, 4) - 0.5);
                ((a * x + phase).sin() * 3.0 + (b * y + phase).cos() * 3.0).round() as i8
            })
        };
        Likeness { steps: (0..steps).map(step).collect() }
    }

    fn runs(film: &Likeness, at: &[usize], speed: f32) -> Vec<Run> {
        let run = |from: &usize| Run {
            steps: (0..RUN_STEPS)
                .map(|step| film.steps[from + (step as f32 * speed).round() as usize])
                .collect(),
        };
        at.iter().map(run).collect()
    }

    #[test]
    fn a_piece_is_found_in_its_film_and_in_no_other() {
        let (film, stranger) = (film(1, 2000), film(2, 2000));
        for speed in [0.94, 1.0, 1.06] {
            let runs = runs(&film, &[321, 900, 1500], speed);
            let found = compare(&runs, &film).unwrap();
            assert!(found.score > 0.97 && !found.mirrored, "{found:?} at {speed}");
            assert_eq!(found.starts_us, 321 * STEP_US);
            let wrong = compare(&runs, &stranger).unwrap();
            assert!(wrong.score < ALIKE, "{wrong:?}");
        }
    }

    #[test]
    fn the_mirror_is_seen_through() {
        let film = film(3, 500);
        let mut runs = runs(&film, &[40], 1.0);
        runs[0].steps = runs[0].steps.iter().map(mirror).collect();
        let found = compare(&runs, &film).unwrap();
        assert!(found.mirrored && found.score > 0.99, "{found:?}");
    }

    #[test]
    fn what_is_flat_or_too_short_tells_nothing() {
        let film = film(4, 100);
        let flat = vec![Run { steps: vec![[0; FIELDS]; RUN_STEPS] }];
        assert_eq!(compare(&flat, &film), None);
        assert_eq!(compare(&[], &film), None);
        let long = runs(&film, &[0], 1.0);
        let short = Likeness { steps: film.steps[..5].to_vec() };
        assert_eq!(compare(&long, &short), None);
        assert_eq!(compare(&long, &Likeness::default()), None);
    }
}

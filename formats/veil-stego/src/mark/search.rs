//! How a leak's picture lies on the title's: crops, bars, other shapes, small turns, mirrors.
//!
//! Owns: the search, coarse to fine, for the map under which windows have most of the template in them. What is looked at doesn't depend on
//! slots or symbols, so nothing else needs to be known. Refuses to know: time. Invariant: the work is bounded, whatever the leak.

use super::geometry::Geometry;
use super::reader::{MACRO, Reference, by_macro};
use super::sight::Window;
use super::{MACRO_SIDE, MACROS, SIGHT_HEIGHT, SIGHT_SAMPLES, SIGHT_WIDTH, TracingKey};

/// Windows that are looked at, at most; and at first.
const WINDOWS: usize = 32;
const FIRST_WINDOWS: usize = 8;
/// Maps that are looked at with all windows, and those that are made finer.
const CANDIDATES: usize = 64;
const FINALISTS: usize = 4;
/// Turns that are tried, in degrees.
const TURNS: [f64; 5] = [0.0, -0.75, 0.75, -1.5, 1.5];
/// What is tried along a side: steps of scales and of places, in parts of the side.
const ACROSS: (f64, f64) = (0.015, 0.010);
const DOWN: (f64, f64) = (0.020, 0.015);
/// The least and the greatest scale.
const SCALES: (f64, f64) = (0.76, 1.40);
/// Beyond this only bars on two sides are looked for.
const FRAME_SCALE: f64 = 1.25;
/// Steps of refinement: in parts of a side, and in degrees.
const FINER: [(f64, f64); 3] = [(0.006, 0.3), (0.003, 0.15), (0.0015, 0.08)];
/// A macro cell counts if so much of it is shown.
const SHOWN: f64 = 0.25;

/// Half of the sight.
const WIDTH: usize = SIGHT_WIDTH / 2;
const HEIGHT: usize = SIGHT_HEIGHT / 2;

/// How a leak lies on its title.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The map.
    pub geometry: Geometry,
    /// How much of the template is in the leak under this map, where 1 is what a wrong map has.
    pub energy: f64,
}

/// A scale, and where the leak's side begins in the title's.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    scale: f64,
    from: f64,
}

/// Windows at half the size, mirrored and turned.
struct View {
    planes: Vec<Vec<f32>>,
    geometry: Geometry,
}

/// A map and how well it looks.
#[derive(Clone, Copy)]
struct Candidate {
    view: usize,
    x: Span,
    y: Span,
    energy: f64,
}

/// Searches the map of a leak, from up to 32 of its windows, which are best spread all over it. `aspect` is the width over the height of
/// the leak's picture as it is shown.
#[must_use]
pub fn search(key: &TracingKey, windows: &[Window], aspect: f64) -> Found {
    let windows = spread(windows);
    let reference = Reference::new(key.streams(), 0);
    let smooth = smoothed(&reference.levels);
    let views: Vec<View> = views(&windows, aspect);
    let mut candidates = Vec::new();
    for (number, view) in views.iter().enumerate() {
        coarse(&smooth, view, number, &mut candidates);
    }
    let mut energies: Vec<f64> = candidates.iter().map(|one| one.energy).collect();
    energies.sort_unstable_by(f64::total_cmp);
    let null = energies.get(energies.len() / 2).copied().unwrap_or(1.0).max(1e-9);
    best_first(&mut candidates, CANDIDATES);
    let mut plane = Plane::default();
    for one in &mut candidates {
        plane.draw(&smooth, one.x, one.y);
        one.energy = plane.energy(&views[one.view].planes);
    }
    best_first(&mut candidates, FINALISTS);
    let finest = candidates.iter().map(|one| {
        let rough = Geometry {
            scale_x: one.x.scale,
            scale_y: one.y.scale,
            x: one.x.from,
            y: one.y.from,
            ..views[one.view].geometry
        };
        finer(&reference, &windows, rough)
    });
    let none = (Geometry { aspect, ..Geometry::identity() }, 0.0);
    let (geometry, energy) = finest.fold(none, |a, b| if b.1 > a.1 { b } else { a });
    Found { geometry, energy: energy / null }
}

/// At most [`WINDOWS`], as far from each other as they can be.
fn spread(windows: &[Window]) -> Vec<&Window> {
    let count = windows.len().min(WINDOWS);
    (0..count).map(|at| &windows[at * windows.len() / count]).collect()
}

fn best_first(candidates: &mut Vec<Candidate>, count: usize) {
    candidates.sort_unstable_by(|a, b| b.energy.total_cmp(&a.energy));
    candidates.truncate(count);
}

/// Means of four samples that touch, from each sample on.
fn smoothed(levels: &[f32]) -> Vec<f32> {
    let at =
        |x: usize, y: usize| levels[y.min(SIGHT_HEIGHT - 1) * SIGHT_WIDTH + x.min(SIGHT_WIDTH - 1)];
    let mean = |place: usize| {
        let (x, y) = (place % SIGHT_WIDTH, place / SIGHT_WIDTH);
        (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0
    };
    (0..SIGHT_SAMPLES).map(mean).collect()
}

fn views(windows: &[&Window], aspect: f64) -> Vec<View> {
    let mut views = Vec::new();
    let mut aligned = vec![0.0; SIGHT_SAMPLES];
    for mirrored in [false, true] {
        for rotation_deg in TURNS {
            let geometry = Geometry { rotation_deg, mirrored, aspect, ..Geometry::identity() };
            let plane = |window: &&Window| {
                geometry.align(window, &mut aligned);
                halved(&aligned)
            };
            views.push(View { planes: windows.iter().map(plane).collect(), geometry });
        }
    }
    views
}

fn halved(plane: &[f32]) -> Vec<f32> {
    let mut half = Vec::with_capacity(WIDTH * HEIGHT);
    for rows in plane.chunks_exact(2 * SIGHT_WIDTH) {
        let (above, below) = rows.split_at(SIGHT_WIDTH);
        let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
        half.extend(pairs.map(|(a, b)| (a[0] + a[1] + b[0] + b[1]) / 4.0));
    }
    half
}

/// Spans to try along a side: crops, and bars.
fn spans((scale_step, place_step): (f64, f64)) -> (Vec<Span>, Vec<Span>) {
    let (mut crops, mut bars) = (Vec::new(), Vec::new());
    let steps = |length: f64, step: f64| (length / step + 1e-9).floor() as usize;
    for at in 0..=steps(1.0 - SCALES.0, scale_step) {
        let scale = 1.0 - at as f64 * scale_step;
        let count = steps(1.0 - scale, place_step);
        crops.extend((0..=count).map(|at| Span { scale, from: at as f64 * place_step }));
    }
    for at in 1..=steps(SCALES.1 - 1.0, scale_step) {
        let scale = 1.0 + at as f64 * scale_step;
        let count = steps(scale - 1.0, place_step);
        bars.extend((0..=count).map(|at| Span { scale, from: -(at as f64) * place_step }));
    }
    (crops, bars)
}

/// Looks at all maps of a view, on a grid.
fn coarse(smooth: &[f32], view: &View, number: usize, candidates: &mut Vec<Candidate>) {
    let stride = view.planes.len().div_ceil(FIRST_WINDOWS).max(1);
    let planes: Vec<&Vec<f32>> = view.planes.iter().step_by(stride).collect();
    let mut plane = Plane::default();
    let mut look = |x: Span, y: Span| {
        plane.draw(smooth, x, y);
        candidates.push(Candidate { view: number, x, y, energy: plane.energy(&planes) });
    };
    let ((crops_x, bars_x), (crops_y, bars_y)) = (spans(ACROSS), spans(DOWN));
    for x in &crops_x {
        crops_y.iter().for_each(|y| look(*x, *y));
    }
    let whole = Span { scale: 1.0, from: 0.0 };
    bars_x.iter().for_each(|x| look(*x, whole));
    bars_y.iter().for_each(|y| look(whole, *y));
    for x in bars_x.iter().filter(|x| x.scale <= FRAME_SCALE) {
        for y in bars_y.iter().filter(|y| (y.scale - x.scale).abs() < DOWN.0 / 2.0) {
            look(*x, *y);
        }
    }
}

/// The template as a leak would show it, at half the size.
struct Plane {
    levels: Vec<f32>,
    /// The macro cell of each column and row; none outside the title.
    columns: Vec<Option<usize>>,
    rows: Vec<Option<usize>>,
    squares: [f32; MACROS],
    samples: [f32; MACROS],
}

impl Default for Plane {
    fn default() -> Self {
        Self {
            levels: vec![0.0; WIDTH * HEIGHT],
            columns: vec![None; WIDTH],
            rows: vec![None; HEIGHT],
            squares: [0.0; MACROS],
            samples: [0.0; MACROS],
        }
    }
}

impl Plane {
    fn draw(&mut self, smooth: &[f32], x: Span, y: Span) {
        let place = |span: Span, at: usize, count: usize, samples: usize| {
            let place = span.from + span.scale * (at as f64 + 0.5) / count as f64;
            // A mean of two samples has its middle between them.
            let sample = (place * samples as f64 - 0.5).floor().clamp(0.0, samples as f64 - 1.0);
            let is_shown = (0.0..1.0).contains(&place);
            (sample as usize, is_shown.then_some((place * MACRO_SIDE as f64) as usize))
        };
        let across: Vec<_> = (0..WIDTH).map(|at| place(x, at, WIDTH, SIGHT_WIDTH)).collect();
        self.squares = [0.0; MACROS];
        self.samples = [0.0; MACROS];
        for (column, (_, cell)) in self.columns.iter_mut().zip(&across) {
            *column = *cell;
        }
        for (at, line) in self.levels.chunks_exact_mut(WIDTH).enumerate() {
            let (row, cell) = place(y, at, HEIGHT, SIGHT_HEIGHT);
            self.rows[at] = cell;
            let Some(cell) = cell else {
                line.fill(0.0);
                continue;
            };
            let from = &smooth[row * SIGHT_WIDTH..][..SIGHT_WIDTH];
            for (level, (sample, column)) in line.iter_mut().zip(&across) {
                *level = 0.0;
                if let Some(column) = column {
                    *level = from[*sample];
                    self.squares[cell * MACRO_SIDE + column] += *level * *level;
                    self.samples[cell * MACRO_SIDE + column] += 1.0;
                }
            }
        }
    }

    /// How much of the template is in planes: the mean of squared correlations, times the root of the number of cells shown, so that
    /// maps that show little don't win by chance.
    fn energy(&self, planes: &[impl AsRef<Vec<f32>>]) -> f64 {
        let least = SHOWN * (WIDTH * HEIGHT / MACROS) as f64;
        let (mut sum, mut count) = (0.0, 0_u32);
        for plane in planes {
            let (products, squares) = self.sums(plane.as_ref());
            for cell in 0..MACROS {
                if f64::from(self.samples[cell]) < least {
                    continue;
                }
                let length = squares[cell] * self.squares[cell];
                if length > 0.0 {
                    sum += f64::from(products[cell] * products[cell] / length * self.samples[cell]);
                }
                count += 1;
            }
        }
        sum / f64::from(count.max(1))
    }

    /// Sums of products with a plane, and of its squares, over each macro cell.
    fn sums(&self, plane: &[f32]) -> ([f32; MACROS], [f32; MACROS]) {
        let (mut products, mut squares) = ([0.0; MACROS], [0.0; MACROS]);
        let mut columns = [[0.0_f32; WIDTH]; 2];
        let rows = plane.chunks_exact(WIDTH).zip(self.levels.chunks_exact(WIDTH));
        for (at, (shown, levels)) in rows.enumerate() {
            let Some(cell) = self.rows[at] else { continue };
            let [product, square] = &mut columns;
            for x in 0..WIDTH {
                product[x] += shown[x] * levels[x];
                square[x] += shown[x] * shown[x];
            }
            if self.rows.get(at + 1).copied().flatten() != Some(cell) {
                for (x, column) in self.columns.iter().enumerate() {
                    if let Some(column) = column {
                        products[cell * MACRO_SIDE + column] += columns[0][x];
                        squares[cell * MACRO_SIDE + column] += columns[1][x];
                    }
                }
                columns = [[0.0; WIDTH]; 2];
            }
        }
        (products, squares)
    }
}

/// Makes a map finer, one number after the other, for as long as that helps.
fn finer(reference: &Reference, windows: &[&Window], rough: Geometry) -> (Geometry, f64) {
    let mut aligned = vec![0.0; SIGHT_SAMPLES];
    let mut best = (rough, energy(reference, windows, rough, &mut aligned));
    for (step, turn) in FINER {
        let mut is_better = true;
        let mut rounds = 0;
        while is_better && rounds < 6 {
            is_better = false;
            rounds += 1;
            for number in 0..5 {
                for sign in [1.0, -1.0] {
                    let tried = moved(best.0, number, sign * step, sign * turn);
                    let energy = energy(reference, windows, tried, &mut aligned);
                    if energy > best.1 * 1.0005 {
                        best = (tried, energy);
                        is_better = true;
                    }
                }
            }
        }
    }
    best
}

/// A map with one of its numbers changed; scales keep the middle where it is.
fn moved(mut map: Geometry, number: usize, step: f64, turn: f64) -> Geometry {
    match number {
        0 => map.x += step,
        1 => map.y += step,
        2 => {
            map.scale_x += step;
            map.x -= step / 2.0;
        }
        3 => {
            map.scale_y += step;
            map.y -= step / 2.0;
        }
        _ => map.rotation_deg += turn,
    }
    map
}

/// How much of the template is in windows under a map, at full size.
fn energy(reference: &Reference, windows: &[&Window], map: Geometry, aligned: &mut [f32]) -> f64 {
    let own = by_macro(&reference.levels, &reference.levels);
    let (mut sum, mut count) = (0.0, 0_u32);
    for window in windows {
        map.align(window, aligned);
        let products = by_macro(aligned, &reference.levels);
        let squares = by_macro(aligned, aligned);
        for cell in 0..MACROS {
            if squares[cell] > 0.0 {
                let part = products[cell] * products[cell] / (squares[cell] * own[cell]);
                sum += f64::from(part) * (MACRO.0 * MACRO.1 / 4) as f64;
                count += 1;
            }
        }
    }
    sum / f64::from(count.max(1))
}

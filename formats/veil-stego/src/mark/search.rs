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
const FINALISTS: usize = 3;
/// Windows with which maps are made finer, at most.
const FINER_WINDOWS: usize = 16;
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

/// So many deviations above the median, a map is plain, and no other turn is looked at.
const PLAIN: f64 = 14.0;
/// The median of the absolute values of normally distributed numbers, in deviations.
const MEDIAN: f64 = 0.6745;

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
    planes: Vec<Plane>,
    geometry: Geometry,
}

/// A window at half the size.
struct Plane {
    levels: Vec<f32>,
    /// Sums of squares above and to the left of each sample.
    squares: Vec<f32>,
}

/// The template as a leak's columns show it, at half the width and all of the height.
struct Across {
    span: Span,
    /// Where macro cells begin and end.
    edges: [usize; MACRO_SIDE + 1],
    levels: Vec<f32>,
    /// Of each row, the sums of squares in macro cells.
    squares: Vec<[f32; MACRO_SIDE]>,
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
    let windows = spread(windows, WINDOWS);
    let none = (Geometry { aspect, ..Geometry::identity() }, 0.0);
    if windows.is_empty() {
        return Found { geometry: none.0, energy: 0.0 };
    }
    let reference = Reference::new(key.streams(), 0);
    let smooth = smoothed(&reference.levels);
    let views: Vec<View> = views(&windows, aspect);
    let mut candidates = Vec::new();
    let mut null = 1.0;
    for (number, view) in views.iter().enumerate() {
        coarse(&smooth, view, number, &mut candidates);
        let (median, spread, highest) = spread_of(&candidates);
        null = median;
        if highest > median + PLAIN * spread {
            break;
        }
    }
    best_first(&mut candidates, CANDIDATES);
    for one in &mut candidates {
        let planes: Vec<&Plane> = views[one.view].planes.iter().collect();
        one.energy = Across::new(&smooth, one.x).energy(one.y, &planes);
    }
    best_first(&mut candidates, FINALISTS);
    let few: Vec<&Window> = spread(&windows, FINER_WINDOWS).into_iter().copied().collect();
    let finest = candidates.iter().map(|one| {
        let rough = Geometry {
            scale_x: one.x.scale,
            scale_y: one.y.scale,
            x: one.x.from,
            y: one.y.from,
            ..views[one.view].geometry
        };
        finer(&reference, &few, rough)
    });
    let (geometry, energy) = finest.fold(none, |a, b| if b.1 > a.1 { b } else { a });
    Found { geometry, energy: energy / null }
}

/// At most so many, as far from each other as they can be.
fn spread<T>(windows: &[T], most: usize) -> Vec<&T> {
    let count = windows.len().min(most);
    (0..count).map(|at| &windows[at * windows.len() / count]).collect()
}

/// The median energy, its spread (as a deviation of normally distributed numbers), and the highest.
fn spread_of(candidates: &[Candidate]) -> (f64, f64, f64) {
    let middle = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        (values[values.len() / 2], values[values.len() - 1])
    };
    let (median, highest) = middle(candidates.iter().map(|one| one.energy).collect());
    let (spread, _) = middle(candidates.iter().map(|one| (one.energy - median).abs()).collect());
    (median.max(1e-9), spread / MEDIAN, highest)
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
    for rotation_deg in TURNS {
        for mirrored in [false, true] {
            let geometry = Geometry { rotation_deg, mirrored, aspect, ..Geometry::identity() };
            let plane = |window: &&Window| {
                geometry.align(window, &mut aligned);
                Plane::new(halved(&aligned))
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
    let planes: Vec<&Plane> = view.planes.iter().step_by(stride).collect();
    let ((crops_x, bars_x), (crops_y, bars_y)) = (spans(ACROSS), spans(DOWN));
    let whole = Span { scale: 1.0, from: 0.0 };
    let mut look = |across: &Across, y: Span| {
        let energy = across.energy(y, &planes);
        candidates.push(Candidate { view: number, x: across.span, y, energy });
    };
    for x in crops_x {
        let across = Across::new(smooth, x);
        crops_y.iter().for_each(|y| look(&across, *y));
        if x == whole {
            bars_y.iter().for_each(|y| look(&across, *y));
        }
    }
    for x in bars_x {
        let across = Across::new(smooth, x);
        look(&across, whole);
        let frames = bars_y.iter().filter(|y| (y.scale - x.scale).abs() < DOWN.0 / 2.0);
        frames.filter(|_| x.scale <= FRAME_SCALE).for_each(|y| look(&across, *y));
    }
}

/// Where each sample of a side at half the size lies in the title's, and where its macro cells begin and end.
fn places(span: Span, count: usize, samples: usize) -> (Vec<usize>, [usize; MACRO_SIDE + 1]) {
    let place = |at: usize| span.from + span.scale * (at as f64 + 0.5) / count as f64;
    // A mean of two samples has its middle between them.
    let sample = |at: usize| {
        let sample = (place(at) * samples as f64 - 0.5).floor();
        sample.clamp(0.0, samples as f64 - 1.0) as usize
    };
    let edge = |cell: usize| {
        (0..count).find(|at| place(*at) * MACRO_SIDE as f64 >= cell as f64).unwrap_or(count)
    };
    ((0..count).map(sample).collect(), std::array::from_fn(edge))
}

impl Plane {
    fn new(levels: Vec<f32>) -> Self {
        let mut squares = vec![0.0; (WIDTH + 1) * (HEIGHT + 1)];
        for (y, row) in levels.chunks_exact(WIDTH).enumerate() {
            let mut sum = 0.0;
            for (x, level) in row.iter().enumerate() {
                sum += level * level;
                squares[(y + 1) * (WIDTH + 1) + x + 1] = squares[y * (WIDTH + 1) + x + 1] + sum;
            }
        }
        Self { levels, squares }
    }

    /// The sum of squares in some columns and rows.
    fn squares(&self, columns: (usize, usize), rows: (usize, usize)) -> f32 {
        let at = |x: usize, y: usize| self.squares[y * (WIDTH + 1) + x];
        at(columns.1, rows.1) - at(columns.0, rows.1) - at(columns.1, rows.0)
            + at(columns.0, rows.0)
    }
}

impl Across {
    fn new(smooth: &[f32], span: Span) -> Self {
        let (samples, edges) = places(span, WIDTH, SIGHT_WIDTH);
        let mut levels = Vec::with_capacity(WIDTH * SIGHT_HEIGHT);
        let mut squares = Vec::with_capacity(SIGHT_HEIGHT);
        for row in smooth.chunks_exact(SIGHT_WIDTH) {
            let from = levels.len();
            levels.extend(samples.iter().map(|sample| row[*sample]));
            let line = &levels[from..];
            squares.push(std::array::from_fn(|cell| {
                line[edges[cell]..edges[cell + 1]].iter().map(|level| level * level).sum()
            }));
        }
        Self { span, edges, levels, squares }
    }

    /// How much of the template is in planes: the mean of squared correlations over macro cells that are shown.
    fn energy(&self, y: Span, planes: &[&Plane]) -> f64 {
        let (rows, edges) = places(y, HEIGHT, SIGHT_HEIGHT);
        let least = SHOWN * (WIDTH * HEIGHT / MACROS) as f64;
        let (mut sum, mut count) = (0.0, 0_u32);
        for cell in 0..MACRO_SIDE {
            let down = (edges[cell], edges[cell + 1]);
            let own = self.own_squares(&rows[down.0..down.1]);
            for plane in planes {
                let columns = self.products(plane, &rows, down);
                for (column, own) in own.iter().enumerate() {
                    let across = (self.edges[column], self.edges[column + 1]);
                    let samples = (across.1 - across.0) * (down.1 - down.0);
                    if (samples as f64) < least {
                        continue;
                    }
                    let product: f32 = columns[across.0..across.1].iter().sum();
                    let length = plane.squares(across, down) * own;
                    if length > 0.0 {
                        sum += f64::from(product * product / length) * samples as f64;
                    }
                    count += 1;
                }
            }
        }
        sum / f64::from(count.max(1))
    }

    /// The template's sums of squares in rows of macro cells.
    fn own_squares(&self, rows: &[usize]) -> [f32; MACRO_SIDE] {
        let mut sums = [0.0; MACRO_SIDE];
        for row in rows {
            sums.iter_mut().zip(self.squares[*row]).for_each(|(sum, square)| *sum += square);
        }
        sums
    }

    /// Sums of products with a plane over some rows, of each column.
    fn products(&self, plane: &Plane, rows: &[usize], down: (usize, usize)) -> [f32; WIDTH] {
        let mut columns = [0.0; WIDTH];
        let rows = rows[down.0..down.1].iter();
        for (shown, row) in plane.levels[down.0 * WIDTH..].chunks_exact(WIDTH).zip(rows) {
            let levels = &self.levels[row * WIDTH..][..WIDTH];
            for (sum, (shown, level)) in columns.iter_mut().zip(shown.iter().zip(levels)) {
                *sum += shown * level;
            }
        }
        columns
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

//! What part of the title's picture a leak shows, and how it is turned.
//!
//! Owns: the map between the two, and levels laid onto it. Refuses to know: how it is found. Invariant: every map has an inverse.

use super::sight::Window;
use super::{SIGHT_HEIGHT, SIGHT_SAMPLES, SIGHT_WIDTH};

/// A leak's picture on the title's: what lies at (u, v) of the leak, each from 0 to 1, is turned about the leak's middle, and lies then
/// at (x + scale x · u, y + scale y · v) of the title. Scales below 1 are of crops, above 1 of bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometry {
    /// Part of the title's width that the leak shows.
    pub scale_x: f64,
    /// Part of the title's height that the leak shows.
    pub scale_y: f64,
    /// Where the leak's left is in the title's width.
    pub x: f64,
    /// Where the leak's top is in the title's height.
    pub y: f64,
    /// Clockwise, in degrees.
    pub rotation_deg: f64,
    /// Whether left and right changed places.
    pub mirrored: bool,
    /// Width over height of the leak's picture as it is shown.
    pub aspect: f64,
}

/// A map of planes: (x, y) goes to (a x + b y + c, d x + e y + f).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine(pub(super) [[f64; 3]; 2]);

impl Geometry {
    /// Of a leak that shows the title as it is.
    #[must_use]
    pub fn identity() -> Self {
        let aspect = 16.0 / 9.0;
        Self {
            scale_x: 1.0,
            scale_y: 1.0,
            x: 0.0,
            y: 0.0,
            rotation_deg: 0.0,
            mirrored: false,
            aspect,
        }
    }

    /// From places in the leak to places in the title, both in samples of the sight.
    pub(super) fn to_title(self) -> Affine {
        let (sin, cos) = self.rotation_deg.to_radians().sin_cos();
        let flip = if self.mirrored { -1.0 } else { 1.0 };
        // About the middle, in parts of each side.
        let turn = [[cos * flip, -sin / self.aspect], [sin * self.aspect * flip, cos]];
        let (width, height) = (SIGHT_WIDTH as f64, SIGHT_HEIGHT as f64);
        let row = |turn: [f64; 2], (scale, offset, side): (f64, f64, f64)| {
            let [a, b] = turn.map(|part| part * scale * side);
            let middle = (offset + scale / 2.0) * side;
            // Samples have their middle at a half.
            let [a, b] = [a / width, b / height];
            let c = middle - a * (width - 1.0) / 2.0 - b * (height - 1.0) / 2.0 - 0.5;
            [a, b, c]
        };
        Affine([
            row(turn[0], (self.scale_x, self.x, width)),
            row(turn[1], (self.scale_y, self.y, height)),
        ])
    }

    /// A window's levels where the title has them, and 0 where the leak shows nothing of it; and how many it shows.
    pub(super) fn align(self, window: &Window, out: &mut [f32]) -> usize {
        let Affine([[a, b, c], [d, e, f]]) = self.to_title().inverse();
        let mut covered = 0;
        let (right, bottom) = (SIGHT_WIDTH as f32 - 1.0, SIGHT_HEIGHT as f32 - 1.0);
        for (at, out) in out.iter_mut().enumerate().take(SIGHT_SAMPLES) {
            let (x, y) = ((at % SIGHT_WIDTH) as f64, (at / SIGHT_WIDTH) as f64);
            let (u, v) = ((a * x + b * y + c) as f32, (d * x + e * y + f) as f32);
            // Half a sample beyond the middles at the border is still shown.
            if u < -0.5 || v < -0.5 || u > right + 0.5 || v > bottom + 0.5 {
                *out = 0.0;
                continue;
            }
            covered += 1;
            *out = between(&window.levels, u.clamp(0.0, right), v.clamp(0.0, bottom));
        }
        covered
    }
}

/// The level between four samples.
fn between(levels: &[i8], u: f32, v: f32) -> f32 {
    let (x, y) = ((u as usize).min(SIGHT_WIDTH - 2), (v as usize).min(SIGHT_HEIGHT - 2));
    let (s, t) = (u - x as f32, v - y as f32);
    let at = y * SIGHT_WIDTH + x;
    let level = |at: usize| f32::from(levels[at]);
    let above = level(at) * (1.0 - s) + level(at + 1) * s;
    let below = level(at + SIGHT_WIDTH) * (1.0 - s) + level(at + SIGHT_WIDTH + 1) * s;
    above * (1.0 - t) + below * t
}

impl Affine {
    /// The map back. Scales are never 0, and turns keep areas.
    pub(super) fn inverse(self) -> Self {
        let [[a, b, c], [d, e, f]] = self.0;
        let area = a * e - b * d;
        Self([
            [e / area, -b / area, (b * f - c * e) / area],
            [-d / area, a / area, (c * d - a * f) / area],
        ])
    }

    #[cfg(test)]
    pub(super) fn of(self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_go_there_and_back_and_identity_moves_nothing() {
        let (x, y) = Geometry::identity().to_title().of(17.0, 3.0);
        assert!((x - 17.0).abs() < 1e-9 && (y - 3.0).abs() < 1e-9);
        let turned = Geometry {
            scale_x: 0.8,
            scale_y: 0.9,
            x: 0.1,
            y: 0.02,
            rotation_deg: 1.2,
            mirrored: true,
            ..Geometry::identity()
        };
        let (x, y) = turned.to_title().of(17.0, 3.0);
        let (u, v) = turned.to_title().inverse().of(x, y);
        assert!((u - 17.0).abs() < 1e-9 && (v - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_crop_and_a_mirror_show_what_they_say() {
        let crop = Geometry { scale_x: 0.5, scale_y: 0.5, x: 0.25, y: 0.5, ..Geometry::identity() };
        // The leak's left upper corner (-0.5, -0.5) is at a quarter and a half of the title.
        let (x, y) = crop.to_title().of(-0.5, -0.5);
        assert!((x - 63.5).abs() < 1e-9 && (y - 79.5).abs() < 1e-9);
        let mirror = Geometry { mirrored: true, ..Geometry::identity() };
        let (x, y) = mirror.to_title().of(0.0, 0.0);
        assert!((x - 255.0).abs() < 1e-9 && y.abs() < 1e-9);
    }
}

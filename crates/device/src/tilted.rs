//! A code that was photographed from the side.
//!
//! The search of `rqrr` fits a code from whole pixels at three corners. The many small modules of a pass
//! (ISO/IEC 18004, versions 13 to 24) leave it too little to go by as soon as the picture is not drawn. Here
//! the corners' marks are found by rays, the far corner where their outlines meet, and the map from modules
//! to pixels is fitted to every alignment pattern. Whether the guess was right the code says itself, by its
//! error correction.

use rqrr::{Grid, SimpleGrid};

type Point = (f64, f64);

/// A ray goes on by so many pixels.
const STEP: f64 = 0.25;
/// A change that is shorter is a pixel that the ray grazes, in pixels.
const GRAZED: f64 = 1.0;
/// The most places that look like a mark along two lines: noise has any number.
const MARKS_SEEN: usize = 1024;
/// The most marks that are put together by three.
const MARKS_TRIED: usize = 12;
/// The most sets of three that are read.
const CORNERS_TRIED: usize = 4;
/// An alignment pattern that differs less from its surroundings is none, of 255.
const CLEAR: f64 = 20.0;

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "places in a picture")]
fn real(number: usize) -> f64 {
    number as f64
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is below 0 is 0, what is no number too"
)]
fn place(number: f64) -> usize {
    number as usize
}

fn minus(one: Point, other: Point) -> Point {
    (one.0 - other.0, one.1 - other.1)
}

fn plus(one: Point, other: Point, by: f64) -> Point {
    (one.0 + other.0 * by, one.1 + other.1 * by)
}

fn times(it: Point, by: f64) -> Point {
    (it.0 * by, it.1 * by)
}

fn length(it: Point) -> f64 {
    (it.0 * it.0 + it.1 * it.1).sqrt()
}

fn unit(it: Point) -> Point {
    times(it, 1.0 / length(it))
}

/// The mark in a code's corner.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Point,
    /// Seven modules, about.
    side: f64,
    /// How many lines saw it.
    seen: f64,
}

/// Whether five runs are as 1 : 1 : 3 : 1 : 1, which a mark is from any side.
fn is_mark(runs: [usize; 5]) -> bool {
    let module = real(runs.iter().sum()) / 7.0;
    let is_near =
        |run: usize, of: f64, by: f64| (real(run) - of * module).abs() < (by * module).max(1.1);
    let [a, b, stone, c, d] = runs;
    1.0 <= module
        && [a, b, c, d].iter().all(|it| is_near(*it, 1.0, 0.5))
        && is_near(stone, 3.0, 0.9)
}

/// The marks along a line of pixels: where the middle is, and how long.
fn marks_along(line: impl Iterator<Item = bool>, mut found: impl FnMut(f64, f64)) {
    let mut runs = [0_usize; 5];
    let (mut was, mut run, mut count) = (false, 0_usize, 0_usize);
    // What is behind the end is light.
    for (x, is) in line.chain([false, true]).enumerate() {
        if is == was {
            run += 1;
            continue;
        }
        runs.rotate_left(1);
        runs[4] = run;
        count += 1;
        if was && 5 <= count && is_mark(runs) {
            let [.., stone, light, ring] = runs;
            found(real(x - ring - light) - real(stone) / 2.0, real(runs.iter().sum()));
        }
        (was, run) = (is, 1);
    }
}

/// Three marks each: upper left, upper right, lower left; the likeliest first.
fn corners(marks: &[Mark]) -> Vec<[Mark; 3]> {
    let mut all = Vec::new();
    for one in marks {
        for two in marks {
            for three in marks {
                let (right, down) = (minus(two.at, one.at), minus(three.at, one.at));
                let (wide, high) = (length(right), length(down));
                if wide.min(high) < 2.0 * one.side {
                    continue;
                }
                let turn = (right.0 * down.1 - right.1 * down.0) / (wide * high);
                let differ = |one: f64, other: f64| one.max(other) / one.min(other) / 2.0 - 0.5;
                let skew = (1.0 - turn).abs()
                    + differ(wide, high)
                    + differ(two.side, three.side)
                    + differ(one.side, three.side);
                if 0.5 < turn && skew < 1.5 {
                    all.push((skew, [*one, *two, *three]));
                }
            }
        }
    }
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    all.into_iter().take(CORNERS_TRIED).map(|it| it.1).collect()
}

/// From modules to pixels: a plane seen from anywhere.
#[derive(Debug, Clone, Copy)]
struct Map([f64; 8]);

impl Map {
    fn at(&self, (u, v): Point) -> Point {
        let [across_u, across_v, across, down_u, down_v, down, by_u, by_v] = self.0;
        let by = by_u * u + by_v * v + 1.0;
        ((across_u * u + across_v * v + across) / by, (down_u * u + down_v * v + down) / by)
    }

    /// The map that comes nearest to these pairs, by least squares; exact for four.
    fn fitted(pairs: &[(Point, Point)]) -> Option<Self> {
        let mut rows = [[0.0_f64; 9]; 8];
        for ((u, v), (x, y)) in pairs.iter().copied() {
            for line in [
                [u, v, 1.0, 0.0, 0.0, 0.0, -u * x, -v * x, x],
                [0.0, 0.0, 0.0, u, v, 1.0, -u * y, -v * y, y],
            ] {
                for (row, left) in rows.iter_mut().zip(line) {
                    for (cell, right) in row.iter_mut().zip(line) {
                        *cell += left * right;
                    }
                }
            }
        }
        // Gauss and Jordan, with the largest pivot first.
        for column in 0..8 {
            let size = |row: &[f64; 9]| row.get(column).map_or(0.0, |it| it.abs());
            let below = rows.iter().enumerate().skip(column);
            let (best, _) = below.max_by(|one, other| size(one.1).total_cmp(&size(other.1)))?;
            rows.swap(column, best);
            let pivot = *rows.get(column)?;
            let by = *pivot.get(column)?;
            if !by.is_normal() || by.abs() < 1e-12 {
                return None;
            }
            let pivot = pivot.map(|it| it / by);
            for (index, row) in rows.iter_mut().enumerate() {
                let by = *row.get(column)?;
                if index == column {
                    *row = pivot;
                    continue;
                }
                for (cell, one) in row.iter_mut().zip(pivot) {
                    *cell -= by * one;
                }
            }
        }
        Some(Self(rows.map(|row| row[8])))
    }
}

/// Where alignment patterns have their middles along a side (ISO/IEC 18004, annex E), in modules.
fn alignments(modules: usize) -> Vec<f64> {
    let version = modules.saturating_sub(17) / 4;
    if version < 2 {
        return Vec::new();
    }
    let count = version / 7 + 2;
    let step = match version {
        32 => 26,
        _ => (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2,
    };
    let others = (0..count - 1).rev().map(|it| (modules - 7).saturating_sub(it * step));
    std::iter::once(6).chain(others).map(|it| real(it) + 0.5).collect()
}

struct Picture<'p> {
    luma: &'p [u8],
    /// Darker than its surroundings.
    dark: Vec<bool>,
    width: usize,
    height: usize,
}

impl<'p> Picture<'p> {
    fn new(luma: &'p [u8], width: usize, height: usize) -> Self {
        let reach = width.max(height) / 16 + 1;
        // Sums of all that is above and to the left. A picture of 16 million pixels just fits; of what is
        // larger differences come out right.
        let stride = width + 1;
        let mut sums = vec![0_u32; stride];
        for row in luma.chunks_exact(width) {
            let above = sums.len() - stride;
            let mut sum = 0_u32;
            sums.push(0);
            for (x, pixel) in row.iter().enumerate() {
                sum = sum.wrapping_add(u32::from(*pixel));
                let up = sums.get(above + x + 1).copied().unwrap_or_default();
                sums.push(up.wrapping_add(sum));
            }
        }
        let at = |x: usize, y: usize| sums.get(y * stride + x).copied().unwrap_or_default();
        let mut dark = Vec::with_capacity(luma.len());
        for (y, row) in luma.chunks_exact(width).enumerate() {
            let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(height));
            for (x, pixel) in row.iter().enumerate() {
                let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
                let below = at(right, bottom).wrapping_sub(at(left, bottom));
                let sum = below.wrapping_sub(at(right, top)).wrapping_add(at(left, top));
                let count = u64::try_from((right - left) * (bottom - top)).unwrap_or(u64::MAX);
                // Paper by itself is not dark: so a little less than the mean.
                dark.push(u64::from(*pixel).saturating_mul(count) * 20 < u64::from(sum) * 19);
            }
        }
        Self { luma, dark, width, height }
    }

    fn index(&self, (x, y): Point) -> Option<usize> {
        let within = 0.0 <= x && 0.0 <= y && x < real(self.width) && y < real(self.height);
        within.then(|| place(y) * self.width + place(x))
    }

    fn is_dark(&self, at: Point) -> bool {
        self.index(at).and_then(|it| self.dark.get(it)).is_some_and(|it| *it)
    }

    fn grey(&self, at: Point) -> f64 {
        self.index(at).and_then(|it| self.luma.get(it)).map_or(255.0, |it| f64::from(*it))
    }

    /// How far it is that way from the middle of a mark to its outer edge: dark, light, dark, and out.
    fn edge(&self, mark: &Mark, to: Point) -> Option<f64> {
        let (mut turns, mut was, mut since, mut far) = (0, true, 0.0, 0.0);
        while far < 2.0 * mark.side + 4.0 {
            far += STEP;
            let is = self.is_dark(plus(mark.at, to, far));
            since = if is == was { 0.0 } else { since + STEP };
            if GRAZED <= since {
                (turns, was, since) = (turns + 1, is, 0.0);
                if turns == 3 {
                    return Some(far - GRAZED + STEP / 2.0);
                }
            }
        }
        None
    }

    /// The same to both sides.
    fn edges(&self, mark: &Mark, to: Point) -> Option<(f64, f64)> {
        Some((self.edge(mark, to)?, self.edge(mark, times(to, -1.0))?))
    }

    /// Whether a mark is as long on both sides of its middle, in most directions that one looks.
    fn is_ring(&self, mark: &Mark) -> bool {
        let (a, b) = (0.5_f64.sqrt(), 0.75_f64.sqrt());
        let ways =
            [(1.0, 0.0), (0.0, 1.0), (a, a), (a, -a), (0.5, b), (b, 0.5), (0.5, -b), (b, -0.5)];
        let is_even = |to: &&Point| {
            let even = |(one, other): (f64, f64)| (one - other).abs() < 0.25 * one.min(other) + 1.0;
            self.edges(mark, **to).is_some_and(even)
        };
        6 <= ways.iter().filter(is_even).count()
    }

    /// The middle and the height of the mark in a column that is nearest to a row.
    fn upright(&self, (x, y): Point, side: f64) -> Option<(f64, f64)> {
        let from = (y - 2.0 * side).max(0.0).floor();
        let to = place(y + 2.0 * side).min(self.height);
        let column = (place(from)..to).map(|y| self.is_dark((x, real(y))));
        let mut best: Option<(f64, f64)> = None;
        marks_along(column, |middle, tall| {
            let (middle, far) = (middle + from, (middle + from - y).abs());
            if far < tall / 4.0 && best.is_none_or(|it| far < (it.0 - y).abs()) {
                best = Some((middle, tall));
            }
        });
        best
    }

    fn marks(&self) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for (y, row) in self.dark.chunks_exact(self.width).enumerate() {
            marks_along(row.iter().copied(), |x, wide| {
                let Some((y, tall)) = self.upright((x, real(y)), wide) else { return };
                let side = wide.min(tall);
                let near = |it: &&mut Mark| {
                    let (across, down) = minus(it.at, (x, y));
                    across.abs().max(down.abs()) < side / 2.0
                };
                if let Some(it) = marks.iter_mut().find(near) {
                    it.seen += 1.0;
                    it.at = plus(it.at, minus((x, y), it.at), 1.0 / it.seen);
                    it.side += (side - it.side) / it.seen;
                } else if marks.len() < MARKS_SEEN {
                    marks.push(Mark { at: (x, y), side, seen: 1.0 });
                }
            });
        }
        // Lines that cross a mark are about three modules of it.
        marks.retain(|it| 2.0 <= it.seen && it.side < 8.0 * it.seen);
        for mark in &mut marks {
            for to in [(1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, 1.0)] {
                if let Some((one, other)) = self.edges(mark, to) {
                    mark.at = plus(mark.at, to, (one - other) / 2.0);
                }
            }
        }
        marks.retain(|it| self.is_ring(it));
        marks.sort_by(|one, other| other.seen.total_cmp(&one.seen));
        marks.truncate(MARKS_TRIED);
        marks
    }

    /// The line along the outer edge of a mark: a point and where it goes. `out` leads to that edge,
    /// `beside` runs along it, each a module long: rays meet the edge wherever they go between its corners.
    fn outline(&self, mark: &Mark, out: Point, beside: Point) -> Option<(Point, Point)> {
        let ways = (-7..=7_i32).map(|it| unit(plus(times(out, 3.5), beside, f64::from(it) * 0.4)));
        let points = ways.filter_map(|to| Some(plus(mark.at, to, self.edge(mark, to)?)));
        let points: Vec<Point> = points.collect();
        if points.len() < 5 {
            return None;
        }
        let each = 1.0 / real(points.len());
        let middle = points.iter().fold((0.0, 0.0), |sum, it| plus(sum, *it, each));
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in points.iter().map(|it| minus(*it, middle)) {
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        }
        // The axis along which they spread, by half angles: no trigonometry travels to phones.
        let (across, along) = unit((xx - yy, 2.0 * xy));
        let (cos, sin) = ((0.5 + across / 2.0).sqrt(), (0.5 - across / 2.0).sqrt());
        Some((middle, (cos, sin.copysign(along))))
    }

    /// How clear an alignment pattern is: the mean of what should be light less that of what should be
    /// dark.
    fn clearness(&self, map: &Map, middle: Point) -> f64 {
        let (mut light, mut dark) = (0.0, 0.0);
        for i in -2..=2_i32 {
            for j in -2..=2_i32 {
                let it = self.grey(map.at(plus(middle, (f64::from(i), f64::from(j)), 1.0)));
                if i.abs().max(j.abs()) == 1 { light += it } else { dark += it }
            }
        }
        light / 8.0 - dark / 17.0
    }

    /// The middle of the alignment pattern near a place, in modules, and how clear it is.
    fn alignment(&self, map: &Map, near: Point, reach: i32) -> Option<(Point, f64)> {
        let places = (-reach..=reach).flat_map(|i| (-reach..=reach).map(move |j| (i, j)));
        let places = places.map(|(i, j)| plus(near, (f64::from(i), f64::from(j)), 0.25));
        let all: Vec<(Point, f64)> = places.map(|it| (it, self.clearness(map, it))).collect();
        let (top, best) = *all.iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
        // As good next to it: the middle of them all.
        let good = |it: &&(Point, f64)| best * 0.9 <= it.1 && length(minus(it.0, top)) < 1.0;
        let (sum, count) = all
            .iter()
            .filter(good)
            .fold(((0.0, 0.0), 0.0), |(sum, count), it| (plus(sum, it.0, 1.0), count + 1.0));
        (CLEAR < best).then(|| (times(sum, 1.0 / count), best))
    }

    /// What three marks are the corners of.
    fn read(&self, [first, beside, below]: &[Mark; 3]) -> Option<String> {
        let (right, down) = (unit(minus(beside.at, first.at)), unit(minus(below.at, first.at)));
        let module =
            |mark: &Mark, to: Point| self.edges(mark, to).map(|(one, other)| (one + other) / 7.0);
        // From any side, what lies between two modules counts as the geometric mean of both.
        let count = |one: &Mark, other: &Mark, to: Point| {
            let mean = (module(one, to)? * module(other, to)?).sqrt();
            Some(length(minus(other.at, one.at)) / mean + 7.0)
        };
        let about = f64::midpoint(count(first, beside, right)?, count(first, below, down)?);
        // The far corner is where the outlines of the other two meet.
        let outline = |mark: &Mark, out: Point, along: Point| {
            let (out, along) = (times(out, module(mark, out)?), times(along, module(mark, along)?));
            self.outline(mark, out, along)
        };
        let ((at, edge), (other, other_edge)) =
            (outline(beside, right, down)?, outline(below, down, right)?);
        let cross = edge.0 * other_edge.1 - edge.1 * other_edge.0;
        if cross.abs() < 0.1 {
            return None;
        }
        let (x, y) = minus(other, at);
        let far = plus(at, edge, (x * other_edge.1 - y * other_edge.0) / cross);
        let version = place(((about - 17.0) / 4.0).round());
        [version, version + 1, version.saturating_sub(1)]
            .into_iter()
            .filter(|it| (1..=40).contains(it))
            .find_map(|it| self.read_as(it * 4 + 17, [first.at, beside.at, below.at], far))
    }

    /// The text, if the code has so many modules along a side.
    fn read_as(&self, modules: usize, [a, b, c]: [Point; 3], far: Point) -> Option<String> {
        let side = real(modules);
        let mut pairs = vec![((3.5, 3.5), a), ((side - 3.5, 3.5), b), ((3.5, side - 3.5), c)];
        let mut map = Map::fitted(&[pairs.as_slice(), &[((side, side), far)]].concat())?;
        let middles = alignments(modules);
        if let Some(last) = middles.last().copied() {
            let (at, clear) = self.alignment(&map, (last, last), 20)?;
            pairs.push(((last, last), map.at(at)));
            map = Map::fitted(&pairs)?;
            let others = middles.iter().flat_map(|u| middles.iter().map(|v| (*u, *v)));
            // In three corners stand marks.
            let others =
                others.filter(|(u, v)| 6.5 < u.min(*v) || (6.5 < u.max(*v) && u.max(*v) < last));
            let others = others.filter(|it| *it != (last, last));
            for it in others.collect::<Vec<Point>>() {
                let found = self.alignment(&map, it, 8).filter(|found| clear * 0.6 < found.1);
                pairs.extend(found.map(|(at, _)| (it, map.at(at))));
            }
            map = Map::fitted(&pairs)?;
        }
        let grid = SimpleGrid::from_func(modules, |x, y| {
            let middle = (real(x) + 0.5, real(y) + 0.5);
            let about = [(0.0, 0.0), (0.2, 0.0), (-0.2, 0.0), (0.0, 0.2), (0.0, -0.2)];
            let is_dark = |it: &&Point| self.is_dark(map.at(plus(middle, **it, 1.0)));
            2 < about.iter().filter(is_dark).count()
        });
        Grid::new(grid).decode().ok().map(|it| it.1)
    }
}

/// The text of a code in a picture of grey pixels, row by row, seen from wherever.
pub(crate) fn text(luma: &[u8], width: usize, height: usize) -> Option<String> {
    let picture = Picture::new(luma, width, height);
    corners(&picture.marks()).iter().find_map(|it| picture.read(it))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scan::texts;

    const SIDE: usize = 700;

    /// A code on a plane, turned by so many degrees about an axis in it, from twice its width away.
    fn seen(content: &str, tilt: f64, axis: f64) -> Vec<u8> {
        let code =
            qrcode::QrCode::with_error_correction_level(content, qrcode::EcLevel::Q).unwrap();
        let (modules, colours) = (code.width(), code.to_colors());
        let dark = |(x, y): Point| {
            let inside = 0.0 <= x.min(y) && x.max(y) < real(modules);
            inside && colours[place(y) * modules + place(x)] == qrcode::Color::Dark
        };
        let (tilt, axis, far) = (tilt.to_radians(), axis.to_radians(), 2.0);
        let ray = |x: f64, y: f64| {
            let place = |it: f64| (it / real(SIDE) - 0.5) / 0.6;
            let (x, y) = (place(x), place(y));
            let (u, v) = (x * axis.cos() + y * axis.sin(), y * axis.cos() - x * axis.sin());
            let by = far / (far - u * tilt.tan());
            let (u, v) = (by * u / tilt.cos(), by * v);
            let (x, y) = (u * axis.cos() - v * axis.sin(), u * axis.sin() + v * axis.cos());
            (0.0 < by && dark(((x + 0.5) * real(modules), (y + 0.5) * real(modules)))).then_some(())
        };
        let four = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let pixel = |it: usize| {
            let (x, y) = (real(it % SIDE), real(it / SIDE));
            let dark = four.iter().filter(|(i, j)| ray(x + i, y + j).is_some()).count();
            235 - 50 * u8::try_from(dark).unwrap()
        };
        (0..SIDE * SIDE).map(pixel).collect()
    }

    /// Texts of published passes, spread over all lengths.
    fn published(count: usize) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = root.join("../../../shared/data/passes/dgc-testdata");
        let (mut folders, mut found) = (vec![root], Vec::new());
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).into_iter().flatten().map(|it| it.unwrap().path())
            {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "json") {
                    let case = std::fs::read_to_string(path).unwrap_or_default();
                    let case: serde_json::Value = serde_json::from_str(&case).unwrap_or_default();
                    found.extend(case["PREFIX"].as_str().map(str::to_owned));
                }
            }
        }
        found.retain(|it| it.starts_with("HC1:") && it.len() < 1000);
        found.sort_by_key(|it| (it.len(), it.clone()));
        found.dedup();
        let step = (found.len() / count).max(1);
        found.into_iter().step_by(step).take(count).collect()
    }

    /// How many of these are read, of how many, by the search alone and by all that there is.
    fn read(texts_of: &[String], tilt: f64, axes: &[f64]) -> (usize, usize, usize) {
        let (mut by_search, mut by_all, mut count) = (0, 0, 0);
        for content in texts_of {
            for axis in axes {
                let luma = seen(content, tilt, *axis);
                let grey = |x: usize, y: usize| luma[y * SIDE + x];
                let mut picture = rqrr::PreparedImage::prepare_from_greyscale(SIDE, SIDE, grey);
                let found = picture.detect_grids();
                let is_it = |it: &String| it == content;
                by_search +=
                    usize::from(found.iter().any(|it| it.decode().is_ok_and(|it| is_it(&it.1))));
                by_all += usize::from(texts(&luma, SIDE, SIDE).iter().any(is_it));
                count += 1;
            }
        }
        (by_search, by_all, count)
    }

    #[test]
    fn a_code_is_read_from_the_side() {
        // As long as a pass of one dose with short names.
        let content = "HC1:6BFOXN%TSMAHN-HBP8NEDVWLWNG8NB".repeat(15);
        for (tilt, axis) in [(0.0, 90.0), (20.0, 90.0), (30.0, 0.0), (30.0, 20.0), (40.0, 90.0)] {
            let luma = seen(&content, tilt, axis);
            let found = text(&luma, SIDE, SIDE);
            assert!(found.as_ref() == Some(&content), "{tilt} {axis} {found:?}");
        }
    }

    #[test]
    fn small_codes_are_read_too() {
        for content in ["A", "HAETAE 7K3M-1234-C1SW", &"0".repeat(80)] {
            for tilt in [0.0, 30.0] {
                let found = texts(&seen(content, tilt, 20.0), SIDE, SIDE);
                assert_eq!(found, [content], "{tilt}");
            }
        }
    }

    #[test]
    fn what_is_no_code_has_no_text_and_ends_nothing() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        for (width, height) in [(21, 21), (64, 300), (301, 64), (200, 200)] {
            let luma: Vec<u8> = (0..width * height).map(|_| noise()).collect();
            assert_eq!(text(&luma, width, height), None);
            assert_eq!(text(&vec![7; width * height], width, height), None);
        }
        // Pieces of a code, wherever they are cut.
        let luma = seen(&"HC1:6BFOXN%TSMAHN-HBP8NEDVWLWNG8NB".repeat(8), 20.0, 20.0);
        for height in (21..SIDE).step_by(83) {
            let _ = text(&luma[..height * SIDE], SIDE, height);
        }
    }

    #[test]
    #[ignore = "measures: `cargo test --release -p device -- --ignored --nocapture published_codes`"]
    fn published_codes_are_read_from_the_side() {
        let texts_of = published(40);
        if texts_of.is_empty() {
            println!("SKIPPED: no published passes; this test has shown nothing");
            return;
        }
        for tilt in [0.0, 10.0, 20.0, 30.0, 40.0, 45.0] {
            let (by_search, by_all, count) = read(&texts_of, tilt, &[90.0, 0.0, 45.0, 20.0]);
            println!("{tilt:2} degrees: {by_search} of {count} by the search, {by_all} by all");
            assert!(count * 9 <= by_all * 10, "{tilt}");
        }
    }
}

//! A code that was drawn and not photographed: upright, alone in its picture, every module a square.
//!
//! Most files are of this kind, and for them the search for corners and their fit to the picture takes
//! fifty times what reading the modules does. Whether the guess was right the code says itself: its
//! error correction (ISO/IEC 18004) does not let another picture pass.

use rqrr::{Grid, SimpleGrid};

/// Darker than this is black.
const DARK: u8 = 128;
/// The modules along the sides of versions 1 and 40.
const MODULES: std::ops::RangeInclusive<usize> = 21..=177;

/// Where a line has its first dark pixel, and where the light ones behind its last begin.
fn span<'p>(
    line: impl DoubleEndedIterator<Item = &'p u8> + ExactSizeIterator,
) -> Option<(usize, usize)> {
    let mut dark = line.enumerate().filter(|(_, pixel)| **pixel < DARK).map(|(place, _)| place);
    let first = dark.next()?;
    Some((first, dark.next_back().unwrap_or(first) + 1))
}

/// The text of the one code that fills a picture of grey pixels, row by row, but for its border.
pub(crate) fn text(luma: &[u8], width: usize, height: usize) -> Option<String> {
    let rows = || luma.chunks_exact(width);
    let (top, edge) = rows().enumerate().find_map(|(y, row)| Some((y, span(row.iter())?)))?;
    let bottom = rows().rposition(|row| row.iter().any(|pixel| *pixel < DARK))? + 1;
    let (left, right) = edge;
    // Upper left and upper right have a corner's mark, which begins in the first row.
    let (wide, high) = (right - left, bottom - top);
    if height < bottom || 1 < wide.abs_diff(high) {
        return None;
    }
    // A mark is seven modules wide.
    let first = luma.get(top * width + left..top * width + right)?;
    let mark = first.iter().position(|pixel| DARK <= *pixel)?;
    let about = (wide * 7 + mark / 2) / mark;
    let modules = (about.checked_sub(17)? + 2) / 4 * 4 + 17;
    if !MODULES.contains(&modules) {
        return None;
    }
    let grid = SimpleGrid::from_func(modules, |x, y| {
        let middle = |place: usize, side: usize| (2 * place + 1) * side / (2 * modules);
        let at = (top + middle(y, high)) * width + left + middle(x, wide);
        luma.get(at).is_some_and(|pixel| *pixel < DARK)
    });
    // What was left out beside it would be another code, or a picture that was no code at all.
    let is_alone = rows()
        .take(bottom)
        .skip(top)
        .all(|row| span(row.iter()).is_none_or(|(first, end)| left <= first && end <= right));
    let (_, text) = if is_alone { Grid::new(grid).decode().ok()? } else { return None };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::scan::texts;

    /// A code drawn with modules of so many pixels and a border of four of them.
    fn drawn(content: &str, pixels: usize) -> (Vec<u8>, usize) {
        let code = qrcode::QrCode::new(content).unwrap();
        let (modules, colours) = (code.width(), code.to_colors());
        let side = (modules + 8) * pixels;
        let at = |place: usize| (place / pixels).checked_sub(4).filter(|it| *it < modules);
        let dark = |place: usize| {
            let (y, x) = (at(place / side)?, at(place % side)?);
            (colours[y * modules + x] == qrcode::Color::Dark).then_some(())
        };
        let pixels = (0..side * side).map(|place| if dark(place).is_some() { 20 } else { 230 });
        (pixels.collect(), side)
    }

    #[test]
    fn drawn_codes_of_all_sizes_are_read() {
        for length in [1, 30, 100, 300, 700, 1500] {
            let content = "AB:12 ".repeat(length)[..length].to_owned();
            for pixels in [1, 2, 3, 5, 8] {
                let (luma, side) = drawn(&content, pixels);
                assert_eq!(text(&luma, side, side).as_ref(), Some(&content), "{length} {pixels}");
                assert_eq!(texts(&luma, side, side), std::slice::from_ref(&content));
            }
        }
    }

    #[test]
    fn two_codes_or_anything_beside_one_are_left_to_the_search() {
        let (one, side) = drawn("ONE", 4);
        let (two, _) = drawn("TWO", 4);
        let both: Vec<u8> = one
            .chunks_exact(side)
            .zip(two.chunks_exact(side))
            .flat_map(|(one, two)| [one, two].concat())
            .collect();
        assert_eq!(text(&both, 2 * side, side), None);
        let mut found = texts(&both, 2 * side, side);
        found.sort();
        assert_eq!(found, ["ONE", "TWO"]);
        let below: Vec<u8> = [one.clone(), two].concat();
        assert_eq!(text(&below, side, 2 * side), None);
        let mut marked = one;
        marked[side * side / 2] = 0;
        assert_eq!(text(&marked, side, side), None);
        assert_eq!(texts(&marked, side, side), ["ONE"]);
    }

    #[test]
    fn what_is_no_code_has_no_text() {
        for pixel in [0, 127, 128, 255] {
            assert_eq!(text(&[pixel; 50 * 40], 50, 40), None);
            assert_eq!(text(&[pixel; 50 * 50], 50, 50), None);
        }
    }
}

//! From grey pixels to the texts of the QR codes among them.

use crate::{plain, tilted};

/// The most pixels of a picture: 16 million, a telephone's photograph. The page scales down first.
pub const MAX_PIXELS: usize = 16 * 1024 * 1024;
/// The least width and height that is looked at: below, no code has a module of one pixel.
const MIN_SIDE: usize = 21;

/// The texts of all QR codes in a picture of `width` times `height` grey pixels, row by row, one
/// byte each (0 black). Codes that cannot be read, or are not text, are left out; a picture of the
/// wrong size has none.
pub fn texts(luma: &[u8], width: usize, height: usize) -> Vec<String> {
    let pixels = width.checked_mul(height);
    let sound = pixels == Some(luma.len()) && MIN_SIDE <= width && MIN_SIDE <= height;
    if !sound || MAX_PIXELS < luma.len() {
        return Vec::new();
    }
    if let Some(text) = plain::text(luma, width, height) {
        return vec![text];
    }
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        luma.get(y * width + x).copied().unwrap_or(u8::MAX)
    });
    let grids = picture.detect_grids();
    let found = grids.into_iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text);
    let found: Vec<String> = found.collect();
    if found.is_empty() { tilted::text(luma, width, height).into_iter().collect() } else { found }
}

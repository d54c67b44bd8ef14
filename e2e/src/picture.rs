//! Reads the QR code on a screenshot, and makes the film that a fake camera shows.
//!
//! A journey does not hand the guard's page a text: the citizen's screen is photographed, and the
//! picture goes before the camera.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// The camera's picture.
const WIDTH: usize = 640;
/// The camera's picture.
const HEIGHT: usize = 480;

/// A picture in shades of grey, row by row.
struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// Rec. 601 luma; what is transparent counts as white paper.
fn decode(png: &[u8]) -> Result<Grey> {
    let mut decoder = png::Decoder::new(Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().context("a PNG")?;
    let mut bytes = vec![0; reader.output_buffer_size().context("a PNG too large")?];
    let info = reader.next_frame(&mut bytes).context("a PNG")?;
    let mix = |parts: &[u8]| -> u8 {
        let at = |index: usize| u32::from(parts.get(index).copied().unwrap_or(255));
        let (luma, alpha) = match parts.len() {
            1 => (at(0), 255),
            2 => (at(0), at(1)),
            3 => ((77 * at(0) + 150 * at(1) + 29 * at(2)) >> 8, 255),
            _ => ((77 * at(0) + 150 * at(1) + 29 * at(2)) >> 8, at(3)),
        };
        u8::try_from(255 - (255 - luma.min(255)) * alpha / 255).unwrap_or(255)
    };
    let pixels = bytes.chunks_exact(info.color_type.samples()).map(mix).collect();
    Ok(Grey { width: usize::try_from(info.width)?, height: usize::try_from(info.height)?, pixels })
}

/// The text of the one QR code on a PNG; an error when there is none or more than one.
pub fn read_qr(png: &[u8]) -> Result<String> {
    let grey = decode(png)?;
    let shade = |x: usize, y: usize| grey.pixels.get(y * grey.width + x).copied().unwrap_or(255);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(grey.width, grey.height, shade);
    let grids = prepared.detect_grids();
    let [grid] = grids.as_slice() else { bail!("{} QR codes on the picture", grids.len()) };
    let (_, text) = grid.decode().context("a QR code that cannot be read")?;
    Ok(text)
}

/// Writes a film (YUV4MPEG2, which Chromium's fake camera plays in a loop) that shows `png` on a
/// grey wall, or only the wall. The picture fills two thirds of the height, as in a hand.
pub fn film(png: Option<&[u8]>, to: &Path) -> Result<()> {
    let shown = png.map(decode).transpose()?;
    let side = HEIGHT * 5 / 6;
    let (left, top) = ((WIDTH - side) / 2, (HEIGHT - side) / 2);
    let mut luma = vec![150_u8; WIDTH * HEIGHT];
    if let Some(grey) = &shown {
        let largest = grey.width.max(grey.height);
        for (at, pixel) in luma.iter_mut().enumerate() {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let inside = |value: usize, begin: usize| value >= begin && value < begin + side;
            if inside(x, left) && inside(y, top) {
                let (u, v) = ((x - left) * largest / side, (y - top) * largest / side);
                let seen = if u < grey.width { grey.pixels.get(v * grey.width + u) } else { None };
                // Studio range: black is 16, white is 235.
                let seen = u32::from(seen.copied().unwrap_or(255));
                *pixel = u8::try_from(16 + seen * 219 / 255)?;
            }
        }
    }
    let mut bytes = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n").into_bytes();
    for _ in 0..2 {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend_from_slice(&luma);
        bytes.resize(bytes.len() + WIDTH * HEIGHT / 2, 128);
    }
    // Whole or not at all: the camera may be opened at any moment.
    let draft = to.with_extension("draft");
    fs::write(&draft, bytes)?;
    fs::rename(&draft, to).context("the film")
}

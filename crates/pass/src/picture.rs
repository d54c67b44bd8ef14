//! From a picture file to the texts of the QR codes in it, on the server, so that a phone needs no
//! script and no camera of ours. Bounded before it is unpacked: a picture says its size first.

use crate::refusal::Refusal;

/// Pixels of a picture: a telephone's photograph has 12 to 50 million.
const PIXELS_MAX: usize = 64 * 1024 * 1024;
/// Pixels that are looked at. A larger picture is made smaller: a code that fills a hundredth of a
/// photograph is still four pixels a module.
const LOOKED_AT: usize = 4 * 1024 * 1024;

/// Grey pixels, row by row, 0 black.
struct Grey {
    width: usize,
    height: usize,
    luma: Vec<u8>,
}

/// The texts of all QR codes in a PNG or JPEG file.
pub fn texts(file: &[u8]) -> Result<Vec<String>, Refusal> {
    let grey = match file {
        [0x89, b'P', b'N', b'G', ..] => png(file),
        [0xff, 0xd8, 0xff, ..] => jpeg(file),
        _ => None,
    };
    let grey = grey.ok_or(Refusal::PictureInvalid)?;
    let small = grey.halved();
    let mut found = device::scan::texts(&small.luma, small.width, small.height);
    // What was lost in making it smaller is looked for in the whole.
    if found.is_empty() && small.width < grey.width {
        found = device::scan::texts(&grey.luma, grey.width, grey.height);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Whether a picture of this size is looked at, and how many pixels it has.
fn pixels(width: usize, height: usize) -> Option<usize> {
    width.checked_mul(height).filter(|it| (1..=PIXELS_MAX).contains(it))
}

fn png(file: &[u8]) -> Option<Grey> {
    let limits = png::Limits { bytes: 4 * PIXELS_MAX };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(file), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
    pixels(width, height)?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut bytes).ok()?;
    let samples = info.color_type.samples();
    grey(bytes.get(..info.buffer_size())?, width, height, samples)
}

fn jpeg(file: &[u8]) -> Option<Grey> {
    use zune_jpeg::zune_core::bytestream::ZCursor;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    use zune_jpeg::zune_core::options::DecoderOptions;
    let options = DecoderOptions::new_safe()
        .set_max_width(PIXELS_MAX)
        .set_max_height(PIXELS_MAX)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    pixels(width, height)?;
    grey(&decoder.decode().ok()?, width, height, 1)
}

/// Grey from `samples` bytes a pixel: grey, grey and alpha, colours, colours and alpha. What is
/// transparent counts as white, the paper under it.
fn grey(bytes: &[u8], width: usize, height: usize, samples: usize) -> Option<Grey> {
    let light = |pixel: &[u8]| match *pixel {
        [grey] => grey,
        [grey, alpha] => over_white(grey, alpha),
        [r, g, b] => luma(r, g, b),
        [r, g, b, alpha] => over_white(luma(r, g, b), alpha),
        _ => u8::MAX,
    };
    let luma: Vec<u8> = bytes.chunks_exact(samples.max(1)).map(light).collect();
    (luma.len() == pixels(width, height)?).then_some(Grey { width, height, luma })
}

fn luma(r: u8, g: u8, b: u8) -> u8 {
    let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
    u8::try_from(sum / 1_000).unwrap_or(u8::MAX)
}

fn over_white(grey: u8, alpha: u8) -> u8 {
    let (grey, alpha) = (u32::from(grey), u32::from(alpha));
    u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}

impl Grey {
    /// The same picture at half its width and height, again and again, until it is small enough.
    fn halved(&self) -> Self {
        let Self { mut width, mut height, ref luma } = *self;
        let mut luma = luma.clone();
        while LOOKED_AT < luma.len() {
            let (half, rows) = (width / 2, height / 2);
            let at = |x: usize, y: usize| luma.get(y * width + x).copied().map_or(255, u32::from);
            let mean = |x: usize, y: usize| {
                let sum = at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1);
                u8::try_from(sum / 4).unwrap_or(u8::MAX)
            };
            let smaller = (0..rows * half).map(|it| mean(it % half * 2, it / half * 2)).collect();
            (luma, width, height) = (smaller, half, rows);
        }
        Self { width, height, luma }
    }
}

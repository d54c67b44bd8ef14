//! Pictures: PNG and JPEG to grey pixels, and the codes in them.

use std::io::Cursor;

use device::scan;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
/// A side longer than that is no photograph.
const SIDE_MAX: usize = 16_384;
/// The white border that a code must have (ISO/IEC 18004: four modules), in pixels.
const BORDER: usize = 24;

/// Whether bytes begin as a picture does.
pub(super) fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(PNG) || bytes.starts_with(JPEG)
}

/// Grey pixels, row by row.
struct Grey {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

/// The texts of all codes in a picture; none when it cannot be read. Decoders and reader are other
/// people's, and one hostile picture must not end the judgement of a thousand others.
pub(crate) fn texts(bytes: &[u8]) -> Vec<String> {
    std::panic::catch_unwind(|| read(bytes)).unwrap_or_default()
}

fn read(bytes: &[u8]) -> Vec<String> {
    let grey = if bytes.starts_with(PNG) { png(bytes) } else { jpeg(bytes) };
    let Some(grey) = grey else { return Vec::new() };
    // As it is; with a border; smaller (a large picture has noise); larger (a tiny one has no room
    // for its patterns).
    let ways: [fn(&Grey) -> Option<Grey>; 4] =
        [|it| Some(it.bordered()), Grey::halved, |it| it.doubled(), |it| it.halved()?.halved()];
    let found = scan::texts(&grey.pixels, grey.width, grey.height);
    if !found.is_empty() {
        return found;
    }
    ways.iter()
        .filter_map(|way| way(&grey))
        .map(|it| scan::texts(&it.pixels, it.width, it.height))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn is_sound(width: usize, height: usize) -> bool {
    width <= SIDE_MAX
        && height <= SIDE_MAX
        && width.checked_mul(height).is_some_and(|pixels| pixels <= scan::MAX_PIXELS)
}

fn png(bytes: &[u8]) -> Option<Grey> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
    if !is_sound(width, height) {
        return None;
    }
    let mut data = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut data).ok()?;
    data.truncate(frame.buffer_size());
    let pixels: Vec<u8> = match frame.color_type {
        png::ColorType::Grayscale => data,
        png::ColorType::GrayscaleAlpha => data.chunks_exact(2).map(|it| on_white(it, 1)).collect(),
        png::ColorType::Rgb => data.chunks_exact(3).map(|it| on_white(it, 3)).collect(),
        png::ColorType::Rgba => data.chunks_exact(4).map(|it| on_white(it, 3)).collect(),
        png::ColorType::Indexed => return None,
    };
    Some(Grey { pixels, width, height })
}

/// The brightness of a pixel of `colours` values and perhaps an alpha, on white paper.
fn on_white(pixel: &[u8], colours: usize) -> u8 {
    let weights: &[u32] = if colours == 3 { &[299, 587, 114] } else { &[1000] };
    let grey: u32 =
        pixel.iter().zip(weights).map(|(value, weight)| u32::from(*value) * weight).sum();
    let alpha = pixel.get(colours).map_or(255, |alpha| u32::from(*alpha));
    u8::try_from((grey / 1000 * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}

fn jpeg(bytes: &[u8]) -> Option<Grey> {
    use zune_jpeg::zune_core::bytestream::ZCursor;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    use zune_jpeg::zune_core::options::DecoderOptions;
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::Luma)
        .set_max_width(SIDE_MAX)
        .set_max_height(SIDE_MAX);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    if !is_sound(width, height) {
        return None;
    }
    let pixels = decoder.decode().ok()?;
    (pixels.len() == width * height).then_some(Grey { pixels, width, height })
}

impl Grey {
    fn made(width: usize, height: usize, at: impl Fn(usize, usize) -> u8) -> Option<Self> {
        if !is_sound(width, height) {
            return None;
        }
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Some(Self { pixels: rows.map(|(x, y)| at(x, y)).collect(), width, height })
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        if x < self.width { self.pixels.get(y * self.width + x).copied() } else { None }
            .unwrap_or(u8::MAX)
    }

    fn bordered(&self) -> Self {
        let wide = Self::made(self.width + 2 * BORDER, self.height + 2 * BORDER, |x, y| {
            match (x.checked_sub(BORDER), y.checked_sub(BORDER)) {
                (Some(x), Some(y)) => self.at(x, y),
                _ => u8::MAX,
            }
        });
        wide.unwrap_or(Self { pixels: Vec::new(), width: 0, height: 0 })
    }

    fn halved(&self) -> Option<Self> {
        Self::made(self.width / 2, self.height / 2, |x, y| {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
            let sum: u32 =
                four.iter().map(|(dx, dy)| u32::from(self.at(2 * x + dx, 2 * y + dy))).sum();
            u8::try_from(sum / 4).unwrap_or(u8::MAX)
        })
    }

    fn doubled(&self) -> Option<Self> {
        Self::made(self.width * 2, self.height * 2, |x, y| self.at(x / 2, y / 2))
    }
}

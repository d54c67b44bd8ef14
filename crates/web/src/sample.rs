//! Frames for page samples: what a page looks like without a city behind it.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use kernel::Locale;
use store::Fault;

use crate::assets::Assets;
use crate::{Frame, Slice, Texts};

type Parts = (Arc<Texts>, Arc<Assets>);

/// A sample's signature has no room for texts (a plain function of the language), and a sample must
/// show the texts of its own slice: the test that renders samples lays them here first.
static PARTS: OnceLock<RwLock<Parts>> = OnceLock::new();

/// Makes [`sample_frame`] show the texts and files of these slices. Web's own are always needed.
pub fn use_slices(slices: &[Slice]) -> Result<(), Fault> {
    let parts: Parts = (Arc::new(Texts::try_new(slices)?), Arc::new(Assets::new(slices)));
    let lock = PARTS.get_or_init(|| RwLock::new(parts.clone()));
    *lock.write().unwrap_or_else(PoisonError::into_inner) = parts;
    Ok(())
}

/// A frame in this language for a page sample. Without [`use_slices`], with web's own texts only.
pub fn sample_frame(locale: Locale) -> Frame {
    let lock = PARTS.get_or_init(|| RwLock::new(own()));
    let (texts, assets) = lock.read().unwrap_or_else(PoisonError::into_inner).clone();
    Frame::sample(locale, texts, assets)
}

fn own() -> Parts {
    let slices = [crate::slice()];
    // Web's own texts are checked by a test of this crate; without them keys are shown.
    let texts = Texts::try_new(&slices).or_else(|_| Texts::try_new(&[]));
    (Arc::new(texts.unwrap_or_default()), Arc::new(Assets::new(&slices)))
}

//! From a heap of texts to passes: which texts belong to one pass.
//!
//! Most passes are one QR code. A SMART Health Card may be cut in several, each of which says which
//! it is of how many (`shc:/2/3/…`); they may come in any order, and more than one card at once.

use std::collections::BTreeMap;

use credential::pass::Format;

use crate::decide::check_texts;
use crate::refusal::Refusal;

/// Passes that are put in at once.
const PASSES_MAX: usize = 12;

/// The texts in what somebody pasted: one a line. Spaces at the ends belong to nobody but the mail
/// that they came in.
pub fn lines(text: &str) -> Vec<String> {
    // A card in JSON has lines of its own.
    if text.trim_start().starts_with('{') {
        return vec![text.trim().to_owned()];
    }
    text.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// The passes among these texts, each with its texts in their order.
pub fn passes(texts: Vec<String>) -> Result<Vec<Vec<String>>, Refusal> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut cut: BTreeMap<usize, BTreeMap<usize, String>> = BTreeMap::new();
    let mut unknown = false;
    for text in texts {
        match (chunk(&text), Format::of(&text)) {
            (Some((number, of)), _) => {
                let chunks = cut.entry(of).or_default();
                // Of two cards cut in as many it cannot be told which chunk is whose.
                if chunks.insert(number, text.clone()).is_some_and(|it| it != text) {
                    return Err(Refusal::PartsMissing);
                }
            }
            (None, Format::Unknown) => unknown = true,
            // What is typed at a door is no pass to keep: it says nothing without the server.
            (None, Format::Haetae) if !text.starts_with("HT1:") => unknown = true,
            (None, _) => {
                let pass = vec![text];
                if !found.contains(&pass) {
                    found.push(pass);
                }
            }
        }
    }
    for (of, chunks) in cut {
        if chunks.len() != of {
            return Err(Refusal::PartsMissing);
        }
        found.push(chunks.into_values().collect());
    }
    if found.is_empty() {
        return Err(if unknown { Refusal::FormatUnknown } else { Refusal::Unreadable });
    }
    if PASSES_MAX < found.len() {
        return Err(Refusal::TooLarge);
    }
    found.iter().try_for_each(|it| check_texts(it))?;
    Ok(found)
}

/// Which part of how many a text says it is, where it is a part.
fn chunk(text: &str) -> Option<(usize, usize)> {
    let rest = text.get(..5).filter(|it| it.eq_ignore_ascii_case("shc:/")).and(text.get(5..))?;
    let (number, rest) = rest.split_once('/')?;
    let (of, _) = rest.split_once('/')?;
    let (number, of) = (number.parse::<usize>().ok()?, of.parse::<usize>().ok()?);
    (1..=of).contains(&number).then_some((number, of)).filter(|_| of <= crate::decide::TEXTS_MAX)
}

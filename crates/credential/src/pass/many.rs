//! Many passes at once: all are read, then all signatures are checked, then all are judged. What one step
//! needs of the processor's cache it finds there, and codes of ours share work.

use super::format::{self, Format, MAX_TEXT};
use super::own::OwnText;
use super::trust::Trust;
use super::verdict::{Draft, Policy, Verdict};
use super::{Case, Prepared, Rules, SignatureCheck, prepare};
use crate::batch::{Signed, Tables};

/// How many texts are read at once: as many as fit the cache together.
const CHUNK: usize = 64;

/// A text that was read.
#[allow(clippy::large_enum_variant, reason = "64 at a time, and most are of one kind")]
enum One<'t> {
    Own(Box<OwnText>),
    Other(Prepared<'t>),
}

impl<'t> One<'t> {
    fn read(text: &str, trust: &'t Trust) -> Self {
        let body = format::trimmed(text);
        let own = (body.len() <= MAX_TEXT && Format::of(body) == Format::Haetae)
            .then(|| OwnText::read(body))
            .filter(OwnText::is_read);
        own.map_or_else(|| Self::Other(prepare(text, trust)), |own| Self::Own(Box::new(own)))
    }

    fn signed<'a>(&'a self, trust: &'a Trust) -> Option<Signed<'a>> {
        if let Self::Own(own) = self { own.signed(trust) } else { None }
    }

    fn held(&self) -> Vec<Option<bool>> {
        match self {
            Self::Own(_) => Vec::new(),
            Self::Other(prepared) => prepared.checks().iter().map(SignatureCheck::holds).collect(),
        }
    }
}

/// The verdicts that [`super::verify()`] gives on these texts, in order. `tables` are for the keys of
/// `trust.regions`.
pub fn verify_many(
    texts: &[&str],
    trust: &Trust,
    tables: &Tables,
    rules: Option<&dyn Rules>,
    policy: &Policy,
    now_s: i64,
) -> Vec<Verdict> {
    let case = Case { trust, rules, policy, now_s };
    texts.chunks(CHUNK).flat_map(|texts| verify_chunk(texts, tables, &case)).collect()
}

fn verify_chunk(texts: &[&str], tables: &Tables, case: &Case<'_>) -> Vec<Verdict> {
    let trust = case.trust;
    let read: Vec<One<'_>> = texts.iter().map(|text| One::read(text, trust)).collect();
    let held: Vec<_> = read.iter().map(One::held).collect();
    let signed: Vec<_> = read.iter().filter_map(|one| one.signed(trust)).collect();
    let mut answers = tables.are_signed(&signed).into_iter();
    let judged = read.iter().zip(&held).map(|(one, held)| match one {
        One::Own(own) => {
            let is_signed = own.signed(trust).and_then(|_| answers.next());
            let mut draft = Draft::new(Format::Haetae);
            own.judge(is_signed, case, &mut draft);
            draft.conclude()
        }
        One::Other(prepared) => prepared.conclude(held, case.rules, case.policy, case.now_s),
    });
    judged.collect()
}

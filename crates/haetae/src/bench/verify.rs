//! `haetae bench verify`: verdicts a second on one core, beside what no verdict can do without: the bare
//! signature checks of the same passes in the same library.
//!
//! The machine may be shared, so what is counted is the time that this thread was given, not the clock on
//! the wall; and the contestants take turns, so that a busy minute is everybody's.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, VerificationAlgorithm,
};
use credential::pass::{self, Algorithm, PublicKey, SignatureCheck};
use credential::{Outcome, batch};
use rustix::time::{ClockId, clock_gettime};

use super::{Figure, Wish, per_second};

mod corpus;
mod peer;

use corpus::{Codes, Dcc};

/// Where data of others lie, beside a checkout of the sources.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/passes");

/// How many passes are read before their signatures are checked, as `pass::verify_many` does with passes
/// of one store; here each has its own, and its own clock.
const MANY: usize = 64;

/// Passes of one key after which a verifier knows it as well as it ever will.
const KEY_IS_KNOWN: u32 = 128;

/// How many of our codes a batch has.
const BATCH: usize = 512;

/// Turns that each contestant has.
const TURNS: u32 = 10;

/// Time that this thread was given so far.
fn spent() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Something that is measured: a name, and a round that says how many it did.
struct Contestant<'c> {
    name: &'static str,
    round: Box<dyn FnMut() -> u64 + 'c>,
    count: u64,
    took: Duration,
}

impl<'c> Contestant<'c> {
    fn new(name: &'static str, round: impl FnMut() -> u64 + 'c) -> Self {
        Self { name, round: Box::new(round), count: 0, took: Duration::ZERO }
    }

    fn per_second(&self) -> f64 {
        per_second(self.count, self.took)
    }
}

/// Lets all take turns until each had its span.
fn race(all: &mut [Contestant<'_>], span: Duration) {
    for it in all.iter_mut() {
        // Once for nothing: caches, pages, tables.
        (it.round)();
    }
    for _ in 0..TURNS {
        for it in all.iter_mut() {
            let begun = spent();
            while spent().saturating_sub(begun) < span / TURNS {
                it.count += (it.round)();
            }
            it.took += spent().saturating_sub(begun);
        }
    }
}

fn beside(name: impl Into<String>, it: &Contestant<'_>, limit: &Contestant<'_>) -> Figure {
    Figure::beside(name, it.per_second(), "/s", limit.name, limit.per_second())
}

pub(crate) fn run(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let data = Path::new(DATA);
    let mut figures = passes(data, wish)?;
    figures.extend(codes(wish)?);
    figures.extend(rules(data, wish)?);
    figures.extend(pictures(data)?);
    Ok(figures)
}

fn counted(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A bare check with a key that was parsed before: the least that a verifier can do.
struct Bare<'c> {
    key: ParsedPublicKey,
    message: &'c [u8],
    signature: &'c [u8],
}

impl<'c> Bare<'c> {
    fn new(
        algorithm: &'static dyn VerificationAlgorithm,
        key: &[u8],
        message: &'c [u8],
        signature: &'c [u8],
    ) -> anyhow::Result<Self> {
        let key =
            ParsedPublicKey::new(algorithm, key).ok().context("a key of the corpus is bad")?;
        Ok(Self { key, message, signature })
    }

    fn holds(&self) -> bool {
        self.key.verify_sig(self.message, self.signature).is_ok()
    }
}

fn all_hold(all: &[Bare<'_>]) -> u64 {
    counted(all.iter().filter(|it| it.holds()).count())
}

fn bare_p256(check: &SignatureCheck) -> anyhow::Result<Bare<'_>> {
    let PublicKey::P256(point) = &check.key else { anyhow::bail!("a key of another curve") };
    Bare::new(&ECDSA_P256_SHA256_FIXED, point, &check.message, &check.signature)
}

/// Whole verdicts on DCCs with ES256, each by its own certificate at its own clock.
fn passes(data: &Path, wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let corpus = corpus::dccs(&data.join("dgc-testdata"))?;
    let policy = pass::Policy::default();
    let verdict = |it: &Dcc| {
        pass::verify(black_box(&it.text), &it.trust, None, &policy, it.now_s).outcome
            == Outcome::Pass
    };
    // As after a while at work: multiples are made of a key that has signed many passes.
    for _ in 0..KEY_IS_KNOWN {
        ensure!(corpus.iter().all(verdict), "a pass of the corpus does not pass");
    }
    let checks: Vec<SignatureCheck> = corpus
        .iter()
        .flat_map(|it| pass::prepare(&it.text, &it.trust).checks().to_vec())
        .filter(|it| it.algorithm == Algorithm::Es256)
        .collect();
    let bare = checks.iter().map(bare_p256).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(bare.len() == corpus.len(), "a pass of the corpus has several keys");
    let staged = || {
        let chunks = corpus.chunks(MANY).map(|chunk| {
            let read: Vec<_> =
                chunk.iter().map(|it| pass::prepare(black_box(&it.text), &it.trust)).collect();
            let held =
                read.iter().map(|it| it.checks().iter().map(SignatureCheck::holds).collect());
            let held: Vec<Vec<_>> = held.collect();
            let all = chunk.iter().zip(read).zip(held).filter(|((pass, read), held)| {
                read.conclude(held, None, &policy, pass.now_s).outcome == Outcome::Pass
            });
            counted(all.count())
        });
        chunks.sum()
    };
    let mut all = [
        Contestant::new("single", || counted(corpus.iter().filter(|it| verdict(it)).count())),
        Contestant::new("many", staged),
        Contestant::new("bare aws-lc P-256", || all_hold(&bare)),
    ];
    race(&mut all, wish.span());
    let [single, ours, limit] = &all;
    let mut figures = vec![
        Figure::alone("verify.dcc_corpus", f64::from(u32::try_from(corpus.len())?), "passes"),
        beside("verify.dcc_es256_single", single, limit),
        beside("verify.dcc_es256_many", ours, limit),
    ];
    match peer::dgc(&corpus, &checks, wish.span()) {
        Ok(dgc) => figures.push(Figure::beside(
            "verify.dcc_es256_and_dgc",
            ours.per_second(),
            "/s",
            "dgc 0.0.7",
            dgc,
        )),
        Err(error) => eprintln!("haetae: dgc was not measured: {error:#}"),
    }
    Ok(figures)
}

/// Our own codes: on paper (one signature), and shown by a device (its proof of the moment, too).
fn codes(wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (is_shown, kind) in [(false, "printed"), (true, "device")] {
        let Codes { texts, trust, now_s } = corpus::codes(BATCH, is_shown)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let policy = credential::Policy::default();
        let passes = |all: &[credential::Verdict]| {
            counted(all.iter().filter(|it| it.outcome == Outcome::Pass).count())
        };
        let tables = batch::Tables::new([&trust]);
        let parts = corpus::signatures(&texts, &trust)?;
        let mut bare = Vec::new();
        for it in &parts {
            bare.push(Bare::new(&ED25519, &it.issuer, &it.message, &it.signature)?);
        }
        let mut proofs = Vec::new();
        for (key, message, signature) in parts.iter().flat_map(|it| &it.proof) {
            proofs.push(Bare::new(&ECDSA_P256_SHA256_FIXED, key, message, signature)?);
        }
        let single = |text: &&str| credential::verify(text, &trust, None, &policy, now_s);
        let mut all = [
            Contestant::new("single", || {
                counted(texts.iter().filter(|it| single(it).outcome == Outcome::Pass).count())
            }),
            Contestant::new("batch", || {
                passes(&batch::verify_many(&texts, &trust, &tables, &policy, now_s))
            }),
            Contestant::new(
                if is_shown { "bare aws-lc Ed25519 and P-256" } else { "bare aws-lc Ed25519" },
                || {
                    all_hold(&proofs);
                    all_hold(&bare)
                },
            ),
        ];
        race(&mut all, wish.span());
        let [single, many, limit] = &all;
        figures.push(beside(format!("verify.{kind}_code_single"), single, limit));
        figures.push(beside(format!("verify.{kind}_code_batch_512"), many, limit));
    }
    Ok(figures)
}

/// Published rules, each on its own published tests.
fn rules(data: &Path, wish: &Wish) -> anyhow::Result<Vec<Figure>> {
    let cases = corpus::rule_cases(&data.join("dgc-business-rules-testdata"))?;
    if cases.is_empty() {
        eprintln!("haetae: NOT MEASURED: rules; there are none published in {DATA}");
        return Ok(Vec::new());
    }
    let mut all = [Contestant::new("rules", || {
        let answers = cases.iter().map(|(logic, data)| ::rules::evaluate(logic, black_box(data)));
        counted(answers.filter(|it| black_box(it).is_ok()).count())
    })];
    race(&mut all, wish.span());
    let [rules] = &all;
    Ok(vec![Figure::alone("verify.rule_evaluations", rules.per_second(), "/s")])
}

/// From the bytes of a published picture to the verdict.
fn pictures(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let pictures = corpus::pictures(&data.join("dgc-testdata"));
    let policy = pass::Policy::default();
    let mut took: Vec<f64> = Vec::new();
    for (bytes, pass) in &pictures {
        let begun = spent();
        let texts = crate::verify::picture::texts(bytes);
        let verdicts = texts
            .iter()
            .map(|text| pass::verify(text, &pass.trust, None, &policy, pass.now_s).outcome);
        let is_read = verdicts.filter(|it| *it == Outcome::Pass).count() == 1;
        if is_read {
            took.push(spent().saturating_sub(begun).as_secs_f64() * 1e3);
        }
    }
    took.sort_by(f64::total_cmp);
    let Some(most) = took.last() else {
        eprintln!("haetae: NOT MEASURED: pictures; there are none published in {DATA}");
        return Ok(Vec::new());
    };
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or(*most);
    let read = f64::from(u32::try_from(took.len())?) / f64::from(u32::try_from(pictures.len())?);
    Ok(vec![
        Figure::alone("verify.picture_to_verdict_p50", at(50), "ms"),
        Figure::alone("verify.picture_to_verdict_p95", at(95), "ms"),
        Figure::alone("verify.picture_to_verdict_most", *most, "ms"),
        Figure::alone("verify.pictures_read", read * 100.0, "%"),
    ])
}

//! A region under trial: on either engine, worked with in every way at once, killed at any moment.
//!
//! `haetae exercise` is this with four threads; `cargo xtask torture` kills it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use app::keys::{Answer, Ask};
use app::{Config, House};
use kernel::{Clock, Seed, SystemClock};
use store::Fault;
use store::backup::{BackupError, Recipient, Target};
use web::App;

use crate::exercise::{Acknowledged, Exercise};
use crate::story::write;

/// Where a region under trial is.
#[derive(Debug, Clone)]
pub struct Site {
    /// The data folder.
    pub data: PathBuf,
    /// The region's name.
    pub region: String,
    /// Where its databases are, when not in the folder.
    pub store: Option<String>,
}

impl Site {
    /// A region on files.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), region: "kr-bench".to_owned(), store: None }
    }

    /// How it is set up.
    pub fn config(&self) -> Config {
        Config {
            data: self.data.clone(),
            origin: "http://localhost:8080".to_owned(),
            region: self.region.clone(),
            store: self.store.clone(),
            behind_proxy: false,
            ..Config::default()
        }
    }

    /// Opens it on the machine's clock, as a server would have it, without its pages' demo.
    pub fn open(&self) -> anyhow::Result<House> {
        self.open_on(Arc::new(SystemClock))
    }

    /// The same on another clock.
    pub fn open_on(&self, clock: Arc<dyn Clock>) -> anyhow::Result<House> {
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).context("the system gives no randomness")?;
        Ok(House::open(self.config(), clock, Seed::from_entropy(entropy))?)
    }
}

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A citizen declares, and the rules decide.
    Declare,
    /// A gate hands in 50 entries.
    Enter,
    /// A citizen is forgotten.
    Forget,
    /// All views are folded anew.
    Rebuild,
    /// What is new is backed up.
    BackUp,
    /// The wrapping key of people is changed, and all rows are wrapped anew.
    RotateIdentity,
    /// The wrapping key of visits is changed, and all rows are wrapped anew.
    RotateVisits,
    /// A new signing key is made.
    RotateIssuer,
}

impl Work {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Declare,
        Self::Enter,
        Self::Forget,
        Self::Rebuild,
        Self::BackUp,
        Self::RotateIdentity,
        Self::RotateVisits,
        Self::RotateIssuer,
    ];

    /// Its word, in what `haetae exercise` prints.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Declare => "declare",
            Self::Enter => "enter",
            Self::Forget => "forget",
            Self::Rebuild => "rebuild",
            Self::BackUp => "back-up",
            Self::RotateIdentity => "rotate-identity",
            Self::RotateVisits => "rotate-visits",
            Self::RotateIssuer => "rotate-issuer",
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Work {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|it| it.word() == word);
        found.with_context(|| format!("there is no work called {word:?}"))
    }
}

/// What came of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A command was acknowledged.
    Acknowledged(Acknowledged),
    /// Something without a command id was done, to its end.
    Done,
    /// There was nothing to do: somebody is forgotten already, another backup is under way.
    Nothing,
    /// Nothing can be written at present; the service said so.
    Refused,
}

/// Mixed work on an open region.
pub struct Trial {
    exercise: Exercise,
    app: App,
    config: Config,
    seed: Seed,
    backups: Option<Target>,
}

impl Trial {
    /// Registers a few citizens and takes up those of before. With `backups` (a folder, and whom they
    /// are encrypted to), backups are part of the work.
    pub fn begin(house: &House, backups: Option<(PathBuf, Recipient)>) -> anyhow::Result<Self> {
        let backups = backups.map(|(folder, recipient)| Target {
            to: folder.join("data"),
            keys_to: Some(folder.join("keys")),
            recipients: vec![recipient],
            whole: false,
        });
        let exercise = Exercise::of_citizens(house, 4)?;
        let (app, config) = (house.app.clone(), house.config.clone());
        // A service makes it at its start: without a first there is none to be followed.
        write(&app, |tx| {
            let now = tx.now();
            code::keys::signing(tx, now)
        })?;
        let seed = app.seed().fork();
        Ok(Self { exercise, app, config, seed, backups })
    }

    /// What to do next, at random: mostly what citizens and gates do.
    pub fn choose(&self) -> Work {
        match self.seed.below(24) {
            0..=9 => Work::Declare,
            10..=15 => Work::Enter,
            16 => Work::Forget,
            17 => Work::Rebuild,
            18 | 19 => Work::RotateIdentity,
            20 => Work::RotateVisits,
            21 => Work::RotateIssuer,
            _ => Work::BackUp,
        }
    }

    /// Does it. An error is a fault that nobody may meet.
    pub fn does(&self, work: Work) -> anyhow::Result<Step> {
        let done = |it| if it { Step::Done } else { Step::Nothing };
        let came = match work {
            Work::Declare => {
                self.exercise.declare().map(|it| it.map_or(Step::Nothing, Step::Acknowledged))
            }
            Work::Enter => self.exercise.enter().map(Step::Acknowledged),
            Work::Forget => self.exercise.forget().map(done),
            Work::Rebuild => self.exercise.rebuild().map(|()| Step::Done),
            Work::BackUp => self.back_up().map(done),
            Work::RotateIdentity => self.rotate("identity-wrap").map(|()| Step::Done),
            Work::RotateVisits => self.rotate("visits-wrap").map(|()| Step::Done),
            Work::RotateIssuer => self.rotate("issuer").map(|()| Step::Done),
        };
        match came {
            Err(error) if is_passing(&error) => Ok(Step::Refused),
            other => other,
        }
    }

    /// A change of a key, to its end. A signing key is made ahead of its time or signs at once.
    fn rotate(&self, name: &str) -> anyhow::Result<()> {
        let ask = Ask::Rotate { name: name.to_owned(), now: self.seed.below(2) == 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        match runtime.block_on(app::keys::try_answer(&self.app, ask, || true))? {
            Answer::Ok(_) => Ok(()),
            Answer::Refused(why) => Err(anyhow!("changing {name} was refused: {why}")),
        }
    }

    /// Whether a backup came to its end. Another may be under way, or there may be no place for one.
    fn back_up(&self) -> anyhow::Result<bool> {
        let Some(target) = &self.backups else { return Ok(false) };
        match app::backup::backup(&self.config, target, SystemClock.now(), &|| true) {
            Ok(_) => Ok(true),
            Err(BackupError::Busy { .. }) => Ok(false),
            Err(BackupError::Fault(fault)) => Err(fault.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the service said that it can write nothing at present, or reach nothing.
fn is_passing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|it| it.is_paused() || it.is_lost())
}

//! A region under trial: on either engine, worked with in every way at once, killed at any moment.
//!
//! `haetae exercise` is this with four threads; `cargo xtask torture` kills it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use app::keys::Ask;
use app::{Config, House};
use kernel::{Clock as _, Seed, SystemClock};
use store::Fault;
use store::backup::{BackupError, Recipient, Target};
use web::App;

use crate::exercise::{Acknowledged, Exercise};

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
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).context("the system gives no randomness")?;
        let seed = Seed::from_entropy(entropy);
        Ok(House::open(self.config(), Arc::new(SystemClock), seed)?)
    }
}

/// What came of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A command was acknowledged.
    Acknowledged(Acknowledged),
    /// Something without a command id was done: forgotten, rebuilt, backed up, a key changed.
    Done,
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
        let seed = app.seed().fork();
        Ok(Self { exercise, app, config, seed, backups })
    }

    /// One of everything, at random.
    pub fn step(&self) -> anyhow::Result<Step> {
        let done = match self.seed.below(23) {
            20 => self.rotate(),
            21.. => self.back_up(),
            choice => self.exercise.mixed(choice),
        };
        match done {
            Ok(Some(it)) => Ok(Step::Acknowledged(it)),
            Ok(None) => Ok(Step::Done),
            Err(error) if is_passing(&error) => Ok(Step::Refused),
            Err(error) => Err(error),
        }
    }

    /// A change of a key. That it is refused (another change is under way, nothing can be written) is
    /// an answer too.
    fn rotate(&self) -> anyhow::Result<Option<Acknowledged>> {
        let names = ["identity-wrap", "visits-wrap", "issuer"];
        let name = names.into_iter().cycle().nth(usize::try_from(self.seed.below(3))?);
        let ask = Ask::Rotate { name: name.unwrap_or_default().to_owned(), now: false };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(app::keys::answer(&self.app, ask, || true));
        Ok(None)
    }

    fn back_up(&self) -> anyhow::Result<Option<Acknowledged>> {
        let Some(target) = &self.backups else { return Ok(None) };
        match app::backup::backup(&self.config, target, SystemClock.now(), &|| true) {
            Ok(_) | Err(BackupError::Busy { .. }) => Ok(None),
            Err(BackupError::Fault(fault)) => Err(fault.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the service said that it can write nothing at present, or reach nothing.
fn is_passing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Fault>().is_some_and(|it| it.is_paused() || it.is_lost())
}

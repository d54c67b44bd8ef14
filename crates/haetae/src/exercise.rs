//! `haetae exercise`: mixed writes until killed, for the crash test.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use sim::{Site, Step, Trial, Work};
use store::backup::Recipient;

/// Threads that work at once.
const THREADS: usize = 4;

/// What is worked with.
#[derive(Args)]
pub(crate) struct Exercise {
    /// The data folder.
    data: PathBuf,
    /// The region.
    #[arg(long, default_value = "kr-bench")]
    region: String,
    /// Where the databases are, when not in the folder.
    #[arg(long)]
    store: Option<String>,
    /// Make backups below this folder too.
    #[arg(long, requires = "recipient")]
    backups: Option<PathBuf>,
    /// Whom they are encrypted to.
    #[arg(long)]
    recipient: Option<String>,
    /// What the first thread begins with.
    #[arg(long)]
    first: Option<Work>,
}

/// One write call a line: what is on the pipe has happened.
fn say(line: &str) -> std::io::Result<()> {
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes())
}

impl Exercise {
    /// Prints what each thread begins (`2 at enter`), and how it ended, once it has and never before: for a
    /// command `2 did enter`, its id and its first entry. `refused` is what the service says while
    /// nothing can be written.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let site = Site { data: self.data, region: self.region, store: self.store };
        let recipient = match self.recipient {
            Some(text) => Some(text.parse::<Recipient>()?),
            None => None,
        };
        let house = site.open()?;
        let trial = Trial::begin(&house, self.backups.zip(recipient))?;
        say("begun")?;
        let work = |thread: usize| {
            let mut first = self.first.filter(|_| thread == 0);
            loop {
                let work = first.take().unwrap_or_else(|| trial.choose());
                say(&format!("{thread} at {work}"))?;
                let came = match trial.does(work) {
                    Ok(Step::Acknowledged(it)) => {
                        format!("did {work} {:032x} {}", it.command, it.first)
                    }
                    Ok(Step::Done) => format!("did {work}"),
                    Ok(Step::Nothing) => "had nothing to do".to_owned(),
                    // The service ends and is started anew.
                    Ok(Step::Refused) if house.app.store.is_stopped() => return say("stopped"),
                    Ok(Step::Refused) => format!("refused {work}"),
                    Err(error) => return say(&format!("failed at {work}: {error:#}")),
                };
                say(&format!("{thread} {came}"))?;
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..THREADS).map(|thread| scope.spawn(move || work(thread))).collect();
            let mut ended = threads.into_iter().map(|it| it.join());
            ended.try_for_each(|it| Ok(it.map_err(|_| anyhow!("a thread panicked"))??))
        })
        .map(|()| ExitCode::SUCCESS)
    }
}

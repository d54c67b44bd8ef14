//! The `haetae` command: what a city's IT officer, an auditor and a newcomer type.
//!
//! Output for people by default, `--json` for machines. Exit status: 0 all well, 1 the answer is
//! no (something was altered, a replay disagrees), 2 the question could not be answered.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person at a terminal")]

mod audit;
mod backup;
mod bench;
mod demo;
mod doctor;
mod exercise;
mod keys;
mod output;
mod receipt;
mod rules;
mod serve;
mod upkeep;
mod verify;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use app::{Config, LogFormat};
use clap::{Args, Parser, Subcommand};

/// Health codes, gates and one verifiable log for a city.
#[derive(Parser)]
#[command(name = "haetae", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where a region's configuration comes from.
#[derive(Args, Clone)]
struct Setup {
    /// The configuration file; HAETAE_ variables win over it.
    #[arg(long, env = "HAETAE_CONFIG")]
    config: Option<PathBuf>,
    /// One JSON object on standard output in place of words.
    #[arg(long)]
    json: bool,
}

impl Setup {
    fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(self.config.as_deref(), |name| std::env::var(name).ok())?)
    }
}

#[derive(Subcommand)]
enum Command {
    /// A temporary city with invented citizens, places and three weeks of history.
    Demo {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Keep the city in this folder (and take it up again) in place of a temporary one.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Keep its databases on this PostgreSQL server (`postgres://…`) in place of the folder.
        #[arg(long)]
        store: Option<String>,
        /// Invented citizens.
        #[arg(long, default_value_t = 10_000)]
        citizens: u32,
        /// Invented places.
        #[arg(long, default_value_t = 300)]
        places: u32,
        /// The city's number: the same number gives the same city.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Serve a region. The first start prints a one-time link for its first administrator.
    Serve {
        #[command(flatten)]
        setup: Setup,
    },
    /// Recompute the whole log and compare everything with it. Exit 1 when anything was altered.
    Audit {
        /// A data folder, the address of a public log, or a folder with its public files; by default
        /// the configured data folder.
        target: Option<String>,
        /// The log's key (`vkey`) that you trust, or a file with it, for an address and for public
        /// files. Without it, the key that lies beside them is used and said so.
        #[arg(long)]
        key: Option<String>,
        /// The checkpoint kept from an earlier audit: proves that the log only grew, and reads only
        /// what is new.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// Keep the newest checkpoint here when all is well, for the next audit's --since.
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
        #[command(flatten)]
        setup: Setup,
    },
    /// Back up what is new since the last backup, encrypted, while the region is served or not.
    Backup {
        #[command(flatten)]
        to: backup::Whither,
        #[command(flatten)]
        setup: Setup,
    },
    /// Bring the newest backup back into a folder that is not there yet. Exit 1 when the backups are
    /// damaged or not what was published; then nothing is left behind.
    Restore {
        /// The folder of the backups.
        from: PathBuf,
        /// The new data folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The new key folder; by default within the data folder.
        #[arg(long, value_name = "DIR")]
        keys_to: Option<PathBuf>,
        #[command(flatten)]
        into: backup::Into,
        /// Keep what was restored although its audit found something.
        #[arg(long)]
        accept_findings: bool,
        #[command(flatten)]
        with: backup::With,
        #[command(flatten)]
        setup: Setup,
    },
    /// Restore the newest backup into a temporary folder, audit it, print figures, remove it.
    RestoreDrill {
        /// The folder of the backups; by default as configured.
        from: Option<PathBuf>,
        #[command(flatten)]
        with: backup::With,
        #[command(flatten)]
        setup: Setup,
    },
    /// Say what is weak, old, full, or about to end, each with what mends it. Exit 1 for warnings, 2
    /// when something is broken.
    Doctor {
        #[command(flatten)]
        setup: Setup,
    },
    /// Say whether the clock is believed: whatever is erased by its age waits while it is not. Exit 1
    /// when it is not.
    Clock {
        /// The clock is right: believe it from now on. While the service runs or not.
        #[arg(long)]
        confirm: bool,
        #[command(flatten)]
        setup: Setup,
    },
    /// Keys: what there is, and changing them, while the region is served or not.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// The public files of the log.
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Receipts, as the pages of the log hand them out.
    Receipt {
        #[command(subcommand)]
        command: ReceiptCommand,
    },
    /// Judge passes of any kind, offline: exit 0 when all pass, 1 when some do not, 2 when it cannot be
    /// told.
    Verify(verify::Wish),
    /// Recompute the decisions on one person, or one decision, from the log.
    Replay {
        /// `person_…`, `decision_…`, or the entry number of a decision.
        what: String,
        #[command(flatten)]
        setup: Setup,
    },
    /// Empty every view and fold the log into it again.
    Rebuild {
        #[command(flatten)]
        setup: Setup,
    },
    /// Destroy a person's key: nobody can read their payloads again. The log stays whole.
    Forget {
        /// `person_…`
        person: String,
        /// Really do it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        setup: Setup,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Rules as data: evaluate, check, print.
    Rules {
        #[command(subcommand)]
        command: rules::RulesCommand,
    },
    /// Databases on a server.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Measure on this machine, beside a peer in the same run.
    Bench {
        /// `write`, `pages`, `audit` or `restore`.
        name: String,
        /// One JSON object a line in place of a table.
        #[arg(long)]
        json: bool,
        /// A tenth of the work: to see that it runs.
        #[arg(long)]
        quick: bool,
        /// How many entries the region has that `audit` and `restore` work on and `write` takes up
        /// again, e.g. 10000000.
        #[arg(long, conflicts_with = "quick")]
        entries: Option<u64>,
        /// A PostgreSQL database, new and empty, on which `write` measures too; by default a server of
        /// its own, where Debian's package is installed. Those beside it are `<name>_visits` and
        /// `<name>_keys`.
        #[arg(long, value_name = "URL")]
        store: Option<String>,
    },
    /// Mixed writes until killed, each acknowledgement a line: for the crash test.
    #[command(hide = true)]
    Exercise(exercise::Exercise),
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Print the SQL that makes the databases, and that spreads their tables on a Citus cluster.
    Plan {
        #[command(flatten)]
        setup: Setup,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// All keys, with how each stands and since when it is there.
    List {
        #[command(flatten)]
        setup: Setup,
    },
    /// Change a key, with no pause in service.
    Rotate {
        /// `identity-wrap`, `visits-wrap`, `queue`, `issuer`, or `issuer-org_…`.
        name: String,
        /// A signing key: let it sign at once. Gates with lists of before cannot tell until they have
        /// new ones. `queue`: give it to gates at once; each machine needs its file before.
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        setup: Setup,
    },
    /// Give an organisation a signing key of its own, for the passes that it issues.
    Add {
        /// `org_…`
        organisation: String,
        #[command(flatten)]
        setup: Setup,
    },
    /// End an organisation's signing keys. What they signed stays good until its own end.
    End {
        /// `org_…`
        organisation: String,
        /// Why, for everybody to read.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        setup: Setup,
    },
    /// Refuse everything that a key signed from an instant on: gates get new lists, the passes are
    /// ended and listed, their holders told. What it signed before stays good.
    Compromise {
        /// The key's 16 digits (haetae keys list).
        kid: String,
        /// From when on others may have had it, as 2026-11-28T09:00:00Z.
        #[arg(long)]
        since: String,
        /// Why, for everybody to read.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        setup: Setup,
    },
    /// List the passes that a key signed, as far as the log still says it.
    Signed {
        /// The key's 16 digits.
        kid: String,
        /// From when on.
        #[arg(long)]
        since: Option<String>,
        #[command(flatten)]
        setup: Setup,
    },
    /// Say whether codes were issued on the log. Exit 1 when one of our keys signed what the log does
    /// not know.
    Check {
        /// The texts that their QR codes hold.
        #[arg(required = true)]
        codes: Vec<String>,
        #[command(flatten)]
        setup: Setup,
    },
}

#[derive(Subcommand)]
enum LogCommand {
    /// Write checkpoint, tiles and entries into a folder, for anybody to audit or to serve.
    Export {
        /// The folder; what is there already is left as it is.
        dir: PathBuf,
        #[command(flatten)]
        setup: Setup,
    },
}

#[derive(Subcommand)]
enum ReceiptCommand {
    /// Check a receipt offline. Exit 1 when the entry is not what the log signed.
    Verify {
        /// A tlog-proof file, or a person's own receipt (JSON).
        file: PathBuf,
        /// The log's key (`vkey`) that you trust, or a file with it.
        #[arg(long)]
        key: String,
        /// The entry, where the receipt does not hold it.
        #[arg(long, value_name = "FILE")]
        entry: Option<PathBuf>,
        /// One JSON object on standard output in place of words.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration holds together.
    Check {
        #[command(flatten)]
        setup: Setup,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("haetae: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Writes the journal's lines to standard error: `HAETAE_LOG` says which, e.g. `warn` or
/// `warn,web=debug`.
fn write_logs(format: LogFormat) {
    let wished = tracing_subscriber::EnvFilter::try_from_env("HAETAE_LOG");
    let filter = wished.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    write_logs(match &command {
        Command::Serve { setup } => setup.load()?.log_format,
        _ => LogFormat::Text,
    });
    match command {
        Command::Demo { listen, data, store, citizens, places, seed } => {
            demo::run(&demo::Wish { listen, data, store, citizens, places, seed })
        }
        Command::Serve { setup } => serve::run(setup.load()?),
        Command::Backup { to, setup } => backup::backup(to, &setup),
        Command::Restore { from, to, keys_to, into, accept_findings, with, setup } => {
            let keys_to = keys_to.as_deref();
            backup::restore(&from, &to, keys_to, &into, accept_findings, &with, &setup)
        }
        Command::RestoreDrill { from, with, setup } => backup::drill(from, &with, &setup),
        Command::Doctor { setup } => {
            doctor::run(&setup.load()?, setup.config.as_deref(), setup.json)
        }
        Command::Clock { confirm, setup } => upkeep::clock(confirm, &setup),
        Command::Audit { target, key, since, keep, setup } => {
            audit::run(target, &audit::Brought { key, since, keep }, &setup)
        }
        Command::Keys { command } => keys::run(command),
        Command::Log { command: LogCommand::Export { dir, setup } } => audit::export(&dir, &setup),
        Command::Receipt { command: ReceiptCommand::Verify { file, key, entry, json } } => {
            receipt::verify(&file, &key, entry, json)
        }
        Command::Verify(wish) => verify::run(wish),
        Command::Replay { what, setup } => upkeep::replay(&what, &setup),
        Command::Rebuild { setup } => upkeep::rebuild(&setup),
        Command::Forget { person, yes, setup } => upkeep::forget(&person, yes, &setup),
        Command::Config { command: ConfigCommand::Check { setup } } => upkeep::check(&setup),
        Command::Rules { command } => rules::run(command),
        Command::Store { command: StoreCommand::Plan { setup } } => upkeep::plan(&setup),
        Command::Bench { name, json, quick, entries, store } => {
            bench::run(&name, json, &bench::Wish { quick, entries, store })
        }
        Command::Exercise(it) => it.run(),
    }
}

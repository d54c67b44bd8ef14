//! The `haetae` command: what a city's IT officer, an auditor and a newcomer type.
//!
//! Output for people by default, `--json` for machines. Exit status: 0 all well, 1 the answer is
//! no (something was altered, a replay disagrees), 2 the question could not be answered.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person at a terminal")]

mod audit;
mod bench;
mod demo;
mod output;
mod serve;
mod upkeep;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use app::Config;
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
        /// A data folder, or the address of a public log; by default the configured folder.
        target: Option<String>,
        /// The log's key (`vkey`) that you trust, for an address. Without it, the key that the
        /// address gives is used and said so.
        #[arg(long)]
        key: Option<String>,
        /// The checkpoint kept from an earlier audit, for an address: proves that the log only grew,
        /// and fetches only what is new.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// Keep the newest checkpoint here when all is well, for the next audit's --since.
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
        #[command(flatten)]
        setup: Setup,
    },
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
    /// Databases on a server.
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Measure on this machine, beside a peer in the same run.
    Bench {
        /// `write` or `pages`.
        name: String,
        /// One JSON object a line in place of a table.
        #[arg(long)]
        json: bool,
        /// A tenth of the work: to see that it runs.
        #[arg(long)]
        quick: bool,
    },
    /// Mixed writes until killed, each acknowledgement a line: for the crash test.
    #[command(hide = true)]
    Exercise {
        /// The data folder.
        data: PathBuf,
    },
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
enum ConfigCommand {
    /// Say whether the configuration holds together.
    Check {
        #[command(flatten)]
        setup: Setup,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("HAETAE_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("haetae: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo { listen, data, citizens, places, seed } => {
            demo::run(&demo::Wish { listen, data, citizens, places, seed })
        }
        Command::Serve { setup } => serve::run(setup.load()?),
        Command::Audit { target, key, since, keep, setup } => {
            audit::run(target, audit::Brought { key, since, keep }, &setup)
        }
        Command::Replay { what, setup } => upkeep::replay(&what, &setup),
        Command::Rebuild { setup } => upkeep::rebuild(&setup),
        Command::Forget { person, yes, setup } => upkeep::forget(&person, yes, &setup),
        Command::Config { command: ConfigCommand::Check { setup } } => upkeep::check(&setup),
        Command::Store { command: StoreCommand::Plan { setup } } => upkeep::plan(&setup),
        Command::Bench { name, json, quick } => bench::run(&name, json, quick),
        Command::Exercise { data } => exercise(&data),
    }
}

/// Mixed writes from four threads; a line is printed when a write was acknowledged, never before.
fn exercise(data: &std::path::Path) -> anyhow::Result<ExitCode> {
    use std::io::Write as _;
    let house = sim::bench_house(data)?;
    let exercise = sim::Exercise::prepare(&house, 40)?;
    println!("begun");
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let exercise = &exercise;
                scope.spawn(move || -> anyhow::Result<()> {
                    for step in 0.. {
                        if let Some(it) = exercise.mixed(step * 7 + thread)? {
                            // One write call a line: what is on the pipe was acknowledged.
                            let line = format!("{:032x} {}\n", it.command, it.first);
                            std::io::stdout().lock().write_all(line.as_bytes())?;
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(ExitCode::SUCCESS)
    })
}

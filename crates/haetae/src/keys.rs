//! `haetae keys`: what keys there are, and changing them, while the region is served or not.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use app::keys::{Answer, Ask, SOCKET, answer};
use serde_json::Value;

use crate::{KeysCommand, Setup, output, upkeep};

pub(crate) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    let (setup, ask) = match command {
        KeysCommand::List { setup } => (setup, Ask::List),
        KeysCommand::Rotate { name, now, setup } => (setup, Ask::Rotate { name, now }),
        KeysCommand::Add { organisation, setup } => (setup, Ask::Add { organisation }),
        KeysCommand::End { organisation, why, setup } => (setup, Ask::End { organisation, why }),
        KeysCommand::Compromise { kid, since, why, setup } => {
            (setup, Ask::Compromise { kid, since, why })
        }
        KeysCommand::Signed { kid, since, setup } => (setup, Ask::Signed { kid, since }),
        KeysCommand::Check { codes, setup } => (setup, Ask::Check { codes }),
    };
    let shown = show(&ask);
    let said = match put(&setup, ask)? {
        Answer::Ok(said) => said,
        Answer::Refused(why) => bail!("{why}"),
    };
    if setup.json {
        output::json(&said)?;
    } else {
        shown(&said);
    }
    let alarm = said.get("alarm").and_then(Value::as_bool).unwrap_or(false);
    Ok(ExitCode::from(u8::from(alarm)))
}

/// Asks the serving process, or answers in its place where there is none.
fn put(setup: &Setup, ask: Ask) -> anyhow::Result<Answer> {
    let config = setup.load()?;
    match UnixStream::connect(config.keys().join(SOCKET)) {
        Ok(mut served) => {
            let line = format!("{}\n", serde_json::to_string(&ask)?);
            served.write_all(line.as_bytes()).context("asking the service")?;
            let mut said = String::new();
            BufReader::new(served).read_line(&mut said).context("hearing the service")?;
            serde_json::from_str(&said).context(
                "the service ended before it answered; what it had begun goes on at its next start",
            )
        }
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
        {
            if config.store.is_none() && !config.data.join("identity.db").exists() {
                bail!("there is no region in {}", config.data.display());
            }
            let house = upkeep::open(config)?;
            let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
            let said = runtime.block_on(answer(&house.app, ask, || true));
            house.app.store.close();
            Ok(said)
        }
        Err(error) => Err(error).context("asking the service at the socket in the key folder"),
    }
}

fn text<'a>(it: &'a Value, field: &str) -> &'a str {
    it.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// How an answer is said to a person.
fn show(ask: &Ask) -> fn(&Value) {
    match ask {
        Ask::List => list,
        Ask::Rotate { .. } | Ask::Add { .. } => |it| {
            if let Some(kid) = it.get("kid").and_then(Value::as_str) {
                println!("{kid} signs from {} on", at(it, "signs_from"));
                return;
            }
            if it.get("gates_seal_from").is_some() {
                println!(
                    "gates are given {} from {} on; the one before opens what comes late until {}",
                    text(it, "rotated"),
                    at(it, "gates_seal_from"),
                    at(it, "before_opens_until")
                );
                println!(
                    "copy its file to each machine of the region before; back up now: haetae backup"
                );
                return;
            }
            let anew = it.get("keys_wrapped_anew").and_then(Value::as_u64).unwrap_or(0);
            println!(
                "{} is in use; {} keys were wrapped anew",
                text(it, "rotated"),
                output::grouped(anew)
            );
            println!("the file before it is destroyed in an hour; back up now: haetae backup");
        },
        Ask::End { .. } => |it| {
            println!("{} signs no more; what it signed stays good", text(it, "ended"));
        },
        Ask::Compromise { .. } => |it| {
            passes(it);
            println!(
                "{} is refused from {} on: {} codes ended, their holders told; {} signs now",
                text(it, "refused"),
                at(it, "since"),
                number(it, "ended"),
                text(it, "signs_now")
            );
        },
        Ask::Signed { .. } => passes,
        Ask::Check { .. } => |it| {
            for said in it.get("codes").and_then(Value::as_array).into_iter().flatten() {
                println!("{}", said.as_str().unwrap_or_default());
            }
        },
    }
}

fn number(it: &Value, field: &str) -> String {
    output::grouped(it.get(field).and_then(Value::as_u64).unwrap_or(0))
}

/// An instant of an answer in words; nothing where there is none.
fn at(it: &Value, field: &str) -> String {
    let micros = it.get(field).and_then(Value::as_i64);
    micros.map_or_else(String::new, |at| kernel::Instant::from_micros(at).rfc3339())
}

fn passes(said: &Value) {
    for it in said.get("passes").and_then(Value::as_array).into_iter().flatten() {
        println!("{}  {}  until {}", text(it, "pass"), at(it, "issued_at"), at(it, "valid_until"));
    }
    println!("{} passes", number(said, "count"));
}

fn list(said: &Value) {
    for it in said.get("keys").and_then(Value::as_array).into_iter().flatten() {
        println!("{:8}  {:24}  made {}", text(it, "state"), text(it, "name"), at(it, "made_at"));
    }
    for it in said.get("issuers").and_then(Value::as_array).into_iter().flatten() {
        let (from, until) = (at(it, "signs_from"), at(it, "signs_until"));
        println!(
            "{:8}  {}  {}  signs {from} to {until}",
            text(it, "state"),
            text(it, "kid"),
            text(it, "name")
        );
    }
}

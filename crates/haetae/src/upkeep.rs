//! `replay`, `rebuild`, `forget`, `config check`: what is done to a region's folder.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use app::{Config, House};
use code::model::Ruling;
use code::replay::Replay;
use contracts::person::Person;
use kernel::{Clock as _, Id, Seed, SystemClock};
use store::backend::Part;
use store::{By, Context, Value, trust};

use crate::{Setup, output};

/// Opens the configured region. Refused while a server works in its folder.
pub(crate) fn open(config: Config) -> anyhow::Result<House> {
    Ok(House::open(config, Arc::new(SystemClock), seed()?)?)
}

/// Opens the configured region as one process of several; `url` is where the others find this one.
pub(crate) fn join(config: Config, url: String) -> anyhow::Result<House> {
    Ok(House::join(config, Arc::new(SystemClock), seed()?, url)?)
}

pub(crate) fn seed() -> anyhow::Result<Seed> {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).context("the system gives no randomness")?;
    Ok(Seed::from_entropy(entropy))
}

/// Recomputes decisions from the log.
pub(crate) fn replay(what: &str, setup: &Setup) -> anyhow::Result<ExitCode> {
    let house = open(setup.load()?)?;
    let store = &house.app.store;
    let replay = if let Ok(person) = what.parse::<Id<Person>>() {
        store.read_blocking(|reader| code::replay::replay(reader, person))?
    } else if let Ok(seq) = what.parse::<u64>() {
        let event = store.read_blocking(|reader| reader.event(seq))?;
        let Some(event) = event.filter(|it| it.stream == "code.holder") else {
            bail!("entry {seq} is not a decision on a person");
        };
        let person = event.id::<Person>();
        let mut all = store.read_blocking(|reader| code::replay::replay(reader, person))?;
        all.decisions.retain(|it| it.seq == seq);
        all.erased.retain(|it| *it == seq);
        all
    } else if let Ok(decision) = what.parse::<Id<Ruling>>() {
        let found =
            store.read_blocking(|reader| code::replay::replay_decision(reader, decision))?;
        let found = found.context(
            "there is no such decision, or it was erased: its time is over, or its person was \
             forgotten",
        )?;
        Replay { decisions: vec![found], erased: Vec::new() }
    } else {
        bail!("write person_…, decision_… or the number of an entry");
    };
    let Replay { decisions, erased } = &replay;
    let disagreeing = decisions.iter().filter(|it| !it.agrees).count();
    if setup.json {
        output::json(&replay)?;
    } else {
        for seq in erased {
            println!("entry {seq:>8}  erased    its time is over, or the person was forgotten");
        }
        for it in decisions {
            let agrees = if it.agrees { "agrees" } else { "DIFFERS" };
            println!("entry {:>8}  {:8}  {agrees}", it.seq, it.recorded.colour.word());
        }
        let (count, erased) = (decisions.len(), erased.len());
        println!("{count} decisions recomputed, {disagreeing} differ, {erased} erased");
    }
    store.close();
    Ok(ExitCode::from(u8::from(disagreeing > 0)))
}

/// Folds the log again.
pub(crate) fn rebuild(setup: &Setup) -> anyhow::Result<ExitCode> {
    let house = open(setup.load()?)?;
    let answer = house.app.store.write_blocking(|tx| tx.rebuild());
    let Ok(events) = answer else { bail!("the rebuild failed; nothing was changed") };
    house.app.store.close();
    if setup.json {
        output::json(&serde_json::json!({ "events": events }))?;
    } else {
        println!("folded {} events into every view", output::grouped(events));
    }
    Ok(ExitCode::SUCCESS)
}

/// Destroys a person's key.
pub(crate) fn forget(person: &str, yes: bool, setup: &Setup) -> anyhow::Result<ExitCode> {
    let person: Id<Person> = person.parse().context("write person_…")?;
    if !yes {
        bail!("this cannot be undone: add --yes");
    }
    let house = open(setup.load()?)?;
    let context = Context::by(By::System("operator"));
    let known = house
        .app
        .store
        .write_blocking(move |tx| person::forget(tx, &context, person, person::Asker::System));
    house.app.store.close();
    match known {
        Ok(Ok(_)) if setup.json => output::json(&serde_json::json!({ "forgotten": person }))?,
        Ok(Ok(_)) => println!("forgotten; the log says so, and stays whole"),
        Ok(Err(refusal)) => bail!("{}", kernel::Refusal::code(&refusal)),
        Err(_) => bail!("it failed; nothing was changed"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Says up to when the clock is believed, and confirms it when told to.
pub(crate) fn clock(confirm: bool, setup: &Setup) -> anyhow::Result<ExitCode> {
    let config = setup.load()?;
    let (backend, region, now) = (config.backend()?, config.region()?, SystemClock.now());
    if confirm {
        trust::confirm(&backend, &region, now)?;
    }
    let mut engine = backend.reader(Part::Identity)?;
    let noted = trust::noted(engine.as_mut(), &Value::from(region.as_str()))?;
    let believed = noted.is_none_or(|it| now.seconds_since(it) <= trust::LEEWAY_S);
    if setup.json {
        output::json(&serde_json::json!({
            "now": now.rfc3339(),
            "believed_at": noted.map(|it| it.rfc3339()),
            "believed": believed,
        }))?;
    } else {
        println!("the clock shows   {}", now.rfc3339());
        match noted {
            Some(at) => println!("last believed     {}", at.rfc3339()),
            None => println!("last believed     never noted: haetae serve notes it within minutes"),
        }
        if believed {
            println!("it is believed: what is old is erased");
        } else {
            println!(
                "it is NOT believed: it jumped, or the service was off for longer than a day. Nothing is \
                 erased until the clock is set, or `haetae clock --confirm` says that it is right"
            );
        }
    }
    Ok(ExitCode::from(u8::from(!believed)))
}

/// Prints what a database administrator runs once, for `psql`.
pub(crate) fn plan(setup: &Setup) -> anyhow::Result<ExitCode> {
    let config = setup.load()?;
    if config.store.is_none() {
        bail!("the databases are files in a folder: there is nothing to plan (see `store`)");
    }
    let registry = app::slices::registry(&app::slices::slices());
    let lines = store::plan::plan(&config.backend()?, &registry);
    if setup.json {
        output::json(&serde_json::json!({ "lines": lines }))?;
    } else {
        for line in lines {
            println!("{line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says whether the configuration holds together.
pub(crate) fn check(setup: &Setup) -> anyhow::Result<ExitCode> {
    let config = setup.load()?;
    if setup.json {
        let origin = &config.origin;
        output::json(
            &serde_json::json!({ "ok": true, "region": config.region, "origin": origin }),
        )?;
    } else {
        println!("region   {}", config.region);
        println!("origin   {}", config.origin);
        println!("log      {}", config.log_name()?);
        println!("listen   {}", config.listen);
        match config.ops_listen {
            Some(address) => println!("ops      {address}"),
            None => println!("ops      closed: no metrics, no reasons (ops_listen)"),
        }
        if let Some(address) = config.forward_listen {
            println!("members  {address}, for others {}", config.forward_to_me(address)?);
        }
        println!("data     {}", config.data.display());
        println!("keys     {}", config.keys().display());
        if config.store.is_some() {
            println!("store    PostgreSQL: {}", config.backend()?.names().join(", "));
        }
        if config.sms_url.is_none() {
            println!("note     no sms_url: nobody can sign in by text message");
        }
        println!("the configuration holds together");
    }
    Ok(ExitCode::SUCCESS)
}

//! `haetae serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use app::serve::Listeners;
use app::{Config, House};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use web::{App, Who};

use crate::upkeep;

/// How long the first administrator's link holds.
const SETUP_S: i64 = 24 * 3_600;

pub(crate) fn run(config: Config) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    // Before the region is opened: whoever writes it says where others find it.
    let members = match config.forward_listen {
        Some(address) => Some(runtime.block_on(bind(address))?),
        None => None,
    };
    let house = match &members {
        Some(listener) => {
            let url = config.forward_to_me(listener.local_addr()?)?;
            upkeep::join(config, url)?
        }
        None => upkeep::open(config)?,
    };
    describe(&house.config)?;
    if house.app.store.is_writer()
        && let Some(path) = setup_link(&house)?
    {
        println!("No administrator can sign in yet. This link signs one in, once, within a day:");
        println!("  {}{path}", house.app.config.origin_text());
    }
    runtime.block_on(async {
        let public = bind(house.config.listen).await?;
        let ops = match house.config.ops_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        println!("serving {} on {}", house.config.region, public.local_addr()?);
        if let Some(ops) = &ops {
            println!("metrics and reasons on {}", ops.local_addr()?);
        }
        if let Some(members) = &members {
            println!("what other processes pass on is taken on {}", members.local_addr()?);
        }
        let app = house.app.clone();
        let listeners = Listeners { public, ops, members };
        tokio::select! {
            served = app::serve::serve(house, listeners, stop()) => served?,
            () = move_when_told(&app) => {}
        }
        anyhow::Ok(())
    })?;
    println!("stopped; everything acknowledged is on the log");
    Ok(ExitCode::SUCCESS)
}

/// Leaves a shared region to another process whenever the operator says so (SIGUSR1): before a
/// machine is looked after, say. Never ends.
async fn move_when_told(app: &App) {
    if let Ok(mut told) = signal(SignalKind::user_defined1()) {
        while told.recv().await.is_some() {
            app.leave_to_others().await;
        }
    }
    std::future::pending::<()>().await;
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

/// Leaves in the data folder what `haetae audit DIR` needs to know of it.
pub(crate) fn describe(config: &Config) -> anyhow::Result<()> {
    // The databases are on a server, and their address may hold a password: nothing to say here.
    if config.store.is_some() {
        return Ok(());
    }
    let text = format!(
        "# Written by haetae for `haetae audit` on this folder.\n\
         origin = {:?}\nregion = {:?}\nlog_name = {:?}\nzone = {:?}\ndata = {:?}\nkeys = {:?}\n",
        config.origin,
        config.region,
        config.log_name()?,
        config.zone,
        std::path::absolute(&config.data)?.display().to_string(),
        std::path::absolute(config.keys())?.display().to_string(),
    );
    std::fs::write(config.data.join("haetae.toml"), text).context("writing haetae.toml")
}

/// A one-time link for the first administrator, as long as no administrator can sign in: at the
/// first start, and again when that link ran out unused.
fn setup_link(house: &House) -> anyhow::Result<Option<String>> {
    let made = house.app.store.write_blocking(|tx| {
        let now = tx.now();
        if let Ok(staff) = person::setup(tx, "Administrator", "")? {
            return web::link::make(tx, Who::Staff(staff), SETUP_S).map(Some);
        }
        let administrators = person::view::administrators(tx, now)?;
        for it in &administrators {
            if web::has_passkey(tx, Who::Staff(*it))? {
                return Ok(None);
            }
        }
        let Some(staff) = administrators.first().copied() else { return Ok(None) };
        web::link::make(tx, Who::Staff(staff), SETUP_S).map(Some)
    });
    made.map_err(|_| anyhow::anyhow!("the first administrator could not be made"))
}

/// Done when the process is asked to stop.
pub(crate) async fn stop() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

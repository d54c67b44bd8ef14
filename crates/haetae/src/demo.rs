//! `haetae demo`: a temporary city with invented citizens, places and three weeks of history.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use app::{Config, House};
use contracts::person::{Person, Staff};
use kernel::{Clock as _, Id, Seed, SystemClock};
use serde::{Deserialize, Serialize};
use sim::{StoryClock, Told, Wish as Story};
use tokio::net::TcpListener;
use web::Who;

use crate::output;
use crate::serve;

/// What demo is wished for.
pub(crate) struct Wish {
    pub(crate) listen: SocketAddr,
    pub(crate) data: Option<PathBuf>,
    pub(crate) store: Option<String>,
    pub(crate) citizens: u32,
    pub(crate) places: u32,
    pub(crate) seed: u64,
}

/// Days of history.
const DAYS: u32 = 21;
/// How long the printed links hold.
const LINK_S: i64 = 24 * 3_600;

/// Who the printed links are for. Kept in the data folder, to take a city up again.
#[derive(Serialize, Deserialize)]
struct Cast {
    administrator: Id<Staff>,
    /// Agrees with the first on whose signatures count; nobody in a city of before.
    #[serde(default)]
    administrator2: Option<Id<Staff>>,
    /// Two who issue passes in a clinic's name; nobody in a city of before.
    #[serde(default)]
    issuers: Option<[Id<Staff>; 2]>,
    officers: [Id<Staff>; 3],
    owner: Id<Staff>,
    auditor: Id<Staff>,
    citizen: Id<Person>,
    place_code: String,
}

/// The addresses that are printed.
#[derive(Serialize)]
struct Addresses {
    origin: String,
    citizen: String,
    scanner: String,
    place_code: String,
    log: String,
    officer: String,
    officer2: String,
    officer3: String,
    owner: String,
    administrator: String,
    administrator2: Option<String>,
    issuer: Option<String>,
    issuer2: Option<String>,
    auditor: String,
    inbox: String,
}

pub(crate) fn run(wish: &Wish) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    let listener = runtime
        .block_on(TcpListener::bind(wish.listen))
        .with_context(|| format!("listening on {} (try --listen 127.0.0.1:8090)", wish.listen))?;
    let port = listener.local_addr()?.port();
    // Held until the end: a temporary city goes with it.
    let temporary = if wish.data.is_none() {
        Some(tempfile::tempdir().context("making a temporary folder")?)
    } else {
        None
    };
    let data = match (&wish.data, &temporary) {
        (Some(data), _) => data.clone(),
        (None, Some(dir)) => dir.path().join("city"),
        (None, None) => anyhow::bail!("there is no folder for the city"),
    };
    let config = Config {
        listen: wish.listen,
        origin: format!("http://localhost:{port}"),
        region: "kr-demo".to_owned(),
        log_name: Some("demo.haetae.example/log".to_owned()),
        names: [("ko", "해태시"), ("en", "Haetae City"), ("zh-Hans", "獬豸市")]
            .map(|(tag, name)| (tag.to_owned(), name.to_owned()))
            .into(),
        behind_proxy: false,
        demo: true,
        data,
        store: wish.store.clone(),
        ..Config::default()
    };
    let clock = StoryClock::at(SystemClock.now());
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy).context("the system gives no randomness")?;
    let house = House::open(config, Arc::new(clock.clone()), Seed::from_entropy(entropy))?;
    serve::describe(&house.config)?;
    let json = std::env::var_os("HAETAE_DEMO_JSON").is_some();
    let kept = house.config.data.join("demo.json");
    let cast: Cast = if kept.exists() {
        serde_json::from_slice(&std::fs::read(&kept)?).context("reading the kept city")?
    } else {
        let told = tell(&house, &clock, wish, json)?;
        let given = sim::give_passes(&house, &told)?;
        let cast = cast(&told, &given).context("a city needs a citizen and a place")?;
        std::fs::write(&kept, serde_json::to_vec(&cast)?)?;
        cast
    };
    clock.go_live();
    let addresses = addresses(&house, &cast)?;
    if json {
        output::json(&addresses)?;
    } else {
        print(&addresses, temporary.is_some());
    }
    runtime.block_on(app::serve::serve(house, listener.into(), serve::stop()))?;
    if !json {
        println!("\nThe server is off. A scanner that was open still says who may pass.");
    }
    drop(temporary);
    Ok(ExitCode::SUCCESS)
}

fn tell(house: &House, clock: &StoryClock, wish: &Wish, quiet: bool) -> anyhow::Result<Told> {
    if !quiet {
        println!(
            "A city of {} invented citizens and {} places lives through {DAYS} days …",
            output::grouped(u64::from(wish.citizens)),
            wish.places
        );
    }
    let bar =
        if quiet { indicatif::ProgressBar::hidden() } else { output::bar("days", u64::from(DAYS)) };
    let story = Story {
        citizens: wish.citizens,
        places: wish.places,
        days: DAYS,
        until: SystemClock.now(),
        seed: wish.seed,
        verify_every: 20,
    };
    let told = sim::tell(house, clock, &story, |day, days| {
        bar.set_length(u64::from(days));
        bar.set_position(u64::from(day));
    })?;
    bar.finish_and_clear();
    if !quiet {
        let verdicts = |word: &str| output::grouped(told.verdicts.get(word).copied().unwrap_or(0));
        println!(
            "{} entries on the log; {} codes shown at doors: {} passed, {} did not.\n",
            output::grouped(house.app.store.size()),
            output::grouped(told.shown),
            verdicts("pass"),
            verdicts("no_pass"),
        );
    }
    Ok(told)
}

fn cast(told: &Told, given: &sim::Given) -> Option<Cast> {
    Some(Cast {
        administrator: told.administrator,
        administrator2: Some(given.administrator),
        issuers: Some(given.issuers),
        officers: told.officers,
        owner: told.owner,
        auditor: told.auditor,
        citizen: *told.citizens.first()?,
        place_code: told.places.first()?.1.to_string(),
    })
}

fn addresses(house: &House, cast: &Cast) -> anyhow::Result<Addresses> {
    let origin = house.app.config.origin_text();
    let link = |who: Who| {
        let made = house.app.store.write_blocking(move |tx| web::link::make(tx, who, LINK_S));
        let path = made.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        anyhow::Ok(format!("{origin}{path}"))
    };
    let [first, second, third] = cast.officers;
    let issuer = |at: usize| {
        let found = cast.issuers.and_then(|it| it.get(at).copied());
        found.map(|it| link(Who::Staff(it))).transpose()
    };
    Ok(Addresses {
        citizen: link(Who::Citizen(cast.citizen))?,
        scanner: format!("{origin}/gate/scan"),
        place_code: cast.place_code.clone(),
        log: format!("{origin}/log"),
        officer: link(Who::Staff(first))?,
        officer2: link(Who::Staff(second))?,
        officer3: link(Who::Staff(third))?,
        owner: link(Who::Staff(cast.owner))?,
        administrator: link(Who::Staff(cast.administrator))?,
        administrator2: cast.administrator2.map(|it| link(Who::Staff(it))).transpose()?,
        issuer: issuer(0)?,
        issuer2: issuer(1)?,
        auditor: link(Who::Staff(cast.auditor))?,
        inbox: format!("{origin}/demo/inbox"),
        origin,
    })
}

fn print(it: &Addresses, temporary: bool) {
    println!("Open in a browser; links sign in once, use a private window for each person:\n");
    println!("  start here as a new citizen    {}/", it.origin);
    println!("  its text messages arrive at    {}\n", it.inbox);
    println!("  a citizen's phone              {}", it.citizen);
    println!("  a guard's scanner              {}", it.scanner);
    println!("    enrol it with place code     {}", it.place_code);
    println!("    its owner approves it at     {}", it.owner);
    println!("  the public log                 {}", it.log);
    println!("  the officer's desk             {}", it.officer);
    println!("    a second officer             {}", it.officer2);
    println!("    a third, to answer appeals   {}", it.officer3);
    println!("    the administrator            {}", it.administrator);
    if let Some(second) = &it.administrator2 {
        println!("    a second administrator       {second}");
    }
    for (who, at) in
        [("a nurse who issues passes", &it.issuer), ("a doctor of that clinic", &it.issuer2)]
    {
        if let Some(at) = at {
            println!("    {who:<28} {at}");
        }
    }
    println!("    the auditor                  {}\n", it.auditor);
    let kept = if temporary { " The city goes with it." } else { "" };
    println!("Ctrl-C switches the server off.{kept}");
}

//! What repeats by itself: the slices' jobs, upkeep of the store, sending what must leave. Where several
//! processes share a region, its writer does all of it.
//!
//! The only place that starts background work, so that stopping can find all of it.

use std::time::Duration;

use store::Fault;
use store::outbox::Message;
use tokio::sync::watch;
use tokio::task::JoinSet;
use web::slice::later;
use web::{App, Job};

use crate::config::Config;
use crate::house::House;
use crate::keys;

/// Work of the house itself.
const OWN: [Job; 4] = [
    Job { name: "house-close-access-hours", every_s: 60, run: |app| Box::pin(close_hours(app)) },
    Job { name: "house-retain", every_s: 600, run: |app| Box::pin(retain(app)) },
    Job { name: "house-sweep", every_s: 3_600, run: |app| Box::pin(sweep(app)) },
    Job { name: "house-send", every_s: 1, run: |app| Box::pin(send_demo(app)) },
];

/// All jobs of a running house.
pub struct Jobs {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Jobs {
    /// Starts every job.
    pub fn start(house: &House) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let theirs = house.slices.iter().flat_map(|it| it.jobs.iter().copied());
        for job in OWN.into_iter().chain(theirs) {
            if job.name == "house-send" && !house.config.demo {
                continue;
            }
            tasks.spawn(repeat(job, house.app.clone(), stopped.clone()));
        }
        if let (false, Some(url)) = (house.config.demo, house.config.sms_url.clone()) {
            let sender = Sender { url, token: house.config.sms_token.clone() };
            tasks.spawn(send_all(sender, house.app.clone(), stopped.clone()));
        }
        tasks.spawn(keys::look_after(house.app.clone(), stopped.clone()));
        let socket = house.config.keys().join(keys::SOCKET);
        // Before anybody is told that the service is ready.
        let bound = if house.app.store.is_writer() {
            keys::bind(&socket)
        } else {
            Err(std::io::ErrorKind::AddrInUse.into())
        };
        tasks.spawn(keys::listen(house.app.clone(), socket, bound, stopped.clone()));
        if house.config.backup_to.is_some() && house.config.backup_every_hours > 0 {
            tasks.spawn(back_up(house.config.clone(), house.app.clone(), stopped));
        }
        Self { tasks, stop }
    }

    /// Lets each job finish its present run.
    pub async fn stop(mut self) {
        // Without listeners there is nobody left to tell.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn repeat(job: Job, app: App, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(Duration::from_secs(u64::from(job.every_s))) => {}
        }
        if app.store.is_writer()
            && let Err(fault) = (job.run)(app.clone()).await
        {
            tracing::error!(job = job.name, fault = %fault.chain(), "a job failed");
        }
    }
}

async fn close_hours(app: App) -> Result<(), Fault> {
    later(app.store.write(|tx| tx.close_access_hours()).await)
}

async fn retain(app: App) -> Result<(), Fault> {
    later(app.store.write(|tx| tx.retain()).await)
}

async fn sweep(app: App) -> Result<(), Fault> {
    later(app.store.write(|tx| Ok(tx.sweep_commands()? + tx.sweep_outbox()?)).await)
}

/// How often is looked whether a backup is due, and how long one that failed waits.
const BACKUP_LOOK_S: u64 = 300;

/// Backs up when the last backup, by whomever, is old enough.
async fn back_up(config: Config, app: App, mut stopped: watch::Receiver<bool>) {
    let config = std::sync::Arc::new(config);
    loop {
        let due = app.store.is_writer()
            && store::backup::last(&config.data).is_none_or(|it| {
                let hours = i64::from(config.backup_every_hours);
                it.plus_seconds(hours.saturating_mul(3_600)) <= app.now()
            });
        if due {
            let (config, now) = (std::sync::Arc::clone(&config), app.now());
            // Reads and encrypts the whole of what is new: not on an async thread.
            let told = stopped.clone();
            let made = tokio::task::spawn_blocking(move || match config.backup() {
                Ok(Some(target)) => {
                    crate::backup::backup(&config, &target, now, &|| !*told.borrow()).map(Some)
                }
                _ => Ok(None),
            });
            match made.await {
                Ok(Ok(_)) => {}
                // What was not finished is made after the next start.
                Ok(Err(_)) if *stopped.borrow() => {}
                Ok(Err(error)) => {
                    tracing::error!(code = error.code(), fault = %error, "a backup failed");
                }
                Err(_) => tracing::error!("a backup panicked"),
            }
        }
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(Duration::from_secs(BACKUP_LOOK_S)) => {}
        }
    }
}

/// Messages sent at once.
const AT_ONCE: u32 = 32;

/// The demo's messages are delivered to its inbox page by being in the outbox at all.
async fn send_demo(app: App) -> Result<(), Fault> {
    let now = app.now();
    let due = app.store.read(move |reader| reader.due_messages(now, AT_ONCE)).await?;
    for message in due {
        later(app.store.write(move |tx| tx.delivered(message.id)).await)?;
    }
    Ok(())
}

struct Sender {
    url: String,
    token: Option<String>,
}

async fn send_all(sender: Sender, app: App, mut stopped: watch::Receiver<bool>) {
    let sender = std::sync::Arc::new(sender);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if !app.store.is_writer() {
            continue;
        }
        if let Err(fault) = send_due(&sender, &app, &stopped).await {
            tracing::error!(fault = %fault.chain(), "sending failed");
        }
    }
}

async fn send_due(
    sender: &std::sync::Arc<Sender>,
    app: &App,
    stopped: &watch::Receiver<bool>,
) -> Result<(), Fault> {
    let now = app.now();
    let due = app.store.read(move |reader| reader.due_messages(now, AT_ONCE)).await?;
    for message in due {
        // One that is not taken up now is sent after the next start.
        if *stopped.borrow() {
            break;
        }
        let (sender, body) = (std::sync::Arc::clone(sender), message.body.clone());
        let sent = tokio::task::spawn_blocking(move || sender.send(&body)).await;
        let outcome = sent.unwrap_or_else(|_| Err("the sender panicked".to_owned()));
        later(app.store.write(move |tx| note(tx, &message, &outcome)).await)?;
    }
    Ok(())
}

fn note(
    tx: &mut store::Tx<'_>,
    message: &Message,
    outcome: &Result<(), String>,
) -> Result<(), Fault> {
    match outcome {
        Ok(()) => tx.delivered(message.id),
        Err(error) => tx.not_delivered(message, error),
    }
}

impl Sender {
    /// Posts one message; the error holds no personal data.
    fn send(&self, body: &serde_json::Value) -> Result<(), String> {
        let mut request =
            ureq::post(&self.url).config().timeout_global(Some(Duration::from_secs(10))).build();
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        match request.send_json(body) {
            Ok(_) => Ok(()),
            Err(ureq::Error::StatusCode(status)) => Err(format!("status {status}")),
            Err(_) => Err("no connection".to_owned()),
        }
    }
}

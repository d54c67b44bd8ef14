//! What systemd is told (sd_notify(3)): that the service is ready, that it stops, and again and
//! again that its store answers. Where `NOTIFY_SOCKET` is not set nothing is told.

use std::time::Duration;

use sd_notify::NotifyState;
use store::Store;

/// How soon a store that was too busy for the question is asked again.
const BUSY: Duration = Duration::from_millis(250);

/// How long systemd may take to hear something. Its socket blocks while nobody reads from it, which
/// must hold up neither an answer nor stopping.
const PATIENCE: Duration = Duration::from_secs(1);

async fn tell(state: NotifyState<'static>) {
    let told = tokio::task::spawn_blocking(move || sd_notify::notify(&[state]));
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "systemd could not be told"),
        Ok(Err(_)) | Err(_) => tracing::warn!("systemd does not listen"),
    }
}

/// Requests are answered.
pub(crate) async fn ready() {
    tell(NotifyState::Ready).await;
}

/// No new requests are taken soon.
pub(crate) async fn stopping() {
    tell(NotifyState::Stopping).await;
}

/// Keeps systemd's watchdog quiet as long as the store answers; never ends. A writer or a disk that
/// hangs answers nothing: then systemd ends the process and starts it anew.
pub(crate) async fn watchdog(store: &Store) {
    let limit = sd_notify::watchdog_enabled().filter(|it| !it.is_zero());
    let Some(limit) = limit else { return std::future::pending().await };
    loop {
        if answers(store).await {
            tell(NotifyState::Watchdog).await;
            // sd_watchdog_enabled(3) recommends half of the limit; a third leaves room for a slow
            // answer.
            tokio::time::sleep(limit / 3).await;
        } else {
            tokio::time::sleep(BUSY).await;
        }
    }
}

/// Whether the readers and the writer answer. A refusal is an answer: a full disk is not mended by
/// a new start, nor does a standby need one.
async fn answers(store: &Store) -> bool {
    let read = store.read(|reader| reader.head().map(|_| ())).await;
    let written = store.write(|_| Ok(())).await;
    let answered = match written {
        Ok(()) => true,
        Err(store::Error::Fault(fault)) => fault.is_paused() || fault.is_elsewhere(),
        Err(store::Error::Busy { .. }) => false,
        Err(store::Error::Refused(never)) => match never {},
    };
    answered && read.is_ok() && !store.is_stopped()
}

//! What systemd is told (sd_notify(3)): that the service is ready, that it stops, and again and
//! again that its store answers. Where `NOTIFY_SOCKET` is not set nothing is told.

use std::time::Duration;

use sd_notify::NotifyState;
use store::Store;

/// How soon a store that was too busy for the question is asked again.
const BUSY: Duration = Duration::from_millis(250);

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// Requests are answered.
pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

/// No new requests are taken soon.
pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

/// Keeps systemd's watchdog quiet as long as the store answers; never ends. A writer or a disk that
/// hangs answers nothing: then systemd ends the process and starts it anew.
pub(crate) async fn watchdog(store: &Store) {
    let limit = sd_notify::watchdog_enabled().filter(|it| !it.is_zero());
    let Some(limit) = limit else { return std::future::pending().await };
    loop {
        if answers(store).await {
            tell(NotifyState::Watchdog);
            // sd_watchdog_enabled(3) recommends half of the limit; a third leaves room for a slow
            // answer.
            tokio::time::sleep(limit / 3).await;
        } else {
            tokio::time::sleep(BUSY).await;
        }
    }
}

/// Whether the readers and the writer answer. A refusal is an answer: a full disk is not mended by
/// a new start.
async fn answers(store: &Store) -> bool {
    let read = store.read(|reader| reader.head().map(|_| ())).await;
    let written = store.write(|_| Ok(())).await;
    let answered = match written {
        Ok(()) => true,
        Err(store::Error::Fault(fault)) => fault.is_paused(),
        Err(store::Error::Busy { .. }) => false,
        Err(store::Error::Refused(never)) => match never {},
    };
    answered && read.is_ok() && !store.is_stopped()
}

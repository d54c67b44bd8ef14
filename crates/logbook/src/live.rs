//! The log as it grows: a stream of server-sent events, one for each entry, in their order.
//!
//! An event's id is the entry's index, and a stream begins after the one that its reader names: what it
//! asks for (`after`), or what it had last (`Last-Event-ID`, which browsers send by themselves when they
//! connect again). So nothing is left out and nothing comes twice, whichever process serves it, and
//! whichever writes the region meanwhile: all of them read the same log.
//!
//! A stream ends after [`LIFE_S`], and its reader connects again. So a service that stops waits for none, no
//! proxy takes it for dead, and one that nobody reads holds its place no longer than that.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use store::Fault;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;
use web::{Access, Actor, App, Frame, Problem, Query, Route, See};

use crate::kind::in_words;
use crate::pages::number;
use crate::view;

/// How long a stream lasts, in seconds: less than what a service that stops waits for (35 s), and than
/// proxies do.
const LIFE_S: u32 = 25;
/// After this long a browser connects again.
const AGAIN: Duration = Duration::from_millis(500);
/// The shortest time between two readings for one stream. A busy log goes out in groups.
const PAUSE: Duration = Duration::from_millis(200);
/// Entries of one reading.
const GROUP: u64 = 100;
/// Streams at one time in this process. Each costs a reading when the log grows; whoever gets none has
/// a page that does not grow by itself.
const STREAMS_MAX: usize = 512;

static STREAMS: Semaphore = Semaphore::const_new(STREAMS_MAX);

/// All routes of this file.
pub fn routes() -> Vec<Route> {
    vec![Route::get("/log/live", live, Access::Anyone)]
}

/// From where on.
#[derive(Debug, Deserialize)]
pub struct LiveQuery {
    /// Entries that the reader has.
    after: Option<u64>,
}

/// An entry as the page shows it.
#[derive(Debug, Serialize)]
struct Line {
    index: u64,
    number: String,
    at: String,
    words: String,
}

/// A stream at work.
struct Stream {
    app: App,
    frame: Frame,
    sizes: watch::Receiver<u64>,
    /// The entry that comes next.
    next: u64,
    waiting: VecDeque<Event>,
    ends_at: Instant,
    _place: SemaphorePermit<'static>,
}

impl Stream {
    /// Waits until the log is longer than what was sent; `false` when the stream is at its end.
    async fn grows(&mut self) -> bool {
        let next = self.next;
        let grown = self.sizes.wait_for(|size| next < *size);
        matches!(tokio::time::timeout_at(self.ends_at, grown).await, Ok(Ok(_)))
    }

    async fn read(&mut self) -> Result<(), Fault> {
        let next = self.next;
        let read = self.app.store.read(move |reader| {
            let end = reader.head()?.size.min(next.saturating_add(GROUP));
            let mut found = view::entries_before(reader, end, end.saturating_sub(next))?;
            found.reverse();
            Ok((found, end))
        });
        let (found, end) = read.await?;
        for it in found {
            let line = Line {
                index: it.index,
                number: number(it.index),
                at: self.frame.minute(&it.leaf.at),
                words: in_words(&self.frame, &it.leaf.kind),
            };
            let event = Event::default().id(it.index.to_string()).json_data(line);
            self.waiting
                .push_back(event.map_err(|error| Fault::caused("writing an event", error))?);
        }
        self.next = end.max(next);
        Ok(())
    }

    /// The next event, once there is one; `None` at the end. What cannot be read ends the stream: its
    /// reader comes again, perhaps to a process that can.
    async fn event(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((Ok(event), self));
            }
            if !self.grows().await {
                return None;
            }
            if let Err(fault) = self.read().await {
                tracing::warn!(fault = %fault.chain(), "a stream of the log ended early");
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// GET /log/live
pub async fn live(
    State(app): State<App>,
    actor: Actor,
    Query(LiveQuery { after }): Query<LiveQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let streams = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    if !streams.is_some_and(|it| it.contains("text/event-stream")) {
        // Whoever opened it as a page, or a robot that would wait for its end.
        return Ok(See::other("/log").into_response());
    }
    let place = STREAMS.try_acquire().map_err(|_| Problem::busy(LIFE_S))?;
    let last = headers.get("last-event-id").and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    let size = app.read(|reader| Ok(reader.head()?.size)).await?;
    let begin = last.map(|it| it.saturating_add(1)).or(after).unwrap_or(size);
    let stream = Stream {
        frame: Frame::new(&app, &actor, "logbook-log-title"),
        sizes: app.store.sizes(),
        next: begin,
        // So that a browser knows at once how soon to come again.
        waiting: VecDeque::from([Event::default().retry(AGAIN).comment("")]),
        ends_at: Instant::now() + Duration::from_secs(LIFE_S.into()),
        app,
        _place: place,
    };
    let mut response = Sse::new(unfold(stream, Stream::event)).into_response();
    // A proxy that gathers answers would show nothing until the end.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

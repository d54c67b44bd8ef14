//! Listening, and stopping without a failed request.
//!
//! A server that shuts a kept-alive connection in the moment in which the client sends on it fails
//! that request, and no client can tell whether it took effect (RFC 9112, section 9.5). So stopping
//! has two steps: first every answer says `Connection: close`, while new connections are still
//! taken; only then the listeners close, and what is under way is finished.
//!
//! Where several processes share the region, this one goes on answering what they pass on until its own
//! clients are served; then it leaves the region to another.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, Version, header};
use store::Fault;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::house::House;
use crate::jobs::Jobs;
use crate::notify;

/// How long answers say `Connection: close` before the listeners close: a proxy's next request on
/// each of its connections falls within it, if the connection is in use at all.
const LEAVING: Duration = Duration::from_secs(1);
/// A request has 30 s; whoever is still sending it after that is no longer waited for.
const GRACE: Duration = Duration::from_secs(35);

/// What a listener is doing, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Leaving,
    Closing,
}

/// Where requests come in.
pub struct Listeners {
    /// From everybody.
    pub public: TcpListener,
    /// From the operator's machines alone.
    pub ops: Option<TcpListener>,
    /// From the other processes of the region.
    pub members: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(public: TcpListener) -> Self {
        Self { public, ops: None, members: None }
    }
}

/// Serves until `stop` is done; then lets running requests finish, ends the jobs, leaves the region to
/// another process if it is shared, and closes the store. What was acknowledged is durable long before.
///
/// Ends by itself, with a fault, when the store has stopped writing: a new start finds out what is
/// durable. Tells systemd how it stands, if systemd asked for it.
pub async fn serve(
    house: House,
    listeners: Listeners,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Fault> {
    let Listeners { public, ops, members } = listeners;
    let jobs = Jobs::start(&house);
    let (app, store) = (house.app.clone(), house.app.store.clone());
    let (phase, seen) = watch::channel(Phase::Serving);
    let of_public = serve_on(public, house.router(), &seen);
    let of_ops = async {
        match ops {
            Some(listener) => {
                serve_on(listener, web::build_ops_router(house.app.clone()), &seen).await
            }
            None => Ok(()),
        }
    };
    let served = async {
        let (public, ops) = tokio::join!(of_public, of_ops);
        public.and(ops)
    };
    let told = async {
        notify::ready().await;
        tokio::select! {
            () = stop => {}
            () = store.stopped() => {}
            () = notify::watchdog(&store) => {}
        }
        notify::stopping().await;
        see_out(&phase).await;
    };
    // What others pass on is answered until the last: they look to this process while it writes.
    let (last, seen_by_members) = watch::channel(Phase::Serving);
    let of_members = async {
        let Some(listener) = members else { return Ok(()) };
        let mut closing = seen_by_members.clone();
        tokio::select! {
            served = serve_on(listener, house.member_router(), &seen_by_members) => served,
            () = async {
                let _ = closing.wait_for(|it| *it == Phase::Closing).await;
                tokio::time::sleep(GRACE).await;
            } => Ok(()),
        }
    };
    let of_clients = async {
        let served = tokio::select! {
            served = served => served,
            () = told => {
                tracing::warn!("requests that were still being sent were given up");
                Ok(())
            }
        };
        jobs.stop().await;
        if app.store.is_shared() {
            if tokio::time::timeout(GRACE, app.leave_to_others()).await.is_err() {
                tracing::warn!("requests of other processes were given up");
            }
            last.send_replace(Phase::Leaving);
            // Until the others have seen that the region has moved, they hear it from here.
            tokio::time::sleep(LEAVING).await;
        }
        last.send_replace(Phase::Closing);
        served
    };
    let (served, of_members) = tokio::join!(of_clients, of_members);
    drop((app, house));
    let stopped = store.is_stopped();
    // Closing waits for the writer's thread.
    let closed = tokio::task::spawn_blocking(move || store.close()).await;
    served.and(of_members)?;
    closed.map_err(|error| Fault::caused("closing the store", error))?;
    if stopped {
        let doing = "writing had stopped: what the failed commit left is found at the next start";
        return Err(Fault::new(doing));
    }
    Ok(())
}

/// Serves on one listener until its phase says that it closes, and what is under way is finished.
async fn serve_on(
    listener: TcpListener,
    router: Router,
    seen: &watch::Receiver<Phase>,
) -> Result<(), Fault> {
    let service = leaving(router, seen).into_make_service_with_connect_info::<SocketAddr>();
    let mut seen = seen.clone();
    let closing = async move {
        // An end of the channel is an end too.
        let _ = seen.wait_for(|it| *it == Phase::Closing).await;
    };
    let served = axum::serve(listener, service).with_graceful_shutdown(closing).await;
    served.map_err(|error| Fault::caused("serving", error))
}

/// Takes a listener through its last phases; done when nobody is waited for any longer.
async fn see_out(phase: &watch::Sender<Phase>) {
    phase.send_replace(Phase::Leaving);
    tokio::time::sleep(LEAVING).await;
    phase.send_replace(Phase::Closing);
    tokio::time::sleep(GRACE).await;
}

/// A router that sees its clients off once the service leaves.
fn leaving(router: Router, seen: &watch::Receiver<Phase>) -> Router {
    router.layer(from_fn_with_state(seen.clone(), see_off))
}

async fn see_off(State(seen): State<watch::Receiver<Phase>>, req: Request, next: Next) -> Response {
    let old = req.version() <= Version::HTTP_11;
    let is_leaving = || *seen.borrow() > Phase::Serving;
    let mut response = if is_leaving() && req.uri().path() == "/ready" {
        // Balancers take it out of the round while everything is still answered.
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response()
    } else {
        next.run(req).await
    };
    // Asked after the answer was made: it may have taken a while.
    if old && is_leaving() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

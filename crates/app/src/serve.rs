//! Listening, and stopping without a failed request.
//!
//! A server that shuts a kept-alive connection in the moment in which the client sends on it fails
//! that request, and no client can tell whether it took effect (RFC 9112, section 9.5). So stopping
//! has two steps: first every answer says `Connection: close`, while new connections are still
//! taken; only then the listeners close, and what is under way is finished.

use std::future::{Future, IntoFuture as _};
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

/// What the service is doing, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Leaving,
    Closing,
}

/// Serves until `stop` is done; then lets running requests finish, ends the jobs, and closes the
/// store. What was acknowledged is durable long before. `ops` is for the operator's machines alone.
///
/// Ends by itself, with a fault, when the store has stopped writing: a new start finds out what is
/// durable. Tells systemd how it stands, if systemd asked for it.
pub async fn serve(
    house: House,
    listener: TcpListener,
    ops: Option<TcpListener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Fault> {
    let jobs = Jobs::start(&house);
    let store = house.app.store.clone();
    let (phase, seen) = watch::channel(Phase::Serving);
    let closing = |mut seen: watch::Receiver<Phase>| async move {
        // An end of the channel is an end too.
        let _ = seen.wait_for(|it| *it == Phase::Closing).await;
    };
    let public = leaving(house.router(), &seen);
    let public = public.into_make_service_with_connect_info::<std::net::SocketAddr>();
    let public = axum::serve(listener, public).with_graceful_shutdown(closing(seen.clone()));
    let inside = async {
        match ops {
            Some(listener) => {
                let router = leaving(web::build_ops_router(house.app.clone()), &seen);
                axum::serve(listener, router).with_graceful_shutdown(closing(seen.clone())).await
            }
            None => Ok(()),
        }
    };
    let served = async {
        let (public, inside) = tokio::join!(public.into_future(), inside);
        public.and(inside)
    };
    let told = async {
        notify::ready().await;
        tokio::select! {
            () = stop => {}
            () = store.stopped() => {}
            () = notify::watchdog(&store) => {}
        }
        notify::stopping().await;
        phase.send_replace(Phase::Leaving);
        tokio::time::sleep(LEAVING).await;
        phase.send_replace(Phase::Closing);
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = served => served.map_err(|error| Fault::caused("serving", error)),
        () = told => {
            tracing::warn!("requests that were still being sent were given up");
            Ok(())
        }
    };
    jobs.stop().await;
    drop(house);
    let stopped = store.is_stopped();
    // Closing waits for the writer's thread.
    let closed = tokio::task::spawn_blocking(move || store.close()).await;
    served?;
    closed.map_err(|error| Fault::caused("closing the store", error))?;
    if stopped {
        let doing = "writing had stopped: what the failed commit left is found at the next start";
        return Err(Fault::new(doing));
    }
    Ok(())
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

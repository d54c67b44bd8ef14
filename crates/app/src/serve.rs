//! Listening, and stopping without a failed request.

use std::future::{Future, IntoFuture as _};

use store::Fault;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::house::House;
use crate::jobs::Jobs;

/// Serves until `stop` is done; then lets running requests finish, ends the jobs, and closes the
/// store. What was acknowledged is durable long before. `ops` is for the operator's machines alone.
pub async fn serve(
    house: House,
    listener: TcpListener,
    ops: Option<TcpListener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Fault> {
    let jobs = Jobs::start(&house);
    let (stopping, stopped) = watch::channel(false);
    let told = |mut stopped: watch::Receiver<bool>| async move {
        // An end of the channel is an end too.
        let _ = stopped.wait_for(|it| *it).await;
    };
    let service = house.router().into_make_service_with_connect_info::<std::net::SocketAddr>();
    let public = axum::serve(listener, service).with_graceful_shutdown(told(stopped.clone()));
    let inside = async {
        match ops {
            Some(listener) => {
                let router = web::build_ops_router(house.app.clone());
                axum::serve(listener, router).with_graceful_shutdown(told(stopped)).await
            }
            None => Ok(()),
        }
    };
    let stopping = async {
        stop.await;
        // Without listeners there is nobody left to tell.
        let _ = stopping.send(true);
    };
    let (public, inside, ()) = tokio::join!(public.into_future(), inside, stopping);
    jobs.stop().await;
    let store = house.app.store.clone();
    drop(house);
    // Closing waits for the writer's thread.
    let closed = tokio::task::spawn_blocking(move || store.close()).await;
    public.and(inside).map_err(|error| Fault::caused("serving", error))?;
    closed.map_err(|error| Fault::caused("closing the store", error))
}

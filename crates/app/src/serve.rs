//! Listening, and stopping without a failed request.

use std::future::Future;

use store::Fault;
use tokio::net::TcpListener;

use crate::house::House;
use crate::jobs::Jobs;

/// Serves until `stop` is done; then lets running requests finish, ends the jobs, and closes the
/// store. What was acknowledged is durable long before.
pub async fn serve(
    house: House,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Fault> {
    let jobs = Jobs::start(&house);
    let service = house.router().into_make_service_with_connect_info::<std::net::SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(stop).await;
    jobs.stop().await;
    let store = house.app.store.clone();
    drop(house);
    // Closing waits for the writer's thread.
    let closed = tokio::task::spawn_blocking(move || store.close()).await;
    served.map_err(|error| Fault::caused("serving", error))?;
    closed.map_err(|error| Fault::caused("closing the store", error))
}

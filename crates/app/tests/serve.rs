//! The service on real sockets: what each of its two listeners answers, and stopping.

use app::serve::Listeners;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::city::City;

/// Status and body of a GET.
async fn get(address: &str, path: &str) -> (u16, String) {
    let url = format!("http://{address}{path}");
    let asked = tokio::task::spawn_blocking(move || {
        let request = ureq::get(&url).config().http_status_as_error(false).build();
        let mut answer = request.call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_reasons_are_on_the_operator_s_listener_alone_and_both_stop() {
    let city = City::new();
    let [public, ops] = [
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    ];
    let [outside, inside] = [&public, &ops].map(|it| it.local_addr().unwrap().to_string());
    let listeners = Listeners { public, ops: Some(ops), members: None };
    let (stop, stopped) = oneshot::channel::<()>();
    let looked = async {
        assert_eq!(get(&outside, "/ready").await, (200, "ready\n".to_owned()));
        assert_eq!(get(&outside, "/live").await.0, 200);
        assert_eq!(get(&outside, "/metrics").await.0, 404);
        let (status, ready) = get(&inside, "/ready").await;
        assert!(status == 200 && ready.contains("\"reasons\":[]"), "{ready}");
        let (status, metrics) = get(&inside, "/metrics").await;
        assert!(status == 200 && metrics.contains("haetae_disk_free_bytes"), "{metrics}");
        for path in ["/", "/sign-in", "/desk", "/api/openapi.json"] {
            assert_eq!(get(&inside, path).await.0, 404, "{path}");
        }
        stop.send(()).unwrap();
    };
    let until = async {
        let _ = stopped.await;
    };
    let (served, ()) = tokio::join!(app::serve::serve(city.house, listeners, until), looked);
    served.unwrap();
    for address in [outside, inside] {
        assert!(tokio::net::TcpStream::connect(&address).await.is_err(), "{address} still listens");
    }
}

//! The committed description of the JSON interface is the one that runs: a change to it shows in a
//! review. `HAETAE_BLESS=1 cargo test -p app openapi` writes the file anew.

use crate::city::City;

#[tokio::test]
async fn the_committed_openapi_description_is_the_one_that_is_served() {
    let city = City::new();
    let served = city.anonymous().await.get_json("/api/openapi.json").await.json();
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"), "{}", served["openapi"]);
    let text = serde_json::to_string_pretty(&served).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    if std::env::var_os("HAETAE_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == text, "docs/openapi.json is another: run with HAETAE_BLESS=1 and look");
}

//! The routes, asked as browsers and programs ask them.

use ledger::{Hash, ProofFile, VerifierKey, verify_consistency, verify_inclusion};

use super::lab::Lab;
use crate::outsider::{FetchError, Outsider};

fn hashes(value: &serde_json::Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().parse().unwrap()).collect()
}

fn hash(value: &serde_json::Value) -> Hash {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn the_log_is_audited_over_its_own_routes() {
    let lab = Lab::new();
    lab.entries(600);
    lab.note(7, "a line");
    lab.policy("a policy");
    let city = lab.city();
    let key = city.get("/log/key");
    let mut files = std::collections::BTreeMap::new();
    let mut wanted = vec!["checkpoint".to_owned()];
    // The auditor is not async: what it asks for is fetched and the audit begun again.
    let report = loop {
        for path in wanted.drain(..) {
            let answer = city.get(&format!("/log/{path}"));
            let kind = answer.header("content-type").to_owned();
            let expected =
                if path == "checkpoint" { "text/plain" } else { "application/octet-stream" };
            assert!(kind.starts_with(expected), "{path}: {kind}");
            assert_eq!(answer.status, 200, "{path}");
            files.insert(path, answer.body);
        }
        let missing = std::cell::RefCell::new(None);
        let fetch = |path: &str| {
            files.get(path).cloned().ok_or_else(|| {
                *missing.borrow_mut() = Some(path.to_owned());
                FetchError::Failed("later".to_owned())
            })
        };
        match Outsider::try_new(key.text()).unwrap().audit(fetch, |_, _| {}) {
            Ok(report) => break report,
            Err(_) => wanted.extend(missing.take()),
        }
    };
    assert_eq!((report.wrong, report.entries), (vec![], 602));
}

#[test]
fn files_are_cached_as_they_may_be() {
    let lab = Lab::new();
    lab.entries(300);
    let city = lab.city();
    assert_eq!(city.get("/log/checkpoint").header("cache-control"), "no-cache");
    let full = city.get("/log/tile/entries/000");
    assert_eq!(full.header("cache-control"), "public, max-age=31536000, immutable");
    let partial = city.get("/log/tile/0/001.p/44");
    assert!(partial.header("cache-control").contains("max-age=3600"));
    assert_eq!(partial.body.len(), 44 * 32);
    let older = city.get("/log/tile/0/001.p/3");
    assert_eq!(older.body, partial.body[..96], "an older, narrower one is still served");
    for unknown in ["/log/tile/0/001.p/45", "/log/tile/0/001", "/log/tile/0/1", "/log/tile/9/000"] {
        let answer = city.get(unknown);
        assert_eq!(answer.status, 404, "{unknown}");
        assert_eq!(answer.header("cache-control"), "no-store", "it may exist tomorrow");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["code"], "logbook-tile-unknown");
    }
}

#[test]
fn the_json_routes_give_proofs_that_verify() {
    let lab = Lab::new();
    lab.entries(300);
    let city = lab.city();
    let head = city.get("/api/v1/log/head").json();
    assert_eq!((&head["size"], &head["origin"]), (&300.into(), &"haetae.example/log".into()));
    let entry = city.get("/api/v1/log/entries/17").json();
    let leaf = ledger::leaf_hash(entry["entry"].as_str().unwrap().as_bytes());
    assert_eq!(hash(&entry["leaf_hash"]), leaf);
    for size in [18, 256, 300] {
        let path = format!("/api/v1/log/proof/inclusion?index=17&size={size}");
        let proof = city.get(&path).json();
        verify_inclusion(&leaf, 17, size, &hashes(&proof["proof"]), &hash(&proof["root"])).unwrap();
    }
    let proof = city.get("/api/v1/log/proof/consistency?old=100").json();
    let (old, new) = (hash(&proof["old_root"]), hash(&proof["new_root"]));
    verify_consistency(100, &old, 300, &new, &hashes(&proof["proof"])).unwrap();
    assert_eq!(new, hash(&head["root"]));
}

#[test]
fn what_cannot_be_answered_has_a_stable_code() {
    let lab = Lab::new();
    lab.entries(3);
    let city = lab.city();
    for (path, status, code) in [
        ("/api/v1/log/entries/3", 404, "logbook-entry-unknown"),
        ("/api/v1/log/entries/x", 404, "web-path-invalid"),
        ("/api/v1/log/entries/-1", 404, "web-path-invalid"),
        ("/api/v1/log/proof/inclusion?index=3", 404, "logbook-entry-unknown"),
        ("/api/v1/log/proof/inclusion?index=0&size=4", 404, "logbook-entry-unknown"),
        ("/api/v1/log/proof/inclusion", 400, "web-form-invalid"),
        ("/api/v1/log/proof/consistency?old=0", 422, "logbook-sizes-out-of-order"),
        ("/api/v1/log/proof/consistency?old=3&new=2", 422, "logbook-sizes-out-of-order"),
        ("/api/v1/log/proof/consistency?old=1&new=4", 422, "logbook-sizes-out-of-order"),
        ("/log/receipt/3", 404, "logbook-entry-unknown"),
        ("/log/entry/18446744073709551615", 404, "logbook-entry-unknown"),
    ] {
        let answer = city.get(path);
        assert_eq!((answer.status, &answer.json()["code"]), (status, &code.into()), "{path}");
    }
}

#[test]
fn every_public_page_opens_on_an_empty_and_on_a_full_log() {
    let lab = Lab::new();
    let city = lab.city();
    for path in ["/log", "/log/check", "/log/consistency", "/log/search"] {
        assert_eq!(city.look(path).status, 200, "{path} on an empty log");
    }
    lab.policy("<b>rules</b>");
    lab.entries(50);
    for path in [
        "/log",
        "/log?before=10",
        "/log?before=0",
        "/log?before=99999",
        "/log/entry/0",
        "/log/entry/50",
        "/log/search?q=",
        "/log/check?entry=7",
        "/log/check?entry=",
        "/log/consistency?old=3",
    ] {
        let answer = city.look(path);
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
        assert!(!text.contains("logbook-"), "a text is missing on {path}");
        assert!(!text.contains("<b>rules"), "{path} shows data as markup");
        assert!(!text.contains(" style="), "{path} breaks the CSP");
    }
    let entry = city.look("/log/entry/0");
    assert!(entry.text().contains("A health declaration was made"));
    assert!(entry.text().contains("&#60;b&#62;rules"), "a public record is shown in full");
}

#[test]
fn a_search_leads_to_the_entry_or_says_why_not() {
    let lab = Lab::new();
    lab.entries(5);
    let city = lab.city();
    let entry = city.get("/api/v1/log/entries/3").json();
    let leaf: Hash = hash(&entry["leaf_hash"]);
    for q in ["3".to_owned(), leaf.to_hex()] {
        let answer = city.look(&format!("/log/search?q={q}"));
        assert_eq!((answer.status, answer.header("location")), (303, "/log/entry/3"));
    }
    assert_eq!(city.look("/log/search?q=5").status, 200);
    let nonsense = city.look("/log/search?q=%3Cscript%3E");
    assert_eq!(nonsense.status, 422);
    assert!(!nonsense.text().contains("<script>"));
    assert_eq!(city.look("/log/check?entry=5").status, 422);
    assert_eq!(city.look("/log/check?entry=x").status, 422);
    assert_eq!(city.look("/log/consistency?old=6").status, 422);
}

#[test]
fn the_receipt_for_anybody_is_one_file_that_verifies_and_holds_nothing_personal() {
    let lab = Lab::new();
    let index = lab.note(7, "canary of a person");
    let city = lab.city();
    let answer = city.look(&format!("/log/receipt/{index}"));
    assert!(answer.header("content-disposition").contains("haetae-0.tlog-proof"));
    let file: ProofFile = answer.text().parse().unwrap();
    let key: VerifierKey = city.get("/log/key").text().trim().parse().unwrap();
    file.verify(&file.extra, &key, &[]).unwrap();
    let entry = String::from_utf8(file.extra.clone()).unwrap();
    assert!(!entry.contains("canary"), "{entry}");
    assert!(!city.look(&format!("/log/entry/{index}")).text().contains("canary"));
}

#[test]
fn a_comparison_with_a_kept_root_tells_a_changed_past() {
    let lab = Lab::new();
    lab.entries(10);
    let city = lab.city();
    let kept = city.get("/api/v1/log/head").json()["root"].as_str().unwrap().to_owned();
    lab.entries(10);
    let kept = kept.parse::<Hash>().unwrap().to_hex();
    let good = city.look(&format!("/log/consistency?old=10&root={kept}&new="));
    assert!(good.text().contains("Nothing was changed"), "{}", good.text());
    let other = Hash::from([1; 32]).to_hex();
    let bad = city.look(&format!("/log/consistency?old=10&root={other}"));
    assert!(bad.text().contains("was changed: keep your checkpoint"));
}

#[test]
fn own_records_open_for_their_person_alone() {
    let lab = Lab::new();
    let mine = lab.note(7, "my canary");
    let theirs = lab.note(8, "their canary");
    let public = lab.policy("public");
    let city = lab.city();
    let cookie = city.sign_in(7);
    let headers = [("accept", "text/html"), ("accept-language", "en"), ("cookie", cookie.as_str())];
    let list = city.ask("/account/receipts", &headers);
    assert_eq!(list.status, 200);
    assert!(list.text().contains(&format!("/account/receipts/{mine}\"")));
    assert!(!list.text().contains(&format!("/account/receipts/{theirs}\"")));
    let shown = city.ask(&format!("/account/receipts/{mine}"), &headers);
    assert!(shown.text().contains("my canary"));
    let file = city.ask(&format!("/account/receipts/{mine}/file"), &headers);
    assert_eq!(file.header("cache-control"), "no-store");
    assert!(file.json()["payload"].as_str().unwrap().contains("my canary"));
    for index in [theirs, public, 99] {
        for path in
            [format!("/account/receipts/{index}"), format!("/account/receipts/{index}/file")]
        {
            let answer = city.ask(&path, &headers);
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.text().contains("their canary"));
        }
        let anonymous = city.get(&format!("/account/receipts/{index}/file"));
        assert_eq!(anonymous.status, 401);
    }
    assert_eq!(city.get("/account/receipts").status, 401);
}

#[test]
fn every_sample_renders_in_three_languages() {
    web::sample::use_slices(&[web::slice(), crate::slice()]).unwrap();
    for sample in (crate::slice().samples)() {
        for locale in kernel::Locale::ALL {
            let html = (sample.render)(locale).unwrap();
            let name = sample.name;
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert!(!html.contains("logbook-") || only_assets(&html), "{name} {locale:?}");
            assert!(!html.contains(" style="), "{name}");
        }
    }
}

/// Whether every `logbook` in a page is part of an address.
fn only_assets(html: &str) -> bool {
    html.match_indices("logbook-").all(|(at, _)| html[..at].ends_with('/'))
}

#[test]
fn texts_have_the_same_keys_in_three_languages() {
    let keys = |source: &str| {
        let line = |it: &str| it.split_once(" =").map(|(key, _)| key.to_owned());
        let keys = source.lines().filter(|it| it.starts_with("logbook-")).filter_map(line);
        keys.collect::<std::collections::BTreeSet<_>>()
    };
    let [korean, english, chinese] = crate::TEXTS.map(|(_, source)| keys(source));
    assert_eq!(korean, english);
    assert_eq!(korean, chinese);
}

#[test]
fn every_refusal_has_a_status_and_words() {
    use crate::refusal::{REFUSALS, Refusal};
    use kernel::Refusal as _;
    for refusal in [
        Refusal::EntryUnknown { size: 1 },
        Refusal::TileUnknown,
        Refusal::SizesOutOfOrder { size: 1 },
        Refusal::ReceiptUnknown,
    ] {
        assert!(REFUSALS.contains(&(refusal.code(), refusal.status())));
        for (_, source) in crate::TEXTS {
            assert!(source.contains(&format!("\n{} = ", refusal.code())));
            assert!(source.contains(&format!("\n{}-help = ", refusal.code())));
        }
    }
}

#[test]
fn the_description_names_every_json_route_and_its_query() {
    let api = serde_json::to_value((crate::slice().api)()).unwrap();
    for route in crate::api::routes() {
        assert!(api["paths"].get(route.path).is_some(), "{} is not described", route.path);
    }
    let query = &api["paths"]["/api/v1/log/proof/consistency"]["get"]["parameters"];
    let query: Vec<_> = query
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["name"], &it["in"], &it["required"]))
        .collect();
    let (old, new, inside) = ("old".into(), "new".into(), "query".into());
    assert_eq!(query, [(&old, &inside, &true.into()), (&new, &inside, &false.into())]);
}

//! The laws of the house, each walked once over the list of slices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use app::slices::{registry, slices};
use http::StatusCode;
use kernel::Locale;
use store::{Row, Side};
use web::{Access, Slice};

use crate::city::City;
use crate::{hostile, html, texts};

fn each(check: impl Fn(&Slice)) {
    for slice in &slices() {
        check(slice);
    }
}

/// Whether `name` belongs to `slice`, parted by `by`.
fn belongs(name: &str, slice: &str, by: char) -> bool {
    name.strip_prefix(slice).is_some_and(|rest| rest.starts_with(by))
}

#[test]
fn law_1_names_and_prefixes_agree_and_are_unique() {
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = slices().iter().map(|it| it.name).collect();
    assert!(names.is_sorted(), "the list is alphabetical: {names:?}");
    for slice in slices() {
        let name = slice.name;
        for view in slice.views {
            assert!(belongs(view.table, name, '_'), "{name}: table {}", view.table);
            assert!(seen.insert(format!("table {}", view.table)));
        }
        for stream in slice.streams {
            assert!(belongs(stream.name, name, '.'), "{name}: stream {}", stream.name);
            assert!(seen.insert(format!("stream {}", stream.name)));
        }
        for kind in slice.observations {
            assert!(belongs(kind.kind, name, '.'), "{name}: observation {}", kind.kind);
        }
        for (code, _) in slice.refusals {
            assert!(belongs(code, name, '-'), "{name}: refusal {code}");
        }
        for asset in slice.assets {
            let own = name == "web" || belongs(asset.name, name, '/');
            assert!(own, "{name}: asset {}", asset.name);
            assert!(seen.insert(format!("asset {}", asset.name)), "{}", asset.name);
        }
        for route in (slice.routes)() {
            let key = format!("{} {}", route.method, route.path);
            assert!(seen.insert(key.clone()), "{key} is routed twice");
        }
        for migration in slice.migrations {
            for line in migration.sql.lines().filter(|it| it.starts_with("CREATE TABLE")) {
                let table =
                    line.trim_start_matches("CREATE TABLE ").trim_start_matches("IF NOT EXISTS ");
                assert!(belongs(table, name, '_'), "{name}: {line}");
            }
        }
    }
}

#[test]
fn law_2_texts_have_the_same_keys_and_variables_and_all_are_used() {
    let sources = sources();
    let prefixes = dynamic_prefixes(&sources);
    let suffixes = dynamic_suffixes(&sources);
    let literal = |key: &str| sources.iter().any(|it| it.contains(&format!("\"{key}\"")));
    let mut unused = Vec::new();
    for slice in slices() {
        let [korean, english, chinese] = slice.texts.map(|(tag, text)| {
            assert!(Locale::from_tag(tag).is_some(), "{tag}");
            texts::keys(text)
        });
        for other in [&english, &chinese] {
            let differing: Vec<_> =
                korean.iter().filter(|it| other.get_key_value(it.0) != Some(*it)).collect();
            assert!(
                differing.is_empty() && korean.len() == other.len(),
                "{}: {differing:?}",
                slice.name
            );
        }
        for key in korean.keys() {
            assert!(belongs(key, slice.name, '-'), "{}: text {key}", slice.name);
            let used = literal(key)
                || suffixes.iter().any(|it| key.strip_suffix(it.as_str()).is_some_and(literal))
                || prefixes
                    .iter()
                    .any(|it| key.starts_with(it.as_str()) || it.strip_suffix('-') == Some(key))
                || slices()
                    .iter()
                    .flat_map(|it| it.refusals)
                    .any(|(code, _)| key == code || key.strip_prefix(code) == Some("-help"));
            if !used {
                unused.push(key.clone());
            }
        }
    }
    assert!(unused.is_empty(), "texts that nothing uses: {unused:#?}");
}

/// All Rust and HTML sources of the workspace.
fn sources() -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            let ours = entry
                .extension()
                .is_some_and(|it| it == "rs" || it == "html" || it == "js" || it == "json");
            if entry.is_dir() {
                folders.push(entry);
            } else if ours {
                found.push(std::fs::read_to_string(entry).unwrap());
            }
        }
    }
    found
}

/// The beginnings of keys that are put together at run time: `"code-reason-{…}"`.
fn dynamic_prefixes(sources: &[String]) -> BTreeSet<String> {
    let names: Vec<&str> = slices().iter().map(|it| it.name).collect();
    let mut prefixes = BTreeSet::new();
    for source in sources {
        for literal in source.split('"').skip(1) {
            // A beginning handed on as it is: `choice("code-finding-", …)`.
            let handed_on =
                literal.strip_suffix('-').filter(|it| !it.contains(char::is_whitespace));
            if let Some(stem) = handed_on
                && names.iter().any(|name| belongs(stem, name, '-'))
            {
                prefixes.insert(literal.to_owned());
            }
            let Some((before, _)) = literal.split_once('{') else { continue };
            let own = names
                .iter()
                .any(|name| belongs(before, name, '-') && before.len() > name.len() + 2);
            if own && before.ends_with('-') {
                prefixes.insert(before.to_owned());
            }
        }
    }
    prefixes
}

/// The ends of keys that are put together at run time: `"{…}-help"`.
fn dynamic_suffixes(sources: &[String]) -> BTreeSet<String> {
    let ends = sources.iter().flat_map(|it| it.split('}').skip(1));
    let ends = ends.filter_map(|it| it.split_once('"').map(|(end, _)| end));
    let plain = |it: &&str| {
        it.starts_with('-') && it[1..].bytes().all(|it| it.is_ascii_lowercase()) && it.len() > 2
    };
    ends.filter(plain).map(str::to_owned).collect()
}

#[test]
fn law_3_every_page_sample_renders_well_formed_in_three_languages() {
    web::sample::use_slices(&slices()).unwrap();
    let all: Vec<Slice> = slices();
    let mut keys: BTreeSet<String> =
        all.iter().flat_map(|it| texts::keys(it.texts[0].1).into_keys()).collect();
    // A refusal's code is shown as it is: people quote it when they ask for help.
    for (code, _) in all.iter().flat_map(|it| it.refusals) {
        keys.remove(*code);
    }
    let mut wrong = Vec::new();
    for slice in &all {
        let samples = (slice.samples)();
        let pages = (slice.routes)().iter().any(|it| !it.path.starts_with("/api"));
        assert!(!samples.is_empty() || !pages, "{} has pages and no samples", slice.name);
        for sample in samples {
            for locale in Locale::ALL {
                let page = html::read(&(sample.render)(locale).unwrap());
                let raw: Vec<&str> = page
                    .text
                    .split(|it: char| !it.is_ascii_alphanumeric() && it != '-')
                    .filter(|it| keys.contains(*it) && it.matches('-').count() > 1)
                    .collect();
                for it in page.wrong.iter().map(String::as_str).chain(raw) {
                    wrong.push(format!("{} in {}: {it}", sample.name, locale.tag()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn law_4_every_recorded_event_example_still_folds_and_serialises_to_its_own_bytes() {
    each(|slice| {
        let examples = slice.examples.len();
        assert!(slice.streams.is_empty() || examples > 0, "{}: no examples", slice.name);
        for (stream, json) in slice.examples {
            let kind = slice.streams.iter().find(|it| it.name == *stream);
            let kind = kind.unwrap_or_else(|| panic!("{}: no stream {stream}", slice.name));
            let again = (kind.refold)(json.trim().as_bytes()).unwrap();
            assert_eq!(String::from_utf8(again).unwrap(), json.trim(), "{stream}");
        }
    });
}

#[tokio::test]
async fn law_5_every_route_refuses_everyone_who_is_not_on_its_access_row() {
    let city = City::new();
    let mut clients =
        [city.anonymous().await, city.citizen().await, city.staff_without_role().await];
    let mut wrong = Vec::new();
    for slice in &city.house.slices {
        for route in (slice.routes)() {
            let path = filled(route.path);
            let refused: &[usize] = match route.access {
                Access::Anyone | Access::Demo | Access::DeviceSigned => &[],
                Access::Citizen => &[0, 2],
                Access::Staff([]) => &[0, 1],
                Access::Staff(_) => &[0, 1, 2],
                Access::SignedIn => &[0],
            };
            for who in refused {
                let method = route.method.as_str();
                let accept = [("accept", "text/html")];
                let answer = clients[*who].raw(method, &path, &accept, Vec::new()).await;
                let to_sign_in = answer.status == StatusCode::SEE_OTHER
                    && answer.header("location").starts_with("/sign-in");
                let refused =
                    matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                if !refused && !to_sign_in {
                    let (who, status) =
                        (["anonymous", "a citizen", "staff without a role"][*who], answer.status);
                    wrong.push(format!("{method} {} let {who} in: {status}", route.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A path with something in each of its gaps.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn law_6_every_refusal_has_a_unique_code_a_text_in_three_languages_and_a_page() {
    let city = City::new();
    let mut anonymous = city.anonymous().await;
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for slice in &city.house.slices {
        for (code, status) in slice.refusals {
            assert!(seen.insert(code, slice.name).is_none(), "{code} stands twice");
            assert!((400..600).contains(status), "{code}: {status}");
            for (tag, text) in slice.texts {
                assert!(texts::keys(text).contains_key(*code), "{code} has no text in {tag}");
            }
            anonymous.page(&format!("/problems/{code}")).await;
        }
    }
}

#[test]
fn law_7_every_sql_text_prepares_on_freshly_migrated_tables() {
    let registry = registry(&slices());
    let texts: Vec<(Side, &str)> = slices().iter().flat_map(|it| it.queries).copied().collect();
    assert!(texts.len() > 20, "slices list their texts");
    store::audit::check_queries(&registry, &texts).unwrap();
    if let Some(url) = testdb::databases() {
        let backend = store::Backend::postgres(&url, None, None).unwrap();
        store::audit::check_queries_at(&backend, &registry, &texts).unwrap();
    }
    for (_, sql) in texts {
        assert!(sql.contains("$1"), "every text says the region: {sql}");
    }
    let wrong: Vec<String> = registry
        .migrations
        .iter()
        .flat_map(|(_, it)| store::plan::wrong_in_schema(it.sql))
        .chain(
            slices()
                .iter()
                .flat_map(|it| it.queries)
                .flat_map(|it| store::plan::wrong_in_text(it.1)),
        )
        .collect();
    assert!(wrong.is_empty(), "tables and texts are spread by region: {wrong:#?}");
}

/// Every row of every view, as the database gives it, by table.
async fn tables(city: &City) -> BTreeMap<&'static str, Vec<Row>> {
    let read = city.house.app.read(|reader| {
        let mut tables = BTreeMap::new();
        for view in registry(&slices()).views {
            let sql = format!("SELECT * FROM {} WHERE region = $1", view.table);
            let mut rows = match view.side {
                Side::Visits => reader.query_visits(&sql, &[])?,
                Side::Identity => reader.query(&sql, &[])?,
            };
            rows.sort_unstable();
            tables.insert(view.table, rows);
        }
        Ok(tables)
    });
    read.await.unwrap()
}

#[test]
fn law_8_rebuilding_all_views_gives_the_tables_that_living_gave() {
    hostile::run(async |town| {
        town.live().await;
        let house = &town.city.house;
        let sql = "SELECT DISTINCT stream FROM event WHERE region = $1";
        let streams = house.app.read(|reader| reader.query(sql, &[])).await.unwrap();
        for stream in registry(&slices()).streams {
            let lived = streams.iter().any(|it| it.text(0).unwrap() == stream.name);
            assert!(lived, "nothing happened on {}: add it to `Town::live`", stream.name);
        }
        let before = tables(&town.city).await;
        for (table, rows) in &before {
            assert!(!rows.is_empty(), "nothing was lived that {table} shows");
        }
        house.app.store.write(|tx| tx.rebuild()).await.unwrap();
        for (table, rows) in tables(&town.city).await {
            assert!(before[table] == rows, "{table}: {:#?}\nwas {:#?}", rows, before[table]);
        }
        // Rows of visits are written once and not rebuilt in place: the audit folds them anew.
        let audit = app::house::audit(&house.config, |_, _| {}).unwrap();
        assert_eq!(audit.wrong, []);
    });
}

#[test]
fn law_9_floors_and_file_names_are_those_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert_eq!(xtask::tidy::check(&root).unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_service_answers_while_it_is_empty() {
    let city = City::new();
    let mut anonymous = city.anonymous().await;
    for path in ["/", "/log", "/live", "/ready", "/api", "/sign-in", "/problems", "/help"] {
        anonymous.page(path).await;
    }
    assert_eq!(anonymous.get("/nowhere").await.status, 404);
}

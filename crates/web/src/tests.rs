//! The whole service over a real store: what browsers and programs see.

mod answers;
mod passkey;
mod sign_in;
mod texts;

use contracts::person::{Grant, Person, Role, Scope, Staff};
use kernel::{Id, Instant};

use crate::testing::House;
use crate::{Access, Questions, Route, Slice};

/// The one number that somebody holds.
const KNOWN: &str = "+821012345678";
const PERSON: Id<Person> = Id::from_u128(7);
const HELPED: Id<Person> = Id::from_u128(8);
const OFFICER: Id<Staff> = Id::from_u128(9);

fn questions() -> Questions {
    Questions {
        person_by_phone: |_, phone| Ok((phone == KNOWN).then_some(PERSON)),
        person_label: |_, id| Ok((id == PERSON).then(|| "홍길동".to_owned())),
        staff_label: |_, id| Ok((id == OFFICER).then(|| "김보건".to_owned())),
        grants_of: |_, id, _| {
            let until = Instant::from_seconds(4_000_000_000);
            let grant = |role| Grant { role, scope: Scope::Region, until };
            Ok(if id == OFFICER { vec![grant(Role::HealthOfficer)] } else { Vec::new() })
        },
        may_help: |_, helper, helped, _| Ok(helper == PERSON && helped == HELPED),
        ..Questions::default()
    }
}

/// Routes of every access, so that each can be tried.
fn tried() -> Slice {
    async fn done() -> &'static str {
        "done"
    }
    async fn panics() -> &'static str {
        panic!("as the test wishes")
    }
    async fn read(crate::Form(fields): crate::Form<Vec<(String, String)>>) -> String {
        format!("{fields:?}")
    }
    async fn json(crate::Json(body): crate::Json<serde_json::Value>) -> String {
        body.to_string()
    }
    async fn command(actor: crate::Actor, _: crate::Form<crate::form::Empty>) -> String {
        format!("{:?}", actor.context().command)
    }
    async fn path(crate::Path(id): crate::Path<Id<Person>>) -> String {
        id.to_string()
    }
    Slice {
        routes: || {
            vec![
                Route::get("/tried/citizen", done, Access::Citizen),
                Route::get("/tried/signed-in", done, Access::SignedIn),
                Route::get("/tried/staff", done, Access::Staff(&[])),
                Route::get("/tried/officer", done, Access::Staff(&[Role::HealthOfficer])),
                Route::get("/tried/auditor", done, Access::Staff(&[Role::Auditor])),
                Route::get("/tried/demo", done, Access::Demo),
                Route::get("/tried/panics", panics, Access::Anyone),
                Route::get("/tried/path/{id}", path, Access::Anyone),
                Route::post("/tried/form", read, Access::Anyone),
                Route::post("/tried/json", json, Access::Anyone),
                Route::post("/tried/command", command, Access::Anyone),
                Route::post("/tried/strict", done, Access::Anyone).strict(),
            ]
        },
        ..Slice::new("tried")
    }
}

fn house(dir: &tempfile::TempDir) -> House {
    House::open(dir.path(), vec![tried()], questions())
}

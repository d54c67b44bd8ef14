//! Passes of an invented issuer in the wallet of a citizen, so that a demo has some to show: a good
//! one, one that ends soon, one of a child, and one whose issuer nobody here believes.

use anyhow::anyhow;
use app::House;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::person::{Role, Scope, Staff};
use kernel::{Id, Instant};
use pass::command::SourceCommand;
use pass::door::{self, Import, Offer};
use pass::{example, judge, trust};
use store::{By, Context};
use web::App;

use crate::story::{Told, accepted, appoint, write};

/// Lets the invented issuer count, by two administrators, and gives the first citizen passes. The
/// second administrator.
pub fn give_passes(house: &House, told: &Told) -> anyhow::Result<Id<Staff>> {
    let app = &house.app;
    let second = believe(app, told.administrator)?;
    let citizen = *told.citizens.first().ok_or_else(|| anyhow!("a city has a citizen"))?;
    let (now, zone) = (app.now(), &app.config.zone);
    let day = |ago: i64| zone.date(now.plus_days(-ago)).to_string();
    let mother = |dose, ago| {
        example::of(["SIMIN", "HAETAE"], ["시민", "해태"], "1984-03-02", dose, &day(ago))
    };
    let child = example::of(["SIMIN", "ADEUL"], ["시민", "아들"], "2012-07-11", 2, &day(40));
    let signed =
        |content, ago: i64| example::pass(&content, now.plus_days(-ago), now.plus_days(365 - ago));
    let unknown = example::stranger(&mother(2, 300), now.plus_days(-299), now.plus_days(66));
    let texts =
        [signed(child, 39), signed(mother(2, 170), 169), signed(mother(3, 20), 19), unknown];
    for text in texts {
        put(app, citizen, text, now)?;
    }
    Ok(second)
}

fn believe(app: &App, first: Id<Staff>) -> anyhow::Result<Id<Staff>> {
    let second: Id<Staff> = app.new_id();
    let file = example::jwks();
    let found = trust::recognise(&file).map_err(|it| anyhow!("{it:?}"))?;
    let offer = Offer {
        source: app.random_id(),
        name: "예시 발급 기관의 열쇠 (시연용)".to_owned(),
        kind: found.kind,
        sha256: found.sha256,
        items: found.items,
        data: STANDARD.encode(&file),
        by: first,
    };
    write(app, move |tx| {
        let (name, phone) = ("관리자 2", "+821000009007");
        appoint(tx, second, name, phone, Role::Administrator, Scope::Region, first)?;
        accepted(door::offer(tx, &Context::by(By::Staff(first)), &offer)?)?;
        let agree = SourceCommand::Confirm { by: second };
        accepted(door::decide_source(tx, &Context::by(By::Staff(second)), offer.source, agree)?)
    })?;
    Ok(second)
}

fn put(
    app: &App,
    citizen: Id<contracts::person::Person>,
    text: String,
    now: Instant,
) -> anyhow::Result<()> {
    let texts = vec![text];
    let believed = app.store.read_blocking(trust::foreign)?;
    let basis = pass::decide::BASIS;
    let ends_at = judge::judge(&texts, &believed, now).ending(basis).at();
    let it = Import { card: app.random_id(), texts, by_helper: false, basis, ends_at };
    let context = Context::by(By::Citizen(citizen));
    write(app, move |tx| accepted(door::import(tx, &context, citizen, &it)?).map(|_| ()))
}

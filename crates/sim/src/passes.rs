//! Passes of an invented issuer in the wallet of a citizen, so that a demo has some to show: a good
//! one, one that ends soon, one of a child, and one whose issuer nobody here believes. Beside them a
//! clinic of the city with two who issue there, and a pass that it issued.

use anyhow::anyhow;
use app::House;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::person::{Organisation, Person, Role, Scope, Staff};
use kernel::{Date, Id, Instant};
use pass::command::SourceCommand;
use pass::door::{self, Attest, Import, Offer};
use pass::model::Card;
use pass::statement::{Named, Statement};
use pass::{example, judge, rulebook, trust};
use person::event::OrganisationKind;
use store::{By, Context};
use web::App;

use crate::story::{Told, accepted, appoint, write};

/// Who came to the city with the passes.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// The second administrator.
    pub administrator: Id<Staff>,
    /// Two who issue in the clinic's name.
    pub issuers: [Id<Staff>; 2],
}

/// Lets the invented issuer count, by two administrators, opens a clinic that issues, and gives the
/// first citizen passes.
pub fn give_passes(house: &House, told: &Told) -> anyhow::Result<Given> {
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
    let clinic = open_clinic(app, told.administrator, citizen)?;
    Ok(Given { administrator: second, issuers: clinic.issuers })
}

/// A clinic that issues.
#[derive(Debug, Clone, Copy)]
pub struct Clinic {
    /// Which.
    pub organisation: Id<Organisation>,
    /// Two who issue there.
    pub issuers: [Id<Staff>; 2],
    /// The pass that the first of them issued.
    pub card: Id<Card>,
}

/// Opens a clinic with two who issue there; the first attests to the citizen a dose of yesterday.
pub fn open_clinic(app: &App, by: Id<Staff>, citizen: Id<Person>) -> anyhow::Result<Clinic> {
    let organisation: Id<Organisation> = app.new_id();
    let issuers: [Id<Staff>; 2] = [app.new_id(), app.new_id()];
    let (name, now, zone) = ("해태 의원", app.now(), app.config.zone.clone());
    let number = 91_000_000 + app.seed().below(8_000_000);
    let phones = [0, 1].map(|more| format!("+8210{}", number + more));
    let statement = Statement::Vaccination {
        vaccine: "EU/1/20/1528".to_owned(),
        dose: 4,
        of_doses: 2,
        day: zone.date(now.plus_days(-1)),
    };
    let day = Date::from_calendar(1984, 3, 2).ok_or_else(|| anyhow!("a day"))?;
    let card = app.random_id();
    let attest = Attest {
        person: citizen,
        card,
        organisation,
        issuer: name.to_owned(),
        by: issuers[0],
        named: Named {
            surname: "해태".to_owned(),
            given: "시민".to_owned(),
            surname_latin: "Haetae".to_owned(),
            given_latin: "Simin".to_owned(),
            birth: day,
        },
        expires_at: statement.ends_at(&zone, now),
        statement,
        origin: app.config.origin_text(),
        signing_key: app.questions.signing_key,
        message: None,
    };
    write(app, move |tx| {
        let (context, kind) = (Context::by(By::Staff(by)), OrganisationKind::Clinic);
        let opened = person::door::open_organisation(tx, &context, organisation, name, kind, by)?;
        accepted(opened)?;
        let scope = Scope::Organisation(organisation);
        let [first, second] = issuers;
        appoint(tx, first, "간호사 1", &phones[0], Role::Issuer, scope, by)?;
        appoint(tx, second, "의사 1", &phones[1], Role::Issuer, scope, by)?;
        accepted(door::issue(tx, &Context::by(By::Staff(first)), &attest)?).map(|_| ())
    })?;
    Ok(Clinic { organisation, issuers, card })
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

fn put(app: &App, citizen: Id<Person>, text: String, now: Instant) -> anyhow::Result<()> {
    let texts = vec![text];
    let (believed, sets) =
        app.store.read_blocking(|it| Ok((trust::foreign(it)?, rulebook::in_force(it)?)))?;
    let basis = pass::decide::BASIS;
    let ends_at = judge::judge(&texts, &believed, &sets, now).ending(basis).at();
    let it = Import { card: app.random_id(), texts, by_helper: false, basis, ends_at };
    let context = Context::by(By::Citizen(citizen));
    write(app, move |tx| accepted(door::import(tx, &context, citizen, &it)?).map(|_| ()))
}

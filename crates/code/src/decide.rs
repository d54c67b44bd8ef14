//! The rules. Pure: no clock, no randomness, no store; the caller brings the time, the ids and the
//! policy in force.
//!
//! Whatever adds a fact re-decides the colour in the same command, and when the colour worsens,
//! passes that promise a better one are revoked in the same command too.

use contracts::code::{Colour, Pass};
use contracts::person::Staff;
use credential::ShortCode;
use kernel::{Aggregate as _, Date, Id, Instant, clean};

use crate::command::{Ask, Command};
use crate::decision::{self, Decision};
use crate::event::Event;
use crate::issuer::KeyId;
use crate::model::{
    Appeal, Basis, Declaration, DeviceKey, HeldOrder, HeldPass, Holder, Order, OrderReason,
    Outcome, RevokedBecause, Ruling, Stage,
};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::retention::FACT_DAYS;

/// Characters of a name: the longest in machine-readable passports is 39; ours may be in any script.
pub const NAME_MAX: usize = 80;
/// Characters of a residence or a place of stay.
pub const PLACE_MAX: usize = 120;
/// Characters of an appeal or an answer.
pub const TEXT_MAX: usize = 2_000;
/// Characters of a document number.
pub const DOCUMENT: std::ops::RangeInclusive<usize> = 4..=24;
/// Characters of an order number.
pub const ORDER_NUMBER_MAX: usize = 40;
/// Places of stay in a declaration: one a day.
pub const STAYS_MAX: usize = 14;
/// The days that a declaration asks about: the longest incubation that quarantine law assumes.
pub const ASKED_DAYS: i32 = 14;
/// Body temperatures that a living person can have, in tenths of a degree Celsius.
pub const TEMPERATURE: std::ops::RangeInclusive<u16> = 340..=430;
/// A laboratory's clock may be ahead by this much, in seconds.
pub const SKEW_S: i64 = 300;
/// Passes that one person may hold at a time: two phones, a tablet, paper, and their successors.
pub const PASSES_MAX: usize = 8;

/// Decides one command.
pub fn decide(it: &Holder, command: Command, now: Instant) -> Result<Vec<Event>, Refusal> {
    let Command { ask, policy, decision, issuer } = command;
    let ruling = Rule { it, policy: &policy, decision, issuer, now };
    match ask {
        Ask::Declare { declaration, by_helper, today } => {
            let declaration = declared(declaration, today)?;
            Ok(ruling.fact(vec![Event::Declared { declaration, by_helper, at: now }]))
        }
        Ask::RecordTest { result, taken_at, source } => {
            fact_date(taken_at, now)?;
            Ok(ruling.fact(vec![Event::TestRecorded { result, taken_at, source }]))
        }
        Ask::RecordExposure { exposed_at, source } => {
            fact_date(exposed_at, now)?;
            Ok(ruling.fact(vec![Event::Exposed { exposed_at, source }]))
        }
        Ask::ProposeOrder { order, colour, until, reason, number, officer } => {
            ruling.propose_order(order, colour, until, reason, &number, officer)
        }
        Ask::ConfirmOrder { order, officer } => ruling.confirm_order(order, officer),
        Ask::RejectOrder { order, officer } => {
            held_order(it, order, Stage::Proposed)?;
            Ok(vec![Event::OrderRejected { order, rejected_by: officer }])
        }
        Ask::WithdrawOrder { order, officer } => {
            held_order(it, order, Stage::Confirmed)?;
            Ok(ruling.fact(vec![Event::OrderWithdrawn { order, withdrawn_by: officer }]))
        }
        Ask::IssuePass { pass, device_key, short } => ruling.issue_pass(pass, device_key, short),
        Ask::RevokePass { pass, why } => match it.passes.iter().find(|held| held.pass == pass) {
            Some(held) if now < held.valid_until => Ok(vec![revoked(held, why)]),
            _ => Err(Refusal::PassUnknown),
        },
        Ask::RevokePasses { why } => Ok(it
            .passes
            .iter()
            .filter(|held| now < held.valid_until)
            .map(|held| revoked(held, why))
            .collect()),
        Ask::Review => Ok(ruling.review()),
        Ask::Appeal { appeal, about, text } => ruling.appeal(appeal, about, &text),
        Ask::AnswerAppeal { appeal, outcome, text, set_aside, officer } => {
            ruling.answer_appeal(appeal, outcome, &text, set_aside, officer)
        }
    }
}

/// What every rule looks at.
struct Rule<'a> {
    it: &'a Holder,
    policy: &'a Policy,
    decision: Id<Ruling>,
    issuer: Option<KeyId>,
    now: Instant,
}

impl Rule<'_> {
    /// New facts: the colour is decided anew in the same breath.
    fn fact(&self, mut events: Vec<Event>) -> Vec<Event> {
        let mut after = self.it.clone();
        for event in &events {
            after.fold(event);
        }
        let decision = decision::decide(&after.facts, self.policy, self.now);
        let colour = decision.colour;
        events.push(self.decided(decision));
        events.extend(self.outdone(&after.passes, colour));
        events
    }

    /// Passes that still promise a better colour than this one end.
    fn outdone(&self, passes: &[HeldPass], colour: Colour) -> impl Iterator<Item = Event> {
        let live = passes.iter().filter(|pass| self.now < pass.valid_until);
        let better = live.filter(move |pass| decision::is_worse(colour, pass.colour));
        better.map(|pass| revoked(pass, RevokedBecause::ColourWorsened))
    }

    /// The rules may have changed: decided anew, if a pass promises more than they give.
    fn review(&self) -> Vec<Event> {
        let colour = decision::colour(&self.it.facts, self.policy, self.now);
        let stands = self.outdone(&self.it.passes, colour).next().is_none();
        if stands { Vec::new() } else { self.fact(Vec::new()) }
    }

    fn decided(&self, it: Decision) -> Event {
        Event::Decided {
            decision: self.decision,
            colour: it.colour,
            until: it.until,
            reasons: it.reasons,
            rules_version: it.rules_version,
            at: self.now,
        }
    }

    fn propose_order(
        &self,
        order: Id<Order>,
        colour: Colour,
        until: Instant,
        reason: OrderReason,
        number: &str,
        officer: Id<Staff>,
    ) -> Result<Vec<Event>, Refusal> {
        if !matches!(colour, Colour::Red | Colour::Yellow) {
            return Err(Refusal::OrderColour);
        }
        let days = self.policy.number("order_max_days", 14);
        if until <= self.now || self.now.plus_days(days) < until {
            return Err(Refusal::OrderUntil { days });
        }
        let order_number = order_number(number)?;
        let waits = |held: &&HeldOrder| {
            held.number == order_number
                && matches!(held.stage, Stage::Proposed | Stage::Confirmed)
                && self.now < held.until
        };
        if self.it.orders.iter().find(waits).is_some() {
            return Err(Refusal::OrderRepeated);
        }
        let proposed_by = officer;
        Ok(vec![Event::OrderProposed { order, colour, until, reason, order_number, proposed_by }])
    }

    fn confirm_order(&self, order: Id<Order>, officer: Id<Staff>) -> Result<Vec<Event>, Refusal> {
        let held = held_order(self.it, order, Stage::Proposed)?;
        if held.proposed_by == officer {
            return Err(Refusal::SameOfficer);
        }
        if held.until <= self.now {
            let days = self.policy.number("order_max_days", 14);
            return Err(Refusal::OrderUntil { days });
        }
        Ok(self.fact(vec![Event::OrderConfirmed { order, confirmed_by: officer }]))
    }

    /// Issued ahead of time: what a door needs must not depend on this server being up (Korea,
    /// 13 December 2021).
    fn issue_pass(
        &self,
        pass: Id<Pass>,
        device_key: Option<DeviceKey>,
        short: ShortCode,
    ) -> Result<Vec<Event>, Refusal> {
        let decision = decision::decide(&self.it.facts, self.policy, self.now);
        let colour = decision.colour;
        if colour == Colour::Unknown {
            return Err(Refusal::ColourUnknown);
        }
        let hours = match device_key {
            Some(_) => self.policy.number("pass_hours", 24),
            None => self.policy.number("printed_hours", 72),
        };
        let limit = self.now.plus_seconds(hours.clamp(1, 24 * 14) * 3_600);
        let valid_until = decision.until.map_or(limit, |until| until.min(limit));
        let mut events = Vec::new();
        // Time or new rules may have changed the colour: no pass without its decision on the log.
        if self.it.last_ruling().is_none_or(|last| last.colour != colour) {
            events.push(self.decided(decision));
        }
        events.extend(self.outdone(&self.it.passes, colour));
        let mut live: Vec<_> = (self.it.passes.iter())
            .filter(|held| self.now < held.valid_until)
            .filter(|held| !decision::is_worse(colour, held.colour))
            .collect();
        live.sort_by_key(|held| held.issued_at);
        let surplus = (live.len() + 1).saturating_sub(PASSES_MAX);
        let replaced = live.iter().take(surplus);
        events.extend(replaced.map(|held| revoked(held, RevokedBecause::Replaced)));
        let issued_at = self.now;
        let issuer = self.issuer;
        events.push(Event::PassIssued {
            pass,
            device_key,
            colour,
            issued_at,
            valid_until,
            short,
            issuer,
        });
        Ok(events)
    }

    fn appeal(
        &self,
        appeal: Id<Appeal>,
        about: Id<Ruling>,
        text: &str,
    ) -> Result<Vec<Event>, Refusal> {
        let ruling = self.it.rulings.iter().find(|held| held.decision == about);
        match ruling.map(|held| held.colour) {
            None => return Err(Refusal::DecisionUnknown),
            Some(Colour::Green) => return Err(Refusal::NothingToAppeal),
            Some(_) => {}
        }
        if self.it.open_appeal().is_some() {
            return Err(Refusal::AppealOpen);
        }
        let text = paragraphs(text)?;
        let hours = self.policy.number("appeal_hours", 24).clamp(1, 24 * 7);
        let due_at = self.now.plus_seconds(hours * 3_600);
        Ok(vec![Event::Appealed { appeal, decision: about, text, due_at }])
    }

    fn answer_appeal(
        &self,
        appeal: Id<Appeal>,
        outcome: Outcome,
        text: &str,
        mut set_aside: Vec<Basis>,
        officer: Id<Staff>,
    ) -> Result<Vec<Event>, Refusal> {
        let held = self.it.appeal(appeal).ok_or(Refusal::AppealUnknown)?;
        if held.answer.is_some() {
            return Err(Refusal::AppealAnswered);
        }
        let in_force =
            |order: &&HeldOrder| order.stage == Stage::Confirmed && self.now < order.until;
        let orders = self.it.orders.iter().filter(in_force);
        let own =
            |order: &HeldOrder| order.proposed_by == officer || order.confirmed_by == Some(officer);
        if orders.clone().any(own) {
            return Err(Refusal::OwnOrder);
        }
        let text = paragraphs(text)?;
        if outcome == Outcome::Dismissed {
            set_aside.clear();
        }
        set_aside.dedup();
        let withdraws = set_aside.contains(&Basis::Order);
        let mut events =
            vec![Event::AppealAnswered { appeal, outcome, text, set_aside, answered_by: officer }];
        if withdraws {
            events.extend(
                orders.map(|order| Event::OrderWithdrawn {
                    order: order.order,
                    withdrawn_by: officer,
                }),
            );
        }
        if outcome == Outcome::Upheld { Ok(self.fact(events)) } else { Ok(events) }
    }
}

fn revoked(held: &HeldPass, why: RevokedBecause) -> Event {
    Event::PassRevoked { pass: held.pass, valid_until: held.valid_until, why }
}

fn held_order(it: &Holder, order: Id<Order>, stage: Stage) -> Result<&HeldOrder, Refusal> {
    let held = it.order(order).ok_or(Refusal::OrderUnknown)?;
    if held.stage == stage { Ok(held) } else { Err(Refusal::OrderDecided) }
}

/// A test or exposure lies in the past, and not so far that it would change no colour.
fn fact_date(at: Instant, now: Instant) -> Result<(), Refusal> {
    let future = now.plus_seconds(SKEW_S) < at;
    let ancient = at < now.plus_days(-FACT_DAYS);
    if future || ancient { Err(Refusal::DateInvalid) } else { Ok(()) }
}

/// Letters of any script, digits and `-`, `/`, `.`, with at least one digit, e.g.
/// `강남보건-2026-0113`.
fn order_number(text: &str) -> Result<String, Refusal> {
    let text = clean(text, ORDER_NUMBER_MAX).map_err(|_| Refusal::OrderNumber)?;
    let allowed = text.chars().all(|it| it.is_alphanumeric() || matches!(it, '-' | '/' | '.'));
    let numbered = text.chars().any(|it| it.is_ascii_digit());
    if allowed && numbered { Ok(text) } else { Err(Refusal::OrderNumber) }
}

/// A text of several lines: each line as [`clean`] wants it, kept exactly.
fn paragraphs(text: &str) -> Result<String, Refusal> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() || text.chars().nth(TEXT_MAX).is_some() {
        return Err(Refusal::TextInvalid);
    }
    let lines_are_clean = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .all(|line| clean(line, TEXT_MAX).is_ok());
    if lines_are_clean { Ok(text.to_owned()) } else { Err(Refusal::TextInvalid) }
}

/// The declaration with its texts trimmed, or the first thing that is wrong with it.
fn declared(it: Declaration, today: Date) -> Result<Declaration, Refusal> {
    if let Some((_, refusal)) = mistakes(&it, today).into_iter().next() {
        return Err(refusal);
    }
    let trim = |text: String| text.trim().to_owned();
    let stays =
        it.stays.into_iter().map(|stay| crate::model::Stay { place: trim(stay.place), ..stay });
    Ok(Declaration {
        name: trim(it.name),
        document: trim(it.document),
        residence: trim(it.residence),
        stays: stays.collect(),
        ..it
    })
}

/// Everything that is wrong with a declaration, by form field: what a page shows beside its inputs
/// and what [`decide`] refuses.
pub fn mistakes(it: &Declaration, today: Date) -> Vec<(String, Refusal)> {
    let mut found = Vec::new();
    let mut check = |wrong: bool, field: &str, refusal: Refusal| {
        if wrong {
            found.push((field.to_owned(), refusal));
        }
    };
    check(clean(&it.name, NAME_MAX).is_err(), "name", Refusal::NameInvalid);
    check(!is_document(it.document.trim()), "document", Refusal::DocumentInvalid);
    check(clean(&it.residence, PLACE_MAX).is_err(), "residence", Refusal::ResidenceInvalid);
    let temperature = it.temperature_tenths.is_some_and(|it| !TEMPERATURE.contains(&it));
    check(temperature, "temperature", Refusal::TemperatureInvalid);
    check(it.stays.len() > STAYS_MAX, "stay_1_place", Refusal::TooManyStays);
    let first = today.plus_days(-ASKED_DAYS);
    for (index, stay) in it.stays.iter().enumerate() {
        // A stay that began before the asked days still counts by its end.
        let days = stay.from <= stay.to && first <= stay.to && stay.to <= today;
        let wrong = clean(&stay.place, PLACE_MAX).is_err() || !days;
        check(wrong, &format!("stay_{}_place", index + 1), Refusal::StayInvalid);
    }
    found
}

fn is_document(text: &str) -> bool {
    DOCUMENT.contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
        && text.bytes().any(|it| it.is_ascii_digit())
}

//! The states that the events add up to, and how.

use std::collections::BTreeMap;

use contracts::person::{Grant, Person};
use kernel::{Aggregate, Date, Id, Instant, Locale};

use crate::command::{CitizenCommand, OrganisationCommand, StaffCommand};
use crate::decide;
use crate::event::{CitizenEvent, Ground, Kin, OrganisationEvent, StaffEvent};
use crate::refusal::Refusal;

/// Whether a record exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Not yet, or no longer.
    #[default]
    Absent,
    /// It does.
    Present,
    /// It does, and may do nothing: suspended staff.
    Ended,
}

/// One person's right to act for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Help {
    /// What the helped person is to the helper.
    pub kin: Kin,
    /// Whose word it stands on.
    pub ground: Ground,
    /// When it ends by itself.
    pub until: Instant,
}

/// One citizen's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Citizen {
    /// Whether there is one.
    pub phase: Phase,
    /// The name.
    pub name: String,
    /// The day of birth.
    pub birth_date: Option<Date>,
    /// The verified number in E.164.
    pub phone: Option<String>,
    /// The language for messages.
    pub locale: Locale,
    /// The open consent code's tag and its end. One at a time; used once.
    pub offer: Option<(String, Instant)>,
    /// Who may act for this person.
    pub helpers: BTreeMap<Id<Person>, Help>,
}

impl Citizen {
    /// The help of `helper` if it holds at `now`. At `until` it no longer does.
    pub fn help_by(&self, helper: Id<Person>, now: Instant) -> Option<&Help> {
        self.helpers.get(&helper).filter(|it| now < it.until)
    }
}

impl Aggregate for Citizen {
    const STREAM: &'static str = "person.citizen";
    type Command = CitizenCommand;
    type Event = CitizenEvent;
    type Refusal = Refusal;

    fn decide(&self, command: CitizenCommand, now: Instant) -> Result<Vec<CitizenEvent>, Refusal> {
        decide::citizen(self, command, now)
    }

    fn fold(&mut self, event: &CitizenEvent) {
        match event {
            CitizenEvent::Registered { name, birth_date, phone, locale } => {
                *self = Self {
                    phase: Phase::Present,
                    name: name.clone(),
                    birth_date: Some(*birth_date),
                    phone: phone.clone(),
                    locale: *locale,
                    ..Self::default()
                };
            }
            CitizenEvent::PhoneChanged { phone } => self.phone = Some(phone.clone()),
            CitizenEvent::PhoneChangedAtDesk { phone, .. } => {
                self.phone.clone_from(phone);
                self.offer = None;
            }
            CitizenEvent::PhoneConfirmed => {}
            CitizenEvent::NameCorrected { name } => self.name.clone_from(name),
            CitizenEvent::LocaleChosen { locale } => self.locale = *locale,
            CitizenEvent::HelpOffered { offer, until } => {
                self.offer = Some((offer.clone(), *until));
            }
            CitizenEvent::HelpGranted { helper, kin, ground, until } => {
                if *ground == Ground::Consent {
                    self.offer = None;
                }
                let help = Help { kin: *kin, ground: *ground, until: *until };
                self.helpers.insert(*helper, help);
            }
            CitizenEvent::HelpEnded { helper } => {
                self.helpers.remove(helper);
            }
            CitizenEvent::Forgotten => *self = Self::default(),
        }
    }
}

/// One member of staff.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaffMember {
    /// Absent, at work, suspended.
    pub phase: Phase,
    /// The grants that were not ended; some may have run out.
    pub grants: Vec<Grant>,
}

impl Aggregate for StaffMember {
    const STREAM: &'static str = "person.staff";
    type Command = StaffCommand;
    type Event = StaffEvent;
    type Refusal = Refusal;

    fn decide(&self, command: StaffCommand, now: Instant) -> Result<Vec<StaffEvent>, Refusal> {
        decide::staff(self, command, now)
    }

    fn fold(&mut self, event: &StaffEvent) {
        match event {
            StaffEvent::Appointed { .. } => {
                *self = Self { phase: Phase::Present, grants: Vec::new() };
            }
            StaffEvent::RoleGranted { grant, .. } => {
                self.grants.retain(|it| (it.role, it.scope) != (grant.role, grant.scope));
                self.grants.push(*grant);
            }
            StaffEvent::RoleEnded { role, scope, .. } => {
                self.grants.retain(|it| (it.role, it.scope) != (*role, *scope));
            }
            StaffEvent::Suspended { .. } => self.phase = Phase::Ended,
            StaffEvent::Resumed { .. } => self.phase = Phase::Present,
            StaffEvent::Forgotten { .. } => *self = Self::default(),
        }
    }
}

/// One organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationRecord {
    /// Absent (never there, or closed) or open.
    pub phase: Phase,
    /// The name.
    pub name: String,
}

impl Aggregate for OrganisationRecord {
    const STREAM: &'static str = "person.organisation";
    type Command = OrganisationCommand;
    type Event = OrganisationEvent;
    type Refusal = Refusal;

    fn decide(
        &self,
        command: OrganisationCommand,
        _now: Instant,
    ) -> Result<Vec<OrganisationEvent>, Refusal> {
        decide::organisation(self, command)
    }

    fn fold(&mut self, event: &OrganisationEvent) {
        match event {
            OrganisationEvent::Opened { name, .. } => {
                *self = Self { phase: Phase::Present, name: name.clone() };
            }
            OrganisationEvent::Renamed { name } => self.name.clone_from(name),
            OrganisationEvent::Closed => *self = Self::default(),
        }
    }
}

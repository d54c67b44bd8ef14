//! Two officers for what makes passes good.

use contracts::person::Staff;
use kernel::{Aggregate as _, Id, given};

use super::NOW;
use crate::command::SourceCommand;
use crate::event::SourceEvent;
use crate::model::{Source, SourceKind};
use crate::refusal::Refusal;

fn officer(number: u128) -> Id<Staff> {
    Id::from_u128(number)
}

fn offered(kind: SourceKind) -> SourceEvent {
    SourceEvent::Offered {
        name: "Signers".to_owned(),
        kind,
        sha256: "00".to_owned(),
        items: 1,
        offered_by: officer(1),
        at: NOW,
    }
}

#[test]
fn a_source_counts_when_a_second_officer_agrees_and_not_by_the_first() {
    let waiting: Source = given(&[offered(SourceKind::Keys)]);
    let confirm = |by| waiting.decide(SourceCommand::Confirm { by: officer(by) }, NOW);
    assert_eq!(confirm(1), Err(Refusal::SameOfficer));
    let event = SourceEvent::Confirmed { confirmed_by: officer(2), at: NOW };
    assert_eq!(confirm(2), Ok(vec![event.clone()]));
    let counts: Source = given(&[offered(SourceKind::Keys), event]);
    let again = counts.decide(SourceCommand::Confirm { by: officer(3) }, NOW);
    assert_eq!(again, Err(Refusal::SourceDecided));
    let unknown = Source::default().decide(SourceCommand::Confirm { by: officer(2) }, NOW);
    assert_eq!(unknown, Err(Refusal::SourceUnknown));
}

#[test]
fn keys_are_ended_by_one_officer_and_revocations_only_by_another() {
    for kind in [SourceKind::Keys, SourceKind::Revocations] {
        let confirmed = SourceEvent::Confirmed { confirmed_by: officer(2), at: NOW };
        let counts: Source = given(&[offered(kind), confirmed]);
        let end = |by, why: &str| {
            counts.decide(SourceCommand::Withdraw { by: officer(by), why: why.to_owned() }, NOW)
        };
        let by_the_first = end(1, "A key was stolen.");
        assert_eq!(by_the_first.is_ok(), kind == SourceKind::Keys, "{by_the_first:?}");
        assert!(end(2, "A key was stolen.").is_ok());
        assert_eq!(end(2, " "), Err(Refusal::WhyInvalid));
    }
}

#[test]
fn a_file_that_counts_or_waits_is_not_offered_again_and_needs_a_name() {
    let offer = |name: &str, known| {
        let (kind, sha256, by) = (SourceKind::Keys, "00".to_owned(), officer(1));
        let command =
            SourceCommand::Offer { name: name.to_owned(), kind, sha256, items: 1, by, known };
        Source::default().decide(command, NOW)
    };
    assert_eq!(offer("Signers", false), Ok(vec![offered(SourceKind::Keys)]));
    assert_eq!(offer("Signers", true), Err(Refusal::SourceKnown));
    assert_eq!(offer("a\u{202e}b", false), Err(Refusal::NameInvalid));
    assert_eq!(offer(&"가".repeat(81), false), Err(Refusal::NameInvalid));
}

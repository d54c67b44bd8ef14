//! Given the past, when a command comes, then these events or this refusal. Both sides of each
//! boundary. The routes are in `routes`, with passes that [`crate::example`] signs.

mod cards;
mod issuing;
mod judging;
mod routes;
mod rules;
mod sources;

use kernel::{Aggregate as _, Id, Instant, given};

use crate::command::WalletCommand;
use crate::decide::{self, HELD_MAX, TEXT_MAX, TEXTS_MAX};
use crate::event::WalletEvent;
use crate::model::{Basis, Card, Wallet, next_warning, stage};
use crate::refusal::Refusal;

const NOW: Instant = Instant::from_seconds(1_795_316_400);

fn card(number: u128) -> Id<Card> {
    Id::from_u128(number)
}

fn imported(number: u128, ends_at: Option<Instant>) -> WalletEvent {
    let digest = decide::digest(&[format!("HC1:{number}")]);
    let (card, basis) = (card(number), Basis::City);
    WalletEvent::Imported { card, digest, by_helper: false, basis, ends_at, at: NOW }
}

fn import(number: u128, texts: Vec<String>) -> WalletCommand {
    let (card, basis) = (card(number), Basis::City);
    WalletCommand::Import { card, texts, by_helper: false, basis, ends_at: None }
}

#[test]
fn a_pass_is_put_in_once() {
    let command = import(1, vec!["HC1:1".to_owned()]);
    assert_eq!(Wallet::default().decide(command, NOW), Ok(vec![imported(1, None)]));
    let wallet: Wallet = given(&[imported(1, None)]);
    let again = import(2, vec!["HC1:1".to_owned()]);
    assert_eq!(wallet.decide(again, NOW), Err(Refusal::AlreadyHeld));
}

#[test]
fn the_parts_of_a_pass_are_the_same_pass_in_any_order() {
    let (one, two) = ("shc:/1/2/0".to_owned(), "shc:/2/2/0".to_owned());
    let there = decide::digest(&[one.clone(), two.clone()]);
    assert_eq!(there, decide::digest(&[two.clone(), one.clone()]));
    assert_ne!(there, decide::digest(&[format!("{one}{two}")]));
}

#[test]
fn a_wallet_is_full_at_its_most_and_not_before() {
    let past: Vec<_> = (1..HELD_MAX).map(|it| imported(it.try_into().unwrap(), None)).collect();
    let wallet: Wallet = given(&past);
    let command = import(100, vec!["HC1:X".to_owned()]);
    assert!(wallet.decide(command.clone(), NOW).is_ok());
    let wallet: Wallet = given(&[past, vec![imported(99, None)]].concat());
    assert_eq!(wallet.decide(command, NOW), Err(Refusal::WalletFull { most: 40 }));
}

#[test]
fn texts_beyond_any_pass_are_refused() {
    let texts = |count: usize, length: usize| vec!["x".repeat(length); count];
    assert_eq!(decide::check_texts(&texts(TEXTS_MAX, 1)), Ok(()));
    assert_eq!(decide::check_texts(&texts(TEXTS_MAX + 1, 1)), Err(Refusal::TooLarge));
    assert_eq!(decide::check_texts(&texts(1, TEXT_MAX)), Ok(()));
    assert_eq!(decide::check_texts(&texts(1, TEXT_MAX + 1)), Err(Refusal::TooLarge));
    assert_eq!(decide::check_texts(&texts(0, 0)), Err(Refusal::Unreadable));
    assert_eq!(decide::check_texts(&texts(1, 0)), Err(Refusal::Unreadable));
}

#[test]
fn a_stage_begins_at_its_day_and_ends_with_the_pass() {
    let ends = NOW.plus_days(30);
    for days in [14, 7, 1] {
        let begin = ends.plus_days(-i64::from(days));
        assert_eq!(stage(ends, begin), Some(days), "{days}");
        assert_ne!(stage(ends, begin.plus_seconds(-1)), Some(days), "{days}");
    }
    assert_eq!(stage(ends, ends.plus_days(-14).plus_seconds(-1)), None);
    assert_eq!(stage(ends, ends.plus_seconds(-1)), Some(1));
    assert_eq!(stage(ends, ends), None, "what is over is not about to end");
}

#[test]
fn each_warning_is_said_once_and_in_its_turn() {
    let ends = NOW.plus_days(20);
    let mut past = vec![imported(1, Some(ends))];
    for days in [14_u8, 7, 1] {
        let due = ends.plus_days(-i64::from(days));
        let wallet: Wallet = given(&past);
        let before = wallet.decide(WalletCommand::Warn { card: card(1) }, due.plus_seconds(-1));
        assert_eq!(before, Ok(Vec::new()), "{days} days: a second too early");
        let said = WalletEvent::Warned { card: card(1), days, ends_at: ends };
        let now = wallet.decide(WalletCommand::Warn { card: card(1) }, due);
        assert_eq!(now, Ok(vec![said.clone()]));
        past.push(said);
        let wallet: Wallet = given(&past);
        let again = wallet.decide(WalletCommand::Warn { card: card(1) }, due.plus_seconds(3_600));
        assert_eq!(again, Ok(Vec::new()), "{days} days: said before");
    }
}

#[test]
fn a_server_that_was_off_says_the_nearest_warning_alone() {
    let ends = NOW.plus_days(20);
    let wallet: Wallet = given(&[imported(1, Some(ends))]);
    let late = wallet.decide(WalletCommand::Warn { card: card(1) }, ends.plus_days(-3));
    let said = WalletEvent::Warned { card: card(1), days: 7, ends_at: ends };
    assert_eq!(late, Ok(vec![said]));
    let over = wallet.decide(WalletCommand::Warn { card: card(1) }, ends);
    assert_eq!(over, Ok(Vec::new()));
}

#[test]
fn what_had_passed_when_it_was_put_in_is_not_told() {
    let ends = NOW.plus_days(5);
    let wallet: Wallet = given(&[imported(1, Some(ends))]);
    assert_eq!(wallet.decide(WalletCommand::Warn { card: card(1) }, NOW), Ok(Vec::new()));
    assert_eq!(next_warning(Some(ends), Some(7)), Some(ends.plus_days(-1)));
    assert_eq!(next_warning(Some(ends), Some(1)), None);
    assert_eq!(next_warning(None, None), None);
}

#[test]
fn a_removed_pass_is_brought_back_within_a_day_and_erased_after() {
    let removed = WalletEvent::Removed { card: card(1), at: NOW };
    let wallet: Wallet = given(&[imported(1, None), removed]);
    let (last, over) = (NOW.plus_days(1).plus_seconds(-1), NOW.plus_days(1));
    let restore = || WalletCommand::Restore { card: card(1) };
    let erase = || WalletCommand::Erase { card: card(1) };
    assert_eq!(
        wallet.decide(restore(), last),
        Ok(vec![WalletEvent::Restored { card: card(1), at: last }])
    );
    assert_eq!(wallet.decide(restore(), over), Err(Refusal::CardUnknown));
    assert_eq!(wallet.decide(erase(), last), Ok(Vec::new()));
    assert_eq!(wallet.decide(erase(), over), Ok(vec![WalletEvent::Erased { card: card(1) }]));
    let held: Wallet = given(&[imported(1, None)]);
    assert_eq!(held.decide(erase(), over), Ok(Vec::new()), "nobody took it out");
    assert_eq!(
        held.decide(WalletCommand::Remove { card: card(2) }, NOW),
        Err(Refusal::CardUnknown)
    );
}

#[test]
fn a_removed_pass_warns_of_nothing_and_leaves_room_for_the_same_again() {
    let ends = NOW.plus_days(20);
    let removed = WalletEvent::Removed { card: card(1), at: NOW };
    let wallet: Wallet = given(&[imported(1, Some(ends)), removed]);
    let due = ends.plus_days(-14);
    assert_eq!(wallet.decide(WalletCommand::Warn { card: card(1) }, due), Ok(Vec::new()));
    assert!(wallet.decide(import(2, vec!["HC1:1".to_owned()]), NOW).is_ok());
    let removed = WalletEvent::Removed { card: card(1), at: NOW };
    let twin = WalletEvent::Imported {
        card: card(2),
        digest: decide::digest(&["HC1:1".to_owned()]),
        by_helper: false,
        basis: Basis::City,
        ends_at: None,
        at: NOW,
    };
    let wallet: Wallet = given(&[imported(1, None), removed, twin]);
    let back = wallet.decide(WalletCommand::Restore { card: card(1) }, NOW);
    assert_eq!(back, Err(Refusal::AlreadyHeld));
}

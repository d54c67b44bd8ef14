//! Several stores on one region, as several processes have them.

use super::*;
use tokio::sync::watch;

impl Lab {
    fn options(&self) -> Options {
        Options {
            backend: self.backend.clone(),
            region: "kr-11".parse().unwrap(),
            origin: "haetae.example/log".to_owned(),
            clock: Arc::new(self.clock.clone()),
            seed: Seed::fixed(2),
            keyring: self.keyring(),
            registry: registry(),
        }
    }

    /// One process of several, found at `http://<name>`.
    fn join(&self, name: &str) -> Store {
        Store::join(self.options(), format!("http://{name}")).unwrap().store
    }
}

/// Waits until a store has the role that is asked for.
fn until(store: &Store, is: impl FnMut(&Role) -> bool) -> Role {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut roles: watch::Receiver<Role> = store.roles();
    runtime.block_on(async { roles.wait_for(is).await.unwrap().clone() })
}

fn writes(store: &Store) {
    until(store, |it| matches!(it, Role::Writer { .. }));
}

fn follows(store: &Store, name: &str) {
    let url = format!("http://{name}");
    until(store, |it| matches!(it, Role::Standby(Some(holder)) if holder.url == url));
}

fn leave(store: &Store) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.leave_to_others());
}

fn is_elsewhere<E>(answer: Result<E, Error<Full>>) -> bool {
    matches!(answer, Err(Error::Fault(fault)) if fault.is_elsewhere())
}

#[test]
fn one_of_two_writes_and_both_read_what_was_written() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let (one, two) = (lab.join("one"), lab.join("two"));
    assert!(one.is_writer() && !two.is_writer());
    follows(&two, "one");
    for number in 0..3 {
        write(&one, 7, "a line").unwrap();
        assert_eq!(lines(&two, 7).len(), number + 1, "at once, not after a while");
        assert_eq!(two.size(), one.size());
    }
    assert!(is_elsewhere(write(&two, 8, "not here")));
    assert_eq!(lab.audit().wrong, []);
    let alone = lab.try_open().err().unwrap();
    assert!(alone.is_elsewhere(), "{alone}");
}

#[test]
fn a_region_goes_back_and_forth_and_keeps_every_answer() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let (one, two) = (lab.join("one"), lab.join("two"));
    for (expected, round) in (0..).zip(0..4_u128) {
        let (now, then) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        writes(now);
        let context = Context { command: Some(round + 1), ..CONTEXT };
        let first = now.execute_blocking::<Book>(context, round, "a line".to_owned()).unwrap();
        assert_eq!((first.first, first.repeated), (expected, false));
        leave(now);
        assert!(is_elsewhere(write(now, 99, "it has left")));
        writes(then);
        // Whoever takes it up knows what was answered before.
        let again = then.execute_blocking::<Book>(context, round, "a line".to_owned()).unwrap();
        assert_eq!((again.first, again.repeated), (first.first, true));
    }
    assert_eq!((lab.audit().wrong, lab.audit().entries), (vec![], 4));
}

#[test]
fn a_process_that_left_a_region_nobody_took_up_writes_it_again() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let one = lab.join("one");
    leave(&one);
    assert!(!one.is_writer());
    writes(&one);
    write(&one, 7, "a line").unwrap();
}

#[test]
fn a_standby_takes_over_at_once_when_the_writer_is_closed_or_killed() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let (one, two, three) = (lab.join("one"), lab.join("two"), lab.join("three"));
    write(&one, 7, "by the first").unwrap();
    one.close();
    drop(one);
    let second = loop {
        if two.is_writer() {
            break (&two, &three);
        }
        if three.is_writer() {
            break (&three, &two);
        }
        std::thread::yield_now();
    };
    write(second.0, 7, "by the second").unwrap();
    // Every session ends: the second's with them, as if it had been killed. Whoever is quicker writes.
    let sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE";
    testdb::psql("postgres", &format!("{sql} '{name}%'"));
    loop {
        let written = [&two, &three].into_iter().any(|it| write(it, 8, "again").is_ok());
        if written {
            break;
        }
        std::thread::yield_now();
    }
    let report = lab.audit();
    assert_eq!((report.wrong, report.entries), (vec![], 3));
}

#[test]
fn a_writer_that_stood_still_past_its_lease_writes_nothing_and_stands_by() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let (one, two) = (lab.join("one"), lab.join("two"));
    write(&one, 7, "by the first").unwrap();
    testdb::psql(&name, "UPDATE lease SET until = 0");
    writes(&two);
    write(&two, 7, "by the second").unwrap();
    let batch = vec![seen(20_000, "pass")];
    let answer = one.write_blocking(move |tx| tx.observe(&CONTEXT, SEEN.kind, &batch));
    assert!(matches!(answer, Err(Error::Fault(fault)) if fault.is_elsewhere()));
    follows(&one, "two");
    assert!(!one.is_stopped(), "it goes on as a standby");
    assert_eq!(lines(&one, 7).len(), 2);
    leave(&two);
    writes(&one);
    write(&one, 7, "by the first again").unwrap();
    assert_eq!((lab.audit().wrong, lab.audit().entries), (vec![], 3));
}

#[test]
fn a_server_that_is_read_only_for_a_while_ends_nobody_and_pauses_no_standby() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let names = lab.backend.names();
    let [name, ..] = &names;
    let (one, two) = (lab.join("one"), lab.join("two"));
    write(&one, 7, "a line").unwrap();
    follows(&two, "one");
    // Sessions are told so when they begin, so all of them end.
    let told = |is: &str| {
        for it in &names {
            let sql = format!("ALTER DATABASE {it} SET default_transaction_read_only = {is}");
            testdb::psql("postgres", &sql);
        }
        let sql =
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE";
        testdb::psql("postgres", &format!("{sql} '{name}%'"));
    };
    told("on");
    let refused = write(&one, 7, "not now").err().unwrap();
    assert!(matches!(refused, Error::Fault(fault) if fault.is_paused()));
    assert!(one.is_paused() && !two.is_paused());
    leave(&one);
    assert!(!one.is_paused(), "who stands by has no say in it");
    // The lease is free, the other has tried in vain to take it, and is still there to be asked.
    until(&two, |it| *it == Role::Standby(None));
    leave(&two);
    assert!(!one.is_stopped() && !two.is_stopped());
    one.close();
    told("off");
    writes(&two);
    write(&two, 7, "by the second").unwrap();
    assert_eq!((lab.audit().wrong, lab.audit().entries), (vec![], 2));
}

#[test]
fn a_key_that_the_writer_destroys_is_dead_for_a_standby_that_has_used_it() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let (one, two) = (lab.join("one"), lab.join("two"));
    write(&one, 7, "a secret").unwrap();
    // The view's row is read past the view, so that only the key decides.
    let seen = |store: &Store| {
        let found = store.read_blocking(|reader| reader.opened_payload(0));
        found.unwrap().is_some()
    };
    assert!(seen(&one) && seen(&two), "both have it in memory now");
    one.write_blocking(|tx| tx.forget(7)).unwrap();
    assert!(!seen(&one));
    assert!(!seen(&two), "in the first picture that holds the forgetting");
    assert_eq!(two.size(), one.size());
    // Also once nothing is kept in mind of it any more, and after the region has moved.
    leave(&one);
    writes(&two);
    assert!(!seen(&two) && !seen(&one));
    assert_eq!(lab.audit().wrong, []);
}

#[test]
fn a_key_that_another_destroyed_while_the_writer_stood_still_is_dead_when_it_wakes() {
    let Some(lab) = Lab::new(On::Postgres) else { return };
    let [name, ..] = lab.backend.names();
    let (one, two) = (lab.join("one"), lab.join("two"));
    write(&one, 7, "a secret").unwrap();
    let seen = |store: &Store| store.read_blocking(|it| it.opened_payload(0)).unwrap().is_some();
    assert!(seen(&one));
    testdb::psql(&name, "UPDATE lease SET until = 0");
    writes(&two);
    two.write_blocking(|tx| tx.forget(7)).unwrap();
    follows(&one, "two");
    assert!(!seen(&one));
}

#[test]
fn a_process_with_other_keys_or_none_does_not_stand_by() {
    let Some(mut lab) = Lab::new(On::Postgres) else { return };
    let one = lab.join("one");
    write(&one, 7, "a line").unwrap();
    let own = std::mem::replace(&mut lab.dir, tempfile::tempdir().unwrap());
    let other = Keyring::open(&lab.dir.path().join("keys"), Seed::fixed(9)).unwrap();
    other.make_all().unwrap();
    for side in [Side::Identity, Side::Visits] {
        other.make(wrap::base(side)).unwrap();
    }
    let fault = Store::join(lab.options(), "http://two".to_owned()).err().unwrap().chain();
    assert!(fault.contains("copy the writer's key folder"), "{fault}");
    drop(own);
}

#[test]
fn a_folder_is_not_shared() {
    let Some(lab) = Lab::new(On::Sqlite) else { return };
    let fault = Store::join(lab.options(), "http://one".to_owned()).err().unwrap().chain();
    assert!(fault.contains("on a server alone"), "{fault}");
}

//! When the writer ends before its time.

use std::sync::mpsc::channel;

use super::*;

/// An answer that nobody waits for any more, and that panics where it is thrown away: in the writer,
/// outside of every job.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert_ne!(std::thread::current().name(), Some("haetae-writer"), "a test's panic");
    }
}

#[test]
fn a_writer_that_panics_outside_of_a_job_stops_the_store_and_everybody_learns_it() {
    let lab = Lab::new(On::Sqlite).unwrap();
    let store = lab.open();
    write(&store, 1, "before").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // The writer is held until the caller of the next job has gone away.
    let (go, held) = channel::<()>();
    let (begun, is_begun) = channel();
    let holder = {
        let store = store.clone();
        std::thread::spawn(move || {
            store.write_blocking(move |_| {
                begun.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            })
        })
    };
    is_begun.recv().unwrap();
    {
        let bomb = store.write(|_| Ok(Bomb));
        let mut bomb = std::pin::pin!(bomb);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        assert!(Future::poll(bomb.as_mut(), &mut context).is_pending());
    }
    go.send(()).unwrap();
    holder.join().unwrap().unwrap();
    runtime.block_on(store.stopped());
    assert!(store.is_stopped());
    let refused = write(&store, 1, "after").unwrap_err();
    assert!(matches!(refused, Error::Fault(fault) if fault.is_paused()));
    assert_eq!(lines(&store, 1), [Some("before".to_owned())], "reading goes on");
    store.close();
    drop(store);
    let store = lab.open();
    write(&store, 1, "again").unwrap();
    store.close();
    assert_eq!(lab.audit().wrong, []);
}

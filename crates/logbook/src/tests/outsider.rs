//! The outsider against real logs: honest ones, tampered ones, ones that changed their past.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ledger::{Resource, Signer, TileId, Tree};

use super::lab::Lab;
use crate::outsider::{FetchError, Outsider, OutsiderError, Report};

fn outsider(lab: &Lab) -> Outsider {
    Outsider::try_new(lab.store.log_key()).unwrap()
}

fn audit(lab: &Lab, outsider: &Outsider) -> Report {
    outsider.audit(|path| lab.file(path), |_, _| {}).unwrap()
}

/// Audits with some files exchanged.
fn tampered(lab: &Lab, outsider: &Outsider, mut change: impl FnMut(&str, &mut Vec<u8>)) -> Report {
    let fetch = |path: &str| {
        let mut bytes = lab.file(path)?;
        change(path, &mut bytes);
        Ok(bytes)
    };
    outsider.audit(fetch, |_, _| {}).unwrap()
}

/// A log of our own making: whoever holds the key can sign anything.
struct Forged {
    files: BTreeMap<String, Vec<u8>>,
}

impl Forged {
    fn new(signer: &Signer, entries: &[Vec<u8>]) -> Self {
        let mut tree = Tree::new();
        let appended = tree.append(entries).unwrap();
        let mut files = BTreeMap::new();
        for it in appended.tiles {
            let id = TileId { level: it.level, index: it.index, width: it.width };
            files.insert(id.path(), it.bytes);
        }
        for it in appended.bundles {
            let id = ledger::tile::BundleId { index: it.index, width: it.width };
            files.insert(id.path(), it.bytes);
        }
        let name = signer.verifier().name();
        let checkpoint = ledger::Checkpoint::try_new(name, appended.size, appended.root).unwrap();
        files.insert("checkpoint".to_owned(), checkpoint.sign(signer).unwrap().into_bytes());
        Self { files }
    }

    fn audit(&self, outsider: &Outsider) -> Report {
        let fetch = |path: &str| self.files.get(path).cloned().ok_or(FetchError::Missing);
        outsider.audit(fetch, |_, _| {}).unwrap()
    }
}

fn signer() -> Signer {
    Signer::try_new("forged.example/log", &[9; 32]).unwrap()
}

fn line(number: u64) -> Vec<u8> {
    let at = kernel::Instant::from_micros(i64::try_from(number).unwrap());
    store::Leaf::sealed("kr-11", at, "gate.entered.v1", &[7; 32])
}

#[test]
fn an_honest_log_is_good_at_every_size() {
    let lab = Lab::new();
    let outsider = outsider(&lab);
    assert!(audit(&lab, &outsider).is_good(), "an empty log");
    for add in [1, 254, 1, 1, 255, 200] {
        lab.entries(add);
        let report = audit(&lab, &outsider);
        assert_eq!(report.wrong, []);
        assert_eq!((report.size, report.entries), (lab.store.size(), lab.store.size()));
    }
    assert_eq!(lab.store.size(), 712);
}

#[test]
fn progress_is_told_up_to_the_end() {
    let lab = Lab::new();
    lab.entries(600);
    let mut told = Vec::new();
    outsider(&lab).audit(|path| lab.file(path), |done, of| told.push((done, of))).unwrap();
    assert_eq!(told, [(256, 600), (512, 600), (600, 600)]);
}

#[test]
fn an_altered_entry_is_named_exactly() {
    let lab = Lab::new();
    lab.entries(700);
    // The last byte but ten of an entry lies in its commitment.
    for entry in [0_u64, 255, 256, 300, 511, 512, 699] {
        let report = tampered(&lab, &outsider(&lab), |path, bytes| {
            let Ok(Resource::Bundle(id)) = path.parse() else { return };
            if id.index != entry >> 8 {
                return;
            }
            let mut entries: Vec<Vec<u8>> =
                ledger::parse_bundle(bytes).unwrap().into_iter().map(<[u8]>::to_vec).collect();
            let it = &mut entries[usize::try_from(entry & 0xff).unwrap()];
            let place = it.len() - 10;
            it[place] = if it[place] == b'0' { b'1' } else { b'0' };
            *bytes = ledger::encode_bundle(&entries).unwrap();
        });
        let first = &report.wrong[0];
        assert_eq!((first.entry, first.place), (Some(entry), "tile"), "{:?}", report.wrong);
        assert!(report.wrong.iter().any(|it| it.place == "root"), "the root is another too");
    }
}

#[test]
fn an_altered_tile_is_named_while_the_root_still_holds() {
    let lab = Lab::new();
    lab.entries(700);
    let report = tampered(&lab, &outsider(&lab), |path, bytes| {
        if path == "tile/0/001" {
            bytes[32 * 44] ^= 1;
        }
    });
    assert_eq!(report.wrong.len(), 1, "{:?}", report.wrong);
    assert_eq!(report.wrong[0].entry, Some(300));
    let report = tampered(&lab, &outsider(&lab), |path, bytes| {
        if path.starts_with("tile/1/") {
            bytes[32] ^= 1;
        }
    });
    assert_eq!(report.wrong.len(), 1);
    assert_eq!(report.wrong[0].entry, Some(256));
    assert!(report.wrong[0].what.contains("256 to 511"), "{:?}", report.wrong);
}

#[test]
fn what_is_missing_cut_or_garbled_is_found() {
    let lab = Lab::new();
    lab.entries(300);
    let outsider = outsider(&lab);
    let missing = |gone: &'static str| {
        let fetch = |path: &str| {
            if path == gone { Err(FetchError::Missing) } else { lab.file(path) }
        };
        outsider.audit(fetch, |_, _| {}).unwrap().wrong
    };
    assert_eq!(missing("tile/entries/000")[0].entry, Some(0));
    assert_eq!(missing("tile/entries/001.p/44")[0].entry, Some(256));
    assert_eq!(missing("tile/0/001.p/44")[0].place, "tile");
    assert_eq!(missing("checkpoint")[0].place, "checkpoint");
    let cut = tampered(&lab, &outsider, |path, bytes| {
        if path == "tile/entries/000" {
            let entries = ledger::parse_bundle(bytes).unwrap();
            *bytes = ledger::encode_bundle(&entries[..200]).unwrap();
        }
    });
    assert_eq!((cut.wrong[0].entry, cut.wrong[0].place), (Some(200), "bundle"));
    let garbled = tampered(&lab, &outsider, |path, bytes| {
        if path == "tile/entries/000" {
            bytes.truncate(100);
        }
    });
    assert_eq!(garbled.wrong[0].place, "bundle");
}

#[test]
fn a_checkpoint_signed_by_another_key_or_altered_is_refused() {
    let lab = Lab::new();
    lab.entries(3);
    let report = tampered(&lab, &outsider(&lab), |path, bytes| {
        if path == "checkpoint" {
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text.replacen("\n3\n", "\n2\n", 1).into_bytes();
        }
    });
    assert_eq!(report.wrong[0].place, "checkpoint");
    assert_eq!(report.checkpoint, "", "what was not accepted is not handed on");
    let other = Outsider::try_new(&signer().vkey()).unwrap();
    assert_eq!(audit(&lab, &other).wrong[0].place, "checkpoint");
    let garbage = tampered(&lab, &outsider(&lab), |path, bytes| {
        if path == "checkpoint" {
            *bytes = vec![0xff; 40];
        }
    });
    assert_eq!(garbage.wrong[0].place, "checkpoint");
}

#[test]
fn a_network_failure_is_no_finding() {
    let lab = Lab::new();
    lab.entries(3);
    let failing = |path: &str| match path {
        "checkpoint" => lab.file(path),
        _ => Err(FetchError::Failed("no route".to_owned())),
    };
    let error = outsider(&lab).audit(failing, |_, _| {}).unwrap_err();
    assert!(matches!(error, OutsiderError::Fetch { .. }));
    assert!(matches!(Outsider::try_new("nonsense"), Err(OutsiderError::Key(_))));
    assert!(matches!(outsider(&lab).since("nonsense"), Err(OutsiderError::Kept(_))));
}

#[test]
fn a_later_audit_goes_on_from_the_kept_checkpoint() {
    let lab = Lab::new();
    let outsider = outsider(&lab);
    let mut kept = audit(&lab, &outsider).checkpoint;
    for add in [1, 200, 55, 1, 256, 600, 0] {
        if add > 0 {
            lab.entries(add);
        }
        let asked = RefCell::new(Vec::new());
        let fetch = |path: &str| {
            asked.borrow_mut().push(path.to_owned());
            lab.file(path)
        };
        let report = outsider.clone().since(&kept).unwrap().audit(fetch, |_, _| {}).unwrap();
        assert_eq!(report.wrong, []);
        assert_eq!((report.entries, report.size), (add, lab.store.size()));
        assert_eq!(report.from + report.entries, report.size);
        kept = report.checkpoint;
        if add == 0 {
            assert!(asked.borrow().len() <= 5, "nothing is fetched again: {:?}", asked.borrow());
        }
    }
}

#[test]
fn a_log_that_changed_its_past_is_found_by_whoever_kept_a_checkpoint() {
    let signer = signer();
    let fresh = Outsider::try_new(&signer.vkey()).unwrap();
    let mut entries: Vec<_> = (0..600).map(line).collect();
    let honest = Forged::new(&signer, &entries[..400]);
    let kept = honest.audit(&fresh).checkpoint;
    assert!(Forged::new(&signer, &entries).audit(&fresh).is_good());
    let since = fresh.clone().since(&kept).unwrap();
    assert!(Forged::new(&signer, &entries).audit(&since).is_good());

    entries[123] = line(9_999);
    let rewritten = Forged::new(&signer, &entries);
    assert!(rewritten.audit(&fresh).is_good(), "to a newcomer it looks whole");
    let report = rewritten.audit(&since);
    assert_eq!(report.wrong[0].place, "history");
    assert_eq!(report.from, 0, "and everything was looked at again");

    let shrunk = Forged::new(&signer, &(0..300).map(line).collect::<Vec<_>>());
    let report = shrunk.audit(&since);
    assert_eq!((report.wrong[0].place, report.wrong[0].entry), ("history", Some(300)));

    let mut fork: Vec<_> = (0..400).map(line).collect();
    fork[399] = line(9_999);
    let report = Forged::new(&signer, &fork).audit(&since);
    assert_eq!(report.wrong[0].place, "history", "the same size, another root");
}

#[test]
fn entries_that_the_rules_do_not_allow_are_named_even_when_signed() {
    let signer = signer();
    let outsider = Outsider::try_new(&signer.vkey()).unwrap();
    let find = |entry: &[u8]| {
        let log = Forged::new(&signer, &[line(0), entry.to_vec(), line(2)]);
        let report = log.audit(&outsider);
        report.wrong.first().map(|it| (it.entry, it.place))
    };
    assert_eq!(find(&line(1)), None);
    let foreign =
        store::Leaf::sealed("kr-26", kernel::Instant::from_micros(1), "code.x.v1", &[7; 32]);
    let wrong = Some((Some(1), "entry"));
    assert_eq!(find(&foreign), wrong);
    assert_eq!(find(b"not json"), wrong);
    assert_eq!(find(b""), wrong);
    assert_eq!(find(br#"{"v":1,"region":"kr-11","at":1,"kind":"a.b.v1"}"#), wrong);
    assert_eq!(find(br#"{"v":2,"region":"kr-11","at":1,"kind":"a.b.v1","public":{}}"#), wrong);
    assert_eq!(find(br#"{"v":1,"region":"kr-11","at":1,"kind":"a.b.v1","public":{}}"#), None);
    let short = br#"{"v":1,"region":"kr-11","at":1,"kind":"a.b.v1","commit":"ab"}"#;
    assert_eq!(find(short), wrong);
}

#[test]
fn a_log_that_dropped_partial_tiles_is_served_by_the_full_ones() {
    let signer = signer();
    let outsider = Outsider::try_new(&signer.vkey()).unwrap();
    let entries: Vec<_> = (0..512).map(line).collect();
    let mut log = Forged::new(&signer, &entries);
    // The checkpoint is of an older size than the tiles that are left.
    let old = Forged::new(&signer, &entries[..400]);
    log.files.insert("checkpoint".to_owned(), old.files["checkpoint"].clone());
    log.files.insert("tile/1/000.p/1".to_owned(), old.files["tile/1/000.p/1"].clone());
    assert_eq!(log.audit(&outsider).wrong, []);
}

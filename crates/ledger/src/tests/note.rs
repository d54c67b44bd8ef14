//! Notes, checkpoints, cosignatures and proof files: what is accepted and what is not.

use aws_lc_rs::signature::Ed25519KeyPair;
use proptest::prelude::*;

use super::{entry, grown, index};
use crate::note::MAX_SIGNATURES;
use crate::{
    Algorithm, Checkpoint, CheckpointError, Cosigner, Hash, Note, NoteError, ProofFile,
    ProofFileError, Signer, TileId, VerifierKey, VerifyError, inclusion_proof,
};

const ORIGIN: &str = "haetae.example/daegu";

fn log() -> Signer {
    Signer::try_new(ORIGIN, &[1; 32]).unwrap()
}

fn witness(number: u8) -> Cosigner {
    Cosigner::try_new(&format!("witness.example/{number}"), &[number; 32]).unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    let (tree, _) = grown(index(size), 100);
    Checkpoint::try_new(ORIGIN, size, tree.root()).unwrap()
}

/// A receipt for one entry of a log of ten, witnessed twice.
fn receipt() -> (ProofFile, Vec<VerifierKey>) {
    let (tree, rows) = grown(10, 10);
    let head = Checkpoint::try_new(ORIGIN, 10, tree.root()).unwrap();
    let witnesses = [witness(2), witness(3)];
    let mut note = head.sign(&log()).unwrap();
    for (witness, time) in witnesses.iter().zip([1_700_000_000, 1_700_000_060]) {
        note = witness.cosign(&note, time).unwrap();
    }
    let proof = inclusion_proof(7, 10, &mut |id: TileId| rows.tile(id)).unwrap();
    let file = ProofFile { extra: b"a note beside it".to_vec(), index: 7, proof, checkpoint: note };
    (file, witnesses.iter().map(|witness| witness.verifier().clone()).collect())
}

#[test]
fn a_signed_text_opens_again_even_with_blank_lines_and_every_script() {
    let signer = log();
    for text in ["\n", "\n\n", "one\n", "해태\n\n— not a signature\n\nend\n", "海\n\n\n"] {
        let note = signer.sign(text).unwrap();
        let open = Note::open(&note, &[signer.verifier().clone()]).unwrap();
        assert_eq!(open.text, text);
        assert_eq!(open.verified[0].name, ORIGIN);
        assert_eq!(open.verified[0].timestamp, None);
    }
    for text in ["", "no end", "tab\tinside\n", "return\r\n", "nul\0\n"] {
        assert!(matches!(signer.sign(text), Err(NoteError::Malformed(_))), "{text:?}");
    }
}

#[test]
fn unknown_signatures_are_kept_and_ignored_and_bad_known_ones_are_not() {
    let (old, new) = (log(), Signer::try_new(ORIGIN, &[9; 32]).unwrap());
    let note = new.sign_also(&old.sign("hello\n").unwrap()).unwrap();
    for (known, other) in [(&old, &new), (&new, &old)] {
        let open = Note::open(&note, &[known.verifier().clone()]).unwrap();
        assert_eq!(open.verified[0].id, known.verifier().id());
        assert_eq!(open.unknown.len(), 1);
        assert_eq!(open.unknown[0].id, other.verifier().id());
    }
    let both = [old.verifier().clone(), new.verifier().clone()];
    assert_eq!(Note::open(&note, &both).unwrap().verified.len(), 2);
    assert_eq!(Note::open(&note, &[]), Err(NoteError::Unsigned));
    let stranger = Signer::try_new("stranger.example", &[1; 32]).unwrap();
    assert_eq!(Note::open(&note, &[stranger.verifier().clone()]), Err(NoteError::Unsigned));
    let changed = note.replacen("hello", "hallo", 1);
    for keys in [&both[..1], &both[1..], &both[..]] {
        let refused = Note::open(&changed, keys);
        assert_eq!(refused, Err(NoteError::BadSignature { name: ORIGIN.to_owned() }));
    }
    let twice = [both[0].clone(), both[1].clone(), both[0].clone()];
    assert!(matches!(Note::open(&note, &twice), Err(NoteError::AmbiguousKey { .. })));
}

#[test]
fn a_signature_repeated_counts_once_and_too_many_are_refused() {
    let signer = log();
    let note = signer.sign("hello\n").unwrap();
    let line = note.lines().last().unwrap();
    let key = [signer.verifier().clone()];
    let many = |count: usize| format!("hello\n\n{}", format!("{line}\n").repeat(count));
    assert_eq!(Note::open(&many(16), &key).unwrap().verified.len(), 1);
    assert!(Note::open(&many(MAX_SIGNATURES), &key).is_ok());
    assert_eq!(Note::open(&many(MAX_SIGNATURES + 1), &key), Err(NoteError::TooLarge));
    let long = signer.sign(&format!("{}\n", "a".repeat(1_000_000))).unwrap();
    assert_eq!(Note::parse(&long), Err(NoteError::TooLarge));
}

#[test]
fn malformed_notes_are_refused() {
    let good = log().sign("hello\n").unwrap();
    let line = good.lines().last().unwrap();
    let (start, base64) = line.rsplit_once(' ').unwrap();
    for note in [
        String::new(),
        "\n".to_owned(),
        "hello\n".to_owned(),
        "hello\n\n".to_owned(),
        "hello\n\n\n".to_owned(),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("hello\n{line}\n"),
        format!("hello\n\n{line}\r\n"),
        format!("hello\n\n {line}\n"),
        format!("hello\n\n{line} \n"),
        format!("hello\n\n{line}\nrubbish\n"),
        format!("hello\n\n- name {base64}\n"),
        format!("hello\n\n—name {base64}\n"),
        format!("hello\n\n—  {base64}\n"),
        format!("hello\n\n— na+me {base64}\n"),
        format!("hello\n\n— na\u{3000}me {base64}\n"),
        format!("hello\n\n{start} {}\n", base64.trim_end_matches('=')),
        format!("hello\n\n{start} AAAAAA==\n"),
        format!("hello\n\n{start} AAAA\n"),
        format!("hello\n\n{start} ?\n"),
        format!("hel\u{1}lo\n\n{line}\n"),
    ] {
        assert!(Note::parse(&note).is_err(), "{note:?}");
    }
}

#[test]
fn key_texts_and_names_are_checked() {
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\tb", "a\0b"] {
        assert_eq!(Signer::try_new(name, &[1; 32]).err(), Some(NoteError::KeyName), "{name:?}");
    }
    let vkey = log().vkey();
    assert_eq!(vkey.parse::<VerifierKey>().unwrap(), *log().verifier());
    let (start, key) = vkey.rsplit_once('+').unwrap();
    for text in [
        String::new(),
        "name".to_owned(),
        "name+00000000".to_owned(),
        "name+00000000+".to_owned(),
        format!("{}+{key}", start.to_uppercase()),
        format!("{start}+{}", key.trim_end_matches('=').trim_end_matches('c')),
        format!("x{vkey}"),
        format!("{vkey}AA"),
        format!("{ORIGIN}+00000000+{key}"),
    ] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
    }
    let public = *log().verifier().public();
    let other = VerifierKey::try_new(ORIGIN, Algorithm::CosignatureV1, public).unwrap();
    assert_ne!(other.id(), log().verifier().id(), "the id separates the kinds of one key");
    let shown = format!("{:?} {:?}", log(), witness(2));
    assert!(!shown.contains(&hex::encode([1; 32])) && shown.contains(ORIGIN));
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let head = checkpoint(3);
    let root = head.root;
    let text = head.to_string();
    assert_eq!(text, format!("{ORIGIN}\n3\n{root}\n"));
    assert_eq!(Checkpoint::parse(&text), Ok(head.clone()));
    let extended = Checkpoint { extensions: vec!["more".to_owned()], ..head };
    assert_eq!(Checkpoint::parse(&extended.to_string()), Ok(extended));
    for text in [
        String::new(),
        "\n".to_owned(),
        format!("{ORIGIN}\n3\n{root}"),
        format!("{ORIGIN}\n3\n"),
        format!("{ORIGIN}\n"),
        format!("\n3\n{root}\n"),
        format!("{ORIGIN}\n03\n{root}\n"),
        format!("{ORIGIN}\n+3\n{root}\n"),
        format!("{ORIGIN}\n-3\n{root}\n"),
        format!("{ORIGIN}\n 3\n{root}\n"),
        format!("{ORIGIN}\n３\n{root}\n"),
        format!("{ORIGIN}\n\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n3\n{root}\n\n"),
        format!("{ORIGIN}\n3\n{root}\n\nmore\n"),
        format!("{ORIGIN}\r\n3\n{root}\n"),
        format!("{ORIGIN}\n3\n{}\n", root.to_hex()),
        format!("{ORIGIN}\n3\n{}\n", root.to_string().trim_end_matches('=')),
    ] {
        assert!(matches!(Checkpoint::parse(&text), Err(CheckpointError::Malformed(_))), "{text:?}");
    }
    assert!(Checkpoint::try_new("", 0, root).is_err());
    assert!(Checkpoint::try_new("two\nlines", 0, root).is_err());
}

#[test]
fn only_the_log_itself_makes_a_checkpoint_and_only_under_its_name() {
    let head = checkpoint(3);
    let note = head.sign(&log()).unwrap();
    let opened = Checkpoint::open(&note, log().verifier(), &[]).unwrap();
    assert_eq!((&opened.checkpoint, opened.cosignatures.len()), (&head, 0));
    let stranger = Signer::try_new("other.example/log", &[1; 32]).unwrap();
    let other_log = CheckpointError::OtherLog { origin: ORIGIN.to_owned() };
    assert_eq!(head.sign(&stranger), Err(other_log.clone()));
    let misnamed = stranger.sign(&head.to_string()).unwrap();
    assert_eq!(Checkpoint::open(&misnamed, stranger.verifier(), &[]), Err(other_log));
    let only_witness = witness(2).cosign(&misnamed, 1).unwrap();
    let keys = [witness(2).verifier().clone()];
    let refused = Checkpoint::open(&only_witness, log().verifier(), &keys);
    assert_eq!(refused, Err(CheckpointError::NotByLog));
    let refused = Checkpoint::open(&note, log().verifier(), &[stranger.verifier().clone()]);
    assert!(matches!(refused, Err(CheckpointError::NotWitness { .. })));
    let text = log().sign("not a checkpoint\n").unwrap();
    let refused = Checkpoint::open(&text, log().verifier(), &[]);
    assert!(matches!(refused, Err(CheckpointError::Malformed(_))));
}

#[test]
fn a_cosignature_binds_the_time_the_text_and_nothing_but_checkpoints() {
    let note = checkpoint(3).sign(&log()).unwrap();
    let cosigned = witness(2).cosign(&note, 1_700_000_000).unwrap();
    let keys = [witness(2).verifier().clone()];
    let open = Checkpoint::open(&cosigned, log().verifier(), &keys).unwrap();
    assert_eq!(open.cosignatures[0].name, "witness.example/2");
    assert_eq!(open.cosignatures[0].timestamp, 1_700_000_000);
    let later = witness(2).cosign(&note, 1_700_000_001).unwrap();
    // The time of one glued to the signature of the other.
    let bytes = |note: &str| Note::parse(note).unwrap().signatures[1].bytes.clone();
    let glued = [&bytes(&later)[..8], &bytes(&cosigned)[8..]].concat();
    let line = crate::note::signature_line(witness(2).verifier(), &glued);
    let refused = Checkpoint::open(&format!("{note}{line}\n"), log().verifier(), &keys);
    let bad = NoteError::BadSignature { name: "witness.example/2".to_owned() };
    assert_eq!(refused, Err(bad.into()));
    for short in [&glued[..0], &glued[..7], &glued[..8], &glued[..71]] {
        let line = crate::note::signature_line(witness(2).verifier(), short);
        assert!(Checkpoint::open(&format!("{note}{line}\n"), log().verifier(), &keys).is_err());
    }
    assert!(witness(2).cosign(&note, 1 << 63).is_err());
    let text = log().sign("not a checkpoint\n").unwrap();
    assert!(witness(2).cosign(&text, 1).is_err());
}

#[test]
fn a_cosignature_over_another_text_or_a_time_beyond_the_limit_is_bad_though_well_signed() {
    let witness = witness(2);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[2; 32]).unwrap();
    let cosigned = |text: &str, time: u64| {
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = pair.sign(message.as_bytes());
        let bytes = [&time.to_be_bytes()[..], signature.as_ref()].concat();
        format!("{text}\n{}\n", crate::note::signature_line(witness.verifier(), &bytes))
    };
    let head = checkpoint(3).to_string();
    let limit = i64::MAX.cast_unsigned();
    let opens = |note: &str| Note::open(note, &[witness.verifier().clone()]).is_ok();
    assert!(opens(&cosigned(&head, 1)));
    assert!(opens(&cosigned(&head, limit)));
    assert!(!opens(&cosigned(&head, limit + 1)));
    assert!(!opens(&cosigned("not a checkpoint\n", 1)));
}

#[test]
fn a_proof_file_is_read_back_and_verifies() {
    let (file, witnesses) = receipt();
    assert_eq!(file.to_string().parse(), Ok(file.clone()));
    let open = file.verify(entry(7).as_bytes(), log().verifier(), &witnesses).unwrap();
    assert_eq!(open.cosignatures.len(), 2);
    let open = file.verify(entry(7).as_bytes(), log().verifier(), &witnesses[..1]).unwrap();
    assert_eq!(open.cosignatures.len(), 1);
    let other = file.verify(entry(6).as_bytes(), log().verifier(), &[]);
    assert_eq!(other, Err(ProofFileError::Proof(VerifyError::Root)));
    let bare = ProofFile { extra: Vec::new(), ..file };
    assert!(!bare.to_string().contains("extra"));
    assert_eq!(bare.to_string().parse(), Ok(bare.clone()));
    let only = ProofFile {
        index: 0,
        proof: Vec::new(),
        checkpoint: checkpoint(1).sign(&log()).unwrap(),
        ..bare
    };
    assert_eq!(only.to_string().parse(), Ok(only.clone()));
    only.verify(entry(0).as_bytes(), log().verifier(), &[]).unwrap();
}

#[test]
fn malformed_proof_files_are_refused() {
    let (file, _) = receipt();
    let text = file.to_string();
    let hash = file.proof[0].to_string();
    for (from, to) in [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("c2sp.org/tlog-proof@v1\n", ""),
        ("index 7", "index 07"),
        ("index 7", "index"),
        ("index 7\n", ""),
        ("index 7", "Index 7"),
        ("extra ", "extra  "),
        ("extra ", "extra ?"),
        ("extra ", "more "),
        (hash.as_str(), "short="),
        (hash.as_str(), &format!(" {hash}")),
        (hash.as_str(), &format!("{hash}\n").repeat(70)),
        ("\n\n", "\n"),
        ("\n10\n", "\n010\n"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(changed.parse::<ProofFile>().is_err(), "{changed}");
    }
    let empty_extra = ProofFile { extra: Vec::new(), ..file }.to_string();
    let empty_extra = empty_extra.replacen("index", "extra \nindex", 1);
    assert!(empty_extra.parse::<ProofFile>().is_err(), "{empty_extra}");
    assert!(text.trim_end().parse::<ProofFile>().is_err());
    assert!("".parse::<ProofFile>().is_err());
}

#[test]
fn no_changed_bit_of_a_proof_file_leaves_another_file_that_verifies() {
    let (file, witnesses) = receipt();
    let text = file.to_string();
    let opened = file.verify(entry(7).as_bytes(), log().verifier(), &witnesses).unwrap();
    let mut survived = 0;
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let Ok(changed) = changed.parse::<ProofFile>() else { continue };
        if let Ok(open) = changed.verify(entry(7).as_bytes(), log().verifier(), &witnesses) {
            // Only what nobody authenticates may differ: the extra data, or a witness line whose
            // name or id no longer is the one of a known key and which therefore does not count.
            assert_eq!((changed.index, &changed.proof), (file.index, &file.proof));
            assert_eq!(open.checkpoint, opened.checkpoint);
            let fewer = open.cosignatures.len() < opened.cosignatures.len();
            assert!(fewer || changed.extra != file.extra, "bit {bit}");
            survived += 1;
        }
    }
    assert!(survived > 0, "the extra data is not authenticated, as the specification says");
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic_and_what_is_read_is_written_the_same(
        text in "(c2sp.org/tlog-proof@v1\n)?(extra [a-zA-Z0-9+/=]{0,9}\n)?(index [0-9]{0,22}\n)?\\PC{0,9}\n(\\PC{0,9}\n){0,3}\n(— \\PC{0,9} [a-zA-Z0-9+/=]{0,12}\n){0,3}",
    ) {
        let _ = Note::open(&text, &[log().verifier().clone()]);
        let _ = text.parse::<VerifierKey>();
        let _ = text.parse::<Hash>();
        if let Ok(head) = Checkpoint::parse(&text) {
            prop_assert_eq!(head.to_string(), text.clone());
        }
        if let Ok(file) = text.parse::<ProofFile>() {
            prop_assert_eq!(file.to_string(), text.clone());
        }
    }

    #[test]
    fn any_checkpoint_is_read_back(
        origin in "[^\\p{Cc}]{1,40}",
        size: u64,
        root: [u8; 32],
        extensions in prop::collection::vec("[^\\p{Cc}]{1,20}", 0..3),
    ) {
        let head = Checkpoint { origin, size, root: Hash::from(root), extensions };
        prop_assert_eq!(Checkpoint::parse(&head.to_string()), Ok(head));
    }
}

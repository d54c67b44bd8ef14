//! Published notes, checkpoints, cosignatures and Ed25519 vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{data, entry, json};
use crate::note::verify_ed25519;
use crate::{Checkpoint, Cosigner, Note, NoteError, ProofFile, Signer, VerifierKey, VerifyError};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Go's private key text: `PRIVATE+KEY+name+id+base64(1 || seed)`.
fn signer(skey: &str) -> Signer {
    let mut parts = skey.splitn(5, '+').skip(2);
    let name = parts.next().unwrap();
    let seed = STANDARD.decode(parts.nth(1).unwrap()).unwrap();
    Signer::try_new(name, seed[1..].try_into().unwrap()).unwrap()
}

#[test]
fn the_published_notes_open_and_are_signed_again_to_the_same_bytes() {
    let Some(vectors) = json("notes/vectors.json") else { return };
    let mut opened = 0;
    for case in vectors["signed_note"].as_array().unwrap() {
        for bad in case["bad_vkeys"].as_array().into_iter().flatten() {
            assert!(text(bad).parse::<VerifierKey>().is_err(), "{bad}");
        }
        if let Some(vkey) = case["other_vkey"].as_str() {
            assert_eq!(vkey.parse::<VerifierKey>().unwrap().to_string(), vkey);
        }
        let Some(vkey) = case["vkey"].as_str() else { continue };
        let key: VerifierKey = vkey.parse().unwrap();
        assert_eq!(key.to_string(), vkey);
        let note = text(&case["note"]);
        let open = Note::open(note, &[key]).unwrap();
        assert_eq!(open.verified.len(), 1);
        if let Some(skey) = case["skey"].as_str() {
            let signer = signer(skey);
            assert_eq!(signer.vkey(), vkey);
            assert_eq!(signer.sign(&open.text).unwrap(), note);
        }
        opened += 1;
    }
    assert_eq!(opened, 3);
    for case in vectors["checkpoint_signed"].as_array().unwrap() {
        assert_eq!(signer(text(&case["skey"])).vkey(), text(&case["vkey"]));
    }
}

#[test]
fn the_published_cosignatures_verify_and_give_their_time() {
    let Some(vectors) = json("notes/vectors.json") else { return };
    let cases = vectors["cosignature_v1_ed25519"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let key: VerifierKey = text(&case["vkey"]).parse().unwrap();
        let open = Note::open(text(&case["note"]), &[key]).unwrap();
        assert_eq!(open.verified[0].timestamp, Some(1_767_139_200));
        assert_eq!(Checkpoint::parse(&open.text).unwrap().size, 300);
    }
}

#[test]
fn checkpoints_kept_by_another_witness_implementation_verify() {
    let base = "sunlight-cosigned-checkpoints/cmd/skylight/testdata/";
    let rome = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/checkpoint";
    let milan = "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482/checkpoint";
    for (keys, checkpoint) in [
        ("witness/witness.v0.json", format!("witness/{rome}")),
        ("witness/mirror/mirror.v0.json", format!("witness/mirror/{rome}")),
        ("witness2/witness.v0.json", format!("witness2/{milan}")),
    ] {
        let Some(keys) = json(&format!("{base}{keys}")) else { return };
        let Some(path) = data(&format!("{base}{checkpoint}")) else { return };
        let note = std::fs::read_to_string(path).unwrap();
        let key: VerifierKey = text(&keys["verifier_keys"][0]).parse().unwrap();
        let open = Note::open(&note, std::slice::from_ref(&key)).unwrap();
        assert!(open.verified[0].timestamp.is_some());
        let other = note.replacen("\n300\n", "\n301\n", 1);
        let name = key.name().to_owned();
        assert_eq!(Note::open(&other, &[key]), Err(NoteError::BadSignature { name }));
    }
}

#[test]
fn our_keys_sign_the_cross_checked_checkpoint_to_the_same_bytes() {
    let Some(vectors) = json("generated/vectors.json") else { return };
    let log = Signer::try_new("haetae.example/daegu", &[1; 32]).unwrap();
    let witness = Cosigner::try_new("witness.example/university", &[2; 32]).unwrap();
    assert_eq!(log.vkey(), text(&vectors["log_vkey"]));
    assert_eq!(witness.verifier().to_string(), text(&vectors["ed25519_witness_vkey"]));
    let note = text(&vectors["checkpoint"]);
    let open = Checkpoint::open(note, log.verifier(), &[witness.verifier().clone()]).unwrap();
    assert_eq!(open.checkpoint.size, 70_000);
    assert_eq!(open.cosignatures.len(), 1);
    assert_eq!(open.cosignatures[0].timestamp, 1_700_000_000);
    let ours = witness.cosign(&open.checkpoint.sign(&log).unwrap(), 1_700_000_000).unwrap();
    assert!(note.starts_with(&ours), "{note}\n{ours}");
    // The third signature is of the post-quantum kind: ignored, and its key text refused by name.
    let post_quantum: Result<VerifierKey, _> = text(&vectors["mldsa44_witness_vkey"]).parse();
    assert_eq!(post_quantum, Err(NoteError::UnsupportedAlgorithm(6)));
}

#[test]
fn the_cross_checked_proof_file_verifies_and_is_written_again_to_the_same_bytes() {
    let Some(vectors) = json("generated/vectors.json") else { return };
    let text_of_file = text(&vectors["tlog_proof"]);
    let file: ProofFile = text_of_file.parse().unwrap();
    assert_eq!(file.to_string(), text_of_file);
    let log: VerifierKey = text(&vectors["log_vkey"]).parse().unwrap();
    let witness: VerifierKey = text(&vectors["ed25519_witness_vkey"]).parse().unwrap();
    let entry_bytes = entry(super::index(file.index));
    let witnesses = std::slice::from_ref(&witness);
    let open = file.verify(entry_bytes.as_bytes(), &log, witnesses).unwrap();
    assert_eq!((open.checkpoint.size, open.cosignatures.len()), (70_000, 1));
    let other = file.verify(b"leaf 1", &log, witnesses);
    assert_eq!(other, Err(VerifyError::Root.into()));
}

#[test]
fn the_wycheproof_vectors_for_ed25519_are_judged_rightly() {
    let Some(vectors) = json("wycheproof/ed25519_test.json") else { return };
    let mut cases = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let public = hex::decode(text(&group["publicKey"]["pk"])).unwrap();
        let public: [u8; 32] = public.try_into().unwrap();
        for case in group["tests"].as_array().unwrap() {
            let message = hex::decode(text(&case["msg"])).unwrap();
            let signature = hex::decode(text(&case["sig"])).unwrap();
            let accepted = verify_ed25519(&public, &message, &signature).is_some();
            assert_eq!(accepted, text(&case["result"]) == "valid", "{}", case["tcId"]);
            cases += 1;
        }
    }
    assert_eq!(cases, vectors["numberOfTests"].as_u64().unwrap());
}

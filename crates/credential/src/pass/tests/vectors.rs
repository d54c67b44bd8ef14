//! Vectors of others for what is underneath: COSE examples, Wycheproof, the DCC's schema.

use serde_json::Value;

use super::{data, json, json_files};
use crate::p256_table::Table;
use crate::pass::der::{self, Der};
use crate::pass::sign1::Message;
use crate::pass::{Algorithm, PublicKey, SignatureCheck, certificate, dcc_schema, jwk};

fn hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// Whether a COSE example is read and its signature holds.
fn holds(example: &Value, signer: &Value) -> bool {
    let bytes = hex(&example["output"]["cbor"]);
    let Ok(message) = Message::read(&bytes) else { return false };
    let Some(mut check) = message.check(&jwk::public_key(&signer["key"]).unwrap()) else {
        return false;
    };
    if let Some(external) = signer["external"].as_str() {
        check.message = message.to_be_signed(&hex::decode(external).unwrap());
    }
    let to_be_signed = hex(&example["intermediates"]["ToBeSign_hex"]);
    let is_same = check.message == to_be_signed;
    assert!(is_same || example["fail"] == true, "{}", example["title"]);
    check.holds().unwrap()
}

#[test]
fn cose_examples_with_one_signer_hold_or_fail_as_published() {
    let Some(folder) = data("cose-examples") else { return };
    let mut seen = 0;
    for path in json_files(&folder) {
        let example = json(&path);
        let signer = &example["input"]["sign0"];
        if signer.is_object() {
            seen += 1;
            assert_eq!(holds(&example, signer), example["fail"] != true, "{}", path.display());
        }
    }
    println!("{seen} examples");
    assert!(9 < seen);
}

#[test]
fn cose_messages_with_several_signers_are_no_passes() {
    let Some(folder) = data("cose-examples") else { return };
    for path in json_files(&folder.join("sign-tests")) {
        assert!(Message::read(&hex(&json(&path)["output"]["cbor"])).is_err(), "{}", path.display());
    }
}

fn public_key(group: &Value) -> PublicKey {
    let info = hex(&group["publicKeyDer"]);
    certificate::public_key(Der(&info).take(der::SEQUENCE).unwrap()).unwrap()
}

fn wycheproof(start: &str, algorithm: Algorithm, flat: impl Fn(Vec<u8>) -> Option<Vec<u8>>) {
    let Some(folder) = data("wycheproof") else { return };
    let mut seen = 0;
    let is_wanted = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(start))
    };
    for path in json_files(&folder).into_iter().filter(is_wanted) {
        for group in json(&path)["testGroups"].as_array().unwrap() {
            let key = public_key(group);
            let table = match &key {
                PublicKey::P256(point) => Table::new(&point.as_slice().try_into().unwrap()),
                _ => None,
            };
            for test in group["tests"].as_array().unwrap() {
                seen += 1;
                let held = flat(hex(&test["sig"])).is_some_and(|signature| {
                    let (key, message) = (key.clone(), hex(&test["msg"]));
                    let by_table = table.as_ref().map(|it| {
                        signature.as_slice().try_into().is_ok_and(|flat| it.holds(&message, flat))
                    });
                    let check = SignatureCheck { key, algorithm, message, signature };
                    let held = check.holds().unwrap();
                    assert!(by_table.is_none_or(|it| it == held), "by its table: {test}");
                    held
                });
                let is_valid = test["result"] == "valid";
                let is_open = test["result"] == "acceptable";
                assert!(held == is_valid || is_open, "{} {test}", path.display());
            }
        }
    }
    println!("{start}: {seen} vectors");
}

#[test]
fn wycheproof_ecdsa_in_the_form_of_certificates() {
    wycheproof("ecdsa_secp256r1_sha256_test", Algorithm::Es256, |it| der::flat_signature(&it, 32));
}

#[test]
fn wycheproof_ecdsa_in_the_form_of_passes() {
    wycheproof("ecdsa_secp256r1_sha256_p1363", Algorithm::Es256, Some);
}

#[test]
fn wycheproof_rsa_pss() {
    wycheproof("rsa_pss", Algorithm::Ps256, Some);
}

#[test]
fn wycheproof_ed25519() {
    wycheproof("ed25519", Algorithm::EdDsa, Some);
}

#[test]
fn the_schemas_own_examples_are_valid() {
    let Some(folder) = data("dcc-schema") else { return };
    let mut seen = 0;
    for path in json_files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let is_example = name.starts_with("examples/") || name.starts_with("test/");
        if is_example {
            seen += 1;
            let is_valid = dcc_schema::is_valid(&json(&path));
            assert_eq!(is_valid, !name.contains("invalid"), "{name}");
        }
    }
    println!("{seen} examples");
    assert!(15 < seen);
}

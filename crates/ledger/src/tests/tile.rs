//! Paths, bundles and hash texts.

use proptest::prelude::*;

use super::json;
use crate::{
    BundleError, BundleId, Hash, HashError, MAX_ENTRY_BYTES, Resource, TileId, encode_bundle,
    leaf_hash, parse_bundle,
};

#[test]
fn paths_are_spelled_as_in_the_specification() {
    let path = |level, index, width| TileId { level, index, width }.path();
    assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(path(63, 0, 5), "tile/63/000.p/5");
    assert_eq!(BundleId { index: 1_234, width: 255 }.path(), "tile/entries/x001/234.p/255");
    assert_eq!(path(0, u64::MAX, 256), "tile/0/x018/x446/x744/x073/x709/x551/615");
}

#[test]
fn the_published_paths_are_made_and_read() {
    let Some(vectors) = json("notes/vectors.json") else { return };
    let cases = vectors["tile_paths"]["cases"].as_array().unwrap();
    for case in cases {
        let id = TileId { level: 0, index: case[0].as_u64().unwrap(), width: 256 };
        assert_eq!(id.path(), format!("tile/0/{}", case[1].as_str().unwrap()));
        assert_eq!(id.path().parse(), Ok(Resource::Tile(id)));
    }
    let cases = vectors["tile_paths"]["entries_path_for_log_index"].as_array().unwrap();
    for case in cases {
        let (index, size) = (case[0].as_u64().unwrap(), case[1].as_u64().unwrap());
        let id = BundleId::at(index / 256, size).unwrap();
        assert_eq!(id.path(), case[2].as_str().unwrap());
        assert_eq!(id.path().parse(), Ok(Resource::Bundle(id)));
    }
    assert!(cases.len() >= 7);
}

#[test]
fn any_other_spelling_of_a_path_is_refused() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/x234",
        "tile/0/001/234",
        "tile/0/x001",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/5/",
        "tile/0/000.p/5.p/5",
        "tile/0/٠٠٠",
        "tile/Entries/000",
        "tile/entries/entries/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/xx01/234",
        "tile/0/x1é/234",
    ] {
        assert!(path.parse::<Resource>().is_err(), "{path}");
    }
}

#[test]
fn a_bundle_takes_1_to_256_entries_of_at_most_65535_bytes() {
    let entries = [vec![], vec![7], vec![1; MAX_ENTRY_BYTES]];
    let bytes = encode_bundle(&entries).unwrap();
    assert_eq!(&bytes[..5], &[0, 0, 0, 1, 7]);
    assert_eq!(parse_bundle(&bytes).unwrap(), entries);
    assert_eq!(encode_bundle(&[""; 0]), Err(BundleError::Empty));
    assert_eq!(encode_bundle(&[""; 257]), Err(BundleError::TooMany));
    let long = vec![0; MAX_ENTRY_BYTES + 1];
    let refused = encode_bundle(&[long]);
    assert_eq!(refused, Err(BundleError::EntryTooLong { position: 0, length: 65_536 }));
    assert_eq!(parse_bundle(&[]), Err(BundleError::Empty));
    assert_eq!(parse_bundle(&[0; 512]).map(|entries| entries.len()), Ok(256));
    assert_eq!(parse_bundle(&[0; 514]), Err(BundleError::TooMany));
    assert_eq!(parse_bundle(&[0, 1, 9, 0]), Err(BundleError::Truncated { position: 1 }));
    assert_eq!(parse_bundle(&[0, 2, 9]), Err(BundleError::Truncated { position: 0 }));
}

#[test]
fn entries_of_every_length_hash_as_another_implementation_says() {
    for length in (0..1_100).chain([65_534, MAX_ENTRY_BYTES]) {
        let entry: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        assert_eq!(leaf_hash(&entry), Hash::from(super::slow::leaf(&entry)), "{length} bytes");
    }
}

#[test]
fn a_hash_text_has_one_spelling() {
    let hash = leaf_hash(b"");
    assert_eq!(hash.to_string(), "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=");
    assert_eq!(hash.to_hex(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    assert_eq!(Hash::from_hex(&hash.to_hex().to_uppercase()), Ok(hash));
    for (text, error) in [
        ("", HashError::Length),
        ("bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0", HashError::Encoding),
        ("bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1=", HashError::Encoding),
        ("bjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0=", HashError::Encoding),
        (" bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=", HashError::Length),
        ("bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhev", HashError::Length),
    ] {
        assert_eq!(text.parse::<Hash>(), Err(error), "{text}");
    }
    assert_eq!(Hash::from_hex("6e34"), Err(HashError::Length));
    assert_eq!(Hash::from_hex(&"zz".repeat(32)), Err(HashError::Encoding));
}

proptest! {
    #[test]
    fn every_place_is_read_back(level in 0_u8..64, index: u64, width in 1_u16..=256) {
        let tile = Resource::Tile(TileId { level, index, width });
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        let bundle = Resource::Bundle(BundleId { index, width });
        prop_assert_eq!(bundle.to_string().parse(), Ok(bundle));
    }

    #[test]
    fn whatever_is_read_as_a_path_is_written_the_same(
        path in "(tile/)?([0-9]{1,3}|entries)/(x[0-9]{3}/){0,8}[0-9]{3}(\\.p/[0-9]{1,3})?|\\PC{0,30}",
    ) {
        if let Ok(resource) = path.parse::<Resource>() {
            prop_assert_eq!(resource.to_string(), path);
        }
    }

    #[test]
    fn whatever_is_read_as_a_bundle_is_written_the_same(bytes: Vec<u8>) {
        if let Ok(entries) = parse_bundle(&bytes) {
            prop_assert_eq!(encode_bundle(&entries), Ok(bytes.clone()));
        }
    }

    #[test]
    fn entries_come_back_from_a_bundle(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..=256),
    ) {
        let bytes = encode_bundle(&entries).unwrap();
        prop_assert_eq!(parse_bundle(&bytes).unwrap(), entries);
    }
}

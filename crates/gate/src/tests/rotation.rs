//! The key that gates seal to changes: what they sealed before still counts, and nothing is called
//! unreadable for want of a file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credential::ShortCode;
use credential::sealed::QueueSealer;
use http::StatusCode;
use kernel::Id;
use serde_json::{Value, json};
use store::{By, Context, queue};
use web::Questions;
use web::testing::{Answer, House};

use super::queue::{device_key, plain};
use crate::command::{DeviceCommand, PlaceCommand};
use crate::model::{Device, Place, PlaceKind};
use crate::queue::{Batch, SealedEntry};

const CONTEXT: Context = Context::by(By::System("test"));

/// A house with a device, number 2, that is approved.
async fn house(dir: &std::path::Path) -> House {
    let house = House::open(dir, vec![crate::slice()], Questions::default());
    let open = PlaceCommand::Open {
        name: "해태 시장".to_owned(),
        organisation: Id::from_u128(9),
        kind: PlaceKind::Shop,
        sensitive: false,
        code: ShortCode::from_bits(1),
    };
    house.app.execute::<Place>(CONTEXT, 1, open).await.unwrap();
    let ask = DeviceCommand::AskEnrolment {
        place: Id::from_u128(1),
        label: "정문".to_owned(),
        public_key: device_key().1,
        waiting: 0,
    };
    house.app.execute::<Device>(CONTEXT, 2, ask).await.unwrap();
    let approve = DeviceCommand::Approve { by: Id::from_u128(3) };
    house.app.execute::<Device>(CONTEXT, 2, approve).await.unwrap();
    house
}

/// The key that a scanner is given.
async fn given(house: &House) -> [u8; 65] {
    let bundle = house.browser().get_json("/api/v1/gate/bundle").await.json();
    URL_SAFE_NO_PAD.decode(bundle["queue"].as_str().unwrap()).unwrap().try_into().unwrap()
}

/// An entry that was sealed to `key` is handed in.
async fn hand_in(house: &House, key: &[u8; 65], batch: u128, n: u64) -> Answer {
    let mut sealer = QueueSealer::new(key).unwrap();
    let text = serde_json::to_vec(&plain(house.clock_seconds())).unwrap();
    let (mut data, mut number) = (Vec::new(), 0);
    while number <= n {
        let (used, bytes) = sealer.seal(&text).unwrap();
        (number, data) = (used + 1, bytes);
    }
    let entry = SealedEntry { n, data: URL_SAFE_NO_PAD.encode(data) };
    let it = Batch {
        device: Id::from_u128(2),
        id: batch,
        first_n: n,
        made_at_s: house.clock_seconds(),
        ephemeral: sealer.ephemeral().to_vec(),
        entries: vec![entry.clone()],
    };
    let signature = device_key().0.sign(&it.signed_bytes()).unwrap();
    let body = json!({
        "device": it.device, "batch": format!("{batch:032x}"), "first_n": n, "made_at": it.made_at_s,
        "sealed": { "ephemeral": URL_SAFE_NO_PAD.encode(&it.ephemeral), "entries": [entry] },
        "signature": URL_SAFE_NO_PAD.encode(signature),
    });
    house.browser().post_json("/api/v1/gate/batches", &body).await
}

fn taken(answer: &Answer) -> (u64, Vec<Value>) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let it = answer.json();
    (it["accepted"].as_u64().unwrap(), it["rejected"].as_array().unwrap().clone())
}

trait Seconds {
    fn clock_seconds(&self) -> i64;
}

impl Seconds for House {
    fn clock_seconds(&self) -> i64 {
        self.app.now().seconds()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_sealed_to_the_key_before_count_once_until_its_time_and_none_is_lost_by_a_missing_file()
 {
    let dir = tempfile::tempdir().unwrap();
    let house = house(dir.path()).await;
    let first = given(&house).await;
    assert_eq!(taken(&hand_in(&house, &first, 1, 0).await), (1, vec![]));
    let made = house.app.store.write(|tx| tx.rotate_queue(false)).await.unwrap();
    assert_eq!(made.map(|it| it.0), Some(2));
    assert_eq!(given(&house).await, first, "gates are given it tomorrow");
    house.clock.advance_seconds(queue::AHEAD_S);
    let second = given(&house).await;
    assert_ne!(second, first);
    assert_eq!(taken(&hand_in(&house, &second, 2, 1).await), (1, vec![]));
    assert_eq!(
        taken(&hand_in(&house, &first, 3, 2).await),
        (1, vec![]),
        "sealed before, sent late"
    );
    assert_eq!(taken(&hand_in(&house, &first, 3, 2).await), (1, vec![]), "the same batch again");

    // On a machine that the file has not been copied to: the gate keeps the entry and asks again.
    let path = house.app.keyring.path("queue-2");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(given(&house).await, first, "what this machine can open");
    let answer = hand_in(&house, &second, 4, 3).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", answer.text);
    std::fs::write(&path, text).unwrap();
    assert_eq!(taken(&hand_in(&house, &second, 4, 3).await), (1, vec![]));

    // Over: what is older than may be kept is refused entry by entry, as anything unreadable.
    for _ in 0..queue::KEEP_DAYS {
        house.clock.advance_seconds(86_400);
        house.app.store.write(|tx| tx.clock_is_believed()).await.unwrap();
    }
    let destroyed = house.app.store.destroy_over_queue(&house.app.keyring).await.unwrap();
    assert_eq!(destroyed, ["queue"]);
    let (accepted, rejected) = taken(&hand_in(&house, &first, 5, 4).await);
    assert_eq!((accepted, rejected[0]["code"].as_str()), (0, Some("gate-entry-unreadable")));
    assert_eq!(taken(&hand_in(&house, &second, 6, 5).await), (1, vec![]));
}

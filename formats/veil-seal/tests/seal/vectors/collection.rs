//! Collections: `vectors/collection.json`.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use veil_seal::collection::{CollectionEpoch, EpochKey};
use veil_seal::id::{CollectionId, TitleId};
use veil_seal::identity::Identity;
use veil_seal::schedule::TitleKey;
use veil_seal::secret::Secret;

use super::{check, hex, unhex};

const FIRST: CollectionEpoch = CollectionEpoch { collection: CollectionId([0xc0; 16]), epoch: 1 };
const SECOND: CollectionEpoch = CollectionEpoch { epoch: 2, ..FIRST };
const OTHER: CollectionEpoch =
    CollectionEpoch { collection: CollectionId([0xc1; 16]), epoch: FIRST.epoch };
const EPOCH_KEY: [u8; 32] = [0xe1; 32];
const TITLE: TitleId = TitleId([0x33; 16]);
const TITLE_KEY: [u8; 32] = [0x5a; 32];

fn viewer() -> Identity {
    Identity::from_seed(Secret::new([0x77; 32]))
}

/// A case is read as being of `FIRST` and of `TITLE`; what lies in it may have been made elsewhere.
struct Made {
    name: &'static str,
    /// Where the envelope was made.
    shared: CollectionEpoch,
    /// Where the title key was wrapped, and for which title.
    wrapped: (CollectionEpoch, TitleId),
    /// Bytes cut off the end of the wrapped key.
    cut: usize,
}

fn case(made: &Made) -> Value {
    let mut rng = UnwrapErr(SysRng);
    let key_at = |of| EpochKey::new(of, Secret::new(EPOCH_KEY));
    let recipient = viewer().recipient();
    let envelope = key_at(made.shared).share(&recipient, &mut rng).unwrap();
    let (of, title) = made.wrapped;
    let title_key = TitleKey::new(Secret::new(TITLE_KEY));
    let mut wrapped = key_at(of).wrap(title, &title_key, &mut rng).unwrap();
    wrapped.truncate(wrapped.len() - made.cut);
    let opens = made.shared == FIRST;
    let unwraps = made.wrapped == (FIRST, TITLE) && made.cut == 0;
    json!({
        "name": made.name,
        "identity": *viewer().to_text(),
        "recipient": recipient.key_id().to_string(),
        "collection": FIRST.collection.to_string(),
        "epoch": FIRST.epoch,
        "aad": hex(&FIRST.aad(recipient.key_id())),
        "envelope": hex(&envelope),
        "epoch_key": opens.then(|| hex(&EPOCH_KEY)),
        "title": TITLE.to_string(),
        "wrapped": hex(&wrapped),
        "title_key": (opens && unwraps).then(|| hex(&TITLE_KEY)),
    })
}

fn cases() -> Vec<Value> {
    let good = Made { name: "opens", shared: FIRST, wrapped: (FIRST, TITLE), cut: 0 };
    let other_title = TitleId([0x34; 16]);
    [
        Made { name: "an envelope of another epoch", shared: SECOND, ..good },
        Made { name: "an envelope of another collection", shared: OTHER, ..good },
        Made { name: "a title key of another epoch", wrapped: (SECOND, TITLE), ..good },
        Made { name: "a title key of another collection", wrapped: (OTHER, TITLE), ..good },
        Made { name: "a title key of another title", wrapped: (FIRST, other_title), ..good },
        Made { name: "a title key that was cut", cut: 1, ..good },
        good,
    ]
    .iter()
    .map(case)
    .collect()
}

#[test]
fn the_collection_vectors_hold() {
    let about = "Identity to epoch key, and epoch key to title key; what is null must be refused.";
    check("collection", about, cases, |case| {
        let text = |name: &str| case[name].as_str().unwrap();
        let identity = Identity::parse(text("identity")).unwrap();
        assert_eq!(identity.key_id().to_string(), text("recipient"));
        let epoch = u32::try_from(case["epoch"].as_u64().unwrap()).unwrap();
        let of = CollectionEpoch { collection: text("collection").parse().unwrap(), epoch };
        assert_eq!(hex(&of.aad(identity.key_id())), text("aad"));
        let opened = EpochKey::open(of, &identity, &unhex(&case["envelope"]));
        let secret = opened.as_ref().ok().map(|key| hex(key.secret().expose()));
        assert_eq!(secret.as_deref(), case["epoch_key"].as_str(), "{}", case["name"]);
        let Ok(key) = opened else { return };
        let unwrapped = key.unwrap(text("title").parse().unwrap(), &unhex(&case["wrapped"]));
        let title_key = unwrapped.ok().map(|key| hex(key.secret().expose()));
        assert_eq!(title_key.as_deref(), case["title_key"].as_str(), "{}", case["name"]);
    });
}

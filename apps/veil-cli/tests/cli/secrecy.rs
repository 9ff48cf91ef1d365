//! Nothing in the bucket, and nothing in the gateway's log, tells what a title is.
//!
//! The test opens the title as its viewer does, and then looks for what it found (names, keys, every
//! 16 bytes of plaintext) in everything that is stored in clear or logged.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::Value;
use veil_seal::grant::{GrantBinding, GrantRecord, open_payload};
use veil_seal::link::LinkSecret;
use veil_seal::object::{self, Kind, Role};
use veil_seal::rendition_file::Places;
use veil_seal::schedule::TitleKey;
use veil_testkit::{ClipSpec, Codec, clip};

use crate::house::House;
use crate::up::{get, up};

const TITLE: &str = "Zanzibar Project";
const FILE: &str = "zanzibar-rushes-07";

/// A title as its viewer sees it.
struct Opened {
    role: Role,
    key: TitleKey,
    /// Sealed objects by name.
    sealed: BTreeMap<String, Vec<u8>>,
    manifest: Value,
}

impl Opened {
    fn object(&self, kind: Kind, rendition: u64, index: usize) -> Option<Vec<u8>> {
        let role = self.role(kind, rendition, index);
        let sealed = self.sealed.get(&self.key.object_name(&role).to_string())?;
        Some(object::open(&self.key.object_key(&role), &role, sealed).unwrap())
    }

    fn role(&self, kind: Kind, rendition: u64, index: usize) -> Role {
        let rendition = u16::try_from(rendition).unwrap();
        Role { kind, rendition, index: u32::try_from(index).unwrap(), ..self.role }
    }

    /// The plaintext of a rendition's objects, in whichever form it lies in the bucket.
    fn rendition(&self, rendition: &Value) -> Vec<Vec<u8>> {
        let id = rendition["id"].as_u64().unwrap();
        let segments = rendition["segments"].as_array().unwrap();
        let lengths: Vec<u64> = segments.iter().map(|it| it[1].as_u64().unwrap()).collect();
        if rendition["single_file"] == true {
            return self.file(id, rendition["init_length"].as_u64().unwrap(), &lengths);
        }
        let segment = |(index, length): (usize, &u64)| {
            let plaintext = self.object(Kind::Segment, id, index).unwrap();
            assert_eq!(plaintext.len() as u64, *length);
            plaintext
        };
        let segments = lengths.iter().enumerate().map(segment);
        self.object(Kind::Init, id, 0).into_iter().chain(segments).collect()
    }

    fn file(&self, id: u64, init_length: u64, lengths: &[u64]) -> Vec<Vec<u8>> {
        let name = self.key.object_name(&self.role(Kind::RenditionFile, id, 0));
        let file = &self.sealed[&name.to_string()];
        let mut places = Places::default();
        let mut open = |kind, index, length| {
            let place = places.next(length).unwrap();
            let place = usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
            let role = self.role(kind, id, index);
            object::open(&self.key.object_key(&role), &role, &file[place]).unwrap()
        };
        let mut all = vec![open(Kind::Init, 0, init_length)];
        let segments = lengths.iter().enumerate();
        all.extend(segments.map(|(index, length)| open(Kind::Segment, index, *length)));
        assert_eq!(places.file_bytes(), file.len() as u64);
        all
    }

    /// The plaintext of every object that the manifest tells of.
    fn plaintexts(&self) -> Vec<Vec<u8>> {
        let mut all: Vec<Vec<u8>> = vec![
            self.object(Kind::Manifest, 0, 0).unwrap(),
            self.object(Kind::Poster, 0, 0).unwrap(),
        ];
        for index in 0..self.manifest["storyboard"]["sheets"].as_array().unwrap().len() {
            all.push(self.object(Kind::Storyboard, 0, index).unwrap());
        }
        for rendition in self.manifest["renditions"].as_array().unwrap() {
            all.extend(self.rendition(rendition));
        }
        all
    }
}

/// Opens a title with nothing but its link and the bucket.
fn open(house: &House, shared: &Value) -> Opened {
    let secret = shared["link"].as_str().unwrap().split_once('#').unwrap().1;
    let identity = LinkSecret::parse(secret).unwrap().identity();
    let path = house.bucket().join("g").join(shared["grant"].as_str().unwrap());
    let record: GrantRecord = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let title = record.title.parse().unwrap();
    let binding = GrantBinding {
        grant: record.id.parse().unwrap(),
        title,
        epoch: record.epoch,
        recipient: identity.recipient().key_id(),
    };
    let envelope = record.envelope_bytes().unwrap();
    let key = open_payload(&identity, &binding, &envelope).unwrap().key;
    let folder = house.bucket().join("t").join(&record.title);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let sealed = files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .collect();
    let role = Role::single(title, Kind::Manifest);
    let mut opened = Opened { role, key, sealed, manifest: Value::Null };
    let manifest = opened.object(Kind::Manifest, 0, 0).unwrap();
    opened.manifest = serde_json::from_slice(&manifest).unwrap();
    opened
}

/// Everything in the bucket, and what studio and gateway logged while a viewer came by.
fn exposed(house: &House, shared: &Value) -> Vec<(String, Vec<u8>)> {
    let (mut up, url) = up(house);
    let link = shared["link"].as_str().unwrap();
    let (page, secret) = link.split_once('#').unwrap();
    let bearer = LinkSecret::parse(secret).unwrap().bearer().to_text();
    let grant_url = format!("{url}/v1/grants/{}", shared["grant"].as_str().unwrap());
    let path = page.split_once("/w/").unwrap().1;
    get(&format!("{url}/w/{path}"), None);
    let (status, grant) = get(&grant_url, Some(&bearer));
    assert_eq!(status, 200, "{grant}");
    let grant: Value = serde_json::from_str(&grant).unwrap();
    let index = format!("{url}{}", grant["index_url"].as_str().unwrap());
    assert_eq!(get(&index, Some(&bearer)).0, 200);
    assert_eq!(get(&grant_url, Some(&BASE64_URL_SAFE_NO_PAD.encode([1; 32]))).0, 401);
    assert_eq!(get(&format!("{url}/o/t/x?X-Amz-Signature=abc"), None).0 / 100, 4);
    up.terminate(std::time::Duration::from_secs(20)).unwrap();
    let log = up.stderr();
    assert!(log.contains("/v1/grants/"), "the log tells of requests: {log}");
    let mut all = vec![("the log".to_owned(), log.into_bytes())];
    all.extend(house.objects().into_iter().map(|path| {
        let name = path.strip_prefix(house.bucket()).unwrap().display().to_string();
        let bytes = [name.clone().into_bytes(), fs::read(path).unwrap()].concat();
        (name, bytes)
    }));
    all
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[test]
fn neither_bucket_nor_log_tells_title_name_key_or_a_piece_of_plaintext() {
    check_secrecy(&[]);
}

#[test]
fn nor_do_they_tell_of_a_title_in_single_files() {
    check_secrecy(&["--single-file"]);
}

fn check_secrecy(flags: &[&str]) {
    let house = House::new();
    let source = house.scratch(&format!("{FILE}.mkv"));
    let spec = ClipSpec { width: 320, height: 180, seconds: 3, ..ClipSpec::default() };
    fs::copy(clip(ClipSpec { codec: Codec::H264, ..spec }), &source).unwrap();
    let words = ["import".as_ref(), source.as_os_str(), "--title".as_ref(), TITLE.as_ref()];
    house.ok(words.into_iter().chain(flags.iter().map(OsStr::new)));
    let shared = house.ok(["share", TITLE]);
    let opened = open(&house, &shared);
    assert_eq!(opened.manifest["title"], TITLE);
    let plaintexts = opened.plaintexts();
    let exposed = exposed(&house, &shared);
    let identity = fs::read_to_string(house.data().join("identity.txt")).unwrap();
    let key = opened.key.secret().expose();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = shared["link"].as_str().unwrap().split_once('#').unwrap().1;
    let credential = fs::read_to_string(house.data().join("gateway.toml")).unwrap();
    let credential = credential.split('"').nth(3).unwrap();
    let bearer = LinkSecret::parse(secret).unwrap().bearer().to_text().to_string();
    let texts = [TITLE, FILE, "Zanzibar", &hex, secret, &bearer, credential, identity.trim()];
    let encoded = BASE64_URL_SAFE_NO_PAD.encode(key);
    let needles = texts.map(str::as_bytes).into_iter().chain([key.as_slice(), encoded.as_bytes()]);
    for needle in needles {
        for (name, bytes) in &exposed {
            assert!(!contains(bytes, needle), "{name} holds {}", String::from_utf8_lossy(needle));
        }
    }
    let pieces: HashSet<&[u8]> = plaintexts
        .iter()
        .flat_map(|plaintext| plaintext.chunks_exact(16))
        .filter(|piece| piece.iter().collect::<HashSet<_>>().len() > 8)
        .collect();
    assert!(pieces.len() > 1000, "there is plaintext to look for: {}", pieces.len());
    for (name, bytes) in &exposed {
        assert!(!bytes.windows(16).any(|window| pieces.contains(window)), "{name} holds plaintext");
    }
}

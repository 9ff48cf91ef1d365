//! Plain HLS trees from outside, as `docs/format/plain-hls.md` has them.
//!
//! Owns the fixture: a tree below `vod/`, its settings, and tokens for it.

mod access;
mod kept;
mod objects;
mod playlists;
mod samples;

use jiff::Timestamp;
use veil_gateway::{Origin, PlainSettings, PlainTree, PlainTrees, SigningCredential};
use veil_presign::jwt::{Claims, MintKey, Scope, mint};
use veil_presign::{Credentials, StoreUrl};

use crate::client::Answer;
use crate::site::{ACCESS_KEY_ID, NOW, SECRET, Site};

/// The secret that tokens are made with: the text of its file.
const KEY: &str = "a secret of more than thirty-two bytes\n";

/// A store that nobody asks: the bucket is a folder, and only players would go there.
const STORE: &str = "s3://films/base?endpoint=https%3A%2F%2Fstore.example.org&region=eu-test-1";

/// Where the store's objects have their URLs.
const STORE_URL: &str = "https://store.example.org/films/base/";

const MEDIA: &str = "#EXTM3U\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:2\r\n\
    #EXT-X-KEY:METHOD=AES-128,URI=\"keys/a.key\",IV=0x1\r\n#EXT-X-MAP:URI=\"init.mp4\"\r\n\
    #EXT-X-FOO:URI=\"x.ts\"\r\n#EXTINF:2.0,\r\n#EXT-X-BYTERANGE:10@0\r\nsub/a%20b.ts\r\n#EXTINF:2.0,\r\n\
    #EXT-X-BYTERANGE:10\r\nsub/a%20b.ts\r\n#EXTINF:2.0,\r\nhttps://cdn.example/b.ts\r\n\
    #EXT-X-MAP:URI=\"data:video/mp4;base64,AA\"\r\n#EXTINF:2.0,\r\nc.m4s?x=1\r\n#EXT-X-ENDLIST";

const INDEX: &str = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"a/a.m3u8\"\n\
    #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv/v.m3u8?b=1\n#EXT-X-SESSION-DATA:DATA-ID=\"x\",URI=\"x.json\"\n";

/// The trees of these settings, with the store for presigned URLs.
fn trees(settings: &[&str]) -> PlainTrees {
    let StoreUrl::S3(place) = StoreUrl::parse(STORE).unwrap() else { panic!("no place") };
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET.to_owned()).unwrap();
    let origin = Origin::new(&place, SigningCredential::lasting(credentials));
    let tree = |text: &&str| {
        let settings: PlainSettings = toml::from_str(text).unwrap();
        PlainTree::new(&settings, Some(KEY), Some(&origin)).unwrap()
    };
    PlainTrees::new(settings.iter().map(tree).collect()).unwrap()
}

const LOCAL: &str = "prefix = \"vod/\"\nauth = \"token\"\nmode = \"local\"\n";
const PRESIGNED: &str = "prefix = \"signed/\"\nauth = \"token\"\n";
const OPEN: &str = "prefix = \"open/\"\nauth = \"none\"\nmode = \"local\"\n";
const EMBEDDED: &str = "prefix = \"embed/\"\nauth = \"token\"\nsame_site = \"none\"\n\
    mode = \"local\"\naudience = \"here\"\nextensions = [\"bin\"]\n";

/// A site with the same files below each prefix.
fn site() -> Site {
    let site = Site::plain(trees(&[LOCAL, PRESIGNED, OPEN, EMBEDDED]));
    for prefix in ["vod", "signed", "open", "embed"] {
        site.write(&format!("{prefix}/show/index.m3u8"), INDEX.as_bytes());
        site.write(&format!("{prefix}/show/media.m3u8"), MEDIA.as_bytes());
        site.write(&format!("{prefix}/show/sub/a b.ts"), &[7; 1000]);
        site.write(&format!("{prefix}/show/x.bin"), b"bin");
        site.write(&format!("{prefix}/show/notes.html"), b"<script>");
        site.write(&format!("{prefix}/show2/media.m3u8"), MEDIA.as_bytes());
    }
    site
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A token for `path` that ends `life_s` from now.
fn token(path: &str, life_s: i64, audience: Option<&str>) -> String {
    let key = MintKey::hs256(KEY.trim_end().as_bytes()).unwrap();
    let scope = Scope::parse(path).unwrap();
    let end = Timestamp::from_second(now().as_second() + life_s).unwrap();
    mint(&key, &Claims { scope: &scope, end, start: None, subject: None, audience }).unwrap()
}

impl Site {
    #[track_caller]
    fn get_with(&self, target: &str, token: &str) -> Answer {
        self.send(&format!("GET {target}"), &[&format!("Authorization: Bearer {token}")])
    }
}

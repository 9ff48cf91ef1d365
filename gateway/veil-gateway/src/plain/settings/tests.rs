//! Settings that are sound, and each way in which they are not.

use veil_presign::{Credentials, StoreUrl};

use super::*;
use crate::signer::SigningCredential;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn settings(text: &str) -> PlainSettings {
    toml::from_str(text).unwrap()
}

fn origin() -> Origin {
    let StoreUrl::S3(place) = StoreUrl::parse("s3://films").unwrap() else { panic!("no place") };
    let credentials = Credentials::new("AKIATEST", SECRET.to_owned()).unwrap();
    Origin::new(&place, SigningCredential::lasting(credentials))
}

#[track_caller]
fn refused(text: &str, key: Option<&str>) -> PlainError {
    PlainTree::new(&settings(text), key, None).err().unwrap()
}

#[test]
fn the_least_that_can_be_written_has_the_documented_defaults() {
    let least = settings("prefix = \"vod/\"\nauth = \"token\"\n");
    let all = settings(
        "prefix = \"vod/\"\nauth = \"token\"\nalgorithm = \"HS256\"\nsame_site = \"lax\"\n\
         extensions = []\nurl_life_s = 14400\nurl_window_s = 1800\n",
    );
    assert_eq!(least, all);
    let open: Result<PlainSettings, _> = toml::from_str("prefix = \"vod/\"\n");
    assert!(open.is_err(), "a tree without auth");
    let odd: Result<PlainSettings, _> = toml::from_str("prefix = \"vod/\"\nauth = \"none\"\nx = 1");
    assert!(odd.is_err(), "an unknown key");
}

#[test]
fn the_documented_tree_names_every_key() {
    let page = include_str!("../../../../../docs/operations/gateway.toml");
    let tree = page.split_once("#[[plain]]\n").unwrap().1;
    let lines = tree.lines().filter_map(|line| line.strip_prefix('#'));
    let keys: String =
        lines.filter(|line| !line.starts_with(' ')).map(|l| format!("{l}\n")).collect();
    let shown: toml::Table = toml::from_str(&keys).unwrap();
    let known = serde_json::to_value(settings(&keys)).unwrap();
    let known: Vec<&String> = known.as_object().unwrap().keys().collect();
    assert_eq!(shown.keys().len(), known.len());
    assert!(known.iter().all(|key| shown.contains_key(*key)), "{known:?}");
    let least = settings("prefix = \"vod/\"\nauth = \"token\"\n");
    let documented = settings(&keys);
    let (mode, key, audience) = (documented.mode, least.key.clone(), least.audience.clone());
    assert_eq!(
        PlainSettings { mode, key, audience, ..documented.clone() },
        PlainSettings { mode, ..least }
    );
}

#[test]
fn objects_come_from_the_store_where_there_is_one_unless_told_otherwise() {
    let origin = origin();
    let mode = |more: &str, origin: Option<&Origin>| {
        let text = format!("prefix = \"vod/\"\nauth = \"none\"\n{more}");
        PlainTree::new(&settings(&text), None, origin).map(|tree| tree.signer.is_some())
    };
    assert_eq!(mode("", None), Ok(false));
    assert_eq!(mode("", Some(&origin)), Ok(true));
    assert_eq!(mode("mode = \"local\"", Some(&origin)), Ok(false));
    assert_eq!(mode("mode = \"presigned\"", None), Err(PlainError::NoStore("vod/".to_owned())));
}

#[test]
fn a_prefix_that_is_no_folder_or_reaches_what_is_sealed_is_refused() {
    for prefix in ["", "/", "vod", "/vod/", "vod//", "../", "vod/../", "a%20b/", "a?b/", "a\\\\b/"]
    {
        let error = refused(&format!("prefix = \"{prefix}\"\nauth = \"none\""), None);
        assert_eq!(error, PlainError::Prefix, "{prefix}");
    }
    for prefix in ["t/", "g/", "t/11111111111111111111111111111111/", "g/x/"] {
        let error = refused(&format!("prefix = \"{prefix}\"\nauth = \"none\""), None);
        assert_eq!(error, PlainError::Sealed(prefix.to_owned()));
    }
}

#[test]
fn a_token_needs_a_key_that_is_one() {
    let text = "prefix = \"vod/\"\nauth = \"token\"\n";
    assert_eq!(refused(text, None), PlainError::NoKey("vod/".to_owned()));
    let bad = |error| PlainError::Key { prefix: "vod/".to_owned(), error };
    assert_eq!(refused(text, Some("short\n")), bad(KeyError::Secret));
    let pem = format!("{text}algorithm = \"ES256\"\n");
    assert_eq!(refused(&pem, Some(SECRET)), bad(KeyError::Public));
    let good = PlainTree::new(&settings(text), Some(&format!("{SECRET}\r\n")), None);
    assert!(good.is_ok());
}

#[test]
fn a_value_out_of_its_range_is_named() {
    let check = |more: &str, expected: &str| {
        let text = format!("prefix = \"vod/\"\nauth = \"none\"\n{more}\n");
        assert_eq!(refused(&text, None).to_string(), expected);
    };
    check("url_life_s = 59", "plain.url_life_s is 59; it goes from 60 to 604800");
    check("url_life_s = 604801", "plain.url_life_s is 604801; it goes from 60 to 604800");
    check("url_window_s = 86401", "plain.url_window_s is 86401; it goes from 0 to 86400");
    let text = "plain.extensions has \".BIN\"; an extension is lower-case letters and digits";
    check("extensions = [\"bin\", \".BIN\"]", text);
}

#[test]
fn the_nearest_tree_is_a_keys_own_and_none_stands_twice() {
    let tree = |prefix: &str| {
        let text = format!("prefix = \"{prefix}\"\nauth = \"none\"\n");
        PlainTree::new(&settings(&text), None, None).unwrap()
    };
    let trees = PlainTrees::new(vec![tree("vod/"), tree("vod/kids/"), tree("live/")]).unwrap();
    let found = |key: &str| trees.find(key).map(|tree| tree.prefix.clone());
    assert_eq!(found("vod/kids/a.m3u8").as_deref(), Some("vod/kids/"));
    assert_eq!(found("vod/kidsa.m3u8").as_deref(), Some("vod/"));
    for key in ["vod", "vodka/a.m3u8", "t/a", "a.m3u8"] {
        assert_eq!(found(key), None, "{key}");
    }
    let twice = PlainTrees::new(vec![tree("vod/"), tree("live/"), tree("vod/")]).err();
    assert_eq!(twice, Some(PlainError::Twice("vod/".to_owned())));
}

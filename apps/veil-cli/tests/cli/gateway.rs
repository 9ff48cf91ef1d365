//! `veilcast gateway`: the same process becomes the gateway.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use veil_testkit::{binary, process};

use crate::house::{House, LIMIT};
use crate::up::get;

/// An empty bucket and a credential, as flags of the gateway.
fn flags(house: &House) -> [PathBuf; 2] {
    assert!(binary("veilcast-gateway").is_file());
    let (bucket, file) = (house.scratch("bucket"), house.scratch("credentials.toml"));
    fs::create_dir(&bucket).unwrap();
    let secret = "0123456789abcdef0123456789abcdef";
    fs::write(&file, format!("access_key_id = \"a\"\nsecret_access_key = \"{secret}\"\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    [bucket, file]
}

fn words<'a>(flags: &'a [PathBuf; 2], more: &'a [&'a str]) -> Vec<&'a OsStr> {
    let [bucket, file] = flags;
    let mut words: Vec<&OsStr> = vec!["gateway".as_ref(), "--bucket".as_ref(), bucket.as_ref()];
    words.extend([OsStr::new("--credentials"), file.as_ref()]);
    words.extend(more.iter().map(OsStr::new));
    words
}

#[test]
fn the_gateway_has_the_commands_process_id_and_gets_its_signals() {
    let house = House::new();
    let flags = flags(&house);
    let mut running = house.start(words(&flags, &["--listen", "127.0.0.1:0"]));
    let ready = running.ready("listening", LIMIT).unwrap();
    let url = ready["url"].as_str().unwrap();
    assert_eq!(get(&format!("{url}/healthz"), None).0, 200);
    assert_eq!(process(running.id()).unwrap().name, "veilcast-gatewa");
    assert_eq!(running.terminate(LIMIT).unwrap().code(), Some(0));
    assert!(!house.data().exists(), "a gateway needs no data folder");
}

#[test]
fn flags_help_and_exit_codes_are_the_gateways() {
    let house = House::new();
    let flags = flags(&house);
    let checked = house.run(words(&flags, &["--check-config"])).success().unwrap();
    assert!(checked.text().contains("# this would run"), "{}", checked.text());
    let help = house.run(["gateway", "--help"]).success().unwrap().text();
    assert!(help.contains("--check-config") && help.contains("veilcast-gateway"), "{help}");
    let bad = house.run(["gateway", "--bucket", "/nowhere", "--check-config"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(bad.stderr.contains("the bucket /nowhere cannot be opened"), "{}", bad.stderr);
    assert_eq!(house.run(["gateway"]).status.code(), Some(2));
}

//! `veilcast up --bucket`: what it serves, and what it says of titles that lie elsewhere.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use veil_testkit::{S3Server, Spawned, run};

use crate::grants::secret_of;
use crate::house::{House, LIMIT, short_clip};
use crate::street::Street;
use crate::up::get;

/// A house and a store, with nothing in them.
fn empty() -> Street {
    Street { house: House::new(), server: S3Server::start().unwrap() }
}

/// Starts `up` with more flags; returns what it said when it was ready, too.
fn up(street: &Street, flags: &str) -> (Spawned, Value) {
    let mut up = street.start(&format!("up --listen 127.0.0.1:0 {flags}"));
    let ready = up.ready("ready", LIMIT).unwrap();
    (up, ready)
}

/// Fetches the way in of a link, as a player does, and all that a playlist names; returns the bytes of the objects.
pub(crate) fn watch(shared: &Value) -> Vec<Vec<u8>> {
    let link = shared["link"].as_str().unwrap();
    let bearer = secret_of(&shared["link"]).bearer().to_text().to_string();
    let gateway = &link[..link.find("/w/").unwrap()];
    let fetch = |path: &str| {
        let (status, body) = get(&format!("{gateway}{path}"), Some(&bearer));
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    let grant = fetch(&format!("/v1/grants/{}", shared["grant"].as_str().unwrap()));
    let grant: Value = serde_json::from_str(&grant).unwrap();
    let index_url = grant["index_url"].as_str().unwrap();
    let index = fetch(index_url);
    let media = index.lines().find(|line| line.ends_with(".m3u8")).unwrap();
    let folder = &index_url[..=index_url.rfind('/').unwrap()];
    let objects = fetch(&format!("{folder}{}", media.rsplit('/').next().unwrap()));
    let objects = objects.lines().filter(|line| line.starts_with('/'));
    let object = |path: &str| {
        let mut answer = ureq::get(format!("{gateway}{path}")).call().unwrap();
        answer.body_mut().read_to_vec().unwrap()
    };
    objects.map(object).collect()
}

#[test]
fn a_gateway_on_a_bucket_elsewhere_serves_what_lies_there() {
    let street = empty();
    let url = street.server.url_below("films");
    street.ok(&format!("import {} --title Film --to {url}", short_clip().display()));
    let (mut up, ready) = up(&street, &format!("--bucket {url}"));
    assert_eq!(ready["store"], url);
    let shared = street.run("share Film");
    assert!(!shared.stderr.contains("note:"), "{}", shared.stderr);
    let shared: Value = serde_json::from_str(&shared.text()).unwrap();
    let objects = watch(&shared);
    let folder = street.server.folder().join("films/t").join(street.id());
    let stored: Vec<Vec<u8>> =
        fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!objects.is_empty() && objects.iter().all(|object| stored.contains(object)));
    let told = street.ok(&format!("revoke {}", shared["grant"].as_str().unwrap()));
    assert_eq!(told["gateway_told"], true);
    assert!(!up.stderr().contains(street.server.secret()), "{}", up.stderr());
    assert!(up.terminate(Duration::from_secs(20)).unwrap().success());
}

#[test]
fn the_variable_that_imports_publish_by_says_what_is_served_too() {
    let street = empty();
    let url = street.server.url();
    let with_store = |line: &str| {
        let mut command = street.command(line);
        command.env("VEILCAST_STORE", &url);
        command
    };
    let import = format!("import {} --title Film", short_clip().display());
    run(&mut with_store(&import), LIMIT).unwrap().success().unwrap();
    let mut up = Spawned::start(&mut with_store("up --listen 127.0.0.1:0")).unwrap();
    assert_eq!(up.ready("ready", LIMIT).unwrap()["store"], url);
    assert!(!watch(&street.ok("share Film")).is_empty());
}

#[test]
fn a_title_that_lies_elsewhere_is_told_with_its_place() {
    let street = Street { house: House::with_title("Film"), server: S3Server::start().unwrap() };
    let url = street.server.url();
    street.ok(&format!("publish Film --to {url}"));
    let (mut both, _) = up(&street, "");
    assert!(!both.stderr().contains("note:"), "{}", both.stderr());
    assert!(!watch(&street.ok("share Film")).is_empty());
    both.terminate(Duration::from_secs(20)).unwrap();

    street.ok("unpublish Film --from local");
    let (mut own, ready) = up(&street, "");
    assert_eq!(ready["store"], "local");
    let note = format!("\"Film\" is not served here: it lies at {url}, which --bucket names");
    assert!(own.stderr().contains(&note), "{}", own.stderr());
    let shared = street.run("share Film");
    assert!(
        shared.stderr.contains(&format!("`veilcast up --bucket '{url}'`")),
        "{}",
        shared.stderr
    );
    own.terminate(Duration::from_secs(20)).unwrap();

    // The same bucket by other words is the same place.
    let again = url.replace("us-east-1", "auto");
    let (mut there, _) = up(&street, &format!("--bucket {again}"));
    assert!(!there.stderr().contains("note:"), "{}", there.stderr());
    let shared = street.run("share Film");
    assert!(!shared.stderr.contains("note:"), "{}", shared.stderr);
    assert!(!watch(&serde_json::from_str(&shared.text()).unwrap()).is_empty());
}

#[test]
fn a_folder_elsewhere_is_served_as_well() {
    let street = Street { house: House::with_title("Film"), server: S3Server::start().unwrap() };
    let shelf = street.house.scratch("shelf");
    street.ok(&format!("move Film --to {}", shelf.display()));
    let (_up, ready) = up(&street, &format!("--bucket {}", shelf.display()));
    assert_eq!(ready["store"], format!("file://{}", shelf.display()));
    assert!(!watch(&street.ok("share Film")).is_empty());
}

#[test]
fn a_bucket_that_is_none_is_told_before_anything_listens() {
    let street = empty();
    let absent = street.server.url().replace("videos", "absent");
    let error = street.fails(&format!("up --listen 127.0.0.1:0 --bucket {absent}"));
    assert!(error.contains("NoSuchBucket") && error.contains("hint: "), "{error}");
    let mut command = street.command(&format!("up --bucket {}", street.server.url()));
    command.env_remove("AWS_ACCESS_KEY_ID");
    let finished = run(&mut command, LIMIT).unwrap();
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.stderr.contains("credential"), "{}", finished.stderr);
    assert!(!finished.text().contains("\"ready\""));
}

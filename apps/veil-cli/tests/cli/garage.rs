//! Publishing to Garage, a store that is strict where the one in the process is lax; in the full run alone
//! (`cargo xtask test --full`).

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use veil_testkit::{Finished, Garage, Spawned, run};

use crate::house::{House, LIMIT, short_clip};
use crate::street::{command, contents, write_large_object};
use crate::up::get;

/// A house and a Garage.
struct Farm {
    house: House,
    garage: Garage,
}

impl Farm {
    /// `None` where there is no Garage to be had.
    fn new(house: impl FnOnce() -> House) -> Option<Self> {
        let garage = Garage::start().unwrap()?;
        Some(Self { house: house(), garage })
    }

    fn run(&self, line: &str) -> Finished {
        run(&mut command(&self.house, &self.garage.variables(), line), LIMIT).unwrap()
    }

    fn ok(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(line).success().unwrap().text()).unwrap()
    }

    fn start(&self, line: &str) -> Spawned {
        Spawned::start(&mut command(&self.house, &self.garage.variables(), line)).unwrap()
    }

    fn fails(&self, line: &str) -> String {
        let finished = self.run(line);
        assert_eq!(finished.status.code(), Some(1), "{line}: {}", finished.stderr);
        finished.stderr
    }

    /// Adds objects to the only title: a hundred small ones, and one of so many MiB.
    fn add_objects(&self, mebibytes: u32) {
        let id = self.house.titles()[0]["id"].as_str().unwrap().to_owned();
        let folder = self.house.bucket().join("t").join(id);
        for number in 0..100_u8 {
            let bytes = vec![number; 10_000 + usize::from(number)];
            fs::write(folder.join(format!("{number:032x}")), bytes).unwrap();
        }
        write_large_object(&folder.join("f".repeat(32)), mebibytes);
    }
}

#[test]
fn a_title_goes_to_garage_and_home_again_and_is_the_same() {
    let Some(farm) = Farm::new(|| House::with_title("Film")) else { return };
    farm.add_objects(20);
    let grant = farm.ok("share Film")["grant"].as_str().unwrap().to_owned();
    let original = contents(&farm.house.bucket());
    let url = farm.garage.url_below("films/2026");
    let published = farm.ok(&format!("publish Film --to {url}"));
    assert_eq!((&published["skipped_objects"], &published["grants"]), (&0.into(), &1.into()));
    let again = farm.ok(&format!("publish Film --to {url}"));
    assert_eq!((&again["copied_objects"], &again["copied_bytes"]), (&0.into(), &0.into()));
    farm.ok("unpublish Film --from local");
    assert!(farm.house.objects().is_empty());
    let moved = farm.ok("move Film --to local");
    assert_eq!(moved["left"][0]["failure"], Value::Null);
    assert_eq!(contents(&farm.house.bucket()), original);

    farm.ok(&format!("move Film --to {url}"));
    farm.ok(&format!("revoke {grant}"));
    assert_eq!(farm.ok("doctor")["ok"], true);
    farm.ok("remove Film --yes");
    assert!(farm.house.titles().is_empty());
}

#[test]
fn a_title_in_single_files_is_imported_to_garage_and_watched_from_there() {
    let Some(farm) = Farm::new(House::new) else { return };
    let url = farm.garage.url_below("films");
    let clip = short_clip();
    farm.ok(&format!("import {} --title Film --single-file --to {url}", clip.display()));
    let mut up = farm.start(&format!("up --listen 127.0.0.1:0 --bucket {url}"));
    up.ready("ready", LIMIT).unwrap();
    let objects = crate::served::watch(&farm.ok("share Film"));
    assert!(objects.iter().any(|object| object.len() > 10_000));
    assert!(up.terminate(Duration::from_secs(20)).unwrap().success());
}

#[test]
fn a_large_object_goes_on_with_the_parts_that_garage_has() {
    let Some(farm) = Farm::new(|| House::with_title("Film")) else { return };
    farm.add_objects(112);
    let line = format!("publish Film --to {}", farm.garage.url_below("films"));
    let mut killed = farm.start(&line);
    // Its 14 parts and a bit are read once for the fingerprint. Of 13 more that are read to be sent, eight are under way.
    while bytes_read(killed.id()) < (14 + 13) << 23 {
        assert!(killed.try_wait().unwrap().is_none(), "{}", killed.stderr());
        sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    let done = farm.ok(&line);
    let (bytes, copied) = (done["bytes"].as_u64().unwrap(), done["copied_bytes"].as_u64().unwrap());
    assert!(copied + (4 << 23) < bytes, "{copied} of {bytes} were sent again");
    assert_eq!(farm.ok(&line)["copied_bytes"], 0);
    farm.ok("unpublish Film --from local");
    farm.ok("move Film --to local");
}

/// Bytes that a process has read so far (proc(5), `rchar`).
fn bytes_read(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

#[test]
fn what_garage_refuses_is_told_in_its_words_with_the_way_out() {
    let Some(farm) = Farm::new(|| House::with_title("Film")) else { return };
    let url = farm.garage.url_below("films");
    let check = |url: &str, parts: &[&str]| {
        let error = farm.fails(&format!("publish Film --to {url}"));
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
        assert!(!error.contains(farm.garage.secret()), "{error}");
    };
    check(&url.replace("videos", "absent"), &["NoSuchBucket", "hint: make the bucket first"]);
    check(&url.replace("region=garage", "region=eu-west-1"), &["hint: name the bucket's region"]);
    let line = format!("publish Film --to {url}");
    let mut wrong = command(&farm.house, &farm.garage.variables(), &line);
    wrong.env("AWS_SECRET_ACCESS_KEY", "0".repeat(64));
    let finished = run(&mut wrong, LIMIT).unwrap();
    assert!(finished.stderr.contains("hint: check the credential"), "{}", finished.stderr);
    wrong.envs(farm.garage.variables()).env("AWS_ACCESS_KEY_ID", "GK000000000000000000000000");
    let finished = run(&mut wrong, LIMIT).unwrap();
    assert!(finished.stderr.contains("hint: check the credential"), "{}", finished.stderr);
}

#[test]
fn a_plain_request_without_a_signature_gets_nothing_from_garage() {
    let Some(farm) = Farm::new(House::new) else { return };
    let url = format!("{}/{}/t/a", farm.garage.endpoint(), farm.garage.bucket());
    assert_eq!(get(&url, None).0, 403);
}

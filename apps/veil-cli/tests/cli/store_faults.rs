//! What happens to copies and moves when a store, a disk or the command itself fails: nothing is lost, and it goes on.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use veil_testkit::{Fault, S3Server, Trouble, files_below, run};

use crate::house::{House, LIMIT, long_clip, short_clip};
use crate::street::{Street, contents, wait_for_objects};

#[test]
fn a_publish_that_is_killed_goes_on_where_it_was() {
    let street = Street::new();
    let line = format!("publish Film --to {}", street.server.url());
    street.server.fault(Fault::new(Trouble::Slow(Duration::from_millis(50))).on("PUT"));
    let mut publish = street.start(&line);
    wait_for_objects(&mut publish, &street.server.folder(), 20);
    publish.kill().unwrap();
    street.server.heal();
    assert_eq!(street.places()[1].1, "writing");
    let half = files_below(&street.server.folder().join("t")).unwrap().len();
    assert!(half < files_below(&street.title_folder()).unwrap().len());
    street.ok("share Film");

    let rest = street.ok(&line);
    assert!(rest["skipped_objects"].as_u64().unwrap() >= 20, "{rest}");
    assert_eq!(rest["grants"], 1, "a grant made meanwhile goes along");
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));
    assert_eq!(street.places()[1].1, "ready");
}

#[test]
fn a_move_that_is_killed_leaves_a_whole_title_and_goes_on() {
    let street = Street::new();
    let original = contents(&street.house.bucket());
    let line = format!("move Film --to {}", street.server.url());
    street.server.fault(Fault::new(Trouble::Slow(Duration::from_millis(50))).on("PUT"));
    let mut copying = street.start(&line);
    wait_for_objects(&mut copying, &street.server.folder(), 20);
    copying.kill().unwrap();
    assert_eq!(contents(&street.house.bucket()), original);

    // Killed again, at the end: while every object is asked for its fingerprint.
    street.server.heal();
    street.server.fault(Fault::new(Trouble::Slow(Duration::from_secs(60))).on("HEAD").after(60));
    let mut verifying = street.start(&line);
    wait_for_objects(&mut verifying, &street.server.folder(), original.len());
    verifying.kill().unwrap();
    assert_eq!(contents(&street.house.bucket()), original);
    street.server.heal();

    street.ok(&line);
    assert!(street.house.objects().is_empty());
    assert_eq!(contents(&street.server.folder()), original);
}

#[test]
fn what_a_move_could_not_delete_is_swept_when_the_store_is_back() {
    let street = Street::new();
    let original = contents(&street.house.bucket());
    street.ok(&format!("move Film --to {}", street.server.url()));
    street.server.fault(Fault::new(Trouble::Answer(403)).on("POST"));
    let finished = street.run("move Film --to local").success().unwrap();
    assert!(finished.stderr.contains("is deleted later"), "{}", finished.stderr);
    assert_eq!(contents(&street.house.bucket()), original);
    assert_eq!(street.places()[1].1, "removing");
    street.server.go_away();
    let clip = short_clip();
    let line = format!("import {} --title Other --ladder 480", clip.display());
    let finished = street.run(&line).success().unwrap();
    assert!(finished.stderr.contains("warning: something is left"), "{}", finished.stderr);
    street.server.come_back().unwrap();
    street.server.heal();
    street.ok(&line.replace("Other", "Third"));
    assert_eq!(files_below(&street.server.folder()).unwrap(), Vec::<PathBuf>::new());
    let film = street.house.titles().into_iter().find(|title| title["title"] == "Film").unwrap();
    assert_eq!(film["stores"].as_array().unwrap().len(), 1);
}

#[test]
fn a_store_that_stumbles_is_asked_again() {
    let street = Street::new();
    let url = street.server.url();
    for trouble in [Trouble::Answer(500), Trouble::Answer(503), Trouble::HangUp] {
        street.server.fault(Fault::new(trouble).on("PUT").after(5).times(3));
    }
    street.server.fault(Fault::new(Trouble::Slow(Duration::from_millis(300))).times(10));
    street.ok(&format!("publish Film --to {url}"));
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));

    // A body that breaks off is read again, and never taken for the whole.
    let shelf = street.house.scratch("shelf");
    street.ok("unpublish Film --from local");
    street.server.fault(Fault::new(Trouble::Cut(1000)).on("GET").at("/t/").times(5));
    street.ok(&format!("publish Film --to {}", shelf.display()));
    assert_eq!(contents(&shelf), contents(&street.server.folder()));
}

#[test]
fn a_store_that_goes_away_in_the_middle_may_come_back() {
    let street = Street::new();
    let line = format!("publish Film --to {}", street.server.url());
    street.server.fault(Fault::new(Trouble::Slow(Duration::from_millis(50))).on("PUT"));
    let mut publish = street.start(&line);
    wait_for_objects(&mut publish, &street.server.folder(), 10);
    street.server.go_away();
    sleep(Duration::from_millis(500));
    assert!(publish.try_wait().unwrap().is_none(), "it gave up: {}", publish.stderr());
    street.server.come_back().unwrap();
    assert!(publish.wait(LIMIT).unwrap().success(), "{}", publish.stderr());
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));
}

#[test]
fn each_refusal_says_which_bucket_what_it_said_and_what_helps() {
    let street = Street::new();
    let url = street.server.url();
    let check = |line: &str, parts: &[&str]| {
        let error = street.fails(line);
        for part in parts {
            assert!(error.contains(part), "{line}: {part:?} is not in {error}");
        }
        assert!(!error.contains(street.server.secret()), "{error}");
    };
    let publish = format!("publish Film --to {url}");
    street.server.fault(Fault::new(Trouble::Answer(403)).on("PUT"));
    check(
        &publish,
        &[
            "the bucket s3://videos?endpoint=",
            "cannot be written: AccessDenied",
            "hint: ",
            "s3:PutObject",
        ],
    );
    street.server.heal();
    check(&publish.replace("videos", "absent"), &["NoSuchBucket", "hint: make the bucket first"]);
    check(&format!("{publish}&profile=work"), &["profile \"work\"", "hint: set AWS_ACCESS_KEY_ID"]);
    check("publish Film --to s3://AKIA:secret@videos", &["a store's URL holds no credential"]);
    check("publish Film --to gs://videos", &["a store is s3://BUCKET/PREFIX", "hint: examples:"]);
    check("publish Nobody --to local", &["there is no title \"Nobody\""]);
    check("publish Film --to /nowhere/at/all", &["cannot create the folder /nowhere/at/all"]);

    let with = |name: &str, value: &str| {
        run(street.command(&publish).env(name, value), LIMIT).unwrap().stderr
    };
    let error = with("AWS_SECRET_ACCESS_KEY", "another");
    assert!(
        error.contains("SignatureDoesNotMatch") && error.contains("hint: check the credential"),
        "{error}"
    );
    let error = with("AWS_ACCESS_KEY_ID", "");
    assert!(
        error.contains("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: the access key id"),
        "{error}"
    );
    let mut bare = street.command(&publish);
    let bare = run(bare.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY"), LIMIT)
        .unwrap();
    assert!(bare.stderr.contains("there is no credential for s3://videos"), "{}", bare.stderr);

    street.server.go_away();
    let mut away = street.command(&publish);
    let away = run(away.env("VEILCAST_STORE_PATIENCE", "1s"), LIMIT).unwrap();
    assert!(away.stderr.contains("cannot be listed: no connection"), "{}", away.stderr);
    assert!(away.stderr.contains("hint: check the endpoint and the network"), "{}", away.stderr);
    assert_eq!(street.places()[0], ("local".to_owned(), "ready".to_owned()));
}

#[test]
fn an_object_that_was_damaged_in_the_bucket_is_noticed_and_mended() {
    let street = Street::new();
    let url = street.server.url();
    street.ok(&format!("publish Film --to {url}"));
    let object = street.server.folder().join("t").join(street.id()).join(format!("{:032x}", 7));
    let good = fs::read(&object).unwrap();
    // Cut short, as a bad disk leaves it: its size says so.
    fs::write(&object, &good[..100]).unwrap();
    let mended = street.ok(&format!("publish Film --to {url}"));
    assert_eq!(mended["copied_objects"], 1);
    assert_eq!(fs::read(&object).unwrap(), good);
    // Changed without its length: what is read doesn't match what the store noted when it was written.
    let mut bad = good.clone();
    bad[0] ^= 1;
    fs::write(&object, &bad).unwrap();
    let shelf = street.house.scratch("shelf");
    street.ok("unpublish Film --from local");
    let error = street.fails(&format!("publish Film --to {}", shelf.display()));
    assert!(error.contains("changed while it was copied"), "{error}");
}

#[test]
fn a_full_disk_ends_a_move_and_loses_nothing() {
    let street = Street::new();
    let original = contents(&street.house.bucket());
    let shelf = street.house.scratch("shelf");
    fs::create_dir(&shelf).unwrap();
    let script = "mount -t tmpfs -o size=300k tmpfs \"$1\" || exit 99; shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(&shelf);
    command.arg(env!("CARGO_BIN_EXE_veilcast")).arg("--data").arg(street.house.data());
    let finished = run(command.args(["move", "Film", "--to"]).arg(&shelf), LIMIT).unwrap();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    assert!(finished.stderr.contains("hint: free some space"), "{}", finished.stderr);
    assert_eq!(contents(&street.house.bucket()), original);
    street.ok(&format!("move Film --to {}", shelf.display()));
    assert_eq!(contents(&shelf), original);
}

#[test]
fn an_import_into_a_failing_store_leaves_nothing_and_says_why() {
    let street = Street { house: House::new(), server: S3Server::start().unwrap() };
    let clip = short_clip();
    let line = format!("import {} --title Film --to {}", clip.display(), street.server.url());
    street.server.fault(Fault::new(Trouble::Answer(403)).on("PUT").after(4));
    let error = street.fails(&line);
    assert!(error.contains("cannot be written: AccessDenied"), "{error}");
    assert_eq!(files_below(&street.server.folder()).unwrap(), Vec::<PathBuf>::new());
    assert!(street.house.titles().is_empty());
    // A bucket that can't be read is known before anything is encoded.
    street.server.heal();
    street.server.fault(Fault::new(Trouble::Answer(403)).on("GET"));
    street.server.forget_seen();
    let error = street.fails(&line);
    assert!(error.contains("cannot be listed: AccessDenied"), "{error}");
    assert!(street.server.seen().iter().all(|line| !line.starts_with("PUT")));
}

#[test]
fn a_killed_import_into_a_bucket_is_swept_there() {
    let street = Street { house: House::new(), server: S3Server::start().unwrap() };
    let url = street.server.url_below("films");
    let mut import =
        street.start(&format!("import {} --title Film --to {url}", long_clip().display()));
    wait_for_objects(&mut import, &street.server.folder().join("films"), 3);
    import.kill().unwrap();
    assert!(street.house.titles().is_empty());
    street.ok(&format!("import {} --title Other", short_clip().display()));
    assert_eq!(files_below(&street.server.folder()).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn a_move_deletes_nothing_while_an_object_of_the_copy_is_not_there() {
    let street = Street::new();
    let original = contents(&street.house.bucket());
    let line = format!("move Film --to {}", street.server.url());
    street.server.fault(Fault::new(Trouble::Answer(404)).on("HEAD").at(&format!("{:032x}", 7)));
    let error = street.fails(&line);
    assert!(error.contains("changed while it was copied"), "{error}");
    assert_eq!(contents(&street.house.bucket()), original);
    assert_eq!(street.places()[0], ("local".to_owned(), "ready".to_owned()));
    street.server.heal();
    street.ok(&line);
    assert_eq!(contents(&street.server.folder()), original);
}

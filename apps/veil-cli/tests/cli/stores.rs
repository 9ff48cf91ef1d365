//! Titles in S3 buckets and other folders: published, moved, taken back.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use veil_testkit::{Fault, S3Server, Trouble, files_below, run};

use crate::house::{House, LIMIT, short_clip};
use crate::street::{Street, contents, wait_for_objects};

#[test]
fn an_import_to_a_bucket_leaves_nothing_in_the_house() {
    let street = Street { house: House::new(), server: S3Server::start().unwrap() };
    let url = street.server.url_below("films/2026");
    let clip = short_clip();
    let imported = street.ok(&format!("import {} --title Film --to {url}", clip.display()));
    assert!(street.house.objects().is_empty());
    let inside = street.server.folder().join("films/2026");
    assert_eq!(files_below(&inside).unwrap().len() as u64, imported["objects"].as_u64().unwrap());
    assert_eq!(street.places(), [(url, "ready".to_owned())]);

    let shared = street.run("share Film");
    assert!(shared.stderr.contains("--base-url"), "{}", shared.stderr);
    let grant: Value = serde_json::from_str(&shared.text()).unwrap();
    let record = inside.join("g").join(grant["grant"].as_str().unwrap());
    assert!(fs::read_to_string(&record).unwrap().contains("envelope"));
    street.ok(&format!("revoke {}", grant["grant"].as_str().unwrap()));
    assert!(!fs::read_to_string(&record).unwrap().contains("envelope"));
    street.ok("remove Film --yes");
    assert_eq!(files_below(&inside).unwrap(), [record], "only the tombstone is left");
}

#[test]
fn a_published_title_is_the_same_bytes_with_its_grants_and_the_headers_of_the_format() {
    let street = Street::new();
    let before = street.ok("share Film")["grant"].as_str().unwrap().to_owned();
    let url = street.server.url();
    let published = street.ok(&format!("publish Film --to {url}"));
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));
    assert_eq!(published["grants"], 1);
    assert_eq!(street.places().len(), 2);
    check_headers(&street.server);

    let after = street.ok("share Film")["grant"].as_str().unwrap().to_owned();
    street.ok(&format!("revoke {before}"));
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));
    assert!(street.server.folder().join("g").join(after).is_file());

    street.server.forget_seen();
    let again = street.ok(&format!("publish Film --to {url}"));
    assert_eq!((&again["copied_objects"], &again["copied_bytes"]), (&0.into(), &0.into()));
    let puts =
        street.server.seen().iter().filter(|line| line.starts_with("PUT /videos/t/")).count();
    assert_eq!(puts, 0);

    street.ok(&format!("unpublish Film --from {url}"));
    assert_eq!(files_below(&street.server.folder()).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(street.places(), [("local".to_owned(), "ready".to_owned())]);
    let error = street.fails("unpublish Film --from local");
    assert!(error.contains("that is the only copy of \"Film\""), "{error}");
    let error = street.fails(&format!("unpublish Film --from {url}"));
    assert!(error.contains("\"Film\" has no copy at s3://videos"), "{error}");
}

/// What the store noted beside the objects: s3s keeps it in files of its own.
fn check_headers(server: &S3Server) {
    let mut seen = 0;
    for file in files_below(server.root()).unwrap() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".metadata.json") {
            continue;
        }
        let noted: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let pair =
            (noted["content_type"].as_str().unwrap(), noted["cache_control"].as_str().unwrap());
        assert!(
            [
                ("application/octet-stream", "public, max-age=31536000, immutable"),
                ("application/vnd.apple.mpegurl", "no-cache"),
                ("application/json", "no-store"),
            ]
            .contains(&pair),
            "{noted}"
        );
        assert_eq!(noted["user_metadata"]["sha256"].as_str().unwrap().len(), 64);
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn a_title_moves_from_folder_to_bucket_to_folder_and_is_the_same() {
    let street = Street::new();
    street.ok("share Film");
    let original = contents(&street.house.bucket());
    let url = street.server.url_below("a");
    let moved = street.ok(&format!("move Film --to {url}"));
    assert_eq!(moved["left"][0]["store"], "local");
    assert!(street.house.objects().is_empty());
    assert_eq!(contents(&street.server.folder().join("a")), original);

    let shelf = street.house.scratch("shelf");
    street.ok(&format!("move Film --to file://{}", shelf.display()));
    assert_eq!(contents(&shelf), original);
    assert_eq!(files_below(&street.server.folder()).unwrap(), Vec::<PathBuf>::new());

    street.ok("move Film --to local");
    assert_eq!(contents(&street.house.bucket()), original);
    assert_eq!(files_below(&shelf).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(street.places(), [("local".to_owned(), "ready".to_owned())]);
}

#[test]
fn a_profile_of_the_shared_files_gives_the_credential_and_the_address() {
    let street = Street::new();
    let (credentials, config) =
        (street.house.scratch("credentials"), street.house.scratch("config"));
    let (id, secret) = (street.server.access_key_id(), street.server.secret());
    fs::write(
        &credentials,
        format!("[r2]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
    )
    .unwrap();
    let endpoint = street.server.endpoint();
    fs::write(&config, format!("[profile r2]\nregion = auto\nendpoint_url = {endpoint}\n"))
        .unwrap();
    let mut command = street.command("publish Film --to s3://videos?profile=r2");
    command.env("AWS_SHARED_CREDENTIALS_FILE", &credentials).env("AWS_CONFIG_FILE", &config);
    command.env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    run(&mut command, LIMIT).unwrap().success().unwrap();
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));
    let place = &street.places()[1].0;
    assert_eq!(place, &format!("s3://videos?endpoint={endpoint}&region=auto&profile=r2"));
}

#[test]
fn two_titles_are_published_at_once_and_one_title_by_one_command_at_a_time() {
    let street = Street::new();
    let clip = short_clip();
    street.ok(&format!("import {} --title Other", clip.display()));
    let url = street.server.url();
    street.server.fault(Fault::new(Trouble::Slow(Duration::from_millis(30))).on("PUT"));
    let mut film = street.start(&format!("publish Film --to {url}"));
    let mut other = street.start(&format!("publish Other --to {url}"));
    wait_for_objects(&mut film, &street.server.folder(), 5);
    for line in [format!("publish Film --to {url}"), "remove Film --yes".to_owned()] {
        let error = street.fails(&line);
        assert!(error.contains("another command is working on \"Film\""), "{error}");
    }
    assert!(film.wait(LIMIT).unwrap().success(), "{}", film.stderr());
    assert!(other.wait(LIMIT).unwrap().success(), "{}", other.stderr());
    assert_eq!(contents(&street.server.folder()), contents(&street.house.bucket()));
}

#[test]
fn a_large_object_goes_in_parts_and_memory_stays_flat() {
    let street = Street::new();
    let object = street.add_large_object(160);
    let mut publish = street.start(&format!("publish Film --to {}", street.server.url()));
    let mut peak_kib = 0;
    while publish.try_wait().unwrap().is_none() {
        peak_kib = peak_kib.max(resident_peak_kib(publish.id()).unwrap_or(0));
        sleep(Duration::from_millis(10));
    }
    assert!(publish.wait(LIMIT).unwrap().success(), "{}", publish.stderr());
    let parts = street.server.seen().iter().filter(|line| line.ends_with("ffff 200")).count();
    assert!(parts > 160 / 8, "{parts} requests");
    let copy = street.server.folder().join("t").join(street.id()).join("f".repeat(32));
    assert!(fs::read(&copy).unwrap() == fs::read(&object).unwrap());
    assert!((1..120 * 1024).contains(&peak_kib), "{peak_kib} KiB");

    // From the bucket to a folder, and a part that fails in the middle.
    street.ok("unpublish Film --from local");
    let shelf = street.house.scratch("shelf");
    street.server.fault(Fault::new(Trouble::Cut(1 << 20)).on("GET").at("ffff").after(3).times(2));
    street.ok(&format!("publish Film --to {}", shelf.display()));
    let shelved = shelf.join("t").join(street.id()).join("f".repeat(32));
    assert!(fs::read(&shelved).unwrap() == fs::read(&copy).unwrap());
}

/// The most memory that a process has had so far (proc(5), `VmHWM`).
fn resident_peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[test]
fn doctor_asks_every_store_that_has_titles() {
    let street = Street::new();
    street.ok(&format!("publish Film --to {}", street.server.url()));
    let store = |told: &Value| {
        told["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == "store")
            .unwrap()
            .clone()
    };
    assert_eq!(store(&street.ok("doctor"))["state"], "ok");
    street.server.fault(Fault::new(Trouble::Answer(403)));
    let told = street.run("doctor");
    assert_eq!(told.status.code(), Some(1));
    let told = store(&serde_json::from_str(&told.text()).unwrap());
    assert_eq!(told["state"], "failed");
    assert!(told["detail"].as_str().unwrap().contains("AccessDenied"), "{told}");
}

#[test]
fn renditions_in_one_file_are_imported_to_a_bucket_and_moved_home() {
    let street = Street { house: House::new(), server: S3Server::start().unwrap() };
    let url = street.server.url_below("films");
    let line = format!("import {} --title Film --single-file --to {url}", short_clip().display());
    let imported = street.ok(&line);
    let original = contents(&street.server.folder().join("films"));
    assert_eq!(original.len() as u64, imported["objects"].as_u64().unwrap());
    assert!(street.server.seen().iter().any(|line| line.starts_with("POST")), "in parts");
    street.ok("move Film --to local");
    assert_eq!(contents(&street.house.bucket()), original);
    assert!(files_below(&street.server.folder()).unwrap().is_empty());

    // The store got them before their hashes were known; a changed byte is noticed all the same, here and there.
    for place in [url.as_str(), "local"] {
        street.ok(&format!("move Film --to {place}"));
        let folder = if place == "local" {
            street.house.bucket()
        } else {
            street.server.folder().join("films")
        };
        let size = |file: &PathBuf| fs::metadata(file).unwrap().len();
        let file = files_below(&folder).unwrap().into_iter().max_by_key(size).unwrap();
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        bad[1000] ^= 1;
        fs::write(&file, bad).unwrap();
        let shelf = street.house.scratch("shelf");
        let error = street.fails(&format!("publish Film --to {}", shelf.display()));
        assert!(error.contains("changed while it was copied"), "{error}");
        fs::write(&file, good).unwrap();
        street.ok(&format!("publish Film --to {}", shelf.display()));
        street.ok(&format!("unpublish Film --from {}", shelf.display()));
    }
}

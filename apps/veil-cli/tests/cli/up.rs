//! `veilcast up`: two processes that come and go together.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use veil_testkit::{Spawned, binary, descendants, processes_named, wait_gone};

use crate::house::{House, LIMIT};

/// Starts studio and gateway; returns the gateway's URL as well.
pub(crate) fn up(house: &House) -> (Spawned, String) {
    assert!(binary("veilcast-gateway").is_file());
    let mut up = house.start(["up", "--listen", "127.0.0.1:0"]);
    let ready = up.ready("ready", LIMIT).unwrap();
    (up, ready["url"].as_str().unwrap().to_owned())
}

/// The answer's status, headers in lower case, and body.
pub(crate) fn get(url: &str, bearer: Option<&str>) -> (u16, String) {
    let mut request = ureq::get(url).config().http_status_as_error(false).build();
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let mut answer = request.call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

#[test]
fn ctrl_c_stops_the_gateway_too() {
    let house = House::new();
    let (mut up, url) = up(&house);
    assert_eq!(get(&format!("{url}/healthz"), None).0, 200);
    let children = descendants(up.id());
    assert_eq!(children.len(), 1, "the gateway is a process of its own");
    let status = up.terminate(Duration::from_secs(20)).unwrap();
    assert!(status.success(), "{}", up.stderr());
    assert_eq!(wait_gone(&children, Duration::from_secs(1)).len(), 0);
}

#[test]
fn a_killed_studio_takes_the_gateway_with_it() {
    let house = House::new();
    let (mut up, _) = up(&house);
    let children = descendants(up.id());
    up.kill().unwrap();
    assert_eq!(wait_gone(&children, Duration::from_secs(5)).len(), 0);
}

#[test]
fn commands_work_beside_it_and_links_point_at_it() {
    let house = House::with_title("Screener");
    let (mut up, url) = up(&house);
    let shared = house.ok(["share", "Screener"]);
    assert!(shared["link"].as_str().unwrap().starts_with(&format!("{url}/w/")));
    house.ok(["remove", "Screener", "--yes"]);
    assert!(up.try_wait().unwrap().is_none());
}

#[test]
fn a_port_in_use_is_named() {
    let house = House::new();
    assert!(binary("veilcast-gateway").is_file());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = house.fails(["up", "--listen", &address]);
    assert!(error.contains("in use"), "{error}");
    assert!(error.contains("hint: "), "{error}");
}

#[test]
fn it_sweeps_what_a_killed_import_left() {
    let house = House::new();
    let mut import = crate::faults::caught_in_the_middle(&house);
    import.kill().unwrap();
    assert!(!house.objects().is_empty());
    let (_up, _) = up(&house);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !house.objects().is_empty() {
        assert!(std::time::Instant::now() < deadline, "not swept");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_gateways_credential_is_closed_to_other_users_and_stays_the_same() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    let file = house.data().join("gateway.toml");
    drop(up(&house));
    let first = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(up(&house));
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
    let left = processes_named("veilcast-gateway");
    let ours = left.iter().filter(|process| process.parent == std::process::id());
    assert_eq!(ours.count(), 0);
}

#[test]
fn doctor_finds_a_healthy_machine_healthy() {
    let house = House::with_title("Screener");
    assert!(binary("veilcast-gateway").is_file());
    let report = house.ok(["doctor"]);
    assert_eq!(report["ok"], true, "{report}");
    let names: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    for name in ["FFmpeg", "sandbox", "data folder", "free space", "catalogue", "bucket", "gateway"]
    {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}

#[test]
fn doctor_finds_what_is_broken() {
    let house = House::new();
    house.ok(["list"]);
    fs::write(house.data().join("catalogue.sqlite"), "not a database at all, really").unwrap();
    let finished = house.run(["doctor"]);
    assert_eq!(finished.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_str(&finished.text()).unwrap();
    assert_eq!(report["ok"], false);
}

#[test]
fn the_gateway_is_told_of_a_revocation_and_of_a_removal_at_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::with_title("Screener");
    let (mut up, url) = up(&house);
    let token = house.data().join("gateway.admin");
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    let share = || {
        let shared = house.ok(["share", "Screener"]);
        let grant = shared["grant"].as_str().unwrap().to_owned();
        let secret = crate::grants::secret_of(&shared["link"]);
        let bearer = secret.bearer().to_text().to_string();
        (grant, bearer)
    };
    let status = |(grant, bearer): &(String, String)| {
        get(&format!("{url}/v1/grants/{grant}"), Some(bearer)).0
    };
    let (revoked, removed) = (share(), share());
    assert_eq!((status(&revoked), status(&removed)), (200, 200));
    assert_eq!(house.ok(["revoke", &revoked.0])["gateway_told"], true);
    assert_eq!((status(&revoked), status(&removed)), (410, 200));
    house.ok(["remove", "Screener", "--yes"]);
    assert_eq!(status(&removed), 410);
    assert!(up.terminate(Duration::from_secs(20)).unwrap().success());
    // There is nobody to tell, and nothing is the matter.
    let finished = house.run(["revoke", &revoked.0]).success().unwrap();
    assert!(finished.text().contains("\"gateway_told\":false"), "{}", finished.text());
    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
}

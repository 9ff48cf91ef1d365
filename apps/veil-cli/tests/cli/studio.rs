//! `veilcast studio` over HTTP: who gets in, and what titles, shares and productions do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::desk_http::Desk;
use crate::house::House;

#[test]
fn nothing_but_page_login_and_health_answers_without_a_session() {
    let (house, json) = (House::new(), [("content-type", "application/json")]);
    let desk = Desk::open(&house);
    for path in [
        "/v1/titles",
        "/v1/session",
        "/v1/settings",
        "/performance/metrics",
        "/metrics",
        "/v1/audit",
        "/v1/jobs",
    ] {
        let answer = desk.bare("GET", path, &[], b"").expect(401);
        assert_eq!(answer.json()["type"], "session-missing");
        desk.bare("GET", path, &[("authorization", "Bearer wrong")], b"").expect(401);
        desk.bare("GET", path, &[("cookie", "veilcast-studio-1=x")], b"").expect(401);
        desk.get(path).expect(200);
    }
    desk.bare("POST", "/v1/batch", &json, b"{\"requests\":[]}").expect(401);
    desk.bare("POST", "/v1/session", &json, b"{\"token\":\"wrong\"}").expect(401);
    desk.bare("GET", "/healthz", &[], b"").expect(200);
    desk.bare("GET", "/openapi.json", &[], b"").expect(200);
    let page = desk.bare("GET", "/", &[], b"");
    assert!([200, 503].contains(&page.status));
    assert_eq!(desk.bare("GET", "/v1/nothing", &[], b"").expect(404).json()["type"], "not-found");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

#[test]
fn a_page_changes_something_with_its_word_alone() {
    let house = House::new();
    let desk = Desk::open(&house);
    let (cookie, csrf) = desk.log_in();
    let body = json!({ "name": "Film" }).to_string();
    let post = |more: &[(&str, &str)]| {
        let own = [("content-type", "application/json"), ("cookie", cookie.as_str())];
        desk.bare("POST", "/v1/productions", &[&own[..], more].concat(), body.as_bytes())
    };
    assert_eq!(post(&[]).expect(403).json()["type"], "csrf");
    post(&[("x-veilcast-csrf", "wrong")]).expect(403);
    post(&[("x-veilcast-csrf", &csrf)]).expect(201);
    let read = desk.bare("GET", "/v1/session", &[("cookie", &cookie)], b"").expect(200);
    assert_eq!(read.json()["csrf"], csrf);
    // A form of another site can't send JSON, and its browser says where it comes from.
    let word = ("x-veilcast-csrf", csrf.as_str());
    let foreign = post(&[word, ("origin", "http://evil.example")]).expect(403);
    assert_eq!(foreign.json()["type"], "foreign-origin");
    post(&[word, ("sec-fetch-site", "cross-site")]).expect(403);
    let form = [("cookie", cookie.as_str()), word, ("content-type", "text/plain")];
    desk.bare("POST", "/v1/productions", &form, body.as_bytes()).expect(415);
    desk.bare("DELETE", "/v1/session", &[("cookie", &cookie), word], b"").expect(204);
    desk.bare("GET", "/v1/session", &[("cookie", &cookie)], b"").expect(401);
}

#[test]
fn a_name_that_was_pointed_at_this_machine_is_answered_nothing() {
    let house = House::new();
    let desk = Desk::open(&house);
    let port = desk.origin.rsplit(':').next().unwrap();
    let bearer = format!("Bearer {}", desk.token);
    let with = |host: &str| {
        let headers = [("host", host), ("authorization", bearer.as_str())];
        desk.bare("GET", "/v1/titles", &headers, b"").status
    };
    assert_eq!(with(&format!("localhost:{port}")), 200);
    for host in [&format!("evil.example:{port}"), "evil.example", "127.0.0.1", ""] {
        assert_eq!(with(host), 421, "{host}");
    }
    let page = desk.bare("GET", "/", &[("host", "evil.example")], b"").expect(421);
    assert_eq!(page.json()["type"], "host-unknown");
}

#[test]
fn other_machines_are_kept_out_without_a_password_and_a_name() {
    let house = House::new();
    let refused = |args: &[&str], expected: &str| {
        let error = house.fails([&["studio", "--listen", "0.0.0.0:0"], args].concat());
        assert!(error.contains(expected), "{error}");
    };
    refused(&[], "no password is set");
    let file = house.scratch("password");
    fs::write(&file, "correct horse battery\n").unwrap();
    let path = file.to_str().unwrap();
    refused(&["--password-file", path], "open to other users");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    refused(&["--password-file", path], "by which one the studio is known");
    refused(&["--password-file", path, "--public-url", "studio"], "is no address");
}

#[test]
fn a_password_opens_a_session_and_guessing_ends() {
    let house = House::new();
    let file = house.scratch("password");
    fs::write(&file, "correct horse battery\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let args =
        ["--password-file", file.to_str().unwrap(), "--public-url", "https://studio.example"];
    let desk = Desk::open_with(&house, &args);
    let log_in = |password: &str| {
        let body = json!({ "password": password }).to_string();
        let headers = [("content-type", "application/json"), ("host", "studio.example")];
        desk.bare("POST", "/v1/session", &headers, body.as_bytes())
    };
    let answer = log_in("correct horse battery").expect(200);
    assert!(answer.header("set-cookie").ends_with("; Secure"), "{}", answer.header("set-cookie"));
    for _ in 0..10 {
        log_in("wrong horse").expect(401);
    }
    let refused = log_in("correct horse battery").expect(429);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
}

#[test]
fn two_clients_of_one_production_do_not_overwrite_each_other() {
    let house = House::new();
    let desk = Desk::open(&house);
    let made = desk.send(
        "POST",
        "/v1/productions",
        &json!({ "name": "Film", "story": "# Sea\n\nWaves come. Waves go." }),
    );
    let made = made.expect(201);
    let (tag, id) = (made.header("etag"), made.json()["id"].as_str().unwrap().to_owned());
    assert_eq!((tag.as_str(), &made.json()["document"]["title"]), ("\"1\"", &json!("Sea")));
    let path = format!("/v1/productions/{id}");
    let put = |tag: Option<&str>, text: &str| {
        let body = json!({ "document": { "scenes": [{ "text": text }] } }).to_string();
        let json = ("content-type", "application/json");
        let headers: Vec<(&str, &str)> =
            tag.map(|tag| ("if-match", tag)).into_iter().chain([json]).collect();
        desk.ask("PUT", &path, &headers, body.as_bytes())
    };
    assert_eq!(put(Some(&tag), "mine").expect(200).header("etag"), "\"2\"");
    let refused = put(Some(&tag), "yours").expect(412);
    assert!(refused.json()["detail"].as_str().unwrap().contains("revision 2"));
    put(None, "yours").expect(428);
    put(Some("nonsense"), "yours").expect(412);
    let now = desk.get(&path).expect(200).json();
    assert_eq!(
        (&now["revision"], &now["document"]["scenes"][0]["text"]),
        (&json!(2), &json!("mine"))
    );
    let huge = json!({ "document": { "x": "x".repeat(6 << 20) } });
    let headers = [("content-type", "application/json"), ("if-match", "\"2\"")];
    desk.ask("PUT", &path, &headers, huge.to_string().as_bytes()).expect(413);
    let scenes = desk.send("POST", &format!("{path}/scenes"), &json!({ "story": "One. Two." }));
    assert!(!scenes.expect(200).json()["scenes"].as_array().unwrap().is_empty());
    desk.ask("DELETE", &path, &[], b"").expect(204);
    desk.get(&path).expect(404);
}

#[test]
fn a_list_is_read_in_parts_while_it_grows() {
    let house = House::new();
    let desk = Desk::open(&house);
    let add =
        |name: &str| desk.send("POST", "/v1/productions", &json!({ "name": name })).expect(201);
    for name in ["a 5%", "b", "c", "d", "e"] {
        add(name);
    }
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let part = desk.get(&format!("/v1/productions?limit=2{after}")).expect(200).json();
        names.extend(part["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(next) = part["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    names.sort_by_key(ToString::to_string);
    names.dedup();
    assert_eq!(names.len(), 5);
    let found = desk.get("/v1/productions?query=5%25").expect(200).json();
    assert_eq!((&found["total"], found["items"].as_array().unwrap().len()), (&json!(1), 1));
    for wrong in ["limit=x", "limit=-1", "colour=red"] {
        desk.get(&format!("/v1/productions?{wrong}")).expect(400);
    }
}

#[test]
fn a_title_is_shared_shown_taken_back_renamed_and_removed() {
    let house = House::with_title("Screener");
    let desk = Desk::open(&house);
    let listed = desk.get("/v1/titles?query=SCREEN").expect(200).json();
    let title = &listed["items"][0];
    assert_eq!(
        (&title["name"], &title["grants"], &title["has_poster"]),
        (&json!("Screener"), &json!(0), &json!(true))
    );
    let path = format!("/v1/titles/{}", title["id"].as_str().unwrap());
    let poster = desk.get(&format!("{path}/poster")).expect(200);
    assert_eq!(
        (poster.header("content-type").as_str(), &poster.bytes[..4]),
        ("image/webp", &b"RIFF"[..])
    );
    let share = json!({ "label": "for Ann", "expires": "12h" });
    let shared = desk.send("POST", &format!("{path}/shares"), &share).expect(201).json();
    assert!(shared["link"].as_str().unwrap().starts_with("http://127.0.0.1:8787/w/"));
    for wrong in
        [json!({ "expires": "soon" }), json!({ "recipient": "ann" }), json!({ "to": "ann" })]
    {
        let status = desk.send("POST", &format!("{path}/shares"), &wrong).status;
        assert!([400, 422].contains(&status), "{wrong}");
    }
    let grants = desk.get(&format!("{path}/grants")).expect(200).json();
    assert_eq!((&grants["items"][0]["label"], &grants["total"]), (&json!("for Ann"), &json!(1)));
    assert_eq!(desk.get(&path).expect(200).json()["grants"], 1);
    let grant = format!("/v1/grants/{}", shared["grant"]["id"].as_str().unwrap());
    assert_eq!(desk.ask("DELETE", &grant, &[], b"").expect(200).json()["revoked"], true);
    assert_eq!(desk.get(&path).expect(200).json()["grants"], 0);
    assert_eq!(
        desk.send("PATCH", &path, &json!({ "name": "Film" })).expect(200).json()["name"],
        "Film"
    );
    desk.send("PATCH", &path, &json!({ "name": "" })).expect(422);
    desk.ask("DELETE", &path, &[], b"").expect(204);
    desk.get(&path).expect(404);
    let actions: Vec<Value> =
        trail(&desk).into_iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["identity", "title-key", "share", "revoke", "title-removed"]);
}

fn trail(desk: &Desk) -> Vec<Value> {
    let audit = desk.get("/v1/audit").expect(200).json();
    assert_eq!(audit["intact"], true);
    audit["items"].as_array().unwrap().clone()
}

#[test]
fn a_batch_reads_much_at_once_and_changes_nothing() {
    let house = House::new();
    let desk = Desk::open(&house);
    let ask = |requests: Value| desk.send("POST", "/v1/batch", &json!({ "requests": requests }));
    let answers = ask(json!([
        { "id": "a", "method": "GET", "path": "/v1/titles?limit=1" },
        { "id": "b", "path": "/v1/titles/none" },
        { "id": "c", "method": "DELETE", "path": "/v1/titles/none" },
        { "id": "d", "path": "/healthz" },
        { "id": "e", "path": "/v1/batch" },
        { "id": "f", "path": "/v1/../v1/settings x" },
    ]));
    let answers = answers.expect(200).json();
    let statuses: Vec<u64> = answers["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses[..5], [200, 404, 422, 422, 404]);
    assert!(statuses[5] >= 400);
    assert_eq!(answers["responses"][0]["body"]["total"], 0);
    let many: Vec<Value> =
        (0..51).map(|at| json!({ "id": at.to_string(), "path": "/v1/titles" })).collect();
    ask(json!(many)).expect(422);
    ask(json!(many[..50])).expect(200);
}

#[test]
fn settings_are_kept_and_what_makes_no_sense_is_not() {
    let house = House::new();
    let mut desk = Desk::open(&house);
    let mut settings = desk.get("/v1/settings").expect(200).json();
    settings["share_expires"] = json!("12h");
    desk.send("PUT", "/v1/settings", &settings).expect(200);
    settings["share_expires"] = json!("soon");
    desk.send("PUT", "/v1/settings", &settings).expect(422);
    assert!(desk.process.terminate(Duration::from_secs(20)).unwrap().success());
    let desk = Desk::open(&house);
    assert_eq!(desk.get("/v1/settings").expect(200).json()["share_expires"], "12h");
}

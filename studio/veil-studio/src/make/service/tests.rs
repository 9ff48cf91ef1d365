//! A service over a real socket: what it answers, and what is told of it.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::make::script::ScriptProvider as _;
use crate::make::script::chat::Chat;
use crate::make::voice::VoiceProvider as _;
use crate::make::voice::service::{Piper, SpeechApi};

const KEY: &str = "sk-very-secret-0123456789";

/// Answers each connection with the next of `answers`, and returns what was asked.
async fn server(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !whole(&request) {
                let mut buffer = [0; 4096];
                let count = stream.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the request breaks off");
                request.extend_from_slice(&buffer[..count]);
            }
            asked.push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (url, task)
}

/// Head and as much body as it announces.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
    });
    body.len() >= length.unwrap_or(0)
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn service(url: &str) -> Service {
    Service::new("the service", url, Some(Zeroizing::new(KEY.to_owned()))).unwrap()
}

#[tokio::test]
async fn what_is_busy_is_asked_again_and_what_refuses_is_not() {
    let busy = answer("503 Busy", "later").replace("connection", "retry-after: 0\r\nconnection");
    let (url, asked) = server(vec![busy, answer("200 OK", "done")]).await;
    let body = json!({ "a": 1 });
    assert_eq!(service(&url).post("/x", &body, 100).await.unwrap(), b"done");
    let asked = asked.await.unwrap();
    assert!(asked[1].starts_with("POST /v1/x HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[1].contains(&format!("authorization: Bearer {KEY}")), "{asked:?}");

    let (url, asked) = server(vec![answer("401 No", &format!("bad key {KEY}"))]).await;
    let error = service(&url).post("/x", &body, 100).await.unwrap_err().to_string();
    assert!(error.contains("401") && error.contains("bad key …"), "{error}");
    assert_eq!(asked.await.unwrap().len(), 1);

    // A key that the end of what is told would go through.
    let long = format!("{}{KEY}", "x".repeat(TOLD_CHARS_MAX - 4));
    let (url, _asked) = server(vec![answer("401 No", &long)]).await;
    let error = service(&url).post("/x", &body, 100_000).await.unwrap_err().to_string();
    assert!(error.contains("xxx…") && !error.contains(&KEY[..4]), "{error}");
}

#[tokio::test]
async fn too_much_a_redirect_and_nobody_there_are_told_without_the_key() {
    let body = json!({});
    let (url, _asked) = server(vec![answer("200 OK", &"x".repeat(101))]).await;
    let error = service(&url).post("/x", &body, 100).await.unwrap_err().to_string();
    assert!(error.contains("more than 100 bytes"), "{error}");

    let elsewhere =
        answer("307 Go", "").replace("connection", "location: http://127.0.0.1:1/\r\nconnection");
    let (url, _asked) = server(vec![elsewhere]).await;
    let error = service(&url).post("/x", &body, 100).await.unwrap_err().to_string();
    assert!(error.contains("307"), "{error}");

    let gone = service("http://127.0.0.1:1/");
    let error = gone.post("/x", &body, 100).await.unwrap_err().to_string();
    assert!(error.contains("can't be reached") && !error.contains(KEY), "{error}");
    assert!(!format!("{gone:?}").contains(KEY));
}

#[test]
fn an_address_has_no_password_and_a_key_is_one_line() {
    for wrong in ["", "x", "file:///etc/passwd", "ftp://h/", "http://a:b@h/", "http://h/?key=1"] {
        assert!(Service::new("s", wrong, None).is_err(), "{wrong}");
    }
    for key in ["", "a b", "a\nb", "é"] {
        assert!(Service::new("s", "http://h", Some(Zeroizing::new(key.to_owned()))).is_err());
    }
}

#[tokio::test]
async fn voices_and_scripts_ask_what_their_interfaces_want() {
    let folder = tempfile::tempdir().unwrap();
    let (url, asked) = server(vec![answer("200 OK", "RIFF"), answer("200 OK", "RIFF")]).await;
    let piper = Piper { service: service(&url), voice: Some("amy".to_owned()) };
    let said = piper.speak("Hello", folder.path(), "a").await.unwrap();
    assert_eq!(std::fs::read(said.sound).unwrap(), b"RIFF");
    let (model, voice) = ("tts-1".to_owned(), "alloy".to_owned());
    let speech = SpeechApi { service: service(&url), model, voice };
    assert!(speech.speak("Hello", folder.path(), "b").await.unwrap().anchors.is_empty());
    let asked = asked.await.unwrap();
    assert!(asked[0].starts_with("POST /v1/synthesize ") && asked[0].contains("\"voice\":\"amy\""));
    assert!(
        asked[1].starts_with("POST /v1/audio/speech ") && asked[1].contains("\"input\":\"Hello\"")
    );

    let told =
        json!({ "choices": [{ "message": { "content": "{\"scenes\":[{\"text\":\"A.\"}]}" } }] });
    let (url, asked) = server(vec![answer("200 OK", &told.to_string())]).await;
    let chat = Chat { service: service(&url), model: "m".to_owned() };
    assert_eq!(chat.scenes("a story").await.unwrap().scenes[0].text, "A.");
    let asked = asked.await.unwrap();
    assert!(asked[0].starts_with("POST /v1/chat/completions ") && asked[0].contains("a story"));

    for rubbish in ["rubbish".to_owned(), json!({ "choices": KEY }).to_string()] {
        let (url, _asked) = server(vec![answer("200 OK", &rubbish)]).await;
        let chat = Chat { service: service(&url), model: "m".to_owned() };
        let error = chat.scenes("a story").await.unwrap_err().to_string();
        assert!(error.contains("answers rubbish") && !error.contains(KEY), "{error}");
    }
}

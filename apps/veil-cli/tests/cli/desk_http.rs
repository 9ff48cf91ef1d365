//! A running studio, and requests to it as programs and pages make them.

use http::{Method, Request, Response};
use serde_json::{Value, json};
use veil_testkit::Spawned;

use crate::house::{House, LIMIT};

/// A studio of a house, and the session of a page.
pub(crate) struct Desk {
    pub(crate) process: Spawned,
    /// `http://127.0.0.1:PORT`
    pub(crate) origin: String,
    pub(crate) token: String,
    agent: ureq::Agent,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// The answer, if it has this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Desk {
    pub(crate) fn open(house: &House) -> Self {
        Self::open_with(house, &[])
    }

    pub(crate) fn open_with(house: &House, args: &[&str]) -> Self {
        let mut process = house.start([&["studio"], args].concat());
        let ready = process.ready("ready", LIMIT).unwrap();
        let (_, token) = ready["url"].as_str().unwrap().split_once("/#token=").unwrap();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(LIMIT))
            .build()
            .into();
        let origin = format!("http://{}", ready["address"].as_str().unwrap());
        Self { process, origin, token: token.to_owned(), agent }
    }

    /// A request with these headers and no others.
    pub(crate) fn bare(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).unwrap();
        let response: Response<_> = self.agent.run(request).unwrap();
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(1 << 30).read_to_vec().unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// A program's request, with its token.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let own = [("authorization", bearer.as_str())];
        self.bare(method, path, &[&own[..], headers].concat(), body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        self.ask(method, path, &json, body.to_string().as_bytes())
    }

    /// Logs a page in: its cookie and its word.
    pub(crate) fn log_in(&self) -> (String, String) {
        let body = json!({ "token": self.token }).to_string();
        let json = [("content-type", "application/json")];
        let answer = self.bare("POST", "/v1/session", &json, body.as_bytes()).expect(200);
        let cookie = answer.header("set-cookie");
        let pair = cookie.split(';').next().unwrap().to_owned();
        (pair, answer.json()["csrf"].as_str().unwrap().to_owned())
    }
}

/// What a running studio tells.
pub(crate) struct Heard {
    lines: std::io::Lines<std::io::BufReader<ureq::BodyReader<'static>>>,
}

impl Desk {
    /// Listens to what happens, or goes on after an event.
    pub(crate) fn listen(&self, last: Option<&str>) -> Heard {
        let request = Request::builder().uri(format!("{}/v1/events", self.origin));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request =
            last.into_iter().fold(request, |request, last| request.header("last-event-id", last));
        let response = self.agent.run(request.body(()).unwrap()).unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let reader = response.into_body().into_reader();
        Heard { lines: std::io::BufRead::lines(std::io::BufReader::new(reader)) }
    }

    /// Uploads a file at once, and returns its medium's id.
    pub(crate) fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.begin_upload(name, bytes.len());
        let done = self.append(&path, 0, bytes, &[]).expect(204);
        done.header("veilcast-media")
    }

    /// Begins an upload, and returns its address.
    pub(crate) fn begin_upload(&self, name: &str, length: usize) -> String {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        let metadata = format!("filename {}", BASE64_STANDARD.encode(name));
        let length = length.to_string();
        let headers = [
            ("tus-resumable", "1.0.0"),
            ("upload-length", &length),
            ("upload-metadata", &metadata),
        ];
        self.ask("POST", "/v1/uploads", &headers, b"").expect(201).header("location")
    }

    pub(crate) fn append(
        &self,
        path: &str,
        offset: usize,
        bytes: &[u8],
        more: &[(&str, &str)],
    ) -> Answer {
        let offset = offset.to_string();
        let own = [
            ("tus-resumable", "1.0.0"),
            ("content-type", "application/offset+octet-stream"),
            ("upload-offset", offset.as_str()),
        ];
        self.ask("PATCH", path, &[&own[..], more].concat(), bytes)
    }

    /// How much of an upload has arrived.
    pub(crate) fn offset(&self, path: &str) -> usize {
        let answer = self.ask("HEAD", path, &[("tus-resumable", "1.0.0")], b"").expect(200);
        answer.header("upload-offset").parse().unwrap()
    }

    /// Waits until a job has ended, and returns it.
    pub(crate) fn wait_for(&self, job: &str) -> Value {
        let end = std::time::Instant::now() + LIMIT;
        loop {
            let job = self.get(&format!("/v1/jobs/{job}")).expect(200).json();
            if ["done", "failed", "cancelled"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            assert!(std::time::Instant::now() < end, "{job}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

impl Heard {
    /// The next event that `wanted` takes: its number and what it says.
    pub(crate) fn next(&mut self, wanted: impl Fn(&str, &Value) -> bool) -> (String, Value) {
        self.find(wanted).unwrap()
    }

    fn find(&mut self, wanted: impl Fn(&str, &Value) -> bool) -> Option<(String, Value)> {
        let (mut id, mut kind) = (String::new(), String::new());
        for line in &mut self.lines {
            let line = line.unwrap();
            if let Some(value) = line.strip_prefix("id:") {
                id = value.trim().to_owned();
            } else if let Some(value) = line.strip_prefix("event:") {
                kind = value.trim().to_owned();
            } else if let Some(value) = line.strip_prefix("data:") {
                let data = serde_json::from_str(value.trim()).unwrap();
                if wanted(&kind, &data) {
                    return Some((id, data));
                }
            }
        }
        None
    }
}

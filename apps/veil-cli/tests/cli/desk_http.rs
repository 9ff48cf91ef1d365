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
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", self.text()))
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
        let mut process = house.start([&["studio", "--no-open"], args].concat());
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

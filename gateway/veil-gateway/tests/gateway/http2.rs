//! HTTP/2, in clear and by TLS: that it is the same gateway, and what a client may cost on it.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::client::{Connection, SendRequest};
use http::{Request, Response, StatusCode};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use veil_gateway::{Drained, PageFiles, ServeLimits};

use crate::client::PATIENCE;
use crate::site::{GRANT, HUGE, HUGE_BYTES, MEDIA, SEGMENTS, Site, TITLE, bearer, object_bytes};
use crate::tls::{Pair, client};

const SHORT: Duration = Duration::from_millis(300);

/// One connection, and the task that runs it.
struct Client {
    send: SendRequest<Bytes>,
    host: String,
    task: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    /// Connects with windows that don't wait.
    async fn new(site: &Site) -> Self {
        let stream = TcpStream::connect(site.address).await.unwrap();
        Self::over(stream, site, 16 << 20).await
    }

    async fn by_tls(site: &Site) -> Self {
        let stream = TcpStream::connect(site.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(client(&["h2"])).connect(name, stream).await.unwrap();
        Self::over(stream, site, 16 << 20).await
    }

    async fn over<S>(stream: S, site: &Site, window_bytes: u32) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (send, connection): (_, Connection<S, Bytes>) = h2::client::Builder::new()
            .initial_window_size(window_bytes)
            .initial_connection_window_size(64 << 20)
            .handshake(stream)
            .await
            .unwrap();
        Self { send, host: site.address.to_string(), task: tokio::spawn(connection) }
    }

    /// Sends a request and waits for the answer's head.
    async fn begin(&mut self, path: &str) -> Result<Response<h2::RecvStream>, h2::Error> {
        let request = Request::get(format!("https://{}{path}", self.host));
        let request = request.header("authorization", bearer()).body(()).unwrap();
        let mut send = self.send.clone().ready().await?;
        timeout(PATIENCE, send.send_request(request, true)?.0).await.unwrap()
    }

    async fn get(&mut self, path: &str) -> (StatusCode, Vec<u8>) {
        let response = self.begin(path).await.unwrap();
        let status = response.status();
        (status, read(response.into_body()).await.unwrap())
    }

    /// The error with which the server ended the connection.
    async fn ended(self) -> h2::Error {
        drop(self.send);
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap_err()
    }
}

async fn read(mut body: h2::RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = timeout(PATIENCE, body.data()).await.unwrap() {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn site(limits: ServeLimits) -> Site {
    let site = Site::with(limits, PageFiles::default());
    site.write(&format!("t/{TITLE}/{HUGE}"), &object_bytes(HUGE));
    site
}

/// Plays a title.
async fn play(client: &mut Client) {
    let (status, grant) = client.get(&format!("/v1/grants/{GRANT}")).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&grant));
    let (status, media) = client.get(&format!("/v1/grants/{GRANT}/{MEDIA}")).await;
    assert_eq!(status, 200);
    let media = String::from_utf8(media).unwrap();
    let url = media.lines().find(|line| line.starts_with("/o/")).unwrap();
    assert_eq!(client.get(url).await, (StatusCode::OK, object_bytes(SEGMENTS[0])));
    assert_eq!(client.get("/nothing").await.0, 404);
}

#[test]
fn a_title_plays_over_one_connection_in_clear_and_by_tls() {
    let runtime = Runtime::new().unwrap();
    let clear = site(ServeLimits::default());
    let secured = Site::edited(ServeLimits::default(), Some(Pair::new().tls()), |gateway| gateway);
    runtime.block_on(async {
        play(&mut Client::new(&clear).await).await;
        play(&mut Client::by_tls(&secured).await).await;
    });
}

#[test]
fn a_foreign_authority_is_refused_and_a_second_host_as_well() {
    let site = site(ServeLimits::default());
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::new(&site).await;
        client.host = "evil.example".to_owned();
        assert_eq!(client.get("/").await.0, StatusCode::MISDIRECTED_REQUEST);
        client.host = "videos.example.org".to_owned();
        assert_eq!(client.get("/").await.0, StatusCode::OK);
        let request = Request::get("https://videos.example.org/").header("host", "evil.example");
        let (answer, _) = client.send.send_request(request.body(()).unwrap(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), StatusCode::BAD_REQUEST);
    });
}

#[test]
fn a_shutdown_finishes_running_streams_and_begins_none() {
    for tls in [None, Some(Pair::new().tls())] {
        let has_tls = tls.is_some();
        let mut site = Site::edited(ServeLimits::default(), tls, |gateway| gateway);
        site.write(&format!("t/{TITLE}/{HUGE}"), &object_bytes(HUGE));
        Runtime::new().unwrap().block_on(async {
            let mut client =
                if has_tls { Client::by_tls(&site).await } else { Client::new(&site).await };
            let names = format!("/v1/grants/{GRANT}/{MEDIA}");
            assert_eq!(client.get(&names).await.0, 200);
            let url = url(&mut client).await;
            let running = client.begin(&url).await.unwrap();
            site.stop();
            // The server says so on the connection, and from then on it takes no stream.
            let refused = async { while client.begin("/healthz").await.is_ok() {} };
            timeout(PATIENCE, refused).await.unwrap();
            assert_eq!(read(running.into_body()).await.unwrap().len(), HUGE_BYTES);
        });
        assert_eq!(site.drained(), Drained::Clean);
    }
}

/// A signed URL of the huge object.
async fn url(client: &mut Client) -> String {
    let request = Request::post(format!("https://{}/v1/grants/{GRANT}/sign", client.host));
    let request = request.header("authorization", bearer()).body(()).unwrap();
    let (answer, mut body) = client.send.send_request(request, false).unwrap();
    body.send_data(format!("{{\"names\": [\"{HUGE}\"]}}").into(), true).unwrap();
    let answer = read(answer.await.unwrap().into_body()).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    answer["urls"][HUGE].as_str().unwrap().to_owned()
}

#[test]
fn a_stream_whose_client_takes_nothing_is_reset_and_the_others_go_on() {
    let site = site(ServeLimits { stall_timeout: SHORT, ..ServeLimits::default() });
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::new(&site).await;
        let url = url(&mut client).await;
        // The window of this stream is used up and never given back.
        let mut stalled = client.begin(&url).await.unwrap().into_body();
        let started = Instant::now();
        play(&mut client).await;
        let error = loop {
            match timeout(PATIENCE, stalled.data()).await.unwrap().unwrap() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.reason(), Some(Reason::CANCEL));
        assert!(started.elapsed() >= SHORT);
        play(&mut client).await;
    });
}

#[test]
fn a_connection_that_asks_for_nothing_is_closed() {
    let limits = ServeLimits { head_timeout: SHORT, idle_timeout: SHORT, ..ServeLimits::default() };
    let site = site(limits);
    Runtime::new().unwrap().block_on(async {
        let never = Client::new(&site).await;
        let keep = never.send.clone();
        assert_eq!(timeout(PATIENCE, never.task).await.unwrap().unwrap().ok(), Some(()));
        drop(keep);
        let mut once = Client::new(&site).await;
        assert_eq!(once.get("/healthz").await.0, 200);
        let keep = once.send.clone();
        assert_eq!(timeout(PATIENCE, once.task).await.unwrap().unwrap().ok(), Some(()));
        drop(keep);
    });
}

#[test]
fn as_many_streams_as_the_limit_says_run_at_once() {
    let site = site(ServeLimits { stream_count: 5, ..ServeLimits::default() });
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::new(&site).await;
        client.get("/healthz").await;
        assert_eq!(client.send.current_max_send_streams(), 5);
    });
}

#[test]
fn a_client_that_opens_and_resets_streams_is_sent_away_and_others_are_served() {
    let site = site(ServeLimits::default());
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::new(&site).await;
        let url = url(&mut client).await;
        let mut sent = 0;
        while let Ok(mut send) = client.send.clone().ready().await
            && sent < 100_000
        {
            let request = Request::get(format!("https://{}{url}", client.host)).body(()).unwrap();
            let Ok((answer, mut stream)) = send.send_request(request, true) else { break };
            stream.send_reset(Reason::CANCEL);
            drop(answer);
            sent += 1;
            if sent % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
        assert!(sent < 100_000, "the server took every reset");
        // A server that closes while frames still come may cut its own reason off.
        let error = client.ended().await;
        assert!(error.is_io() || error.reason() == Some(Reason::ENHANCE_YOUR_CALM), "{error}");
        play(&mut Client::new(&site).await).await;
    });
}

#[test]
fn headers_over_their_limits_are_431_and_kill_nobody_else() {
    let site = site(ServeLimits::default());
    Runtime::new().unwrap().block_on(async {
        for bytes in [17 << 10, 40 << 10] {
            let mut client = Client::new(&site).await;
            let request = Request::get(format!("https://{}/", client.host));
            let request = request.header("x-big", "b".repeat(bytes)).body(()).unwrap();
            let (answer, _) = client.send.send_request(request, true).unwrap();
            let status = answer.await.unwrap().status();
            assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{bytes}");
        }
        play(&mut Client::new(&site).await).await;
    });
}

#[test]
fn a_client_without_a_window_costs_no_more_than_its_streams() {
    let limits = ServeLimits { stall_timeout: SHORT, ..ServeLimits::default() };
    let site = site(limits);
    Runtime::new().unwrap().block_on(async {
        let stream = TcpStream::connect(site.address).await.unwrap();
        let mut client = Client::over(stream, &site, 0).await;
        let mut heads = Vec::new();
        for _ in 0..20 {
            heads.push(client.begin("/v1/grants/x").await.unwrap().into_body());
        }
        for mut body in heads {
            let end = timeout(PATIENCE, poll_fn(|context| body.poll_data(context))).await.unwrap();
            assert_eq!(end.unwrap().unwrap_err().reason(), Some(Reason::CANCEL));
        }
        play(&mut Client::new(&site).await).await;
    });
}

//! The layer before the store: faults, CORS, and the list of what was asked.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use s3s::service::S3Service;

use super::fault::{Fault, Trouble};

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error>;

/// Headers that pages may read, as a bucket for players is set up.
pub(super) const EXPOSED: &str = "accept-ranges, content-length, content-range, etag";

/// The store, and what stands before it.
pub(super) struct Layer {
    store: S3Service,
    faults: Mutex<Vec<Fault>>,
    seen: Mutex<Vec<String>>,
}

impl Layer {
    pub(super) fn new(store: S3Service) -> Self {
        Self { store, faults: Mutex::default(), seen: Mutex::default() }
    }

    pub(super) fn add(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(super) fn heal(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn forget_seen(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Answers a request; an error closes its connection.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let target = format!("{} {}", request.method(), request.uri().path());
        let from_page = request.headers().contains_key(header::ORIGIN);
        let answer = if request.method() == Method::OPTIONS && from_page {
            Ok(preflight())
        } else {
            self.with_faults(request).await
        };
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{target} {status}"));
        let mut answer = answer?;
        if from_page {
            allow_all(answer.headers_mut());
        }
        Ok(answer)
    }

    async fn with_faults(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        match self.trouble(&request) {
            None => self.ask(request).await,
            Some(Trouble::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                self.ask(request).await
            }
            Some(Trouble::Answer(status)) => {
                // Whoever sends a body is let finish: a closed pipe would be another fault.
                let _ = request.into_body().collect().await;
                Ok(refusal(status))
            }
            Some(Trouble::Cut(bytes)) => {
                Ok(self.ask(request).await?.map(|body| Cut { body, left: bytes }.boxed_unsync()))
            }
            Some(Trouble::HangUp) => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    fn trouble(&self, request: &Request<Incoming>) -> Option<Trouble> {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter_mut().find_map(|fault| {
            fault.meets(request.method().as_str(), target).then_some(fault.trouble)
        })
    }

    async fn ask(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let answer = self.store.call(request.map(s3s::Body::from)).await;
        let answer = answer.map_err(|error| io::Error::other(format!("{error:?}")))?;
        Ok(answer.map(|body| body.map_err(io::Error::other).boxed_unsync()))
    }
}

/// A body that breaks off.
struct Cut {
    body: Body,
    left: u64,
}

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map_ok(|frame| {
            frame.map_data(|data| {
                let kept =
                    data.slice(..data.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
                self.left -= kept.len() as u64;
                kept
            })
        })
    }

    /// The length that was promised, so that the client sees that something is missing.
    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

fn refusal(status: u16) -> Response<Body> {
    let code = match status {
        403 => "AccessDenied",
        404 => "NoSuchKey",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>as the test asked</Message></Error>"
    );
    let mut answer = Response::new(whole(text));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}

fn preflight() -> Response<Body> {
    let mut answer = Response::new(whole(String::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("range"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer
}

fn allow_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

fn whole(text: String) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed_unsync()
}

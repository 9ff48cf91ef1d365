//! One log line a request, without its secrets.
//!
//! Owns what a line says: method, route pattern, status, body bytes that left, and time until the last
//! of them. Refuses to see more: paths hold grant ids, queries hold signatures, headers hold bearers.
//! The line is written when the body is done or dropped, so that an aborted download shows.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// What `route` says of a request that no route took.
const NO_ROUTE: &str = "-";

/// Counts an answer's body and logs the request when it ends.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let status = response.status();
    let promised = response.headers().get(header::CONTENT_LENGTH);
    let promised_bytes = promised.and_then(|value| value.to_str().ok()?.parse().ok());
    let bodiless = method == "HEAD" || status == StatusCode::NOT_MODIFIED;
    response.map(|body| {
        let complete = bodiless || body.is_end_stream();
        let line = Line { started, method, route, status, bytes: 0, promised_bytes, complete };
        Body::new(Counted { body, line })
    })
}

/// The method as a fixed word, so that a client cannot write into the log.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

struct Line {
    started: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: StatusCode,
    bytes: u64,
    /// `Content-Length`: the server stops asking a body that has kept its promise.
    promised_bytes: Option<u64>,
    complete: bool,
}

impl Drop for Line {
    fn drop(&mut self) {
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let time_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "access",
            method = self.method,
            route,
            status = self.status.as_u16(),
            bytes = self.bytes,
            complete = self.complete || self.promised_bytes == Some(self.bytes),
            time_us,
        );
    }
}

/// A body that counts what leaves.
struct Counted {
    body: Body,
    line: Line,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.line.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                self.line.complete |= self.body.is_end_stream();
            }
            Poll::Ready(None) => self.line.complete = true,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

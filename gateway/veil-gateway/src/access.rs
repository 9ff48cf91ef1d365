//! One log line a request, without its secrets.
//!
//! Owns what a line says: method, route pattern, status, body bytes that left, and time until the last
//! of them; the same goes to the metrics. Refuses to see more: paths hold grant ids, queries hold signatures, headers hold bearers.
//! The line is written when the body is done or dropped, so that an aborted download shows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::metrics::{Metrics, Open};

/// What `route` says of a request that no route took.
const NO_ROUTE: &str = "-";

/// What the log says of a request whose client left before there was an answer.
const CLIENT_LEFT: u16 = 499;

/// Counts an answer's body, and logs and counts the request when it ends.
pub(crate) async fn log(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let mut line = Line {
        started: Instant::now(),
        method: known_method(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        status: StatusCode::from_u16(CLIENT_LEFT).unwrap_or(StatusCode::BAD_REQUEST),
        bytes: 0,
        promised_bytes: None,
        complete: false,
        _open: metrics.request(),
        metrics,
    };
    let response = next.run(request).await;
    line.status = response.status();
    let promised = response.headers().get(header::CONTENT_LENGTH);
    line.promised_bytes = promised.and_then(|value| value.to_str().ok()?.parse().ok());
    let bodiless = line.method == "HEAD" || line.status == StatusCode::NOT_MODIFIED;
    response.map(|body| {
        line.complete = bodiless || body.is_end_stream();
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
    metrics: Arc<Metrics>,
    _open: Open,
}

impl Drop for Line {
    fn drop(&mut self) {
        let route = self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
        let took = self.started.elapsed();
        self.metrics.ended(route, self.status, took, self.bytes);
        let time_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
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

//! What holds for every request, whatever route takes it: one layer around each.
//!
//! Owns the order in which a request meets the rooms: log, CORS, rate, size, host; and in which its answer meets them on
//! the way out: rate, CORS, security headers, log. Refuses to decide anything itself, and to wait: whatever is done
//! before and after a route is done at once. That is why it is one layer and no row of axum's own, each of which would
//! copy and box, for every request, all that lies below it. Invariant: every answer, whoever made it, leaves with the
//! security headers and through the log.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::response::{IntoResponse as _, Response};
use tower::{Layer, Service};

use crate::access::{Line, Log};
use crate::cors::{Asked, Cors};
use crate::hosts::Hosts;
use crate::problem::Problem;
use crate::rate::{Client, Rates};
use crate::{headers, limits};

/// The rooms that a request goes through.
pub(crate) struct Rooms {
    pub(crate) log: Log,
    pub(crate) cors: Arc<Cors>,
    pub(crate) rates: Arc<Rates>,
    pub(crate) hosts: Hosts,
    /// `Strict-Transport-Security`, if answers leave by TLS.
    pub(crate) transport: Option<HeaderValue>,
}

/// Puts the rooms around a route.
#[derive(Clone)]
pub(crate) struct Guard(pub(crate) Arc<Rooms>);

/// A route behind the rooms.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    rooms: Arc<Rooms>,
    route: S,
}

/// An answer that is on its way.
pub(crate) struct Answering<F> {
    rooms: Arc<Rooms>,
    state: State<F>,
    /// What is left to be done with the answer; taken when it is there.
    after: Option<After>,
}

/// What becomes of a request.
enum State<F> {
    /// A route works on it.
    Routed(F),
    /// It was answered before any route.
    Answered(Option<Response>),
}

/// What the way in has to tell the way out.
struct After {
    line: Line,
    /// For data: the listed origin that asks, if it is one.
    origin: Option<Option<HeaderValue>>,
    client: Option<Client>,
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, route: S) -> Guarded<S> {
        Guarded { rooms: Arc::clone(&self.0), route }
    }
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Unpin,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.route.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Answering<S::Future> {
        let rooms = Arc::clone(&self.rooms);
        let mut after = After { line: rooms.log.begin(&mut request), origin: None, client: None };
        let answered = match rooms.cors.ask(&request) {
            Asked::Preflight(answer) => Some(answer),
            Asked::Data(origin) => {
                after.origin = Some(origin);
                rooms.refusal(&mut request, &mut after)
            }
            Asked::Nothing => rooms.refusal(&mut request, &mut after),
        };
        let state = match answered {
            Some(answer) => State::Answered(Some(answer)),
            None => State::Routed(self.route.call(request)),
        };
        Answering { rooms, state, after: Some(after) }
    }
}

impl Rooms {
    /// The answer to a request that no route gets to see.
    fn refusal(&self, request: &mut Request, after: &mut After) -> Option<Response> {
        let admitted = self.admit(request, after);
        admitted.err().map(Problem::into_response)
    }

    fn admit(&self, request: &mut Request, after: &mut After) -> Result<(), Problem> {
        let client = self.rates.admit(request).map_err(|refused| {
            after.line.refuse(refused.untold);
            Problem::rate_limited(refused.wait)
        })?;
        after.client = Some(client);
        limits::check(request)?;
        self.hosts.admit(request)
    }

    fn leave(&self, after: After, mut answer: Response) -> Response {
        if let Some(client) = after.client {
            self.rates.settle(client, answer.status());
        }
        if let Some(origin) = after.origin {
            self.cors.answer(origin, answer.headers_mut());
        }
        headers::secure(answer.headers_mut());
        if let Some(transport) = &self.transport {
            answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, transport.clone());
        }
        after.line.follow(answer)
    }
}

impl<F> Future for Answering<F>
where
    F: Future<Output = Result<Response, Infallible>> + Unpin,
{
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut self.state {
            State::Routed(route) => {
                let Ok(answer) = ready!(Pin::new(route).poll(context));
                Some(answer)
            }
            State::Answered(answer) => answer.take(),
        };
        let (Some(answer), Some(after)) = (answer, self.after.take()) else {
            // It was taken already: whoever asks again has nothing to wait for.
            return Poll::Pending;
        };
        Poll::Ready(Ok(self.rooms.leave(after, answer)))
    }
}

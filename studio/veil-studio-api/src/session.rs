//! Who may use the studio: the token of the printed address, the password, and the sessions that either opens.
//!
//! Owns: what is compared (hashes, in constant time), how long a session lasts, and how often somebody may guess. Refuses to know: routes.
//!
//! Invariant: a session's cookie is out of scripts' reach and goes to no other site; what changes something carries the session's own word as
//! well, which only our page knows.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::password::Password;
use crate::problem::Problem;
use crate::random;

/// The header of a session's word.
pub(crate) const CSRF_HEADER: &str = "x-veilcast-csrf";
/// How long an unused session lasts.
const IDLE_MAX: Duration = Duration::from_secs(12 * 3600);
/// Most sessions; the one that was used least recently makes room.
const SESSIONS_MAX: usize = 64;
/// How often a wrong token or password may be tried, by all together, in a minute.
const GUESSES_A_MINUTE: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// All that opens the studio.
pub(crate) struct Sessions {
    token: [u8; 32],
    password: Option<Password>,
    cookie: String,
    is_tls: bool,
    open: Mutex<Vec<Session>>,
    wrong: Mutex<Vec<Instant>>,
    /// One guess at a password takes 19 MiB; two at once are none of ours.
    guessing: tokio::sync::Mutex<()>,
}

struct Session {
    id: [u8; 32],
    csrf: String,
    used: Instant,
}

/// What a new session's owner gets.
pub(crate) struct Opened {
    /// `Set-Cookie`.
    pub(crate) cookie: String,
    /// The session's word.
    pub(crate) csrf: String,
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A program with the token.
    Program,
    /// A page with a session, whose word this is.
    Page(String),
}

impl Sessions {
    /// Sessions of a studio that listens on `port`.
    pub(crate) fn new(token: &str, password: Option<Password>, port: u16, is_tls: bool) -> Self {
        Self {
            token: random::digest(token),
            password,
            // Cookies know no ports: two studios on one host must not take each other's.
            cookie: format!("veilcast-studio-{port}"),
            is_tls,
            open: Mutex::default(),
            wrong: Mutex::default(),
            guessing: tokio::sync::Mutex::default(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        lock(&self.open).len()
    }

    /// Opens a session for whoever has the token or the password.
    pub(crate) async fn open(
        &self,
        token: Option<&str>,
        password: Option<Zeroizing<String>>,
    ) -> Result<Opened, Problem> {
        self.refuse_guessing()?;
        let known = token.is_some_and(|token| self.is_token(token))
            || match (password, &self.password) {
                (Some(password), Some(known)) => {
                    let _one = self.guessing.lock().await;
                    known.is(password).await?
                }
                _ => false,
            };
        if !known {
            lock(&self.wrong).push(Instant::now());
            return Err(Problem::login_wrong());
        }
        let (id, csrf) = (random::token()?, random::token()?.to_string());
        let mut open = lock(&self.open);
        if open.len() >= SESSIONS_MAX {
            let oldest = open.iter().enumerate().min_by_key(|(_, one)| one.used).map(|(at, _)| at);
            oldest.map(|at| open.swap_remove(at));
        }
        open.push(Session { id: random::digest(&id), csrf: csrf.clone(), used: Instant::now() });
        let secure = if self.is_tls { "; Secure" } else { "" };
        let cookie = format!("{}={}; HttpOnly; SameSite=Strict; Path=/{secure}", self.cookie, *id);
        Ok(Opened { cookie, csrf })
    }

    fn refuse_guessing(&self) -> Result<(), Problem> {
        let mut wrong = lock(&self.wrong);
        wrong.retain(|at| at.elapsed() < MINUTE);
        match wrong.first() {
            Some(first) if wrong.len() >= GUESSES_A_MINUTE => {
                Err(Problem::rate_limited().after(MINUTE.saturating_sub(first.elapsed())))
            }
            _ => Ok(()),
        }
    }

    /// Ends a session.
    pub(crate) fn close(&self, headers: &HeaderMap) {
        if let Some(id) = self.cookie_of(headers) {
            let id = random::digest(id);
            lock(&self.open).retain(|one| !bool::from(one.id.ct_eq(&id)));
        }
    }

    /// Who sent a request.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            return self.is_token(token).then_some(Caller::Program);
        }
        let id = random::digest(self.cookie_of(headers)?);
        let mut open = lock(&self.open);
        open.retain(|one| one.used.elapsed() < IDLE_MAX);
        let session = open.iter_mut().find(|one| one.id.ct_eq(&id).into())?;
        session.used = Instant::now();
        Some(Caller::Page(session.csrf.clone()))
    }

    fn is_token(&self, token: &str) -> bool {
        random::digest(token).ct_eq(&self.token).into()
    }

    fn cookie_of<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).map(|(_, value)| value)
    }
}

impl Caller {
    /// Who it is where somebody counts; tells no secret.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Program => "program".to_owned(),
            Self::Page(csrf) => {
                let digest = random::digest(csrf);
                digest[..8]
                    .iter()
                    .fold("page ".to_owned(), |name, byte| format!("{name}{byte:02x}"))
            }
        }
    }

    /// Whether a request that changes something carries what it must.
    pub(crate) fn may_change(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::Program => true,
            Self::Page(csrf) => headers.get(CSRF_HEADER).is_some_and(|word| {
                random::digest_of(word.as_bytes()).ct_eq(&random::digest(csrf)).into()
            }),
        }
    }
}

/// A panic elsewhere leaves both lists whole.
fn lock<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> Sessions {
        Sessions::new("secret", None, 4000, false)
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[tokio::test]
    async fn a_session_is_known_by_its_cookie_and_changes_by_its_word() {
        let sessions = sessions();
        let opened = sessions.open(Some("secret"), None).await.unwrap();
        assert!(opened.cookie.contains("; HttpOnly; SameSite=Strict"), "{}", opened.cookie);
        let pair = opened.cookie.split(';').next().unwrap();
        let mut headers = with(header::COOKIE, &format!("other=1; {pair}"));
        let caller = sessions.caller(&headers).unwrap();
        assert_eq!(caller, Caller::Page(opened.csrf.clone()));
        assert!(!caller.may_change(&headers));
        headers.insert(CSRF_HEADER, opened.csrf.parse().unwrap());
        assert!(caller.may_change(&headers));
        sessions.close(&headers);
        assert_eq!(sessions.caller(&headers), None);
    }

    #[tokio::test]
    async fn a_program_has_the_token_and_a_wrong_one_opens_nothing() {
        let sessions = sessions();
        let right = with(header::AUTHORIZATION, "Bearer secret");
        assert_eq!(sessions.caller(&right), Some(Caller::Program));
        for wrong in ["Bearer secre", "Bearer ", "secret", "Basic secret"] {
            assert_eq!(sessions.caller(&with(header::AUTHORIZATION, wrong)), None, "{wrong}");
        }
        assert!(sessions.open(None, None).await.is_err());
    }

    #[tokio::test]
    async fn guessing_ends_and_the_right_token_has_to_wait_as_well() {
        let sessions = sessions();
        for _ in 0..GUESSES_A_MINUTE {
            let status = sessions.open(Some("x"), None).await.err().unwrap().body().status;
            assert_eq!(status, 401);
        }
        let refused = sessions.open(Some("secret"), None).await.err().unwrap();
        assert_eq!(refused.body().status, 429);
    }

    #[tokio::test]
    async fn sessions_are_bounded() {
        let sessions = sessions();
        for _ in 0..=SESSIONS_MAX {
            sessions.open(Some("secret"), None).await.unwrap();
        }
        assert_eq!(sessions.count(), SESSIONS_MAX);
    }
}

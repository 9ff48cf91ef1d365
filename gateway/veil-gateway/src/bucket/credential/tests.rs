//! Credentials that stay, end and are replaced.

use std::sync::atomic::{AtomicI64, Ordering};

use veil_presign::CredentialSource as Way;

use super::super::platform::tests::{Service, credential};
use super::*;

const BEGIN_S: i64 = 1_795_000_000;

fn clock(now_s: &Arc<AtomicI64>) -> Clock {
    let now_s = Arc::clone(now_s);
    Arc::new(move || Timestamp::from_second(now_s.load(Ordering::Relaxed)).unwrap())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn keys() -> Credentials {
    Credentials::new("AKIA", "secret".to_owned()).unwrap()
}

/// A role's credentials, one after the other, each of an hour; then a refusal.
fn role(ids: &[&str], now_s: &Arc<AtomicI64>) -> StoreCredential {
    let answer = |(hour, id): (i64, &&str)| {
        (200, credential(id, &at(BEGIN_S + 1800 * hour + 3600).to_string()))
    };
    let answers = (0..).zip(ids).map(answer).chain([(403, String::new())]).collect();
    let relative_uri = "/c".to_owned();
    let platform = Service::new(answers).platform(Way::Container { relative_uri });
    StoreCredential::of(platform, clock(now_s))
}

#[tokio::test]
async fn a_credential_that_was_given_stays_and_one_with_an_unknown_end_signs_nothing() {
    let now_s = Arc::new(AtomicI64::new(BEGIN_S));
    let given = |keys, end| StoreCredential::given(keys, end, clock(&now_s));
    let stays = given(keys(), None);
    stays.renew().await.unwrap();
    assert_eq!(stays.source().unwrap()().end, None);
    let token = || keys().with_session_token("token".to_owned()).unwrap();
    let unknown = given(token(), None);
    assert!(unknown.source().is_none());
    assert_eq!(unknown.get_credential().await.unwrap().token.as_deref(), Some("token"));
    let until = given(token(), Some(at(BEGIN_S + 60)));
    assert_eq!(until.source().unwrap()().end, Some(at(BEGIN_S + 60)));
    // It isn't ours to replace: the store says when it has ended.
    now_s.store(BEGIN_S + 3600, Ordering::Relaxed);
    assert!(until.get_credential().await.is_ok());
}

#[tokio::test]
async fn a_role_is_asked_for_when_it_is_needed_and_again_when_half_of_it_is_over() {
    let now_s = Arc::new(AtomicI64::new(BEGIN_S));
    let held = role(&["ASIA1", "ASIA2"], &now_s);
    assert!(held.source().is_none(), "nothing was asked for yet");
    assert_eq!(held.get_credential().await.unwrap().key_id, "ASIA1");
    let source = held.source().unwrap();
    let signs = || (source().credentials.access_key_id().to_owned(), source().end);
    let first = ("ASIA1".to_owned(), Some(at(BEGIN_S + 3600)));
    assert_eq!(signs(), first);
    assert!(Arc::ptr_eq(&source().credentials, &source().credentials), "one and the same");
    now_s.store(BEGIN_S + 1799, Ordering::Relaxed);
    held.renew().await.unwrap();
    assert_eq!(signs(), first);
    now_s.store(BEGIN_S + 1800, Ordering::Relaxed);
    held.renew().await.unwrap();
    assert_eq!(signs(), ("ASIA2".to_owned(), Some(at(BEGIN_S + 5400))));
    assert_eq!(held.get_credential().await.unwrap().key_id, "ASIA2");
}

#[tokio::test]
async fn a_role_that_is_refused_is_used_until_it_ends() {
    let now_s = Arc::new(AtomicI64::new(BEGIN_S));
    let held = role(&["ASIA1"], &now_s);
    held.renew().await.unwrap();
    now_s.store(BEGIN_S + 3500, Ordering::Relaxed);
    assert_eq!(held.renew().await, Err(Unfetched::Refused));
    assert_eq!(held.get_credential().await.unwrap().key_id, "ASIA1");
    now_s.store(BEGIN_S + 3600, Ordering::Relaxed);
    let error = held.get_credential().await.unwrap_err().to_string();
    assert!(error.contains("credential service"), "{error}");
    assert!(!format!("{held:?}").contains("ASIA"));
}

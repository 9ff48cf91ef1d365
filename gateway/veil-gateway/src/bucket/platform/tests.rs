//! Platforms, played by a thread that answers HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// A service that gives each request the next of its answers, and tells what it was asked.
pub(crate) struct Service {
    pub(crate) url: String,
    asked: Receiver<String>,
}

impl Service {
    pub(crate) fn new(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    reader.read_line(&mut head).unwrap();
                }
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut sent = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                reader.read_exact(&mut sent).unwrap();
                let _ = tell.send(head + &String::from_utf8(sent).unwrap());
                let length = body.len();
                write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}")
                    .unwrap();
            }
        });
        Self { url, asked }
    }

    /// What it was asked next.
    fn asked(&self) -> String {
        self.asked.recv_timeout(TIMEOUT).unwrap()
    }

    /// A platform whose every service this is.
    pub(crate) fn platform(&self, source: CredentialSource) -> Platform {
        let mut platform = Platform::new(source, "eu-test-1", Some(self.url.clone())).unwrap();
        platform.machine.clone_from(&self.url);
        platform.container.clone_from(&self.url);
        platform
    }
}

/// A role's credential as the platform writes it.
pub(crate) fn credential(id: &str, end: &str) -> String {
    format!(
        r#"{{"AccessKeyId": "{id}", "SecretAccessKey": "secret", "Token": "token", "Expiration": "{end}", "Code": "Success"}}"#
    )
}

const END: &str = "2026-11-20T18:00:00Z";

async fn check(platform: Platform) {
    let (credentials, end) = platform.fetch().await.unwrap();
    assert_eq!(credentials.access_key_id(), "ASIAROLE");
    assert_eq!(credentials.secret_access_key(), "secret");
    assert_eq!(credentials.session_token(), Some("token"));
    assert_eq!(end, END.parse().unwrap());
}

#[tokio::test]
async fn the_machine_is_asked_with_a_token_for_its_role() {
    let answers = ["metadata-token".to_owned(), "reader\n".to_owned(), credential("ASIAROLE", END)];
    let service = Service::new(answers.map(|body| (200, body)).to_vec());
    check(service.platform(CredentialSource::Machine)).await;
    assert!(service.asked().starts_with("PUT /latest/api/token "));
    let path = "/latest/meta-data/iam/security-credentials/";
    assert!(service.asked().starts_with(&format!("GET {path} ")));
    let last = service.asked();
    assert!(last.starts_with(&format!("GET {path}reader ")), "{last}");
    assert!(last.contains("x-aws-ec2-metadata-token: metadata-token"), "{last}");
}

#[tokio::test]
async fn a_container_is_asked_at_its_path_or_with_its_token() {
    let answer = (200, credential("ASIAROLE", END));
    let service = Service::new(vec![answer.clone(), answer]);
    let relative_uri = "/v2/credentials/1".to_owned();
    check(service.platform(CredentialSource::Container { relative_uri })).await;
    assert!(service.asked().starts_with("GET /v2/credentials/1 "));
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "pod-token\n").unwrap();
    let token_file = token.path().to_str().unwrap().to_owned();
    let full_uri = format!("{}/v1/credentials", service.url);
    check(service.platform(CredentialSource::ContainerWithToken { full_uri, token_file })).await;
    let asked = service.asked();
    assert!(
        asked.starts_with("GET /v1/credentials ") && asked.contains("authorization: pod-token")
    );
}

#[tokio::test]
async fn a_role_is_taken_for_the_platforms_token() {
    let answer = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Audience>sts</Audience><Credentials>\
         <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>{END}</Expiration></Credentials>\
         </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    );
    let service = Service::new(vec![(200, answer)]);
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "a.b+c\n").unwrap();
    let token_file = token.path().to_str().unwrap().to_owned();
    let role_arn = "arn:aws:iam::1:role/reader".to_owned();
    let source = CredentialSource::WebIdentity { token_file, role_arn, session_name: None };
    check(service.platform(source)).await;
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15\
                &RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader\
                &RoleSessionName=veilcast-gateway&WebIdentityToken=a.b%2Bc";
    let asked = service.asked();
    assert!(asked.starts_with("POST / ") && asked.ends_with(&format!("\r\n\r\n{form}")), "{asked}");
}

#[tokio::test]
async fn what_gives_no_credential_is_told_without_its_words() {
    let relative_uri = || "/c".to_owned();
    let fails = |status, body: &str| {
        let service = Service::new(vec![(status, body.to_owned())]);
        let platform =
            service.platform(CredentialSource::Container { relative_uri: relative_uri() });
        async move { platform.fetch().await.err().unwrap() }
    };
    assert_eq!(fails(403, "secret").await, Unfetched::Refused);
    for body in ["", "secret", "{}", &credential("ASIAROLE", "soon"), &credential("", END)] {
        assert_eq!(fails(200, body).await, Unfetched::Nonsense, "{body}");
    }
    let gone = Service { url: "http://127.0.0.1:1".to_owned(), asked: channel().1 };
    let platform = gone.platform(CredentialSource::Container { relative_uri: relative_uri() });
    assert_eq!(platform.fetch().await.err(), Some(Unfetched::Away));
    let missing = CredentialSource::ContainerWithToken {
        full_uri: gone.url.clone(),
        token_file: "/nowhere".to_owned(),
    };
    assert_eq!(gone.platform(missing).fetch().await.err(), Some(Unfetched::TokenFile));
}

#[test]
fn roles_are_taken_in_the_region_unless_somewhere_is_named() {
    let service = |region: &str, named: Option<&str>| {
        let named = named.map(str::to_owned);
        Platform::new(CredentialSource::Machine, region, named).unwrap().token_service
    };
    assert_eq!(service("eu-central-1", None), "https://sts.eu-central-1.amazonaws.com");
    assert_eq!(service("cn-north-1", None), "https://sts.cn-north-1.amazonaws.com.cn");
    assert_eq!(service("eu-central-1", Some("http://sts")), "http://sts");
}

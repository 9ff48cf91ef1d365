//! `veilcast sign`: a playlist in, the same playlist with presigned URLs out.
//!
//! Needs no data folder, no network and no runtime. Secrets come from the environment and go nowhere.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use veil_hls::template::{Limits, Reference, Target, Template};
use veil_presign::{
    Batch, Credentials, Lanes, Names, Request, Signature, SigningKey, UrlText, folder_path,
    parse_query, presign,
};

use crate::args::sign::SignArgs;
use crate::error::CliError;
use crate::output::{Format, note};

/// The variables that AWS's own tools read.
const VARIABLES: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

pub(crate) fn run(args: &SignArgs, format: Format, now: Timestamp) -> Result<(), CliError> {
    let credentials = credentials()?;
    let limits = Limits::default();
    let text = read(&args.playlist, limits.playlist_bytes)?;
    let template = Template::parse(&text, limits)
        .map_err(|error| CliError::new(format!("{}: {error}", args.playlist.display())))?;
    let now = args.date.unwrap_or(now);
    let urls = Urls::sign(&template, args, &credentials, now)?;
    let mut signed = Vec::new();
    template
        .emit(&[], &mut signed, |target, out| urls.push(target, out))
        .map_err(|error| CliError::new(error.to_string()))?;
    if template.playlists().len() > 0 {
        note("note: playlists that this one names are signed too; what they name in turn is not");
    }
    answer(signed, &urls, args, format, now)
}

fn credentials() -> Result<Credentials, CliError> {
    let [id, secret, token] =
        VARIABLES.map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let missing = |name: &str| {
        CliError::new(format!("{name} is not set")).hint(format!(
            "{} and {} hold the credential, {} the token of a temporary one",
            VARIABLES[0], VARIABLES[1], VARIABLES[2]
        ))
    };
    let id = id.ok_or_else(|| missing(VARIABLES[0]))?;
    let secret = secret.ok_or_else(|| missing(VARIABLES[1]))?;
    let credentials = Credentials::new(id, secret).and_then(|credentials| match token {
        Some(token) => credentials.with_session_token(token),
        None => Ok(credentials),
    });
    credentials.map_err(|error| CliError::new(format!("the credential can't be used: {error}")))
}

fn read(path: &Path, limit_bytes: usize) -> Result<Vec<u8>, CliError> {
    let unreadable =
        |error: io::Error| CliError::new(format!("{} can't be read: {error}", path.display()));
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut text = Vec::new();
    // One byte more than may be there: the template then names the limit.
    source.take(limit_bytes as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// A URL for each URI of a playlist.
struct Urls {
    text: UrlText,
    names: Names,
    signatures: Vec<Signature>,
    /// Those of objects, then those of playlists.
    all: Vec<Url>,
    object_count: usize,
}

enum Url {
    /// The name and signature of this number.
    Named(usize),
    /// A URL that was signed by itself.
    Alone(String),
}

impl Urls {
    fn sign(
        template: &Template,
        args: &SignArgs,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<Self, CliError> {
        let folder = folder_path(&args.bucket, &args.prefix).map_err(refused)?;
        let key = SigningKey::derive(credentials, now, &args.region).map_err(refused)?;
        let shared = Request::get(args.endpoint.host(), &folder, args.expires);
        let batch = Batch::new(&key, &shared, now).map_err(refused)?;
        let mut plain = Vec::new();
        let mut all = Vec::new();
        for reference in template.objects().chain(template.playlists()) {
            all.push(if reference.suffix.is_empty() {
                plain.push(reference.path);
                Url::Named(plain.len() - 1)
            } else {
                Url::Alone(sign_alone(args.endpoint.scheme(), &key, &shared, &reference, now)?)
            });
        }
        let names = Names::new(plain);
        let signatures = batch.sign(Lanes::detect(), &names);
        let object_count = template.objects().len();
        Ok(Self { text: batch.urls(args.endpoint.scheme()), names, signatures, all, object_count })
    }

    fn push(&self, target: Target, out: &mut Vec<u8>) {
        let at = match target {
            Target::Object(at) => at,
            Target::Playlist(at) => self.object_count + at,
        };
        match &self.all[at] {
            Url::Named(at) => self.text.push(self.names.get(*at), &self.signatures[*at], out),
            Url::Alone(url) => out.extend_from_slice(url.as_bytes()),
        }
    }
}

/// Signs a URI that has a query or a fragment: the query is signed with the rest, the fragment goes to no server.
fn sign_alone(
    scheme: &str,
    key: &SigningKey,
    shared: &Request<'_>,
    reference: &Reference<'_>,
    now: Timestamp,
) -> Result<String, CliError> {
    let fragment_at = reference.suffix.find('#').unwrap_or(reference.suffix.len());
    let (query, fragment) = reference.suffix.split_at(fragment_at);
    let query = query.trim_start_matches('?');
    let parameters = if query.is_empty() { Some(Vec::new()) } else { parse_query(query) };
    let unreadable = || CliError::new(format!("the query of `{}` can't be read", reference.uri));
    let parameters = parameters.ok_or_else(unreadable)?;
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let path = format!("{}{}", shared.path, reference.path);
    let request = Request { path: &path, query: &parameters, ..*shared };
    let target = presign(key, &request, now)
        .map_err(|error| CliError::new(format!("`{}`: {error}", reference.uri)))?;
    Ok(format!("{scheme}://{}{target}{fragment}", shared.host))
}

fn refused(error: impl std::error::Error) -> CliError {
    CliError::new(error.to_string())
}

fn answer(
    signed: Vec<u8>,
    urls: &Urls,
    args: &SignArgs,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    if format == Format::Json {
        let expires = now + SignedDuration::from_secs(args.expires.into());
        let playlist = String::from_utf8_lossy(&signed);
        let answer = json!({
            "playlist": playlist,
            "url_count": urls.all.len(),
            "expires": expires.to_string(),
        });
        format.answer(&answer, String::new);
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(&signed)
        .and_then(|()| stdout.flush())
        .map_err(|error| CliError::new(format!("standard output can't be written: {error}")))
}

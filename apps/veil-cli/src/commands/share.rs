//! `veilcast share`: a grant, and the link to watch.

use std::io::Read as _;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};
use serde_json::json;
use veil_seal::identity::{MAX_TEXT_BYTES, Recipient};
use veil_studio::Studio;
use veil_studio::place::Place;
use veil_studio::share::{LinkBase, ShareRequest, Shared};

use crate::args::ShareArgs;
use crate::commands::up::DEFAULT_LISTEN;
use crate::error::CliError;
use crate::output::{Format, note};

pub(crate) async fn run(
    studio: &Studio,
    args: &ShareArgs,
    format: Format,
    now: Timestamp,
) -> Result<(), CliError> {
    let to = args.to.as_deref().map(recipient).transpose()?;
    let expires = expiry(&args.expires, now)?;
    let request = ShareRequest { to, expires, label: args.label.trim().to_owned() };
    let base = match (&args.page, &args.base_url) {
        (Some(page), _) => LinkBase::Page(checked_page(page)?),
        (None, Some(url)) => LinkBase::Gateway(checked_url(url)?),
        (None, None) => LinkBase::Gateway(last_url(studio)?),
    };
    let shared = studio.share(&args.title, &request, &base, now).await?;
    if args.page.is_none() && args.base_url.is_none() {
        tell_elsewhere(studio, &shared)?;
    }
    let kind = if args.to.is_some() { "recipient" } else { "link" };
    let answer = json!({
        "grant": shared.grant.to_string(),
        "kind": kind,
        "link": *shared.link,
        "expires": shared.expires,
        "stores": shared.places.iter().map(Place::to_string).collect::<Vec<_>>(),
    });
    format.answer(&answer, || text(&shared, kind));
    Ok(())
}

/// Says so when the link leads to a gateway that doesn't have the title.
fn tell_elsewhere(studio: &Studio, shared: &Shared) -> Result<(), CliError> {
    let served = studio.served_place()?;
    if let Some(place) = shared.places.first()
        && !shared.places.iter().any(|place| place.is_same(&served))
    {
        note(&format!(
            "note: the title lies at {place}, and `veilcast up` last served {served}: `veilcast up --bucket '{place}'` \
             makes the link work, or --base-url names another gateway of that place"
        ));
    }
    Ok(())
}

/// Checks an address that viewers use: `http://` or `https://`, a host, nothing after it.
pub(crate) fn checked_url(url: &str) -> Result<String, CliError> {
    let url = url.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let bad = |c: char| c.is_whitespace() || c.is_control() || "/?#@\\\"'<>".contains(c);
    match rest {
        Some(host) if !host.is_empty() && !host.contains(bad) => Ok(url.to_owned()),
        _ => Err(CliError::new(format!("{url:?} is not the address of a gateway"))
            .hint("an address looks like https://video.example.org")),
    }
}

/// Checks the address of an exported page: as a gateway's, with a path where it lies in a folder.
fn checked_page(url: &str) -> Result<String, CliError> {
    let url = url.trim_end_matches('/');
    let bad = |c: char| c.is_whitespace() || c.is_control() || "?#@\\\"'<>".contains(c);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.starts_with('/') && !rest.is_empty() && !rest.contains(bad) => {
            Ok(url.to_owned())
        }
        _ => Err(CliError::new(format!("{url:?} is not the address of a page"))
            .hint("an address looks like https://films.example.net or https://example.net/films")),
    }
}

fn last_url(studio: &Studio) -> Result<String, CliError> {
    let known = studio.data().gateway_url()?;
    Ok(known.unwrap_or_else(|| format!("http://{DEFAULT_LISTEN}")))
}

/// `age1pq1…` itself, or the first such line of a file.
fn recipient(text: &str) -> Result<Recipient, CliError> {
    if text.starts_with("age1pq1") {
        return text.parse().map_err(|_| bad_recipient("it"));
    }
    let mut content = String::new();
    std::fs::File::open(text)
        .and_then(|file| file.take(4 * MAX_TEXT_BYTES as u64).read_to_string(&mut content))
        .map_err(|error| {
            CliError::new(format!("cannot read the recipient file {text}: {error}"))
                .hint("--to takes a recipient (age1pq1…) or a file that holds one")
        })?;
    let line = content.lines().map(str::trim).find(|line| line.starts_with("age1pq1"));
    line.and_then(|line| line.parse().ok()).ok_or_else(|| bad_recipient(text))
}

fn bad_recipient(what: &str) -> CliError {
    CliError::new(format!("{what} is not a post-quantum recipient"))
        .hint("a recipient looks like age1pq1…; `age-keygen -pq` makes one. Older keys (age1…) are not enough")
}

/// `7d`, `12h`, `30m` or `never`; a day is 24 hours.
pub(crate) fn expiry(text: &str, now: Timestamp) -> Result<Option<Timestamp>, CliError> {
    if text == "never" {
        return Ok(None);
    }
    let bad = || {
        CliError::new(format!("{text:?} is not a length of time"))
            .hint("--expires takes 30m, 12h, 7d, 4w or never")
    };
    let span: Span = text.parse().map_err(|_| bad())?;
    let relative = SpanRelativeTo::days_are_24_hours();
    let seconds = span.total((Unit::Second, relative)).map_err(|_| bad())?;
    let length = SignedDuration::try_from_secs_f64(seconds).map_err(|_| bad())?;
    now.checked_add(length).map(Some).map_err(|_| bad())
}

fn text(shared: &Shared, kind: &str) -> String {
    let until = shared.expires.as_deref().map_or("never ends".into(), |end| format!("ends {end}"));
    let who = match kind {
        "recipient" => "Only the recipient's identity opens it.",
        _ => "Whoever has it can watch: send it as you would send a password.",
    };
    format!("{}\n\ngrant {}, {until}. {who}", *shared.link, shared.grant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_expiry(text: &str, hours: Option<i64>) {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let expected = hours.map(|hours| now + SignedDuration::from_hours(hours));
        assert_eq!(expiry(text, now).ok().flatten(), expected, "{text}");
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        check_expiry("7d", Some(168));
        check_expiry("2w", Some(336));
        check_expiry("12h", Some(12));
        check_expiry("1d 12h", Some(36));
        check_expiry("never", None);
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        let now = Timestamp::UNIX_EPOCH;
        for text in ["", "7", "soon", "1y", "99999999999d"] {
            assert!(expiry(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pages_address_may_have_a_path() {
        assert_eq!(checked_page("https://a.example/films/").unwrap(), "https://a.example/films");
        for url in ["", "films", "https://", "https:///x", "https://a.example/?x", "https://a#b"] {
            assert!(checked_page(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_nothing_else() {
        assert!(checked_url("https://video.example.org/").is_ok());
        assert!(checked_url("http://127.0.0.1:8787").is_ok());
        for url in ["", "video.example.org", "ftp://x", "https://x/y", "https://a@b", "https://x#y"]
        {
            assert!(checked_url(url).is_err(), "{url}");
        }
    }
}

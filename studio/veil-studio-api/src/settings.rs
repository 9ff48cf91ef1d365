//! What is preset, in `studio.json` of the data folder.
//!
//! Owns: reading, checking and writing it. A file that is none is an error at the start, and never overwritten unseen.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};
use veil_ffmpeg::LadderRequest;
use veil_studio::data::DataDir;

use crate::ApiError;
use crate::problem::Problem;
use crate::wire::desk::Settings;

/// What stands in the data folder, or what holds where nothing does.
pub(crate) fn read(data: &DataDir) -> Result<Settings, ApiError> {
    let Some(text) = data.settings()? else { return Ok(Settings::default()) };
    serde_json::from_str(&text).map_err(|error| ApiError::Settings(error.to_string()))
}

/// What is preset in a data folder.
///
/// # Errors
/// [`ApiError::Settings`] where the file holds none.
pub fn preset(data: &DataDir) -> Result<Settings, ApiError> {
    read(data)
}

/// Checks and writes them.
pub(crate) fn write(data: &DataDir, settings: &Settings) -> Result<(), Problem> {
    check(settings)?;
    let text = serde_json::to_string_pretty(settings).map_err(|_| Problem::internal())?;
    Ok(data.set_settings(&format!("{text}\n"))?)
}

fn check(settings: &Settings) -> Result<(), Problem> {
    let wrong = |what: &str| Err(Problem::unprocessable().detail(what.to_owned()));
    if expiry(&settings.share_expires, Timestamp::UNIX_EPOCH).is_none() {
        return wrong("share_expires is 30m, 12h, 7d, 4w or never");
    }
    if !settings.share_base_url.is_empty() && !is_base(&settings.share_base_url) {
        return wrong("share_base_url is an address such as https://video.example.org");
    }
    settings
        .import_ladder
        .parse::<LadderRequest>()
        .map_err(|refusal| Problem::unprocessable().detail(format!("import_ladder: {refusal}")))?;
    let ranges = [
        ("upload_bytes_max", settings.upload_bytes_max, 1 << 20, 16 << 40),
        ("upload_hours", settings.upload_hours.into(), 1, 24 * 30),
        ("cache_bytes_max", settings.cache_bytes_max, 10_000_000, 10_000_000_000_000),
        ("cache_days", settings.cache_days.into(), 1, 3650),
        ("hide_per_minute", settings.hide_per_minute.into(), 1, 10_000),
    ];
    for (name, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            return wrong(&format!("{name} goes from {least} to {most}"));
        }
    }
    Ok(())
}

/// Whether a text is the address of a gateway or of an exported page.
pub(crate) fn is_base(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let bad = |c: char| c.is_whitespace() || c.is_control() || "?#@\\\"'<>".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(bad))
}

/// When a length of time (`7d`, `12h`, `never`) ends; `None` for what is none. A day is 24 hours.
pub(crate) fn expiry(text: &str, now: Timestamp) -> Option<Option<Timestamp>> {
    if text == "never" {
        return Some(None);
    }
    let span: Span = text.parse().ok()?;
    let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?;
    let length = SignedDuration::try_from_secs_f64(seconds).ok()?;
    now.checked_add(length).ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(change: impl FnOnce(&mut Settings), holds: bool) {
        let mut settings = Settings::default();
        change(&mut settings);
        assert_eq!(check(&settings).is_ok(), holds, "{settings:?}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        check_one(|_| (), true);
        check_one(|it| it.share_expires = "never".into(), true);
        check_one(|it| it.share_expires = "soon".into(), false);
        check_one(|it| it.share_base_url = "https://video.example.org/films".into(), true);
        check_one(|it| it.share_base_url = "javascript:alert(1)".into(), false);
        check_one(|it| it.import_ladder = "480,720".into(), true);
        check_one(|it| it.import_ladder = "tall".into(), false);
        check_one(|it| it.upload_hours = 0, false);
        check_one(|it| it.cache_bytes_max = 1, false);
        check_one(|it| it.hide_per_minute = 0, false);
    }
}

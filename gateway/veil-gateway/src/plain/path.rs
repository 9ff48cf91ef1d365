//! From a request's path to a key, and from a key's extension to its kind.
//!
//! Owns the list of what is served. Refuses every path that two readers could take for different keys, by the rules that
//! playlists' own URIs are held to.

use veil_hls::template::local_path;

/// Where plain trees lie among the gateway's paths.
pub(super) const ROOT: &str = "/hls/";

/// Extensions of media, and what they are served as.
const MEDIA_TYPES: [(&str, &str); 20] = [
    ("ts", "video/mp2t"),
    ("m4s", "video/iso.segment"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("m4a", "audio/mp4"),
    ("cmfv", "video/mp4"),
    ("cmfa", "audio/mp4"),
    ("cmft", "application/mp4"),
    ("aac", "audio/aac"),
    ("ac3", "audio/ac3"),
    ("ec3", "audio/eac3"),
    ("mp3", "audio/mpeg"),
    ("vtt", "text/vtt"),
    ("webvtt", "text/vtt"),
    ("key", OTHER_TYPE),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("json", "application/json"),
];

/// What an extension that the configuration adds is served as.
const OTHER_TYPE: &str = "application/octet-stream";

/// What lies at a key, by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Playlist,
    /// Anything else, with its media type.
    Object(&'static str),
}

/// What a request names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) key: String,
    pub(super) kind: Kind,
}

impl Target {
    /// `None` for an extension that is not served.
    pub(super) fn of(key: String, more: &[String]) -> Option<Self> {
        let kind = kind(&key, more)?;
        Some(Self { key, kind })
    }

    /// The key's folder, with a slash at its end, and its name.
    pub(super) fn split(&self) -> (&str, &str) {
        self.key.split_at(self.key.rfind('/').map_or(0, |slash| slash + 1))
    }
}

/// The key that a request's path names. `None` for one outside [`ROOT`], or that readers take for different keys.
pub(super) fn key(path: &str) -> Option<String> {
    let rest = path.strip_prefix(ROOT)?;
    let decoded = local_path(rest).ok()?;
    Some(decoded.unwrap_or_else(|| rest.to_owned()))
}

/// What a key is, by its extension. `None` for one that is not served.
pub(super) fn kind(key: &str, more: &[String]) -> Option<Kind> {
    let name = key.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    let extension = extension.to_ascii_lowercase();
    if extension == "m3u8" {
        return Some(Kind::Playlist);
    }
    let known = MEDIA_TYPES.iter().find(|(known, _)| *known == extension);
    match known {
        Some((_, media_type)) => Some(Kind::Object(media_type)),
        None if more.contains(&extension) => Some(Kind::Object(OTHER_TYPE)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_one_key_or_none() {
        assert_eq!(key("/hls/vod/a%20b/%C3%A9.ts").as_deref(), Some("vod/a b/é.ts"));
        assert_eq!(key("/hls/vod/a.m3u8").as_deref(), Some("vod/a.m3u8"));
        for path in [
            "/hls/",
            "/hls//vod/a.ts",
            "/hls/vod//a.ts",
            "/hls/vod/../a.ts",
            "/hls/vod/%2e%2e/a.ts",
            "/hls/vod/%2E./a.ts",
            "/hls/vod/.",
            "/hls/vod%2fa.ts",
            "/hls/vod/a%5cb.ts",
            "/hls/vod/a\\b.ts",
            "/hls/vod/a%00.ts",
            "/hls/vod/%252e%252e/a.ts",
            "/hls/vod/%ff.ts",
            "/hls/vod/%a",
            "/hlsx/vod/a.ts",
        ] {
            assert_eq!(key(path), None, "{path}");
        }
    }

    #[test]
    fn only_media_and_playlists_are_served_and_what_is_added() {
        let more = ["bin".to_owned()];
        assert_eq!(kind("a/b.M3U8", &[]), Some(Kind::Playlist));
        assert_eq!(kind("a/b.TS", &[]), Some(Kind::Object("video/mp2t")));
        assert_eq!(kind("a/b.bin", &more), Some(Kind::Object(OTHER_TYPE)));
        for key in ["a/b", "a/.ts", "a.ts/b", "a/b.bin", "a/b.html", "a/b.svg", "a/b.", "b.ts.gz"] {
            assert_eq!(kind(key, &[]), None, "{key}");
        }
    }

    #[test]
    fn a_key_is_a_folder_and_a_name() {
        let split = |key: &str| {
            let target = Target::of(key.to_owned(), &[]).unwrap();
            let (folder, name) = target.split();
            (folder.to_owned(), name.to_owned())
        };
        assert_eq!(split("a/b/c.ts"), ("a/b/".to_owned(), "c.ts".to_owned()));
        assert_eq!(split("c.ts"), (String::new(), "c.ts".to_owned()));
    }
}

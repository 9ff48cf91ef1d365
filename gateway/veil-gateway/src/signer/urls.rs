//! The URLs of one folder, in whatever mode.
//!
//! Owns the difference between a signature for each name and one for all. Refuses to know who asked.

use veil_presign::cdn::{CloudFrontToken, FolderUrls, TimedHmacUrls};
use veil_presign::{Batch, Lanes, Names, Signature, UrlText};

use super::{CookieScope, Place};

/// What stands in a playlist for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A URL that every player reads.
    Whole,
    /// Variables for what URLs share (RFC 8216bis §4.3), for players that know `EXT-X-DEFINE`.
    Compact,
}

/// The URLs of a folder's objects, until some time.
pub(crate) struct Urls {
    pub(super) kind: Kind,
    /// `Set-Cookie` values that the URLs need.
    pub(crate) cookies: Vec<String>,
}

pub(super) enum Kind {
    /// A signature for each name, in URLs of this text.
    Signed(Box<Batch>, UrlText),
    /// Nothing for the name.
    Folder(FolderUrls),
    /// A token for each name.
    Timed(TimedHmacUrls),
    /// No name.
    None,
}

/// The URLs of names, ready to be written.
pub(crate) struct Written<'a> {
    names: &'a Names,
    /// What variables stand for, if there are any.
    pub(crate) variables: Vec<(&'static str, String)>,
    text: Text<'a>,
}

enum Text<'a> {
    Signed(UrlText, Vec<Signature>),
    Folder(FolderUrls),
    Timed(&'a TimedHmacUrls),
    None,
}

impl Urls {
    /// The URLs of a playlist that names no object.
    pub(crate) fn none() -> Self {
        Self { kind: Kind::None, cookies: Vec::new() }
    }

    /// Computes what the URLs of `names` need.
    pub(crate) fn write<'a>(&'a self, lanes: Lanes, names: &'a Names, form: Form) -> Written<'a> {
        let mut variables = Vec::new();
        let text = match (&self.kind, form) {
            (Kind::Signed(batch, text), Form::Whole) => {
                Text::Signed(text.clone(), batch.sign(lanes, names))
            }
            (Kind::Signed(batch, text), Form::Compact) => {
                let compact = text.clone().compact();
                variables.extend(compact.variables);
                Text::Signed(compact.text, batch.sign(lanes, names))
            }
            (Kind::Folder(urls), Form::Whole) => Text::Folder(urls.clone()),
            (Kind::Folder(urls), Form::Compact) => {
                let (used, compact) = urls.clone().compact();
                variables = used;
                Text::Folder(compact)
            }
            (Kind::Timed(urls), _) => Text::Timed(urls),
            (Kind::None, _) => Text::None,
        };
        // A playlist that names nothing needs no variable.
        if names.is_empty() {
            variables.clear();
        }
        Written { names, variables, text }
    }
}

impl Written<'_> {
    /// Appends the URL of the name of this number.
    #[inline]
    pub(crate) fn push(&self, at: usize, out: &mut Vec<u8>) {
        let name = self.names.get(at);
        match &self.text {
            Text::Signed(text, signatures) => text.push(name, &signatures[at], out),
            Text::Folder(urls) => urls.push(name, out),
            Text::Timed(urls) => urls.push(name, out),
            Text::None => {}
        }
    }
}

/// The cookies that let a browser read below the folder of `urls`.
pub(super) fn set_cookies(
    scope: &CookieScope,
    place: &Place,
    urls: &FolderUrls,
    token: &CloudFrontToken,
) -> Vec<String> {
    let mut url = Vec::new();
    urls.push("", &mut url);
    let url = String::from_utf8_lossy(&url);
    let path = url.strip_prefix(&place.origin()).unwrap_or("/");
    let domain = scope.domain.as_ref().map(|domain| format!("; Domain={domain}"));
    let domain = domain.unwrap_or_default();
    let cookie = |(name, value)| {
        format!("{name}={value}{domain}; Path={path}; Secure; HttpOnly; SameSite=Lax")
    };
    token.cookies().map(cookie).to_vec()
}

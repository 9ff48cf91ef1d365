//! The text around a name and its signature: absolute, relative to the host, or with variables for what repeats.
//!
//! Owns the forms in which one signature can be written. Refuses to know playlists: it gives the variables' names and
//! values, and where they are defined is the caller's.

/// The variable that holds what stands before each name.
pub(crate) const BASE: &str = "veil-base";

/// The variable that holds what stands between each name and its signature.
pub(crate) const QUERY: &str = "veil-query";

/// A reference to a variable.
pub(crate) fn variable(name: &str) -> String {
    format!("{{${name}}}")
}

/// What stands before and after the name in each of many URLs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlText {
    pub(crate) before: String,
    pub(crate) between: String,
}

/// [`UrlText`] that refers to variables, as `EXT-X-DEFINE` has them (RFC 8216bis §4.3), and what they stand for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompactUrls {
    /// The variables, names and values; no value has a quote or a line end.
    pub variables: [(&'static str, String); 2],
    /// The URLs.
    pub text: UrlText,
}

impl UrlText {
    /// Appends a URL to `out`.
    ///
    /// `name` is encoded as [`crate::Names::get`] gives it.
    #[inline]
    pub fn push(&self, name: &str, signature: &[u8; 64], out: &mut Vec<u8>) {
        out.reserve(self.len(name));
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(self.between.as_bytes());
        out.extend_from_slice(signature);
    }

    /// The length in bytes of the URL of `name`.
    #[must_use]
    #[inline]
    pub fn len(&self, name: &str) -> usize {
        self.before.len() + name.len() + self.between.len() + size_of::<crate::Signature>()
    }

    /// The same URLs with variables for what repeats: a quarter of the bytes. Only readers that know
    /// `EXT-X-DEFINE` understand them.
    #[must_use]
    pub fn compact(self) -> CompactUrls {
        let text = UrlText { before: variable(BASE), between: variable(QUERY) };
        CompactUrls { variables: [(BASE, self.before), (QUERY, self.between)], text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &UrlText) -> String {
        let mut out = Vec::new();
        text.push("n", &[b'5'; 64], &mut out);
        assert_eq!(out.len(), text.len("n"));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn variables_put_in_give_the_same_url() {
        let text = UrlText { before: "https://a/b/".into(), between: "?c=d&e=".into() };
        let compact = text.clone().compact();
        let mut written = url(&compact.text);
        assert!(written.starts_with("{$veil-base}n{$veil-query}5"), "{written}");
        for (name, value) in compact.variables {
            written = written.replace(&format!("{{${name}}}"), &value);
        }
        assert_eq!(written, url(&text));
    }
}

//! The Content-Security-Policy that the page, its scripts and its Workers run under.
//!
//! Owns the text, in one place, for the gateway's header and for an exported page alike.

use std::collections::BTreeSet;

/// Names of the Trusted Types policies that page and player create; any other name is refused.
pub const TRUSTED_TYPES_POLICIES: [&str; 3] = ["veilcast-worker", "veilcast-shell", "default"];

/// The policy, without foreign origins and before the Trusted Types names.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    connect-src 'self'; img-src 'self' blob:; media-src 'self' blob:; style-src 'self'; \
    font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types";

/// What only a header can say: a `<meta>` with it is a mistake that browsers tell of.
const HEADER_ALONE: &str = " frame-ancestors 'none';";

/// The page's policy in full. Beside its own host it may fetch from `origins`, where gateway and objects are.
#[must_use]
pub fn page_policy(origins: &BTreeSet<String>) -> String {
    let own = "connect-src 'self'";
    let fetched = origins.iter().fold(own.to_owned(), |all, origin| format!("{all} {origin}"));
    format!("{} {}", POLICY.replacen(own, &fetched, 1), TRUSTED_TYPES_POLICIES.join(" "))
}

/// The policy as a page can state it about itself.
pub(crate) fn meta_policy(origins: &BTreeSet<String>) -> String {
    page_policy(origins).replacen(HEADER_ALONE, "", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_allows_no_foreign_or_inline_script() {
        let policy = page_policy(&BTreeSet::new());
        assert!(policy.ends_with("trusted-types veilcast-worker veilcast-shell default"));
        for never in ["unsafe", "*", "http", "data:", "eval"] {
            assert!(!policy.contains(never), "{never}");
        }
    }

    #[test]
    fn it_may_fetch_from_where_objects_are_and_from_nowhere_else() {
        let origins = ["https://a.example", "http://b.example:9000"].map(str::to_owned).into();
        let expected = "; connect-src 'self' http://b.example:9000 https://a.example; img-src";
        assert!(page_policy(&origins).contains(expected), "{}", page_policy(&origins));
    }

    #[test]
    fn about_itself_a_page_says_all_but_who_may_frame_it() {
        let (all, own) = (page_policy(&BTreeSet::new()), meta_policy(&BTreeSet::new()));
        assert_eq!(all.len(), own.len() + HEADER_ALONE.len());
        assert!(!own.contains("frame-ancestors"), "{own}");
    }
}

//! Links, taken apart.

use veil_seal::id::GrantId;
use veil_seal::link::LinkSecret;

use crate::args::sealed::OpenArgs;
use crate::error::CliError;

/// A link to watch: what stands before `/w/`, the grant, the secret.
pub(crate) struct Link {
    /// The gateway's address.
    pub(crate) base: String,
    /// The grant.
    pub(crate) grant: GrantId,
    /// What opens it.
    pub(crate) secret: LinkSecret,
}

impl Link {
    /// The text of the link that stands where a file could, if one does.
    pub(crate) fn of_args(args: &OpenArgs) -> Option<&str> {
        let text = args.input.as_deref()?.to_str()?;
        let (address, fragment) = text.split_once('#')?;
        let scheme = address.split_once("://")?.0;
        let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        (http && address.contains("/w/") && !fragment.is_empty()).then_some(text)
    }

    /// Takes a link apart.
    pub(crate) fn parse(text: &str) -> Result<Self, CliError> {
        let incomplete = || {
            CliError::new("the link is incomplete")
                .hint("copy all of it: https://HOST/w/GRANT#SECRET")
        };
        let (address, fragment) = text.split_once('#').ok_or_else(incomplete)?;
        if fragment.contains('.') {
            return Err(CliError::new(
                "the link leads to a page, which knows the gateway, and not to one",
            )
            .hint("ask for a link to the gateway itself: `veilcast share --base-url`"));
        }
        let (base, grant) = address.rsplit_once("/w/").ok_or_else(incomplete)?;
        let grant = grant.trim_end_matches('/').parse().map_err(|_| incomplete())?;
        let secret = LinkSecret::parse(fragment).map_err(|_| incomplete())?;
        Ok(Self { base: base.to_owned(), grant, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = "01010101010101010101010101010101";
    const SECRET: &str = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU";

    #[test]
    fn a_link_is_taken_apart() {
        let link = Link::parse(&format!("https://h.example/films/w/{GRANT}#{SECRET}")).unwrap();
        assert_eq!((link.base.as_str(), link.grant), ("https://h.example/films", GrantId([1; 16])));
    }

    #[test]
    fn what_is_no_whole_link_is_refused_without_repeating_it() {
        for text in [
            format!("https://h/w/{GRANT}"),
            format!("https://h/w/{GRANT}#{}", &SECRET[1..]),
            format!("https://h/w/{}#{SECRET}", &GRANT[1..]),
            format!("https://h/{GRANT}#{SECRET}"),
            format!("https://h/w/#{GRANT}.{SECRET}"),
        ] {
            let Err(error) = Link::parse(&text) else { panic!("{text}") };
            assert!(!error.message.contains(SECRET) && error.hint.is_some(), "{error}");
        }
    }
}

//! One attribute out of an attribute list (RFC 8216bis §4.2).
//!
//! Owns finding a quoted value without being fooled by commas and names inside other quotes. Refuses
//! to interpret values. Invariant: it refuses a list that two readers could split differently around
//! the wanted attribute.

use std::ops::Range;

/// Why an attribute list cannot be read.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeFault {
    /// A quoted value has no closing quote.
    #[error("a quoted value does not end")]
    Unterminated,
    /// Something other than a comma follows a quoted value.
    #[error("text follows a quoted value")]
    AfterQuote,
    /// The URI is not quoted.
    #[error("the URI is not quoted")]
    Unquoted,
    /// The URI is given twice.
    #[error("the URI is given twice")]
    Double,
}

/// The range of `name`'s quoted value in `list`, without its quotes. `None` when it is absent.
pub(crate) fn find_quoted(list: &str, name: &str) -> Result<Option<Range<usize>>, AttributeFault> {
    let mut found = None;
    let mut at = 0;
    while at < list.len() {
        let rest = &list[at..];
        let Some(end) = rest.find(['=', ',']) else { break };
        if rest[end..].starts_with(',') {
            at += end + 1;
            continue;
        }
        let wanted = rest[..end].trim_matches([' ', '\t']) == name;
        let value = at + end + 1;
        let (range, next) = read_value(list, value)?;
        if wanted {
            let range = range.ok_or(AttributeFault::Unquoted)?;
            if found.replace(range).is_some() {
                return Err(AttributeFault::Double);
            }
        }
        at = next;
    }
    Ok(found)
}

/// Reads the value at byte `at`: its range if it is quoted, and where the next attribute begins.
fn read_value(list: &str, at: usize) -> Result<(Option<Range<usize>>, usize), AttributeFault> {
    let rest = &list[at..];
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(',').unwrap_or(rest.len());
        // A quote in an unquoted value could hide a comma from one reader and not from another.
        if rest[..end].contains('"') {
            return Err(AttributeFault::AfterQuote);
        }
        return Ok((None, at + end + 1));
    };
    let length = quoted.find('"').ok_or(AttributeFault::Unterminated)?;
    let after = &quoted[length + 1..];
    let gap = after.len() - after.trim_start_matches([' ', '\t']).len();
    if !after[gap..].is_empty() && !after[gap..].starts_with(',') {
        return Err(AttributeFault::AfterQuote);
    }
    let start = at + 1;
    Ok((Some(start..start + length), start + length + 1 + gap + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, expected: Result<Option<&str>, AttributeFault>) {
        let found = find_quoted(list, "URI");
        assert_eq!(found.map(|range| range.map(|r| &list[r])), expected, "{list}");
    }

    #[test]
    fn a_quoted_value_is_found_wherever_it_stands() {
        check(r#"URI="a""#, Ok(Some("a")));
        check(r#"TYPE=AUDIO,URI="a,b=c",NAME="x""#, Ok(Some("a,b=c")));
        check(r#"PROGRAM-ID=1, URI="a""#, Ok(Some("a")));
        check(r#"URI="a" ,B=1"#, Ok(Some("a")));
        check(r#"URI="""#, Ok(Some("")));
        check("BANDWIDTH=300000,", Ok(None));
        check("", Ok(None));
    }

    #[test]
    fn a_name_inside_quotes_or_longer_than_the_wanted_one_is_not_it() {
        check(r#"NAME=",URI=",B=1"#, Ok(None));
        check(r#"X-URI="a",URI2="b",uri="c""#, Ok(None));
        check(r#"NAME=",URI=",URI="a""#, Ok(Some("a")));
    }

    #[test]
    fn a_list_that_readers_could_split_differently_is_refused() {
        check(r#"URI="a"#, Err(AttributeFault::Unterminated));
        check(r#"NAME="a,URI="b""#, Err(AttributeFault::AfterQuote));
        check(r#"NAME=a"b,URI="c"d""#, Err(AttributeFault::AfterQuote));
        check("URI=a", Err(AttributeFault::Unquoted));
        check(r#"URI="a",URI="b""#, Err(AttributeFault::Double));
    }
}

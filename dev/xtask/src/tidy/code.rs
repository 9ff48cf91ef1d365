//! Rust text without what is not code: comments and the contents of literals become spaces, lines stay where they are.
//!
//! A scanner of tokens, not a parser: it knows line and nested block comments, strings, raw and byte strings,
//! characters and lifetimes, which is all it takes not to mistake a word in a comment for a call.

/// Blanks comments and the contents of literals.
pub(super) fn code_only(text: &str) -> String {
    let mut scanner = Scanner { rest: text, out: String::with_capacity(text.len()) };
    while let Some(next) = scanner.rest.chars().next() {
        scanner.token(next);
    }
    scanner.out
}

/// Blanks, besides, what is compiled only for tests: everything from a `#[cfg(test)]` module to the end of the file,
/// where this repository puts its tests.
pub(super) fn product_code_only(text: &str) -> String {
    let code = code_only(text);
    let tests = code
        .match_indices("#[cfg(test)]")
        .find(|(at, attribute)| code[at + attribute.len()..].trim_start().starts_with("mod "));
    tests.map_or(code.clone(), |(at, _)| code[..at].to_owned())
}

/// Tells whether `code` holds `word` with no letter, digit or underscore on either side.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

struct Scanner<'a> {
    rest: &'a str,
    out: String,
}

impl Scanner<'_> {
    fn token(&mut self, next: char) {
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment_len(self.rest));
        } else if next == '"' {
            self.literal(1, string_len(&self.rest[1..]));
        } else if next == '\'' {
            self.character();
        } else if next.is_alphabetic() || next == '_' {
            self.word();
        } else {
            self.keep(next.len_utf8());
        }
    }

    /// A word, or a literal that begins like one: `r"…"`, `br#"…"#`, `b"…"`, `c"…"`.
    fn word(&mut self) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let len = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let is_raw = matches!(&self.rest[..len], "r" | "br" | "cr");
        self.keep(len);
        let hashes = self.rest.len() - self.rest.trim_start_matches('#').len();
        if is_raw && self.rest[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = &self.rest[hashes + 1..];
            self.literal(hashes + 1, body.find(&end).unwrap_or(body.len()));
        }
    }

    /// A character literal, or the tick of a lifetime.
    fn character(&mut self) {
        let body = &self.rest[1..];
        let len = match body.chars().next() {
            Some('\\') => {
                let escaped = body.chars().nth(1).map_or(1, |c| 1 + c.len_utf8());
                body[escaped..].find('\'').map(|at| at + escaped)
            }
            Some(first) => Some(first.len_utf8()).filter(|len| body[*len..].starts_with('\'')),
            None => None,
        };
        match len {
            Some(len) => self.literal(1, len),
            None => self.keep(1),
        }
    }

    /// Keeps an opening of `open` bytes, blanks `len` bytes; what closes is kept by the scan that goes on.
    fn literal(&mut self, open: usize, len: usize) {
        self.keep(open);
        self.blank(len);
        let close = self.rest.chars().next().map_or(0, char::len_utf8);
        self.keep(close);
    }

    fn keep(&mut self, len: usize) {
        let (kept, rest) = self.rest.split_at(len);
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, len: usize) {
        let (blanked, rest) = self.rest.split_at(len);
        self.out.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }
}

/// Returns the length of a string's contents, given what follows its opening quote.
fn string_len(body: &str) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    body.len()
}

fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kept: &str) {
        let code = code_only(text);
        assert_eq!(code.split_whitespace().collect::<String>(), kept, "{text}");
        assert_eq!(code.lines().count(), text.lines().count(), "{text}");
    }

    #[test]
    fn comments_and_contents_of_literals_are_blanked() {
        check("a // b\nc", "ac");
        check("a /* b /* c */ d */ e", "ae");
        check(r#"a("b \" c") d"#, r#"a("")d"#);
        check(r###"a(r#"b " c"#) d"###, r###"a(r#""#)d"###);
        check("r#fn(b\"x\")", "r#fn(b\"\")");
        check(r"a('b', '\'', '\u{1f600}', 'é') c", "a('','','','')c");
        check("fn a<'b>(c: &'b str)", "fna<'b>(c:&'bstr)");
        check("\"over\ntwo lines\" a", "\"\"a");
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_file() {
        for text in ["\"a", "r#\"a", "/* a", "'", "'\\", "\"\\"] {
            assert!(!code_only(text).contains('a'), "{text}");
        }
    }

    #[test]
    fn tests_at_the_end_are_no_product_code() {
        let text = "fn a() {}\n#[cfg(test)]\nuse b;\n#[cfg(test)]\nmod tests { fn c() {} }";
        let code = product_code_only(text);
        assert!(has_word(&code, "b") && !has_word(&code, "c"), "{code}");
    }

    #[test]
    fn a_word_is_not_found_inside_another() {
        assert!(has_word("process::Command::new", "Command"));
        assert!(!has_word("SubCommand CommandFactory command", "Command"));
    }
}

//! Writing a template out: literal text as it is, each URI as the caller has it.
//!
//! Owns the bound on what comes out, and variables: their definitions after the first line, in that line's own line
//! ends, and the version that they need. Specification: RFC 8216bis §4.3, §4.4.2.3 and §8.

use super::{DEFINE, PlaylistError, Slot, Target, Template, VERSION, attribute};

/// Lowest version of a playlist with variables (RFC 8216bis §8).
const VARIABLES_VERSION: u64 = 8;

/// Room that a URI is given at first, in bytes: a presigned URL takes about 400.
const URI_BYTES: usize = 416;

/// The attributes of `EXT-X-DEFINE` that name a variable.
const NAMING: [&str; 3] = ["NAME", "IMPORT", "QUERYPARAM"];

/// A variable's name and value, to be defined by `EXT-X-DEFINE` at the playlist's head.
pub type Variable<'a> = (&'a str, &'a str);

impl Template {
    /// Appends the playlist to `out`: literal text as it is, each URI as `write` appends it.
    ///
    /// With `variables`, which URIs may then refer to as `{$name}`, the playlist's head has their definitions, and a
    /// version of at least 8; without, nothing but URIs changes.
    ///
    /// # Errors
    /// More bytes than [`super::Limits::emitted_bytes`]; a variable that the playlist defines itself, or that
    /// `EXT-X-DEFINE` can't hold.
    pub fn emit(
        &self,
        variables: &[Variable<'_>],
        out: &mut Vec<u8>,
        mut write: impl FnMut(Target, &mut Vec<u8>),
    ) -> Result<(), PlaylistError> {
        self.check(variables)?;
        let limit_bytes = self.emitted_bytes_max;
        let start = out.len();
        let too_long = PlaylistError::EmittedTooLong { limit_bytes };
        out.reserve((self.text.len() + self.slots.len() * URI_BYTES).min(limit_bytes));
        let mut done = 0;
        for (range, slot) in &self.slots {
            out.extend_from_slice(&self.text.as_bytes()[done..range.start]);
            done = range.end;
            match slot {
                Slot::Uri(target) => write(*target, out),
                Slot::Version(version) if !variables.is_empty() => {
                    let version = (*version).max(VARIABLES_VERSION);
                    out.extend_from_slice(version.to_string().as_bytes());
                }
                Slot::Version(_) => out.extend_from_slice(&self.text.as_bytes()[range.clone()]),
                Slot::Head => self.define(variables, range.start, out),
            }
            if out.len() - start > limit_bytes {
                return Err(too_long);
            }
        }
        out.extend_from_slice(&self.text.as_bytes()[done..]);
        if out.len() - start > limit_bytes { Err(too_long) } else { Ok(()) }
    }

    fn check(&self, variables: &[Variable<'_>]) -> Result<(), PlaylistError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        for (name, value) in variables {
            let is_bad = |c: char| c.is_control() || c == '"';
            if name.is_empty() || !name.bytes().all(plain) || value.contains(is_bad) {
                return Err(PlaylistError::BadVariable { name: (*name).to_owned() });
            }
            if self.defines(name) {
                return Err(PlaylistError::VariableTaken { name: (*name).to_owned() });
            }
        }
        Ok(())
    }

    /// Whether the playlist defines a variable of this name, or does so in a way that can't be read.
    fn defines(&self, name: &str) -> bool {
        let lists = self.defines.iter().map(|line| &self.text[line.start + DEFINE.len()..line.end]);
        lists.into_iter().any(|list| {
            NAMING.iter().any(|attribute| match attribute::find_quoted(list, attribute) {
                Ok(Some(range)) => &list[range] == name,
                Ok(None) => false,
                Err(_) => true,
            })
        })
    }

    /// Writes definitions after the first line, which ends at byte `end`.
    fn define(&self, variables: &[Variable<'_>], end: usize, out: &mut Vec<u8>) {
        let head = &self.text[..end];
        if variables.is_empty() || !head.ends_with('\n') {
            return;
        }
        let line_end = if head.ends_with("\r\n") { "\r\n" } else { "\n" };
        if !self.has_version {
            out.extend_from_slice(format!("{VERSION}{VARIABLES_VERSION}{line_end}").as_bytes());
        }
        for (name, value) in variables {
            let line = format!("{DEFINE}NAME=\"{name}\",VALUE=\"{value}\"{line_end}");
            out.extend_from_slice(line.as_bytes());
        }
    }
}

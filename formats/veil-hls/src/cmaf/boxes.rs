//! Reads box headers and the fields inside boxes, every access checked.
//!
//! Owns: big-endian reads and the walk over child boxes. Refuses to know: what any box means.
//! Specification: ISO/IEC 14496-12 §4.2.

use super::CmafError;

/// A box type, as its four characters.
pub(super) type Kind = [u8; 4];

/// Spells a box type for an error; bytes that are not ASCII letters are escaped.
pub(super) fn name(kind: Kind) -> String {
    kind.escape_ascii().to_string()
}

/// A [`CmafError::Malformed`] of the box `kind`.
pub(super) fn malformed(kind: Kind, what: &'static str) -> CmafError {
    CmafError::Malformed { kind: name(kind), what }
}

/// A position in a box's bytes; a read beyond the end is [`CmafError::Malformed`].
#[derive(Clone)]
pub(super) struct Fields<'a> {
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads `body`, the payload of a box `kind`.
    pub(super) fn new(kind: Kind, body: &'a [u8]) -> Self {
        Self { kind, rest: body }
    }

    /// The next `n` bytes.
    pub(super) fn bytes(&mut self, n: usize) -> Result<&'a [u8], CmafError> {
        let (head, rest) =
            self.rest.split_at_checked(n).ok_or_else(|| malformed(self.kind, "too short"))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CmafError> {
        let (head, rest) =
            self.rest.split_first_chunk::<N>().ok_or_else(|| malformed(self.kind, "too short"))?;
        self.rest = rest;
        Ok(*head)
    }

    /// Passes over `n` bytes.
    pub(super) fn skip(&mut self, n: usize) -> Result<(), CmafError> {
        self.bytes(n).map(|_| ())
    }

    /// The next byte.
    pub(super) fn u8(&mut self) -> Result<u8, CmafError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next two bytes.
    pub(super) fn u16(&mut self) -> Result<u16, CmafError> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next four bytes.
    pub(super) fn u32(&mut self) -> Result<u32, CmafError> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes.
    pub(super) fn u64(&mut self) -> Result<u64, CmafError> {
        self.array().map(u64::from_be_bytes)
    }

    /// The version and the 24 flag bits that open a full box.
    pub(super) fn version_and_flags(&mut self) -> Result<(u8, u32), CmafError> {
        let [version, a, b, c] = self.array()?;
        Ok((version, u32::from_be_bytes([0, a, b, c])))
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// One child box: its type, where its payload starts in the parent's payload, and the payload.
pub(super) struct Child<'a> {
    pub(super) kind: Kind,
    pub(super) offset: usize,
    pub(super) body: &'a [u8],
}

/// Walks the boxes in the payload of `parent`. Stops after the first error.
pub(super) fn children(
    parent: Kind,
    body: &[u8],
) -> impl Iterator<Item = Result<Child<'_>, CmafError>> {
    let mut offset = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed || offset == body.len() {
            return None;
        }
        let child = child_at(parent, body, offset);
        match &child {
            Ok(child) => offset = child.offset + child.body.len(),
            Err(_) => failed = true,
        }
        Some(child)
    })
}

/// The children of type `wanted`, in their order; every child is read, so a broken one is an error.
pub(super) fn children_of_kind(
    parent: Kind,
    body: &[u8],
    wanted: Kind,
) -> Result<Vec<Child<'_>>, CmafError> {
    let is_wanted =
        |child: &Result<Child, _>| child.as_ref().map_or(true, |child| child.kind == wanted);
    children(parent, body).filter(is_wanted).collect()
}

fn child_at(parent: Kind, body: &[u8], offset: usize) -> Result<Child<'_>, CmafError> {
    let broken = || malformed(parent, "a child box does not fit");
    let rest = body.get(offset..).ok_or_else(broken)?;
    let mut fields = Fields::new(parent, rest);
    let size = usize::try_from(fields.u32()?).map_err(|_| broken())?;
    let kind: Kind = fields.array()?;
    // Sizes 0 (to the end) and 1 (64 bits) have no use inside a `moov` or a `moof` of 1 MiB.
    let payload = rest.get(8..size).ok_or_else(broken)?;
    Ok(Child { kind, offset: offset + 8, body: payload })
}

/// The payload of the first child of type `wanted`, or an error that says that it is missing.
pub(super) fn child<'a>(
    parent: Kind,
    body: &'a [u8],
    wanted: Kind,
    missing: &'static str,
) -> Result<&'a [u8], CmafError> {
    for child in children(parent, body) {
        let child = child?;
        if child.kind == wanted {
            return Ok(child.body);
        }
    }
    Err(malformed(parent, missing))
}

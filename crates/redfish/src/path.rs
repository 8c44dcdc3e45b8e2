//! The path of a resource: what remains of a URI once it is known to be well formed.

use std::fmt;
use std::ops::Deref;

/// The most segments that a path may have below `/redfish/v1`. The deepest standard URI has 14.
pub const MAX_DEPTH: usize = 16;
/// The longest path accepted, in bytes, as it stands in the request.
pub const MAX_LENGTH: usize = 1024;

/// Where every resource of protocol version 1 lies (DSP0266 "Redfish-defined URIs and relative reference rules").
pub const ROOT: &str = "/redfish/v1";

/// A normalised, absolute resource path at or under `/redfish/v1`.
///
/// Whoever holds a `Path` knows that it has no empty, `.` or `..` segment, no encoded slash, no control
/// character, at most [`MAX_DEPTH`] segments and no trailing slash. Percent-encoding is decoded. That says
/// nothing about whether such a resource exists.
///
/// ```
/// use redfish::Path;
/// let path = Path::parse("/redfish/v1/Systems/node001/").expect("well formed");
/// assert_eq!(path.as_str(), "/redfish/v1/Systems/node001");
/// match *path.segments() {
///     ["Systems", id] => assert_eq!(id, "node001"),
///     _ => unreachable!(),
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Path {
    text: String,
    /// Where each segment ends in `text`; a segment starts one after the end of the one before.
    ends: [u16; MAX_DEPTH],
    depth: u8,
}

/// Why a URI is not the path of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// It does not start with `/redfish/v1`.
    OutsideRoot,
    /// It is longer than [`MAX_LENGTH`] bytes.
    TooLong,
    /// It has more than [`MAX_DEPTH`] segments.
    TooDeep,
    /// A segment is empty, `.` or `..`.
    BadSegment,
    /// A percent sign without two hexadecimal digits, bytes that are no UTF-8, or a character that a
    /// segment must not contain (slash, backslash, control characters).
    BadEncoding,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutsideRoot => "the path does not start with /redfish/v1",
            Self::TooLong => "the path is longer than 1024 bytes",
            Self::TooDeep => "the path has more than 16 segments below /redfish/v1",
            Self::BadSegment => "the path has an empty, '.' or '..' segment",
            Self::BadEncoding => "the path has a malformed or forbidden character",
        })
    }
}

impl std::error::Error for PathError {}

impl Path {
    /// Checks and normalises the path of a request URI (without query and fragment). One trailing slash
    /// is dropped: both spellings name the same resource (DSP0266 "Redfish-defined URIs and relative reference rules").
    ///
    /// # Errors
    /// [`PathError`] says what is wrong; nothing of the sort can name a resource.
    pub fn parse(uri: &str) -> Result<Self, PathError> {
        if uri.len() > MAX_LENGTH {
            return Err(PathError::TooLong);
        }
        let rest = uri.strip_prefix(ROOT).ok_or(PathError::OutsideRoot)?;
        let mut path = Self {
            text: String::with_capacity(uri.len()),
            ends: [0; MAX_DEPTH],
            depth: 0,
        };
        path.text.push_str(ROOT);
        if rest.is_empty() || rest == "/" {
            return Ok(path);
        }
        let rest = rest.strip_prefix('/').ok_or(PathError::OutsideRoot)?;
        for segment in rest.strip_suffix('/').unwrap_or(rest).split('/') {
            path.push_encoded(segment)?;
        }
        Ok(path)
    }

    /// The path of the member or subordinate resource `segment` of this one.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); `segment` is taken as it stands, without percent-decoding.
    pub fn join(&self, segment: &str) -> Result<Self, PathError> {
        let mut path = self.clone();
        path.push(segment)?;
        Ok(path)
    }

    /// The segments below `/redfish/v1`; none for the service root.
    #[must_use]
    pub fn segments(&self) -> Segments<'_> {
        let mut segments = Segments {
            names: [""; MAX_DEPTH],
            depth: usize::from(self.depth),
        };
        let mut start = ROOT.len() + 1;
        for (name, end) in segments
            .names
            .iter_mut()
            .zip(self.ends)
            .take(usize::from(self.depth))
        {
            let end = usize::from(end);
            *name = &self.text[start..end];
            start = end + 1;
        }
        segments
    }

    /// The last segment, which is the resource's `Id` where DSP0266 has its way; `v1` for the service
    /// root.
    #[must_use]
    pub fn last(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The whole path, beginning with `/redfish/v1` and without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Takes the last segment away. `None` at the service root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let depth = self.depth.checked_sub(1)?;
        let mut path = self.clone();
        path.depth = depth;
        path.ends[usize::from(depth)] = 0;
        path.text.truncate(self.text.len() - self.last().len() - 1);
        Some(path)
    }

    fn push_encoded(&mut self, segment: &str) -> Result<(), PathError> {
        if segment.contains('%') {
            let decoded = percent_decode(segment).ok_or(PathError::BadEncoding)?;
            self.push(&decoded)
        } else {
            self.push(segment)
        }
    }

    fn push(&mut self, segment: &str) -> Result<(), PathError> {
        if segment.is_empty() || segment == "." || segment == ".." {
            return Err(PathError::BadSegment);
        }
        if segment.contains(|c: char| c.is_control() || matches!(c, '/' | '\\')) {
            return Err(PathError::BadEncoding);
        }
        if self.text.len() + 1 + segment.len() > MAX_LENGTH {
            return Err(PathError::TooLong);
        }
        let end = self
            .ends
            .get_mut(usize::from(self.depth))
            .ok_or(PathError::TooDeep)?;
        self.text.push('/');
        self.text.push_str(segment);
        *end = u16::try_from(self.text.len()).map_err(|_| PathError::TooLong)?;
        self.depth += 1;
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Path").field(&self.text).finish()
    }
}

/// The segments of a [`Path`]; dereferences to a slice, so that a `match` on `*path.segments()` routes.
#[derive(Debug, Clone, Copy)]
pub struct Segments<'a> {
    names: [&'a str; MAX_DEPTH],
    depth: usize,
}

impl<'a> Deref for Segments<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &Self::Target {
        &self.names[..self.depth]
    }
}

/// Decodes `%41` to `A`. `None` if an escape is malformed or the result is no UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_path_name_the_same_resource() {
        for (plain, slashed) in [
            ("/redfish/v1", "/redfish/v1/"),
            ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1/"),
            ("/redfish/v1/Systems/a%20b", "/redfish/v1/Systems/a b/"),
        ] {
            assert_eq!(Path::parse(plain), Path::parse(slashed));
        }
    }

    #[test]
    fn segments_are_those_below_the_service_root() {
        assert!(Path::parse("/redfish/v1").unwrap().segments().is_empty());
        let path = Path::parse("/redfish/v1/Chassis/rack1/Sensors/inlet").unwrap();
        assert_eq!(*path.segments(), ["Chassis", "rack1", "Sensors", "inlet"]);
        assert_eq!(path.last(), "inlet");
        assert_eq!(
            path.parent().unwrap().as_str(),
            "/redfish/v1/Chassis/rack1/Sensors"
        );
        assert_eq!(path.parent().unwrap().join("inlet").unwrap(), path);
        assert_eq!(Path::parse("/redfish/v1").unwrap().parent(), None);
    }

    #[test]
    fn a_path_that_could_climb_or_hide_is_refused() {
        for (uri, why) in [
            ("/", PathError::OutsideRoot),
            ("/redfish/v1x", PathError::OutsideRoot),
            ("/redfish/v2/Systems", PathError::OutsideRoot),
            ("/redfish/v1//", PathError::BadSegment),
            ("/redfish/v1/Systems//1", PathError::BadSegment),
            ("/redfish/v1/Systems/../Managers", PathError::BadSegment),
            ("/redfish/v1/Systems/%2e%2e/Managers", PathError::BadSegment),
            ("/redfish/v1/Systems%2f1", PathError::BadEncoding),
            ("/redfish/v1/Systems/%5c", PathError::BadEncoding),
            ("/redfish/v1/Systems/%00", PathError::BadEncoding),
            ("/redfish/v1/Systems/%4", PathError::BadEncoding),
            ("/redfish/v1/Systems/%zz", PathError::BadEncoding),
            ("/redfish/v1/Systems/%ff", PathError::BadEncoding),
        ] {
            assert_eq!(Path::parse(uri), Err(why), "{uri}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let deep = |n: usize| format!("{ROOT}{}", "/a".repeat(n));
        assert_eq!(
            Path::parse(&deep(MAX_DEPTH)).unwrap().segments().len(),
            MAX_DEPTH
        );
        assert_eq!(Path::parse(&deep(MAX_DEPTH + 1)), Err(PathError::TooDeep));
        let long = format!("{ROOT}/{}", "a".repeat(MAX_LENGTH));
        assert_eq!(Path::parse(&long), Err(PathError::TooLong));
        let path = Path::parse(&format!("{ROOT}/{}", "a".repeat(MAX_LENGTH - 12))).unwrap();
        assert_eq!(path.join("b"), Err(PathError::TooLong));
    }
}

//! `multipart/form-data` as it comes (RFC 2046 §5.1, RFC 7578), without IO: bytes in, events out.
//!
//! It keeps a boundary's length of bytes and the headers of one part, however large the parts are. It is strict: what
//! two readers could understand differently is refused.

use std::fmt;

/// The longest boundary, in bytes (RFC 2046 §5.1.1).
pub(crate) const MAX_BOUNDARY: usize = 70;
/// The most parts of one body.
pub(crate) const MAX_PARTS: usize = 8;
/// The most bytes that the headers of a part have together.
pub(crate) const MAX_PART_HEADER_BYTES: usize = 4096;

/// How long the name of a file may be, in characters. The rest is cut off.
const MAX_FILE_NAME: usize = 128;

/// The field of a form that a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// What the client calls the file, without folders.
    pub(crate) file_name: Option<String>,
}

/// What comes next in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A part begins: the name of its field.
    Part(Field),
    /// More of its content.
    Data(Vec<u8>),
    /// It is whole.
    PartEnd,
}

/// Why a body is no `multipart/form-data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MultipartError {
    /// The media type has no boundary, or one that RFC 2046 doesn't allow.
    Boundary,
    /// The body doesn't begin with the boundary, or something else than a line's end follows one.
    Delimiter,
    /// A header of a part has no colon, or bytes that no header has.
    Header,
    /// The headers of a part are longer than [`MAX_PART_HEADER_BYTES`].
    HeaderTooLong,
    /// A part has no `Content-Disposition: form-data; name="..."`, or two.
    NoName,
    /// A part has parts itself.
    Nested,
    /// There are more than [`MAX_PARTS`].
    TooManyParts,
    /// The body ends before its last boundary.
    Truncated,
}

impl fmt::Display for MultipartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boundary => {
                "the header Content-Type has no boundary, or one that RFC 2046 doesn't allow"
            }
            Self::Delimiter => {
                "the body doesn't begin with the boundary, or a boundary doesn't end with its line"
            }
            Self::Header => "a header of a part is malformed",
            Self::HeaderTooLong => "the headers of a part have more than 4096 bytes",
            Self::NoName => "a part has no Content-Disposition: form-data with one name",
            Self::Nested => "a part is multipart itself",
            Self::TooManyParts => "the body has more than 8 parts",
            Self::Truncated => "the body ends before its last boundary",
        })
    }
}

/// Where in the body the parser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first boundary.
    Start,
    /// Right behind a boundary: a line's end or `--` comes.
    Delimiter,
    Headers,
    Data,
    /// Behind the last boundary; the rest means nothing.
    End,
}

/// A body that comes in pieces.
pub(crate) struct Multipart {
    /// `\r\n--` and the boundary.
    delimiter: Vec<u8>,
    buffer: Vec<u8>,
    place: Place,
    parts: usize,
}

impl Multipart {
    /// For a body with this media type. `None` if it is another than `multipart/form-data`.
    pub(crate) fn of(content_type: &str) -> Option<Result<Self, MultipartError>> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameter(parameters, "boundary").filter(|b| is_boundary(b));
        Some(
            boundary
                .ok_or(MultipartError::Boundary)
                .map(|boundary| Self {
                    delimiter: format!("\r\n--{boundary}").into_bytes(),
                    // As if a line had ended before the first boundary: then all are alike.
                    buffer: b"\r\n".to_vec(),
                    place: Place::Start,
                    parts: 0,
                }),
        )
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// [`MultipartError`]; nothing that comes later can mend it.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<Event>, MultipartError> {
        let mut events = Vec::new();
        if self.place == Place::End {
            return Ok(events);
        }
        self.buffer.extend_from_slice(piece);
        while self.step(&mut events)? {}
        Ok(events)
    }

    /// Whether the last boundary has come.
    ///
    /// # Errors
    /// [`MultipartError::Truncated`] if not.
    pub(crate) fn finish(self) -> Result<(), MultipartError> {
        match self.place {
            Place::End => Ok(()),
            _ => Err(MultipartError::Truncated),
        }
    }

    /// Does what the bytes at hand allow. `false` if more must come.
    fn step(&mut self, events: &mut Vec<Event>) -> Result<bool, MultipartError> {
        match self.place {
            Place::Start => {
                let length = self.delimiter.len().min(self.buffer.len());
                if self.buffer[..length] != self.delimiter[..length] {
                    return Err(MultipartError::Delimiter);
                }
                if length < self.delimiter.len() {
                    return Ok(false);
                }
                self.buffer.drain(..length);
                self.place = Place::Delimiter;
                Ok(true)
            }
            Place::Delimiter => self.after_delimiter(),
            Place::Headers => self.headers(events),
            Place::Data => Ok(self.data(events)),
            Place::End => {
                self.buffer.clear();
                Ok(false)
            }
        }
    }

    fn after_delimiter(&mut self) -> Result<bool, MultipartError> {
        let Some(next) = self.buffer.get(..2) else {
            return Ok(false);
        };
        self.place = match next {
            b"--" => Place::End,
            b"\r\n" if self.parts == MAX_PARTS => return Err(MultipartError::TooManyParts),
            b"\r\n" => Place::Headers,
            _ => return Err(MultipartError::Delimiter),
        };
        if self.place == Place::Headers {
            self.parts += 1;
            self.buffer.drain(..2);
        }
        Ok(true)
    }

    fn headers(&mut self, events: &mut Vec<Event>) -> Result<bool, MultipartError> {
        // A part without headers begins with the empty line at once.
        let end = if self.buffer.starts_with(b"\r\n") {
            Some(0)
        } else {
            find(&self.buffer, b"\r\n\r\n").map(|end| end + 2)
        };
        let Some(end) = end else {
            let is_long = self.buffer.len() > MAX_PART_HEADER_BYTES;
            return if is_long {
                Err(MultipartError::HeaderTooLong)
            } else {
                Ok(false)
            };
        };
        if end > MAX_PART_HEADER_BYTES {
            return Err(MultipartError::HeaderTooLong);
        }
        events.push(Event::Part(field(&self.buffer[..end])?));
        self.buffer.drain(..end + 2);
        self.place = Place::Data;
        Ok(true)
    }

    fn data(&mut self, events: &mut Vec<Event>) -> bool {
        if let Some(end) = find(&self.buffer, &self.delimiter) {
            let rest = self.buffer.split_off(end + self.delimiter.len());
            self.buffer.truncate(end);
            let data = std::mem::replace(&mut self.buffer, rest);
            if !data.is_empty() {
                events.push(Event::Data(data));
            }
            events.push(Event::PartEnd);
            self.place = Place::Delimiter;
            return true;
        }
        // The last bytes may be the beginning of a delimiter.
        let sure = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
        if sure > 0 {
            let rest = self.buffer.split_off(sure);
            events.push(Event::Data(std::mem::replace(&mut self.buffer, rest)));
        }
        false
    }
}

fn is_boundary(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    (1..=MAX_BOUNDARY).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' ')
}

/// The first place of `needle`.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(next) = bytes.get(from..)?.iter().position(|&b| b == first) {
        let at = from + next;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// What a part's `Content-Disposition` says.
fn field(headers: &[u8]) -> Result<Field, MultipartError> {
    let text = std::str::from_utf8(headers).map_err(|_| MultipartError::Header)?;
    let mut found = None;
    for line in text.split_terminator("\r\n") {
        let (name, value) = line.split_once(':').ok_or(MultipartError::Header)?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) || value.contains(char::is_control) {
            return Err(MultipartError::Header);
        }
        let value = value.trim();
        if name.eq_ignore_ascii_case("Content-Type") {
            let kind = value.get(..10).unwrap_or_default();
            if kind.eq_ignore_ascii_case("multipart/") {
                return Err(MultipartError::Nested);
            }
        }
        if name.eq_ignore_ascii_case("Content-Disposition") {
            let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
            let name = parameter(parameters, "name")
                .filter(|_| kind.trim().eq_ignore_ascii_case("form-data"));
            let (Some(name), None) = (name, &found) else {
                return Err(MultipartError::NoName);
            };
            let file_name = parameter(parameters, "filename");
            let file_name = file_name.as_deref().and_then(last_name);
            found = Some(Field { name, file_name });
        }
    }
    found.ok_or(MultipartError::NoName)
}

/// The last part of a path, which some clients send whole (RFC 7578 §4.2): printable, and not too long. `None` if that is
/// nothing.
fn last_name(path: &str) -> Option<String> {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let is_plain = !last.is_empty() && !last.contains(char::is_control);
    is_plain.then(|| last.chars().take(MAX_FILE_NAME).collect())
}

/// The value of the parameter `wanted` in `; a=b; c="d"`. `None` if it isn't there, twice there or malformed.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut found = None;
    let mut rest = text.trim_start_matches([';', ' ', '\t']);
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) && found.replace(value).is_some() {
            return None;
        }
        rest = after.trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(';')?.trim_start();
        }
    }
    found
}

/// What stands up to the closing quote, and the rest behind it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=xYz";
    const BODY: &str = "--xYz\r\nContent-Disposition: form-data; name=\"UpdateParameters\"\r\n\
        Content-Type: application/json\r\n\r\n{}\r\n--xYz\r\n\
        content-disposition: form-data; filename=\"a;b.bin\"; name=UpdateFile\r\n\r\n\
        \r\n--xY\r\n-\r\n--xYz--\r\nepilogue";

    fn parse(body: &[u8], piece: usize) -> Result<Vec<(String, Vec<u8>)>, MultipartError> {
        let mut multipart = Multipart::of(KIND).unwrap().unwrap();
        let mut parts = Vec::new();
        for piece in body.chunks(piece) {
            for event in multipart.push(piece)? {
                match event {
                    Event::Part(field) => parts.push((field.name, Vec::new())),
                    Event::Data(data) => parts.last_mut().unwrap().1.extend(data),
                    Event::PartEnd => {}
                }
            }
            assert!(multipart.buffer.len() <= MAX_PART_HEADER_BYTES + piece.len() + 16);
        }
        multipart.finish()?;
        Ok(parts)
    }

    #[test]
    fn a_body_is_the_same_in_pieces_of_any_size() {
        let whole = parse(BODY.as_bytes(), BODY.len()).unwrap();
        assert_eq!(whole[0], ("UpdateParameters".to_owned(), b"{}".to_vec()));
        let file = ("UpdateFile".to_owned(), b"\r\n--xY\r\n-".to_vec());
        assert_eq!(whole[1], file);
        for piece in 1..BODY.len() {
            assert_eq!(parse(BODY.as_bytes(), piece).unwrap(), whole, "{piece}");
        }
    }

    #[test]
    fn a_file_is_called_by_the_last_part_of_its_name() {
        for (given, wanted) in [
            ("filename=bmc.hpm", Some("bmc.hpm")),
            ("filename=\"a b.hpm\"", Some("a b.hpm")),
            ("filename=\"../../etc/passwd\"", Some("passwd")),
            ("filename=\"C:\\\\images\\\\bmc.hpm\"", Some("bmc.hpm")),
            ("filename=\"x/\"", None),
            ("filename=\"\"", None),
            ("size=1", None),
        ] {
            let header = format!("Content-Disposition: form-data; name=UpdateFile; {given}\r\n");
            let found = field(header.as_bytes()).unwrap();
            assert_eq!(found.file_name.as_deref(), wanted, "{given}");
        }
        let long = last_name(&"x".repeat(4000));
        assert_eq!(long.map(|name| name.len()), Some(MAX_FILE_NAME));
    }

    #[test]
    fn every_truncated_body_is_refused() {
        let end = BODY.find("--xYz--").unwrap() + 7;
        for length in 0..end {
            assert_eq!(
                parse(&BODY.as_bytes()[..length], 5),
                Err(MultipartError::Truncated),
                "{length}"
            );
        }
        assert!(parse(&BODY.as_bytes()[..end], 5).is_ok());
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let part = |headers: &str| format!("--xYz\r\n{headers}\r\n\r\nx\r\n--xYz--");
        let name = "Content-Disposition: form-data; name=a";
        let cases = [
            (String::from("hello"), MultipartError::Delimiter),
            (String::from("--xYzz\r\n"), MultipartError::Delimiter),
            (part("no colon here"), MultipartError::Header),
            (part(": x"), MultipartError::Header),
            (part(&format!("{name}\r\nA B: x")), MultipartError::Header),
            (part("Content-Type: text/plain"), MultipartError::NoName),
            (part(&format!("{name}\r\n{name}")), MultipartError::NoName),
            (part(&format!("{name}; name=b")), MultipartError::NoName),
            (
                part("Content-Disposition: attachment; name=a"),
                MultipartError::NoName,
            ),
            (
                part("Content-Disposition: form-data; name=\"a"),
                MultipartError::NoName,
            ),
            (
                part(&format!(
                    "{name}\r\nContent-Type: Multipart/mixed; boundary=b"
                )),
                MultipartError::Nested,
            ),
            (part(&"A: x\r\n".repeat(500)), MultipartError::Header),
            (
                part(&format!("{name}\r\nA: {}", "A".repeat(5000))),
                MultipartError::HeaderTooLong,
            ),
            (
                format!("--xYz\r\n{}", "A".repeat(100_000)),
                MultipartError::HeaderTooLong,
            ),
            (
                format!("--xYz\r\n{name}\r\n\r\nx\r\n").repeat(1000),
                MultipartError::TooManyParts,
            ),
        ];
        for (body, error) in cases {
            for piece in [1, 7, body.len()] {
                if body.len() / piece > 20_000 {
                    continue;
                }
                let found = parse(body.as_bytes(), piece).unwrap_err();
                let same = found == error
                    // An empty line in the middle of headers ends them.
                    || (error == MultipartError::Header && found == MultipartError::NoName);
                assert!(same, "{found:?} of {}", &body[..body.len().min(80)]);
            }
        }
    }

    #[test]
    fn a_media_type_needs_a_proper_boundary() {
        assert!(Multipart::of("application/json").is_none());
        for good in ["boundary=a", "charset=x; boundary=\"a b\"", " BOUNDARY = a"] {
            assert!(
                Multipart::of(&format!("Multipart/Form-Data; {good}"))
                    .unwrap()
                    .is_ok()
            );
        }
        for bad in [
            "",
            "; boundary=",
            "; boundary=a; boundary=b",
            "; boundary=\"a",
            "; boundary=a\"b",
        ] {
            let kind = format!("multipart/form-data{bad}");
            assert!(Multipart::of(&kind).unwrap().is_err(), "{bad}");
        }
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        assert!(Multipart::of(&long).unwrap().is_err());
    }
}

//! What a rule's pattern makes of a path, and whether there is but one way to read a path.

use std::iter;

use percent_encoding::percent_decode_str;

use super::{PathVariants, confusables};

/// Does the pattern match the whole path? A `*` stands for any part of one segment; at the end,
/// after a slash, for all the rest.
pub fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, "")) if before.ends_with('/') => path.starts_with(before),
        Some(_) => each_matches(pattern, path.split('/')),
    }
}

/// Does the pattern match the path with a slash at its end?
pub fn matches_folder(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.strip_suffix('/') == Some(path),
        Some((before, "")) if before.ends_with('/') => {
            path.starts_with(before) || before.strip_suffix('/') == Some(path)
        }
        Some(_) => each_matches(pattern, path.split('/').chain(iter::once(""))),
    }
}

/// The same for a pattern with stars anywhere, segment by segment.
fn each_matches<'a>(pattern: &str, mut segments: impl Iterator<Item = &'a str>) -> bool {
    let mut wanted = pattern.split('/').peekable();
    while let Some(part) = wanted.next() {
        let Some(segment) = segments.next() else { return false };
        if part == "*" && wanted.peek().is_none() {
            return true;
        }
        if !matches_segment(part, segment) {
            return false;
        }
    }
    segments.next().is_none()
}

/// Between two stars, the first place where a text stands is as good as any other. So each byte is
/// looked at once, however many stars there are.
fn matches_segment(part: &str, segment: &str) -> bool {
    let Some((first, rest)) = part.split_once('*') else { return part == segment };
    let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = segment.strip_prefix(first).and_then(|left| left.strip_suffix(last));
    between.split('*').fold(inner, |left, text| Some(left?.split_once(text)?.1)).is_some()
}

/// Does the one pattern match whatever the other does?
pub fn covers(pattern: &str, other: &str) -> bool {
    // No pattern has this character, so only a star matches it, and then any text in its place.
    let any = '\u{1}';
    let (start, rests) = match other.strip_suffix('*') {
        Some(start) if start.ends_with('/') => (start, &["", "\u{1}", "\u{1}/\u{1}"][..]),
        _ => (other, &[""][..]),
    };
    let start = start.replace('*', any.encode_utf8(&mut [0; 4]));
    rests.iter().all(|rest| matches(pattern, &format!("{start}{rest}")))
}

/// A path as it is written and as it may be decoded, in lower case: what may be named in a rule
/// or a setting, and is looked for in readings.
#[derive(Debug)]
pub struct PathForms(Vec<String>);

impl PathForms {
    /// The forms of a path.
    pub fn of(path: &str) -> Self {
        let lower = |path: &str| confusables::lower(path.trim_end_matches('/')).into_owned();
        let readings = PathVariants::of(path);
        let mut all: Vec<String> = iter::once(path).chain(readings.iter()).map(lower).collect();
        all.retain(|it| !it.is_empty());
        Self(all)
    }

    /// Is a path one of these, or below one, or one of these with something at its end that
    /// servers leave off, as a format?
    pub fn begin(&self, path: &str) -> bool {
        let path = confusables::lower(path);
        let begins =
            |it: &String| path.strip_prefix(it.as_str()).is_some_and(|rest| !goes_on(rest));
        self.0.iter().any(begins)
    }
}

/// Does it make a longer word of what stands before?
fn goes_on(rest: &str) -> bool {
    let goes_on =
        |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'-' | b'_');
    rest.bytes().next().is_some_and(goes_on)
}

/// Is every byte one that stands for itself wherever it is read, and no segment empty or with a dot
/// at its end? Then there is but one way to read the path, apart from case and a slash at the end.
pub fn is_literal(path: &str) -> bool {
    let mut before = 0;
    for byte in path.bytes() {
        if !stands_for_itself(byte) || byte == b'/' && matches!(before, b'/' | b'.') {
            return false;
        }
        before = byte;
    }
    before != b'.'
}

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*'
        )
        || matches!(byte, b'+' | b',' | b'=' | b':' | b'@')
}

/// Do all servers read it alike, but for its case? They differ in what they make of spaces at an end of
/// a segment, and see [`is_parted_alike`].
pub fn is_plain(path: &str) -> bool {
    is_parted_alike(path) && !(path.contains('%') && path.split('/').any(has_blank_end))
}

/// Do all servers see the same segments in it? They differ in what they make of empty ones, of parameters,
/// of dots at an end, of what is no percent-encoding, and of what ends a path or parts it in
/// percent-encoding.
pub fn is_parted_alike(path: &str) -> bool {
    let is_ambiguous = |byte: u8| byte <= 0x20 || byte >= 0x7f || matches!(byte, b';' | b'\\');
    !path.contains("//")
        && !path.bytes().any(is_ambiguous)
        && !path.split('/').any(|segment| segment.ends_with('.'))
        && (!path.contains('%') || is_plainly_encoded(path))
}

fn is_plainly_encoded(path: &str) -> bool {
    let escapes = path.match_indices('%').map(|(at, _)| path.as_bytes().get(at + 1..at + 3));
    let mut bytes =
        escapes.map(|digits| u8::from_str_radix(str::from_utf8(digits?).ok()?, 16).ok());
    let marks = b"./\\%;?#";
    bytes.all(|byte| byte.is_some_and(|it| it >= 0x20 && it != 0x7f && !marks.contains(&it)))
        && !confusables::are_in(path)
}

/// Is there something at an end of a segment that servers cut off, or no character at all?
fn has_blank_end(segment: &str) -> bool {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    text.trim_matches(is_blank) != text || text.chars().any(char::is_control)
}

/// Is it cut off from an end by one server or another?
pub fn is_blank(character: char) -> bool {
    character.is_whitespace() || character.is_control() || is_ignorable(character)
}

/// Is it invisible, so that some servers leave it out, or not a character at all? A joiner is part
/// of words in some scripts; at an end it is of no use.
pub fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fffd}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;

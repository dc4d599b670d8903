//! What else a path may say to an origin. Servers decode it, cut parts off, and put it in order, each
//! in its own way and its own succession.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{confusables, path};

/// A path as an origin may read it, beside the way it was sent. Whether case matters to the origin, or
/// a slash at the end, is not said here: see [`Rules::find`](super::Rules::find).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathVariants {
    /// There is no other.
    None,
    /// These, of which each is what one or more `STEPS` make of another.
    Some(Vec<String>),
    /// More than are looked at.
    TooMany,
}

/// Nobody's path comes near these, and so no path costs more time than others.
const MOST: usize = 256;
const MOST_BYTES: usize = 64 * 1024;

/// What one server or another does to a whole path; `None` if it would change nothing.
type Step = fn(&str) -> Option<String>;

const STEPS: [Step; 17] = [
    decode,
    decode_overlong,
    decode_utf16,
    |text| changed(text, confusables::folded(text)),
    without_ignorable,
    without_controls,
    |text| cut_at(text, |c| c == ';'),
    |text| cut_at(text, |c| c == '?'),
    |text| cut_at(text, |c| c == '#'),
    |text| cut_at(text, char::is_control),
    |text| each_segment(text, |segment| segment.split(';').next().unwrap_or_default()),
    |text| each_segment(text, |segment| segment.trim_matches(path::is_blank)),
    |text| each_segment(text, without_dots),
    |text| text.contains('\\').then(|| text.replace('\\', "/")),
    merge_slashes,
    without_authority,
    resolve_dots,
];

impl PathVariants {
    /// All readings of a path.
    pub fn of(sent: &str) -> Self {
        if path::is_literal(sent) {
            return Self::None;
        }
        let mut all = vec![sent.to_owned()];
        let (mut at, mut bytes) = (0, 0);
        while at < all.len() {
            for step in STEPS {
                let Some(read) = step(&all[at]).map(with_slash) else { continue };
                if all.contains(&read) {
                    continue;
                }
                bytes += read.len();
                if all.len() >= MOST || bytes > MOST_BYTES {
                    return Self::TooMany;
                }
                all.push(read);
            }
            at += 1;
        }
        all.remove(0);
        if all.is_empty() { Self::None } else { Self::Some(all) }
    }

    /// Each that is looked at.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let all = if let Self::Some(all) = self { &all[..] } else { &[] };
        all.iter().map(String::as_str)
    }
}

fn changed(text: &str, read: String) -> Option<String> {
    (read != text).then_some(read)
}

/// A path that lost its beginning is the root, or begins there.
fn with_slash(text: String) -> String {
    if text.starts_with('/') { text } else { format!("/{text}") }
}

fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    changed(text, percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// The same by a server that takes overlong UTF-8.
fn decode_overlong(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let bytes: Cow<'_, [u8]> = percent_decode_str(text).into();
    changed(text, String::from_utf8_lossy(&confusables::shortened(&bytes)).into_owned())
}

/// `%u002e`, as no standard has it and some servers do.
fn decode_utf16(text: &str) -> Option<String> {
    let mut pieces = text.split("%u").flat_map(|piece| piece.split("%U"));
    let mut read = pieces.next()?.to_owned();
    for piece in pieces {
        let unit = piece.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match unit {
            // Half of a pair alone is no character, and both halves make none that matters here.
            Some(unit) => {
                read.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
                read.push_str(&piece[4..]);
            }
            None => {
                read.push_str("%u");
                read.push_str(piece);
            }
        }
    }
    changed(text, read)
}

fn without_ignorable(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    changed(text, text.chars().filter(|it| !path::is_ignorable(*it)).collect())
}

fn without_controls(text: &str) -> Option<String> {
    let has_some = text.chars().any(char::is_control);
    has_some.then(|| text.chars().filter(|it| !it.is_control()).collect())
}

fn cut_at(text: &str, ends: impl FnMut(char) -> bool) -> Option<String> {
    text.find(ends).map(|end| text[..end].to_owned())
}

fn each_segment(text: &str, read: impl Fn(&str) -> &str) -> Option<String> {
    let mut all = String::with_capacity(text.len());
    for (at, segment) in text.split('/').enumerate() {
        if at > 0 {
            all.push('/');
        }
        all.push_str(read(segment));
    }
    changed(text, all)
}

/// A segment without dots at its end; what is nothing but dots leads up, as it did on Windows.
fn without_dots(segment: &str) -> &str {
    match segment.trim_end_matches('.') {
        "" if segment.len() > 2 => "..",
        "" => segment,
        name => name,
    }
}

fn merge_slashes(text: &str) -> Option<String> {
    if !text.contains("//") {
        return None;
    }
    let mut merged = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    Some(merged)
}

/// What begins with two slashes, resolved as a reference (RFC 3986, section 5.2): the first segment is
/// a host.
fn without_authority(text: &str) -> Option<String> {
    let reference = text.strip_prefix("//")?.trim_start_matches('/');
    Some(reference.find('/').map_or_else(|| "/".into(), |start| reference[start..].to_owned()))
}

/// RFC 3986, section 5.2.4.
fn resolve_dots(text: &str) -> Option<String> {
    if !text.contains("/.") {
        return None;
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    if matches!(text.rsplit('/').next(), Some("." | "..")) {
        segments.push("");
    }
    changed(text, segments.iter().fold(String::new(), |path, segment| path + "/" + segment))
}

#[cfg(test)]
mod tests;

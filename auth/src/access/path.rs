//! How a path may be read, and what a rule's pattern makes of it.

use super::lookalikes;

/// Does the pattern match the whole path? A `*` stands for any part of one segment; at the end,
/// after a slash, for all the rest.
pub fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, "")) if before.ends_with('/') => path.starts_with(before),
        Some((before, after)) => {
            let Some(rest) = path.strip_prefix(before) else { return false };
            let segment = rest.find('/').unwrap_or(rest.len());
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.take_while(|end| *end <= segment).any(|end| matches(after, &rest[end..]))
        }
    }
}

/// Is there but one way to read it? Servers differ in what they make of empty segments, of
/// parameters, of dots at the end, and of what stands for a slash or a dot in percent-encoding.
pub fn is_plain(path: &str) -> bool {
    let odd = ["//", ";", "\\", "%2e", "%2f", "%5c", "%25", "%3b", "%00"];
    let lower = path.to_ascii_lowercase();
    !odd.iter().any(|mark| lower.contains(mark))
        && !path.split('/').any(|segment| segment.ends_with('.'))
        && !path.bytes().any(|byte| byte <= 0x20 || byte >= 0x7f)
        && !encodes_control(&lower)
        && !lookalikes::are_in(path)
}

fn encodes_control(lower: &str) -> bool {
    lower.match_indices('%').any(|(at, _)| {
        matches!(lower.as_bytes().get(at + 1), Some(b'0' | b'1')) || lower[at..].starts_with("%7f")
    })
}

/// A path as the most lenient origin may read it: decoded, even twice, without regard to case, with
/// no parameters, no empty segments, no dots at an end, and no slash there.
pub fn as_read_leniently(path: &str) -> String {
    let twice = lookalikes::decoded(&lookalikes::decoded(path)).to_ascii_lowercase();
    let mut segments: Vec<&str> = Vec::new();
    for segment in twice.split(['/', '\\']) {
        let name = segment.split(';').next().unwrap_or_default();
        match name.trim_end_matches(['.', ' ', '\0']) {
            "" if name.starts_with("..") => drop(segments.pop()),
            "" => {}
            name => segments.push(name),
        }
    }
    segments.iter().fold(String::new(), |path, segment| path + "/" + segment)
}

#[cfg(test)]
mod tests;

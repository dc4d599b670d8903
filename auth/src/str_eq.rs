//! Whether two texts are the same.

/// Compares word by word, because the comparison that comes with WebAssembly goes byte by byte.
pub fn str_eq(one: &str, other: &str) -> bool {
    let (words, rest) = one.as_bytes().as_chunks::<16>();
    let (others, other_rest) = other.as_bytes().as_chunks::<16>();
    let word = u128::from_ne_bytes;
    one.len() == other.len()
        && words.iter().zip(others).all(|(one, other)| word(*one) == word(*other))
        && rest == other_rest
}

#[cfg(test)]
mod tests {
    use super::str_eq;

    #[rstest::rstest]
    #[case("", "", true)]
    #[case("12345678", "12345678", true)]
    #[case("12345678x", "12345678x", true)]
    #[case("12345678", "12345679", false)]
    #[case("12345678x", "12345678y", false)]
    #[case("12345678", "12345678x", false)]
    #[case("x1234567-12345678", "12345678-12345678", false)]
    #[case("", "x", false)]
    #[case("1234567890123456-1234567890123456", "1234567890123456-1234567890123456", true)]
    #[case("1234567890123456-1234567890123456", "1234567890123456-123456789012345x", false)]
    #[case("1234567890123456-1234567890123456", "x234567890123456-1234567890123456", false)]
    fn only_the_same_text_is_the_same(#[case] one: &str, #[case] other: &str, #[case] is: bool) {
        assert_eq!(str_eq(one, other), is);
        assert_eq!(str_eq(other, one), is);
    }
}

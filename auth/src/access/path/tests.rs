use super::*;
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case("/a", "/a", true)]
#[case("/a", "/a/", false)]
#[case("/a", "/ab", false)]
#[case("/assets/*", "/assets/x/y.css", true)]
#[case("/assets/*", "/assets/", true)]
#[case("/assets/*", "/assets", false)]
#[case("/assets/*", "/x/assets/y", false)]
#[case("/*", "/", true)]
#[case("/*", "/a/b", true)]
#[case("/u/*/avatar", "/u/ada/avatar", true)]
#[case("/u/*/avatar", "/u/a/b/avatar", false)]
#[case("/u/*/avatar", "/u//avatar", true)]
#[case("/*.css", "/main.css", true)]
#[case("/*.css", "/a/main.css", false)]
#[case("/a*", "/ab", true)]
#[case("/a*", "/ab/c", false)]
#[case("/*-*.js", "/a-b-c.js", true)]
#[case("/*-*.js", "/a-.js", true)]
#[case("/*-*.js", "/a.js-", false)]
#[case("/a*a", "/a", false)]
#[case("/a*b*c", "/abbc", true)]
#[case("/a*bc*c", "/abc", false)]
#[case("/u/*/x/*", "/u/a/x/y/z", true)]
#[case("/u/*/x/*", "/u/a/x", false)]
#[case("/u/*/x/*", "/u/a/b/x/y", false)]
fn a_pattern_is_anchored_at_both_ends(
    #[case] pattern: &str,
    #[case] path: &str,
    #[case] yes: bool,
) {
    assert_eq!(matches(pattern, path), yes);
    if yes {
        assert!(!path.ends_with('/') || matches_folder(pattern, &path[..path.len() - 1]));
    }
}

/// The meaning of a pattern, tried out at every place.
fn defined(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, "")) if before.ends_with('/') => path.starts_with(before),
        Some((before, after)) => {
            let Some(rest) = path.strip_prefix(before) else { return false };
            let segment = rest.find('/').unwrap_or(rest.len());
            (0..=segment).any(|end| defined(after, &rest[end..]))
        }
    }
}

proptest! {
    #[test]
    fn a_pattern_matches_as_it_is_defined(pattern in "/[ab*/]{0,8}", path in "/[ab/]{0,8}") {
        prop_assume!(!pattern.contains("**"));
        prop_assert_eq!(matches(&pattern, &path), defined(&pattern, &path));
        let folder = format!("{path}/");
        prop_assert_eq!(matches_folder(&pattern, &path), defined(&pattern, &folder));
    }

    #[test]
    fn a_pattern_covers_another_if_it_matches_all_of_its_paths(
        [one, other] in ["/[ab*/]{0,4}", "/[ab*/]{0,4}"],
        path in "/[abc/]{0,6}",
    ) {
        prop_assume!(![&one, &other].iter().any(|it| it.contains("**")));
        prop_assert!(!covers(&one, &other) || !matches(&other, &path) || matches(&one, &path));
        prop_assert!(covers(&one, &one));
    }
}

#[rstest]
#[case("/*", "/a", true)]
#[case("/*", "/", true)]
#[case("/a/*", "/a/b/*", true)]
#[case("/a/*", "/a/", true)]
#[case("/a/*", "/a", false)]
#[case("/a/*/*", "/a/*", false)]
#[case("/a/*", "/a/*/*", true)]
#[case("/*.css", "/main*.css", true)]
#[case("/*.css", "/*", false)]
#[case("/u/*/x", "/u/ada/x", true)]
#[case("/u/*/x", "/u/*/x", true)]
#[case("/u/a*/x", "/u/*/x", false)]
fn a_pattern_may_cover_another(#[case] pattern: &str, #[case] other: &str, #[case] yes: bool) {
    assert_eq!(covers(pattern, other), yes);
}

#[test]
fn matching_takes_no_longer_than_the_length_says() {
    let pattern = "/*a*b*c*.*d.js";
    // Time that grows with the square of it would be hours.
    for path in [".".repeat(8_000_000), "abc.".repeat(2_000_000)] {
        assert!(!matches(pattern, &format!("/{path}")));
    }
}

#[rstest]
#[case("/a/b.c/d-e_f~g!$&'()*+,=:@", true, true)]
#[case("/", true, true)]
#[case("/.well-known/x", true, true)]
#[case("/a%20b", false, true)]
#[case("/caf%C3%A9", false, true)]
#[case("/%E0%A4%B9%E2%80%8D%E0%A4%BF", false, true)]
#[case("/a/", true, true)]
#[case("/a//b", false, false)]
#[case("//a", false, false)]
#[case("/a.", false, false)]
#[case("/a/./b", false, false)]
#[case("/a/..", false, false)]
#[case("/a;b", false, false)]
#[case("/a\\b", false, false)]
#[case("/a b", false, false)]
#[case("/é", false, false)]
#[case("/%2e", false, false)]
#[case("/a%2Fb", false, false)]
#[case("/a%5cb", false, false)]
#[case("/a%25b", false, false)]
#[case("/a%3bb", false, false)]
#[case::a_query("/hr%3fx", false, false)]
#[case::a_fragment("/admin%23x", false, false)]
#[case::nothing("/a%00", false, false)]
#[case::a_line("/a%0ab", false, false)]
#[case::a_tab("/a%09", false, false)]
#[case::deleted("/a%7F", false, false)]
#[case::a_control_of_unicode("/a%c2%85b", false, false)]
#[case::utf_16("/public/%u002e%u002e/admin", false, false)]
#[case::utf_16_of_full_width("/public/%uff0e%uff0e/admin", false, false)]
#[case::no_digits("/a%zz", false, false)]
#[case::one_digit("/a%2", false, false)]
#[case::a_sign("/a%+2b", false, false)]
#[case::alone("/a%", false, false)]
#[case::alone_before_an_escape("/a%%41", false, false)]
#[case::a_space_at_the_end("/a%20/b", false, false)]
#[case::a_space_at_the_very_end("/a%20", false, false)]
#[case::a_space_at_the_beginning("/%20a", false, false)]
#[case::a_space_that_does_not_part("/a%c2%a0", false, false)]
#[case::a_wide_space("/a%e3%80%80/b", false, false)]
#[case::a_mark_of_byte_order("/%ef%bb%bfa", false, false)]
fn how_many_ways_there_are_to_read_a_path(
    #[case] path: &str,
    #[case] literal: bool,
    #[case] plain: bool,
) {
    assert_eq!((is_literal(path), is_plain(path)), (literal, plain));
}

#[rstest]
#[case("/internal/login", true)]
#[case("/internal/login/", true)]
#[case("/internal/login/x", true)]
#[case("/internal/LOGIN.json", true)]
#[case("/internal/login;x", true)]
#[case("/internal/login\n", true)]
#[case("/internal/login:x", true)]
#[case("/internal/login~", true)]
#[case("/internal/logins", false)]
#[case("/internal/login-page", false)]
#[case("/internal/login_2", false)]
#[case("/internal/loginé", false)]
#[case("/internal/logi", false)]
#[case("/x/internal/login", false)]
fn a_path_begins_others(#[case] path: &str, #[case] yes: bool) {
    for written in ["/internal/login", "/Internal/Login/", "/internal/%6cogin"] {
        assert_eq!(PathForms::of(written).begin(path), yes, "{written}");
    }
}

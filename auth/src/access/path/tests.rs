use super::*;
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
fn a_pattern_is_anchored_at_both_ends(
    #[case] pattern: &str,
    #[case] path: &str,
    #[case] yes: bool,
) {
    assert_eq!(matches(pattern, path), yes);
}

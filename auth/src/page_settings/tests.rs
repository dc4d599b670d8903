use super::*;
use rstest::rstest;

#[test]
fn without_the_setting_pages_are_in_the_languages_that_the_guard_has() {
    let pages = PageSettings::default();
    let tags: Vec<&str> = pages.languages.iter().map(|it| &*it.tag).collect();
    assert_eq!(tags, ["en", "de", "es", "fr"]);
    assert_eq!(PageSettings::parse("{}").unwrap().languages, pages.languages);
}

#[test]
fn each_member_is_read() {
    let pages = PageSettings::parse(
        r##"{"title": " Harbour ", "logo": "https://cdn.example:8443/a.svg", "accent": "#1f5fbf", "accent_dark": "#8ab4f8",
        "links": [{"text": {"he": "פרטיות", "de": "Datenschutz"}, "href": "/privacy#top"}, {"text": "Help", "href": "mailto:help@harbour.example"}],
        "languages": ["he", "de"], "words": {"he": {"sign_in": {"title": "כניסה"}}}}"##,
    )
    .unwrap();
    assert_eq!(pages.title.as_deref(), Some("Harbour"));
    assert_eq!(pages.logo.unwrap().source, "https://cdn.example:8443");
    assert_eq!(pages.accent_dark.unwrap().colour.to_string(), "#8ab4f8");
    let [hebrew, german] = &pages.languages[..] else { panic!() };
    assert!(hebrew.is_rtl && !german.is_rtl);
    assert_eq!(pages.links[0].text.of(german), "Datenschutz");
    assert_eq!(pages.links[1].text.of(german), "Help");
}

#[test]
fn a_language_with_words_is_offered_after_those_that_the_guard_has() {
    let pages = PageSettings::parse(
        r#"{"words": {"ar": {}, "az": {"direction": "rtl"}, "ur": {"direction": "ltr"}, "de": {}}}"#,
    );
    let languages = pages.unwrap().languages;
    let all: Vec<_> = languages.iter().map(|it| (&*it.tag, it.is_rtl)).collect();
    let own = [("en", false), ("de", false), ("es", false), ("fr", false)];
    assert_eq!(all, [&own[..], &[("ar", true), ("az", true), ("ur", false)]].concat());
}

#[rstest]
#[case(r#"{"logo": "/logo.svg"}"#, "'self'")]
#[case(r#"{"logo": "https://cdn.example/a b.svg"}"#, "error")]
#[case(r#"{"logo": "//cdn.example/a.svg"}"#, "error")]
#[case(r#"{"logo": "/\\cdn.example/a.svg"}"#, "error")]
#[case(r#"{"logo": "https://cdn.example;script-src *"}"#, "error")]
#[case(r#"{"logo": "https://cdn.example;script-src/a.svg"}"#, "error")]
#[case(r#"{"logo": "https://cdn.example,cdn.test/a.svg"}"#, "error")]
#[case(r#"{"logo": "https://*/a.svg"}"#, "error")]
#[case(r#"{"logo": "/a.svg; script-src *"}"#, "error")]
#[case(r#"{"logo": "data:image/svg+xml,x"}"#, "error")]
#[case(r#"{"logo": "http://cdn.example/a.svg"}"#, "error")]
fn a_logo_cannot_change_the_policy_of_a_page(#[case] setting: &str, #[case] source: &str) {
    let pages = PageSettings::parse(setting);
    let found = pages.map(|pages| pages.logo.map_or("none".into(), |logo| logo.source));
    assert_eq!(found.unwrap_or("error".into()), source);
}

#[rstest]
#[case("javascript:alert(1)")]
#[case("//evil.example")]
#[case("/\\\\evil.example")]
#[case("mailto:")]
#[case("privacy")]
#[case("http://harbour.example")]
fn a_link_leads_only_to_pages_and_addresses(#[case] href: &str) {
    let setting = format!(r#"{{"links": [{{"text": "x", "href": "{href}"}}]}}"#);
    assert!(PageSettings::parse(&setting).is_err());
}

#[test]
fn the_examples_of_the_documentation_can_be_used() {
    let page = include_str!("../../../docs/pages.md");
    let mut found = 0;
    for example in page.split("PAGES = '").skip(1) {
        let example = match example.strip_prefix("''") {
            Some(lines) => lines.split("\n''").next(),
            None => example.split("'\n").next(),
        };
        let parsed = PageSettings::parse(example.unwrap_or_default().trim());
        assert!(parsed.is_ok(), "{parsed:?}");
        found += 1;
    }
    assert_eq!(found, 2);
}

#[rstest]
#[case(r#"{"title": "a\nb"}"#)]
#[case(r#"{"logo": "/a.svg\r\nset-cookie: x"}"#)]
#[case(r#"{"logo": "https://user:hush@cdn.example/a.svg"}"#)]
#[case(r#"{"links": [{"text": "x", "href": "/a\nb"}]}"#)]
#[case(r#"{"links": [{"text": "x", "href": "java\tscript:alert(1)"}]}"#)]
#[case(r#"{"links": [{"text": "", "href": "/a"}]}"#)]
#[case(r#"{"languages": []}"#)]
#[case(r#"{"languages": ["*"]}"#)]
#[case(r#"{"words": {"de": {"refusals": {"no_such_code": {"title": "x"}}}}}"#)]
fn what_no_page_can_show_is_refused(#[case] setting: &str) {
    assert!(PageSettings::parse(setting).is_err());
}

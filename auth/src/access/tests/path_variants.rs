//! Paths that an origin may read in several ways.

use super::*;

#[rstest]
#[case("/ADMIN/x")]
#[case("/Admin/x")]
#[case("/admin")]
#[case("/%61dmin/x")]
#[case("/x//admin")]
#[case("//admin/x")]
#[case("/x%2f..%2fadmin")]
#[case("/x/%2e%2e/admin")]
#[case("/x;/../admin")]
#[case("/x%5cadmin")]
#[case("/admin./x")]
#[case("/x.")]
#[case("/x%00")]
#[case("/x%0a")]
#[case("/x%252e")]
#[case("/x%3b")]
#[case("/x/%c0%ae%c0%ae/admin")]
#[case("/%ef%bd%81dmin/x")]
#[case("/x/%e2%80%a5/admin")]
fn a_path_that_may_be_read_as_another_is_not_public(#[case] path: &str) {
    assert_eq!(find(&rules(), "GET", path).access(), Access::Session, "{path}");
}

#[rstest]
#[case("/admin/x")]
#[case("/ADMIN/x")]
#[case("/admin")]
#[case("//admin/x")]
#[case("/x/..%2fadmin/x")]
#[case("/x/%2e%2e/admin/x")]
#[case("/%61dmin/x")]
#[case("/%2561dmin/x")]
#[case("/admin;a=b/x")]
#[case("/admin%5cx")]
#[case("/admin./x")]
#[case("/admin%20/x")]
#[case("/admin%00/x")]
#[case("/x/%c0%ae%c0%ae%c0%afadmin/x")]
#[case("/%ef%bd%81dmin/x")]
#[case("/admin%ef%bc%8fx")]
fn roles_cannot_be_evaded_by_another_spelling(#[case] path: &str) {
    let admin = r#"{"path":"/admin/*","access":"session","roles":["admin"]}"#;
    for others in
        ["", r#",{"path":"/*","access":"session"}"#, r#",{"path":"/*","access":"public"}"#]
    {
        let rules = Rules::parse(&format!("[{admin}{others}]")).unwrap();
        let verdict = find(&rules, "GET", path).admits(&Map::new());
        assert!(verdict.is_err(), "{path} with {others}");
    }
}

#[rstest]
#[case::of_a_later_rule("/assets/..;/admin/x", &["admin"])]
#[case::encoded("/assets/..%2fadmin/x", &["admin"])]
#[case::of_both("/hr/..;/eng/x", &["hr", "eng"])]
#[case::of_both_the_other_way("/eng/..%2f..%2fhr/x", &["hr", "eng"])]
#[case::of_three("/hr/x%3f/..%2f..;/eng/x%00/..%2f../admin/x", &["admin", "hr", "eng"])]
#[case::cut_by_a_query("/hr%3fx", &["hr"])]
#[case::cut_by_a_fragment("/eng%23/admin", &["eng"])]
#[case::cut_by_nothing("/admin%00/../hr/x", &["admin", "hr"])]
#[case::a_host("//hr/admin/x", &["hr", "admin"])]
#[case::the_path_alone("/hr/x", &["hr"])]
fn every_rule_that_may_be_meant_must_be_satisfied(#[case] path: &str, #[case] needed: &[&str]) {
    let rules = company();
    for held in [
        &[][..],
        &["admin"],
        &["hr"],
        &["eng"],
        &["hr", "eng"],
        &["admin", "hr"],
        &["admin", "hr", "eng"],
    ] {
        let claims = json!({ "roles": held, "scope": held.join(" ") });
        let verdict = find(&rules, "GET", path).admits(claims.as_object().unwrap());
        let expected = needed.iter().all(|it| held.contains(it));
        assert_eq!(verdict.is_ok(), expected, "{path} with {held:?}");
    }
    assert_eq!(find(&rules, "GET", path).access(), Access::Session);
    assert_eq!(find(&rules, "POST", path).access(), Access::Session);
}

#[test]
fn of_a_path_that_can_be_read_in_too_many_ways_every_rule_holds() {
    let path = format!("/assets/{}", "%u002e;%c0%ae/%ef%bc%8f%5c%3f%23%00%20./".repeat(200));
    assert_eq!(PathVariants::of(&path), PathVariants::TooMany);
    assert_eq!(find(&company(), "GET", &path).iter().count(), 5);
}

#[rstest]
#[case::percent_encoded("/caf%C3%A9/*", "/caf%c3%a9/x")]
#[case::decoded("/caf%C3%A9/*", "/caf\u{e9}/x")]
#[case::another_case("/caf%C3%A9/*", "/CAF%C3%89/x")]
#[case::needlessly_encoded("/%61dmin/*", "/admin/x")]
#[case::needlessly_encoded_twice("/%61dmin/*", "/%2561DMIN/x")]
#[case::upper_case("/Admin/*", "/admin/x")]
fn a_rule_holds_in_whatever_spelling_it_is_written(#[case] rule: &str, #[case] path: &str) {
    let rules = json!([{ "path": rule, "access": "session", "roles": ["a"] }, { "path": "/*", "access": "public" }]);
    let rules = Rules::parse(&rules.to_string()).unwrap();
    assert!(find(&rules, "GET", path).admits(&Map::new()).is_err());
}

#[rstest]
#[case("/login", "/login", Access::Public)]
#[case("/login", "/login/", Access::Session)]
#[case("/Files/*", "/Files/A.css", Access::Public)]
#[case("/files/*", "/files/a%20b.css", Access::Public)]
#[case("/files/*", "/files/caf%C3%A9.css", Access::Public)]
#[case("/files/*", "/files/caf%e9.css", Access::Public)]
#[case("/caf%C3%A9", "/caf%C3%A9", Access::Public)]
#[case("/caf%C3%A9", "/caf%c3%a9", Access::Session)]
#[case("/files/*", "/files/a+b@c~d,e.css", Access::Public)]
#[case("/files/*", "/files/.well-known", Access::Public)]
#[case("/*.css", "/main.css", Access::Public)]
fn a_public_path_that_is_read_alike_everywhere_is_public(
    #[case] rule: &str,
    #[case] path: &str,
    #[case] access: Access,
) {
    let rules =
        json!([{ "path": rule, "access": "public" }, { "path": "/other", "access": "session" }]);
    let rules = Rules::parse(&rules.to_string()).unwrap();
    assert_eq!(find(&rules, "GET", path).access(), access);
}

#[rstest]
#[case("/x//y")]
#[case("/a%2Fb/administration")]
#[case("/x/admin/y")]
fn other_odd_paths_of_members_stay_theirs(#[case] path: &str) {
    let json = r#"[{"path":"/admin/*","access":"session","roles":["admin"]},{"path":"/*","access":"session"}]"#;
    assert!(find(&Rules::parse(json).unwrap(), "GET", path).admits(&Map::new()).is_ok());
}

/// One segment as somebody may write it who wants it to be taken for another.
fn spelling(name: &'static str) -> impl Strategy<Value = String> {
    let letter = |(byte, form): (u8, u8)| match form {
        0 => (byte as char).to_string(),
        1 => (byte as char).to_ascii_uppercase().to_string(),
        2 => format!("%{byte:02x}"),
        _ => format!("%25{byte:02X}"),
    };
    let end = prop::sample::select(vec!["", ";a=b", ".", "%20", "%00", "..."]);
    (prop::collection::vec(0..4u8, name.len()), end)
        .prop_map(move |(forms, end)| name.bytes().zip(forms).map(letter).collect::<String>() + end)
}

proptest! {
    #[test]
    fn no_spelling_of_a_path_evades_its_roles_or_makes_it_public(
        before in prop::sample::select(vec!["/", "//", "/%2f", "/x/../", "/x/%2e%2e/", "/x%2f..%5c", "/./"]),
        admin in spelling("admin"),
        between in prop::sample::select(vec!["/", "//", "%2f", "%5C", "/./", "/y/..%2f"]),
        last in spelling("x"),
    ) {
        let path = format!("{before}{admin}{between}{last}");
        let admin = r#"{"path":"/admin/*","access":"session","roles":["admin"],"preflight":false}"#;
        for others in ["session", "optional", "public"] {
            let rules = format!(r#"[{admin},{{"path":"/*","access":"{others}"}}]"#);
            let rules = Rules::parse(&rules).unwrap();
            let found = find(&rules, "GET", &path);
            prop_assert!(found.access() == Access::Session && found.admits(&Map::new()).is_err());
            prop_assert!(!lets_preflight(&rules, "GET", &path));
        }
    }
}

//! When an earlier decision may be reused for another target.

use super::*;

const ROUTES: &str = r#"[
    {"path":"/open/*","access":"public"},
    {"path":"/maybe/*","access":"optional"},
    {"path":"/staff/*","access":"session","roles":["staff"]},
    {"path":"/named/*","access":"session"},
    {"path":"/posts/*","access":"session","methods":["POST"],"roles":["staff"]}
]"#;

/// The targets that are tried, each after each.
const TARGETS: [&str; 24] = [
    "/boats",
    "/boats/7",
    "/boats?page=2",
    "/boats?accessToken=x",
    "/boats#x",
    "/boats/../staff/x",
    "/boats/%2e%2e/staff/x",
    "//staff/x",
    "/staff/x",
    "/staff/y",
    "/staff",
    "/Staff/x",
    "/open/x",
    "/open/y",
    "/open/%2e%2e/x",
    "/open/;/x",
    "/maybe/x",
    "/maybe/y",
    "/named/x",
    "/named/y",
    "/posts/x",
    "/_auth/session",
    "/_auth/nothing",
    "/internal/login",
];

fn guards() -> [Guard; 5] {
    [
        guard_with(&[]),
        guard_with(&[("ROUTES", ROUTES), ("LOGIN_URL", "https://app.example/internal/login")]),
        guard_with(&[("ROUTES", ROUTES), ("MODE", "monitor")]),
        guard_with(&[("ROUTES", ROUTES), ("OVERLAP_SAFE_REQUESTS", "true")]),
        guard_with(&[("ROUTES", ROUTES), ("TOKEN_SOURCES", "bearer, query:accessToken")]),
    ]
}

#[test]
fn what_extends_to_another_target_is_what_would_be_decided_there() {
    let mut extended = 0;
    for guard in guards() {
        let token = bearer(&guard);
        for (method, one, other) in METHODS_OF_TESTS
            .iter()
            .flat_map(|method| TARGETS.map(|one| TARGETS.map(|other| (*method, one, other))))
            .flatten()
        {
            let [one, other] =
                [one, other].map(|it| request(method, it, &[("authorization", &token)]));
            let Decision::CheckSession(check) = guard.decide(&one, NOW) else { continue };
            if !guard.plan_applies_to(&check, &other, NOW) {
                continue;
            }
            extended += 1;
            let Decision::CheckSession(anew) = guard.decide(&other, NOW) else {
                panic!("{method} {} is decided in another way than {}", other.url, one.url);
            };
            let sent = HeaderFilter::read("\n\nx-http-method-override\nx-forwarded-for\nupgrade");
            assert_eq!(anew.header_changes(&sent), check.header_changes(&sent));
            assert_eq!(
                anew.header_changes_without_identity(&sent),
                check.header_changes_without_identity(&sent)
            );
            assert_eq!(
                (anew.target(), anew.log_fields(None)),
                (check.target(), check.log_fields(None))
            );
            assert_eq!(
                (anew.overlaps_store(), anew.forwards_without_identity()),
                (check.overlaps_store(), check.forwards_without_identity())
            );
            for answer in [found(Some(session("abc", 0, NOW.millis() + 60_000))), found(None)] {
                let verdict = |check: &ForwardPlan| guard.judge(check, answer.clone(), NOW);
                assert_eq!(verdict(&anew), verdict(&check), "{method} {}", other.url);
            }
        }
    }
    assert!(extended > 100, "{extended}");
}

const METHODS_OF_TESTS: [&str; 4] = ["GET", "POST", "OPTIONS", "TRACE"];

#[rstest]
#[case::another_path("/boats", "/boats/7", true)]
#[case::another_query("/boats", "/boats?page=2", true)]
#[case::the_same_rule("/staff/x", "/staff/y", true)]
#[case::a_rule_with_roles("/boats", "/staff/x", false)]
#[case::another_rule("/boats", "/named/x", false)]
#[case::for_everybody("/boats", "/open/x", false)]
#[case::for_anybody("/boats", "/maybe/x", false)]
#[case::rewritten_on_the_way("/boats", "/boats/../x", false)]
#[case::an_endpoint("/boats", "/_auth/session", false)]
#[case::the_login_url("/boats", "/internal/login", false)]
#[case::a_fragment("/boats", "/boats#x", false)]
fn a_decision_extends_to_what_the_same_rule_names(
    #[case] one: &str,
    #[case] other: &str,
    #[case] extends: bool,
) {
    let [_, guard, ..] = guards();
    let token = bearer(&guard);
    let [one, other] = [one, other].map(|it| request("GET", it, &[("authorization", &token)]));
    assert_eq!(guard.plan_applies_to(&check(&guard, &one), &other, NOW), extends);
}

#[test]
fn a_decision_does_not_extend_to_another_site_nor_to_a_token_in_the_query() {
    let guard = guard();
    let token = bearer(&guard);
    let mut other = request("GET", "/boats", &[("authorization", &token)]);
    let check = check(&guard, &other);
    assert!(guard.plan_applies_to(&check, &other, NOW));
    other.url = other.url.replacen("https://", "https://x.", 1);
    assert!(!guard.plan_applies_to(&check, &other, NOW));
    let [.., guard] = guards();
    let one = request("GET", "/boats", &[("authorization", &token)]);
    let Decision::CheckSession(check) = guard.decide(&one, NOW) else { panic!("it is genuine") };
    assert!(!guard.plan_applies_to(&check, &one, NOW));
}

#[test]
fn a_decision_extends_with_its_proof_only() {
    let guard = super::assertion::guard_that_asserts(&[]);
    let token = bearer(&guard);
    let [one, other] = ["/x", "/y"].map(|path| request("GET", path, &[("authorization", &token)]));
    let check = check(&guard, &one);
    assert!(guard.plan_applies_to(&check, &other, NOW));
    assert!(
        !guard.plan_applies_to(&check, &other, NOW.plus(Duration::from_secs(31))),
        "a new one is due"
    );
}

use super::*;
use rstest::rstest;
use std::collections::HashMap;

mod errors;

const KEYS: &str = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;

fn read(changes: &[(&str, &str)]) -> Result<Settings, Vec<SettingError>> {
    let mut all: HashMap<&str, &str> =
        [("ISSUER", "https://guard"), ("AUDIENCE", "app"), ("SIGNING_KEYS", KEYS)].into();
    all.extend(changes.iter().copied());
    Settings::read(|name| all.get(name).map(|text| (*text).to_owned()))
}

#[test]
fn the_defaults_are_those_of_the_reference() {
    let settings = read(&[]).unwrap();
    let default = |name: &str| SETTINGS.iter().find(|s| s.name == name).unwrap().default;
    let written: Vec<(&str, &str)> = SETTINGS
        .iter()
        .filter(|s| !s.default.contains("required") && !s.default.contains(' '))
        .filter(|s| !matches!(s.default, "none" | "SESSION_TTL" | "AUDIENCE"))
        .map(|s| (s.name, s.default))
        .chain([("SESSION_TTL", default("SESSION_TTL"))])
        .chain(["LOGIN_RATE", "LOGIN_RATE_PER_ADDRESS"].map(|name| (name, default(name))))
        .chain([("STORE_TIMEOUT", default("STORE_TIMEOUT"))])
        .chain([("ORIGIN_TIMEOUT", default("ORIGIN_TIMEOUT"))])
        .collect();
    assert!(written.len() > 10, "{written:?}");
    let explicit = read(&written).unwrap();
    assert_eq!(format!("{settings:?}"), format!("{explicit:?}"));
    assert_eq!(settings.token_ttl, settings.session_ttl);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let errors = Settings::read(|_| None).unwrap_err();
    let names: Vec<_> = errors.iter().map(|error| error.name).collect();
    assert_eq!(names, ["ISSUER", "AUDIENCE", "SIGNING_KEYS"]);
}

#[rstest]
#[case("ORIGIN_URL", "app.example.com")]
#[case("ORIGIN_URL", "ftp://app.example.com")]
#[case("ORIGIN_URL", "https://app.example.com/path")]
#[case("ORIGIN_URL", "https://user:pw@app.example.com")]
#[case("ORIGIN_URL", "https://")]
#[case("ORIGIN_URL", "https://app.example.com/#part")]
#[case("ORIGIN_URL", "https://app.example.com?a=b")]
#[case("ORIGIN_URL", "http://app.example.com")]
#[case("ORIGIN_URL", "http://10.0.0.1")]
#[case("LOGIN_URL", "https://app.example.com/login#part")]
#[case("LOGIN_URL", "http://app.example.com/login")]
#[case("LOGIN_URL", "HTTP://app.example.com/login")]
#[case("LOGIN_URL", "http://10.0.0.1/login")]
#[case("LOGIN_URL", "http://134744072/login")]
#[case("LOGIN_URL", "http://0x08080808/login")]
#[case("LOGIN_URL", "http://[2001:db8::1]/login")]
#[case("LOGIN_URL", "http://localhost.example/login")]
#[case("LOGIN_URL", "http://127.0.0.1.example/login")]
#[case("LOGIN_URL", "https://app.example.com")]
#[case("LOGIN_URL", "https://app.example.com/")]
#[case("LOGIN_URL", "https://app.example.com?login")]
#[case("AUTH_PATH", "auth")]
#[case("AUTH_PATH", "/")]
#[case("AUTH_PATH", "/a//b")]
#[case("AUTH_PATH", "/a/../b")]
#[case("AUTH_PATH", "/a b")]
#[case("SIGNING_KEYS", "{}")]
#[case("COOKIE_NAME", "a b")]
#[case("COOKIE_NAME", "a;b")]
#[case("SESSION_STORE", "memory")]
#[case("SESSION_LIMIT", "-1")]
#[case("SESSION_LIMIT", "many")]
#[case("SESSION_LIMIT", "phone=1")]
#[case("SESSION_TTL", "7")]
#[case("SESSION_TTL", "0 days")]
#[case("SESSION_IDLE_TIMEOUT", "8 days")]
#[case("SESSION_TTL_SHORT", "8 days")]
#[case("SESSION_TTL_SHORT", "soon")]
#[case("TOKEN_EXPIRY_HEADER", "yes")]
#[case("TOKEN_TTL", "8 days")]
#[case("LOGOUT_ALL_SESSIONS", "yes")]
#[case("ALLOWED_ORIGINS", r#"["*"]"#)]
#[case("CLEAR_SITE_DATA", "everything")]
#[case("CLEAR_SITE_DATA", "storage cache")]
#[case("CLEAR_SITE_DATA", "storage,")]
#[case("CLEAR_SITE_DATA", "\"storage")]
#[case("CLEAR_SITE_DATA", "Storage")]
#[case("CLEAR_SITE_DATA", "off, storage")]
#[case("LOGIN_URL", "/login")]
#[case("STORE_TIMEOUT", "fast")]
#[case("ORIGIN_TIMEOUT", "1")]
#[case("ORIGIN_TIMEOUT", "2 hours")]
#[case("SESSION_TTL", "100 years")]
#[case("STORE_FAILURE", "allow")]
#[case("STORE_FAILURE", "allow-recent: soon")]
#[case("STORE_FAILURE", "allow-recent: 16 minutes")]
#[case("STORE_FAILURE", "allow-recent: 901 seconds")]
#[case("REQUIRE_HTTPS", "yes")]
#[case("TRUSTED_PROXIES", "0.0.0.0/0")]
#[case("TRUSTED_PROXIES", "loopback")]
#[case("CLIENT_IP_HEADER", "X-Real-IP")]
#[case("ROUTES", r#"[{"path":"/_auth/login","access":"public"}]"#)]
#[case("ROUTES", r#"[{"path":"/_auth/*","access":"public"}]"#)]
#[case("ROUTES", r#"[{"path":"/_auth","access":"public"}]"#)]
#[case("ROUTES", r#"[{"path":"/.well-known/jwks.json","access":"public"}]"#)]
#[case("ADMIN_API_KEY", "0123456789abcdef0123456789abcde")]
#[case("ADMIN_API_KEY", "0123456789abcdef 0123456789abcdef")]
#[case("ADMIN_API_KEY", "0123456789abcdef0123456789abcdé")]
#[case("FORWARD_AUTH_KEY", "0123456789abcdef0123456789abcde")]
#[case("INTROSPECTION_KEY", "0123456789abcdef0123456789abcde")]
#[case("INTROSPECTION_KEY", "0123456789abcdef 0123456789abcdef")]
#[case("LOGIN_RATE", "10")]
#[case("LOGIN_RATE_PER_ADDRESS", "100")]
#[case("TOKEN_SOURCES", "basic")]
#[case("TRUSTED_ISSUERS", "{}")]
#[case("TRUSTED_ISSUERS", r#"[{"issuer":"https://idp.example"}]"#)]
#[case("EVENTS_WEBHOOK_SECRET", "hush")]
#[case("ROUTES", "{}")]
#[case("MODE", "observe")]
#[case("OVERLAP_SAFE_REQUESTS", "yes")]
#[case("REQUEST_LOG", "some")]
#[case("LOG_IDENTITY", "encrypted")]
#[case("SERVER_TIMING", "on")]
#[case("FORWARD_CREDENTIAL", "always")]
#[case("REWRITE_ORIGIN", "always")]
#[case("REWRITE_ORIGIN", "true")]
#[case("IDENTITY_HEADERS", "X-Forwarded-User")]
#[case("IDENTITY_ENCODING", "latin1")]
#[case("SESSION_LIMIT_POLICY", "never")]
fn a_bad_value_is_refused_by_name(#[case] name: &str, #[case] value: &str) {
    let errors = read(&[(name, value)]).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].name, name);
    assert!(!errors[0].reason.is_empty());
}

#[rstest]
#[case("fedcba9876543210fedcba9876543210", true)]
#[case("0123456789abcdef0123456789abcdef", false)]
#[case(" 0123456789abcdef0123456789abcdef ", false)]
fn who_asks_has_another_key_than_who_ends_sessions(#[case] key: &str, #[case] fine: bool) {
    let admin = ("ADMIN_API_KEY", "0123456789abcdef0123456789abcdef");
    for name in ["INTROSPECTION_KEY", "FORWARD_AUTH_KEY"] {
        let names: Vec<_> = match read(&[admin, (name, key)]) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(|error| error.name).collect(),
        };
        assert_eq!(names, if fine { vec![] } else { vec![name] });
    }
}

#[rstest]
#[case("", false)]
#[case(r#","subject_prefix":"idp|""#, true)]
#[case(r#","subject_prefix":"""#, true)]
fn beside_login_url_an_issuers_users_need_a_prefix(#[case] prefix: &str, #[case] fine: bool) {
    let list = format!(
        r#"[{{"issuer":"https://idp.example","audience":"a","jwks_uri":"https://idp.example/jwks"{prefix}}}]"#
    );
    let settings = [("TRUSTED_ISSUERS", &list as &str), ("LOGIN_URL", "https://app.example/login")];
    assert_eq!(read(&settings).is_ok(), fine);
    assert!(read(&settings[..1]).is_ok());
}

const REDIS: [(&str, &str); 3] = [
    ("SESSION_STORE", "redis"),
    ("UPSTASH_REDIS_REST_URL", "https://db.upstash.io/"),
    ("UPSTASH_REDIS_REST_TOKEN", "hush"),
];

#[rstest]
#[case(&[("UPSTASH_REDIS_REST_URL", "")], "UPSTASH_REDIS_REST_URL")]
#[case(&[("UPSTASH_REDIS_REST_TOKEN", "")], "UPSTASH_REDIS_REST_TOKEN")]
#[case(&[("UPSTASH_REDIS_REST_URL", "http://db.upstash.io")], "UPSTASH_REDIS_REST_URL")]
#[case(&[("UPSTASH_REDIS_REST_URL", "http://[2001:db8::1]")], "UPSTASH_REDIS_REST_URL")]
#[case(&[("UPSTASH_REDIS_REST_URL", "http://134744072")], "UPSTASH_REDIS_REST_URL")]
#[case(&[("UPSTASH_REDIS_REST_TOKEN", "two\nlines")], "UPSTASH_REDIS_REST_TOKEN")]
#[case(&[("UPSTASH_REDIS_REST_TOKEN", "tökén")], "UPSTASH_REDIS_REST_TOKEN")]
#[case(&[("READ_CONSISTENCY", "eventual")], "READ_CONSISTENCY")]
#[case(&[("READ_CONSISTENCY", "nearest"), ("SESSION_IDLE_TIMEOUT", "1 hour")], "READ_CONSISTENCY")]
fn redis_wants_its_own_settings(#[case] changes: &[(&str, &str)], #[case] name: &str) {
    let errors = read(&[&REDIS[..], changes].concat()).unwrap_err();
    assert_eq!(errors.iter().map(|e| e.name).collect::<Vec<_>>(), [name]);
}

#[rstest]
#[case("https://hooks.example/guard?a=b", SECRET, None)]
#[case("http://receiver:8080/", SECRET, None)]
#[case("http://hooks.example/", SECRET, Some("EVENTS_WEBHOOK_URL"))]
#[case("http://[2001:db8::1]/", SECRET, Some("EVENTS_WEBHOOK_URL"))]
#[case("http://0x08080808/", SECRET, Some("EVENTS_WEBHOOK_URL"))]
#[case("https://hooks.example/", "", Some("EVENTS_WEBHOOK_SECRET"))]
#[case("https://hooks.example/", "whsec_c2hvcnQ=", Some("EVENTS_WEBHOOK_SECRET"))]
#[case("", SECRET, None)]
fn a_webhook_needs_a_safe_url_and_a_secret(
    #[case] url: &str,
    #[case] secret: &str,
    #[case] wrong: Option<&str>,
) {
    let errors = read(&[("EVENTS_WEBHOOK_URL", url), ("EVENTS_WEBHOOK_SECRET", secret)]);
    let names = errors.err().unwrap_or_default().into_iter().map(|error| error.name);
    assert_eq!(names.collect::<Vec<_>>(), Vec::from_iter(wrong));
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[rstest]
#[case("LOGIN_URL", "http://localhost:8788/login")]
#[case("LOGIN_URL", "http://app.localhost/login")]
#[case("LOGIN_URL", "http://127.8.8.8/login")]
#[case("LOGIN_URL", "http://[::1]:8788/login")]
#[case("LOGIN_URL", "http://members:8080/login")]
#[case("LOGIN_URL", "https://10.0.0.1/login?a=b")]
#[case("ORIGIN_URL", "http://members:8080")]
#[case("STORE_FAILURE", "allow-recent: 15 minutes")]
#[case("ROUTES", r#"[{"path":"/_auth2/*","access":"public"},{"path":"/*","access":"public"}]"#)]
fn a_good_value_is_taken(#[case] name: &str, #[case] value: &str) {
    assert!(read(&[(name, value)]).is_ok(), "{:?}", read(&[(name, value)]).err());
}

#[rstest]
#[case("/internal/login", false)]
#[case("/internal/login/x", false)]
#[case("/internal/login/*", false)]
#[case("/internal/login*", true)]
#[case("/internal/*", true)]
fn a_rule_for_what_login_url_closes_is_refused(#[case] path: &str, #[case] fine: bool) {
    let routes = format!(r#"[{{"path":"{path}","access":"public"}}]"#);
    let login = ("LOGIN_URL", "https://app.example/internal/login/");
    let errors = read(&[("ROUTES", &routes), login]).err().unwrap_or_default();
    let reasons: Vec<_> = errors.iter().map(|it| it.reason.contains("LOGIN_URL")).collect();
    assert_eq!(reasons, Vec::from_iter((!fine).then_some(true)), "{errors:?}");
    assert!(read(&[("ROUTES", &routes)]).is_ok());
}

#[test]
fn values_are_read() {
    let settings = read(&[
        ("ORIGIN_URL", "http://localhost:8788/"),
        ("AUTH_PATH", "/_guard/"),
        ("SESSION_LIMIT", "0"),
        ("STORE_FAILURE", "allow-recent: 60 seconds"),
    ])
    .unwrap();
    assert_eq!(settings.origin, Origin::Url("http://localhost:8788".into()));
    assert_eq!(settings.auth_path, "/_guard");
    assert_eq!(settings.session_limit, SessionLimit::InAll(None));
    assert_eq!(settings.store_failure, StoreFailure::AllowRecent(Duration::from_secs(60)));
}

#[rstest]
#[case("", "", Ok(Origin::Zone))]
#[case("https://a", "", Ok(Origin::Url("https://a".into())))]
#[case("", BOUND, Ok(Origin::Worker))]
#[case("https://a", BOUND, Err("ORIGIN_URL"))]
#[case("", "https://a", Err("ORIGIN"))]
fn the_origin_is_one_of_three(
    #[case] url: &str,
    #[case] binding: &str,
    #[case] expected: Result<Origin, &str>,
) {
    let read = read(&[("ORIGIN_URL", url), ("ORIGIN", binding)]);
    let origin = read.map(|settings| settings.origin).map_err(|errors| errors[0].name);
    assert_eq!(origin, expected);
}

#[test]
fn secrets_do_not_reach_debug_output() {
    let settings = read(&REDIS).unwrap();
    let debug = format!("{settings:?}");
    assert!(debug.contains("db.upstash.io") && !debug.contains("hush"), "{debug}");
}

#[test]
fn beside_a_rule_that_logs_people_in_an_issuers_users_need_a_prefix_too() {
    let list = |prefix: &str| {
        format!(
            r#"[{{"issuer":"https://idp.example","audience":"a","jwks_uri":"https://idp.example/jwks"{prefix}}}]"#
        )
    };
    let routes = r#"[{"path":"/sign-in","access":"public","login":true}]"#;
    let is_fine = |list: &str| read(&[("TRUSTED_ISSUERS", list), ("ROUTES", routes)]).is_ok();
    assert!(!is_fine(&list("")));
    assert!(is_fine(&list(r#","subject_prefix":"idp|""#)));
}

#[rstest]
#[case::default("", Some("\"storage\""))]
#[case::one("cache", Some("\"cache\""))]
#[case::several("cookies, storage", Some("\"cookies\", \"storage\""))]
#[case::as_the_header_has_it("\"cache\",\"storage\"", Some("\"cache\", \"storage\""))]
#[case::everything("*", Some("\"*\""))]
#[case::nothing("off", None)]
fn what_a_logout_has_the_browser_forget_is_set(#[case] text: &str, #[case] header: Option<&str>) {
    let settings = read(&[("CLEAR_SITE_DATA", text)]).unwrap();
    assert_eq!(settings.clear_site_data.as_deref(), header);
}

#[rstest]
#[case("PROVIDER_SECRET", "0123456789abcdef0123456789abcdef", None)]
#[case("PROVIDER_SECRET", "0123456789abcdef0123456789abcde", Some("which has fewer than 32 bytes"))]
#[case(
    "OTHER_SECRET",
    "0123456789abcdef0123456789abcdef",
    Some("names PROVIDER_SECRET, which is not set")
)]
fn the_secret_of_an_issuer_is_in_a_variable_of_its_own(
    #[case] name: &str,
    #[case] secret: &str,
    #[case] error: Option<&str>,
) {
    let list = r#"[{"issuer":"https://idp.example","access_tokens":{"audience":"a","session_claim":"s","secret":"PROVIDER_SECRET"}}]"#;
    let read = read(&[("TRUSTED_ISSUERS", list), (name, secret)]);
    match error {
        None => {
            let issuers = read.unwrap().trusted_issuers;
            let key = issuers[0].shared_key().unwrap();
            assert_eq!(
                (issuers[0].jwks_uri.as_ref(), key.candidates(None, "HS256").len()),
                (None, 1)
            );
            assert!(key.candidates(Some("any"), "RS256").is_empty());
            assert!(!format!("{issuers:?}").contains(secret));
        }
        Some(reason) => {
            let errors = read.unwrap_err();
            let at = "TRUSTED_ISSUERS[0].access_tokens.secret: ";
            assert_eq!(errors.len(), 1);
            assert!(errors[0].to_string().starts_with(at), "{errors:?}");
            assert!(errors[0].reason.contains(reason) && !errors[0].reason.contains(secret));
        }
    }
}

#[test]
fn the_secret_of_an_issuer_is_no_setting_of_the_guard() {
    let list = r#"[{"issuer":"https://idp.example","access_tokens":{"audience":"a","session_claim":"s","secret":"ADMIN_API_KEY"}}]"#;
    let key = ("ADMIN_API_KEY", "0123456789abcdef0123456789abcdef");
    let errors = read(&[("TRUSTED_ISSUERS", list), key]).unwrap_err();
    assert!(errors[0].reason.starts_with("expected a variable that is no setting"), "{errors:?}");
}

/// What is wrong with an entry of this provider.
fn sign_in_errors(changes: &str, more: &[(&str, &str)]) -> Vec<String> {
    let list = format!(r#"[{{"issuer":"https://idp.example","client_id":"app"{changes}}}]"#);
    let read = read(&[&[("TRUSTED_ISSUERS", &*list)], more].concat());
    read.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

const ELLIPTIC: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}"#;

#[rstest]
#[case("", &[], None)]
#[case(r#","client_secret_name":"IDP""#, &[("IDP", "hush")], None)]
#[case(r#","client_secret_name":"IDP""#, &[], Some("[0].client_secret_name: names IDP, which is not set"))]
#[case(r#","client_secret_name":"ADMIN_API_KEY""#, &[], Some("[0].client_secret_name: expected a variable that is no setting"))]
#[case(r#","client_authentication":"private_key_jwt""#, &[], Some("[0].client_authentication: `private_key_jwt` needs an asymmetric key"))]
#[case(r#","client_authentication":"private_key_jwt""#, &[("SIGNING_KEYS", ELLIPTIC)], None)]
#[case(r#","redirect_uri":"https://app.example/_auth/callback/idp","name":"idp""#, &[], None)]
#[case(r#","redirect_uri":"https://app.example/x/callback/idp","name":"idp""#, &[("AUTH_PATH", "/x")], None)]
#[case(r#","redirect_uri":"https://app.example/_auth/callback/other","name":"idp""#, &[], Some("[0].redirect_uri: expected a URL of this site with the path `/_auth/callback/idp`"))]
#[case(r#","redirect_uri":"https://app.example/_auth/callback/idp?a","name":"idp""#, &[], Some("[0].redirect_uri: expected"))]
fn a_provider_that_people_sign_in_at_fits_the_other_settings(
    #[case] changes: &str,
    #[case] more: &[(&str, &str)],
    #[case] error: Option<&str>,
) {
    let errors = sign_in_errors(changes, more);
    match error {
        None => assert_eq!(errors, Vec::<String>::new()),
        Some(error) => {
            let expected = format!("TRUSTED_ISSUERS{error}");
            assert!(errors.len() == 1 && errors[0].starts_with(&expected), "{errors:?}");
        }
    }
}

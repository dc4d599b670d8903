use auth::issuer::{ProviderMetadata, SignInPolicy, TrustedIssuer};
use auth::keys::KeySet;
use auth::redirect::LocalTarget;
use auth::sign_in::{
    Callback, FrontchannelLogout, ReturnCount, SignInAttempt, SignInRequest, authorization_request,
    end_session_url, read_token_response, read_user_info,
};
use auth::site_hosts::SiteHosts;
use auth::step_up::StepUp;
use auth::time::Timestamp;
use serde_json::{Map, Value};

const KEYS: &str = include_str!("../../../auth/tests/data/keys.json");
const SITE: &str = "https://app.example";
const ISSUERS: &str = r#"[{"issuer":"https://idp.example","client_id":"app","name":"staff",
    "allow":{"email_domain":"example.com"}}]"#;
const METADATA: &str = r#"{"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/authorize",
    "token_endpoint":"https://idp.example/token","end_session_endpoint":"https://idp.example/logout"}"#;
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

thread_local! {
    // Read once, because keys take long.
    static FIXTURE: (TrustedIssuer, KeySet) = (
        TrustedIssuer::parse_list(ISSUERS, "https://guard").unwrap().remove(0),
        KeySet::parse(KEYS).unwrap(),
    );
}

/// Input: what comes from a browser, or from a provider. It is read as the query of a sign-in, the query that comes back,
/// a `Cookie` header, metadata, tokens, and claims.
pub fn sign_in(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    FIXTURE.with(|(issuer, keys)| {
        begin(&text, issuer, keys);
        come_back(&text, keys);
        read_answers(&text, issuer);
        if let Ok(Value::Object(claims)) = serde_json::from_str(&text) {
            only_the_domain_is_admitted(&issuer.sign_in_policy, &claims);
        }
    });
}

/// Whatever a visitor asks for and sends, the headers of the answer are headers.
fn begin(text: &str, issuer: &TrustedIssuer, keys: &KeySet) {
    let settings = issuer.sign_in.as_ref().unwrap();
    let request = SignInRequest::of_query(text, &SiteHosts::default());
    assert!(request.end.is_empty(), "a link ends sessions");
    assert_eq!(LocalTarget::new(request.redirect.as_str()), Some(request.redirect.clone()));
    let hints = request.hints.clone();
    let uri = settings.callback_url(SITE, "/_auth");
    let mut attempt = SignInAttempt::begin(
        settings,
        request,
        StepUp::default(),
        uri,
        [[1; 16]; 4],
        (NOW, ReturnCount::default()),
    );
    let lines = attempt.cookies(keys, SITE, text, [2; 24]);
    assert!(!lines.is_empty(), "it is not kept");
    for line in lines {
        assert!(line.starts_with("__Host-guard-sign-in-") && is_header(&line), "{line}");
        assert!(line.len() < 4096, "no browser keeps it");
    }
    let metadata = ProviderMetadata::parse(METADATA, issuer).unwrap();
    let request = authorization_request(issuer, &metadata, &attempt, &hints).unwrap();
    let url = request.url();
    assert!(url.starts_with("https://idp.example/authorize?") && is_header(&url), "{url}");
    let url = end_session_url(issuer, &metadata, Some(text), SITE).unwrap();
    assert!(url.starts_with("https://idp.example/logout?") && is_header(&url), "{url}");
    assert!(url.len() < 16 * 1024);
}

fn is_header(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Nothing opens that the guard has not sealed.
fn come_back(text: &str, keys: &KeySet) {
    let _ = FrontchannelLogout::read(text);
    match Callback::read(text) {
        Ok(callback) => {
            let found = callback.attempt("staff", keys, SITE, text);
            assert!(found.is_err(), "an attempt that nobody has begun");
            assert!(callback.clear_cookie().is_none_or(|line| is_header(&line)));
        }
        Err(failure) => {
            assert!(failure.cause().is_none_or(|cause| is_header(&cause) && cause.len() < 1000));
        }
    }
    assert_eq!(keys.open(text, ""), None);
}

fn read_answers(text: &str, issuer: &TrustedIssuer) {
    if let Ok(metadata) = ProviderMetadata::parse(text, issuer) {
        let all = [Some(metadata.authorization_endpoint), Some(metadata.token_endpoint)];
        let others = [metadata.userinfo_endpoint, metadata.end_session_endpoint, metadata.jwks_uri];
        for url in all.into_iter().chain(others).flatten() {
            let scheme = url.split(':').next().unwrap_or_default();
            assert!(matches!(&*scheme.to_ascii_lowercase(), "https" | "http"), "{url}");
            assert!(!url.contains('#') && is_header(&url), "{url}");
        }
    }
    for status in [200, 400] {
        for content_type in [None, Some("application/x-www-form-urlencoded")] {
            if let Ok(tokens) = read_token_response(issuer, status, content_type, text) {
                assert!(tokens.id_token.is_some(), "no ID token");
                let token = tokens.access_token.as_ref().map_or("", |token| token.expose());
                assert!(is_header(token) && !token.contains(' '));
            }
        }
    }
    let _ = read_user_info(200, None, text);
}

/// Who is admitted has a verified address that ends with the domain, and no other `@` in it.
fn only_the_domain_is_admitted(policy: &SignInPolicy, claims: &Map<String, Value>) {
    if policy.admit(claims).is_ok() {
        assert_eq!(claims["email_verified"], true);
        let email = claims["email"].as_str().unwrap().to_ascii_lowercase();
        assert!(email.ends_with("@example.com") && email.matches('@').count() == 1, "{email}");
    }
}

//! Where a client that was refused gets a token.

use super::*;

const METADATA: (&str, &str) =
    ("RESOURCE_METADATA", r#"{"authorization_servers": ["https://login.example"]}"#);

const RULES: &str = r#"[
    {"path": "/open", "access": "public"},
    {"path": "/mcp/*", "access": "session", "resource": true, "scopes": ["a", "b"]},
    {"path": "/crew", "access": "session", "roles": ["captain"], "scopes": ["c"]}
]"#;

fn guard() -> Guard {
    guard_with(&[METADATA, ("ROUTES", RULES)])
}

fn challenge(guard: &Guard, request: &Request) -> Option<String> {
    let headers = refusal(guard, request).headers();
    headers.into_iter().find(|(name, _)| *name == "www-authenticate").map(|(_, value)| value)
}

const SITE: &str = "https://app.example/.well-known/oauth-protected-resource";

#[test]
fn a_challenge_leads_to_the_metadata_and_says_what_scopes_are_needed() {
    let expected = format!(r#"Bearer resource_metadata="{SITE}""#);
    assert_eq!(challenge(&guard(), &request("GET", "/x?a=\"b", &[])).unwrap(), expected);
    let expected = format!(r#"Bearer scope="a b", resource_metadata="{SITE}/mcp""#);
    assert_eq!(challenge(&guard(), &request("POST", "/mcp/x", &[])).unwrap(), expected);
    let bad = [("authorization", "Bearer x.y.z")];
    let told = challenge(&guard(), &request("POST", "/mcp/x", &bad)).unwrap();
    assert!(told.starts_with(r#"Bearer error="invalid_token", error_description=""#), "{told}");
    assert!(told.ends_with(&format!(r#", scope="a b", resource_metadata="{SITE}/mcp""#)), "{told}");
}

#[test]
fn who_lacks_one_scope_is_told_all_that_are_needed_and_who_lacks_a_role_none() {
    let guard = guard();
    let refused = |missing: &str, path| {
        let refusal = Refusal::RouteDenied { scope: missing.into() };
        let headers = guard.refused(refusal, &request("GET", path, &[]), None).headers();
        headers.into_iter().find(|(name, _)| *name == "www-authenticate").unwrap().1
    };
    let expected = format!(
        r#"Bearer error="insufficient_scope", scope="a b", resource_metadata="{SITE}/mcp""#
    );
    assert_eq!(refused("b", "/mcp/x"), expected);
    let expected = format!(r#"Bearer error="insufficient_scope", resource_metadata="{SITE}""#);
    assert_eq!(refused("", "/crew"), expected);
}

#[test]
fn without_metadata_nothing_is_told_of_them_and_their_path_is_the_origins() {
    let guard = super::guard();
    assert_eq!(challenge(&guard, &request("GET", "/x", &[])).unwrap(), "Bearer");
    let asked = request("GET", "/.well-known/oauth-protected-resource", &[]);
    assert_eq!(refusal(&guard, &asked).refusal, Refusal::TokenMissing);
    let off = guard_with(&[("RESOURCE_METADATA", "off")]);
    assert_eq!(refusal(&off, &asked).refusal, Refusal::TokenMissing);
}

#[test]
fn issuers_of_access_tokens_are_the_authorization_servers() {
    let issuers = r#"[
        {"issuer": "https://login.example/", "jwks_uri": "https://login.example/jwks", "audience": "spa", "subject_prefix": "a|", "access_tokens": {"audience": "https://app.example", "session_claim": "sid"}},
        {"issuer": "https://other.example", "jwks_uri": "https://other.example/jwks", "audience": "spa", "subject_prefix": "b|"}
    ]"#;
    let asked = request("GET", "/.well-known/oauth-protected-resource", &[]);
    let told = guard_with(&[("TRUSTED_ISSUERS", issuers)]).resource_metadata(&asked).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["authorization_servers"], serde_json::json!(["https://login.example/"]));
    let off = guard_with(&[("TRUSTED_ISSUERS", issuers), ("RESOURCE_METADATA", "off")]);
    assert_eq!(off.resource_metadata(&asked), None);
}

#[rstest]
#[case::get("GET", &[], true)]
#[case::head("HEAD", &[], true)]
#[case::preflight_of_anybody("OPTIONS", &[("origin", "https://any.example"), ("access-control-request-method", "GET")], false)]
#[case::preflight_of_a_named_origin("OPTIONS", &[("origin", "https://spa.example"), ("access-control-request-method", "GET")], false)]
#[case::with_a_token("GET", &[("authorization", "Bearer x.y.z")], true)]
fn everybody_may_ask_for_metadata(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
    #[case] is_told: bool,
) {
    let origins = ("ALLOWED_ORIGINS", r#"["https://spa.example"]"#);
    let guard =
        guard_with(&[METADATA, ("ROUTES", RULES), origins, ("TOKEN_SOURCES", "bearer, body:t")]);
    let asked = request(method, "/.well-known/oauth-protected-resource/mcp?x=y", headers);
    let decision = guard.decide(&asked, NOW);
    assert!(matches!(decision, Decision::Own(Endpoint::ResourceMetadata)), "{decision:?}");
    let told = guard.resource_metadata(&asked);
    assert_eq!(told.is_some(), is_told);
    assert!(told.is_none_or(|it| it.contains(r#""resource":"https://app.example/mcp""#)));
}

#[rstest]
#[case::no_preflight("OPTIONS", &[])]
#[case::with_a_body("OPTIONS", &[("origin", "https://any.example"), ("access-control-request-method", "GET"), ("content-length", "3")])]
#[case::another_method("POST", &[("origin", "https://any.example")])]
fn other_methods_are_refused(
    #[case] method: &'static str,
    #[case] headers: &[(&'static str, &str)],
) {
    let asked = request(method, "/.well-known/oauth-protected-resource/mcp", headers);
    assert_eq!(refusal(&guard(), &asked).refusal, Refusal::MethodNotAllowed("GET, HEAD"));
}

#[rstest]
#[case("https://app.example:8443", Some("https://app.example:8443"))]
#[case("http://app.example", None)]
#[case("http://localhost:8787", Some("http://localhost:8787"))]
#[case("https://a.example, evil.example", None)]
#[case("https://a.example\"><script>", None)]
#[case("https://evil.example@app.example", None)]
fn the_metadata_are_of_the_host_that_was_asked(#[case] site: &str, #[case] resource: Option<&str>) {
    let url = format!("{site}/.well-known/oauth-protected-resource");
    let asked =
        Request { method: "GET", url, headers: vec![], body: None, recipient: Recipient::Client };
    let decision = guard().decide(&asked, NOW);
    let is_own = matches!(decision, Decision::Own(Endpoint::ResourceMetadata));
    assert_eq!(is_own, resource.is_some(), "{decision:?}");
    if let Some(resource) = resource {
        let told: serde_json::Value =
            serde_json::from_str(&guard().resource_metadata(&asked).unwrap()).unwrap();
        assert_eq!(told["resource"], resource);
    }
}

#[rstest]
#[case("/.well-known/oauth-protected-resource/")]
#[case("/.well-known/oauth-protected-resource/other")]
#[case("/.well-known/oauth-protected-resource%2Fmcp")]
#[case("/.well-known//oauth-protected-resource/mcp")]
#[case("/.WELL-KNOWN/oauth-protected-resource")]
#[case("/x/../.well-known/oauth-protected-resource")]
fn other_paths_need_what_their_rule_says(#[case] path: &str) {
    let status = refusal(&guard(), &request("GET", path, &[])).refusal.status();
    assert!(matches!(status, 400 | 401), "{status}");
}

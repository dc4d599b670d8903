use super::*;
use rstest::rstest;
use serde_json::json;

fn metadata(setting: &str) -> ResourceMetadata {
    let setting = MetadataSetting::parse(setting).unwrap();
    ResourceMetadata::new(Some(setting), std::iter::empty()).unwrap().unwrap()
}

const SERVERS: &str =
    r#"{"authorization_servers": ["https://login.example"], "name": "Harb\"our</script>"}"#;

const RULES: &str = r#"[
    {"path": "/assets/*", "access": "public"},
    {"path": "/mcp/*", "access": "session", "resource": true, "scopes": ["boats:read"]},
    {"path": "/mcp", "access": "session", "methods": ["POST"], "scopes": ["boats:read", "boats:write"], "resource": true},
    {"path": "/mcp2", "access": "session", "scopes": ["other"]},
    {"path": "/mcp-tools/crew", "access": "session", "resource": true}
]"#;

fn resources() -> ProtectedResources {
    let rules = Rules::parse(RULES).unwrap();
    ProtectedResources::new(Some(&metadata(SERVERS)), &rules, &TokenSources::default())
}

const OWN: Option<Route> = Some(Route::Own(Endpoint::ResourceMetadata));
const OTHER_METHOD: Option<Route> = Some(Route::WrongMethod("GET, HEAD"));

#[rstest]
#[case::site("GET", "", OWN)]
#[case::head("HEAD", "", OWN)]
#[case::options("OPTIONS", "/mcp", OTHER_METHOD)]
#[case::path("GET", "/mcp", OWN)]
#[case::deeper_path("GET", "/mcp-tools/crew", OWN)]
#[case::method("POST", "/mcp", OTHER_METHOD)]
#[case::method_in_lower_case("get", "", OTHER_METHOD)]
#[case::below_a_resource("GET", "/mcp/x", None)]
#[case::above_one("GET", "/mcp-tools", None)]
#[case::not_marked("GET", "/mcp2", None)]
#[case::slash("GET", "/", None)]
#[case::slash_of_a_path("GET", "/mcp/", None)]
#[case::two_slashes("GET", "//mcp", None)]
#[case::case("GET", "/MCP", None)]
#[case::encoded("GET", "%2Fmcp", None)]
#[case::longer_word("GET", "s", None)]
#[case::format("GET", ".json", None)]
fn metadata_are_at_exactly_the_paths_of_resources(
    #[case] method: &str,
    #[case] below: &str,
    #[case] route: Option<Route>,
) {
    assert_eq!(resources().route(method, &format!("{WELL_KNOWN}{below}")), route);
    let none = ProtectedResources::new(None, &Rules::default(), &TokenSources::default());
    assert_eq!(none.route(method, &format!("{WELL_KNOWN}{below}")), None);
}

fn json(path: &str) -> Value {
    let text = resources().metadata("https://app.example", &format!("{WELL_KNOWN}{path}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn metadata_name_the_resource_its_servers_and_its_scopes() {
    let site = json!({
        "resource": "https://app.example",
        "authorization_servers": ["https://login.example"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["boats:read", "boats:write", "other"],
        "resource_name": "Harb\"our</script>",
    });
    assert_eq!(json(""), site);
    let path = json("/mcp");
    assert_eq!(path["resource"], "https://app.example/mcp");
    assert_eq!(path["scopes_supported"], json!(["boats:read", "boats:write"]), "each once");
    assert_eq!(json("/mcp-tools/crew").get("scopes_supported"), None);
}

#[rstest]
#[case("bearer, cookie", &["header"])]
#[case("cookie", &[])]
#[case("query:access_token, body:access_token, bearer", &["header", "body", "query"])]
#[case("query:token, body:accessToken, header:access_token", &[])]
fn only_ways_that_the_standard_names_are_told(#[case] sources: &str, #[case] told: &[&str]) {
    assert_eq!(bearer_methods(&TokenSources::parse(sources).unwrap()), told);
}

#[rstest]
#[case("/", "")]
#[case("/boats", "")]
#[case("/mcp", "/mcp")]
#[case("/mcp/", "/mcp")]
#[case("/mcp/x/y", "/mcp")]
#[case("/mcp2", "")]
#[case("/MCP", "")]
#[case("/mcp%2Fx", "")]
#[case("/mcp;x", "")]
#[case("/mcp-tools/crew/1", "/mcp-tools/crew")]
fn a_challenge_names_the_most_specific_resource_by_its_rule(
    #[case] path: &str,
    #[case] resource: &str,
) {
    let challenge = resources().challenge("https://app.example", path, &["a", "b"]).unwrap();
    assert_eq!(challenge.metadata, format!("https://app.example{WELL_KNOWN}{resource}"));
    assert_eq!(challenge.scope, "a b");
}

#[rstest]
#[case::issuers(None, &["https://a.example/", "no-url", "https://b.example"], Some(&["https://a.example/", "https://b.example"][..]))]
#[case::no_issuer(None, &[], None)]
#[case::no_url(None, &["no-url"], None)]
#[case::off(Some("off"), &["https://a.example"], None)]
#[case::named(Some(SERVERS), &["https://a.example"], Some(&["https://login.example"][..]))]
#[case::only_a_name(Some(r#"{"name": "Harbour"}"#), &["https://a.example"], Some(&["https://a.example"][..]))]
#[case::nothing(Some("{}"), &["https://a.example"], Some(&["https://a.example"][..]))]
fn the_servers_are_named_or_those_whose_tokens_are_accepted(
    #[case] setting: Option<&str>,
    #[case] issuers: &[&str],
    #[case] servers: Option<&[&str]>,
) {
    let setting = setting.map(|text| MetadataSetting::parse(text).unwrap());
    let metadata = ResourceMetadata::new(setting, issuers.iter().copied()).unwrap();
    let found = metadata.as_ref().map(|it| it.authorization_servers.as_slice());
    assert_eq!(
        found.map(<[String]>::to_vec),
        servers.map(|all| all.iter().map(|it| (*it).to_owned()).collect())
    );
}

//! What the errors of settings say.

use super::read;
use crate::time::parse_moment;
use rstest::rstest;

#[rstest]
#[case::a_member_of_an_issuer(
    "TRUSTED_ISSUERS",
    r#"[{"issuer":"i","audience":"a","jwks_uri":"http://idp.example/jwks?key=hush"}]"#,
    r#"TRUSTED_ISSUERS[0].jwks_uri: expected an https URL, got "http://idp.example/…""#
)]
#[case::a_missing_member(
    "TRUSTED_ISSUERS",
    r#"[{"issuer":"i","jwks_uri":"https://idp.example"}]"#,
    "TRUSTED_ISSUERS[0].audience: is required"
)]
#[case::an_unknown_member(
    "TRUSTED_ISSUERS",
    r#"[{"issuer":"i","audience":"a","jwks_uri":"https://a","alg":"x"}]"#,
    "TRUSTED_ISSUERS[0].alg: unknown member; expected `issuer`, `audience`, `jwks_uri`, `algorithms`, `subject_prefix`, `claims`, `clock_tolerance`, `not_before`, `access_tokens`, `provider`, `allow`, `deny`, `trust_email`, `client_id`, `name`, `title`, `client_secret_name`, `client_authentication`, `client_assertion_audience`, `scope`, `authorization`, `endpoints`, `redirect_uri`, `pushed_authorization_requests`, `userinfo` and `frontchannel_logout`"
)]
#[case::no_json(
    "TRUSTED_ISSUERS",
    "[{",
    "TRUSTED_ISSUERS: expected a JSON list of issuers: EOF while parsing an object at line 1 column 2"
)]
#[case::no_list("ROUTES", r#"{"path":"/a"}"#, "ROUTES: expected a list of rules, got an object")]
#[case::no_object("ROUTES", r#"["/a"]"#, r#"ROUTES[0]: expected an object, got "/a""#)]
#[case::a_member_twice(
    "ROUTES",
    r#"[{"path":"/a","access":"session","access":"public"}]"#,
    "ROUTES: expected a JSON list of rules: a member stands there twice at line 1 column 41"
)]
#[case::a_choice(
    "ROUTES",
    r#"[{"path":"/a","access":"session"},{"path":"/b","access":"open"}]"#,
    r#"ROUTES[1].access: expected `public`, `optional` or `session`, got "open""#
)]
#[case::an_item_of_a_member(
    "ROUTES",
    r#"[{"path":"/a","access":"session","scopes":["a","b c"]}]"#,
    r#"ROUTES[0].scopes[1]: expected a scope, which is of visible ASCII without quotes and backslashes, got "b c""#
)]
#[case::a_flag(
    "ROUTES",
    r#"[{"path":"/a","access":"session","login":"yes"}]"#,
    r#"ROUTES[0].login: expected true or false, got "yes""#
)]
#[case::a_contradiction(
    "ROUTES",
    r#"[{"path":"/a","access":"public","roles":["x"]}]"#,
    "ROUTES[0].roles: can be set only where `access` is `session`"
)]
#[case::an_age_without_a_session(
    "ROUTES",
    r#"[{"path":"/a","access":"optional","max_age":"5 minutes"}]"#,
    "ROUTES[0].max_age: can be set only where `access` is `session`"
)]
#[case::a_short_age(
    "ROUTES",
    r#"[{"path":"/a","access":"session","max_age":"1 second"}]"#,
    r#"ROUTES[0].max_age: expected whole seconds, 10 at least, got "1 second""#
)]
#[case::a_strength(
    "ROUTES",
    r#"[{"path":"/a","access":"session","acr":["urn:mfa", "two factors"]}]"#,
    r#"ROUTES[0].acr[1]: expected a value of `acr`, in ASCII and without spaces, got "two factors""#
)]
#[case::a_rule_without_effect(
    "ROUTES",
    r#"[{"path":"/_auth/x","access":"public"}]"#,
    "ROUTES[0]: can never hold, because the guard answers there by itself"
)]
#[case::an_origin("ALLOWED_ORIGINS", r#"["https://a.example","https://b.example/path"]"#, r#"ALLOWED_ORIGINS[1]: expected an origin as browsers write it, like `https://app.example.com`, got "https://b.example/…""#)]
#[case::a_member_of_an_origin(
    "ALLOWED_ORIGINS",
    r#"[{"origin":"https://a.example","credentials":1}]"#,
    "ALLOWED_ORIGINS[0].credentials: expected true or false, got 1"
)]
#[case::an_origin_twice(
    "ALLOWED_ORIGINS",
    r#"["https://a.example","https://a.example"]"#,
    "ALLOWED_ORIGINS[1]: https://a.example is listed twice"
)]
#[case::an_item("TOKEN_SOURCES", "bearer, basic", r#"TOKEN_SOURCES[1]: expected `bearer`, `cookie`, `header:x-access-token`, `query:accessToken` or `body:accessToken`, got "basic""#)]
#[case::a_header(
    "TOKEN_SOURCES",
    "header:Cookie",
    r#"TOKEN_SOURCES[0]: expected a header that can hold a token, got "cookie""#
)]
#[case::a_duration(
    "SESSION_TTL",
    "7",
    r#"SESSION_TTL: expected a duration like `15 minutes` or `7 days`, got "7""#
)]
#[case::a_long_duration(
    "STORE_TIMEOUT",
    "2 hours",
    r#"STORE_TIMEOUT: expected a duration of at most 1 hour, got "2 hours""#
)]
#[case::a_moment(
    "NOT_BEFORE",
    "2026-11-26 12:05",
    r#"NOT_BEFORE: expected a moment like `2026-11-26T12:05:00Z`, got "2026-11-26 12:05""#
)]
#[case::a_rate("LOGIN_RATE", "10/minute", r#"LOGIN_RATE: expected `off`, or a number of attempts and a duration, like `10 per minute`, got "10/minute""#)]
#[case::a_limit("SESSION_LIMIT", "mobile=1, phone=2", r#"SESSION_LIMIT[1]: expected a whole number, or one for a class of device, like `mobile=1, desktop=2`, of `mobile`, `tablet`, `desktop`, `agent` and `other`; `0` is no limit, got "phone=2""#)]
#[case::metadata_without_a_server(
    "RESOURCE_METADATA",
    r#"{"name": "Harbour"}"#,
    "RESOURCE_METADATA: needs `authorization_servers`, because no entry of TRUSTED_ISSUERS has `access_tokens` and a URL as its `issuer`"
)]
#[case::metadata_that_are_no_object(
    "RESOURCE_METADATA",
    "on",
    "RESOURCE_METADATA: expected `off` or a JSON object like `{\"name\": \"Harbour\"}`: expected value at line 1 column 1"
)]
#[case::another_member_of_metadata(
    "RESOURCE_METADATA",
    r#"{"resource": "https://a.example"}"#,
    "RESOURCE_METADATA.resource: unknown member; expected `authorization_servers` and `name`"
)]
#[case::a_server_that_is_no_issuer(
    "RESOURCE_METADATA",
    r#"{"authorization_servers": ["https://login.example", "https://login.example/?a=b"]}"#,
    r#"RESOURCE_METADATA.authorization_servers[1]: expected an issuer's URL, which has no query, got "https://login.example/…""#
)]
#[case::a_resource_without_a_server(
    "ROUTES",
    r#"[{"path": "/mcp/*", "access": "session", "resource": true}]"#,
    "ROUTES[0].resource: needs an entry of TRUSTED_ISSUERS with `access_tokens`, or `authorization_servers` in RESOURCE_METADATA"
)]
#[case::a_resource_that_is_open(
    "ROUTES",
    r#"[{"path": "/mcp/*", "access": "optional", "resource": true}]"#,
    "ROUTES[0].resource: can be set only where `access` is `session`"
)]
#[case::a_resource_of_many_paths(
    "ROUTES",
    r#"[{"path": "/*/mcp", "access": "session", "resource": true}]"#,
    "ROUTES[0].resource: needs a `path` without `*`, but for `/*` at its end, and without another slash there"
)]
#[case::pages_that_are_no_object("PAGES", r#"["a"]"#, "PAGES: expected an object, got a list")]
#[case::another_member_of_pages(
    "PAGES",
    r##"{"color": "#fff"}"##,
    "PAGES.color: unknown member; expected `title`, `logo`, `accent`, `accent_dark`, `links`, `languages` and `words`"
)]
#[case::a_title(
    "PAGES",
    r#"{"title": " "}"#,
    r#"PAGES.title: expected a name of at most 200 bytes, in one line, got """#
)]
#[case::a_logo(
    "PAGES",
    r#"{"logo": "logo.svg"}"#,
    r#"PAGES.logo: expected a path of this site like `/logo.svg`, or an https URL, got "logo.svg""#
)]
#[case::a_colour(
    "PAGES",
    r#"{"accent": "green"}"#,
    "PAGES.accent: expected a colour like `#1f5fbf`, got \"green\""
)]
#[case::a_link("PAGES", r#"{"links": [{"text": "Help", "href": "help"}]}"#, r#"PAGES.links[0].href: expected a path of this site like `/privacy`, an https URL, or `mailto:` and an address, got "help""#)]
#[case::a_link_in_one_language(
    "PAGES",
    r#"{"languages": ["en", "de"], "links": [{"text": {"en": "Help"}, "href": "/help"}]}"#,
    "PAGES.links[0].text: lacks `de`"
)]
#[case::a_link_in_a_language_too_many(
    "PAGES",
    r#"{"languages": ["en"], "links": [{"text": {"en": "Help", "nl": "Hulp"}, "href": "/help"}]}"#,
    "PAGES.links[0].text.nl: no page is in this language"
)]
#[case::a_language_without_words(
    "PAGES",
    r#"{"languages": ["en", "nl"]}"#,
    "PAGES.languages[1]: the guard has no words in `nl`; add them as `words.nl`"
)]
#[case::a_language_twice(
    "PAGES",
    r#"{"languages": ["en", "en"]}"#,
    "PAGES.languages[1]: `en` is listed twice"
)]
#[case::no_language(
    "PAGES",
    r#"{"languages": ["english!"]}"#,
    r#"PAGES.languages[0]: expected a language like `de` or `pt-BR`, got "english!""#
)]
#[case::words_that_nobody_reads(
    "PAGES",
    r#"{"languages": ["en"], "words": {"de": {}}}"#,
    "PAGES.words.de: is not one of `languages`, so no page is in it"
)]
#[case::words_that_no_page_has(
    "PAGES",
    r#"{"words": {"de": {"devices": {"colour": "x"}}}}"#,
    "PAGES.words.de.devices.colour: unknown member; expected one of `browser_on_system`, `kinds`, `with`"
)]
#[case::a_placeholder(
    "PAGES",
    r#"{"words": {"de": {"sign_in": {"with_provider": "Mit {name}"}}}}"#,
    "PAGES.words.de.sign_in.with_provider: `{name}` stands for nothing here; expected `{provider}`"
)]
#[case::an_empty_text(
    "PAGES",
    r#"{"words": {"en": {"sign_in": {"title": ""}}}}"#,
    "PAGES.words.en.sign_in.title: is empty; leave it out"
)]
#[case::a_text_that_is_none(
    "PAGES",
    r#"{"words": {"en": {"sign_in": {"title": null}}}}"#,
    "PAGES.words.en.sign_in.title: expected a text, got null"
)]
#[case::a_direction(
    "PAGES",
    r#"{"words": {"ar": {"direction": "left"}}}"#,
    r#"PAGES.words.ar.direction: expected `ltr` or `rtl`, got "left""#
)]
#[case::one_of_a_few("MODE", "observe", r#"MODE: expected `enforce` or `monitor`, got "observe""#)]
#[case::a_url("ORIGIN_URL", "app.example.com/path", r#"ORIGIN_URL: expected an absolute URL like `https://app.example.com`, got "app.example.com/…""#)]
#[case::a_url_with_a_password(
    "ORIGIN_URL",
    "https://user:hush@app.example.com",
    "ORIGIN_URL: expected a URL without a user or a password"
)]
#[case::half_a_url_with_a_password(
    "ORIGIN_URL",
    "user:hush@app.example.com",
    "ORIGIN_URL: expected an absolute URL like `https://app.example.com`"
)]
#[case::a_secret_url(
    "EVENTS_WEBHOOK_URL",
    "http://hooks.example/hush",
    r#"EVENTS_WEBHOOK_URL: expected an https URL, got "http://hooks.example/…""#
)]
#[case::a_secret(
    "ADMIN_API_KEY",
    "hush",
    "ADMIN_API_KEY: expected at least 32 characters of visible ASCII, without spaces"
)]
#[case::a_secret(
    "EVENTS_WEBHOOK_SECRET",
    "hush",
    "EVENTS_WEBHOOK_SECRET: expected `whsec_` and the base64 of 24 to 64 random bytes"
)]
#[case::a_key(
    "SIGNING_KEYS",
    r#"{"keys":[{"kty":"oct","alg":"HS256","k":"hush"}]}"#,
    "SIGNING_KEYS.keys[0]: `k` must be at least 32 bytes for this `alg`"
)]
fn an_error_names_the_member_what_was_expected_and_what_was_found_but_no_secret(
    #[case] name: &str,
    #[case] value: &str,
    #[case] error: &str,
) {
    let errors = read(&[(name, value)]).unwrap_err();
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [error]);
    assert!(!error.contains("hush"));
}

const DOMAIN: (&str, &str) = ("COOKIE_DOMAIN", "example.com");
const HOSTS: (&str, &str) = ("SITE_HOSTS", "app.example.com, api.example.com");

#[rstest]
#[case::no_hosts(&[DOMAIN], "SITE_HOSTS: is required with COOKIE_DOMAIN")]
#[case::no_domain(&[HOSTS], "COOKIE_DOMAIN: is required with SITE_HOSTS")]
#[case::leading_dot(&[("COOKIE_DOMAIN", ".example.com"), HOSTS], "COOKIE_DOMAIN: write it without the dot in front: `example.com`")]
#[case::top_level(&[("COOKIE_DOMAIN", "localhost"), HOSTS], r#"COOKIE_DOMAIN: expected a domain with a dot, because browsers take no cookie for all of a top level, got "localhost""#)]
#[case::address(&[("COOKIE_DOMAIN", "192.0.2.1"), HOSTS], r#"COOKIE_DOMAIN: expected a domain as browsers write it, like `example.com`, got "192.0.2.1""#)]
#[case::outside(&[DOMAIN, ("SITE_HOSTS", "app.example.com, app.evilexample.com")], "SITE_HOSTS[1]: must be example.com or a host below it, or it gets no cookie")]
#[case::any(&[DOMAIN, ("SITE_HOSTS", "*.example.com")], "SITE_HOSTS[0]: must name each host: a `*` would let the pages of any subdomain use the session")]
#[case::scheme(&[DOMAIN, ("SITE_HOSTS", "https://app.example.com")], r#"SITE_HOSTS[0]: expected a host as browsers write it, like `app.example.com`, without `https://`, got "https://app.example.com""#)]
#[case::own_port(&[DOMAIN, ("SITE_HOSTS", "app.example.com:443")], "SITE_HOSTS[0]: browsers leave port 443 out; write `app.example.com`")]
#[case::twice(&[DOMAIN, ("SITE_HOSTS", "app.example.com, app.example.com")], "SITE_HOSTS[1]: app.example.com is listed twice")]
#[case::name_of_one_host(&[DOMAIN, HOSTS, ("COOKIE_NAME", "__HOST-mine")], "COOKIE_NAME: must not begin with `__Host-` beside COOKIE_DOMAIN, because browsers keep such a cookie for one host alone; `__Secure-session` is the default then")]
#[case::no_cookie(&[DOMAIN, HOSTS, ("TOKEN_SOURCES", "bearer")], "COOKIE_DOMAIN: needs `cookie` in TOKEN_SOURCES")]
#[case::named_twice(&[DOMAIN, HOSTS, ("ALLOWED_ORIGINS", r#"["https://a.example", "https://api.example.com"]"#)], "ALLOWED_ORIGINS[1]: is one of SITE_HOSTS, whose scripts may do all that by themselves")]
#[case::client(&[("CLIENT_ID", "my app")], r#"CLIENT_ID: expected visible ASCII without spaces, got "my app""#)]
fn hosts_that_could_share_no_cookie_are_an_error(
    #[case] given: &[(&str, &str)],
    #[case] error: &str,
) {
    let errors = read(given).unwrap_err();
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [error]);
}

#[test]
fn hosts_of_a_domain_share_a_cookie_that_is_no_hosts_alone() {
    let settings = read(&[DOMAIN, HOSTS]).unwrap();
    assert_eq!(settings.session_cookie.name(), "__Secure-session");
    let origins: Vec<_> = settings.allowed_origins.iter().map(|it| &*it.origin).collect();
    assert_eq!(origins, ["https://app.example.com", "https://api.example.com"]);
    assert!(settings.allowed_origins.iter().all(|it| it.credentials));
    let named = read(&[DOMAIN, HOSTS, ("COOKIE_NAME", "mine")]).unwrap();
    assert_eq!(named.session_cookie.name(), "mine");
    assert_eq!(read(&[]).unwrap().client_id, "app");
}

#[rstest]
#[case::past("2026-11-26T12:05:00Z", &[])]
#[case::as_far_ahead_as_clocks_may_be("2026-11-26T14:07:00+01:00", &[])]
#[case::further("2026-11-26T12:07:01-01:00", &["NOT_BEFORE: 2026-11-26T13:07:01Z lies in the future, so every token would be refused until then", "TRUSTED_ISSUERS[0].not_before: 2026-11-26T13:07:01Z lies in the future, so every token would be refused until then"])]
fn a_moment_since_when_tokens_are_good_must_not_lie_ahead(
    #[case] moment: &str,
    #[case] errors: &[&str],
) {
    let issuers = format!(
        r#"[{{"issuer":"i","audience":"a","jwks_uri":"https://a","not_before":"{moment}"}}]"#
    );
    let settings = read(&[("NOT_BEFORE", moment), ("TRUSTED_ISSUERS", &issuers)]).unwrap();
    let found = settings.valid_at(parse_moment("2026-11-26T13:06:00Z").unwrap()).err();
    let found: Vec<String> = found.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(found, errors);
}

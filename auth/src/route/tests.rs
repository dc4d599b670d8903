use super::*;
use rstest::rstest;

#[rstest]
#[case("https://a.example/", "/", "")]
#[case("https://a.example/b/c?d=e&f", "/b/c", "d=e&f")]
#[case("https://a.example/b?c?d", "/b", "c?d")]
#[case("https://u:p@a.example:8080//b//", "//b//", "")]
#[case("https://a.example/b%2Fc%2e?%20", "/b%2Fc%2e", "%20")]
#[case("https://a.example/b#c?d", "/b", "")]
#[case("https://a.example/https://b/", "/https://b/", "")]
fn the_target_is_taken_as_it_came(#[case] url: &str, #[case] path: &str, #[case] query: &str) {
    let target = Target::of_url(url).unwrap();
    assert_eq!((target.path(), target.query()), (path, query));
}

#[rstest]
#[case("https://a.example")]
#[case("https://a.example?b")]
#[case("/b")]
#[case("")]
fn what_has_no_path_has_no_target(#[case] url: &str) {
    assert_eq!(Target::of_url(url), None);
}

#[rstest]
#[case("/a/../b")]
#[case("/a/.")]
#[case("/a/%2e%2E/b")]
#[case("/a/.%2e")]
#[case("/%2E/")]
#[case("/a\\b")]
#[case("/a b")]
#[case("/a\tb")]
#[case("/é")]
fn a_path_that_would_be_rewritten_is_noticed(#[case] path: &str) {
    let url = format!("https://a.example{path}");
    assert!(Target::of_url(&url).unwrap().would_be_rewritten());
}

#[rstest]
#[case("/a/..b/...")]
#[case("/a//b/;c/%2f%5c/%00")]
#[case("/a?b=../..\\ ")]
fn other_paths_pass_as_they_are(#[case] path: &str) {
    let url = format!("https://a.example{path}");
    assert!(!Target::of_url(&url).unwrap().would_be_rewritten());
}

#[rstest]
#[case("GET", "/_auth/login", Route::Own(Endpoint::LoginPage))]
#[case("HEAD", "/_auth/login", Route::Own(Endpoint::LoginPage))]
#[case("POST", "/_auth/login", Route::Own(Endpoint::Login))]
#[case("DELETE", "/_auth/login", Route::WrongMethod("GET, HEAD, POST"))]
#[case("POST", "/_auth/logout", Route::Own(Endpoint::Logout))]
#[case("GET", "/_auth/sessions", Route::Own(Endpoint::Sessions))]
#[case("POST", "/_auth/sessions", Route::WrongMethod("GET, HEAD"))]
#[case("DELETE", "/_auth/sessions/abc", Route::Own(Endpoint::EndSession))]
#[case("GET", "/_auth/sessions/abc", Route::WrongMethod("DELETE"))]
#[case("DELETE", "/_auth/sessions/", Route::Unknown)]
#[case("DELETE", "/_auth/sessions/a/b", Route::Unknown)]
#[case("PATCH", "/_auth/session", Route::Own(Endpoint::SessionData))]
#[case("POST", "/_auth/refresh", Route::Own(Endpoint::Refresh))]
#[case("POST", "/_auth/backchannel-logout", Route::Own(Endpoint::BackchannelLogout))]
#[case("GET", "/_auth/backchannel-logout", Route::WrongMethod("POST"))]
#[case("POST", "/_auth/introspect", Route::Own(Endpoint::Introspect))]
#[case("GET", "/_auth/introspect", Route::WrongMethod("POST"))]
#[case("POST", "/_auth/revoke", Route::Own(Endpoint::Revoke))]
#[case("PUT", "/_auth/revoke", Route::WrongMethod("POST"))]
#[case("GET", "/_auth/logout", Route::WrongMethod("POST"))]
#[case("GET", "/_auth/session", Route::Own(Endpoint::Session))]
#[case("GET", "/_auth/health", Route::Own(Endpoint::Health))]
#[case("get", "/_auth/health", Route::WrongMethod("GET, HEAD"))]
#[case("DELETE", "/_auth/admin/users/a%2Fb/sessions", Route::Own(Endpoint::Admin))]
#[case("GET", "/_auth/admin/", Route::Own(Endpoint::Admin))]
#[case("GET", "/_auth/admin", Route::Unknown)]
#[case("GET", "/_auth/admins", Route::Unknown)]
#[case("GET", "/_auth/events", Route::Own(Endpoint::Events))]
#[case("HEAD", "/_auth/events", Route::WrongMethod("GET"))]
#[case("GET", "/_auth/client.js", Route::Own(Endpoint::Client))]
#[case("POST", "/_auth/client.js", Route::WrongMethod("GET, HEAD"))]
#[case("GET", "/_auth", Route::Unknown)]
#[case("GET", "/_auth/", Route::Unknown)]
#[case("GET", "/_auth/login/", Route::Unknown)]
#[case("GET", "/_auth/Login", Route::Unknown)]
#[case("GET", "/_auth//login", Route::Unknown)]
#[case("GET", "/_auth/%6cogin", Route::Unknown)]
#[case("GET", "/.well-known/jwks.json", Route::Own(Endpoint::KeySet))]
#[case("POST", "/.well-known/jwks.json", Route::WrongMethod("GET, HEAD"))]
#[case("GET", "/.well-known/jwks.json/", Route::Protected)]
#[case("GET", "/.well-known/security.txt", Route::Protected)]
#[case("GET", "/authors", Route::Protected)]
#[case("GET", "//_auth/login", Route::Protected)]
#[case("GET", "/AUTH/login", Route::Protected)]
#[case("GET", "/", Route::Protected)]
fn requests_are_classified(#[case] method: &str, #[case] path: &str, #[case] route: Route) {
    assert_eq!(Route::of(method, path, "/_auth"), route);
}

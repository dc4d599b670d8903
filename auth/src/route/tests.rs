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
#[case("GET", "/auth/login", Route::Own(Endpoint::LoginPage))]
#[case("HEAD", "/auth/login", Route::Own(Endpoint::LoginPage))]
#[case("POST", "/auth/login", Route::Own(Endpoint::Login))]
#[case("DELETE", "/auth/login", Route::WrongMethod("GET, HEAD, POST"))]
#[case("POST", "/auth/logout", Route::Own(Endpoint::Logout))]
#[case("GET", "/auth/sessions", Route::Own(Endpoint::Sessions))]
#[case("POST", "/auth/sessions", Route::WrongMethod("GET, HEAD"))]
#[case("DELETE", "/auth/sessions/abc", Route::Own(Endpoint::EndSession))]
#[case("GET", "/auth/sessions/abc", Route::WrongMethod("DELETE"))]
#[case("DELETE", "/auth/sessions/", Route::Unknown)]
#[case("DELETE", "/auth/sessions/a/b", Route::Unknown)]
#[case("PATCH", "/auth/session", Route::Own(Endpoint::SessionData))]
#[case("POST", "/auth/refresh", Route::Own(Endpoint::Refresh))]
#[case("POST", "/auth/backchannel-logout", Route::Own(Endpoint::BackchannelLogout))]
#[case("GET", "/auth/backchannel-logout", Route::WrongMethod("POST"))]
#[case("POST", "/auth/introspect", Route::Own(Endpoint::Introspect))]
#[case("GET", "/auth/introspect", Route::WrongMethod("POST"))]
#[case("POST", "/auth/revoke", Route::Own(Endpoint::Revoke))]
#[case("PUT", "/auth/revoke", Route::WrongMethod("POST"))]
#[case("GET", "/auth/logout", Route::WrongMethod("POST"))]
#[case("GET", "/auth/session", Route::Own(Endpoint::Session))]
#[case("GET", "/auth/health", Route::Own(Endpoint::Health))]
#[case("get", "/auth/health", Route::WrongMethod("GET, HEAD"))]
#[case("DELETE", "/auth/admin/users/a%2Fb/sessions", Route::Own(Endpoint::Admin))]
#[case("GET", "/auth/admin/", Route::Own(Endpoint::Admin))]
#[case("GET", "/auth/admin", Route::Unknown)]
#[case("GET", "/auth/admins", Route::Unknown)]
#[case("GET", "/auth/events", Route::Own(Endpoint::Events))]
#[case("HEAD", "/auth/events", Route::WrongMethod("GET"))]
#[case("GET", "/auth/client.js", Route::Own(Endpoint::Client))]
#[case("POST", "/auth/client.js", Route::WrongMethod("GET, HEAD"))]
#[case("GET", "/auth", Route::Unknown)]
#[case("GET", "/auth/", Route::Unknown)]
#[case("GET", "/auth/login/", Route::Unknown)]
#[case("GET", "/auth/Login", Route::Unknown)]
#[case("GET", "/auth//login", Route::Unknown)]
#[case("GET", "/auth/%6cogin", Route::Unknown)]
#[case("GET", "/.well-known/jwks.json", Route::Own(Endpoint::KeySet))]
#[case("POST", "/.well-known/jwks.json", Route::WrongMethod("GET, HEAD"))]
#[case("GET", "/.well-known/jwks.json/", Route::Protected)]
#[case("GET", "/.well-known/security.txt", Route::Protected)]
#[case("GET", "/authors", Route::Protected)]
#[case("GET", "//auth/login", Route::Protected)]
#[case("GET", "/AUTH/login", Route::Protected)]
#[case("GET", "/", Route::Protected)]
fn requests_are_classified(#[case] method: &str, #[case] path: &str, #[case] route: Route) {
    assert_eq!(Route::of(method, path, "/auth"), route);
}

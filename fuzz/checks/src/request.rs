use std::time::Duration;

use auth::access::{Access, PathVariants, Rules};
use auth::admin::{self, AdminRequest, NewSession, SessionTerms};
use auth::body_format::BodyFormat;
use auth::http::Target;
use auth::login::{AcceptedFields, AuthenticatedUser, LoginRequest, LoginTerms};
use auth::rate::WindowCount;
use auth::redirect::{LocalTarget, read_query};
use auth::route::Route;
use auth::secret::Secret;
use auth::session::Subject;
use auth::site_hosts::SiteHosts;
use auth::time::Timestamp;
use auth::user_index;

/// Input: parsed as a URL, a redirect, a login, an admin request, and a response of the login endpoint.
pub fn request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    url(&text);
    redirect(LocalTarget::new(&text));
    let hosts = SiteHosts::parse("app.example.com, x.localhost:8787").unwrap();
    redirect(read_query(&format!("redirect={text}"), &hosts).0);
    redirect(read_query(&text, &hosts).0);
    let accepted = AcceptedFields { id_token: true, remember: true };
    for format in [BodyFormat::Json, BodyFormat::Form] {
        if let Ok(login) = LoginRequest::parse(format, &text, accepted, &hosts) {
            redirect(login.redirect);
        }
    }
    let _ = BodyFormat::Json.texts(&text, &["a".into()]);
    crate::credential::query_token(&text);
    crate::credential::query_token(&format!("/?{text}&a={text}"));
    admin(&text);
    if let Ok(user) = AuthenticatedUser::parse(
        &text,
        LoginTerms { longest: Duration::from_secs(60), issuers: &[] },
    ) {
        assert!(!user.sub.as_str().is_empty(), "the approved user has no name");
    }
}

/// The target is part of the URL, and paths below the prefix never reach the origin.
fn url(url: &str) {
    let Some(target) = Target::of_url(url) else { return };
    assert!(url.contains(target.as_str()) && target.path().starts_with('/'));
    let route = Route::of("GET", target.path(), "/_auth");
    assert!(!target.path().starts_with("/_auth/") || route != Route::Protected);
    target.would_be_rewritten();
    paths(target.path());
}

/// The rule of every possible reading of a path applies, so no spelling of a path evades a rule.
fn paths(path: &str) {
    let rules =
        r#"[{"path":"/x/*","access":"session","roles":["x"]},{"path":"/*","access":"public"}]"#;
    let rules = Rules::parse(rules).unwrap();
    let readings = PathVariants::of(path);
    let found = rules.find("GET", path, &readings);
    let is_closed = found.admits(&Default::default()).is_err();
    for read in readings.iter() {
        assert!(read.starts_with('/'), "{read:?} is not a path");
        assert!(is_closed || !read.starts_with("/x/"), "{path:?} may be read as {read:?}");
    }
    let is_odd = path.contains("//")
        || path.contains(';')
        || path.split('%').skip(1).any(is_malformed_escape);
    assert!(!is_odd || found.access() == Access::Session, "{path:?} is public");
}

fn is_malformed_escape(after: &str) -> bool {
    !after.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A redirect never leads to another site.
fn redirect(target: Option<LocalTarget>) {
    let Some(target) = target else { return };
    let own = ["https://app.example.com", "https://x.localhost:8787", "http://x.localhost:8787"];
    let local = own.iter().find_map(|it| target.as_str().strip_prefix(it));
    let local = local.unwrap_or(target.as_str());
    assert!(local.starts_with('/') && !matches!(local.chars().nth(1), Some('/' | '\\')));
    assert!(local.bytes().all(|byte| byte.is_ascii_graphic()));
}

/// An admin request that ends sessions names a user, and no other text is accepted as the key.
fn admin(text: &str) {
    let (part, other) = text.split_once(' ').unwrap_or((text, text));
    for path in [text.to_owned(), format!("users/{part}/sessions/{other}")] {
        if let Ok(AdminRequest::EndAll(sub) | AdminRequest::End(sub, _)) =
            AdminRequest::parse("DELETE", &path)
        {
            assert!(path.starts_with("users/") && !sub.as_str().is_empty());
        }
    }
    let _ = (
        admin::page(text, 20),
        user_index::users(text),
        user_index::counts(text),
        WindowCount::read(text),
    );
    let ada = Subject::try_from("ada".to_owned()).unwrap();
    let longest = Duration::from_secs(60);
    let terms = SessionTerms { longest, issuers: &[], now: Timestamp::from_millis(0) };
    if let Ok(new) = NewSession::parse(ada.clone(), text, terms) {
        assert_eq!(new.approval.sub, ada);
        assert!(new.approval.session_ttl.is_none_or(|lifetime| lifetime <= longest));
    }
    let key = "0123456789abcdef0123456789abcdef";
    assert!(
        !admin::bears_key(text, &Secret::new(key)) || text.contains(key) || text.contains("Basic")
    );
}

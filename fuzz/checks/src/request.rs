use auth::form::Form;
use auth::login::{Approval, Attempt};
use auth::redirect::{LocalTarget, read_query};
use auth::route::{Route, Target};

/// Read as everything else a client or the login endpoint sends: a URL, a redirect, a login, an approval.
pub fn request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    url(&text);
    redirect(LocalTarget::new(&text));
    redirect(read_query(&format!("redirect={text}")).0);
    redirect(read_query(&text).0);
    let _ = Attempt::parse(Form::Json, &text, true);
    let _ = Attempt::parse(Form::Page, &text, true);
    let _ = Form::Json.texts(&text, &["a".into()]);
    crate::credential::query_token(&text);
    crate::credential::query_token(&format!("/?{text}&a={text}"));
    if let Ok(approval) = Approval::parse(&text) {
        assert!(!approval.sub.as_str().is_empty(), "nobody is approved");
    }
}

/// A target is part of its URL, and below the prefix nothing is the origin's.
fn url(url: &str) {
    let Some(target) = Target::of_url(url) else { return };
    assert!(url.contains(target.as_str()) && target.path().starts_with('/'));
    let route = Route::of("GET", target.path(), "/auth");
    assert!(!target.path().starts_with("/auth/") || route != Route::Protected);
    target.would_be_rewritten();
}

/// A redirect never leaves the site.
fn redirect(target: Option<LocalTarget>) {
    let Some(target) = target else { return };
    let second = target.as_str().chars().nth(1);
    assert!(target.as_str().starts_with('/') && !matches!(second, Some('/' | '\\')));
    assert!(target.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
}

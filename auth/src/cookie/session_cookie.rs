//! The session cookie as the browser is told to keep it (RFC 6265, section 4.1).

use std::time::Duration;

/// Browsers silently drop a cookie that is larger, name and attributes included, in bytes.
const MAX_BYTES: usize = 4096;

/// What each cookie of the guard's has. Lax, not Strict, so that a link from elsewhere does not land on the login page,
/// and the browser comes back from a provider with its attempt.
pub(crate) const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Lax";

/// The session cookie: every `Set-Cookie` of it is written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    name: String,
    domain: Option<String>,
}

/// The `Set-Cookie` lines that one change of the cookie takes, in the order in which they are to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookies(Vec<String>);

impl SetCookies {
    /// The lines as headers of a response.
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        self.0.iter().map(|line| ("set-cookie", line.as_str())).collect()
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<String> {
        self.0
    }
}

impl SessionCookie {
    /// The cookie of this name, for one host or, with a `domain`, for all hosts below it.
    pub fn new(name: String, domain: Option<String>) -> Self {
        Self { name, domain }
    }

    /// The cookie's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that the cookie has had before it was of a domain: browsers keep such a cookie, and its token is good.
    /// It counts no more.
    pub fn former_name(&self) -> Option<String> {
        let plain = self.domain.as_ref().and_then(|_| self.name.strip_prefix("__Secure-"))?;
        Some(format!("__Host-{plain}"))
    }

    /// Hands the token to the browser; `None` if no browser would keep it. Without `max_age`, the cookie ends with the
    /// browser.
    pub fn set(&self, token: &str, max_age: Option<Duration>) -> Option<SetCookies> {
        let line = self.line(token, max_age);
        (line.len() <= MAX_BYTES).then(|| self.instead(line))
    }

    /// Sets the cookie in place of one that the browser has: without room for the token, that goes, because an old
    /// token would end its session.
    pub fn renew(&self, token: &str, max_age: Option<Duration>) -> SetCookies {
        self.set(token, max_age).unwrap_or_else(|| self.clear())
    }

    /// Takes the token from the browser.
    pub fn clear(&self) -> SetCookies {
        self.instead(self.line("", Some(Duration::ZERO)))
    }

    fn line(&self, token: &str, max_age: Option<Duration>) -> String {
        let domain = self.domain.as_deref().map_or(String::new(), |it| format!("; Domain={it}"));
        let age = max_age.map_or(String::new(), |age| format!("; Max-Age={}", age.as_secs()));
        let Self { name, .. } = self;
        format!("{name}={token}; {ATTRIBUTES}{domain}{age}")
    }

    /// The line, and before it what takes away the cookie of the same name that is this host's alone: browsers keep
    /// both and send both. First, because some jars take them for one.
    fn instead(&self, line: String) -> SetCookies {
        let host_only = self.domain.as_ref().map(|_| {
            let Self { name, .. } = self;
            format!("{name}=; {ATTRIBUTES}; Max-Age=0")
        });
        SetCookies(host_only.into_iter().chain([line]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Option<Duration> = Some(Duration::from_secs(3600));

    fn of_a_host() -> SessionCookie {
        SessionCookie::new("__Host-session".into(), None)
    }

    fn of_a_domain() -> SessionCookie {
        SessionCookie::new("__Secure-session".into(), Some("example.com".into()))
    }

    #[test]
    fn a_cookie_of_one_host_names_no_domain() {
        let set = "__Host-session=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600";
        assert_eq!(of_a_host().set("abc", HOUR).unwrap().into_lines(), [set]);
        let clear = "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0";
        assert_eq!(of_a_host().clear().into_lines(), [clear]);
    }

    #[test]
    fn a_cookie_of_a_domain_takes_the_place_of_one_that_is_the_hosts_alone() {
        let host_only = "__Secure-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0";
        let attributes = "Path=/; HttpOnly; Secure; SameSite=Lax; Domain=example.com";
        let set = format!("__Secure-session=abc; {attributes}; Max-Age=3600");
        assert_eq!(of_a_domain().set("abc", HOUR).unwrap().into_lines(), [host_only, &set]);
        let clear = format!("__Secure-session=; {attributes}; Max-Age=0");
        assert_eq!(of_a_domain().clear().into_lines(), [host_only, &clear]);
    }

    #[test]
    fn a_cookie_that_ends_with_the_browser_has_no_age() {
        let set = "__Host-session=abc; Path=/; HttpOnly; Secure; SameSite=Lax";
        assert_eq!(of_a_host().set("abc", None).unwrap().into_lines(), [set]);
        let set = of_a_domain().renew("abc", None).into_lines();
        assert!(set[1].ends_with("; Domain=example.com"), "{set:?}");
    }

    #[test]
    fn a_token_for_which_there_is_no_room_clears_the_old_one() {
        for cookie in [of_a_host(), of_a_domain()] {
            let room = MAX_BYTES - cookie.line("", HOUR).len();
            assert!(cookie.set(&"a".repeat(room), HOUR).is_some());
            let too_long = "a".repeat(room + 1);
            assert_eq!(cookie.set(&too_long, HOUR), None);
            assert_eq!(cookie.renew(&too_long, HOUR), cookie.clear());
        }
    }
}

//! Does the origin have paths of its own below `AUTH_PATH`, which nobody could reach behind the guard? Monitor mode
//! and `npm run check-config` ask it.

/// `User-Agent` of the requests, so that the origin's log can tell them from people's.
pub const USER_AGENT: &str = "session-guard (looks for pages below AUTH_PATH)";

/// Paths that applications often have there.
const NAMES: [&str; 10] = [
    "",
    "/",
    "/login",
    "/logout",
    "/session",
    "/sessions",
    "/refresh",
    "/admin",
    "/events",
    "/health",
];

/// The paths to request, each by a GET without a credential.
pub fn paths(auth_path: &str) -> Vec<String> {
    NAMES.iter().map(|name| format!("{auth_path}{name}")).collect()
}

/// The warning, if the origin has something at one of [`paths`], whose `statuses` these are. `nothing` is its status
/// for a random path: some applications answer every path with their first page or a login.
pub fn warning(auth_path: &str, nothing: u16, statuses: &[u16]) -> Option<String> {
    let asked = paths(auth_path).into_iter().zip(statuses);
    let taken = asked.filter(|(_, status)| **status != nothing && is_something(**status));
    let taken: Vec<String> = taken.map(|(path, _)| path).collect();
    (!taken.is_empty()).then(|| {
        let taken = taken.join(", ");
        format!(
            "the origin has something at {taken}, which nobody can reach behind the guard; choose another AUTH_PATH"
        )
    })
}

fn is_something(status: u16) -> bool {
    status != 404 && status != 410 && status < 500
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(nothing: u16, statuses: &[u16]) -> bool {
        warning("/auth", nothing, statuses).is_some()
    }

    #[test]
    fn what_answers_in_another_way_than_nothing_is_named() {
        let warning = warning("/auth", 404, &[301, 200, 404, 410, 503, 404]).unwrap();
        assert!(
            warning.starts_with("the origin has something at /auth, /auth/, which"),
            "{warning}"
        );
    }

    #[test]
    fn an_origin_that_answers_any_path_alike_has_nothing_there() {
        assert!(!warned(200, &[200, 200]) && !warned(302, &[302, 302]));
        assert!(warned(302, &[200]) && warned(404, &[401]));
        assert!(!warned(200, &[404, 410, 500]));
    }
}

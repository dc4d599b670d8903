//! The origin's own login: which of its answers may begin, end and change sessions.

use super::{Guard, Head};
use crate::route::Route;

impl Guard {
    /// Is the origin's answer to this request obeyed, if it says whom to log in or out? Elsewhere,
    /// whoever can have the origin send a header of their choice would be anybody.
    ///
    /// # Errors
    /// The path of the rule that holds, which does not say `"login": true`.
    pub fn obeys_origin(&self, head: &impl Head) -> Result<(), &str> {
        let Ok((Route::Protected, target)) = self.classify(head) else { return Err("") };
        let (routes, method, path) = (&self.settings.routes, head.method(), target.path());
        match routes.lets_log_in(method, path) {
            true => Ok(()),
            false => Err(routes.find(method, path).rule.path()),
        }
    }
}

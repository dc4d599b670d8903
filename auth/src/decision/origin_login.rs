//! The origin's own login: which of its answers may begin, end and change sessions.

use super::Guard;
use crate::access::PathVariants;
use crate::http::Head;
use crate::route::Route;

impl Guard {
    /// Is the origin's answer to this request obeyed, if it says whom to log in or out? Elsewhere,
    /// whoever can have the origin send a header of their choice would be anybody.
    ///
    /// # Errors
    /// The path of a rule that holds and does not say `"login": true`.
    pub fn obeys_origin(&self, head: &impl Head) -> Result<(), &str> {
        let Ok((Route::Protected, target)) = self.classify(head) else { return Err("") };
        let readings = PathVariants::of(target.path());
        self.settings.routes.lets_log_in(head.method(), target.path(), &readings)
    }
}

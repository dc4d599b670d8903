//! What must hold of the core whatever comes in from outside: it is answered, never a panic, and
//! never taken for more than it is.
//!
//! Each check takes any bytes and panics if something does not hold. `tests/seeds.rs` runs them on
//! the seeds and on changes to them; the targets of `cargo fuzz` run them on what leads into new code.

mod credential;
mod request;
mod settings;
mod store_reply;
mod token;

pub use credential::credential;
pub use request::request;
pub use settings::settings;
pub use store_reply::store_reply;
pub use token::token;

/// A check of any bytes.
pub type Check = fn(&[u8]);

/// Every check, by the name of its target and its seeds.
pub const ALL: [(&str, Check); 5] = [
    ("credential", credential),
    ("request", request),
    ("settings", settings),
    ("store_reply", store_reply),
    ("token", token),
];

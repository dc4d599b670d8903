//! Properties that the core must have for any input from outside: it handles the input without a panic, and never
//! accepts what it must refuse.
//!
//! Each check takes any bytes and panics if a property does not hold. `tests/seeds.rs` runs the checks on the seeds and
//! on mutations of them; the targets of `cargo fuzz` search for inputs that reach new code.

mod credential;
mod request;
mod settings;
mod sign_in;
mod store_reply;
mod token;

pub use credential::credential;
pub use request::request;
pub use settings::settings;
pub use sign_in::sign_in;
pub use store_reply::store_reply;
pub use token::token;

/// A check, which takes any bytes.
pub type Check = fn(&[u8]);

/// All checks, by the name of their fuzz target and folder of seeds.
pub const ALL: [(&str, Check); 6] = [
    ("credential", credential),
    ("request", request),
    ("settings", settings),
    ("sign_in", sign_in),
    ("store_reply", store_reply),
    ("token", token),
];

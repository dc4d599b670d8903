//! Development tools.
//!
//! - `cargo xtask check-settings` validates the JSON object of settings on standard input.
//!   `check-settings "GET /admin/x"` explains the decision about requests.
//! - `cargo xtask check-token` reads settings, a token and the keys of its provider from standard input, and says whether
//!   the token would be accepted. `cargo xtask token-keys` says where these keys are.
//! - `cargo xtask auth-path PATH` prints the paths below `AUTH_PATH` to request from the origin; `auth-path PATH STATUS…`
//!   takes the statuses of its responses, and prints a warning if it serves one of them.
//! - `cargo xtask log-identity NAME` reads `SIGNING_KEYS` from standard input, and prints the hashes of a user
//!   or a session in the log.
//! - `cargo xtask settings-reference` writes `docs/settings.md`.

mod auth_path;
mod explain;
mod log_identity;
mod placeholders;
mod settings;
mod sign_in;
mod token_check;
mod trusted_issuers;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["check-settings", requests @ ..] => return settings::check(requests),
        ["check-token"] => return token_check::check(),
        ["token-keys"] => return token_check::print_keys_needed(),
        ["auth-path", path] => return auth_path::print_paths(path),
        ["auth-path", path, statuses @ ..] => return auth_path::print_warning(path, statuses),
        ["log-identity", name] => return log_identity::print(name),
        ["settings-reference"] => settings::write_reference()?,
        _ => bail!(
            "usage: cargo xtask check-settings [REQUEST…] | check-token | token-keys | auth-path PATH [STATUS…] \
             | log-identity NAME | settings-reference"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

//! What `AUTH_PATH` would hide of the origin, for a script that can ask it.

use std::process::ExitCode;

use anyhow::{Context, Result};
use auth::auth_path_check::{USER_AGENT, paths, warning};
use serde_json::json;

/// Prints what to ask: the `User-Agent` and the paths, as JSON.
pub fn print_paths(auth_path: &str) -> Result<ExitCode> {
    let paths = paths(auth_path);
    println!("{}", json!({ "userAgent": USER_AGENT, "paths": paths }));
    Ok(ExitCode::SUCCESS)
}

/// Prints the warning, if there is one. `statuses` are of a path that nothing can be at, then of those that were
/// printed.
pub fn print_warning(auth_path: &str, statuses: &[&str]) -> Result<ExitCode> {
    let statuses: Result<Vec<u16>, _> = statuses.iter().map(|status| status.parse()).collect();
    let statuses = statuses?;
    let (nothing, statuses) = statuses.split_first().context("a status for each path")?;
    if let Some(warning) = warning(auth_path, *nothing, statuses) {
        println!("note: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

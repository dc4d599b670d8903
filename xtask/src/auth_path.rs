//! Finds what `AUTH_PATH` hides of the origin, for a script that sends the requests.

use std::process::ExitCode;

use anyhow::{Context, Result};
use auth::auth_path_check::{USER_AGENT, paths, warning};
use serde_json::json;

/// Prints the `User-Agent` and the paths to request, as JSON.
pub fn print_paths(auth_path: &str) -> Result<ExitCode> {
    let paths = paths(auth_path);
    println!("{}", json!({ "userAgent": USER_AGENT, "paths": paths }));
    Ok(ExitCode::SUCCESS)
}

/// Prints the warning, if there is one. The first status is that of a random path, for comparison; the others are those of
/// the printed paths.
pub fn print_warning(auth_path: &str, statuses: &[&str]) -> Result<ExitCode> {
    let statuses: Result<Vec<u16>, _> = statuses.iter().map(|status| status.parse()).collect();
    let statuses = statuses?;
    let (nothing, statuses) = statuses.split_first().context("expected a status for each path")?;
    if let Some(warning) = warning(auth_path, *nothing, statuses) {
        println!("note: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

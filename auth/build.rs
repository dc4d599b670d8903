//! Leaves comments and indentation out of the Lua scripts, which are a part of every Worker, and of requests.

use std::path::Path;
use std::{env, fs, io};

const SCRIPTS: &str = "src/redis";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={SCRIPTS}");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    for file in fs::read_dir(SCRIPTS)? {
        let path = file?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension() == Some("lua".as_ref())) {
            fs::write(Path::new(&out).join(name), code(&fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

/// The lines of a script that are code.
fn code(script: &str) -> String {
    let lines = script.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

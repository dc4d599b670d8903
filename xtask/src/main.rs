//! `cargo xtask bindgen WASM OUT`: makes the JavaScript bindings of the built Worker.

use std::env;

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["bindgen", wasm, out] => bindgen(wasm, out),
        _ => bail!("usage: cargo xtask bindgen WASM OUT"),
    }
}

fn bindgen(wasm: &str, out: &str) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name("guard")
        .module(true)?
        .typescript(true)
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(out)
}

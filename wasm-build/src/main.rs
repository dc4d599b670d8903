//! Makes a Worker of cargo's wasm. Apart from `xtask`, so that the first build need not wait for the core on this machine.
//!
//! - `wasm-build bindgen WASM OUT` writes the JavaScript bindings of the built Worker.
//! - `wasm-build meter WASM OUT` writes a copy that counts the instructions it executes.
//! - `wasm-build order WASM OUT` writes a copy whose function names give the order that compresses best.

mod bindgen;
mod meter;
mod order;

use std::env;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["bindgen", wasm, out] => bindgen::write(wasm, out),
        ["meter", wasm, out] => meter::meter(wasm, out),
        ["order", wasm, out] => order::name_functions(wasm, out),
        _ => bail!("usage: wasm-build bindgen WASM OUT | meter WASM OUT | order WASM OUT"),
    }
}

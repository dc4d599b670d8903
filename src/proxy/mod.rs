//! The way of a guarded request, from its headers to the origin's response. This is the hot path: what runs here
//! runs for every request. JavaScript and Rust halves of one part stand side by side under one name.

pub mod access_log;
pub mod cors;
pub mod decision_cache;
pub mod forward;
pub mod handler;
pub mod origin_commands;
pub mod request_context;
pub mod session_check;
pub mod token_context;
pub mod url_rewrite;

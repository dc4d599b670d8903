//! The hot path: what every guarded request runs, from its headers to the origin's response. The Rust and JavaScript
//! halves of one part stand side by side under one name. JavaScript waits and forwards; Rust decides, and returns its
//! verdict as data.

pub mod access_log;
pub mod client_address;
pub mod close_with_session;
pub mod cors;
pub mod decision_cache;
pub mod forward;
pub mod forward_auth;
pub mod handler;
pub mod header_lines;
pub mod js_memo;
pub mod origin;
pub mod origin_commands;
pub mod pending_check;
pub mod renewal;
pub mod request_context;
pub mod session_check;
pub mod token_context;
pub mod url_rewrite;
pub mod verdict;

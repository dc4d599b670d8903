//! What Session Guard decides about a request, free of any platform.
//!
//! In scope: what is read of an HTTP request ([`http`]), where it may go ([`route`]), which credential
//! it carries ([`credential`]), whether its token is genuine ([`keys`], [`jwt`], [`token`]; [`issuer`],
//! [`id_token`] and [`logout_token`] for those of others, [`sign_in`] for how people get there), whether its session is live ([`session`],
//! [`ledger`], [`store`], [`redis`]), whom a path is for ([`access`], [`scopes`]), who may manage the
//! sessions of others ([`admin`], [`user_index`]), how often somebody may try to log in ([`rate`]), whose word counts about where a request comes from
//! ([`client_address`]), what
//! the client is told when the answer is no ([`refusal`]) and where it gets a token
//! ([`resource_metadata`]), what the origin is told of the user
//! ([`identity`], [`assertion`]) and whose address it sees ([`url_rewrite`]), what a proxy may ask
//! on behalf of its client ([`forward_auth`]), how the guard knows its own forms ([`form_proof`]), what they ask ([`own_sessions`]), what is reported of sessions ([`event`]), what the guard's pages say and look like ([`words`], [`page_settings`]), how much is cached ([`bounded_cache`]), and the settings that govern all this
//! ([`config`], [`secret`]). [`decision`] puts the steps in order.
//!
//! Out of scope: sockets, clocks, randomness, the Workers runtime. The present moment and random bytes
//! are arguments; a store is sent a [`store::Command`] and replies with text.
//!
//! No module imports another in a circle: the lower floor (`http`, `time`, `scopes`, `secret`) knows no
//! setting, `config` knows whatever has a setting, and `decision` knows `config`.

pub mod access;
pub mod admin;
pub mod allowed_origins;
pub mod assertion;
pub mod auth_path_check;
pub mod body_format;
pub mod bounded_cache;
pub mod client_address;
pub mod config;
pub mod cookie;
pub mod credential;
pub mod decision;
pub mod device;
pub mod event;
pub mod form_proof;
pub mod forward_auth;
pub mod http;
pub mod id_token;
pub mod identity;
pub mod issuer;
pub mod jwt;
pub mod keys;
pub mod ledger;
pub mod limit;
pub mod login;
pub mod login_notice;
pub mod logout_token;
pub mod own_sessions;
pub mod page_settings;
pub mod rate;
pub mod redirect;
pub mod redis;
pub mod refusal;
pub mod refusal_counts;
pub mod request_log;
pub mod reserved_headers;
pub mod resource_metadata;
pub mod rights;
pub mod route;
pub mod scopes;
pub mod secret;
pub mod session;
pub mod session_data;
pub mod setting_value;
pub mod sign_in;
pub mod site_hosts;
pub mod step_up;
pub mod store;
pub mod store_health;
pub mod str_eq;
mod strict_json;
pub mod time;
pub mod token;
pub mod url_rewrite;
pub mod user_index;
pub mod words;

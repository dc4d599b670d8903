//! Operations that the endpoints and the proxy share: create, end, watch and report sessions, and limit logins.

pub mod admission;
pub mod auth_path_check;
pub mod background;
pub mod create_session;
pub mod current_session;
pub mod end_sessions;
pub mod federated_login;
pub mod find_session;
pub mod issuer_keys;
pub mod issuer_session;
pub mod listeners;
pub mod login_rate;
pub mod login_url;
pub mod logout;
pub mod refresh_session;
pub mod report_ends;
pub mod session_data;
pub mod session_events;
pub mod session_view;
pub mod unconfirmed_write;
pub mod user_index;
pub mod watch_session;
pub mod webhook;

//! The guard's own endpoints: one file each.

pub mod admin;
pub mod backchannel_logout;
pub mod events;
pub mod health;
pub mod introspect;
pub mod jwks;
pub mod login;
pub mod logout;
pub mod pages;
pub mod refresh;
pub mod session;
pub mod sessions;

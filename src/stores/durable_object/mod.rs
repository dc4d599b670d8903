//! Durable Objects: `client` calls them from the Worker, `object` is their class, and each of the other files has
//! one of the things that they store.

mod client;
mod counter;
mod expiring_entry;
mod object;
mod sessions;
mod sockets;
mod storage;
mod user_index;

pub use client::{Call, ObjectStore, call_object, object_name, stub};

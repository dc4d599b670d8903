//! The commands that a session store executes, and its results.
//!
//! A command concerns one user and is one atomic step: a store either applies it whole or not
//! at all. Absence is an answer; failure is a [`StoreError`]; the two never meet.

mod command;
mod criteria;
mod moving;
mod result;
mod transfer;

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::session::digest;

pub use command::{CheckTemplate, Command, SessionSelector, UnseenSession};
pub use criteria::SessionCriteria;
pub use moving::{Pending, Place, apply_moving, carry_over, transfer_moving};
pub use result::{CommandResult, StoreError};
pub use transfer::{MOVE_REMEMBERED, Parcel, Passage, Transfer, TransferResult, UserRecords};

/// How many tombstones of one user are kept; the oldest are deleted.
pub const MAX_TOMBSTONES: usize = 20;

/// How long after its end a session is still returned by a command that would have ended it, so that the
/// end is reported even if the first response was lost. `redis/end.lua` has the same figure.
pub const REPEAT_END_EVENTS: Duration = Duration::from_secs(10 * 60);

/// The name of an entry: a short text with a lifetime, which a store keeps apart from sessions. The name is a
/// hash, so no text from a client can collide with another entry's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryName(String);

impl EntryName {
    /// The name of the entry of this kind about these texts.
    pub fn new(kind: &str, about: &[&str]) -> Self {
        Self(Base64UrlUnpadded::encode_string(&digest(&[&[kind], about].concat())))
    }

    /// The name, in the base64url alphabet.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Sid;
    use crate::time::Timestamp;

    #[rstest::rstest]
    #[case::without_an_idle_timeout("abc", None)]
    #[case::with_one("abc", Some(Duration::from_millis(10_500)))]
    #[case::with_zeros_in_it("0a0", Some(Duration::from_secs(3600)))]
    fn the_frame_of_a_check_makes_its_json(
        #[case] sid: &str,
        #[case] idle_timeout: Option<Duration>,
    ) {
        let sid = Sid::try_from(sid.to_owned()).unwrap();
        let frame = Command::check_frame(&sid, Some("j0\""), idle_timeout);
        for now in [0, 1_790_000_000_000].map(Timestamp::from_millis) {
            let (sid, jti) = (sid.clone(), Some("j0\"".to_owned()));
            let command = Command::Check { sid, jti, idle_timeout, is_use: true, now };
            assert_eq!(frame.at(now), serde_json::to_string(&command).unwrap());
        }
    }
}

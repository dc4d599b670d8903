//! What the identity headers are called: `IDENTITY_HEADERS`.

use crate::setting_value::InvalidValue;

/// A convention of names. What it has no name for is called as in `x-auth-request`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// `X-Auth-Request-User` and its kin.
    #[default]
    XAuthRequest,
    /// `X-Forwarded-User` and its kin, as oauth2-proxy names them.
    XForwarded,
    /// `Remote-User` and its kin, as Authelia names them.
    Remote,
}

/// The names of one convention.
pub(super) struct Names {
    pub user: &'static str,
    pub email: &'static str,
    pub groups: &'static str,
    /// A claim that it has one more header for: the header, and the claim.
    pub more: Option<(&'static str, &'static str)>,
}

impl Preset {
    /// Reads the setting.
    ///
    /// # Errors
    /// What it can be.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let preset = Self::ALL.into_iter().find(|preset| preset.name() == text);
        let expected = "`x-auth-request`, `x-forwarded` or `remote`";
        preset.ok_or_else(|| InvalidValue::expected(expected, text))
    }

    /// All of them. A client's headers of these names must be in
    /// [`reserved_headers`](crate::reserved_headers), which a test ensures.
    pub(super) const ALL: [Self; 3] = [Self::XAuthRequest, Self::XForwarded, Self::Remote];

    const fn name(self) -> &'static str {
        match self {
            Self::XAuthRequest => "x-auth-request",
            Self::XForwarded => "x-forwarded",
            Self::Remote => "remote",
        }
    }

    pub(super) const fn names(self) -> Names {
        match self {
            Self::XAuthRequest => Names {
                user: "X-Auth-Request-User",
                email: "X-Auth-Request-Email",
                groups: "X-Auth-Request-Groups",
                more: None,
            },
            Self::XForwarded => Names {
                user: "X-Forwarded-User",
                email: "X-Forwarded-Email",
                groups: "X-Forwarded-Groups",
                more: Some(("X-Forwarded-Preferred-Username", "preferred_username")),
            },
            Self::Remote => Names {
                user: "Remote-User",
                email: "Remote-Email",
                groups: "Remote-Groups",
                more: Some(("Remote-Name", "name")),
            },
        }
    }
}

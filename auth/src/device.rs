//! What kind of device a request comes from, so that people recognise their sessions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of device, as far as its user agent tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceClass {
    /// A phone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A desktop or laptop browser.
    Desktop,
    /// Anything else: a script, a command-line client, an application.
    Other,
}

impl DeviceClass {
    /// Classifies a `User-Agent`. It is a label for people, never a reason to let anyone in.
    ///
    /// Browsers mark phones by `Mobi`, and Android without it is a tablet; what does not claim
    /// to be Mozilla is no browser.
    pub fn of(user_agent: &str) -> Self {
        let has = |mark: &str| user_agent.contains(mark);
        if has("iPad") || has("Tablet") || (has("Android") && !has("Mobi")) {
            Self::Tablet
        } else if has("Mobi") {
            Self::Mobile
        } else if has("Mozilla/") {
            Self::Desktop
        } else {
            Self::Other
        }
    }
}

impl DeviceClass {
    /// The class of this name, as settings and records write it.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Mobile, Self::Tablet, Self::Desktop, Self::Other]
            .into_iter()
            .find(|class| class.name() == name)
    }

    /// Its name, as settings and records write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Desktop => "desktop",
            Self::Other => "other",
        }
    }
}

/// With its article, to stand in a sentence: `a phone`.
impl fmt::Display for DeviceClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mobile => "a phone",
            Self::Tablet => "a tablet",
            Self::Desktop => "a desktop browser",
            Self::Other => "another device",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1",
        DeviceClass::Mobile
    )]
    #[case(
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36",
        DeviceClass::Mobile
    )]
    #[case(
        "Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari/537.36",
        DeviceClass::Tablet
    )]
    #[case("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Mobile/15E148", DeviceClass::Tablet)]
    #[case(
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        DeviceClass::Desktop
    )]
    #[case("curl/8.5.0", DeviceClass::Other)]
    #[case("", DeviceClass::Other)]
    fn user_agents_are_sorted_into_kinds(#[case] agent: &str, #[case] class: DeviceClass) {
        assert_eq!(DeviceClass::of(agent), class);
    }
}

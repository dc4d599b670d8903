//! What kind of device a request comes from, so that people recognise their sessions.

mod name;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use name::DeviceName;

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
    /// A client that a trusted issuer's `agents` name: a program that acts for the user. No user agent makes one.
    Agent,
    /// Anything else: a script, a command-line client, an application.
    Other,
}

/// What a browser says of its device beside its `User-Agent` (User-Agent Client Hints): the values of
/// `Sec-CH-UA-Mobile`, `Sec-CH-UA-Platform` and `Sec-CH-UA-Form-Factors`. Chromium sends the first two
/// with each request.
#[derive(Clone, Debug, Default)]
pub struct ClientHints {
    /// `?1` or `?0`.
    pub mobile: Option<String>,
    /// A text, like `"Android"`.
    pub platform: Option<String>,
    /// A list of texts, like `"Tablet"`.
    pub form_factors: Option<String>,
}

/// Marks of what is no device to sit before: crawlers, and the libraries and tools that claim to be
/// Mozilla. All marks are in lower case.
const AUTOMATA: &[&str] = &[
    "bot/",
    "bot;",
    "bot)",
    "bot-",
    "crawler",
    "spider",
    "slurp",
    "facebookexternalhit",
    "mediapartners-google",
    "google-inspectiontool",
    "bingpreview",
    "windowspowershell",
];

/// Marks of televisions, consoles, headsets, watches and cars.
const APPLIANCES: &[&str] = &[
    "smarttv",
    "smart-tv",
    "smart tv",
    "hbbtv",
    "googletv",
    "google tv",
    "android tv",
    "androidtv",
    "appletv",
    "apple tv",
    "netcast",
    "web0s",
    "nettv",
    "bravia",
    "viera",
    "crkey",
    "roku",
    "; aft",
    " tv safari",
    "mitv",
    "xbox",
    "playstation",
    "nintendo",
    "oculusbrowser",
    "; quest",
    "sm-r8",
    "sm-r9",
    "sm-l3",
    "watchos",
    "wear os",
    "tesla/",
    "qtcarbrowser",
    "automotive",
];

/// Marks of tablets. Firefox says `Tablet`; Internet Explorer's `Tablet PC` is a desktop's. Browsers that
/// run on phones and tablets alone, and say `Macintosh` or `X11` there, are asked for desktop pages, which
/// is what tablets ask for by themselves.
const TABLETS: &[&str] = &[
    "ipad",
    "tablet",
    "playbook",
    "silk/",
    "kindle",
    "; sm-t",
    "; sm-x",
    "; sm-p",
    "samsung sm-t",
    "samsung sm-x",
];

const MOBILE_BROWSERS: &[&str] = &[
    "crios/",
    "fxios/",
    "edgios/",
    "opt/",
    "gsa/",
    "samsungbrowser/",
    "huaweibrowser/",
    "miuibrowser/",
    "mobile/",
];

/// Marks of phones.
const PHONES: &[&str] = &[
    "mobi",
    "iphone",
    "ipod",
    "windows phone",
    "opera mini",
    "blackberry",
    "bb10",
    "symbian",
    "kaios",
    "(phone; openharmony",
];

impl DeviceClass {
    /// Classifies a browser by what it says of itself. It is a label for people, and says which limit
    /// holds, but is never a reason to let anyone in: whoever likes can say something else.
    ///
    /// Safari on an iPad says word for word what it says on a Mac, unless its user asks for mobile pages,
    /// and sends no hints; so it counts as a desktop.
    pub fn of(user_agent: &str, hints: &ClientHints) -> Self {
        let agent = user_agent.to_ascii_lowercase();
        let has = |marks: &[&str]| marks.iter().any(|mark| agent.contains(mark));
        // Phones of the brand Cubot are no bots.
        if has(AUTOMATA) && !has(&["cubot"]) {
            return Self::Other;
        }
        if let Some(class) = hints.form_factor() {
            return class;
        }
        if has(APPLIANCES) {
            return Self::Other;
        }
        let is_browser = has(&["mozilla/", "opera/"]);
        let is_mobile = hints.mobile.as_deref() == Some("?1");
        // Chrome on an Android tablet asks for desktop pages unless told otherwise, and names another
        // system in its `User-Agent`.
        let is_in_disguise = !is_mobile && !has(&["android"]) && hints.is_android()
            || has(&["macintosh", "x11;"]) && has(MOBILE_BROWSERS);
        if has(TABLETS) && !has(&["tablet pc"]) || is_browser && is_in_disguise {
            Self::Tablet
        } else if has(PHONES) || is_mobile {
            Self::Mobile
        } else if is_browser && has(&["android"]) {
            // Android's phones say that they are mobile.
            Self::Tablet
        } else if is_browser {
            Self::Desktop
        } else {
            Self::Other
        }
    }
}

impl ClientHints {
    fn is_android(&self) -> bool {
        self.platform.as_deref().is_some_and(|platform| platform.trim_matches('"') == "Android")
    }

    /// The first of the form factors that is known.
    fn form_factor(&self) -> Option<DeviceClass> {
        let factors = self.form_factors.as_deref()?;
        let class = |factor: &str| match factor.trim().trim_matches('"') {
            "Watch" | "XR" | "Automotive" => Some(DeviceClass::Other),
            "Tablet" => Some(DeviceClass::Tablet),
            "Mobile" => Some(DeviceClass::Mobile),
            "Desktop" => Some(DeviceClass::Desktop),
            _ => None,
        };
        factors.split(',').find_map(class)
    }
}

impl DeviceClass {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Mobile, Self::Tablet, Self::Desktop, Self::Agent, Self::Other];

    /// The class of this name, as settings and records write it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Its name, as settings and records write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Desktop => "desktop",
            Self::Agent => "agent",
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
            Self::Agent => "an agent",
            Self::Other => "another device",
        })
    }
}

#[cfg(test)]
mod tests;

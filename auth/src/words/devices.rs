//! What people call a device.

use serde::Deserialize;

use super::{Section, fill};
use crate::device::{DeviceClass, DeviceName};

/// What people call a device.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// A browser on a system; has `{browser}` and `{system}`.
    browser_on_system: String,
    /// Its kind, by itself.
    kinds: ByClass,
    /// Its kind, as that with which somebody does something.
    with: ByClass,
}

/// A text for each class.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByClass {
    mobile: String,
    tablet: String,
    desktop: String,
    agent: String,
    other: String,
}

impl Section for Devices {
    const NAME: &'static str = "devices";
}

impl Devices {
    /// The browser and the system, as far as the `User-Agent` tells, or else the kind of device: `Firefox on Linux`.
    pub fn name(&self, user_agent: &str, class: DeviceClass) -> String {
        let DeviceName { browser, system } = DeviceName::of(user_agent);
        match (browser, system) {
            (Some(browser), Some(system)) => {
                fill(&self.browser_on_system, &[("browser", browser), ("system", system)])
            }
            (Some(browser), None) => browser.into(),
            (None, Some(system)) if class != DeviceClass::Agent => system.into(),
            (None, _) => self.kinds.of(class).into(),
        }
    }

    /// The kind of device: `Phone`.
    pub fn kind(&self, class: DeviceClass) -> &str {
        self.kinds.of(class)
    }

    /// The kind of device that was used: `with a phone`.
    pub fn with(&self, class: DeviceClass) -> &str {
        self.with.of(class)
    }
}

impl ByClass {
    fn of(&self, class: DeviceClass) -> &str {
        match class {
            DeviceClass::Mobile => &self.mobile,
            DeviceClass::Tablet => &self.tablet,
            DeviceClass::Desktop => &self.desktop,
            DeviceClass::Agent => &self.agent,
            DeviceClass::Other => &self.other,
        }
    }
}

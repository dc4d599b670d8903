//! What a browser and its system are called, by the `User-Agent`.

/// A browser, or another program, and its system, as far as the `User-Agent` tells. The names are brands: no language
/// translates them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceName {
    /// The browser or program.
    pub browser: Option<&'static str>,
    /// The system, or what people call a device with it.
    pub system: Option<&'static str>,
}

/// What a part of the `User-Agent` tells. The first that is there counts: most browsers name those that they resemble,
/// too, and most applications the browser that they are made of.
type Marks = &'static [(&'static str, &'static str)];

const BROWSERS: Marks = &[
    ("fban/", "Facebook"),
    ("fb_iab/", "Facebook"),
    ("instagram ", "Instagram"),
    ("micromessenger/", "WeChat"),
    (" line/", "LINE"),
    ("musical_ly", "TikTok"),
    ("bytedancewebview", "TikTok"),
    ("gsa/", "Google"),
    ("slack/", "Slack"),
    ("code/", "Visual Studio Code"),
    ("teams/", "Microsoft Teams"),
    ("electron/", "Electron"),
    ("edg/", "Edge"),
    ("edga/", "Edge"),
    ("edgios/", "Edge"),
    ("edge/", "Edge"),
    ("opr/", "Opera"),
    ("opt/", "Opera"),
    ("opios/", "Opera"),
    ("opera mini/", "Opera Mini"),
    ("opera/", "Opera"),
    ("vivaldi/", "Vivaldi"),
    ("yabrowser/", "Yandex Browser"),
    ("ddg/", "DuckDuckGo"),
    ("duckduckgo/", "DuckDuckGo"),
    ("brave/", "Brave"),
    ("samsungbrowser/", "Samsung Internet"),
    ("huaweibrowser/", "Huawei Browser"),
    ("miuibrowser/", "Mi Browser"),
    ("ucbrowser/", "UC Browser"),
    ("silk/", "Silk"),
    ("oculusbrowser/", "Meta Quest Browser"),
    ("crios/", "Chrome"),
    ("fxios/", "Firefox"),
    ("focus/", "Firefox Focus"),
    ("seamonkey/", "SeaMonkey"),
    ("firefox/", "Firefox"),
    ("headlesschrome/", "Headless Chrome"),
    ("arkweb/", "Huawei Browser"),
    ("chromium/", "Chromium"),
    ("chrome/", "Chrome"),
    ("msie ", "Internet Explorer"),
    ("trident/", "Internet Explorer"),
    ("epiphany/", "GNOME Web"),
    ("safari/", "Safari"),
    ("curl/", "curl"),
    ("wget/", "Wget"),
    ("python-requests/", "Python Requests"),
    ("python-httpx/", "Python HTTPX"),
    ("aiohttp/", "Python aiohttp"),
    ("postmanruntime/", "Postman"),
    ("insomnia/", "Insomnia"),
    ("okhttp/", "OkHttp"),
    ("dart/", "Dart"),
    ("axios/", "axios"),
    ("undici", "Node.js"),
    ("node/", "Node.js"),
    ("go-http-client/", "Go"),
    ("java/", "Java"),
    ("powershell/", "PowerShell"),
];

/// Phones and tablets first: browsers there name the system that theirs is made of, too.
const SYSTEMS: Marks = &[
    ("xbox", "Xbox"),
    ("playstation", "PlayStation"),
    ("nintendo switch", "Nintendo Switch"),
    ("web0s", "webOS TV"),
    ("tizen", "Tizen"),
    ("apple tv", "Apple TV"),
    ("appletv", "Apple TV"),
    ("watchos", "Apple Watch"),
    ("tesla/", "Tesla"),
    ("windows phone", "Windows Phone"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("ipod", "iPod"),
    ("openharmony", "HarmonyOS"),
    ("harmonyos", "HarmonyOS"),
    ("kaios/", "KaiOS"),
    ("android", "Android"),
    ("cros ", "ChromeOS"),
    ("windows", "Windows"),
    ("macintosh", "macOS"),
    ("mac os x", "macOS"),
    ("darwin/", "macOS"),
    ("freebsd", "FreeBSD"),
    ("openbsd", "OpenBSD"),
    ("linux", "Linux"),
    ("x11;", "Linux"),
];

/// Marks of the browsers of iPads that ask for a desktop's pages, and say `Macintosh`.
const IPAD_BROWSERS: [&str; 4] = ["crios/", "fxios/", "edgios/", "mobile/"];

impl DeviceName {
    /// By the `User-Agent`.
    pub fn of(user_agent: &str) -> Self {
        let agent = user_agent.to_ascii_lowercase();
        let has = |mark: &str| starts_a_word(&agent, mark);
        let named = |marks: Marks| marks.iter().find(|(mark, _)| has(mark)).map(|(_, name)| *name);
        let is_ipad = IPAD_BROWSERS.iter().any(|mark| has(mark));
        let system = named(SYSTEMS).map(|system| match system {
            "macOS" if is_ipad => "iPad",
            system => system,
        });
        // What `fetch` of Node.js sends is no more than this.
        let browser = if agent == "node" { Some("Node.js") } else { named(BROWSERS) };
        Self { browser, system }
    }
}

/// Does the text have this mark, not in the middle of a word?
fn starts_a_word(text: &str, mark: &str) -> bool {
    let is_start = |at: usize| {
        !text.as_bytes()[..at].last().is_some_and(u8::is_ascii_alphanumeric)
            || !mark.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    text.match_indices(mark).any(|(at, _)| is_start(at))
}

#[cfg(test)]
mod tests;

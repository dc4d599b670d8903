use super::*;
use rstest::rstest;

fn of(agent: &str) -> DeviceClass {
    DeviceClass::of(agent, &ClientHints::default())
}

/// As browsers, applications, tools and crawlers send them.
#[rstest]
// Phones.
#[case::safari(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)]
#[case::ipod(
    "Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1"
)]
#[case::chrome_ios(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1"
)]
#[case::firefox_ios(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15"
)]
#[case::chrome_android(
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36"
)]
#[case::firefox_android("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0")]
#[case::samsung(
    "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"
)]
#[case::huawei(
    "Mozilla/5.0 (Linux; Android 10; HarmonyOS; NOH-AN00; HMSCore 6.11.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.88 HuaweiBrowser/13.0.6.303 Mobile Safari/537.36"
)]
#[case::harmony(
    "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile"
)]
#[case::facebook_ios(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 [FBAN/FBIOS;FBAV/468.0.0.37.101;FBBV/608412853;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.5.1;FBSS/3;FBLC/en_US;FBOP/5]"
)]
#[case::facebook_android(
    "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/468.1.0.56.78;]"
)]
#[case::instagram(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 331.0.4.29.87 (iPhone15,3; iOS 17_4; en_US; en; scale=3.00; 1290x2796; 598808576)"
)]
#[case::wechat(
    "Mozilla/5.0 (Linux; Android 12; M2012K11AC Build/SKQ1.211006.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/107.0.5304.141 Mobile Safari/537.36 XWEB/5023 MMWEBSDK/20230202 MMWEBID/9516 MicroMessenger/8.0.33.2320(0x28002151) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"
)]
#[case::line(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/13.15.0"
)]
#[case::tiktok(
    "Mozilla/5.0 (Linux; Android 13; 2201117TY Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.144 Mobile Safari/537.36 trill_2023305040 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly"
)]
#[case::opera_mini(
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/191.308; U; en) Presto/2.8.119 Version/11.10"
)]
#[case::windows_phone(
    "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063"
)]
#[case::kaios("Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5")]
#[case::cubot(
    "Mozilla/5.0 (Linux; Android 8.0.0; CUBOT_P20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.110 Mobile Safari/537.36"
)]
#[case::cubot_bare(
    "Mozilla/5.0 (Linux; Android 9; CUBOT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Mobile Safari/537.36"
)]
#[case::native_ios("Members/4.2 (iPhone; iOS 17.5; Scale/3.00)")]
fn a_phone_is_one(#[case] agent: &str) {
    assert_eq!(of(agent), DeviceClass::Mobile);
}

#[rstest]
#[case::ipad(
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)]
#[case::chrome_on_ipad_as_desktop(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126 Version/11.1.1 Safari/605.1.15"
)]
#[case::firefox_on_ipad_as_desktop(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/127.0 Safari/605.1.15"
)]
#[case::web_view_on_ipad(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)]
#[case::facebook_on_ipad(
    "Mozilla/5.0 (iPad; CPU OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 [FBAN/FBIOS;FBDV/iPad13,18;FBMD/iPad;FBSN/iPadOS]"
)]
#[case::chrome_android(
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)]
#[case::firefox_android("Mozilla/5.0 (Android 13; Tablet; rv:127.0) Gecko/127.0 Firefox/127.0")]
#[case::samsung(
    "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36"
)]
#[case::samsung_as_desktop(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36"
)]
#[case::samsung_that_says_mobile(
    "Mozilla/5.0 (Linux; Android 9; SM-T510) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.91 Mobile Safari/537.36"
)]
#[case::silk(
    "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.4.1 like Chrome/120.0.6099.230 Safari/537.36"
)]
#[case::silk_as_desktop(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.4.1 like Chrome/120.0.6099.230 Safari/537.36"
)]
#[case::silk_without_android(
    "Mozilla/5.0 (Linux; U; en-us; KFTT Build/IML74K) AppleWebKit/535.19 (KHTML, like Gecko) Silk/3.21 Safari/535.19 Silk-Accelerated=true"
)]
#[case::huawei(
    "Mozilla/5.0 (Linux; Android 10; HarmonyOS; MRX-W09; HMSCore 6.9.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.88 HuaweiBrowser/13.0.1.301 Safari/537.36"
)]
#[case::harmony(
    "Mozilla/5.0 (Tablet; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile"
)]
#[case::native_ios("Members/4.2 (iPad; iPadOS 17.5; Scale/2.00)")]
fn a_tablet_is_one(#[case] agent: &str) {
    assert_eq!(of(agent), DeviceClass::Tablet);
}

#[rstest]
#[case::chrome_windows(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)]
#[case::edge(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0"
)]
#[case::firefox_linux("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
#[case::safari(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
)]
#[case::chrome_os(
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)]
#[case::opera(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0"
)]
#[case::old_opera("Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18")]
#[case::internet_explorer(
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Win64; x64; Trident/6.0; Touch; .NET4.0E; .NET4.0C; Tablet PC 2.0)"
)]
#[case::electron(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.38.125 Chrome/124.0.6367.207 Electron/30.0.6 Safari/537.36"
)]
#[case::wechat(
    "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/107.0.0.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13) XWEB/8555 Flue"
)]
#[case::harmony(
    "Mozilla/5.0 (PC; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1"
)]
#[case::samsung_for_windows(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Safari/537.36"
)]
#[case::headless(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36"
)]
fn a_desktop_is_one(#[case] agent: &str) {
    assert_eq!(of(agent), DeviceClass::Desktop);
}

#[rstest]
#[case::nothing("")]
#[case::curl("curl/8.5.0")]
#[case::python("python-requests/2.32.3")]
#[case::node("node")]
#[case::go("Go-http-client/2.0")]
#[case::okhttp("okhttp/4.12.0")]
#[case::dalvik("Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230805.001)")]
#[case::cfnetwork("Members/42 CFNetwork/1494.0.7 Darwin/23.4.0")]
#[case::postman("PostmanRuntime/7.39.0")]
#[case::powershell(
    "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4522"
)]
#[case::googlebot(
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.175 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)]
#[case::bingbot(
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36"
)]
#[case::facebook("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)")]
#[case::baidu(
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"
)]
#[case::samsung_tv(
    "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36"
)]
#[case::lg_tv(
    "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.88 Safari/537.36 WebAppManager"
)]
#[case::fire_tv(
    "Mozilla/5.0 (Linux; Android 7.1.2; AFTMM Build/NS6265; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/70.0.3538.110 Mobile Safari/537.36"
)]
#[case::chromecast(
    "Mozilla/5.0 (Linux; Android 12.0; Build/STTL.240206.002) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.19 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV"
)]
#[case::xbox(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/58.0.3029.110 Safari/537.36 Edge/16.16299"
)]
#[case::playstation(
    "Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15"
)]
#[case::switch(
    "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/606.4 (KHTML, like Gecko) NF/6.0.1.15.4 NintendoBrowser/5.1.0.20393"
)]
#[case::quest(
    "Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/33.1.0.3 Chrome/126.0.6478.36 VR Safari/537.36"
)]
#[case::watch(
    "Mozilla/5.0 (Linux; Android 11; SAMSUNG SM-R880) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36"
)]
#[case::tesla(
    "Mozilla/5.0 (X11; GNU/Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chromium/88.0.4324.150 Chrome/88.0.4324.150 Safari/537.36 Tesla/develop-2021.4.4-1032-5e8f4d8"
)]
fn anything_else_is_another_device(#[case] agent: &str) {
    assert_eq!(of(agent), DeviceClass::Other);
}

const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";

#[rstest]
#[case(Some("?1"), None, DeviceClass::Mobile)]
#[case(Some("?0"), None, DeviceClass::Desktop)]
#[case(Some("1"), None, DeviceClass::Desktop)]
#[case(Some("?0"), Some(r#""Tablet""#), DeviceClass::Tablet)]
#[case(Some("?1"), Some(r#""EInk", "Tablet""#), DeviceClass::Tablet)]
#[case(Some("?1"), Some(r#""Mobile", "XR""#), DeviceClass::Mobile)]
#[case(None, Some(r#""XR""#), DeviceClass::Other)]
#[case(None, Some(r#""Automotive""#), DeviceClass::Other)]
#[case(None, Some(r#""Watch""#), DeviceClass::Other)]
#[case(None, Some(r#""Desktop""#), DeviceClass::Desktop)]
#[case(None, Some(r#""Fridge""#), DeviceClass::Desktop)]
#[case(None, Some(""), DeviceClass::Desktop)]
fn hints_tell_more(
    #[case] mobile: Option<&str>,
    #[case] form_factors: Option<&str>,
    #[case] class: DeviceClass,
) {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let hints = ClientHints {
        mobile: owned(mobile),
        form_factors: owned(form_factors),
        ..ClientHints::default()
    };
    assert_eq!(DeviceClass::of(LINUX, &hints), class);
    assert_eq!(DeviceClass::of("Googlebot/2.1", &hints), DeviceClass::Other, "a crawler stays one");
}

#[rstest]
#[case(LINUX, Some("?0"), Some(r#""Android""#), DeviceClass::Tablet)]
#[case(LINUX, Some("?1"), Some(r#""Android""#), DeviceClass::Mobile)]
#[case(LINUX, Some("?0"), Some(r#""Linux""#), DeviceClass::Desktop)]
#[case(LINUX, Some("?0"), None, DeviceClass::Desktop)]
#[case("okhttp/4.12.0", None, Some(r#""Android""#), DeviceClass::Other)]
fn chrome_on_an_android_tablet_names_another_system(
    #[case] agent: &str,
    #[case] mobile: Option<&str>,
    #[case] platform: Option<&str>,
    #[case] class: DeviceClass,
) {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let hints =
        ClientHints { mobile: owned(mobile), platform: owned(platform), ..ClientHints::default() };
    assert_eq!(DeviceClass::of(agent, &hints), class);
}

/// Nothing tells them apart.
#[test]
fn safari_on_an_ipad_that_asks_for_desktop_pages_counts_as_a_desktop() {
    let agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15";
    assert_eq!(of(agent), DeviceClass::Desktop);
}

#[test]
fn every_class_is_found_by_its_name_and_stored_by_it() {
    use DeviceClass::{Agent, Desktop, Mobile, Other, Tablet};
    for class in [Mobile, Tablet, Desktop, Agent, Other] {
        assert_eq!(DeviceClass::named(class.name()), Some(class));
        assert_eq!(serde_json::to_value(class).unwrap(), class.name());
    }
}

use super::*;
use crate::device::DeviceClass;
use rstest::rstest;
use serde_json::json;

fn language(tag: &str) -> Language {
    Language { tag: tag.into(), is_rtl: false, overrides: serde_json::Map::new() }
}

/// Each text of a file, by the path to it.
fn texts(words: &Value, path: &str, all: &mut BTreeMap<String, String>) {
    match words {
        Value::Object(members) => {
            for (name, value) in members {
                texts(value, &format!("{path}.{name}"), all);
            }
        }
        Value::String(text) => {
            all.insert(path.to_owned(), text.clone());
        }
        other => panic!("{path} is {other}"),
    }
}

fn texts_of(file: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    texts(&crate::strict_json::value(file).unwrap(), "", &mut all);
    all
}

/// Plural categories beyond `other` differ by language.
fn is_category(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    name != "other" && plural::CATEGORIES.contains(&name)
}

#[test]
fn all_languages_say_the_same_things_with_the_same_placeholders() {
    let english = texts_of(FILES[0].1);
    assert!(english.len() > 60);
    for (name, file) in FILES {
        let all = texts_of(file);
        let paths = |all: &BTreeMap<String, String>| {
            Vec::from_iter(all.keys().filter(|path| !is_category(path)).cloned())
        };
        assert_eq!(paths(&all), paths(&english), "{name}");
        for (path, text) in &all {
            let sorted = |text: &str| {
                let mut all: Vec<String> = placeholders(text).map(str::to_owned).collect();
                all.sort();
                all
            };
            let Some(in_english) = english.get(path) else { continue };
            assert_eq!(sorted(text), sorted(in_english), "{name}{path}");
            assert!(!text.is_empty() && text.trim() == text && !text.contains('<'), "{name}{path}");
            assert!(!text.contains('\'') || name == "en", "{name}{path}: a typographic apostrophe");
        }
    }
}

/// Reads a section in all languages, and returns its name.
fn is_whole<T: Section>() -> &'static str {
    for (name, _) in FILES {
        let text = section_text(name, T::NAME).unwrap_or_default();
        if let Err(error) = serde_json::from_str::<T>(text) {
            panic!("{name}.{}: {error}", T::NAME);
        }
    }
    T::NAME
}

#[test]
fn each_section_has_its_struct_and_is_whole_in_each_language() {
    let mut read = vec![
        is_whole::<Admin>(),
        is_whole::<Common>(),
        is_whole::<Devices>(),
        is_whole::<Errors>(),
        is_whole::<Refusals>(),
        is_whole::<Sessions>(),
        is_whole::<SignIn>(),
        is_whole::<SignedOut>(),
    ];
    read.sort_unstable();
    let mut there: Vec<&str> = sections(FILES[0].1).into_keys().collect();
    there.sort_unstable();
    assert_eq!(read, there);
}

#[rstest]
#[case("Hello {name}", "Hello Ada")]
#[case("{name}{name} {missing}!", "AdaAda !")]
#[case("{device}", "{name}")]
#[case("no end {name", "no end Ada")]
fn placeholders_are_filled_in_once(#[case] text: &str, #[case] filled: &str) {
    assert_eq!(fill(text, &[("name", "Ada"), ("device", "{name}")]), filled);
}

#[rstest]
#[case::absent("", 0, "en")]
#[case::exact("de", 1, "de")]
#[case::a_variant("de-CH", 1, "de-CH")]
#[case::a_variant_of_a_variant("zh-Hant-TW", 3, "zh-Hant-TW")]
#[case::only_a_variant_is_there("pt", 2, "pt-BR")]
#[case::other_case("DE-at", 1, "DE-at")]
#[case::by_quality("en;q=0.5, de;q=0.8", 1, "de")]
#[case::by_order("pt-BR,de,en", 2, "pt-BR")]
#[case::as_chrome_sends_it("de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7", 1, "de-AT")]
#[case::not_on_offer("ja, ko;q=0.9", 0, "en")]
#[case::the_second("ja, de;q=0.1", 1, "de")]
#[case::refused("de;q=0, *", 0, "en")]
#[case::default_refused("en;q=0, *;q=0.5", 1, "de")]
#[case::all_refused("*;q=0", 0, "en")]
#[case::spaces(" de ; q=0.4 ,  pt-BR ; q=0.6 ", 2, "pt-BR")]
#[case::bad_quality("de;q=nan, pt;q=0.1", 2, "pt-BR")]
#[case::too_good("de;q=7, pt;q=0.1", 2, "pt-BR")]
#[case::not_a_quality("de;level=1, pt;q=0.1", 2, "pt-BR")]
#[case::nonsense("<script>, ../../x, ü, de_DE, d", 0, "en")]
#[case::a_prefix_is_no_match("den, d", 0, "en")]
fn the_browser_chooses_the_language(
    #[case] accept: &str,
    #[case] index: usize,
    #[case] locale: &str,
) {
    let offered = ["en", "de", "pt-BR", "zh"].map(language);
    assert_eq!(choose(accept, &offered), Chosen { index, locale: locale.into() });
}

#[test]
fn only_so_many_languages_are_looked_at() {
    let accept = format!("{}de", "ja,".repeat(MAX_LOOKED_AT));
    assert_eq!(choose(&accept, &["en", "de"].map(language)).index, 0);
}

const MAX_LOOKED_AT: usize = 32;

#[test]
fn words_of_the_settings_stand_in_place_of_the_guards_and_english_for_what_they_lack() {
    let overrides = json!({ "sign_in": { "title": "مرحبا" } });
    let arabic = Language {
        overrides: overrides.as_object().cloned().unwrap_or_default(),
        ..language("ar")
    };
    let cache = WordCache::default();
    let words = cache.section::<SignIn>(&arabic);
    assert_eq!((&*words.title, &*words.password), ("مرحبا", "Password"));
    assert!(Rc::ptr_eq(&words, &cache.section(&arabic)));
    assert_eq!(cache.section::<SignIn>(&language("de-AT")).password, "Passwort");
    assert_eq!(cache.section::<Common>(&arabic).sign_in, "Sign in");
}

#[test]
fn a_device_is_named_by_its_browser_and_system_or_else_by_its_kind() {
    let devices = WordCache::default().section::<Devices>(&language("de"));
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    assert_eq!(devices.name(firefox, DeviceClass::Desktop), "Firefox unter Linux");
    assert_eq!(devices.name("curl/8", DeviceClass::Other), "curl");
    assert_eq!(devices.name("Members (iPhone)", DeviceClass::Mobile), "iPhone");
    assert_eq!(devices.name("Members (iPhone)", DeviceClass::Agent), "Agent");
    assert_eq!(devices.name("", DeviceClass::Mobile), "Smartphone");
    assert_eq!(devices.with(DeviceClass::Tablet), "mit einem Tablet");
}

#[test]
fn a_plural_without_a_category_has_the_text_for_all_others() {
    let plural: Plural =
        serde_json::from_str(r#"{"one": "{n} boat", "other": "{n} boats"}"#).unwrap();
    assert_eq!(
        [plural.of("one"), plural.of("few"), plural.of("other")],
        ["{n} boat", "{n} boats", "{n} boats"]
    );
}

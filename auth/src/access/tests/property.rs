//! Whatever an origin reads a path as, the rule that names that is satisfied. The origins are written
//! here anew, as servers do it, and share nothing with the code under test.

use super::*;

/// How an origin reads paths: what it does, one after the other, and what makes no difference to it.
#[derive(Clone, Debug)]
struct Origin {
    steps: Vec<&'static str>,
    folds_case: bool,
    ignores_slash: bool,
}

const STEPS: [&str; 16] = [
    "decode",
    "decode, and %u",
    "decode, and overlong",
    "decode, and drop what is no UTF-8",
    "normalise full width",
    "cut parameters",
    "cut at ;",
    "cut at ?",
    "cut at #",
    "cut at nothing",
    "trim ends",
    "drop lines and tabs",
    "turn backslashes",
    "merge slashes",
    "resolve dots",
    "resolve as a reference",
];

/// Servers that there are.
fn known() -> Vec<Origin> {
    let all: [(&[&str], bool, bool); 14] = [
        (&[], false, false),
        (&["decode"], false, false),
        (&["decode", "decode"], false, true),
        (&["cut parameters", "decode", "merge slashes", "resolve dots"], false, false),
        (&["decode", "cut parameters", "resolve dots"], false, true),
        (&["resolve dots", "decode"], false, false),
        (&["merge slashes", "resolve dots", "decode", "decode"], false, false),
        (&["resolve dots", "merge slashes"], false, true),
        (
            &[
                "decode, and %u",
                "normalise full width",
                "turn backslashes",
                "trim ends",
                "resolve dots",
            ],
            true,
            true,
        ),
        (&["decode, and overlong", "cut at nothing", "resolve dots"], false, false),
        (&["decode", "cut at ?", "merge slashes"], false, true),
        (&["cut at ;", "decode", "cut at #"], true, true),
        (&["resolve as a reference", "resolve dots", "decode"], true, true),
        (
            &["decode", "drop lines and tabs", "turn backslashes", "resolve as a reference"],
            false,
            false,
        ),
    ];
    let origin = |(steps, folds_case, ignores_slash): (&[&'static str], bool, bool)| Origin {
        steps: steps.to_vec(),
        folds_case,
        ignores_slash,
    };
    all.into_iter().map(origin).collect()
}

fn origin() -> impl Strategy<Value = Origin> {
    let steps = prop::collection::vec(prop::sample::select(STEPS.to_vec()), 0..6);
    let any = (steps, any::<bool>(), any::<bool>())
        .prop_map(|(steps, folds_case, ignores_slash)| Origin { steps, folds_case, ignores_slash });
    prop_oneof![prop::sample::select(known()), any]
}

impl Origin {
    fn read(&self, path: &str) -> String {
        self.steps.iter().fold(path.to_owned(), |path, step| {
            let read = step_of(step, &path);
            if read.starts_with('/') { read } else { format!("/{read}") }
        })
    }

    fn names(&self, pattern: &str, path: &str) -> bool {
        let fold = |text: &str| if self.folds_case { text.to_lowercase() } else { text.to_owned() };
        let (pattern, path) = (fold(pattern), fold(path));
        let bare = path.strip_suffix('/').unwrap_or(&path);
        let same = [path.clone(), bare.to_owned(), format!("{bare}/")];
        let all = if self.ignores_slash { &same[..] } else { &same[..1] };
        all.iter().any(|path| is_match(pattern.as_bytes(), path.as_bytes()))
    }
}

fn is_match(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([b'*'], rest) => rest.iter().all(|byte| *byte != b'/'),
        ([b'/', b'*'], [b'/', ..]) => true,
        ([b'*', after @ ..], _) => {
            is_match(after, path)
                || path.first().is_some_and(|it| *it != b'/') && is_match(pattern, &path[1..])
        }
        ([one, after @ ..], [byte, rest @ ..]) => one == byte && is_match(after, rest),
        _ => false,
    }
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits.filter(|it| it.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).ok()
}

fn decoded(path: &str, utf_16: bool) -> Vec<u8> {
    let (bytes, mut at, mut read) = (path.as_bytes(), 0, Vec::new());
    while at < bytes.len() {
        let rest = &bytes[at..];
        if utf_16
            && rest.starts_with(b"%u")
            && let Some(unit) = hex(rest.get(2..6))
        {
            read.extend(char::from_u32(unit).unwrap_or('?').to_string().bytes());
            at += 6;
        } else if rest[0] == b'%'
            && let Some(byte) = hex(rest.get(1..3))
        {
            read.push(byte as u8);
            at += 3;
        } else {
            read.push(rest[0]);
            at += 1;
        }
    }
    read
}

fn utf_8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn segments(path: &str, read: impl Fn(&str) -> String) -> String {
    path.split('/').map(read).collect::<Vec<_>>().join("/")
}

fn step_of(step: &str, path: &str) -> String {
    match step {
        "decode" => utf_8(&decoded(path, false)),
        "decode, and %u" => utf_8(&decoded(path, true)),
        "decode, and overlong" => {
            let bytes = decoded(path, false);
            let mut read = Vec::new();
            let mut at = 0;
            while at < bytes.len() {
                let is_long = matches!(bytes[at], 0xc0 | 0xc1)
                    && bytes.get(at + 1).is_some_and(|it| it & 0xc0 == 0x80);
                match is_long {
                    true => read.push((bytes[at] & 1) << 6 | bytes[at + 1] & 0x3f),
                    false => read.push(bytes[at]),
                }
                at += if is_long { 2 } else { 1 };
            }
            utf_8(&read)
        }
        "decode, and drop what is no UTF-8" => utf_8(&decoded(path, false)).replace('\u{fffd}', ""),
        "normalise full width" => {
            let fold = |c: char| match c as u32 {
                it @ (0xff0d..=0xff0f
                | 0xff10..=0xff1b
                | 0xff21..=0xff3a
                | 0xff3c
                | 0xff41..=0xff5a) => char::from_u32(it - 0xfee0).unwrap(),
                _ => c,
            };
            path.chars().map(fold).collect()
        }
        "cut parameters" => segments(path, |it| it.split(';').next().unwrap().to_owned()),
        "cut at ;" => path.split(';').next().unwrap().to_owned(),
        "cut at ?" => path.split('?').next().unwrap().to_owned(),
        "cut at #" => path.split('#').next().unwrap().to_owned(),
        "cut at nothing" => path.split('\0').next().unwrap().to_owned(),
        "trim ends" => segments(path, |it| match it.trim_end_matches(['.', ' ']) {
            "" if it.starts_with("..") => "..".into(),
            "" if it.starts_with('.') => ".".into(),
            name => name.to_owned(),
        }),
        "drop lines and tabs" => path.replace(['\n', '\r', '\t'], ""),
        "turn backslashes" => path.replace('\\', "/"),
        "merge slashes" => {
            let parts: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
            let end = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
            format!("/{}{end}", parts.join("/"))
        }
        "resolve dots" => {
            let mut kept: Vec<&str> = Vec::new();
            let all: Vec<&str> = path[1..].split('/').collect();
            for (at, segment) in all.iter().enumerate() {
                let is_last = at + 1 == all.len();
                match *segment {
                    "." | ".." => {
                        if *segment == ".." {
                            kept.pop();
                        }
                        if is_last {
                            kept.push("");
                        }
                    }
                    name => kept.push(name),
                }
            }
            format!("/{}", kept.join("/"))
        }
        "resolve as a reference" if path.starts_with("//") => {
            let after = path.trim_start_matches('/');
            after.find('/').map_or("/", |at| &after[at..]).to_owned()
        }
        "resolve as a reference" => path.to_owned(),
        _ => unreachable!("{step}"),
    }
}

/// A character as somebody may write it who wants it to be taken for another.
fn spelled(character: char, form: u8) -> String {
    let it = character as u32;
    match form {
        0 => character.to_ascii_uppercase().to_string(),
        1 | 2 => format!("%{it:02x}"),
        3 => format!("%25{it:02X}"),
        4 => format!("%u00{it:02x}"),
        5 => format!("%uff{:02x}", it - 0x20),
        6 => format!("%c{:x}%{:02x}", it >> 6, 0x80 | it & 0x3f),
        _ => {
            let wide = char::from_u32(it + 0xfee0).unwrap().to_string();
            wide.bytes().map(|it| format!("%{it:02X}")).collect()
        }
    }
}

/// A text of which some characters are written in one of these forms.
fn written(text: String, form: u8, marks: &[bool]) -> String {
    let write = |(at, character): (usize, char)| {
        let is_chosen = marks[at % marks.len()] && (character.is_ascii_graphic());
        if is_chosen { spelled(character, form) } else { character.to_string() }
    };
    text.chars().enumerate().map(write).collect()
}

/// From one place over another to a third, in whatever spelling.
fn path() -> impl Strategy<Value = String> {
    let place =
        || prop::sample::select(vec!["admin", "hr", "eng", "open", "maybe", "x", "login", "a.css"]);
    let up = prop::sample::select(vec![
        "..", "..", "..", "..;", "..;a=b", "...", ".. ", "..\0", "..\n", "y;/../..", ".", "",
    ]);
    let end = || {
        let kinds = vec![";a=b", ".", " ", "\0", "?", "#", ";", "\n", "%ff", "%"];
        prop::option::weighted(0.2, prop::sample::select(kinds)).prop_map(Option::unwrap_or_default)
    };
    let slash = || prop::sample::select(vec!["/", "/", "/", "/", "//", "\\", "///"]);
    let last = prop::sample::select(vec!["", "/", "/x", "/admin", "/a.css"]);
    let head = (slash(), place(), end(), slash(), prop::option::of(up), slash());
    let tail = (place(), end(), last);
    let form = (0..8u8, prop::collection::vec(prop::bool::weighted(0.15), 1..24));
    (head, tail, form).prop_map(
        |((first, from, cut, slash, up, after), (to, end, last), (form, marks))| {
            let way = up.map_or(String::new(), |up| format!("{from}{cut}{slash}{up}{after}"));
            let first = first.replace('\\', "/");
            let text = written(format!("{way}{to}{end}{last}"), form, &marks);
            // What no request can hold is sent in percent-encoding.
            let sent = [" ", "\0", "?", "#", "\n", "\\"]
                .iter()
                .fold(text, |text, it| text.replace(it, &format!("%{:02x}", it.as_bytes()[0])));
            format!("{first}{sent}")
        },
    )
}

/// Rules in any order, and a last one for all the rest, or none.
fn ordered() -> impl Strategy<Value = Vec<Value>> {
    let all = vec![
        json!({ "path": "/admin/*", "access": "session", "roles": ["admin"] }),
        json!({ "path": "/hr/*", "access": "session", "roles": ["hr"], "preflight": false }),
        json!({ "path": "/eng/*", "access": "session", "scopes": ["eng"] }),
        json!({ "path": "/open/*", "access": "public" }),
        json!({ "path": "/login", "access": "public" }),
        json!({ "path": "/*.css", "access": "public" }),
        json!({ "path": "/maybe/*", "access": "optional" }),
        json!({ "path": "/", "access": "optional" }),
    ];
    let last = prop::sample::select(vec![
        vec![],
        vec![json!({ "path": "/*", "access": "public" })],
        vec![json!({ "path": "/*", "access": "session" })],
    ]);
    (Just(all).prop_shuffle(), last).prop_map(|(all, last)| [all, last].concat())
}

fn satisfies(rule: &Value, held: &[&str]) -> bool {
    let all = |name: &str| rule[name].as_array().cloned().unwrap_or_default();
    let has = |it: &Value| held.contains(&it.as_str().unwrap());
    (all("roles").is_empty() || all("roles").iter().any(has)) && all("scopes").iter().all(has)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whatever_an_origin_reads_a_path_as_the_rule_for_that_is_satisfied(
        rules in ordered(),
        path in path(),
        origins in prop::collection::vec(origin(), 8),
    ) {
        let parsed = Rules::parse(&Value::from(rules.clone()).to_string()).unwrap();
        let readings = PathVariants::of(&path);
        // Such a path is refused whoever asks.
        prop_assume!(readings != PathVariants::TooMany);
        let found = parsed.find("GET", &path, &readings);
        let unnamed = json!({ "access": "session" });
        for origin in origins.iter().chain(&known()) {
            let read = origin.read(&path);
            let names = |rule: &&Value| origin.names(rule["path"].as_str().unwrap(), &read);
            let rule = rules.iter().find(names).unwrap_or(&unnamed);
            let access = match rule["access"].as_str().unwrap() {
                "public" => Access::Public,
                "optional" => Access::Optional,
                _ => Access::Session,
            };
            prop_assert!(found.access() >= access, "{path} read as {read} by {origin:?}: {rule}");
            for held in [&[][..], &["hr"], &["eng"], &["admin"], &["hr", "eng"]] {
                let claims = json!({ "roles": held, "scope": held.join(" ") });
                let passes = found.admits(claims.as_object().unwrap()).is_ok();
                let may = satisfies(rule, held);
                prop_assert!(!passes || may, "{path} read as {read} by {origin:?} with {held:?}: {rule}");
            }
            let passes = parsed.lets_preflight("GET", &path, &readings);
            let may = rule["preflight"] != json!(false);
            prop_assert!(!passes || may, "a preflight of {path} read as {read} by {origin:?}: {rule}");
        }
    }
}

//! Who a login says it is: by which fields, and in which spelling.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// The fields of a login that may say who logs in, in lower case, without what is neither a letter nor
/// a digit. Each one that is there is counted: which of them the origin reads, is the origin's matter.
pub const FIELDS: [&str; 24] = [
    "email",
    "emailaddress",
    "emailorusername",
    "identifier",
    "jusername",
    "log",
    "login",
    "loginemail",
    "loginid",
    "loginname",
    "mail",
    "name",
    "osusername",
    "phone",
    "phonenumber",
    "uid",
    "uname",
    "upn",
    "user",
    "useremail",
    "userid",
    "userlogin",
    "username",
    "usernameoremail",
];

/// The users that these fields name, each once, in one spelling.
///
/// # Errors
/// What is wrong with a name, for the client.
pub fn users(
    fields: &Map<String, Value>,
    fold: impl Fn(&str) -> String,
) -> Result<Vec<String>, &'static str> {
    let mut users = Vec::new();
    for (_, value) in fields.iter().filter(|(name, _)| names_user(name, &fold)) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => Cow::Borrowed(&**text),
            Value::Number(number) => Cow::Owned(digits(number)),
            _ => return Err("Send the user's name as a text."),
        };
        let user = spelling(&text, &fold);
        // A field that was left empty names nobody, and is not to be everybody's.
        if !user.is_empty() && !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// Does a field of this name say who logs in: `username`, `User-Name`, or `session[username]`, as
/// frameworks name the fields of their forms?
fn names_user(name: &str, fold: &impl Fn(&str) -> String) -> bool {
    let name = folded(name, fold);
    let of = |text: &str| text.chars().filter(|c| is_of_a_word(*c)).collect::<String>();
    let last = name.rsplit(['[', ']', '.', ':', '$', '/']).find(|part| !part.is_empty());
    [Some(&*name), last].into_iter().flatten().any(|text| FIELDS.contains(&&*of(text)))
}

/// Is this a letter or a digit? The standard library's table weighs 2 KB; of the rest of Unicode, this knows the
/// blocks of punctuation and symbols that may stand between words.
fn is_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || !matches!(c, '\0'..='\u{bf}' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{303f}')
}

/// One spelling of a name: what databases take for the same beyond Unicode's decompositions is made
/// the same, too, and so is the space around it.
fn spelling(name: &str, fold: &impl Fn(&str) -> String) -> String {
    let folded = folded(name, fold);
    let mut spelling = String::with_capacity(folded.len());
    for letter in folded.trim().chars() {
        match letter {
            'æ' => spelling.push_str("ae"),
            'œ' => spelling.push_str("oe"),
            'ð' | 'đ' => spelling.push('d'),
            'ħ' => spelling.push('h'),
            'ł' => spelling.push('l'),
            'ø' => spelling.push('o'),
            'ŧ' => spelling.push('t'),
            // Katakana as hiragana.
            'ァ'..='ヶ' => spelling.extend(char::from_u32(u32::from(letter) - 0x60)),
            letter => spelling.push(letter),
        }
    }
    spelling
}

fn folded(text: &str, fold: &impl Fn(&str) -> String) -> String {
    match text.is_ascii() {
        true => text.chars().filter(|c| !c.is_control()).map(|c| c.to_ascii_lowercase()).collect(),
        false => fold(text),
    }
}

/// A number as its digits: `7` and `7.0` are one.
fn digits(number: &Number) -> String {
    const MOST: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(whole) if whole % 1.0 == 0.0 && whole.abs() < MOST => (whole as i64).to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests;

//! Computes the hashes by which the log names users and sessions.

use std::io;
use std::process::ExitCode;

use anyhow::Result;
use auth::keys::KeySet;

/// Reads `SIGNING_KEYS` from standard input, and prints the hash of a user or a session: a line for each key that can
/// sign, the current signing key first.
pub fn print(name: &str) -> Result<ExitCode> {
    Ok(match lines(&io::read_to_string(io::stdin())?, name) {
        Ok(lines) => {
            print!("{lines}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("error: SIGNING_KEYS{reason}");
            ExitCode::FAILURE
        }
    })
}

fn lines(keys: &str, name: &str) -> Result<String, String> {
    let keys = KeySet::parse(keys).map_err(|error| format!("{}: {}", error.path, error.reason))?;
    Ok(keys.log_keys().map(|(kid, key)| format!("{} {kid}\n", key.pseudonym(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn each_key_that_can_sign_has_a_line() {
        let key = |kid: &str| {
            let k = format!("{kid}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
            format!(r#"{{"kty":"oct","alg":"HS256","kid":"{kid}","k":"{k}"}}"#)
        };
        let found = lines(&format!(r#"{{"keys":[{},{}]}}"#, key("A"), key("B")), "m-001").unwrap();
        let found: Vec<_> = found.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!([found[0].1, found[1].1], ["A", "B"]);
        assert!(found[0].0 != found[1].0 && found.iter().all(|(hash, _)| hash.len() == 32));
        assert!(lines("{}", "m-001").unwrap_err().starts_with(": expected a JWK Set"));
    }
}

//! Shortens the names of imports and exports between wasm and its JavaScript bindings. wasm-bindgen's names end in hashes,
//! which do not compress, and occur in both files.

use std::collections::HashMap;

use anyhow::{Context, Result};
use walrus::Module;

/// The module name of the functions that wasm-bindgen writes for wasm to import.
const GLUE: &str = "./guard_bg.js";

/// The prefix of wasm exports in the bindings.
const EXPORTS: &str = "wasm.";

/// The indentation of the functions in [`GLUE`].
const INDENT: &str = "        ";

/// The short name for each original name.
pub struct ShortNames {
    modules: HashMap<String, String>,
    imports: HashMap<String, String>,
    exports: HashMap<String, String>,
}

/// Shortens the names in a wasm module.
pub fn shorten(module: &mut Module) -> ShortNames {
    let imports = module.imports.iter_mut().filter(|import| import.module == GLUE);
    let imports = imports.map(|import| &mut import.name).enumerate().map(replace).collect();
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let exports = exports.enumerate().map(replace).collect();
    ShortNames { modules: shorten_modules(module), imports, exports }
}

/// Shortens the names of the modules that wasm imports from.
fn shorten_modules(module: &mut Module) -> HashMap<String, String> {
    let mut modules = HashMap::new();
    for import in module.imports.iter_mut() {
        let new = short(modules.len());
        import.module.clone_from(modules.entry(import.module.clone()).or_insert(new));
    }
    modules
}

/// Replaces a name, and returns the old and the new one.
fn replace((index, name): (usize, &mut String)) -> (String, String) {
    let new = short(index);
    (std::mem::replace(name, new.clone()), new)
}

/// The name with this index: `a` to `z`, then `aa`, `ba` and so on.
fn short(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        rest => format!("{letter}{}", short(rest - 1)),
    }
}

impl ShortNames {
    /// Puts the short names into the bindings, and removes functions that wasm does not import.
    ///
    /// # Errors
    /// The bindings do not have the expected format.
    pub fn shorten_in(&self, script: &str) -> Result<String> {
        let (before, rest) =
            script.split_once("const import0 = {\n").context("imports not found")?;
        let (functions, after) =
            rest.split_once("\n    };\n").context("end of imports not found")?;
        let functions = self.import(functions)?;
        let after = self.modules.iter().fold(after.to_owned(), |after, (module, name)| {
            after.replace(&format!("\"{module}\": import"), &format!("{name}: import"))
        });
        self.export(&format!("{before}const import0 = {{\n{functions}    }};\n{after}"))
    }

    fn import(&self, functions: &str) -> Result<String> {
        let (mut kept, mut count, mut is_kept) = (String::new(), 0, false);
        for line in functions.lines() {
            let member = line.strip_prefix(INDENT).filter(|it| it.starts_with(is_word));
            let Some((name, value)) = member.and_then(|it| it.split_once(": ")) else {
                kept.extend(is_kept.then(|| format!("{line}\n")));
                continue;
            };
            let name = if name == "__proto__" {
                Some(name)
            } else {
                self.imports.get(name).map(String::as_str)
            };
            is_kept = name.is_some();
            kept.extend(name.map(|name| format!("{INDENT}{name}: {value}\n")));
            count += usize::from(is_kept);
        }
        (count == self.imports.len() + 1).then_some(kept).context("an import of wasm is missing")
    }

    fn export(&self, script: &str) -> Result<String> {
        let mut parts = script.split(EXPORTS);
        let mut renamed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_at(part.find(|it| !is_word(it)).unwrap_or(part.len()));
            // An export that was removed may still be named in functions that the bundler drops.
            let name = self.exports.get(name).map_or(name, String::as_str);
            renamed.extend([EXPORTS, name, rest]);
        }
        Ok(renamed)
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$')
}

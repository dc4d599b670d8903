//! Writes the JavaScript bindings of the built Worker, without unused classes of the `worker` crate.

mod names;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use walrus::passes;
use wasm_bindgen_cli_support::Bindgen;

/// Classes that `worker` and `wasm-streams` always export. An export keeps all code that it calls in the module.
const UNUSED: [&str; 6] = [
    "ContainerStartupOptions",
    "IntoUnderlyingByteSource",
    "IntoUnderlyingSink",
    "IntoUnderlyingSource",
    "MinifyConfig",
    "R2Range",
];

/// Writes the bindings and the wasm that belongs to them.
pub fn write(wasm: &str, out: &str) -> Result<()> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .out_name("guard")
        .module(true)?
        .typescript(true)
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate_output()?;
    let exports = &mut output.wasm_mut().exports;
    let unused = exports.iter().filter(|export| is_unused(&export.name));
    let unused: Vec<_> = unused.map(walrus::Export::id).collect();
    unused.into_iter().for_each(|export| exports.delete(export));
    passes::gc::run(output.wasm_mut());
    let names = names::shorten(output.wasm_mut());
    output.emit(out)?;
    let file = Path::new(out).join("guard.js");
    let mut script = fs::read_to_string(&file)?;
    for class in UNUSED {
        script = without_class(&script, class)
            .with_context(|| format!("{class} is used, or no longer exported"))?;
    }
    Ok(fs::write(&file, names.shorten_in(&script)?)?)
}

/// Is an export a method or a member of an unused class?
fn is_unused(export: &str) -> bool {
    let own = export.strip_prefix("__wbg_").unwrap_or(export);
    let own = own.strip_prefix("get_").or(own.strip_prefix("set_")).unwrap_or(own);
    let is_of = |class: &str| own.split('_').next() == Some(class.to_lowercase().as_str());
    export == "__worker_init_state" || UNUSED.iter().any(|class| is_of(class))
}

/// Removes a class from a script; `None` if the script lacks the class or also uses it elsewhere.
fn without_class(script: &str, class: &str) -> Option<String> {
    let registry = format!("const {class}Finalization = ");
    let last = format!(
        "\nif (Symbol.dispose) {class}.prototype[Symbol.dispose] = {class}.prototype.free;\n"
    );
    let exported = format!("\nexport class {class} {{\n");
    let start = if script.contains(&exported) { exported } else { format!("\nclass {class} {{\n") };
    let script = without(&without(script, &start, &last)?, &registry, "\n});\n")?;
    (!script.contains(class)).then_some(script)
}

/// Removes the section from `start` to `end`.
fn without(text: &str, start: &str, end: &str) -> Option<String> {
    let (before, rest) = text.split_once(start)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{is_unused, without_class};

    #[test]
    fn only_members_of_unused_classes_are_unused() {
        for unused in ["minifyconfig_new", "__wbg_minifyconfig_free", "__wbg_get_minifyconfig_css"]
        {
            assert!(is_unused(unused), "{unused}");
        }
        for used in ["fetch", "__wbg_cachedplan_free", "minify", "__wbg_set_wasm"] {
            assert!(!is_unused(used), "{used}");
        }
    }

    #[test]
    fn a_class_is_removed_with_its_registry_unless_it_is_used_elsewhere() {
        let class = "\nexport class R2Range {\n    free() {}\n}\nif (Symbol.dispose) R2Range.prototype[Symbol.dispose] = R2Range.prototype.free;\n";
        let registry = "const R2RangeFinalization = new FinalizationRegistry((ptr) => {\n    free(ptr);\n});\n";
        let script = format!("before{class}between\n{registry}after");
        assert_eq!(without_class(&script, "R2Range").unwrap(), "beforebetween\nafter");
        assert_eq!(without_class(&format!("{script}R2Range"), "R2Range"), None);
        assert_eq!(without_class(&script, "MinifyConfig"), None);
    }
}

//! Rules of the house that no compiler checks: layers, sizes, and what may not be written at all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

/// Modules and their layers, the lowest first; ARCHITECTURE.md says what each is for. The longest name wins.
const LAYERS: &[(&str, u8)] = &[
    ("location", 0),
    ("value", 0),
    ("clock", 0),
    ("jsonl", 0),
    ("parser", 1),
    ("engine", 1),
    ("outcome", 1),
    ("executor", 2),
    ("event", 3),
    ("text", 3),
    ("executor::parallel", 4),
    ("results", 4),
    ("monitor", 4),
    ("expectations", 5),
    ("results::ask", 5),
    ("regression", 5),
    ("analysis", 5),
    ("report", 6),
    ("cli", 7),
];

/// Uses within one layer: outcomes carry the errors of parser and engine.
const WITHIN_A_LAYER: &[(&str, &str)] = &[("outcome", "parser"), ("outcome", "engine")];

/// Uses that stand out of the order, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    // The engine registry is vocabulary, and each adapter is a child of `engine`.
    ("engine", "engine"),
];

/// Lines of a source file in front of its tests.
const MOST_LINES: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The module that a file below `src` is, as `a::b`.
fn module_of(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let parts: Vec<_> = parts.into_iter().filter(|part| part != "mod").collect();
    parts.join("::")
}

fn layer_of(module: &str) -> Option<(&'static str, u8)> {
    let within = |name: &str| module == name || module.starts_with(&format!("{name}::"));
    LAYERS.iter().filter(|(name, _)| within(name)).max_by_key(|(name, _)| name.len()).copied()
}

/// The modules that a line of code names by `crate::`; braces are taken apart.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let path: String = rest.chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
        let group =
            rest[path.len()..].strip_prefix('{').map(|group| group.split('}').next().unwrap_or(group));
        match group {
            Some(names) => found.extend(names.split(',').map(|name| format!("{path}{}", name.trim()))),
            None => found.push(path),
        }
    }
    found
}

/// The code of a file without its comments.
fn code_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn modules_use_lower_layers_only() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in rust_files(&root().join("src")) {
        let module = module_of(&path);
        if module == "lib" || module.starts_with("bin::") {
            continue;
        }
        let (name, layer) = layer_of(&module).unwrap_or_else(|| panic!("`{module}` has no layer"));
        for used in uses(&code_of(&path)) {
            let Some((used_name, used_layer)) = layer_of(&used) else { continue };
            seen += 1;
            let pair = (name, used_name);
            let allowed = used_layer < layer
                || name == used_name
                || WITHIN_A_LAYER.contains(&pair)
                || EXCEPTIONS.contains(&pair);
            if !allowed {
                wrong.push(format!("{module} (layer {layer}) uses {used} (layer {used_layer})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 50, "the reader of `use` lines found only {seen}");
}

#[test]
fn files_have_one_job() {
    let mut long = Vec::new();
    for folder in ["src", "tests"] {
        for path in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
            if lines > MOST_LINES {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn nothing_is_switched_off_or_left_open() {
    // Written apart, so that this file does not find itself.
    let forbidden = [
        ["#[", "allow("].concat(),
        ["#[", "ignore"].concat(),
        ["#[", "should_panic"].concat(),
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
        ["dbg", "!("].concat(),
        ["assert!(", "true"].concat(),
    ];
    let mut found = Vec::new();
    for folder in ["src", "tests", "examples"] {
        for path in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                if forbidden.iter().any(|word| line.contains(word.as_str())) {
                    found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn modules_say_what_they_are_for() {
    let undocumented: Vec<_> = rust_files(&root().join("src"))
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(undocumented.is_empty(), "{undocumented:#?}");
}

#[test]
fn the_documents_name_every_command_and_exit_code() {
    let repository = root().join("../..");
    // A package taken from a registry has no repository around it.
    let Ok(readme) = std::fs::read_to_string(repository.join("README.md")) else { return };
    let codes = std::fs::read_to_string(repository.join("docs/exit-codes.md")).unwrap();
    for command in [
        "test",
        "run",
        "list",
        "engines",
        "worker",
        "status",
        "compare",
        "flaky",
        "bisect",
        "runs",
        "show",
        "report",
        "query",
        "analyze",
        "punchlist",
        "ledger",
        "prune",
        "import",
        "export",
        "merge",
        "backup",
        "config",
        "completions",
        "man",
    ] {
        assert!(readme.contains(&format!("vibesql-sqllogictest {command}")), "README.md: {command}");
    }
    for code in ["0", "1", "2", "3", "4", "5", "6", "70"] {
        assert!(codes.contains(&format!("| {code} |")), "docs/exit-codes.md: {code}");
    }
    let architecture = std::fs::read_to_string(repository.join("ARCHITECTURE.md")).unwrap();
    for (module, _) in LAYERS {
        assert!(architecture.contains(&format!("`{module}`")), "ARCHITECTURE.md: {module}");
    }
}

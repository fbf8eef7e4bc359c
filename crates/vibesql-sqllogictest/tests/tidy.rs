//! Rules of the house that no compiler checks: layers, sizes, and what may not be written at all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

/// The modules of each crate, the lowest first; a module uses only those of earlier groups. The compiler keeps the order
/// of the crates. ARCHITECTURE.md says what each module is for.
const LAYERS: &[(&str, &[&[&str]])] = &[
    ("core", &[&["clock", "location", "value"], &["parser", "engine"], &["outcome"], &["executor"]]),
    ("runner", &[&["atomic_file", "clock", "jsonl", "wire"], &["event", "text"], &["parallel", "results"]]),
    ("insight", &[&["analysis", "expectations", "regression"], &["report"]]),
    ("vibesql-sqllogictest", &[&["engines", "monitor"], &["cli"]]),
];

/// Lines of a source file in front of its tests.
const MOST_LINES: usize = 500;

/// The folder of all crates.
fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folders `name` of all crates: `src`, `tests` or `examples`.
fn folders(name: &str) -> Vec<PathBuf> {
    let folders_in = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = folders_in(crates()).chain(folders_in(crates().join("engines")));
    let mut found: Vec<_> = all.map(|folder| folder.join(name)).filter(|folder| folder.is_dir()).collect();
    found.sort();
    assert!(!found.is_empty(), "no crate has {name}");
    found
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

/// The module at the root of a crate that a file below `src` belongs to.
fn module_of(path: &Path, src: &Path) -> String {
    let below = path.strip_prefix(src).unwrap().with_extension("");
    below.iter().next().unwrap().to_string_lossy().into_owned()
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
    for (name, layers) in LAYERS {
        let layer_of = |module: &str| layers.iter().position(|layer| layer.contains(&module));
        let src = crates().join(name).join("src");
        for path in rust_files(&src) {
            let module = module_of(&path, &src);
            if ["lib", "bin"].contains(&module.as_str()) {
                continue;
            }
            let layer = layer_of(&module).unwrap_or_else(|| panic!("{name}: `{module}` has no layer"));
            for used in uses(&code_of(&path)) {
                let used = used.split("::").next().unwrap_or_default();
                let Some(used_layer) = layer_of(used) else { continue };
                seen += 1;
                if used_layer >= layer && used != module {
                    wrong.push(format!("{name}: {module} (layer {layer}) uses {used} (layer {used_layer})"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 50, "the reader of `use` lines found only {seen}");
}

#[test]
fn files_have_one_job() {
    let mut long = Vec::new();
    for folder in ["src", "tests"].into_iter().flat_map(folders) {
        for path in rust_files(&folder) {
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
    for folder in ["src", "tests", "examples"].into_iter().flat_map(folders) {
        for path in rust_files(&folder) {
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
    let undocumented: Vec<_> = folders("src")
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(undocumented.is_empty(), "{undocumented:#?}");
}

/// Returns the types that a file declares outside of its tests, each with its line.
fn declared_types(path: &Path) -> Vec<(String, usize)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).zip(1..);
    let code = lines.filter(|(line, _)| !line.trim_start().starts_with("//"));
    // Aliases within an `impl` are indented, and belong to its trait.
    let declared = code.filter_map(|(line, number)| {
        let declaration = line.trim_start();
        let private = match declaration.strip_prefix("pub") {
            Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
            Some(rest) => rest,
            None => declaration,
        };
        let mut words = private.split(|c: char| !c.is_alphanumeric() && c != '_');
        let keyword = words.find(|word| !word.is_empty())?;
        let is_type = ["struct", "enum", "union", "trait"].contains(&keyword)
            || keyword == "type" && !line.starts_with(' ');
        // A text may begin with such a word as well.
        let name = words.next().filter(|name| is_type && !name.is_empty())?;
        Some((name.to_owned(), number))
    });
    declared.collect()
}

#[test]
fn type_names_are_unique_in_their_crate() {
    let mut seen = 0;
    let mut twice = Vec::new();
    for src in folders("src") {
        let mut places = std::collections::BTreeMap::new();
        for path in rust_files(&src) {
            if path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests") {
                continue;
            }
            for (found, line) in declared_types(&path) {
                seen += 1;
                let place = format!("{}:{line}", path.display());
                if let Some(first) = places.insert(found.clone(), place.clone()) {
                    twice.push(format!("`{found}` is declared at {first} and at {place}"));
                }
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
    assert!(seen > 500, "found only {seen} types");
}

#[test]
fn the_template_for_a_working_tree_has_the_version_of_the_adapter() {
    let repository = crates().join("..");
    // A package taken from a registry has no repository around it.
    let Ok(workspace) = std::fs::read_to_string(repository.join("Cargo.toml")) else { return };
    let template = repository.join("templates/vibesql-working-tree/Cargo.toml");
    let template = std::fs::read_to_string(template).unwrap();
    let version = workspace.lines().find_map(|line| line.strip_prefix("vibesql = \"")?.split('"').next());
    let version = version.unwrap();
    assert!(version.starts_with('='), "{version}");
    assert!(
        template.contains(&format!("vibesql = {{ path = \"..\", version = \"{version}\" }}")),
        "{version}"
    );
}

#[test]
fn the_documents_name_every_command_and_exit_code() {
    let repository = crates().join("..");
    // A package taken from a registry has no repository around it.
    let Ok(readme) = std::fs::read_to_string(repository.join("README.md")) else { return };
    let codes = std::fs::read_to_string(repository.join("docs/exit-codes.md")).unwrap();
    for command in [
        "test",
        "shell",
        "run",
        "add",
        "format",
        "update",
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
        "expectations update",
        "store prune",
        "store backup",
        "store restore",
        "store import",
        "store export",
        "store merge",
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
    for module in LAYERS.iter().flat_map(|(_, layers)| layers.iter().copied().flatten()) {
        assert!(architecture.contains(&format!("`{module}`")), "ARCHITECTURE.md: {module}");
    }
}

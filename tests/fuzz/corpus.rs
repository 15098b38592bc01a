//! The texts that are changed: all scenarios with what they import, the examples of the manual, and one with everything.

use std::fs;
use std::path::{Path, PathBuf};

/// A text and what is loaded to have it read.
#[derive(Clone)]
pub(super) struct File {
    /// Its path below the folder.
    pub(super) path: PathBuf,
    /// The scenario that it is, or that imports it.
    pub(super) loads: PathBuf,
    pub(super) text: String,
}

/// The texts, laid out in a folder as they name each other.
pub(super) struct Corpus {
    pub(super) files: Vec<File>,
    /// Further texts to take pieces from: the small examples of the manual.
    pub(super) pieces: Vec<String>,
}

/// A scenario that imports what no other one does.
const IMPORTER: &str = "importer.yaml";

impl Corpus {
    pub(super) fn laid_out(folder: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        collect(&root.join("scenarios"), &root.join("scenarios"), &mut files);
        let blocks =
            blocks(&fs::read_to_string(root.join("docs/scenario.md")).expect("the manual"));
        let (whole, pieces): (Vec<String>, Vec<String>) = blocks
            .into_iter()
            .partition(|block| block.starts_with("version:"));
        let base =
            fs::read_to_string(root.join("tests/it/wrong/base.yaml")).expect("the good scenario");
        for (n, text) in whole.into_iter().chain([base]).enumerate() {
            let path = PathBuf::from(format!("example-{n}.yaml"));
            files.push(File {
                loads: path.clone(),
                path,
                text,
            });
        }
        let corpus = Self {
            files: with_importers(files),
            pieces,
        };
        for file in &corpus.files {
            let path = folder.join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(folder)).expect("a folder");
            fs::write(path, &file.text).expect("written");
        }
        corpus
    }
}

fn collect(folder: &Path, root: &Path, into: &mut Vec<File>) {
    let entries = fs::read_dir(folder).expect("a folder of scenarios");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, root, into);
        } else {
            let text = fs::read_to_string(&path).expect("a text");
            let path = path.strip_prefix(root).expect("below the root").to_owned();
            into.push(File {
                loads: path.clone(),
                path,
                text,
            });
        }
    }
}

/// What is no scenario is read by one that names it; if there is none, by one that is made for it.
fn with_importers(mut files: Vec<File>) -> Vec<File> {
    let scenarios: Vec<File> = files
        .iter()
        .filter(|file| file.text.contains("\nversion: 1") || file.text.starts_with("version: 1"))
        .cloned()
        .collect();
    let mut orphans = String::from("version: 1\nname: importer\nimport:\n");
    for file in &mut files {
        if scenarios.iter().any(|scenario| scenario.path == file.path) {
            continue;
        }
        let name = file
            .path
            .file_name()
            .map_or("".into(), |name| name.to_string_lossy());
        let importer = scenarios
            .iter()
            .find(|scenario| scenario.text.contains(&*name));
        file.loads = importer.map_or(IMPORTER.into(), |scenario| scenario.path.clone());
        if importer.is_none() {
            orphans += &format!("  - {}\n", file.path.display());
        }
    }
    let rest = "processes: { api: 1 }\nflows: { go(): [reply] }\nevents: { e: { on: api, send: go } }\n\
                invariants: { i: { never: SELECT 1 WHERE 0 } }\nvariants: { v: {} }\nexpect: { v: holds }\n";
    let path = PathBuf::from(IMPORTER);
    files.push(File {
        loads: path.clone(),
        path,
        text: orphans + rest,
    });
    files
}

/// The examples of a page.
fn blocks(page: &str) -> Vec<String> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced
        .filter(|block| block.starts_with("yaml"))
        .filter_map(|block| block.split_once('\n').map(|(_, text)| format!("{text}\n")))
        .collect()
}

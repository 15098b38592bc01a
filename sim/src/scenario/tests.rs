//! Every scenario of the project loads; every kind of wrong text is answered with its place, its cause and its remedy.

use super::*;

#[test]
fn every_scenario_of_the_project_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let files = fs::read_dir(folder).expect("scenarios").map(|entry| entry.expect("entry").path());
    let mut count = 0;
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let scenario = load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(scenario.variants.len() > 1, "{}", scenario.file);
        count += 1;
    }
    assert!(count > 3);
}

//! The command exists and starts. Cargo builds a package's binaries for its integration tests, so this file is also what
//! makes `cargo test` build the command that `tests/it/cli.rs` runs.

use std::process::Command;

#[test]
fn the_command_tells_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .arg("--version")
        .output();
    let output = output.expect("the command starts");
    assert!(output.status.success());
    let version = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        version.trim(),
        concat!("lockstep ", env!("CARGO_PKG_VERSION"))
    );
}

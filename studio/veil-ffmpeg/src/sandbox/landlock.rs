//! The file lock: which paths a confined program may touch (Landlock).
//!
//! Owns: the list of readable and writable paths. Refuses to know: system calls.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, RestrictionStatus,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::Jail;

/// The newest Landlock that we know what to ask of; older kernels give what they have.
const NEWEST: ABI = ABI::V6;

/// Where the system keeps programs and libraries. `/etc/ld.so.cache` says where a library is;
/// `/sys/devices/system/cpu` how many processors there are.
const SYSTEM: [&str; 5] = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/sys/devices/system/cpu"];

/// Devices that a program reads random numbers from and discards output to.
const DEVICES: [&str; 2] = ["/dev/urandom", "/dev/null"];

/// The Landlock ABI of this kernel for `veilcast doctor`; 0 when there is none.
#[must_use]
pub fn landlock_abi() -> i32 {
    // A ruleset that is never enforced: each level of the ABI says whether it can be asked for.
    let supports = |abi: ABI| {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(abi))
            .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(abi)))
            .and_then(|ruleset| match Scope::from_all(abi) {
                scope if scope.is_empty() => Ok(ruleset),
                scope => ruleset.scope(scope),
            })
            .and_then(Ruleset::create)
            .is_ok()
    };
    let known = [ABI::V6, ABI::V5, ABI::V4, ABI::V3, ABI::V2, ABI::V1];
    known.into_iter().find(|abi| supports(*abi)).map_or(0, |abi| abi as i32)
}

/// Locks this process in.
pub(super) fn restrict(jail: &Jail, program: &Path) -> Result<(), String> {
    let status = enforce(jail, program).map_err(|error| format!("landlock: {error}"))?;
    match status.ruleset {
        RulesetStatus::NotEnforced if !jail.landlock_optional => {
            Err("this kernel has no Landlock".to_owned())
        }
        _ => Ok(()),
    }
}

fn enforce(jail: &Jail, program: &Path) -> Result<RestrictionStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let written = jail.write.as_ref().map(|(path, _)| path);
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(homes(program), read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(&jail.read, read))?
        .add_rules(path_beneath_rules(written, AccessFs::WriteFile | AccessFs::Truncate))?
        .restrict_self()
}

/// The program itself and, for `PREFIX/bin/program`, its libraries in `PREFIX/lib`.
fn homes(program: &Path) -> Vec<PathBuf> {
    let prefix = program.parent().and_then(Path::parent);
    prefix.map(|prefix| prefix.join("lib")).into_iter().chain([program.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_outside_of_the_system_brings_its_own_libraries() {
        let expected = [PathBuf::from("/opt/f/lib"), PathBuf::from("/opt/f/bin/ffmpeg")];
        assert_eq!(homes(Path::new("/opt/f/bin/ffmpeg")), expected);
    }
}

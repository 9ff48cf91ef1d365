//! The crates of the lock file and who depends on whom, as `cargo metadata` tells, with every feature on.
//!
//! Features of all crates are united, as cargo unites them for the workspace: an edge that exists only because a
//! neighbour asked for a feature is there too. For rules about absence that is the safe side.

use std::collections::BTreeMap;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand};

use crate::failure::{Outcome, fail};
use crate::repo::{Repo, cargo_program};

/// All crates by package id.
#[derive(Clone)]
pub(super) struct Graph {
    pub(super) crates: BTreeMap<String, Crate>,
}

/// One crate.
#[derive(Clone)]
pub(super) struct Crate {
    /// Package name.
    pub(super) name: String,
    /// Folder of its manifest from the root, for crates of the workspace.
    pub(super) dir: Option<String>,
    /// What it depends on.
    pub(super) edges: Vec<Edge>,
}

/// One dependency.
#[derive(Clone)]
pub(super) struct Edge {
    /// Package id.
    pub(super) to: String,
    /// Whether only tests, examples and benches use it.
    pub(super) dev_only: bool,
}

impl Graph {
    /// Asks cargo.
    pub(super) fn read(repo: &Repo) -> Outcome<Self> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo_program()).current_dir(&repo.root);
        command.features(CargoOpt::AllFeatures).other_options(vec!["--locked".to_owned()]);
        let metadata = command.exec().map_err(|error| fail(format!("cargo metadata: {error}")))?;
        Self::from_metadata(&metadata)
    }

    fn from_metadata(metadata: &Metadata) -> Outcome<Self> {
        let resolve = metadata.resolve.as_ref();
        let resolve = resolve.ok_or_else(|| fail("cargo metadata resolved nothing"))?;
        let mut crates = BTreeMap::new();
        for package in &metadata.packages {
            let is_ours = metadata.workspace_members.contains(&package.id);
            let dir = package.manifest_path.parent().filter(|_| is_ours);
            let dir = dir
                .map(|dir| dir.strip_prefix(&metadata.workspace_root).unwrap_or(dir).to_string());
            let name = package.name.to_string();
            crates.insert(package.id.repr.clone(), Crate { name, dir, edges: Vec::new() });
        }
        for node in &resolve.nodes {
            let edges = node.deps.iter().map(|dep| Edge {
                to: dep.pkg.repr.clone(),
                dev_only: dep.dep_kinds.iter().all(|kind| kind.kind == DependencyKind::Development),
            });
            if let Some(found) = crates.get_mut(&node.id.repr) {
                found.edges = edges.collect();
            }
        }
        Ok(Self { crates })
    }

    /// Returns the crates of the workspace.
    pub(super) fn members(&self) -> impl Iterator<Item = (&String, &Crate)> {
        self.crates.iter().filter(|(_, one)| one.dir.is_some())
    }

    /// Returns the workspace crate of this name, with its id.
    pub(super) fn member(&self, name: &str) -> Option<(&String, &Crate)> {
        self.members().find(|(_, one)| one.name == name)
    }

    /// Returns every crate that is built into `id` (dev-dependencies aside), each with the crate that first led to it.
    pub(super) fn closure(&self, id: &str) -> BTreeMap<String, String> {
        let mut led_by = BTreeMap::new();
        let mut todo = vec![id.to_owned()];
        while let Some(from) = todo.pop() {
            let edges = self.crates.get(&from).into_iter().flat_map(|one| &one.edges);
            for edge in edges.filter(|edge| !edge.dev_only) {
                if edge.to != id && !led_by.contains_key(&edge.to) {
                    led_by.insert(edge.to.clone(), from.clone());
                    todo.push(edge.to.clone());
                }
            }
        }
        led_by
    }

    /// Returns the name of a crate.
    pub(super) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.crates.get(id).map_or(id, |one| &one.name)
    }

    /// Adds a dependency between two crates named by name, for the tests of rules.
    #[cfg(test)]
    pub(super) fn with_edge(&self, from: &str, to: &str, dev_only: bool) -> Self {
        let id =
            |name: &str| self.crates.iter().find(|(_, one)| one.name == name).unwrap().0.clone();
        let mut graph = self.clone();
        let edge = Edge { to: id(to), dev_only };
        graph.crates.get_mut(&id(from)).unwrap().edges.push(edge);
        graph
    }

    /// Adds a crate, for the tests of rules: of the workspace when it has a folder.
    #[cfg(test)]
    pub(super) fn with_crate(&self, name: &str, dir: Option<&str>) -> Self {
        let mut graph = self.clone();
        let one = Crate { name: name.into(), dir: dir.map(str::to_owned), edges: Vec::new() };
        graph.crates.insert(format!("test:{name}"), one);
        graph
    }

    /// Removes a crate of the workspace, for the tests of rules.
    #[cfg(test)]
    pub(super) fn without(&self, name: &str) -> Self {
        let mut graph = self.clone();
        graph.crates.retain(|_, one| one.dir.is_none() || one.name != name);
        graph
    }

    /// The real graph, for the tests of rules.
    #[cfg(test)]
    pub(super) fn real() -> Self {
        Self::read(&Repo::here()).unwrap()
    }
}

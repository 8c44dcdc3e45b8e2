//! The workspace as cargo sees it.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

use crate::Result;

/// The workspace: cargo's own description and where things are.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// What `cargo metadata` says, dependencies of dependencies included.
    pub(crate) metadata: Metadata,
    /// The folder with the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where build output goes.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, with the lock file as it is.
    ///
    /// # Errors
    /// Where cargo can't be run or finds a manifest wrong; cargo's own words.
    pub(crate) fn load() -> Result<Self> {
        let metadata = MetadataCommand::new().exec()?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let target = metadata.target_directory.clone().into_std_path_buf();
        Ok(Self {
            metadata,
            root,
            target,
        })
    }

    /// A path inside the workspace.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder of a dependency's sources in cargo's registry.
    ///
    /// # Errors
    /// Where no such package is part of the build.
    pub(crate) fn package_folder(&self, name: &str) -> Result<PathBuf> {
        let package = self
            .metadata
            .packages
            .iter()
            .find(|package| package.name.as_str() == name);
        let package = package.ok_or_else(|| format!("no package {name} in cargo's metadata"))?;
        let manifest = package.manifest_path.as_std_path();
        Ok(manifest.parent().unwrap_or(manifest).to_path_buf())
    }
}

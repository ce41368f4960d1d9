//! What of a configuration a run is aimed at.

use std::path::PathBuf;

/// A part of what is configured and remembered.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Aiming {
    /// Plan only ADDRESS, what it depends on, and what has to go or change before it
    ///
    /// A resource (`kubernetes_namespace.shop`), one instance of it (`kubernetes_namespace.shop["c1"]`), or a module with all within
    /// (`module.mesh`). May be given more than once.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["exclude", "exclude_file"])]
    pub target: Vec<String>,
    /// As --target for every address in FILE: one a line, `#` begins a comment
    #[arg(long, value_name = "FILE", conflicts_with_all = ["exclude", "exclude_file"])]
    pub target_file: Vec<PathBuf>,
    /// Plan all but ADDRESS and what depends on it
    ///
    /// What it was made from is not deleted either, and no place around it. May be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    pub exclude: Vec<String>,
    /// As --exclude for every address in FILE: one a line, `#` begins a comment
    #[arg(long, value_name = "FILE")]
    pub exclude_file: Vec<PathBuf>,
    /// Forget the cluster ADDRESS, which cannot be reached and is gone for good, with all within
    ///
    /// Nothing is deleted: what still exists there is nobody's any more. Refused if the cluster answers, or if something within has
    /// `prevent_destroy`. May be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    pub abandon: Vec<String>,
}

/// What is done with what could stay as it is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Manner {
    /// Replace the instance ADDRESS though it could stay; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// Change nothing but the state and outputs: write down what exists now, forget what does not
    #[arg(long, conflicts_with_all = ["replace", "abandon"])]
    pub refresh_only: bool,
}

impl Aiming {
    /// Whether everything is aimed at.
    pub fn is_unsaid(&self) -> bool {
        let Self { target, target_file, exclude, exclude_file, abandon } = self;
        target.is_empty() && target_file.is_empty() && exclude.is_empty() && exclude_file.is_empty() && abandon.is_empty()
    }
}

impl Manner {
    /// Whether nothing but what differs is replaced, and what exists is changed.
    pub fn is_unsaid(&self) -> bool {
        let Self { replace, refresh_only } = self;
        replace.is_empty() && !refresh_only
    }
}

//! A name for exactly this text.

use engine::source::SourceTree;
use engine::value::hex;
use sha2::{Digest as _, Sha256};

/// `sha256:` and the digest of every module's text: equal for the same text wherever it lies, different for any other.
pub fn digest(tree: &SourceTree) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    for (key, module) in &tree.modules {
        add(&key.0);
        for file in module.files.iter().filter_map(|id| tree.file(*id)) {
            add(file.path.rsplit('/').next().unwrap_or_default());
            add(&file.text);
        }
        add("");
    }
    format!("sha256:{}", hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(directory: &str, files: &[(&str, &str)]) -> SourceTree {
        let mut tree = SourceTree::new(directory);
        for (name, text) in files {
            let id = tree.add(&format!("{directory}/{name}"), text);
            let root = tree.root.clone();
            tree.modules.entry(root).or_default().files.push(id);
        }
        tree
    }

    #[test]
    fn the_digest_follows_the_text_and_not_the_place() {
        let one = digest(&tree("a", &[("x.mesh.hcl", "locals {}")]));
        assert!(one.starts_with("sha256:") && one.len() == 71, "{one}");
        assert_eq!(one, digest(&tree("b/c", &[("x.mesh.hcl", "locals {}")])));
        for other in [
            tree("a", &[("y.mesh.hcl", "locals {}")]),
            tree("a", &[("x.mesh.hcl", "locals { }")]),
            tree("a", &[("x.mesh.hcl", "locals {}"), ("y.mesh.hcl", "")]),
            tree("a", &[]),
        ] {
            assert_ne!(one, digest(&other));
        }
    }
}

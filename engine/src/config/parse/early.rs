//! Blocks within `meshplan` that are read before the rest of the configuration: where the state is and how it is sealed is to be known before
//! anything can be evaluated.

use super::{Lowering, pieces};
use crate::diagnostic::Problems;
use crate::source::SourceTree;
use hcl_edit::structure::Block;

/// Hands every block of this name in the root module to `read`; what is wrong with such blocks and the text around them.
///
/// Only files that have the word in them are parsed.
pub(super) fn each(tree: &SourceTree, name: &str, mut read: impl FnMut(&mut Lowering<'_>, &Block)) -> Problems {
    let mut problems = Problems::new();
    let files = tree.modules.get(&tree.root).into_iter().flat_map(|root| &root.files);
    for (id, file) in files.filter_map(|id| Some((*id, tree.file(*id)?))).filter(|(_, file)| file.text.contains(name)) {
        let mut wrong = Problems::new();
        problems.extend(pieces::each_body(&file.text, id, &mut |piece, base, body| {
            for block in body.blocks().filter(|block| block.ident.as_str() == "meshplan") {
                let mut lowering = Lowering::new(piece, base, id);
                block.body.blocks().filter(|inner| inner.ident.as_str() == name).for_each(|inner| read(&mut lowering, inner));
                wrong.extend(lowering.problems);
            }
        }));
        problems.extend(wrong);
    }
    problems
}

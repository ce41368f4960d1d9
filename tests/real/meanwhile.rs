//! What happens while somebody reads a plan.

use std::io::{BufRead, Read};

/// Standard input that does something before it says yes.
pub(crate) struct MeanwhileYes<F: FnMut()>(pub(crate) F, pub(crate) &'static [u8]);

impl<F: FnMut()> Read for MeanwhileYes<F> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.1.read(into)
    }
}

impl<F: FnMut()> BufRead for MeanwhileYes<F> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        (self.0)();
        Ok(self.1)
    }

    fn consume(&mut self, amount: usize) {
        self.1 = &self.1[amount..];
    }
}

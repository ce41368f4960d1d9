//! Two things at once.

use std::thread::{Builder, scope};

/// Bytes of stack of a thread that walks over values, which may be nested as deep as the first thread can follow.
const DEEP: usize = 8 * 1024 * 1024;

/// Does one thing on a thread of its own while another is done; after it, where there is no thread.
pub(crate) fn beside<T: Send, U>(aside: impl Fn() -> T + Sync, meanwhile: impl FnOnce() -> U) -> (T, U) {
    let aside = &aside;
    scope(|scope| {
        let thread = Builder::new().stack_size(DEEP).spawn_scoped(scope, aside);
        let done = meanwhile();
        let other = thread.ok().and_then(|thread| thread.join().ok());
        (other.unwrap_or_else(aside), done)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    #[test]
    fn neither_waits_for_the_other_to_end() {
        let ([to_aside, to_here], patience) = ([sync_channel(1), sync_channel(1)], Duration::from_secs(20));
        let (told, heard) = (to_aside.0, Mutex::new(to_aside.1));
        let (answer, answered) = (to_here.0, to_here.1);
        let aside = || {
            let word: u8 = heard.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience).unwrap();
            answer.send(word + 1).unwrap();
            word
        };
        let here = || {
            told.send(1).unwrap();
            answered.recv_timeout(patience).unwrap()
        };
        assert_eq!(beside(aside, here), (1, 2));
    }
}

//! Interruptions of a test, none of which is missed: one that comes while nobody waits for it is told to the next who does.

use crate::session::Session;
use std::future::pending;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Listens until the runtime ends.
pub(super) fn listen(session: &mut Session, runtime: &Runtime) {
    let heard = Arc::new(Semaphore::new(0));
    let teller = heard.clone();
    let mut next = std::mem::replace(&mut session.interrupt, Box::new(|| Box::pin(pending())));
    runtime.spawn(async move {
        loop {
            next().await;
            teller.add_permits(1);
        }
    });
    session.interrupt = Box::new(move || {
        let heard = heard.clone();
        Box::pin(async move {
            match heard.acquire().await {
                Ok(permit) => permit.forget(),
                Err(_) => pending().await,
            }
        })
    });
}

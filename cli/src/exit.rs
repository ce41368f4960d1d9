//! What `meshplan` exits with. Scripts may rely on these.

/// Done: everything that was asked for happened, or there was nothing to do.
pub const DONE: u8 = 0;

/// Not done: an error was shown, or what was asked for did not wholly happen. Mistakes on the command line end like this as well.
pub const FAILED: u8 = 1;

/// `plan --detailed-exitcode` found something to change.
pub const CHANGES: u8 = 2;

/// `fmt --check` found a file that is not laid out in the usual style.
pub const UNFORMATTED: u8 = 3;

/// `check` found no check that failed, and some that were not run.
pub const NOT_RUN: u8 = 4;

/// The program itself is at fault: it ended where it should not. What was under way is in the journal, and the next run looks at it.
pub const DEFECT: u8 = 101;

/// A second interruption: left at once. What was under way is in the journal, and the next run looks at it.
pub const INTERRUPTED: u8 = 130;

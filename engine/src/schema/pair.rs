//! Ways from one party to another.

/// A way from one to another that a data source looked at, as people see it in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Who asked.
    pub from: String,
    /// Who was to be reached.
    pub to: String,
    /// What of it, such as `gateway`.
    pub target: String,
    /// Where that is.
    pub address: String,
    /// What came of it, in few words, such as `reached` or `timed out`.
    pub outcome: String,
    /// What more there is to say of it, as a fragment; empty if nothing.
    pub detail: String,
    /// How long it took until the connection stood, where that is known.
    pub milliseconds: Option<u64>,
    /// Whether it was reached.
    pub reached: bool,
}

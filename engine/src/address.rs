//! Names of things: `module.mesh["eu"].istio_operator.primary["cluster1"]/ConfigMap/istio-system/istio`.
//!
//! An address prints as users write it and parses back to itself.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

/// The key of one instance of a group: nothing, the index of `count`, or the key of `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Key {
    /// The block has neither `count` nor `for_each`.
    #[default]
    None,
    /// The index of a `count` instance, from zero.
    Number(u64),
    /// The key of a `for_each` instance.
    Text(Arc<str>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Number(index) => write!(f, "[{index}]"),
            Self::Text(text) => {
                f.write_str("[\"")?;
                for c in text.chars() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        other => write!(f, "{other}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

/// One step into a module: the name of the call and the key of its instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The call's name.
    pub name: Arc<str>,
    /// The instance of the call.
    pub key: Key,
}

/// The path of a module instance from the root module, which is the empty path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Arc<[ModuleStep]>);

impl Default for ModulePath {
    fn default() -> Self {
        Self::root()
    }
}

impl ModulePath {
    /// The root module.
    pub fn root() -> Self {
        // The empty slice is shared: no allocation per address.
        Self(Arc::default())
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[ModuleStep] {
        &self.0
    }

    /// The module instance that a call in this one leads to.
    #[must_use]
    pub fn child(&self, name: &str, key: Key) -> Self {
        let mut steps = self.0.to_vec();
        steps.push(ModuleStep { name: name.into(), key });
        Self(steps.into())
    }

    /// The calling module and the last step, or nothing at the root.
    pub fn parent(&self) -> Option<(Self, &ModuleStep)> {
        let (last, rest) = self.0.split_last()?;
        Some((Self(rest.into()), last))
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "module.{}{}", step.name, step.key)?;
        }
        Ok(())
    }
}

/// Whether a block manages a thing or only reads one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A `resource` block.
    Managed,
    /// A `data` block.
    Data,
}

/// The address of one resource instance, or of one member of its manifest set. Clones share it: one is as small as a pointer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(Arc<Ranked>);

/// The parts of an address with the first bytes of its name, which tell most addresses of a kind apart without a look at their names.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Ranked {
    rank: u64,
    parts: AddressParts,
}

/// What an [`Address`] is made of; it dereferences to this.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddressParts {
    /// The module instance it stands in.
    pub module: ModulePath,
    /// Managed or data.
    pub mode: Mode,
    /// The kind, such as `sandbox_cluster`.
    pub kind: Arc<str>,
    /// The block's name.
    pub name: Arc<str>,
    /// The instance.
    pub key: Key,
    /// The member of a manifest set: `Kind/namespace/name`, or `Kind/name` for what no namespace holds.
    pub member: Option<Arc<str>>,
}

impl Deref for Address {
    type Target = AddressParts;

    fn deref(&self) -> &AddressParts {
        &self.0.parts
    }
}

impl From<AddressParts> for Address {
    fn from(parts: AddressParts) -> Self {
        Self(Arc::new(Ranked { rank: rank(&parts.name), parts }))
    }
}

impl PartialOrd for AddressParts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By module, mode, kind, name, key and member.
impl Ord for AddressParts {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order_before_name(other).then_with(|| self.order_by_name(other))
    }
}

impl AddressParts {
    fn order_before_name(&self, other: &Self) -> Ordering {
        let modules = if Arc::ptr_eq(&self.module.0, &other.module.0) { Ordering::Equal } else { self.module.cmp(&other.module) };
        modules.then_with(|| self.mode.cmp(&other.mode)).then_with(|| shared_order(&self.kind, &other.kind))
    }

    fn order_by_name(&self, other: &Self) -> Ordering {
        let names = shared_order(&self.name, &other.name);
        names.then_with(|| self.key.cmp(&other.key)).then_with(|| self.member.cmp(&other.member))
    }
}

/// A number for a name: of two names that do not begin with the same bytes the lesser one has the lesser number.
fn rank(name: &str) -> u64 {
    let mut first = [0; 8];
    let length = name.len().min(first.len());
    first[..length].copy_from_slice(&name.as_bytes()[..length]);
    u64::from_be_bytes(first)
}

/// The order of two texts, of which one is often the other.
pub(crate) fn shared_order(one: &Arc<str>, other: &Arc<str>) -> Ordering {
    if Arc::ptr_eq(one, other) { Ordering::Equal } else { one.cmp(other) }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By module, mode, kind, name, key and member.
impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        let ranks = || self.0.rank.cmp(&other.0.rank);
        self.order_before_name(other).then_with(ranks).then_with(|| self.order_by_name(other))
    }
}

impl Address {
    /// A managed resource without a key in the root module.
    pub fn managed(kind: &str, name: &str) -> Self {
        let (kind, name) = (kind.into(), name.into());
        AddressParts { module: ModulePath::root(), mode: Mode::Managed, kind, name, key: Key::None, member: None }.into()
    }

    /// The same resource block's instance under another key.
    #[must_use]
    pub fn with_key(&self, key: Key) -> Self {
        AddressParts { key, ..AddressParts::clone(self) }.into()
    }

    /// The address of a member of this resource's manifest set.
    #[must_use]
    pub fn with_member(&self, member: &str) -> Self {
        AddressParts { member: Some(member.into()), ..AddressParts::clone(self) }.into()
    }

    /// The resource whose manifest set this is a member of, if it is one.
    pub fn parent(&self) -> Option<Self> {
        self.member.as_ref()?;
        Some(AddressParts { member: None, ..AddressParts::clone(self) }.into())
    }

    /// Whether `other` is this resource or a member of it.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || other.parent().is_some_and(|parent| parent == *self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        // Part by part: plans print addresses more often than anything else, and one that is formatted costs three times as much.
        f.write_str(&self.kind)?;
        f.write_str(".")?;
        f.write_str(&self.name)?;
        self.key.fmt(f)?;
        if let Some(member) = &self.member {
            f.write_str("/")?;
            f.write_str(member)?;
        }
        Ok(())
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnAddress {
    /// The whole text.
    pub text: String,
    /// What was expected, as a fragment that fits after "expected".
    pub expected: &'static str,
}

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no address: expected {}", self.text, self.expected)
    }
}

impl std::error::Error for NotAnAddress {}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let fail = |expected| NotAnAddress { text: text.to_owned(), expected };
        let mut rest = text;
        let mut module = ModulePath::root();
        while let Some(after) = rest.strip_prefix("module.") {
            let (name, after) = take_name(after).ok_or_else(|| fail("a module's name after `module.`"))?;
            let (key, after) = take_key(after).ok_or_else(|| fail("a key such as `[0]` or `[\"name\"]`"))?;
            module = module.child(name, key);
            rest = after.strip_prefix('.').ok_or_else(|| fail("a resource after the module"))?;
        }
        let mode = match rest.strip_prefix("data.") {
            Some(after) => {
                rest = after;
                Mode::Data
            }
            None => Mode::Managed,
        };
        let (kind, after) = take_name(rest).ok_or_else(|| fail("a kind such as `sandbox_cluster`"))?;
        let after = after.strip_prefix('.').ok_or_else(|| fail("a `.` and a name after the kind"))?;
        let (name, after) = take_name(after).ok_or_else(|| fail("a name after the kind"))?;
        let (key, after) = take_key(after).ok_or_else(|| fail("a key such as `[0]` or `[\"name\"]`"))?;
        let member = match after.strip_prefix('/') {
            Some(member) if !member.is_empty() => Some(Arc::from(member)),
            None if after.is_empty() => None,
            Some(_) | None => return Err(fail("nothing, or `/` and a member, after the name")),
        };
        Ok(AddressParts { module, mode, kind: kind.into(), name: name.into(), key, member }.into())
    }
}

fn take_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn take_key(text: &str) -> Option<(Key, &str)> {
    let Some(inner) = text.strip_prefix('[') else {
        return Some((Key::None, text));
    };
    if let Some(quoted) = inner.strip_prefix('"') {
        let mut key = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Some((Key::Text(key.into()), quoted[at + 1..].strip_prefix(']')?)),
                '\\' => match chars.next()?.1 {
                    'n' => key.push('\n'),
                    other => key.push(other),
                },
                other => key.push(other),
            }
        }
        return None;
    }
    let (digits, after) = inner.split_once(']')?;
    Some((Key::Number(digits.parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_as_it_is_written() {
        for text in [
            "ca_root.mesh",
            "data.kubernetes_cluster.this[\"c1\"]",
            "module.mesh[\"e\\\"u\\\\\"].module.inner[3].istio_operator.primary[\"cluster1\"]/ConfigMap/istio-system/istio",
            "meshplan_data.x[12]",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn addresses_are_in_the_order_of_their_parts() {
        let texts = [
            "b.a",
            "b.abcdefg",
            "b.abcdefgh",
            "b.abcdefgh[2]",
            "b.abcdefgh[11]",
            "b.abcdefgh[\"1\"]",
            "b.abcdefgh[\"1\"]/ConfigMap/a",
            "b.abcdefghi",
            "b.abcdefgz",
            "b.\u{e9}",
            "c.a",
            "data.a.a",
            "module.m.a.a",
        ];
        let addresses = texts.map(|text| text.parse::<Address>().unwrap());
        for (at, one) in addresses.iter().enumerate() {
            for (beside, other) in addresses.iter().enumerate() {
                assert_eq!(one.cmp(other), at.cmp(&beside), "{one} {other}");
                assert_eq!(AddressParts::cmp(one, other), at.cmp(&beside), "{one} {other}");
                assert_eq!(*one == texts[beside].parse().unwrap(), at == beside, "{one} {other}");
            }
        }
    }

    #[test]
    fn what_is_no_address_says_what_was_expected() {
        for (text, expected) in [
            ("", "a kind such as `sandbox_cluster`"),
            ("kind", "a `.` and a name after the kind"),
            ("kind.name[", "a key such as `[0]` or `[\"name\"]`"),
            ("kind.name[\"x]", "a key such as `[0]` or `[\"name\"]`"),
            ("kind.name/", "nothing, or `/` and a member, after the name"),
            ("module.x", "a resource after the module"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err().expected, expected, "{text}");
        }
    }
}
